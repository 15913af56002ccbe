//! The few ONNX messages that are written or read whole, declared by hand.
//!
//! Field numbers are those of `onnx.proto`; fields that this tool neither writes nor reads are left
//! out, and prost skips them. Deriving on a dozen structs spares a build-time protobuf compiler.
//! `GraphProto.initializer` and `TensorProto.raw_data` of weights are written by `writer` instead,
//! piece by piece, so that no weight is held in memory.

/// A whole file, without its graph: `writer` appends that.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ModelProto {
    #[prost(int64, optional, tag = "1")]
    pub ir_version: Option<i64>,
    #[prost(string, optional, tag = "2")]
    pub producer_name: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub producer_version: Option<String>,
    #[prost(string, optional, tag = "6")]
    pub doc_string: Option<String>,
    #[prost(message, repeated, tag = "8")]
    pub opset_import: Vec<OperatorSetIdProto>,
    #[prost(message, repeated, tag = "14")]
    pub metadata_props: Vec<StringStringEntryProto>,
}

/// Which version of which operator set a model uses; the empty domain is `ai.onnx`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct OperatorSetIdProto {
    #[prost(string, optional, tag = "1")]
    pub domain: Option<String>,
    #[prost(int64, optional, tag = "2")]
    pub version: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StringStringEntryProto {
    #[prost(string, optional, tag = "1")]
    pub key: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub value: Option<String>,
}

/// A graph without its initializers.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct GraphProto {
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<NodeProto>,
    #[prost(string, optional, tag = "2")]
    pub name: Option<String>,
    #[prost(message, repeated, tag = "11")]
    pub input: Vec<ValueInfoProto>,
    #[prost(message, repeated, tag = "12")]
    pub output: Vec<ValueInfoProto>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct NodeProto {
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    #[prost(string, optional, tag = "3")]
    pub name: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub op_type: Option<String>,
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<AttributeProto>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct AttributeProto {
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    #[prost(int64, optional, tag = "3")]
    pub i: Option<i64>,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub s: Option<Vec<u8>>,
    #[prost(message, optional, tag = "5")]
    pub t: Option<TensorProto>,
    #[prost(int64, repeated, packed = "false", tag = "8")]
    pub ints: Vec<i64>,
    /// One of the `ATTRIBUTE_` codes.
    #[prost(int32, optional, tag = "20")]
    pub r#type: Option<i32>,
}

/// `AttributeProto.AttributeType` of a single integer.
pub(super) const ATTRIBUTE_INT: i32 = 2;
/// `AttributeProto.AttributeType` of a text.
pub(super) const ATTRIBUTE_STRING: i32 = 3;
/// `AttributeProto.AttributeType` of a tensor.
pub(super) const ATTRIBUTE_TENSOR: i32 = 4;
/// `AttributeProto.AttributeType` of a list of integers.
pub(super) const ATTRIBUTE_INTS: i32 = 7;

/// A small constant, or the head of a weight: all of it but the values.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TensorProto {
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub dims: Vec<i64>,
    /// One of the `TENSOR_` codes.
    #[prost(int32, optional, tag = "2")]
    pub data_type: Option<i32>,
    #[prost(float, repeated, tag = "4")]
    pub float_data: Vec<f32>,
    #[prost(int64, repeated, tag = "7")]
    pub int64_data: Vec<i64>,
    #[prost(string, optional, tag = "8")]
    pub name: Option<String>,
}

/// `TensorProto.DataType` of a 32-bit float.
pub(super) const TENSOR_FLOAT: i32 = 1;
/// `TensorProto.DataType` of a 64-bit integer.
pub(super) const TENSOR_INT64: i32 = 7;

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ValueInfoProto {
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub r#type: Option<TypeProto>,
}

/// What a value is; a `oneof` on paper. Of what is not a tensor only the kind is read.
#[derive(Clone, PartialEq, prost::Message)]
#[expect(clippy::struct_field_names, reason = "the names are those of `onnx.proto`")]
pub(super) struct TypeProto {
    #[prost(message, optional, tag = "1")]
    pub tensor_type: Option<TensorTypeProto>,
    #[prost(message, optional, tag = "4")]
    pub sequence_type: Option<()>,
    #[prost(message, optional, tag = "5")]
    pub map_type: Option<()>,
    #[prost(message, optional, tag = "8")]
    pub sparse_tensor_type: Option<()>,
    #[prost(message, optional, tag = "9")]
    pub optional_type: Option<()>,
}

impl TypeProto {
    /// One dense tensor.
    pub fn tensor(tensor: TensorTypeProto) -> Self {
        Self { tensor_type: Some(tensor), ..Self::default() }
    }
}

/// `TypeProto.Tensor`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TensorTypeProto {
    #[prost(int32, optional, tag = "1")]
    pub elem_type: Option<i32>,
    #[prost(message, optional, tag = "2")]
    pub shape: Option<TensorShapeProto>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TensorShapeProto {
    #[prost(message, repeated, tag = "1")]
    pub dim: Vec<DimensionProto>,
}

/// `TensorShapeProto.Dimension`; a `oneof` on paper, two optional fields on the wire.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct DimensionProto {
    #[prost(int64, optional, tag = "1")]
    pub dim_value: Option<i64>,
    #[prost(string, optional, tag = "2")]
    pub dim_param: Option<String>,
}

impl ValueInfoProto {
    /// A float tensor of a fixed shape.
    pub fn float(name: &str, dims: &[u32]) -> Self {
        let dim = dims
            .iter()
            .map(|&d| DimensionProto { dim_value: Some(d.into()), dim_param: None })
            .collect();
        let tensor = TensorTypeProto {
            elem_type: Some(TENSOR_FLOAT),
            shape: Some(TensorShapeProto { dim }),
        };
        Self { name: Some(name.to_owned()), r#type: Some(TypeProto::tensor(tensor)) }
    }
}
