//! What a profile says of a model's inputs: shapes that the file leaves open, numbers, and files
//! whose tensors are fed.

use std::fmt;
use std::path::PathBuf;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use crate::footprint::checked::{first_fault, room_for_another};

/// More dimensions than any input has.
const MOST_DIMENSIONS: usize = 64;

/// The dimensions of an input: each 1 or more; none at all for a single number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shape(#[serde(deserialize_with = "dimensions")] Vec<usize>);

impl Shape {
    /// The dimensions, batch first.
    pub fn dims(&self) -> &[usize] {
        &self.0
    }
}

impl TryFrom<Vec<i64>> for Shape {
    type Error = String;

    fn try_from(dims: Vec<i64>) -> Result<Self, String> {
        if dims.len() > MOST_DIMENSIONS {
            return Err(format!(
                "a shape has at most {MOST_DIMENSIONS} dimensions, and this has {}",
                dims.len()
            ));
        }
        let dim = |d: i64| usize::try_from(d).ok().filter(|d| *d > 0);
        match dims.iter().map(|&d| dim(d)).collect() {
            Some(valid) if !dims.is_empty() => Ok(Self(valid)),
            _ => Err(format!(
                "{dims:?} is not a shape: write dimensions of 1 or more, as in [1, 3, 224, 224]"
            )),
        }
    }
}

/// Checked while the list is read, so that an error carries its place.
fn dimensions<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<usize>, D::Error> {
    d.deserialize_seq(Dimensions)
}

struct Dimensions;

impl<'de> Visitor<'de> for Dimensions {
    type Value = Vec<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of dimensions, as in [1, 3, 224, 224]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<usize>, A::Error> {
        let mut dims: Vec<i64> = Vec::new();
        while let Some(dim) = list.next_element()? {
            room_for_another(dims.len())?;
            dims.push(dim);
        }
        Shape::try_from(dims).map(|shape| shape.0).map_err(A::Error::custom)
    }
}

/// Numbers that an input is fed with: one or more, all finite. One alone fills the whole input.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbers(Vec<f64>);

/// More are kept in a file.
const MOST_NUMBERS: usize = 4096;

impl Numbers {
    /// In the order of the elements.
    pub fn as_slice(&self) -> &[f64] {
        &self.0
    }

    /// Reads `448`, `1,2,3`, `true` or `false`; `None` where a text is none of these.
    pub fn read(text: &str) -> Option<Result<Self, String>> {
        let number = |word: &str| match word.trim() {
            "true" => Some(1.0),
            "false" => Some(0.0),
            other => other.parse().ok().filter(|n: &f64| n.is_finite()),
        };
        let numbers: Option<Vec<f64>> = text.split(',').map(number).collect();
        numbers.map(Self::try_from)
    }
}

impl TryFrom<Vec<f64>> for Numbers {
    type Error = String;

    fn try_from(numbers: Vec<f64>) -> Result<Self, String> {
        match numbers.len() {
            0 => Err("a value has no numbers: write one, or a list of them".to_owned()),
            1..=MOST_NUMBERS if numbers.iter().all(|n| n.is_finite()) => Ok(Self(numbers)),
            1..=MOST_NUMBERS => Err("a value has numbers that are not finite".to_owned()),
            n => Err(format!(
                "a value has {n} numbers, and at most {MOST_NUMBERS} are read: save them with \
                 numpy.save() and name the `file`"
            )),
        }
    }
}

/// A number as it was typed: whole ones without a decimal point.
#[derive(Serialize)]
#[serde(untagged)]
enum Typed {
    Whole(i64),
    Real(f64),
}

impl From<f64> for Typed {
    fn from(number: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        if number.fract() == 0.0 && number.abs() < 9.0e15 {
            Self::Whole(number as i64)
        } else {
            Self::Real(number)
        }
    }
}

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [only] => Typed::from(*only).serialize(serializer),
            all => serializer.collect_seq(all.iter().map(|n| Typed::from(*n))),
        }
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumbersVisitor)
    }
}

struct NumbersVisitor;

impl<'de> Visitor<'de> for NumbersVisitor {
    type Value = Numbers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, true, false, or a list of numbers")
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Numbers, E> {
        self.visit_f64(f64::from(u8::from(value)))
    }

    #[expect(clippy::cast_precision_loss, reason = "a size or a count is far below 2^53")]
    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Numbers, E> {
        self.visit_f64(value as f64)
    }

    #[expect(clippy::cast_precision_loss, reason = "a size or a count is far below 2^53")]
    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Numbers, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Numbers, E> {
        Numbers::try_from(vec![value]).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Numbers, A::Error> {
        let mut numbers = Vec::new();
        while let Some(number) = list.next_element()? {
            numbers.push(number);
        }
        Numbers::try_from(numbers).map_err(A::Error::custom)
    }
}

/// What is given of one input.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// Its name in the model; `None` for the only input, or the only one that is open.
    pub name: Option<String>,
    /// What is fed.
    pub given: Given,
}

