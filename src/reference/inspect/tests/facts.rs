//! What graphs imply: operators, ranges of indices, constants that are made.

use super::super::super::onnx::{ATTRIBUTE_INT, ATTRIBUTE_INTS, ATTRIBUTE_TENSOR};
use super::beside::outside;
use super::*;

const FLOAT: i32 = 1;
const INT64: i32 = 7;

fn node(op_type: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        input: inputs.iter().map(|&i| i.to_owned()).collect(),
        output: vec![output.to_owned()],
        op_type: Some(op_type.to_owned()),
        ..NodeProto::default()
    }
}

fn with_int(mut node: NodeProto, name: &str, value: i64) -> NodeProto {
    node.attribute.push(AttributeProto {
        name: Some(name.to_owned()),
        i: Some(value),
        r#type: Some(ATTRIBUTE_INT),
        ..AttributeProto::default()
    });
    node
}

/// A node of another domain: the field that `NodeProto` here does not write.
fn of_domain(domain: &str, node: &NodeProto) -> Vec<u8> {
    field(1, &[node.encode_to_vec(), field(7, domain.as_bytes())].concat())
}

fn nodes(nodes: &[NodeProto]) -> Vec<u8> {
    nodes.iter().flat_map(|node| field(1, &node.encode_to_vec())).collect()
}

fn inputs(names: &[&str]) -> Vec<u8> {
    names.iter().flat_map(|name| field(11, &port(name, None).encode_to_vec())).collect()
}

/// An initializer of floats, with all its values.
fn floats(name: &str, dims: &[i64]) -> Vec<u8> {
    let elements: i64 = dims.iter().product();
    field(5, &tensor(name, FLOAT, dims, 4 * usize::try_from(elements).unwrap()))
}

/// An initializer that is a shape, in `raw_data`.
fn raw_shape(name: &str, values: &[i64]) -> Vec<u8> {
    let head = TensorProto {
        dims: vec![values.len().try_into().unwrap()],
        data_type: Some(INT64),
        name: Some(name.to_owned()),
        ..TensorProto::default()
    };
    let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    field(5, &[head.encode_to_vec(), field(9, &raw)].concat())
}

fn info_of(parts: &[Vec<u8>]) -> ModelInfo {
    inspect_bytes(&model(8, 17, &parts.concat())).unwrap()
}

/// The bound on the one input of a model with these nodes and two tables, of 7 × 3 and 5 × 3.
fn bound(graph: &[NodeProto]) -> Option<u64> {
    let tables = [floats("table", &[7, 3]), floats("small", &[5, 3])].concat();
    info_of(&[nodes(graph), tables, inputs(&["ids"])]).inputs[0].index_below
}

#[test]
fn ids_are_below_the_rows_of_the_table_that_they_select_from() {
    assert_eq!(bound(&[node("Gather", &["table", "ids"], "y")]), Some(7));
    assert_eq!(bound(&[node("GatherElements", &["table", "ids"], "y")]), Some(7));
    assert_eq!(bound(&[with_int(node("Gather", &["table", "ids"], "y"), "axis", 1)]), Some(3));
    assert_eq!(bound(&[with_int(node("Gather", &["table", "ids"], "y"), "axis", -2)]), Some(7));
}

#[test]
fn ids_are_followed_through_what_only_changes_their_shape_or_type() {
    let chain = [
        node("Cast", &["ids"], "a"),
        node("Unsqueeze", &["a", "axes"], "b"),
        node("Identity", &["b"], "c"),
        node("Reshape", &["c", "shape"], "d"),
        node("Squeeze", &["d", "axes"], "e"),
        node("Gather", &["table", "e"], "y"),
    ];
    assert_eq!(bound(&chain), Some(7));
}

#[test]
fn the_smallest_of_several_tables_counts() {
    let both = [node("Gather", &["table", "ids"], "y"), node("Gather", &["small", "ids"], "z")];
    assert_eq!(bound(&both), Some(5));
}

