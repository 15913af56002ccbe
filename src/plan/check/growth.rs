//! What has grown since a baseline, against the noise of both measurements.

use super::{Doubt, LONGEST, Outcome};
use crate::footprint::Footprint;
use crate::plan::Plan;
use crate::units::{Bytes, Span};

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What all requests share.
    Base,
    /// What each adds.
    Buffer,
    /// The height of loading.
    LoadPeak,
}

impl Part {
    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Buffer => "a request",
            Self::LoadPeak => "loading",
        }
    }
}

/// One part, then and now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grown {
    /// Which.
    pub part: Part,
    /// In the baseline.
    pub then: Span<Bytes>,
    /// Measured now.
    pub now: Span<Bytes>,
    /// (now − then) / then; 0 where both are nothing.
    pub change: f64,
    /// What two measurements of the same service differ by, 95 %, as a share of the baseline: the
    /// half widths of both intervals, which are independent.
    pub noise: f64,
}

/// Two footprints that cannot be compared, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the baseline was measured with another {what} ({then}, now {now}), so a change would not be the service's: \
     measure as it was, or write a new baseline with --update-baseline"
)]
pub struct Difference {
    /// What differs.
    pub what: &'static str,
    /// In the baseline.
    pub then: String,
    /// Now.
    pub now: String,
}

/// Whether what was measured then says something of now: same settings, topology, ONNX Runtime and
/// image. Another CPU changes the time that is taken, not what is compared here: RAM.
///
/// # Errors
/// With the first that differs.
pub fn comparable(then: &Footprint, now: &Footprint) -> Result<(), Difference> {
    let image = |f: &Footprint| {
        f.image.as_ref().map_or("none".to_owned(), |i| format!("{} × {}", i.width, i.height))
    };
    let of = |f: &Footprint| {
        [
            ("topology", f.topology.to_string()),
            ("ONNX Runtime", f.environment.onnxruntime.clone()),
            ("image", image(f)),
            ("kind of service", if f.live.is_some() { "live" } else { "run here" }.to_owned()),
        ]
    };
    for ((what, then), (_, now)) in of(then).into_iter().zip(of(now)) {
        if then != now {
            return Err(Difference { what, then, now });
        }
    }
    let told = |ours: &Footprint, theirs: &Footprint| {
        let changes = ours.environment.settings.beside(&theirs.environment.settings);
        changes.map(|c| c.to_string()).collect::<Vec<_>>().join(", ")
    };
    if then.environment.settings != now.environment.settings {
        let (then, now) = (told(then, now), told(now, then));
        return Err(Difference { what: "set of settings", then, now });
    }
    if then.environment.threads() != now.environment.threads() {
        let told = |f: &Footprint| f.environment.threads().to_string();
        return Err(Difference { what: "number of threads", then: told(then), now: told(now) });
    }
    Ok(())
}

/// Each part, what has grown most first.
pub fn grown(then: &Plan, now: &Plan) -> Vec<Grown> {
    let part = |part, then: Span<Bytes>, now: Span<Bytes>| {
        let (a, b) = (then.typical().as_f64(), now.typical().as_f64());
        let half = |s: &Span<Bytes>| s.high().saturating_sub(s.low()).as_f64() / 2.0;
        let share = |bytes: f64| if a > 0.0 { bytes / a } else { 0.0 };
        Grown { part, then, now, change: share(b - a), noise: share(half(&then).hypot(half(&now))) }
    };
    let mut parts = vec![
        part(Part::Base, then.ram.base, now.ram.base),
        part(Part::Buffer, then.ram.buffer, now.ram.buffer),
        part(Part::LoadPeak, then.ram.load_peak, now.ram.load_peak),
    ];
    parts.sort_by(|a, b| b.change.total_cmp(&a.change));
    parts
}

/// Over where a part has grown by more than may be and by more than the noise of both; within where
/// none has, and the noise would not have hidden it.
pub(super) fn outcome(parts: &[Grown], most: f64) -> Outcome {
    let is_over = |p: &Grown| p.change > most && p.change > p.noise;
    if parts.iter().any(is_over) {
        return Outcome::Over;
    }
    let hidden = parts.iter().filter(|p| p.change > most || p.noise > 2.0 * most);
    let worst = hidden.map(|p| (p.noise / most).powi(2)).reduce(f64::max);
    match worst {
        None => Outcome::Within,
        Some(times) if (1.0..=LONGEST).contains(&times) => Outcome::Undecided(Doubt::Longer(times)),
        Some(_) => Outcome::Undecided(Doubt::TooClose),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Source;

    fn part(change: f64, noise: f64) -> Grown {
        let span = Span::exact(Bytes::mib(100), Source::Fitted);
        Grown { part: Part::Base, then: span, now: span, change, noise }
    }

    #[test]
    fn a_regression_is_more_than_the_noise_of_both() {
        assert_eq!(outcome(&[part(0.10, 0.03)], 0.05), Outcome::Over);
        assert_eq!(outcome(&[part(0.04, 0.03)], 0.05), Outcome::Within);
        assert_eq!(outcome(&[part(-0.3, 0.03)], 0.05), Outcome::Within);
        // It may have grown by that or by nothing.
        assert_eq!(outcome(&[part(0.06, 0.10)], 0.05), Outcome::Undecided(Doubt::Longer(4.0)));
        // It seems not to have grown, and a growth of 5 % would not be seen.
        assert!(matches!(outcome(&[part(0.0, 0.15)], 0.05), Outcome::Undecided(_)));
        assert_eq!(outcome(&[part(0.0, 0.01), part(0.2, 0.01)], 0.05), Outcome::Over);
    }
}
