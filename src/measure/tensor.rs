//! Tensors of any element type that ONNX Runtime's CPU build computes with, made from numbers.
//!
//! Elements are kept as bits in whole numbers of their width: one type of vector for each width
//! instead of one for each element type, and always aligned as the runtime expects it.

use anyhow::bail;
use half::{bf16, f16};

use crate::reference::ElementType;

/// A dense tensor in this process's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    element: ElementType,
    shape: Vec<i64>,
    storage: Storage,
}

/// Bits of the elements, by their width.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Storage {
    W8(Vec<u8>),
    W16(Vec<u16>),
    W32(Vec<u32>),
    W64(Vec<u64>),
}

/// Whether a tensor of these elements can be made.
pub const fn can_be_made(element: ElementType) -> bool {
    use ElementType as E;
    matches!(
        element,
        E::Float32
            | E::Float16
            | E::Bfloat16
            | E::Float64
            | E::Uint8
            | E::Int8
            | E::Uint16
            | E::Int16
            | E::Uint32
            | E::Int32
            | E::Uint64
            | E::Int64
            | E::Bool
    )
}

/// Whether an element of this type can hold a number as it is, but for the rounding of floats.
pub fn holds(element: ElementType, number: f64) -> bool {
    use ElementType as E;
    let (low, high) = match element {
        E::Bool => (0.0, 1.0),
        E::Uint8 => (0.0, f64::from(u8::MAX)),
        E::Int8 => (f64::from(i8::MIN), f64::from(i8::MAX)),
        E::Uint16 => (0.0, f64::from(u16::MAX)),
        E::Int16 => (f64::from(i16::MIN), f64::from(i16::MAX)),
        E::Uint32 => (0.0, f64::from(u32::MAX)),
        E::Int32 => (f64::from(i32::MIN), f64::from(i32::MAX)),
        // Numbers are given as 64-bit floats, which are exact up to 2^53.
        E::Uint64 => (0.0, 9_007_199_254_740_992.0),
        E::Int64 => (-9_007_199_254_740_992.0, 9_007_199_254_740_992.0),
        other => return can_be_made(other),
    };
    number.fract() == 0.0 && (low..=high).contains(&number)
}

impl Tensor {
    /// A tensor whose elements are `values` in row-major order; where they end early, the rest
    /// is 0. Numbers are rounded towards zero and kept in the range of the element type.
    ///
    /// # Errors
    /// Where the type cannot be made, or there is not enough memory to address it.
    pub fn from_values(
        element: ElementType,
        shape: &[usize],
        values: impl Iterator<Item = f64>,
    ) -> anyhow::Result<Self> {
        use ElementType as E;
        let length = elements(shape)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "numbers become elements of a narrower type, which `as` keeps in its range"
        )]
        let storage = match element {
            E::Float32 => Storage::W32(filled(length, values.map(|v| (v as f32).to_bits()))),
            E::Float16 => Storage::W16(filled(length, values.map(|v| f16::from_f64(v).to_bits()))),
            E::Bfloat16 => {
                Storage::W16(filled(length, values.map(|v| bf16::from_f64(v).to_bits())))
            }
            E::Float64 => Storage::W64(filled(length, values.map(f64::to_bits))),
            E::Uint8 => Storage::W8(filled(length, values.map(|v| v as u8))),
            E::Int8 => Storage::W8(filled(length, values.map(|v| (v as i8).cast_unsigned()))),
            E::Bool => Storage::W8(filled(length, values.map(|v| u8::from(v != 0.0)))),
            E::Uint16 => Storage::W16(filled(length, values.map(|v| v as u16))),
            E::Int16 => Storage::W16(filled(length, values.map(|v| (v as i16).cast_unsigned()))),
            E::Uint32 => Storage::W32(filled(length, values.map(|v| v as u32))),
            E::Int32 => Storage::W32(filled(length, values.map(|v| (v as i32).cast_unsigned()))),
            E::Uint64 => Storage::W64(filled(length, values.map(|v| v as u64))),
            E::Int64 => Storage::W64(filled(length, values.map(|v| (v as i64).cast_unsigned()))),
            other => bail!("no tensor of {other} can be made"),
        };
        Ok(Self { element, shape: signed(shape), storage })
    }

    /// A tensor whose elements are these bytes, each little-endian.
    ///
    /// # Errors
    /// Where there are not as many as the shape and the type need.
    pub fn from_bytes(element: ElementType, shape: &[usize], bytes: &[u8]) -> anyhow::Result<Self> {
        let length = elements(shape)?;
        let width = usize::try_from(element.bytes(1).unwrap_or(0))?;
        if !can_be_made(element) || length.checked_mul(width) != Some(bytes.len()) {
            bail!("{} bytes are not {length} elements of {element}", bytes.len());
        }
        let storage = match width {
            1 => Storage::W8(bytes.to_vec()),
            2 => Storage::W16(words(bytes, u16::from_le_bytes)),
            4 => Storage::W32(words(bytes, u32::from_le_bytes)),
            _ => Storage::W64(words(bytes, u64::from_le_bytes)),
        };
        Ok(Self { element, shape: signed(shape), storage })
    }

    /// What its elements are.
    pub const fn element(&self) -> ElementType {
        self.element
    }

    /// Its dimensions.
    pub fn shape(&self) -> &[i64] {
        &self.shape
    }

    /// Where the elements begin, and how many bytes they take.
    pub fn raw(&self) -> (*const std::ffi::c_void, usize) {
        match &self.storage {
            Storage::W8(v) => (v.as_ptr().cast(), v.len()),
            Storage::W16(v) => (v.as_ptr().cast(), v.len() * 2),
            Storage::W32(v) => (v.as_ptr().cast(), v.len() * 4),
            Storage::W64(v) => (v.as_ptr().cast(), v.len() * 8),
        }
    }
}

