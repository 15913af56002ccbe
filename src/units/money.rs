use std::fmt;
use std::str::FromStr;

/// US dollars a month: 0 or more.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Money(f64);

/// Why a text is not a price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a price: write dollars a month, as $12")]
pub struct MoneyError(String);

impl Money {
    /// This many dollars a month; below zero and not-a-number give 0.
    pub const fn new(dollars: f64) -> Self {
        Self(if dollars > 0.0 { dollars } else { 0.0 })
    }

    /// Dollars a month.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        match text.trim().trim_start_matches('$').parse::<f64>() {
            Ok(dollars) if (0.0..=1e9).contains(&dollars) => Ok(Self(dollars)),
            _ => Err(MoneyError(text.to_owned())),
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}", (self.0 * 100.0).round() / 100.0)
    }
}
