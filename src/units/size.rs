use std::fmt;
use std::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Bytes, BytesError};

/// What a K of unmarked sizes is: 1024, or 1000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Convention {
    /// 1G is 1024 M, and a M is 1024² bytes.
    #[default]
    Binary,
    /// 1G is 1000 M, and a M is 1000² bytes.
    Decimal,
}

impl Convention {
    /// How many bytes a M is.
    pub const fn mega(self) -> Bytes {
        match self {
            Self::Binary => Bytes::MIB,
            Self::Decimal => Bytes::new(1_000_000),
        }
    }

    /// How many M a G is.
    pub const fn megas_a_giga(self) -> u32 {
        match self {
            Self::Binary => 1024,
            Self::Decimal => 1000,
        }
    }
}

/// What unmarked sizes mean to whoever wrote a profile. Sizes that are marked (`1GiB`) always
/// mean what they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Units {
    /// Of sizes of boxes and of everything in them: `1G` is 1024 or 1000 M.
    #[serde(rename = "box")]
    pub boxes: Convention,
    /// Of what is printed: from how many M on one writes 1 G.
    pub display: Convention,
}

/// A size in both conventions; the same twice where it was marked.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Size {
    binary: Bytes,
    decimal: Bytes,
}

impl Size {
    /// In bytes.
    pub const fn bytes(self, convention: Convention) -> Bytes {
        match convention {
            Convention::Binary => self.binary,
            Convention::Decimal => self.decimal,
        }
    }
}

impl From<Bytes> for Size {
    /// A size that means the same to everybody.
    fn from(bytes: Bytes) -> Self {
        Self { binary: bytes, decimal: bytes }
    }
}

impl FromStr for Size {
    type Err = BytesError;

    fn from_str(text: &str) -> Result<Self, BytesError> {
        Ok(Self { binary: text.parse()?, decimal: Bytes::parse_decimal(text)? })
    }
}

impl fmt::Display for Size {
    /// As it would be written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.binary == self.decimal {
            return write!(f, "{}B", self.binary.get());
        }
        let units = [("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("KB", 1e3)];
        let written = |(unit, factor): (&str, f64)| {
            Some(format!("{}{unit}", self.decimal.as_f64() / factor))
                .filter(|text| text.parse() == Ok(*self))
        };
        match units.into_iter().find_map(written) {
            Some(text) => f.write_str(&text),
            // Between the conventions: what a box of it holds.
            None => write!(f, "{}B", self.binary.get()),
        }
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(SizeVisitor)
    }
}

struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = Size;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size, as 512MB or 1G")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gigabyte_is_what_the_convention_says() {
        let size: Size = "1GB".parse().unwrap();
        assert_eq!(size.bytes(Convention::Binary), Bytes::GIB);
        assert_eq!(size.bytes(Convention::Decimal), Bytes::new(1_000_000_000));
        let marked: Size = "1GiB".parse().unwrap();
        assert_eq!(marked.bytes(Convention::Decimal), Bytes::GIB);
    }

    #[test]
    fn a_size_reads_back_as_it_was() {
        for text in ["512MB", "1GB", "1.5G", "2GiB", "300KB", "0.55MB", "2TB", "12B"] {
            let size: Size = text.parse().unwrap();
            assert_eq!(size.to_string().parse::<Size>().unwrap(), size, "{text} {size}");
        }
    }
}
