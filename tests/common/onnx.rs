//! Models of a few hundred bytes, made by the tests: graphs of one or two nodes with inputs of any
//! type. The messages and field numbers are those of `onnx.proto`; what no test needs is left out.

use std::fs;
use std::path::Path;

use prost::Message;

/// Codes of `TensorProto.DataType`.
pub const FLOAT: i32 = 1;
pub const UINT8: i32 = 2;
pub const INT8: i32 = 3;
pub const INT32: i32 = 6;
pub const INT64: i32 = 7;
pub const STRING: i32 = 8;
pub const BOOL: i32 = 9;
pub const FLOAT16: i32 = 10;
pub const DOUBLE: i32 = 11;
pub const BFLOAT16: i32 = 16;

#[derive(Clone, PartialEq, Message)]
pub struct Model {
    #[prost(int64, tag = "1")]
    pub ir_version: i64,
    #[prost(message, optional, tag = "7")]
    pub graph: Option<Graph>,
    #[prost(message, repeated, tag = "8")]
    pub opset_import: Vec<Opset>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Opset {
    #[prost(string, tag = "1")]
    pub domain: String,
    #[prost(int64, tag = "2")]
    pub version: i64,
}

#[derive(Clone, PartialEq, Message)]
pub struct Graph {
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<Node>,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(message, repeated, tag = "5")]
    pub initializer: Vec<Tensor>,
    #[prost(message, repeated, tag = "11")]
    pub input: Vec<Value>,
    #[prost(message, repeated, tag = "12")]
    pub output: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Node {
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    #[prost(string, tag = "4")]
    pub op_type: String,
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<Attribute>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Attribute {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(int64, optional, tag = "3")]
    pub i: Option<i64>,
    #[prost(int64, repeated, packed = "false", tag = "8")]
    pub ints: Vec<i64>,
    #[prost(int32, tag = "20")]
    pub kind: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct Tensor {
    #[prost(int64, repeated, tag = "1")]
    pub dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    pub data_type: i32,
    #[prost(string, tag = "8")]
    pub name: String,
    #[prost(bytes, optional, tag = "9")]
    pub raw_data: Option<Vec<u8>>,
    #[prost(message, repeated, tag = "13")]
    pub external_data: Vec<Entry>,
    #[prost(int32, optional, tag = "14")]
    pub data_location: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Entry {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(string, tag = "2")]
    pub value: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Value {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, optional, tag = "2")]
    pub kind: Option<Kind>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Kind {
    #[prost(message, optional, tag = "1")]
    pub tensor: Option<TensorKind>,
}

#[derive(Clone, PartialEq, Message)]
pub struct TensorKind {
    #[prost(int32, tag = "1")]
    pub elem_type: i32,
    #[prost(message, optional, tag = "2")]
    pub shape: Option<Shape>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Shape {
    #[prost(message, repeated, tag = "1")]
    pub dim: Vec<Dim>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Dim {
    #[prost(int64, optional, tag = "1")]
    pub value: Option<i64>,
    #[prost(string, optional, tag = "2")]
    pub name: Option<String>,
}

/// An input or output. A dimension is a number, a name, or `?` for one without a name.
pub fn value(name: &str, elem_type: i32, dims: &[&str]) -> Value {
    let dim = dims
        .iter()
        .map(|d| match d.parse() {
            Ok(size) => Dim { value: Some(size), name: None },
            Err(_) if *d == "?" => Dim { value: None, name: None },
            Err(_) => Dim { value: None, name: Some((*d).to_owned()) },
        })
        .collect();
    let tensor = Some(TensorKind { elem_type, shape: Some(Shape { dim }) });
    Value { name: name.to_owned(), kind: Some(Kind { tensor }) }
}

/// A node without attributes.
pub fn node(op_type: &str, input: &[&str], output: &str) -> Node {
    Node {
        input: input.iter().map(|i| (*i).to_owned()).collect(),
        output: vec![output.to_owned()],
        op_type: op_type.to_owned(),
        attribute: Vec::new(),
    }
}

/// A whole-number attribute.
pub fn with(mut node: Node, name: &str, i: i64) -> Node {
    node.attribute.push(Attribute { name: name.to_owned(), i: Some(i), ints: Vec::new(), kind: 2 });
    node
}

/// An attribute of several whole numbers.
pub fn with_list(mut node: Node, name: &str, ints: &[i64]) -> Node {
    let ints = ints.to_vec();
    node.attribute.push(Attribute { name: name.to_owned(), i: None, ints, kind: 7 });
    node
}

/// A weight whose bytes are in the file.
pub fn weight(name: &str, data_type: i32, dims: &[i64], raw: Vec<u8>) -> Tensor {
    Tensor {
        dims: dims.to_vec(),
        data_type,
        name: name.to_owned(),
        raw_data: Some(raw),
        ..Tensor::default()
    }
}

/// A weight whose bytes are all of another file.
pub fn external(name: &str, data_type: i32, dims: &[i64], file: &str) -> Tensor {
    Tensor {
        raw_data: None,
        external_data: vec![Entry { key: "location".to_owned(), value: file.to_owned() }],
        data_location: Some(1),
        ..weight(name, data_type, dims, Vec::new())
    }
}

/// A model of operator set 17.
pub fn model(
    node: Vec<Node>,
    input: Vec<Value>,
    output: Vec<Value>,
    initializer: Vec<Tensor>,
) -> Model {
    let graph = Graph { node, name: "made".to_owned(), initializer, input, output };
    let opset = Opset { domain: String::new(), version: 17 };
    Model { ir_version: 8, graph: Some(graph), opset_import: vec![opset] }
}

/// A model that answers each input with itself.
pub fn echo(inputs: &[(&str, i32, &[&str])]) -> Model {
    let outputs: Vec<String> = inputs.iter().map(|(name, ..)| format!("{name}_out")).collect();
    model(
        inputs
            .iter()
            .zip(&outputs)
            .map(|((name, ..), out)| node("Identity", &[name], out))
            .collect(),
        inputs.iter().map(|(name, kind, dims)| value(name, *kind, dims)).collect(),
        inputs.iter().zip(&outputs).map(|((_, kind, dims), out)| value(out, *kind, dims)).collect(),
        Vec::new(),
    )
}

/// Writes it and says where.
pub fn write(folder: &Path, model: &Model) -> String {
    let path = folder.join("m.onnx");
    fs::write(&path, model.encode_to_vec()).unwrap();
    path.to_str().unwrap().to_owned()
}
