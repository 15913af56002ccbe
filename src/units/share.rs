use std::fmt;
use std::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::number::in_short;

/// A share of the requests: above 0, at most 1. Written `20%` or `0.2`, printed `20 %`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Share(f64);

/// Why a text is not a share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a share of the requests: write 20% or 0.2, above 0 and at most 100%")]
pub struct ShareError(String);

impl Share {
    /// All requests.
    pub const ALL: Self = Self(1.0);

    /// This share; `None` outside of 0 to 1, or where it is 0.
    pub fn new(share: f64) -> Option<Self> {
        (share > 0.0 && share <= 1.0).then_some(Self(share))
    }

    /// Above 0, at most 1.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The share of a share.
    #[must_use]
    pub fn of(self, other: Self) -> Self {
        Self(self.0 * other.0)
    }

    /// What is left of all requests, if anything is: less than a millionth is rounding.
    pub fn rest(self) -> Option<Self> {
        Self::new(1.0 - self.0).filter(|rest| rest.0 > 1e-6)
    }
}

impl FromStr for Share {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Self, ShareError> {
        let wrong = || ShareError(text.to_owned());
        let (number, scale) = match text.trim().strip_suffix('%') {
            Some(percent) => (percent, 100.0),
            None => (text, 1.0),
        };
        let number: f64 = number.trim().parse().map_err(|_| wrong())?;
        Self::new(number / scale).ok_or_else(wrong)
    }
}

impl fmt::Display for Share {
    /// In percent, with a decimal where there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = (self.0 * 1000.0).round() / 10.0;
        write!(f, "{percent} %")
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShareVisitor)
    }
}

struct ShareVisitor;

impl Visitor<'_> for ShareVisitor {
    type Value = Share;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a share of the requests, as 20% or 0.2")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Share, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_f64<E: Error>(self, share: f64) -> Result<Share, E> {
        Share::new(share).ok_or_else(|| E::custom(ShareError(in_short(share))))
    }

    fn visit_u64<E: Error>(self, share: u64) -> Result<Share, E> {
        self.visit_str(&share.to_string())
    }

    fn visit_i64<E: Error>(self, share: i64) -> Result<Share, E> {
        self.visit_str(&share.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_as_percent_or_as_fraction() {
        assert_eq!("20%".parse(), Ok(Share(0.2)));
        assert_eq!(" 12.5 %".parse(), Ok(Share(0.125)));
        assert_eq!("0.2".parse(), Ok(Share(0.2)));
        assert_eq!("1".parse(), Ok(Share::ALL));
        for text in ["0", "0%", "-5%", "101%", "20", "NaN", "%", "", "a fifth"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }

    #[test]
    fn shares_print_in_percent() {
        assert_eq!(Share(0.2).to_string(), "20 %");
        assert_eq!(Share(0.125).to_string(), "12.5 %");
        assert_eq!(Share(0.8).rest().map(|s| s.to_string()).as_deref(), Some("20 %"));
        assert_eq!(Share::ALL.rest(), None);
    }
}