#[test]
fn what_is_computed_from_ids_or_selected_from_a_computed_table_says_nothing() {
    for graph in [
        vec![node("Add", &["ids", "one"], "a"), node("Gather", &["table", "a"], "y")],
        vec![node("Relu", &["table"], "a"), node("Gather", &["a", "ids"], "y")],
        vec![node("Transpose", &["table"], "a"), node("Gather", &["a", "ids"], "y")],
        vec![with_int(node("Gather", &["table", "ids"], "y"), "axis", 2)],
        vec![with_int(node("Gather", &["table", "ids"], "y"), "axis", i64::MIN)],
        vec![node("Gather", &["table"], "y")],
        vec![node("Gather", &["ids", "table"], "y")],
    ] {
        assert_eq!(bound(&graph), None, "{graph:?}");
    }
}

#[test]
fn a_dequantized_or_constant_table_is_a_table() {
    let dequantized =
        [node("DequantizeLinear", &["table", "s"], "t"), node("Gather", &["t", "ids"], "y")];
    assert_eq!(bound(&dequantized), Some(7));
    let attribute = [field(1, b"value"), field(5, &tensor("", FLOAT, &[4, 2], 32))].concat();
    let constant =
        field(1, &[node("Constant", &[], "t").encode_to_vec(), field(5, &attribute)].concat());
    let lookup = nodes(&[node("Gather", &["t", "ids"], "y")]);
    assert_eq!(info_of(&[constant, lookup, inputs(&["ids"])]).inputs[0].index_below, Some(4));
}

#[test]
fn fused_embeddings_bound_tokens_segments_and_positions() {
    let names =
        ["ids", "segments", "words", "places", "kinds", "gamma", "beta", "mask", "positions"];
    let fused = of_domain("com.microsoft", &node("EmbedLayerNormalization", &names, "y"));
    let tables = [("words", 9), ("places", 6), ("kinds", 2)];
    let tables: Vec<u8> =
        tables.iter().flat_map(|(name, rows)| floats(name, &[*rows, 1])).collect();
    let info = info_of(&[fused, tables, inputs(&["ids", "segments", "positions"])]);
    let bounds: Vec<_> = info.inputs.iter().map(|input| input.index_below).collect();
    assert_eq!(bounds, [Some(9), Some(2), Some(6)]);
}

#[test]
fn a_branch_selects_from_the_tables_around_it_unless_a_name_is_its_own() {
    let lookup = node("Gather", &["table", "ids"], "y");
    let branch = |inner: &[u8]| {
        let graph = [nodes(std::slice::from_ref(&lookup)), inner.to_vec()].concat();
        let attribute = [field(1, b"then_branch"), field(6, &graph)].concat();
        field(1, &[node("If", &["c"], "z").encode_to_vec(), field(5, &attribute)].concat())
    };
    let bound = |inner: &[u8]| {
        info_of(&[branch(inner), floats("table", &[7, 3]), inputs(&["ids"])]).inputs[0].index_below
    };
    assert_eq!(bound(&[]), Some(7));
    assert_eq!(bound(&floats("table", &[4, 3])), Some(4));
    assert_eq!(bound(&inputs(&["ids"])), None);
}

#[test]
fn more_graphs_or_nodes_than_any_model_has_are_refused() {
    let many = (1 << 20) + 2;
    let graphs = field(1, &field(5, &field(6, &[])).repeat(many));
    let error = inspect_bytes(&model(8, 17, &graphs)).unwrap_err();
    assert!(error.to_string().contains("a million graphs"), "{error}");
    let error = inspect_bytes(&model(8, 17, &field(1, &[]).repeat(many))).unwrap_err();
    assert!(error.to_string().contains("a million nodes"), "{error}");
}

#[test]
fn a_circle_of_names_ends() {
    let circle = [node("Identity", &["b"], "a"), node("Identity", &["a"], "b")];
    assert_eq!(bound(&[&circle[..], &[node("Gather", &["table", "a"], "y")]].concat()), None);
}

