use std::fmt;
use std::str::FromStr;

use super::{Seconds, Share};

/// What most answers must keep: `p95=2s` is 95 % of them within two seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Objective {
    /// Of the answers, 50 % to 99.9 %.
    pub share: Share,
    /// From the arrival to the answer.
    pub latency: Seconds,
}

/// Why a text is no objective.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an objective: write p95=2s or p99=500ms, p50 to p99.9")]
pub struct ObjectiveError(String);

impl FromStr for Objective {
    type Err = ObjectiveError;

    fn from_str(text: &str) -> Result<Self, ObjectiveError> {
        let wrong = || ObjectiveError(text.to_owned());
        let (share, latency) = text.trim().split_once('=').ok_or_else(wrong)?;
        let percent: f64 =
            share.strip_prefix(['p', 'P']).and_then(|n| n.parse().ok()).ok_or_else(wrong)?;
        let is_possible = (50.0..=99.9).contains(&percent);
        let share = Share::new(percent / 100.0).filter(|_| is_possible).ok_or_else(wrong)?;
        Ok(Self { share, latency: latency.parse().map_err(|_| wrong())? })
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = (self.share.get() * 1000.0).round() / 10.0;
        write!(f, "p{percent} ≤ {}", self.latency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objectives_are_read_and_shown() {
        let read = |text: &str| text.parse::<Objective>().map(|o| o.to_string());
        assert_eq!(read("p95=2s"), Ok("p95 ≤ 2.0 s".to_owned()));
        assert_eq!(read("P99.9=500ms"), Ok("p99.9 ≤ 500 ms".to_owned()));
        for text in ["", "95=2s", "p95", "p95=", "p0=1s", "p100=1s", "pNaN=1s", "p95=-1s"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
