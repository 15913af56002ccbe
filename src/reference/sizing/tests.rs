//! What inputs are taken for, and what stands in the way.

use super::super::element::ElementType;
use super::super::info::OperatorCount;
use super::*;
use crate::units::Bytes;

fn input(name: &str, element: ElementType, dims: &str) -> Port {
    let dim = |text: &str| match text {
        "?" => Dim::Unknown,
        text => text.parse().map_or_else(|_| Dim::Named(text.to_owned()), Dim::Fixed),
    };
    let dims = match dims {
        "any" => None,
        "" => Some(Vec::new()),
        dims => Some(dims.split(',').map(dim).collect()),
    };
    Port { name: name.to_owned(), element, dims, index_below: None }
}

fn model(inputs: Vec<Port>) -> ModelInfo {
    ModelInfo {
        file_bytes: 0,
        is_ort_format: false,
        ir_version: 8,
        producer: String::new(),
        opsets: vec![],
        inputs,
        defaulted_inputs: vec![],
        outputs: vec![],
        operators: vec![],
        parameters: 0,
        weight_bytes: 0,
        weights: vec![],
        attribute_bytes: 0,
        constant_bytes: 0,
        largest_constant_bytes: 0,
        convolution_bytes: 0,
        product_bytes: 0,
        external_data: false,
        external_files: vec![],
        node_count: 0,
    }
}

#[test]
fn inputs_of_published_models_are_taken_for_what_they_are() {
    use ElementType::{Bool, Float16, Float32, Int32, Int64, Uint8};
    let image = |layout, channels| InputKind::Image { layout, channels };
    for (name, element, dims, kind) in [
        ("images", Float32, "1,3,640,640", image(Layout::Nchw, 3)),
        ("gpu_0/data_0", Float32, "1,3,224,224", image(Layout::Nchw, 3)),
        ("x", Float16, "?,3,?,?", image(Layout::Nchw, 3)),
        ("input_1", Float32, "N,224,224,3", image(Layout::Nhwc, 3)),
        ("image_arrays", Uint8, "?,?,?,3", image(Layout::Nhwc, 3)),
        ("Input3", Float32, "1,1,28,28", image(Layout::Nchw, 1)),
        ("grey", Float32, "1,28,28,1", image(Layout::Nhwc, 1)),
        ("pixel_values", Float32, "batch,num_channels,height,width", image(Layout::Nchw, 3)),
        ("latents", Float32, "1,4,64,64", InputKind::Features),
        ("input_ids", Int64, "batch,sequence", InputKind::TokenIds { below: None }),
        ("token_type_ids", Int64, "batch,sequence", InputKind::TokenIds { below: None }),
        ("attention_mask", Int64, "batch,sequence", InputKind::Mask),
        ("attentionMask", Bool, "1,1,128,128", InputKind::Mask),
        ("past_key_values.0.key", Float32, "b,12,past,64", InputKind::State),
        ("state", Float32, "2,?,128", InputKind::State),
        ("sr", Int64, "", InputKind::Number),
        ("threshold", Float32, "1", InputKind::Number),
        ("waveform", Float32, "batch,samples", InputKind::Audio),
        ("float_input", Float32, "?,4", InputKind::Features),
        ("anything", Float32, "any", InputKind::Features),
        ("counts", Int32, "1,7", InputKind::Integers),
        ("max_new_tokens", Int64, "1", InputKind::Number),
        ("words", ElementType::String, "?", InputKind::Text),
        ("list", ElementType::Sequence, "any", InputKind::NotATensor),
        ("wave", ElementType::Complex64, "1,7", InputKind::Unknown),
    ] {
        assert_eq!(InputKind::of(&input(name, element, dims)), kind, "{name}");
    }
    let mut category = input("x", Int64, "?");
    category.index_below = Some(9);
    assert_eq!(InputKind::of(&category), InputKind::TokenIds { below: Some(9) });
}

#[test]
fn names_are_split_into_words() {
    assert_eq!(kind::words("past_key_values.0.key"), ["past", "key", "values", "key"]);
    assert_eq!(kind::words("attentionMask"), ["attention", "mask"]);
    assert!(kind::words("42_").is_empty());
}

fn shapes(inputs: Vec<Port>) -> Vec<Option<Vec<u64>>> {
    Sizing::of(&model(inputs)).inputs.into_iter().map(|input| input.shape).collect()
}

#[test]
fn open_dimensions_get_usual_sizes() {
    use ElementType::{Float32, Int64};
    let open = |name, element, dims| shapes(vec![input(name, element, dims)]).remove(0);
    assert_eq!(open("x", Float32, "?,3,?,?"), Some(vec![1, 3, 640, 640]));
    assert_eq!(open("x", Float32, "N,?,?,3"), Some(vec![1, 640, 640, 3]));
    assert_eq!(open("image", Float32, "?,?,?,?"), Some(vec![1, 3, 640, 640]));
    assert_eq!(open("ids", Int64, "batch,sequence"), Some(vec![1, 128]));
    assert_eq!(open("ids", Int64, "sequence,batch"), Some(vec![128, 1]));
    assert_eq!(open("audio", Float32, "?,?"), Some(vec![1, 16_000]));
    assert_eq!(open("state", Float32, "2,?,128"), Some(vec![2, 1, 128]));
    assert_eq!(open("x", Float32, "any"), None);
    assert_eq!(open("x", Float32, ""), Some(vec![]));
}

