//! A number of threads or heaps that may be left to the library.

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};

/// A number, or what the library takes where it is told nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Count {
    /// It depends on the machine.
    Default,
    /// This many, 1 or more.
    Given(u16),
}

/// What a [`Count`] counts, and its largest number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted {
    what: &'static str,
    most: u16,
}

pub(super) const THREADS: Counted = Counted { what: "number of threads", most: 1024 };
pub(super) const HEAPS: Counted = Counted { what: "number of heaps", most: 4096 };

/// How [`Count::Default`] is written.
const DEFAULT: &str = "default";

impl Count {
    /// The number that was given, if one was.
    pub const fn given(self) -> Option<u16> {
        match self {
            Self::Default => None,
            Self::Given(number) => Some(number),
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.pad(DEFAULT),
            Self::Given(number) => number.fmt(f),
        }
    }
}

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Default => serializer.serialize_str(DEFAULT),
            Self::Given(number) => serializer.serialize_u16(*number),
        }
    }
}

pub(super) fn threads<'de, D: Deserializer<'de>>(d: D) -> Result<Count, D::Error> {
    d.deserialize_any(THREADS)
}

pub(super) fn heaps<'de, D: Deserializer<'de>>(d: D) -> Result<Count, D::Error> {
    d.deserialize_any(HEAPS)
}

impl Counted {
    fn count(self, number: u64) -> Option<Count> {
        let number = u16::try_from(number).ok()?;
        (1..=self.most).contains(&number).then_some(Count::Given(number))
    }

    pub(super) fn read(self, text: &str) -> Result<Count, String> {
        if text == DEFAULT {
            return Ok(Count::Default);
        }
        let number = text.parse().ok().and_then(|number| self.count(number));
        number.ok_or_else(|| self.refused(text))
    }

    fn refused(self, value: impl fmt::Display) -> String {
        format!("{value} is no {}: use 1 to {}, or default", self.what, self.most)
    }
}

impl Visitor<'_> for Counted {
    type Value = Count;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, 1 to {}, or default", self.what, self.most)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Count, E> {
        self.count(value).ok_or_else(|| E::custom(self.refused(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Count, E> {
        let number = u64::try_from(value).ok().and_then(|number| self.count(number));
        number.ok_or_else(|| E::custom(self.refused(value)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Count, E> {
        self.read(text).map_err(E::custom)
    }
}
