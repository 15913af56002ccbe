use super::*;
use crate::profile::Shape;
use crate::reference::ElementType;

fn port(name: &str, element: ElementType, dims: &[&str]) -> Port {
    let dim = |text: &&str| match text.parse() {
        Ok(size) => Dim::Fixed(size),
        Err(_) if *text == "?" => Dim::Unknown,
        Err(_) => Dim::Named((*text).to_owned()),
    };
    Port {
        name: name.to_owned(),
        element,
        dims: Some(dims.iter().map(dim).collect()),
        index_below: None,
    }
}

fn settled(ports: Vec<Port>, given: &[(Option<&str>, &[i64])]) -> Result<Fed, String> {
    let info = ModelInfo { inputs: ports, ..ModelInfo::default() };
    let mut inputs = Inputs::default();
    for (name, dims) in given {
        let shape = Shape::try_from(dims.to_vec()).unwrap();
        inputs.add(Input { name: name.map(str::to_owned), given: Given::Shape(shape) }).unwrap();
    }
    settle(Path::new("m.onnx"), &info, &inputs, 1).map_err(|e| e.to_string())
}

fn shapes(fed: &Fed) -> Vec<Vec<usize>> {
    fed.inputs.iter().map(|i| i.shape.clone()).collect()
}

fn text_model() -> Vec<Port> {
    vec![
        port("input_ids", ElementType::Int64, &["batch", "sequence"]),
        port("attention_mask", ElementType::Int64, &["batch", "sequence"]),
        port("past", ElementType::Float32, &["batch", "12", "past_length", "64"]),
        port("bias", ElementType::Float32, &["batch", "past_length + sequence"]),
    ]
}

#[test]
fn a_fixed_shape_is_taken_as_it_is() {
    let fed = settled(vec![port("x", ElementType::Float32, &["2", "3", "64", "32"])], &[]).unwrap();
    assert_eq!(shapes(&fed), [[2, 3, 64, 32]]);
    assert!(fed.assumed.is_empty());
}

#[test]
fn what_is_open_is_assumed_once_for_each_name_and_said() {
    let fed = settled(text_model(), &[]).unwrap();
    assert_eq!(shapes(&fed), [vec![1, 128], vec![1, 128], vec![1, 12, 128, 64], vec![1, 256]]);
    assert_eq!(fed.assumed, ["input_ids: sequence = 128", "past: past_length = 128"]);
}

#[test]
fn a_shape_that_is_given_names_the_dimensions_of_other_inputs() {
    let fed = settled(text_model(), &[(Some("attention_mask"), &[4, 32])]).unwrap();
    assert_eq!(shapes(&fed)[..2], [vec![4, 32], vec![4, 32]]);
    assert_eq!(fed.assumed, ["past: past_length = 128"]);
}

#[test]
fn a_shape_without_a_name_is_for_the_only_open_input() {
    let ports = || {
        vec![
            port("state", ElementType::Float32, &["2", "1", "128"]),
            port("sound", ElementType::Float32, &["1", "?"]),
        ]
    };
    let fed = settled(ports(), &[(None, &[1, 512])]).unwrap();
    assert_eq!(shapes(&fed), [vec![2, 1, 128], vec![1, 512]]);
    let both = settled(text_model(), &[(None, &[1, 512])]).unwrap_err();
    assert!(both.contains("`input_ids`, `attention_mask`") && both.contains("NAME="), "{both}");
}

#[test]
fn what_contradicts_the_model_is_refused() {
    let images = || vec![port("images", ElementType::Float32, &["?", "3", "?", "?"])];
    let wrong = settled(images(), &[(None, &[1, 4, 64, 64])]).unwrap_err();
    assert!(wrong.contains("1×4×64×64") && wrong.contains("?×3×?×?"), "{wrong}");
    let unknown = settled(images(), &[(Some("image"), &[1, 3, 64, 64])]).unwrap_err();
    assert!(unknown.contains("no input `image`") && unknown.contains("`images`"), "{unknown}");
    let huge = settled(images(), &[(None, &[1, 3, 100_000, 100_000])]).unwrap_err();
    assert!(huge.contains("300 million"), "{huge}");
    let text = settled(vec![port("words", ElementType::String, &["?"])], &[]).unwrap_err();
    assert!(text.contains("`words` is text"), "{text}");
    let shapeless = Port { dims: None, ..port("x", ElementType::Float32, &[]) };
    assert!(settled(vec![shapeless], &[]).unwrap_err().contains("--shape x="));
}

#[test]
fn an_array_gives_its_shape_and_must_be_of_the_type() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ids.npy");
    let mut bytes = b"\x93NUMPY\x01\x00\x46\x00".to_vec();
    let header = "{'descr': '<i8', 'fortran_order': False, 'shape': (1, 2), }";
    bytes.extend(format!("{header:<69}\n").bytes());
    bytes.extend([0; 16]);
    std::fs::write(&file, bytes).unwrap();
    let with_file = |element| {
        let info = ModelInfo {
            inputs: vec![port("ids", element, &["1", "n"]), port("mask", element, &["1", "n"])],
            ..ModelInfo::default()
        };
        let mut inputs = Inputs::default();
        let given = Given::File(file.clone());
        inputs.add(Input { name: Some("ids".into()), given }).unwrap();
        settle(Path::new("m.onnx"), &info, &inputs, 1).map_err(|e| e.to_string())
    };
    let fed = with_file(ElementType::Int64).unwrap();
    assert_eq!(shapes(&fed), [[1, 2], [1, 2]]);
    assert_eq!(fed.inputs[0].content, Content::File(file.clone()));
    let other = with_file(ElementType::Int32).unwrap_err();
    assert!(other.contains("holds int64") && other.contains("astype(\"int32\")"), "{other}");
}

#[test]
fn a_batch_fills_the_first_dimension_that_is_open() {
    let with_batch = |ports: Vec<Port>, batch| {
        let info = ModelInfo { inputs: ports, ..ModelInfo::default() };
        settle(Path::new("m.onnx"), &info, &Inputs::default(), batch).map_err(|e| e.to_string())
    };
    let image = || port("images", ElementType::Float32, &["?", "3", "64", "64"]);
    let four = with_batch(vec![image()], 4).unwrap();
    assert_eq!(shapes(&four), [[4, 3, 64, 64]]);
    assert!(four.assumed.is_empty());
    let text = with_batch(text_model(), 2).unwrap();
    assert_eq!(shapes(&text)[2], [2, 12, 128, 64]);
    let fixed = port("images", ElementType::Float32, &["1", "3", "64", "64"]);
    let refused = with_batch(vec![fixed], 4).unwrap_err();
    assert!(refused.contains("batch of 4"), "{refused}");
}