/// How many elements a shape has; 1 for no dimensions.
fn elements(shape: &[usize]) -> anyhow::Result<usize> {
    let product = shape.iter().try_fold(1_usize, |product, &dim| product.checked_mul(dim));
    // Eight bytes each must be addressable.
    product
        .filter(|&n| n <= isize::MAX.cast_unsigned() / 8)
        .ok_or_else(|| anyhow::anyhow!("a tensor of {shape:?} is too large for any memory"))
}

fn signed(shape: &[usize]) -> Vec<i64> {
    shape.iter().map(|&dim| i64::try_from(dim).unwrap_or(i64::MAX)).collect()
}

/// Exactly `length` elements in one allocation: a vector that grows would need twice as much.
fn filled<T: Copy + Default>(length: usize, values: impl Iterator<Item = T>) -> Vec<T> {
    let mut all = vec![T::default(); length];
    let mut slots = all.iter_mut();
    values.take(length).for_each(|value| {
        if let Some(slot) = slots.next() {
            *slot = value;
        }
    });
    all
}

fn words<T, const N: usize>(bytes: &[u8], word: fn([u8; N]) -> T) -> Vec<T> {
    let (chunks, _) = bytes.as_chunks::<N>();
    chunks.iter().map(|&chunk| word(chunk)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(tensor: &Tensor) -> Vec<u8> {
        match &tensor.storage {
            Storage::W8(v) => v.clone(),
            Storage::W16(v) => v.iter().flat_map(|w| w.to_le_bytes()).collect(),
            Storage::W32(v) => v.iter().flat_map(|w| w.to_le_bytes()).collect(),
            Storage::W64(v) => v.iter().flat_map(|w| w.to_le_bytes()).collect(),
        }
    }

    /// The bytes are those of `numpy.array([1, -2, 300], dtype).tobytes()`, but that `NumPy` wraps
    /// where this keeps to the range.
    #[test]
    fn numbers_become_the_elements_of_each_type() {
        use ElementType as E;
        let made = |element| {
            let values = [1.0, -2.0, 300.0].into_iter();
            bytes(&Tensor::from_values(element, &[3], values).unwrap())
        };
        assert_eq!(made(E::Float32), [0, 0, 128, 63, 0, 0, 0, 192, 0, 0, 150, 67]);
        assert_eq!(made(E::Float16), [0, 60, 0, 192, 176, 92]);
        // The upper halves of the 32-bit ones.
        assert_eq!(made(E::Bfloat16), [128, 63, 0, 192, 150, 67]);
        assert_eq!(made(E::Int8), [1, 254, 127]);
        assert_eq!(made(E::Uint8), [1, 0, 255]);
        assert_eq!(made(E::Bool), [1, 1, 1]);
        assert_eq!(made(E::Int16), [1, 0, 254, 255, 44, 1]);
        assert_eq!(made(E::Int64)[8..16], [254, 255, 255, 255, 255, 255, 255, 255]);
    }

    #[test]
    fn a_scalar_has_one_element_and_an_early_end_leaves_zeros() {
        let scalar = Tensor::from_values(ElementType::Int64, &[], [7.0].into_iter()).unwrap();
        assert_eq!((scalar.shape().len(), scalar.raw().1), (0, 8));
        let short = Tensor::from_values(ElementType::Uint8, &[2, 2], [9.0].into_iter()).unwrap();
        assert_eq!(bytes(&short), [9, 0, 0, 0]);
        let none = Tensor::from_values(ElementType::Float32, &[1, 0], [9.0].into_iter()).unwrap();
        assert_eq!(none.raw().1, 0);
    }

    #[test]
    fn bytes_must_be_as_many_as_the_shape_says() {
        let whole = Tensor::from_bytes(ElementType::Int16, &[2], &[1, 0, 2, 0]).unwrap();
        assert_eq!(bytes(&whole), [1, 0, 2, 0]);
        assert!(Tensor::from_bytes(ElementType::Int16, &[2], &[1, 0, 2]).is_err());
        assert!(Tensor::from_bytes(ElementType::String, &[2], &[1, 0]).is_err());
        assert!(Tensor::from_values(ElementType::Uint8, &[usize::MAX, 3], [].into_iter()).is_err());
        assert!(Tensor::from_values(ElementType::String, &[1], [].into_iter()).is_err());
    }
}
