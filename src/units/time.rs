use std::fmt;
use std::ops::Add;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::number::not_negative;

/// A length of time, or an amount of CPU time, in seconds: 0 or more.
#[derive(
    Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Seconds(#[serde(deserialize_with = "not_negative")] f64);

/// Why a text is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a length of time: write 500ms, 30s or 2m, above 0 and at most 24h")]
pub struct SecondsError(String);

impl Seconds {
    /// No time.
    pub const ZERO: Self = Self(0.0);

    /// This many seconds; below zero and not-a-number give 0.
    pub const fn new(seconds: f64) -> Self {
        Self(if seconds > 0.0 { seconds } else { 0.0 })
    }

    /// The number of seconds.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl From<Duration> for Seconds {
    fn from(duration: Duration) -> Self {
        Self(duration.as_secs_f64())
    }
}

impl Add for Seconds {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl FromStr for Seconds {
    type Err = SecondsError;

    /// Reads `500ms`, `30s`, `2m`, `1h`; a bare number is seconds.
    fn from_str(text: &str) -> Result<Self, SecondsError> {
        let wrong = || SecondsError(text.to_owned());
        let trimmed = text.trim();
        let digits = trimmed.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(trimmed.len());
        let (number, unit) = trimmed.split_at(digits);
        let factor = match unit {
            "ms" => 0.001,
            "" | "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            _ => return Err(wrong()),
        };
        let seconds = number.trim().parse::<f64>().map_err(|_| wrong())? * factor;
        if seconds > 0.0 && seconds <= 86_400.0 { Ok(Self(seconds)) } else { Err(wrong()) }
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            0.0 => "0 s".to_owned(),
            s if s < 0.000_999_5 => format!("{:.0} µs", s * 1e6),
            s if s < 0.009_95 => format!("{:.1} ms", s * 1e3),
            s if s < 0.999_5 => format!("{:.0} ms", s * 1e3),
            s if s < 9.95 => format!("{s:.1} s"),
            s if s < 120.0 => format!("{s:.0} s"),
            s => format!("{:.0} min", s / 60.0),
        };
        f.pad(&text)
    }
}

/// Something per second, such as requests: 0 or more.
#[derive(
    Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Rate(#[serde(deserialize_with = "not_negative")] f64);

impl Rate {
    /// This many per second; below zero and not-a-number give 0.
    pub const fn per_second(rate: f64) -> Self {
        Self(if rate > 0.0 { rate } else { 0.0 })
    }

    /// How many per second.
    pub const fn get(self) -> f64 {
        self.0
    }
}

/// Why a text is no rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a rate: write 10, 10/s, 600/min or 50000/day, above 0")]
pub struct RateError(String);

impl FromStr for Rate {
    type Err = RateError;

    /// Reads `10`, `10/s`, `600/min`, `9000/h`, `50000/day`; a bare number is a second's.
    fn from_str(text: &str) -> Result<Self, RateError> {
        let wrong = || RateError(text.to_owned());
        let (number, unit) = text.trim().split_once('/').unwrap_or((text.trim(), "s"));
        let seconds = match unit.trim() {
            "s" | "sec" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" | "day" => 86_400.0,
            _ => return Err(wrong()),
        };
        let rate = number.trim().parse::<f64>().map_err(|_| wrong())? / seconds;
        if rate > 0.0 && rate <= 1e9 { Ok(Self(rate)) } else { Err(wrong()) }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            r if r > 0.0 && r < 0.095 => fewer_than_one(r),
            r if r < 0.995 => format!("{r:.2}/s"),
            r if r < 99.5 => format!("{r:.1}/s"),
            r => format!("{r:.0}/s"),
        };
        f.pad(&text)
    }
}

/// In the longest of minutes, hours and days in which a request is to be expected; else as it is.
fn fewer_than_one(per_second: f64) -> String {
    let units = [(60.0, "min"), (3600.0, "h"), (86_400.0, "day")];
    let found = units.into_iter().find(|(seconds, _)| per_second * seconds >= 0.995);
    match found {
        Some((seconds, unit)) => format!("{:.1}/{unit}", per_second * seconds),
        None => format!("{:.1e}/day", per_second * 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use serde::de::IntoDeserializer;

    use super::*;

    #[test]
    fn lengths_of_time_are_read() {
        for (text, seconds) in
            [("30s", 30.0), ("500ms", 0.5), ("2m", 120.0), ("1h", 3600.0), ("7", 7.0)]
        {
            assert_eq!(text.parse(), Ok(Seconds(seconds)), "{text}");
        }
        for text in ["", "s", "0s", "-1s", "NaN", "inf", "1d", "25h"] {
            assert!(text.parse::<Seconds>().is_err(), "{text}");
        }
    }

    fn read<'de, T: Deserialize<'de>, V: IntoDeserializer<'de>>(value: V) -> Option<T> {
        T::deserialize(value.into_deserializer()).ok()
    }

    #[test]
    fn what_is_read_is_a_number_that_can_be() {
        assert_eq!(read(0.0), Some(Seconds(0.0)));
        assert_eq!(read(1e-9), Some(Seconds(1e-9)));
        assert_eq!(read(3u64), Some(Seconds(3.0)));
        assert_eq!(read(3u64), Some(Rate(3.0)));
        for value in [-1.0, -0.5, 1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(read::<Seconds, _>(value), None, "{value}");
            assert_eq!(read::<Rate, _>(value), None, "{value}");
        }
        assert_eq!(read::<Seconds, _>(-1i64), None);
        assert_eq!(read::<Seconds, _>("1"), None);
    }

    #[test]
    fn rates_are_read() {
        for (text, rate) in [("10", 10.0), ("10/s", 10.0), ("600/min", 10.0), ("864000/day", 10.0)]
        {
            assert_eq!(text.parse(), Ok(Rate(rate)), "{text}");
        }
        for text in ["", "0", "-1/s", "ten", "10/week", "NaN", "inf", "/s"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn display_picks_the_unit() {
        let shown = |s: f64| Seconds(s).to_string();
        assert_eq!(shown(0.000_25), "250 µs");
        assert_eq!(shown(0.0034), "3.4 ms");
        assert_eq!(shown(0.034), "34 ms");
        assert_eq!(shown(0.9996), "1.0 s");
        assert_eq!(shown(19.6), "20 s");
        assert_eq!(shown(300.0), "5 min");
        assert_eq!(Rate(12.34).to_string(), "12.3/s");
        assert_eq!(Rate(0.5).to_string(), "0.50/s");
    }
}