/// A mask over what was and what comes is as long as both, and equal names are equal sizes.
#[test]
fn dimensions_of_one_name_are_equal_and_sums_are_sums() {
    use ElementType::{Float32, Int64};
    let decoder = vec![
        input("input_ids", Int64, "batch,sequence_length"),
        input("attention_mask", Int64, "batch,past_length + sequence_length"),
        input("past.0.key", Float32, "batch,12,past_length,64"),
        input("audio", Float32, "batch,sequence_length"),
    ];
    let expected = [vec![1, 128], vec![1, 256], vec![1, 12, 128, 64], vec![1, 128]].map(Some);
    assert_eq!(shapes(decoder), expected);
}

/// The same where the sum has a name of its own, or none; and what is given decides the rest.
#[test]
fn a_mask_reaches_as_far_as_past_and_present() {
    use ElementType::{Float32, Int64};
    let decoder = |total: &str, past: &str| {
        model(vec![
            input("input_ids", Int64, "batch,sequence_length"),
            input("attention_mask", Int64, total),
            input("past_key_values.0.key", Float32, past),
        ])
    };
    let sized = |info: &ModelInfo, given: &[(&str, u64)]| {
        let sizes = given.iter().map(|(name, size)| ((*name).to_owned(), *size)).collect();
        let sizing = Sizing::given(info, sizes, 1);
        assert!(sizing.contradictions.is_empty(), "{:?}", sizing.contradictions);
        let last = |i: usize, axis: usize| sizing.inputs[i].shape.as_ref().unwrap()[axis];
        (last(0, 1), last(1, 1), last(2, 2))
    };
    let named = decoder("batch,total_sequence_length", "batch,2,past_sequence_length,4");
    assert_eq!(sized(&named, &[]), (128, 256, 128));
    assert_eq!(sized(&named, &[("past_sequence_length", 7)]), (128, 135, 7));
    assert_eq!(sized(&named, &[("total_sequence_length", 300)]), (128, 300, 172));
    let given = [("total_sequence_length", 300), ("past_sequence_length", 299)];
    assert_eq!(sized(&named, &given), (1, 300, 299));
    let nameless = decoder("?,?", "?,2,?,4");
    let (now, mask, past) = sized(&nameless, &[]);
    assert_eq!(mask, now + past);
    let sum = decoder("batch,past + sequence_length", "batch,2,past,4");
    assert_eq!(sized(&sum, &[("past + sequence_length", 9)]), (8, 9, 1));
    let all = [("past + sequence_length", 9), ("past", 3), ("sequence_length", 2)];
    let given = all.iter().map(|(name, size)| ((*name).to_owned(), *size)).collect();
    let wrong = Sizing::given(&sum, given, 1).contradictions;
    assert_eq!(wrong, ["past + sequence_length is 3 + 2 = 5, and was given as 9"]);
}

#[test]
fn only_more_than_a_batch_has_to_be_given() {
    let sized = |dims| Sizing::of(&model(vec![input("x", ElementType::Float32, dims)]));
    assert!(sized("?,3,224,224").inputs[0].is_complete());
    assert!(!sized("?,3,?,224").inputs[0].is_complete());
    assert!(!sized("any").inputs[0].is_complete());
    let open = &sized("?,3,height,224").inputs[0].open;
    let name = Some("height".to_owned());
    let height = OpenDimension { axis: 2, name, assumed: 640, follows: false };
    assert_eq!((open.len(), &open[1]), (2, &height));
}

#[test]
fn what_stands_in_the_way_is_named() {
    let mut info = model(vec![
        input("words", ElementType::String, "?"),
        input("list", ElementType::Map, "any"),
        input("x", ElementType::Float32, "1,3"),
    ]);
    let operator = |domain: &str, op_type: &str, is_local| OperatorCount {
        domain: domain.to_owned(),
        op_type: op_type.to_owned(),
        count: 1,
        is_local,
    };
    info.operators = vec![
        operator("", "Relu", false),
        operator("com.microsoft", "Gelu", false),
        operator("ai.onnx.ml", "TreeEnsembleClassifier", false),
        operator("mine", "Twice", true),
        operator("ai.onnx.contrib", "Z", false),
        operator("ai.onnx.contrib", "BertTokenizer", false),
    ];
    let external = |state| ExternalFile {
        location: "w.bin".to_owned(),
        path: "m/w.bin".into(),
        needed_bytes: 16,
        state,
    };
    info.external_files =
        vec![external(ExternalState::Present { bytes: 16 }), external(ExternalState::Missing)];
    let sizing = Sizing::of(&info);
    let codes: Vec<_> = sizing.obstacles.iter().map(Obstacle::code).collect();
    assert_eq!(codes, ["text_input", "unmade_input", "unknown_domain", "external_data"]);
    assert!(!sizing.can_be_sized());
    let texts: Vec<_> = sizing.obstacles.iter().map(Obstacle::to_string).collect();
    assert!(texts[1].contains("`list` is of the type map"), "{}", texts[1]);
    assert!(texts[2].contains("(BertTokenizer, Z)"), "{}", texts[2]);
    assert!(texts[3].contains("m/w.bin, which does not exist"), "{}", texts[3]);
    assert!(Sizing::of(&model(vec![])).can_be_sized());
}

