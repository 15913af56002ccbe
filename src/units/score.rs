use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How fast a CPU is: requests of a fixed mix of work that 100 CPU-seconds do, 1 to a million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct CpuScore(u32);

/// Why a number or a text is no score.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no CPU score: give what `calibrate` printed there, 1 to 1000000, as in 800 or 800/1600"
)]
pub struct CpuScoreError(String);

impl CpuScore {
    const RANGE: std::ops::RangeInclusive<u32> = 1..=1_000_000;

    /// Of a CPU that does one request of the mix in this many CPU-seconds, which is above 0.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    pub fn of(seconds: f64) -> Self {
        let score = (100.0 / seconds).round();
        Self(score.clamp(f64::from(*Self::RANGE.start()), f64::from(*Self::RANGE.end())) as u32)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for CpuScore {
    type Error = CpuScoreError;

    fn try_from(score: u32) -> Result<Self, CpuScoreError> {
        Self::RANGE.contains(&score).then_some(Self(score)).ok_or(CpuScoreError(score.to_string()))
    }
}

impl From<CpuScore> for u32 {
    fn from(score: CpuScore) -> Self {
        score.0
    }
}

impl fmt::Display for CpuScore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A CPU to size for: its score, and that of the CPU that the footprint was measured on where the
/// footprint does not say: `800` or `800/1600`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetScore {
    /// Of the CPU to size for.
    pub target: CpuScore,
    /// Of the one that was measured on.
    pub measured: Option<CpuScore>,
}

impl FromStr for TargetScore {
    type Err = CpuScoreError;

    fn from_str(text: &str) -> Result<Self, CpuScoreError> {
        let wrong = || CpuScoreError(text.to_owned());
        let score = |text: &str| {
            text.trim().parse().ok().and_then(|n: u32| CpuScore::try_from(n).ok()).ok_or_else(wrong)
        };
        Ok(match text.split_once('/') {
            Some((target, measured)) => {
                Self { target: score(target)?, measured: Some(score(measured)?) }
            }
            None => Self { target: score(text)?, measured: None },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_read() {
        let read = |text: &str| text.parse::<TargetScore>();
        let score = |n| CpuScore::try_from(n).unwrap();
        assert_eq!(read("800"), Ok(TargetScore { target: score(800), measured: None }));
        let both = TargetScore { target: score(800), measured: Some(score(1600)) };
        assert_eq!(read("800/1600"), Ok(both));
        for text in ["", "0", "-5", "800/", "/800", "fast", "1000001"] {
            assert!(read(text).is_err(), "{text}");
        }
        assert_eq!(CpuScore::of(0.0625).get(), 1600);
        assert_eq!(CpuScore::of(1e-9).get(), 1_000_000);
    }
}
