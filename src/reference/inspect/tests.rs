//! Files that are models, nearly models, and no models at all.

use std::fs;
use std::io::BufWriter;

use proptest::prelude::*;
use prost::Message;

use super::super::onnx::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TensorTypeProto, TypeProto,
};
use super::super::{Architecture, Reference};
use super::*;

mod beside;
mod facts;

/// A length-delimited field.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    prost::encode_length_delimiter(content.len(), &mut bytes).unwrap();
    bytes.extend(content);
    bytes
}

/// A tensor with `raw` bytes of values.
fn tensor(name: &str, code: i32, dims: &[i64], raw: usize) -> Vec<u8> {
    let head = TensorProto {
        dims: dims.to_vec(),
        data_type: Some(code),
        name: Some(name.to_owned()),
        ..TensorProto::default()
    };
    [head.encode_to_vec(), field(9, &vec![7; raw])].concat()
}

fn port(name: &str, dims: Option<Vec<DimensionProto>>) -> ValueInfoProto {
    let shape = dims.map(|dim| TensorShapeProto { dim });
    let tensor_type = Some(TensorTypeProto { elem_type: Some(1), shape });
    ValueInfoProto { name: Some(name.to_owned()), r#type: tensor_type.map(TypeProto::tensor) }
}

/// A model around a graph, in the order in which exporters write it.
fn model(ir_version: i64, opset: i64, graph: &[u8]) -> Vec<u8> {
    let head = ModelProto {
        ir_version: Some(ir_version),
        producer_name: Some("exporter".to_owned()),
        ..ModelProto::default()
    };
    let tail = ModelProto {
        opset_import: vec![OperatorSetIdProto { domain: None, version: Some(opset) }],
        ..ModelProto::default()
    };
    [head.encode_to_vec(), field(7, graph), tail.encode_to_vec()].concat()
}

/// A graph with a weight that is listed as an input too, a constant and every kind of dimension.
fn graph() -> Vec<u8> {
    let dim = |dim_value, dim_param: Option<&str>| DimensionProto {
        dim_value,
        dim_param: dim_param.map(str::to_owned),
    };
    let dims = vec![
        dim(None, Some("batch")),
        dim(Some(3), None),
        dim(None, None),
        dim(Some(-1), None),
        dim(None, Some("")),
    ];
    let small = GraphProto {
        node: vec![NodeProto { op_type: Some("Conv".to_owned()), ..NodeProto::default() }],
        name: Some("g".to_owned()),
        input: vec![port("image", Some(dims)), port("w", None), port("any", None)],
        output: vec![ValueInfoProto { name: Some("list".to_owned()), r#type: None }],
    };
    let constant = field(1, &field(5, &field(5, &tensor("", 7, &[4], 32))));
    [small.encode_to_vec(), field(5, &tensor("w", 1, &[8, 3, 3], 288)), constant].concat()
}

fn inspect_bytes(bytes: &[u8]) -> Result<ModelInfo, InspectError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.onnx");
    fs::write(&path, bytes).unwrap();
    inspect(&path)
}

fn port_of(name: &str, dims: Option<Vec<Dim>>) -> Port {
    Port { name: name.to_owned(), element: ElementType::Float32, dims, index_below: None }
}

#[test]
fn a_model_is_described() {
    let bytes = model(8, 17, &graph());
    let info = inspect_bytes(&bytes).unwrap();
    let named = Dim::Named("batch".to_owned());
    let dims = vec![named, Dim::Fixed(3), Dim::Unknown, Dim::Unknown, Dim::Unknown];
    let list = Port {
        name: "list".to_owned(),
        element: ElementType::NotATensor,
        dims: None,
        index_below: None,
    };
    let operator = |name: &str| OperatorCount {
        domain: String::new(),
        op_type: name.to_owned(),
        count: 1,
        is_local: false,
    };
    let of = |element, elements, bytes| TypeWeights { element, elements, bytes };
    let expected = ModelInfo {
        is_ort_format: false,
        file_bytes: bytes.len() as u64,
        ir_version: 8,
        producer: "exporter".to_owned(),
        opsets: vec![(String::new(), 17)],
        inputs: vec![port_of("image", Some(dims)), port_of("any", None)],
        defaulted_inputs: vec!["w".to_owned()],
        outputs: vec![list],
        operators: vec![operator(""), operator("Conv")],
        parameters: 72,
        weight_bytes: 288 + 32,
        weights: vec![of(ElementType::Float32, 72, 288), of(ElementType::Int64, 4, 32)],
        attribute_bytes: 0,
        constant_bytes: 320,
        largest_constant_bytes: 288,
        convolution_bytes: 0,
        product_bytes: 0,
        external_data: false,
        external_files: vec![],
        node_count: 2,
    };
    assert_eq!(info, expected);
}

#[test]
fn every_reference_model_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    for architecture in Architecture::ALL {
        let reference = Reference::new(architecture, 5, 1).unwrap();
        let path = folder.path().join(reference.file_name());
        let mut file = BufWriter::new(File::create(&path).unwrap());
        reference.write_to(&mut file).unwrap();
        drop(file);
        let info = inspect(&path).unwrap();
        let fixed = |dims: &[i64]| Some(dims.iter().map(|&d| Dim::Fixed(d)).collect());
        assert_eq!(fs::metadata(&path).unwrap().len(), reference.file_bytes());
        let (size, constants, outputs) = if reference.input_name() == "input" {
            (224, 0, [port_of("logits", fixed(&[1, 5])), port_of("cam", fixed(&[1, 7, 7]))])
        } else {
            let found = port_of("output0", fixed(&[1, 41, 8400]));
            // Anchors and their strides, 16 steps, and four scales twice.
            let constants = 3 * 8400 + 16 + 2 * 4;
            (640, constants, [found, port_of("output1", fixed(&[1, 32, 160, 160]))])
        };
        assert_eq!(info.parameters, reference.parameters() + constants);
        assert!(info.weight_bytes - 4 * info.parameters < 1000, "{info:?}");
        assert_eq!(info.inputs, [port_of(reference.input_name(), fixed(&[1, 3, size, size]))]);
        assert_eq!(info.outputs, outputs);
        assert_eq!(info.opsets, [(String::new(), 17)]);
        assert_eq!((info.producer.as_str(), info.ir_version), ("mediscope-size", 8));
        assert!(!info.external_data);
    }
}

#[test]
fn weights_in_branches_count_and_their_names_hide_nothing() {
    let branch = field(5, &tensor("image", 1, &[10], 40));
    let with_branch = [graph(), field(1, &field(5, &field(6, &branch)))].concat();
    let info = inspect_bytes(&model(8, 17, &with_branch)).unwrap();
    assert_eq!((info.parameters, info.weight_bytes), (82, 360));
    assert_eq!((info.inputs.len(), info.node_count), (2, 3));
}

#[test]
fn weights_in_other_files_are_counted_and_told() {
    let mut outside = tensor("w2", 10, &[1000, 1000], 0);
    outside.truncate(outside.len() - 2);
    outside.extend([14 << 3, 1]);
    let info = inspect_bytes(&model(8, 17, &field(5, &outside))).unwrap();
    assert!(info.external_data);
    assert_eq!((info.parameters, info.weight_bytes), (1_000_000, 2_000_000));
}

#[test]
fn packed_dimensions_single_numbers_and_unknown_types_are_read() {
    let packed = [field(1, &[2, 3]), vec![2 << 3, 1], field(9, &[0; 24])].concat();
    let single = tensor("epsilon", 1, &[], 4);
    let unknown = tensor("new", 99, &[5], 11);
    let graph = [field(5, &packed), field(5, &single), field(5, &unknown)].concat();
    let info = inspect_bytes(&model(8, 17, &graph)).unwrap();
    assert_eq!((info.parameters, info.weight_bytes), (6 + 5, 24 + 4 + 11));
}

#[test]
fn newer_models_are_refused_and_the_newest_are_not() {
    assert!(inspect_bytes(&model(NEWEST_IR, NEWEST_OPSET, &graph())).is_ok());
    let error = inspect_bytes(&model(8, NEWEST_OPSET + 1, &graph())).unwrap_err();
    assert!(matches!(error, InspectError::OpsetTooNew { version: 27, .. }), "{error}");
    assert!(error.to_string().ends_with("export it again with opset 26 or lower"), "{error}");
    let error = inspect_bytes(&model(NEWEST_IR + 1, 17, &graph())).unwrap_err();
    assert!(matches!(error, InspectError::FormatTooNew { version: 14, .. }), "{error}");
}

#[test]
fn an_operator_set_of_another_domain_may_be_any_version() {
    let other = OperatorSetIdProto { domain: Some("com.example".to_owned()), version: Some(99) };
    let bytes = [model(8, 17, &graph()), field(8, &other.encode_to_vec())].concat();
    assert!(inspect_bytes(&bytes).is_ok());
    let alias = OperatorSetIdProto { domain: Some("ai.onnx".to_owned()), version: Some(99) };
    let bytes = [model(8, 17, &graph()), field(8, &alias.encode_to_vec())].concat();
    assert!(matches!(inspect_bytes(&bytes), Err(InspectError::OpsetTooNew { version: 99, .. })));
}

#[test]
fn what_is_no_model_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = inspect(&folder.path().join("no.onnx")).unwrap_err();
    assert!(matches!(missing, InspectError::Missing { .. }), "{missing}");
    assert!(missing.to_string().contains("no.onnx"), "{missing}");
    assert!(matches!(inspect(folder.path()), Err(InspectError::Folder { .. })));
    assert!(matches!(inspect_bytes(b""), Err(InspectError::Empty { .. })));
    #[cfg(unix)]
    assert!(matches!(inspect(Path::new("/dev/null")), Err(InspectError::NotAFile { .. })));
    let below_a_file = folder.path().join("file");
    fs::write(&below_a_file, "x").unwrap();
    #[cfg(unix)]
    assert!(matches!(inspect(&below_a_file.join("m.onnx")), Err(InspectError::Unreadable { .. })));
}

