use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul};
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A number of bytes: 0 to 2^64 - 1. JSON and YAML carry it as a plain number of bytes.
///
/// Displays in KiB, in MiB from 1 MiB on and in GiB from 1 GiB on, with the precision of the format
/// string (default: none for MiB from 10 on, one for less, two for GiB).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Default,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Bytes(u64);

/// Why a text is not a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BytesError {
    /// Nothing before the unit is a number.
    #[error("`{0}` is not a size: write a number and a unit, as in 512M, 1G or 1.5Gi")]
    NotANumber(String),
    /// The unit is not one that is known.
    #[error("`{text}` is not a size: `{unit}` is no unit; use K, M, G or T (also KiB, MB, Gi …)")]
    UnknownUnit {
        /// What was written.
        text: String,
        /// The part that was taken for the unit.
        unit: String,
    },
    /// The number is below zero.
    #[error("`{0}` is negative: a size is 0 or more")]
    Negative(String),
    /// The number does not fit 64 bits.
    #[error("`{0}` is more than any machine has")]
    TooLarge(String),
}

impl Bytes {
    /// No bytes.
    pub const ZERO: Self = Self(0);
    /// 1024² bytes.
    pub const MIB: Self = Self(1 << 20);
    /// 1024³ bytes.
    pub const GIB: Self = Self(1 << 30);

    /// This many bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// This many MiB (1024² bytes).
    pub const fn mib(mib: u64) -> Self {
        Self(mib << 20)
    }

    /// The nearest whole number of bytes; below zero and not-a-number give 0.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float cast saturates, which is the meaning wanted here"
    )]
    pub fn from_f64(bytes: f64) -> Self {
        Self(bytes.round() as u64)
    }

    /// The number of bytes.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number of bytes for arithmetic; exact up to 2^53 (8 PiB).
    #[expect(clippy::cast_precision_loss, reason = "exact for all RAM there is")]
    pub const fn as_f64(self) -> f64 {
        self.0 as f64
    }

    /// The number of MiB.
    pub fn as_mib(self) -> f64 {
        self.as_f64() / Self::MIB.as_f64()
    }

    /// The difference, 0 where `other` is larger.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The next multiple of `step` (unchanged where `step` is 0 or it is one).
    #[must_use]
    pub fn round_up_to(self, step: Self) -> Self {
        Self(self.0.checked_next_multiple_of(step.0).unwrap_or(self.0))
    }

    /// Parses a decimal-by-default size, for bandwidth and disk: `1G` is 10⁹, `1Gi` is 2³⁰.
    ///
    /// # Errors
    /// As [`Bytes::from_str`].
    pub fn parse_decimal(text: &str) -> Result<Self, BytesError> {
        parse(text, 1000)
    }

    /// The size as a person types it, for a command that is suggested: `512M`, `3G`, else bytes.
    pub fn as_argument(self) -> String {
        match self.0 {
            b if b > 0 && b % Self::GIB.0 == 0 => format!("{}G", b / Self::GIB.0),
            b if b > 0 && b % Self::MIB.0 == 0 => format!("{}M", b / Self::MIB.0),
            b => b.to_string(),
        }
    }
}

impl FromStr for Bytes {
    type Err = BytesError;

    /// Reads `512M`, `512MB`, `512MiB`, `1.5Gi`, `4096`: binary units, a bare number is bytes.
    fn from_str(text: &str) -> Result<Self, BytesError> {
        parse(text, 1024)
    }
}

/// `base` is what an unmarked K multiplies by; a marked one (`Ki`) is always 1024.
fn parse(text: &str, base: u32) -> Result<Bytes, BytesError> {
    let trimmed = text.trim();
    let digits = trimmed.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(digits);
    let value: f64 = number.trim().parse().map_err(|_| BytesError::NotANumber(text.to_owned()))?;
    if !value.is_finite() {
        return Err(BytesError::NotANumber(text.to_owned()));
    }
    let factor = unit_factor(unit, base)
        .ok_or_else(|| BytesError::UnknownUnit { text: text.to_owned(), unit: unit.to_owned() })?;
    if value.is_sign_negative() && value != 0.0 {
        return Err(BytesError::Negative(text.to_owned()));
    }
    let bytes = value * factor;
    if bytes >= 2f64.powi(63) {
        return Err(BytesError::TooLarge(text.to_owned()));
    }
    Ok(Bytes::from_f64(bytes))
}

fn unit_factor(unit: &str, base: u32) -> Option<f64> {
    let unit = unit.to_ascii_lowercase();
    let (prefix, marked) = match unit.strip_suffix('b').unwrap_or(&unit) {
        p if p.ends_with('i') => (p.trim_end_matches('i'), true),
        p => (p, false),
    };
    let power = match prefix {
        "" if !marked => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        _ => return None,
    };
    Some(f64::from(if marked { 1024 } else { base }).powi(power))
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = self.as_mib();
        // 1023.5 MiB would print as "1024 MiB".
        let text = if (1..Self::MIB.0 * 95 / 100).contains(&self.0) && f.precision().is_none() {
            format!("{:.0} KiB", (self.as_f64() / 1024.0).max(1.0))
        } else if mib >= 1023.5 {
            format!("{:.*} GiB", f.precision().unwrap_or(2), mib / 1024.0)
        } else {
            let precision = f.precision().unwrap_or(usize::from(mib < 9.95 && mib > 0.0));
            format!("{mib:.precision$} MiB")
        };
        // `pad` would take the precision for a length to cut to.
        match f.width() {
            Some(width) if f.align() == Some(fmt::Alignment::Left) => write!(f, "{text:<width$}"),
            Some(width) => write!(f, "{text:>width$}"),
            None => f.write_str(&text),
        }
    }
}

