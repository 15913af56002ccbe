//! Reading numbers that must lie in a range, and texts that are printed. The check is made while the value is read: an error
//! that is raised there carries the place of the value, one that is raised later only that of the
//! section around it.

use std::fmt;
use std::marker::PhantomData;
use std::ops::RangeInclusive;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::text::line;

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

/// The most entries of a list or a map that people write: each is a row of a table.
pub const MOST_ENTRIES: usize = 1000;

/// Reads a list of at most [`MOST_ENTRIES`].
///
/// # Errors
/// Where it is longer, or an entry is wrong.
pub fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Vec<T>, D::Error> {
    short_list::<D, T, MOST_ENTRIES>(d)
}

/// Reads a list of at most so many.
///
/// # Errors
/// As [`list`].
pub fn short_list<'de, D: Deserializer<'de>, T: Deserialize<'de>, const MOST: usize>(
    d: D,
) -> Result<Vec<T>, D::Error> {
    d.deserialize_seq(List::<T, MOST>(PhantomData))
}

struct List<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for List<T, MOST> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = list.next_element()? {
            fits(entries.len(), MOST)?;
            entries.push(entry);
        }
        Ok(entries)
    }
}

/// That a list or map of this length may have another entry.
///
/// # Errors
/// Where it has [`MOST_ENTRIES`].
pub fn room_for_another<E: Error>(length: usize) -> Result<(), E> {
    fits(length, MOST_ENTRIES)
}

fn fits<E: Error>(length: usize, most: usize) -> Result<(), E> {
    if length < most {
        return Ok(());
    }
    Err(E::custom(format!("there are more than {most} entries, the most that are read")))
}

/// Reads a text that is printed in a table or a heading: it is not empty, and holds no line break
/// and no escape for the terminal of whoever reads the report.
///
/// # Errors
/// Where it does not.
pub fn one_line<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    deserializer.deserialize_str(OneLine)
}

/// [`one_line`], for a text that may be missing.
///
/// # Errors
/// As [`one_line`].
pub fn one_line_if_any<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    struct Text(#[serde(deserialize_with = "one_line")] String);
    Ok(Option::<Text>::deserialize(d)?.map(|text| text.0))
}

struct OneLine;

impl Visitor<'_> for OneLine {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text of one line")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        match first_fault(text) {
            None => Ok(text.to_owned()),
            Some(fault) => Err(E::custom(fault)),
        }
    }
}

/// The longest text that is printed, in bytes: names, titles and remarks have a line, and what a service
/// says of a failure a page.
const LONGEST: usize = 16 << 10;

/// Why a text cannot be printed as it is.
pub fn first_fault(text: &str) -> Option<&'static str> {
    if text.len() > LONGEST {
        Some("it is longer than 16 KiB: write a line")
    } else if text.trim().is_empty() {
        Some("it is empty: write a word or two")
    } else if text.chars().any(char::is_control) {
        Some("it holds a line break or another control character: write it on one line")
    } else {
        None
    }
}

/// The text of a file's name, in which anything can be, as one that [`one_line`] reads again.
pub fn made_one_line(text: &str) -> String {
    let plain = line(text);
    let plain = plain.get(..plain.floor_char_boundary(LONGEST)).unwrap_or_default();
    if plain.trim().is_empty() { "unnamed".to_owned() } else { plain.to_owned() }
}