/// What an input is fed with.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// Values that the tool makes up, of this shape.
    Shape(Shape),
    /// These numbers.
    Value(Numbers),
    /// Random values of this shape, in the range that fits the input.
    Random(Shape),
    /// The array of a `.npy` file.
    File(PathBuf),
}

/// All that is given of a model's inputs; each input at most once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inputs(Vec<Input>);

impl Inputs {
    /// Adds one.
    ///
    /// # Errors
    /// Where the same input was given before.
    pub fn add(&mut self, input: Input) -> Result<(), String> {
        if self.0.iter().any(|i| i.name == input.name) {
            let name = input.name.map_or("the input".to_owned(), |n| format!("the input `{n}`"));
            return Err(format!("{name} is given twice: keep one of them"));
        }
        self.0.push(input);
        Ok(())
    }

    /// In the order in which they were given.
    pub fn as_slice(&self) -> &[Input] {
        &self.0
    }

    /// Whether nothing is given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn files_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        self.0.iter_mut().filter_map(|input| match &mut input.given {
            Given::File(path) => Some(path),
            Given::Shape(_) | Given::Value(_) | Given::Random(_) => None,
        })
    }

    /// The shape that was given without a name.
    pub(super) fn unnamed_shape(&self) -> Option<&Shape> {
        self.0.iter().find_map(|input| match (&input.name, &input.given) {
            (None, Given::Shape(shape)) => Some(shape),
            _ => None,
        })
    }

    /// Those with a name.
    pub(super) fn named(&self) -> Self {
        Self(self.0.iter().filter(|i| i.name.is_some()).cloned().collect())
    }
}

impl Serialize for Inputs {
    /// Those with a name.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for input in &self.0 {
            if let Some(name) = &input.name {
                map.serialize_entry(name, &Written(input.given.clone()))?;
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Inputs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InputsVisitor)
    }
}

struct InputsVisitor;

impl<'de> Visitor<'de> for InputsVisitor {
    type Value = Inputs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from an input's name to its `shape:`, `value:`, `random:` or `file:`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Inputs, A::Error> {
        let mut inputs = Inputs::default();
        while let Some(name) = map.next_key_seed(UniqueName(&inputs))? {
            let Written(given) = map.next_value()?;
            room_for_another(inputs.0.len())?;
            inputs.0.push(Input { name: Some(name), given });
        }
        Ok(inputs)
    }
}

struct UniqueName<'a>(&'a Inputs);

impl<'de> DeserializeSeed<'de> for UniqueName<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for UniqueName<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an input's name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<String, E> {
        if self.0.as_slice().iter().any(|i| i.name.as_deref() == Some(name)) {
            return Err(E::custom(format!("the input `{name}` is given twice: keep one of them")));
        }
        match first_fault(name) {
            None => Ok(name.to_owned()),
            Some(fault) => Err(E::custom(format!("an input's name: {fault}"))),
        }
    }
}

/// One input as it is written: a map of one key.
#[derive(Debug)]
struct Written(Given);

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shape: Option<Shape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<Numbers>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    random: Option<Shape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
}

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let keys = match self.0.clone() {
            Given::Shape(shape) => Keys { shape: Some(shape), ..Keys::default() },
            Given::Value(value) => Keys { value: Some(value), ..Keys::default() },
            Given::Random(shape) => Keys { random: Some(shape), ..Keys::default() },
            Given::File(file) => Keys { file: Some(file), ..Keys::default() },
        };
        keys.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(WrittenVisitor)
    }
}

struct WrittenVisitor;

impl<'de> Visitor<'de> for WrittenVisitor {
    type Value = Written;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`shape: [1, 128]`, `value: 448`, `random: [1, 128]` or `file: ids.npy`")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Written, A::Error> {
        let keys = Keys::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
        let given = [
            keys.shape.map(Given::Shape),
            keys.value.map(Given::Value),
            keys.random.map(Given::Random),
            keys.file.map(Given::File),
        ];
        let mut given = given.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(Given::File(file)), None) if file.as_os_str().is_empty() => {
                Err(A::Error::custom("an input has an empty `file`: name a .npy file"))
            }
            (Some(given), None) => Ok(Written(given)),
            (Some(Given::Shape(_)), Some(Given::File(_))) => Err(A::Error::custom(
                "an input has a `shape` and a `file`, whose array has a shape: keep one of them",
            )),
            (Some(_), Some(_)) => Err(A::Error::custom(
                "an input has more than one of `shape`, `value`, `random` and `file`: keep one of \
                 them",
            )),
            (None, _) => Err(A::Error::custom(
                "an input needs `shape: [1, 128]`, or what it is fed with: `value: 448`, \
                 `random: [1, 128]` or `file: ids.npy`",
            )),
        }
    }
}