#[test]
fn other_formats_are_not_onnx() {
    let attribute = AttributeProto::default().encode_to_vec();
    let others: [&[u8]; 9] = [
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
        b"<!DOCTYPE html><html></html>",
        b"PK\x03\x04\x00\x00\x08\x08",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR",
        b"{\"a\": 1}",
        b"\x1c\x00\x00\x00TFL3",
        b"\x08\x08",
        b"\0",
        &field(7, &attribute),
    ];
    for bytes in others {
        let error = inspect_bytes(bytes).unwrap_err();
        assert!(matches!(error, InspectError::NotOnnx { .. }), "{bytes:?}: {error}");
    }
}

#[test]
fn lies_about_weights_are_refused() {
    let lies = [
        tensor("w", 1, &[8], 31),
        tensor("w", 1, &[-8], 32),
        tensor("w", 1, &[i64::MAX, 3], 32),
        tensor("w", 1, &[8], 32).repeat(2),
    ];
    for lie in lies {
        let error = inspect_bytes(&model(8, 17, &field(5, &lie))).unwrap_err();
        assert!(matches!(error, InspectError::Damaged { .. }), "{error}");
    }
}

#[test]
fn graphs_without_end_are_refused() {
    let nested = (0..1000).fold(Vec::new(), |inner, _| field(1, &field(5, &field(6, &inner))));
    let error = inspect_bytes(&model(8, 17, &nested)).unwrap_err();
    assert!(error.to_string().contains("nested too deeply"), "{error}");
}

