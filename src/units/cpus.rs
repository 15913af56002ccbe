use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::number::{in_short, number};

/// A number of CPUs that a box may use: above 0, fractions allowed (`0.5` is a quota of half a
/// CPU's time).
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Cpus(#[serde(deserialize_with = "cpus")] f64);

fn cpus<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    number(deserializer, "a number of CPUs, as 1 or 0.5", |cpus| {
        Cpus::read(cpus, &in_short(cpus)).map(Cpus::get).map_err(|e| e.to_string())
    })
}

/// Why a text is not a number of CPUs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CpusError {
    /// It is not a number.
    #[error("`{0}` is not a number of CPUs: write 1, 2 or a fraction as 0.5")]
    NotANumber(String),
    /// It is zero, below zero, or more than any machine has.
    #[error("`{0}` CPUs: it must be at least 0.01 and at most 4096")]
    OutOfRange(String),
}

impl Cpus {
    /// The smallest quota that is accepted: the kernel's period is 100 ms and its slice 1 ms.
    pub const MIN: f64 = 0.01;
    /// More than any machine has.
    pub const MAX: f64 = 4096.0;

    /// This many CPUs, `None` outside 0.01 to 4096.
    pub fn new(cpus: f64) -> Option<Self> {
        (Self::MIN..=Self::MAX).contains(&cpus).then_some(Self(cpus))
    }

    /// The same, of a number that was written as `text`.
    fn read(cpus: f64, text: &str) -> Result<Self, CpusError> {
        if cpus.is_nan() {
            return Err(CpusError::NotANumber(text.to_owned()));
        }
        Self::new(cpus).ok_or_else(|| CpusError::OutOfRange(text.to_owned()))
    }

    /// The number, above 0.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for Cpus {
    type Err = CpusError;

    fn from_str(text: &str) -> Result<Self, CpusError> {
        let number = |text: &str| text.parse::<f64>().ok();
        let trimmed = text.trim();
        let cpus = match trimmed.strip_suffix('m') {
            // Thousandths, as Kubernetes writes them.
            Some(thousandths) => number(thousandths).map(|n| n / 1000.0),
            None => number(trimmed),
        };
        Self::read(cpus.ok_or_else(|| CpusError::NotANumber(text.to_owned()))?, text)
    }
}

impl fmt::Display for Cpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounded = (self.0 * 100.0).round() / 100.0;
        write!(f, "{rounded} CPU{}", if rounded == 1.0 { "" } else { "s" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_read_and_nonsense_is_refused() {
        assert_eq!("0.5".parse::<Cpus>().map(Cpus::get), Ok(0.5));
        assert_eq!("500m".parse::<Cpus>().map(Cpus::get), Ok(0.5));
        assert_eq!("2500m".parse::<Cpus>().map(Cpus::get), Ok(2.5));
        for text in ["0", "1m", "m", "0.5mm", "-1", "NaN", "nan", "inf", "two", "", "1e9"] {
            assert!(text.parse::<Cpus>().is_err(), "{text}");
        }
    }

    #[test]
    fn one_is_singular() {
        let shown = |t: &str| t.parse::<Cpus>().map(|c| c.to_string());
        assert_eq!(shown("1").as_deref(), Ok("1 CPU"));
        assert_eq!(shown("0.5").as_deref(), Ok("0.5 CPUs"));
    }
}
