//! The models of a profile: an ordered map from name to model, in which no name comes twice.

use std::fmt;
use std::path::PathBuf;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::inputs::{Given, Input, Inputs, Shape};
use super::route::{Kind, When, kinds};
use crate::footprint::Load;
use crate::footprint::checked::{first_fault, whole_number};
use crate::reference::{Architecture, MAX_CLASSES, Reference};
use crate::units::Share;

/// One model of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Unique in the profile.
    pub name: String,
    /// Where its graph comes from.
    pub source: ModelSource,
    /// What is given of its inputs.
    pub inputs: Inputs,
    /// When it is loaded.
    pub load: Load,
    /// Whether its session is made from a copy of the file in memory, which stays.
    pub from_bytes: bool,
    /// Which requests run it.
    pub when: When,
}

/// Where a model's graph comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelSource {
    /// Written by the tool, with seeded weights.
    Reference(Reference),
    /// The user's file.
    File(PathBuf),
}

impl Model {
    /// One that is loaded before the first request, and that every request runs.
    pub fn new(name: String, source: ModelSource, inputs: Inputs) -> Self {
        Self { name, source, inputs, load: Load::Eager, from_bytes: false, when: When::Always }
    }
}

/// The models in the order in which a request meets them; none where costs are declared.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Models {
    models: Vec<Model>,
    kinds: Vec<Kind>,
}

impl Models {
    /// A service of one model.
    pub fn one(name: String, source: ModelSource, inputs: Inputs) -> Self {
        let kind = Kind { name: "request".to_owned(), share: Share::ALL, models: vec![0] };
        Self { models: vec![Model::new(name, source, inputs)], kinds: vec![kind] }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.models.is_empty()
    }

    /// In order.
    pub fn as_slice(&self) -> &[Model] {
        &self.models
    }

    /// The kinds of requests that they make, the most frequent first.
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    pub(super) fn each_path(&mut self, change: &mut dyn FnMut(&mut PathBuf)) {
        for model in &mut self.models {
            if let ModelSource::File(path) = &mut model.source {
                change(path);
            }
            model.inputs.files_mut().for_each(&mut *change);
        }
    }
}

/// A model as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    architecture: Option<WrittenArchitecture>,
    #[serde(default, deserialize_with = "classes", skip_serializing_if = "Option::is_none")]
    classes: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shape: Option<Shape>,
    #[serde(default, skip_serializing_if = "Inputs::is_empty")]
    inputs: Inputs,
    #[serde(default, skip_serializing_if = "is_eager")]
    load: WrittenLoad,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    share: Option<Share>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

/// When a model is loaded, and from what.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenLoad {
    #[default]
    Eager,
    Lazy,
    Bytes,
    LazyBytes,
}

impl WrittenLoad {
    const fn of(load: Load, from_bytes: bool) -> Self {
        match (load, from_bytes) {
            (Load::Eager, false) => Self::Eager,
            (Load::Lazy, false) => Self::Lazy,
            (Load::Eager, true) => Self::Bytes,
            (Load::Lazy, true) => Self::LazyBytes,
        }
    }

    const fn when(self) -> Load {
        match self {
            Self::Eager | Self::Bytes => Load::Eager,
            Self::Lazy | Self::LazyBytes => Load::Lazy,
        }
    }

    const fn is_from_bytes(self) -> bool {
        matches!(self, Self::Bytes | Self::LazyBytes)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_eager(load: &WrittenLoad) -> bool {
    *load == WrittenLoad::Eager
}

fn classes<'de, D: Deserializer<'de>>(d: D) -> Result<Option<u32>, D::Error> {
    whole_number(d, "number of classes", 1..=u64::from(MAX_CLASSES)).map(Some)
}

#[derive(Serialize, Clone, Copy)]
#[serde(into = "String")]
struct WrittenArchitecture(Architecture);

impl<'de> Deserialize<'de> for WrittenArchitecture {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(ArchitectureName)
    }
}

struct ArchitectureName;

impl Visitor<'_> for ArchitectureName {
    type Value = WrittenArchitecture;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a reference architecture")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<WrittenArchitecture, E> {
        name.parse().map(WrittenArchitecture).map_err(E::custom)
    }
}

impl From<WrittenArchitecture> for String {
    fn from(architecture: WrittenArchitecture) -> Self {
        architecture.0.to_string()
    }
}