#[test]
fn operators_are_counted_in_nested_graphs_and_local_functions() {
    let inner = [nodes(&[node("Relu", &["x"], "y"), node("Relu", &["y"], "z")])].concat();
    let branch = [field(1, b"body"), field(6, &inner)].concat();
    let outer = field(1, &[node("Loop", &[], "l").encode_to_vec(), field(5, &branch)].concat());
    let graph = [outer, of_domain("my", &node("Twice", &["l"], "t"))].concat();
    let body = [
        field(1, b"Twice"),
        field(7, &node("Add", &["x", "x"], "y").encode_to_vec()),
        field(10, b"my"),
    ];
    let function = [vec![0xca, 0x01], field(0, &body.concat())[1..].to_vec()].concat();
    let info = inspect_bytes(&[model(8, 17, &graph), function].concat()).unwrap();
    let found: Vec<_> = info
        .operators
        .iter()
        .map(|o| (o.domain.as_str(), o.op_type.as_str(), o.count, o.is_local))
        .collect();
    let expected = [
        ("", "Relu", 2, false),
        ("", "Add", 1, false),
        ("", "Loop", 1, false),
        ("my", "Twice", 1, true),
    ];
    assert_eq!(found, expected);
    assert_eq!(info.node_count, 2);
}

#[test]
fn two_spellings_of_the_standard_domain_are_one() {
    let relu = node("Relu", &["x"], "y");
    let info = info_of(&[nodes(std::slice::from_ref(&relu)), of_domain("ai.onnx", &relu)]);
    assert_eq!((info.operators.len(), info.operators[0].count), (1, 2));
}

#[test]
fn what_a_stored_shape_makes_is_counted() {
    let fill = |shape: &str| node("ConstantOfShape", &[shape], "w");
    let made = |parts: &[Vec<u8>]| {
        let info = info_of(parts);
        (
            info.constant_bytes - info.weight_bytes - info.attribute_bytes,
            info.largest_constant_bytes,
        )
    };
    let shape = raw_shape("shape", &[3, 5]);
    assert_eq!(made(&[nodes(&[fill("shape")]), shape.clone()]), (60, 60));
    // Through a copy, and from a list in a node.
    let copied = nodes(&[node("Identity", &["shape"], "s"), fill("s")]);
    assert_eq!(made(&[copied, shape.clone()]), (60, 60));
    let mut listed = node("Constant", &[], "s");
    listed.attribute.push(AttributeProto {
        name: Some("value_ints".to_owned()),
        ints: vec![2, 2],
        r#type: Some(ATTRIBUTE_INTS),
        ..AttributeProto::default()
    });
    assert_eq!(made(&[nodes(&[listed, fill("s")])]), (16, 16));
    // No dimensions make one number; an unknown or impossible shape makes nothing.
    assert_eq!(made(&[nodes(&[fill("shape")]), raw_shape("shape", &[])]), (4, 4));
    assert_eq!(made(&[nodes(&[fill("x")]), inputs(&["x"])]), (0, 0));
    assert_eq!(made(&[nodes(&[fill("shape")]), raw_shape("shape", &[-1])]), (0, 8));
    let huge = raw_shape("shape", &[i64::MAX, i64::MAX]);
    assert_eq!(made(&[nodes(&[fill("shape")]), huge]), (0, 16));
}

#[test]
fn a_fill_has_the_size_of_its_value_type() {
    let mut fill = node("ConstantOfShape", &["shape"], "w");
    fill.attribute.push(AttributeProto {
        name: Some("value".to_owned()),
        t: Some(TensorProto {
            dims: vec![1],
            data_type: Some(10),
            int64_data: vec![1],
            ..TensorProto::default()
        }),
        r#type: Some(ATTRIBUTE_TENSOR),
        ..AttributeProto::default()
    });
    let info = info_of(&[nodes(&[fill]), raw_shape("shape", &[10])]);
    assert_eq!(info.constant_bytes - info.weight_bytes, 20);
}

