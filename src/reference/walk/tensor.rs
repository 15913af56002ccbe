//! A stored tensor without its values, except the few that are a shape.

use super::super::element::ElementType;
use super::super::wire::Fault;

/// Dimensions and values that are kept: a shape has no more, and a weight is passed over.
pub(super) const MOST_KEPT: usize = 16;

/// Bytes of `raw_data` that are read: a shape of [`MOST_KEPT`] dimensions.
pub(super) const LONGEST_SHAPE: u64 = 8 * MOST_KEPT as u64;

/// `TensorProto.DataLocation` of values in another file.
pub(super) const EXTERNAL: u64 = 1;

const IMPOSSIBLE: Fault = Fault::Malformed("the shape of a weight is impossible");

/// A stored tensor, without its values.
#[derive(Debug)]
pub(super) struct Tensor {
    pub name: String,
    /// The dimensions, the first [`MOST_KEPT`].
    pub dims: Vec<i64>,
    /// The product of the dimensions; `None` where it is no number of elements.
    elements: Option<u64>,
    pub scalar: bool,
    pub element: ElementType,
    /// Bytes of `raw_data`, if there is any.
    pub raw: Option<u64>,
    /// `raw_data`, where it is short enough for a shape.
    pub short: Vec<u8>,
    /// `int64_data`, the first [`MOST_KEPT`].
    pub integers: Vec<i64>,
    /// Bytes of `string_data`.
    pub text: u64,
    /// Bytes of the other lists of numbers, at least.
    pub listed: u64,
    /// The values are in another file, which `location` and the other entries of `external_data`
    /// describe.
    pub external: bool,
    pub location: String,
    pub offset: String,
    pub length: String,
}

/// A constant, as far as other nodes ask for it.
#[derive(Debug, Clone)]
pub(in super::super) struct Known {
    /// Its dimensions.
    pub dims: Vec<i64>,
    /// Bytes that it takes.
    pub bytes: u64,
    /// Its values, where it is a short list of 64-bit integers.
    pub values: Option<Vec<i64>>,
}

impl Tensor {
    pub fn new() -> Self {
        Self {
            name: String::new(),
            dims: Vec::new(),
            elements: Some(1),
            scalar: true,
            element: ElementType::Other(0),
            raw: None,
            short: Vec::new(),
            integers: Vec::new(),
            text: 0,
            listed: 0,
            external: false,
            location: String::new(),
            offset: String::new(),
            length: String::new(),
        }
    }

    pub fn dim(&mut self, dim: u64) {
        self.scalar = false;
        keep(&mut self.dims, dim.cast_signed());
        let dim = u64::try_from(dim.cast_signed()).ok();
        self.elements =
            self.elements.zip(dim).and_then(|(elements, dim)| elements.checked_mul(dim));
    }

    pub fn integer(&mut self, value: u64) {
        keep(&mut self.integers, value.cast_signed());
    }

    pub fn elements(&self) -> Result<u64, Fault> {
        self.elements.ok_or(IMPOSSIBLE)
    }

    /// Elements, where they can have been learned: shapes, indices, masks, texts and single
    /// numbers are part of the graph.
    pub fn parameters(&self) -> Result<u64, Fault> {
        let elements = self.elements()?;
        let structural = self.scalar
            || matches!(self.element, ElementType::Int64 | ElementType::Bool | ElementType::String);
        Ok(if structural { 0 } else { elements })
    }

    pub fn bytes(&self) -> Result<u64, Fault> {
        let elements = self.elements()?;
        if !self.element.has_size() {
            return Ok(self.raw.unwrap_or(0).saturating_add(self.text));
        }
        let due = self.element.bytes(elements).ok_or(IMPOSSIBLE)?;
        let is_full = match self.raw {
            _ if self.external => true,
            Some(raw) => raw == due,
            // At most eight elements share a byte, however the list is written.
            None => self.listed.saturating_mul(8) >= elements,
        };
        if is_full {
            Ok(due)
        } else {
            Err(Fault::Malformed("the values of a weight do not fill its shape"))
        }
    }

    /// Where the values end in their own file: offset and length are decimal texts, and a length
    /// that is not given or 0 is what the shape takes.
    pub fn external_end(&self) -> Result<u64, Fault> {
        let number = |text: &str| match text {
            "" => Ok(0),
            text => text.parse::<u64>().map_err(|_| {
                Fault::Malformed("the place of a weight in another file is not a number")
            }),
        };
        let (due, length) = (self.bytes()?, number(&self.length)?);
        if length != 0 && length != due {
            return Err(Fault::Malformed(
                "the length of a weight in another file contradicts its shape",
            ));
        }
        number(&self.offset)?
            .checked_add(due)
            .ok_or(Fault::Malformed("a weight in another file is beyond any file"))
    }

    /// What other nodes may ask of it.
    pub fn known(&self) -> Result<Known, Fault> {
        Ok(Known { dims: self.dims.clone(), bytes: self.bytes()?, values: self.values() })
    }

    /// The values, if they are all kept.
    fn values(&self) -> Option<Vec<i64>> {
        if self.element != ElementType::Int64 || self.external {
            return None;
        }
        let values = if self.raw.is_some() {
            let words = self.short.as_chunks::<8>().0;
            words.iter().map(|word| i64::from_le_bytes(*word)).collect()
        } else {
            self.integers.clone()
        };
        (Some(values.len() as u64) == self.elements).then_some(values)
    }
}

fn keep(list: &mut Vec<i64>, value: i64) {
    if list.len() < MOST_KEPT {
        list.push(value);
    }
}
