use std::fmt;
use std::str::FromStr;

use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// The size of an image: 0.1 to 50 megapixels, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Megapixels(u32);

/// Why a text is not a size of an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MegapixelsError {
    /// It has another form.
    #[error("`{0}` is no size of an image: write megapixels, as in 4mp or 0.5mp")]
    NotASize(String),
    /// It is too small or too large.
    #[error("`{0}`: an image has at least 0.1mp and at most 50mp")]
    OutOfRange(String),
}

impl Megapixels {
    /// What a phone sends after scaling.
    pub const TWO: Self = Self(2000);

    /// Thousandths of a megapixel that are accepted.
    const RANGE: std::ops::RangeInclusive<f64> = 100.0..=50_000.0;

    /// Pixels across and down of an image of this size in the proportions 4:3, each rounded to an
    /// even number, as JPEG's halved colours have it.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "50 megapixels are 8165 across"
    )]
    pub fn dimensions(self) -> (u32, u32) {
        let pixels = f64::from(self.0) * 1000.0;
        let even = |edge: f64| 2 * (edge / 2.0).round() as u32;
        (even((pixels * 4.0 / 3.0).sqrt()), even((pixels * 3.0 / 4.0).sqrt()))
    }

    /// The size that a text gives, or `None` where it has another form, as the name of a file has.
    ///
    /// # Errors
    /// Where the size is out of range.
    pub fn if_size(text: &str) -> Option<Result<Self, MegapixelsError>> {
        match text.parse() {
            Err(MegapixelsError::NotASize(_)) => None,
            size => Some(size),
        }
    }
}

impl FromStr for Megapixels {
    type Err = MegapixelsError;

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range was checked"
    )]
    fn from_str(text: &str) -> Result<Self, MegapixelsError> {
        let not = || MegapixelsError::NotASize(text.to_owned());
        let number = text.strip_suffix("mp").or_else(|| text.strip_suffix("MP")).ok_or_else(not)?;
        let size: f64 = number.parse().ok().filter(|n: &f64| n.is_finite()).ok_or_else(not)?;
        let thousandths = (size * 1000.0).round();
        if !Self::RANGE.contains(&thousandths) {
            return Err(MegapixelsError::OutOfRange(text.to_owned()));
        }
        Ok(Self(thousandths as u32))
    }
}

impl fmt::Display for Megapixels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}mp", f64::from(self.0) / 1000.0))
    }
}

impl Serialize for Megapixels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Megapixels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Word)
    }
}

struct Word;

impl Visitor<'_> for Word {
    type Value = Megapixels;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size of an image, as in 4mp")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Megapixels, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_four_by_three_and_even() {
        assert_eq!(Megapixels::TWO.dimensions(), (1632, 1224));
        for text in ["0.1mp", "1mp", "2mp", "4mp", "12mp", "12.5mp", "50mp"] {
            let size: Megapixels = text.parse().unwrap();
            assert_eq!(size.to_string(), text);
            let (width, height) = size.dimensions();
            assert!(width % 2 == 0 && height % 2 == 0, "{text}: {width}×{height}");
            let pixels = f64::from(width) * f64::from(height);
            assert!((pixels / (f64::from(size.0) * 1000.0) - 1.0).abs() < 0.01, "{text}");
            assert!((f64::from(width) / f64::from(height) - 4.0 / 3.0).abs() < 0.01, "{text}");
        }
    }

    #[test]
    fn what_is_no_size_may_be_a_file() {
        for text in ["scan.jpg", "mp", "fourmp", "4 mpx", "4", "NaNmp", "infmp", "", "scans/4mp"] {
            assert_eq!(Megapixels::if_size(text), None, "{text}");
        }
        for text in ["0mp", "0.09mp", "-1mp", "50.1mp", "1e9mp"] {
            let refused = Megapixels::if_size(text).unwrap().unwrap_err();
            assert_eq!(refused, MegapixelsError::OutOfRange(text.to_owned()));
        }
    }
}