#[test]
fn a_shape_that_a_caller_may_replace_is_not_known() {
    let parts = [
        nodes(&[node("ConstantOfShape", &["shape"], "w")]),
        raw_shape("shape", &[100]),
        inputs(&["shape", "x"]),
    ];
    let info = info_of(&parts);
    assert_eq!(info.constant_bytes, 8);
    assert_eq!(info.overridable_inputs(), ["shape"]);
    let old = inspect_bytes(&model(3, 9, &parts.concat())).unwrap();
    assert_eq!(old.constant_bytes, 8 + 400);
    assert_eq!((old.defaulted_inputs, old.inputs.len()), (vec!["shape".to_owned()], 1));
}

#[test]
fn an_old_model_has_no_inputs_to_replace() {
    let parts = [raw_shape("shape", &[1]), inputs(&["shape"])].concat();
    let old = inspect_bytes(&model(3, 9, &parts)).unwrap();
    assert!(old.overridable_inputs().is_empty() && old.defaulted_inputs == ["shape"]);
}

#[test]
fn weights_that_are_multiplied_are_told_apart_and_counted_once() {
    let graph = nodes(&[
        node("Conv", &["x", "kernel"], "a"),
        node("MatMul", &["a", "matrix"], "b"),
        node("MatMul", &["b", "matrix"], "c"),
        node("LSTM", &["c", "w", "r"], "d"),
        node("MatMul", &["c", "d"], "e"),
        node("Add", &["e", "bias"], "f"),
    ]);
    let weights = [("kernel", 2), ("matrix", 3), ("w", 5), ("r", 7), ("bias", 11)];
    let weights: Vec<u8> = weights.iter().flat_map(|(name, n)| floats(name, &[*n])).collect();
    let info = info_of(&[graph, weights, inputs(&["x"])]);
    assert_eq!((info.convolution_bytes, info.product_bytes), (8, 4 * (3 + 5 + 7)));
}

#[test]
fn lists_that_operators_carry_are_counted() {
    let unpacked = [vec![7 << 3 | 5], vec![0; 4]].concat().repeat(3);
    let packed = field(7, &[0; 8]);
    let texts = field(9, b"word");
    for (list, bytes) in [(unpacked, 12), (packed, 8), (texts, 4)] {
        let forest = field(1, &field(5, &list));
        assert_eq!(info_of(&[forest]).attribute_bytes, bytes);
    }
}

#[test]
fn values_that_are_no_tensors_are_named() {
    let typed = |tag: u8| [field(1, b"x"), field(2, &field(tag, &[]))].concat();
    for (tag, element) in [
        (4, ElementType::Sequence),
        (5, ElementType::Map),
        (8, ElementType::SparseTensor),
        (9, ElementType::Optional),
        (7, ElementType::NotATensor),
    ] {
        let info = info_of(&[field(11, &typed(tag))]);
        assert_eq!((info.inputs[0].element, element.is_tensor()), (element, false));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// A model with every fact in it, changed and cut anywhere, is answered.
    #[test]
    fn any_damage_to_a_graph_is_answered(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let graph = [
            nodes(&[
                with_int(node("Gather", &["table", "ids"], "y"), "axis", 1),
                node("ConstantOfShape", &["shape"], "w"),
                node("Conv", &["y", "w"], "z"),
            ]),
            floats("table", &[7, 3]),
            raw_shape("shape", &[3, 5]),
            outside(&[("location", "w.bin"), ("offset", "4")]),
            inputs(&["ids", "shape"]),
        ];
        let mut bytes = model(8, 17, &graph.concat());
        for (at, byte) in changes {
            let place = at.index(bytes.len());
            bytes[place] = byte;
        }
        for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
            if let Ok(info) = inspect_bytes(bytes) {
                let load = info.load_estimate();
                prop_assert!(load.peak.high() >= load.resident.high());
            }
        }
    }
}