#[test]
fn a_model_without_operator_sets_is_damaged_unless_it_is_very_old() {
    let bare = |ir_version| [vec![1 << 3, ir_version], field(7, &graph())].concat();
    assert!(matches!(inspect_bytes(&bare(3)), Err(InspectError::Damaged { .. })));
    assert!(inspect_bytes(&bare(2)).is_ok());
}

#[test]
fn a_file_that_is_cut_anywhere_is_refused() {
    let whole = model(8, 17, &graph());
    for part in 0..50 {
        let error = inspect_bytes(&whole[..whole.len() * part / 50]).unwrap_err();
        assert!(matches!(error, InspectError::Truncated { .. }) || part == 0, "{part}/50: {error}");
    }
    let error = inspect_bytes(&whole[..100]).unwrap_err();
    let InspectError::Truncated { missing, .. } = error else { panic!("{error}") };
    let opset = 4;
    assert_eq!(missing, whole.len() as u64 - 100 - opset);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        let _ = inspect_bytes(&bytes);
    }

    #[test]
    fn any_damage_is_answered(at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>()) {
        let mut bytes = model(8, 17, &graph());
        let place = at.index(bytes.len());
        bytes[place] = byte;
        let _ = inspect_bytes(&bytes);
        let _ = inspect_bytes(&bytes[..cut.index(bytes.len())]);
    }
}
