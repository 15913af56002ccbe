//! What a service stores.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::named::Named;
use super::written::{Number, Quantity};
use crate::units::Size;

/// What is on the disk. The files of the models count as part of the application.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    /// The application's own files, besides the models.
    pub application: Named<Stored>,
    /// Packages.
    pub dependencies: Named<Stored>,
    /// The language's runtime, libraries of the system, logs.
    pub system: Named<Stored>,
    /// What users leave.
    pub user: Named<Stored>,
    /// Room to grow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub growth: Option<Quantity<Size>>,
    /// How many times the sum is recommended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recommended: Option<Quantity<Number>>,
    /// The size that log files are rotated at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_limit: Option<Quantity<Size>>,
}

/// Something that is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored(pub Place);

/// Where something is stored.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// On the disk of the box.
    Local(Quantity<Size>),
    /// Elsewhere, and so of no size here.
    Remote,
}

/// The word for what is stored elsewhere.
const REMOTE: &str = "remote";

impl Serialize for Stored {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Place::Local(size) => size.serialize(serializer),
            Place::Remote => serializer.serialize_str(REMOTE),
        }
    }
}

impl<'de> Deserialize<'de> for Stored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == REMOTE {
            return Ok(Self(Place::Remote));
        }
        let size = Quantity::parse(&text).map_err(serde::de::Error::custom)?;
        Ok(Self(Place::Local(size)))
    }
}