impl Written {
    fn into_model(self, name: String) -> Result<Model, String> {
        let source = match (self.architecture, self.path) {
            (Some(WrittenArchitecture(architecture)), None) => {
                if self.shape.is_some() || !self.inputs.is_empty() {
                    return Err(format!(
                        "the model `{name}` is a reference architecture, whose shape is fixed: leave out `shape` and `inputs`"
                    ));
                }
                let classes = self.classes.unwrap_or(1000);
                let reference = Reference::new(architecture, classes, self.seed.unwrap_or(1))
                    .map_err(|e| format!("the model `{name}`: {e}"))?;
                ModelSource::Reference(reference)
            }
            (None, Some(path)) if path.as_os_str().is_empty() => {
                return Err(format!("the model `{name}` has an empty `path`: name its ONNX file"));
            }
            (None, Some(path)) if self.classes.is_none() && self.seed.is_none() => {
                ModelSource::File(path)
            }
            (None, Some(_)) => {
                return Err(format!(
                    "the model `{name}` is a file: `classes` and `seed` belong to an `architecture`"
                ));
            }
            (Some(_), Some(_)) => {
                return Err(format!(
                    "the model `{name}` has an `architecture` and a `path`: keep one of them"
                ));
            }
            (None, None) => {
                return Err(format!("the model `{name}` needs an `architecture` or a `path`"));
            }
        };
        let when = match (self.share, self.after) {
            (None, None) => When::Always,
            (Some(share), None) => When::Mix(share),
            (Some(share), Some(model)) => When::After { model, share },
            (None, Some(first)) => {
                return Err(format!(
                    "the model `{name}` runs after `{first}`: say in how many of its requests with `share: 20%`"
                ));
            }
        };
        let mut inputs = self.inputs;
        if let Some(shape) = self.shape {
            inputs.add(Input { name: None, given: Given::Shape(shape) })?;
        }
        let (load, from_bytes) = (self.load.when(), self.load.is_from_bytes());
        Ok(Model { name, source, inputs, load, from_bytes, when })
    }

    fn from_model(model: &Model) -> Self {
        let mut written = Self {
            architecture: None,
            classes: None,
            seed: None,
            path: None,
            shape: model.inputs.unnamed_shape().cloned(),
            inputs: model.inputs.named(),
            load: WrittenLoad::of(model.load, model.from_bytes),
            share: None,
            after: None,
        };
        match &model.when {
            When::Always => {}
            When::Mix(share) => written.share = Some(*share),
            When::After { model, share } => {
                written.share = Some(*share);
                written.after = Some(model.clone());
            }
        }
        match &model.source {
            ModelSource::Reference(r) => {
                written.architecture = Some(WrittenArchitecture(r.architecture()));
                written.classes = Some(r.classes());
                written.seed = Some(r.seed());
            }
            ModelSource::File(path) => written.path = Some(path.clone()),
        }
        written
    }
}

impl Serialize for Models {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.models.len()))?;
        for model in &self.models {
            map.serialize_entry(&model.name, &Written::from_model(model))?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Models {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ModelsVisitor)
    }
}

/// Services have a handful.
const MOST_MODELS: usize = 100;

struct ModelsVisitor;

impl<'de> Visitor<'de> for ModelsVisitor {
    type Value = Models;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from a model's name to the model")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Models, A::Error> {
        let mut models: Vec<Model> = Vec::new();
        while let Some(name) = map.next_key_seed(UniqueName(&models))? {
            models.push(map.next_value_seed(NamedModel(name))?);
            if models.len() > MOST_MODELS {
                let most = format!("more than {MOST_MODELS} models are too many for one service");
                return Err(A::Error::custom(most));
            }
        }
        if models.is_empty() {
            return Err(A::Error::custom("a service needs at least one model"));
        }
        let kinds = kinds(&models).map_err(A::Error::custom)?;
        Ok(Models { models, kinds })
    }
}

/// Checks the name while it is read: an error that is raised there carries the place of the name.
struct UniqueName<'a>(&'a [Model]);

impl<'de> DeserializeSeed<'de> for UniqueName<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for UniqueName<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a model's name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<String, E> {
        if self.0.iter().any(|m| m.name == name) {
            return Err(E::custom(format!(
                "the model `{name}` is there twice: give each a name of its own"
            )));
        }
        match first_fault(name) {
            None => Ok(name.to_owned()),
            Some(fault) => Err(E::custom(format!("a model's name: {fault}"))),
        }
    }
}

/// Reads a model, so that what contradicts itself is reported at the model's place.
struct NamedModel(String);

impl<'de> DeserializeSeed<'de> for NamedModel {
    type Value = Model;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Model, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for NamedModel {
    type Value = Model;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a model: `architecture:` and `classes:`, or `path:`")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Model, A::Error> {
        let written = Written::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
        written.into_model(self.0).map_err(A::Error::custom)
    }
}