impl Add for Bytes {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Bytes {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Mul<u64> for Bytes {
    type Output = Self;
    fn mul(self, times: u64) -> Self {
        Self(self.0.saturating_mul(times))
    }
}

impl Sum for Bytes {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_binary_as_container_engines_read_them() {
        for (text, mib) in [
            ("512M", 512),
            ("512MB", 512),
            ("512MiB", 512),
            ("1G", 1024),
            ("1GiB", 1024),
            ("1.5Gi", 1536),
            ("1g", 1024),
            (" 2 G ", 2048),
            ("1T", 1 << 20),
        ] {
            assert_eq!(text.parse(), Ok(Bytes::mib(mib)), "{text}");
        }
        assert_eq!("4096".parse(), Ok(Bytes::new(4096)));
        assert_eq!("1b".parse(), Ok(Bytes::new(1)));
    }

    #[test]
    fn bandwidth_is_decimal_unless_it_says_i() {
        assert_eq!(Bytes::parse_decimal("1G"), Ok(Bytes::new(1_000_000_000)));
        assert_eq!(Bytes::parse_decimal("1Gi"), Ok(Bytes::GIB));
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["1X", "", "M", "one", "NaN", "inf", "1 0 M", "1..5G", "1MiBs", "1i", "0x10"] {
            assert!(text.parse::<Bytes>().is_err(), "{text}");
        }
        assert!(matches!("-1G".parse::<Bytes>(), Err(BytesError::Negative(_))));
        assert!(matches!(
            "1e30G".parse::<Bytes>(),
            Err(BytesError::NotANumber(_)
                | BytesError::TooLarge(_)
                | BytesError::UnknownUnit { .. })
        ));
        assert!(matches!("99999999999T".parse::<Bytes>(), Err(BytesError::TooLarge(_))));
    }

    #[test]
    fn display_keeps_three_digits_and_honours_the_format() {
        assert_eq!(Bytes::mib(512).to_string(), "512 MiB");
        assert_eq!(Bytes::mib(1024).to_string(), "1.00 GiB");
        assert_eq!(Bytes::mib(1536).to_string(), "1.50 GiB");
        assert_eq!(Bytes::new(8_000_000).to_string(), "7.6 MiB");
        assert_eq!(Bytes::ZERO.to_string(), "0 MiB");
        assert_eq!(Bytes::new(70_000).to_string(), "68 KiB");
        assert_eq!(Bytes::new(1).to_string(), "1 KiB");
        assert_eq!(format!("{:.1}", Bytes::mib(300)), "300.0 MiB");
        assert_eq!(format!("{:>9}|{:<9}", Bytes::mib(5), Bytes::mib(512)), "  5.0 MiB|512 MiB  ");
        assert_eq!(Bytes::from_f64(1_073_500_000.0).to_string(), "1.00 GiB");
    }

    #[test]
    fn an_argument_reads_back() {
        for bytes in [Bytes::mib(512), Bytes::mib(1024), Bytes::new(12345)] {
            assert_eq!(bytes.as_argument().parse(), Ok(bytes));
        }
    }

    proptest::proptest! {
        #[test]
        fn any_size_reads_back_from_its_argument(bytes in 0u64..1 << 52) {
            proptest::prop_assert_eq!(Bytes::new(bytes).as_argument().parse(), Ok(Bytes::new(bytes)));
        }

        #[test]
        fn any_text_is_a_size_or_an_error_and_never_a_panic(text in ".{0,12}") {
            let _ = text.parse::<Bytes>();
            let _ = Bytes::parse_decimal(&text);
        }

        #[test]
        fn a_larger_number_is_never_a_smaller_size(a in 0.0..1e6f64, more in 0.0..1e6f64, unit in "[kKmMgG]i?[bB]?") {
            let size = |n: f64| format!("{n}{unit}").parse::<Bytes>();
            proptest::prop_assert!(size(a) .is_ok());
            proptest::prop_assert!(size(a).ok() <= size(a + more).ok());
        }

        #[test]
        fn what_is_displayed_is_within_its_rounding(bytes in 1u64..1 << 44) {
            let shown = Bytes::new(bytes).to_string();
            let back = shown.parse::<Bytes>().map(Bytes::as_f64);
            let error = back.map(|b| (b / Bytes::new(bytes).as_f64() - 1.0).abs());
            proptest::prop_assert!(bytes < 1024 || error.is_ok_and(|e| e <= 0.34), "{} {}", bytes, shown);
        }
    }
}
