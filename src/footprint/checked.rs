//! Reading numbers that must lie in a range. The check is made while the value is read: an error
//! that is raised there carries the place of the value, one that is raised later only that of the
//! section around it.

use std::fmt;
use std::marker::PhantomData;
use std::ops::RangeInclusive;

use serde::Deserializer;
use serde::de::{Error, Visitor};

/// Reads a whole number from `range`; `what` names it in errors.
///
/// # Errors
/// Where it is no whole number or lies outside.
pub fn whole_number<'de, D: Deserializer<'de>, T: TryFrom<u64>>(
    deserializer: D,
    what: &'static str,
    range: RangeInclusive<u64>,
) -> Result<T, D::Error> {
    deserializer.deserialize_u64(InRange { what, range, of: PhantomData })
}

struct InRange<T> {
    what: &'static str,
    range: RangeInclusive<u64>,
    of: PhantomData<T>,
}

impl<T: TryFrom<u64>> Visitor<'_> for InRange<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} to {}", self.what, self.range.start(), self.range.end())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<T, E> {
        let inside = Some(value).filter(|v| self.range.contains(v)).map(T::try_from);
        inside.and_then(Result::ok).ok_or_else(|| self.refused(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<T, E> {
        match u64::try_from(value) {
            Ok(value) => self.visit_u64(value),
            Err(_) => Err(self.refused(value)),
        }
    }
}

impl<T> InRange<T> {
    fn refused<E: Error>(&self, value: impl fmt::Display) -> E {
        let (least, most) = (self.range.start(), self.range.end());
        E::custom(if least == most {
            format!("{value} is no {}: it must be {least}", self.what)
        } else {
            format!("{value} is no {}: use {least} to {most}", self.what)
        })
    }
}
