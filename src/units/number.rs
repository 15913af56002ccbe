//! Numbers that are read from files. The range is checked while the number is read: an error that is
//! raised there carries the place of the number, one that is raised later that of the section around
//! it.

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};

/// Reads a number, with or without a fraction, through the constructor of its unit; `what` says in an
/// error about something else what was expected.
pub(super) fn number<'de, D: Deserializer<'de>>(
    deserializer: D,
    what: &'static str,
    check: fn(f64) -> Result<f64, String>,
) -> Result<f64, D::Error> {
    deserializer.deserialize_f64(Number { what, check })
}

/// Reads a number of 0 or more that is small enough to be squared and summed.
///
/// # Errors
/// Where it is not a number, infinite, below 0 or above 10¹².
pub fn not_negative<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    number(deserializer, "a number of 0 or more", |value| {
        if (0.0..=MOST).contains(&value) {
            Ok(value)
        } else {
            Err(format!("{} is out of range: use 0 to {MOST:e}", in_short(value)))
        }
    })
}

/// A number as a person writes it: `5`, `0.5`, and `1e300` instead of three hundred digits.
pub(super) fn in_short(value: f64) -> String {
    let text = format!("{value:?}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// The largest number that is accepted.
const MOST: f64 = 1e12;

struct Number {
    what: &'static str,
    check: fn(f64) -> Result<f64, String>,
}

impl Visitor<'_> for Number {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<f64, E> {
        (self.check)(value).map_err(E::custom)
    }

    #[expect(clippy::cast_precision_loss, reason = "only the range is checked")]
    fn visit_u64<E: Error>(self, value: u64) -> Result<f64, E> {
        self.visit_f64(value as f64)
    }

    #[expect(clippy::cast_precision_loss, reason = "only the range is checked")]
    fn visit_i64<E: Error>(self, value: i64) -> Result<f64, E> {
        self.visit_f64(value as f64)
    }
}