/// What loading took in ONNX Runtime 1.31.1 with one thread: name; nodes, and MiB of constants, of
/// convolutions and of the largest constant; MiB held, and at the peak. Published files, two of
/// this tool's own, and an embedding with twelve layers of matrix products.
const LOADED: &[(&str, [f64; 4], f64, f64)] = &[
    ("silero_vad", [689.0, 2.1, 1.1, 0.3], 44.8, 44.8),
    ("silero_vad_16k_sequence", [63.0, 1.2, 0.7, 0.3], 32.2, 32.2),
    ("silero_vad_op18_ifless", [90.0, 2.1, 1.1, 0.3], 35.8, 35.8),
    ("silero_vad_openvino_16k", [167.0, 1.2, 0.7, 0.3], 34.1, 34.1),
    ("silero_vad_half", [325.0, 1.2, 0.7, 0.3], 36.8, 36.8),
    ("silero_vad_16k_op15", [350.0, 1.2, 0.7, 0.3], 37.0, 37.0),
    ("light_zfnet512", [38.0, 332.8, 24.9, 288.0], 354.0, 642.0),
    ("light_squeezenet", [105.0, 4.7, 4.7, 2.0], 35.2, 43.7),
    ("light_resnet50", [415.0, 97.7, 89.5, 9.0], 263.7, 293.6),
    ("light_shufflenet", [446.0, 5.4, 3.1, 2.1], 38.4, 40.3),
    ("light_bvlc_alexnet", [40.0, 232.6, 8.9, 144.0], 269.1, 412.9),
    ("light_inception_v1", [237.0, 26.7, 22.8, 3.9], 84.9, 88.6),
    ("light_inception_v2", [916.0, 42.9, 38.7, 3.9], 136.2, 139.8),
    ("light_densenet121", [1746.0, 31.1, 30.1, 3.9], 92.4, 110.4),
    ("light_vgg19", [82.0, 548.0, 76.4, 392.0], 520.4, 912.4),
    ("magika", [95.0, 3.0, 2.5, 2.5], 43.3, 43.3),
    ("ch_ppocr_mobile_v2.0_cls_infer", [566.0, 0.5, 0.5, 0.0], 32.7, 32.7),
    ("ch_PP-OCRv4_rec_infer", [860.0, 10.3, 6.3, 3.0], 58.2, 58.2),
    ("ch_PP-OCRv4_det_infer", [672.0, 4.5, 4.4, 0.6], 44.1, 44.1),
    ("320n", [323.0, 11.5, 11.5, 1.1], 59.8, 59.8),
    ("resnet18", [56.0, 42.6, 42.6, 9.0], 146.8, 159.9),
    ("resnet50", [129.0, 89.6, 89.5, 9.0], 255.0, 263.6),
    ("12 layers of products", [74.0, 413.4, 0.0, 89.4], 499.5, 532.2),
    ("the same, kept outside", [74.0, 413.4, 0.0, 89.4], 354.2, 362.9),
    ("the same in int8", [362.0, 170.4, 0.0, 89.4], 258.1, 290.3),
];

#[test]
fn the_estimate_covers_what_was_seen() {
    const MIB: f64 = 1_048_576.0;
    for &(name, facts, held, peak) in LOADED {
        let [nodes, constants, convolutions, largest] = facts;
        let whole = |number: f64| Bytes::from_f64(number).get();
        let bytes = |mib: f64| whole(mib * MIB);
        let mut info = model(vec![]);
        info.operators = vec![OperatorCount {
            domain: String::new(),
            op_type: String::new(),
            count: whole(nodes),
            is_local: false,
        }];
        info.constant_bytes = bytes(constants);
        info.convolution_bytes = bytes(convolutions);
        info.largest_constant_bytes = bytes(largest);
        let load = info.load_estimate();
        let within =
            |low: Bytes, seen: f64, high: Bytes| low.as_mib() <= seen && seen <= high.as_mib();
        assert!(within(load.resident.low(), held, load.resident.high()), "{name}: {load:?}");
        assert!(within(load.peak.low(), peak, load.peak.high()), "{name}: {load:?}");
    }
}
