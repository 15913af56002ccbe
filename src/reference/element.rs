//! What a tensor is made of: the element types of ONNX in one list.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The type of one element of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ElementType {
    /// 32-bit float.
    Float32,
    /// 8-bit unsigned integer.
    Uint8,
    /// 8-bit signed integer.
    Int8,
    /// 16-bit unsigned integer.
    Uint16,
    /// 16-bit signed integer.
    Int16,
    /// 32-bit signed integer.
    Int32,
    /// 64-bit signed integer.
    Int64,
    /// Text of any length.
    String,
    /// Boolean, one byte.
    Bool,
    /// 16-bit float.
    Float16,
    /// 64-bit float.
    Float64,
    /// 32-bit unsigned integer.
    Uint32,
    /// 64-bit unsigned integer.
    Uint64,
    /// Two 32-bit floats.
    Complex64,
    /// Two 64-bit floats.
    Complex128,
    /// 16-bit float with the exponent of a 32-bit one.
    Bfloat16,
    /// 8-bit float, 4 bits of exponent.
    Float8E4m3fn,
    /// 8-bit float, 4 bits of exponent, one zero.
    Float8E4m3fnuz,
    /// 8-bit float, 5 bits of exponent.
    Float8E5m2,
    /// 8-bit float, 5 bits of exponent, one zero.
    Float8E5m2fnuz,
    /// 4-bit unsigned integer.
    Uint4,
    /// 4-bit signed integer.
    Int4,
    /// 4-bit float.
    Float4E2m1,
    /// 8-bit exponent without a mantissa.
    Float8E8m0,
    /// 2-bit unsigned integer.
    Uint2,
    /// 2-bit signed integer.
    Int2,
    /// A code of `TensorProto.DataType` that this tool does not know.
    Other(i32),
    /// A list of values, not one dense tensor.
    Sequence,
    /// Keys and values, not one dense tensor.
    Map,
    /// A value that may be absent.
    Optional,
    /// A tensor of which only the values that are not zero are given.
    SparseTensor,
    /// A value of no kind that this tool knows.
    NotATensor,
}

/// Type, name and bits. The place in the list plus one is the code of `TensorProto.DataType`.
const TYPES: [(ElementType, &str, u64); 26] = [
    (ElementType::Float32, "float32", 32),
    (ElementType::Uint8, "uint8", 8),
    (ElementType::Int8, "int8", 8),
    (ElementType::Uint16, "uint16", 16),
    (ElementType::Int16, "int16", 16),
    (ElementType::Int32, "int32", 32),
    (ElementType::Int64, "int64", 64),
    (ElementType::String, "string", 0),
    (ElementType::Bool, "bool", 8),
    (ElementType::Float16, "float16", 16),
    (ElementType::Float64, "float64", 64),
    (ElementType::Uint32, "uint32", 32),
    (ElementType::Uint64, "uint64", 64),
    (ElementType::Complex64, "complex64", 64),
    (ElementType::Complex128, "complex128", 128),
    (ElementType::Bfloat16, "bfloat16", 16),
    (ElementType::Float8E4m3fn, "float8e4m3fn", 8),
    (ElementType::Float8E4m3fnuz, "float8e4m3fnuz", 8),
    (ElementType::Float8E5m2, "float8e5m2", 8),
    (ElementType::Float8E5m2fnuz, "float8e5m2fnuz", 8),
    (ElementType::Uint4, "uint4", 4),
    (ElementType::Int4, "int4", 4),
    (ElementType::Float4E2m1, "float4e2m1", 4),
    (ElementType::Float8E8m0, "float8e8m0", 8),
    (ElementType::Uint2, "uint2", 2),
    (ElementType::Int2, "int2", 2),
];

impl ElementType {
    /// The type with this code of `TensorProto.DataType`.
    pub(super) fn from_code(code: i32) -> Self {
        let index = usize::try_from(i64::from(code) - 1).unwrap_or(usize::MAX);
        TYPES.get(index).map_or(Self::Other(code), |&(element, ..)| element)
    }

    /// Whether a value of this type is one dense tensor, which can be made from a shape.
    pub fn is_tensor(self) -> bool {
        !matches!(
            self,
            Self::Sequence | Self::Map | Self::Optional | Self::SparseTensor | Self::NotATensor
        )
    }

    /// Whether the elements are whole numbers of at least 8 bits, as indices are.
    pub fn is_integer(self) -> bool {
        matches!(
            self,
            Self::Uint8
                | Self::Int8
                | Self::Uint16
                | Self::Int16
                | Self::Uint32
                | Self::Int32
                | Self::Uint64
                | Self::Int64
        )
    }

    /// Whether the elements are yes or no.
    pub fn is_bool(self) -> bool {
        self == Self::Bool
    }

    /// Whether the elements are texts.
    pub fn is_text(self) -> bool {
        self == Self::String
    }

    /// Whether the elements are floating-point numbers that ONNX Runtime computes with on a CPU.
    pub fn is_float(self) -> bool {
        matches!(self, Self::Float16 | Self::Bfloat16 | Self::Float32 | Self::Float64)
    }

    /// Whether each element takes the same number of bits, which the type says.
    pub(super) fn has_size(self) -> bool {
        self.bytes(0).is_some()
    }

    /// Bytes that `elements` elements take, sub-byte types packed. `None` where the type does not
    /// say (text, unknown types) or the number is beyond 64 bits.
    pub fn bytes(self, elements: u64) -> Option<u64> {
        let &(_, _, bits) =
            TYPES.iter().find(|&&(element, _, bits)| element == self && bits > 0)?;
        Some(elements.checked_mul(bits)?.div_ceil(8))
    }
}

impl fmt::Display for ElementType {
    /// The name that numerical libraries use, such as `float32`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, TYPES.iter().find(|(element, ..)| element == self)) {
            (_, Some((_, name, _))) => f.pad(name),
            (Self::Other(code), None) => write!(f, "element type {code}"),
            (Self::Sequence, None) => f.pad("sequence"),
            (Self::Map, None) => f.pad("map"),
            (Self::Optional, None) => f.pad("optional"),
            (Self::SparseTensor, None) => f.pad("sparse tensor"),
            (_, None) => f.pad("not a tensor"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers are those of `TensorProto.DataType` in `onnx.proto`.
    #[test]
    fn codes_are_those_of_the_format() {
        for (code, element) in [
            (1, ElementType::Float32),
            (7, ElementType::Int64),
            (10, ElementType::Float16),
            (16, ElementType::Bfloat16),
            (22, ElementType::Int4),
            (26, ElementType::Int2),
        ] {
            assert_eq!(ElementType::from_code(code), element);
        }
        for code in [0, -1, 27, i32::MIN, i32::MAX] {
            assert_eq!(ElementType::from_code(code), ElementType::Other(code));
        }
    }

    #[test]
    fn sizes_are_packed_and_do_not_overflow() {
        assert_eq!(ElementType::Float32.bytes(3), Some(12));
        assert_eq!(ElementType::Int4.bytes(3), Some(2));
        assert_eq!(ElementType::Float64.bytes(u64::MAX), None);
        assert_eq!(ElementType::String.bytes(3), None);
        assert_eq!(ElementType::Other(99).bytes(3), None);
    }

    #[test]
    fn names_are_printed() {
        assert_eq!(ElementType::Float32.to_string(), "float32");
        assert_eq!(ElementType::Other(99).to_string(), "element type 99");
        assert_eq!(ElementType::NotATensor.to_string(), "not a tensor");
    }
}
