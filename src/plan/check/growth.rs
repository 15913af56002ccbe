//! What has grown since a baseline, against the noise of both measurements.

use super::{Doubt, LONGEST, Outcome};
use crate::footprint::{Footprint, Point};
use crate::plan::Plan;
use crate::units::{Bytes, Source, Span};

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
    /// What two measurements of the same service differ by, as a share of the baseline: the half
    /// widths of both intervals, which are independent.
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

/// Whether what was measured then says something of now: same settings, topology, ONNX Runtime,
/// image and inputs. Another CPU changes the time that is taken, not what is compared here: RAM.
///
/// # Errors
/// With the first that differs.
pub fn comparable(then: &Footprint, now: &Footprint) -> Result<(), Difference> {
    differences(then, now).into_iter().next().map_or(Ok(()), Err)
}

/// All in which two footprints are not of a service on the same terms.
pub fn differences(then: &Footprint, now: &Footprint) -> Vec<Difference> {
    let told = |ours: &Footprint, theirs: &Footprint| {
        let changes = ours.environment.settings.beside(&theirs.environment.settings);
        changes.map(|c| c.to_string()).collect::<Vec<_>>().join(", ")
    };
    let image = |f: &Footprint| f.image.as_ref().map_or("none".to_owned(), ToString::to_string);
    let kind = |f: &Footprint| if f.live.is_some() { "live" } else { "run here" }.to_owned();
    let threads = |f: &Footprint| f.environment.threads().to_string();
    let both = |what, of: &dyn Fn(&Footprint) -> String| (what, of(then), of(now));
    let mut found = vec![
        both("topology", &|f| f.topology.to_string()),
        both("ONNX Runtime", &|f| f.environment.onnxruntime.clone()),
        both("image", &image),
        both("kind of service", &kind),
        ("set of settings", told(then, now), told(now, then)),
    ];
    // Where they are left to the machine, the same settings give other threads.
    if then.environment.settings == now.environment.settings {
        found.push(both("number of threads", &threads));
    }
    let edge = |f: &Footprint| f.image.as_ref().and_then(|image| image.heatmap_edge);
    if let (Some(before), Some(after)) = (edge(then), edge(now)) {
        found.push(("edge of heatmaps", before.to_string(), after.to_string()));
    }
    for model in &now.models {
        let before = then.models.iter().find(|m| m.name == model.name);
        // Of planted costs and of older records they are not known.
        let known = before.filter(|m| !m.inputs.is_empty() && !model.inputs.is_empty());
        if let Some(before) = known {
            let inputs = |inputs: &[String]| inputs.join("; ");
            found.push(("set of inputs", inputs(&before.inputs), inputs(&model.inputs)));
        }
    }
    found.retain(|(_, then, now)| then != now);
    found.into_iter().map(|(what, then, now)| Difference { what, then, now }).collect()
}

/// A footprint and what follows from it.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// What was measured.
    pub footprint: &'a Footprint,
    /// The plan of it.
    pub plan: &'a Plan,
}

/// Each part, what has grown most first.
pub fn grown(then: Side<'_>, now: Side<'_>) -> Vec<Grown> {
    let load = [then.plan.ram.load_peak, now.plan.ram.load_peak];
    let [base, buffer] =
        alike(processes(then.footprint), processes(now.footprint)).unwrap_or_else(|| {
            let part = |get: fn(&Plan) -> Span<Bytes>| [get(then.plan), get(now.plan)];
            [part(|p| p.ram.base), part(|p| p.ram.buffer)]
        });
    let mut parts =
        vec![part(Part::Base, base), part(Part::Buffer, buffer), part(Part::LoadPeak, load)];
    parts.sort_by(|a, b| b.change.total_cmp(&a.change));
    parts
}

fn part(part: Part, [then, now]: [Span<Bytes>; 2]) -> Grown {
    let (a, b) = (then.typical().as_f64(), now.typical().as_f64());
    let half = |s: &Span<Bytes>| s.high().saturating_sub(s.low()).as_f64() / 2.0;
    let share = |bytes: f64| if a > 0.0 { bytes / a } else { 0.0 };
    Grown { part, then, now, change: share(b - a), noise: share(half(&then).hypot(half(&now))) }
}

/// What was reached with n in flight by the process that reached least, and by how much the next one
/// and the highest reached more.
#[derive(Debug, Clone, Copy)]
struct Least {
    bytes: f64,
    gap: f64,
    spread: f64,
}

/// The least of at least two processes at each concurrency. What an arena takes depends on where
/// its blocks happen to fall, and only ever adds: the least is what repeats, from one measurement to
/// the next within a thousandth, where slopes and intercepts of whole lines differ by several
/// hundredths.
fn least(points: &[Point], n: u32) -> Option<Least> {
    let points = points.iter().filter(|p| p.concurrency == n);
    let mut peaks: Vec<f64> = points.map(|p| p.peak_bytes.as_f64()).collect();
    peaks.sort_by(f64::total_cmp);
    let (first, second, last) = (peaks.first()?, peaks.get(1)?, peaks.last()?);
    Some(Least { bytes: *first, gap: second - first, spread: last - first })
}

/// What each process reached; of services that are measured from outside nothing that repeats, because
/// their peaks also miss.
fn processes(footprint: &Footprint) -> &[Point] {
    if footprint.live.is_some() { &[] } else { &footprint.points }
}

/// Base and buffer of both, from the same two concurrencies: from a lone request to that at which the
/// processes of both agree best, a request. Where arenas take one step more in some processes and not
/// in others, all of a measurement may have taken it by chance.
fn alike(then: &[Point], now: &[Point]) -> Option<[[Span<Bytes>; 2]; 2]> {
    let lone = [least(then, 1)?, least(now, 1)?];
    let mut many: Vec<u32> = then.iter().map(|p| p.concurrency).filter(|n| *n > 1).collect();
    many.sort_unstable();
    many.dedup();
    let candidates = many.into_iter().filter_map(|n| {
        let ends = [least(then, n)?, least(now, n)?];
        let spread = lone.iter().chain(&ends).map(|l| l.spread).fold(0.0, f64::hypot);
        let buffers = [buffer(lone[0], ends[0], n), buffer(lone[1], ends[1], n)];
        Some((spread / f64::from(n - 1), buffers))
    });
    let (_, buffers) = candidates.min_by(|a, b| a.0.total_cmp(&b.0))?;
    let base = |lone: Least, buffer: &Span<Bytes>| {
        let bytes = lone.bytes - buffer.typical().as_f64();
        let gap = lone.gap.hypot(buffer.high().saturating_sub(buffer.low()).as_f64() / 2.0);
        around(bytes, gap)
    };
    Some([[base(lone[0], &buffers[0]), base(lone[1], &buffers[1])], buffers])
}

fn buffer(lone: Least, many: Least, n: u32) -> Span<Bytes> {
    let more = f64::from(n - 1);
    around((many.bytes - lone.bytes) / more, many.gap.hypot(lone.gap) / more)
}

fn around(bytes: f64, half: f64) -> Span<Bytes> {
    let [low, typical, high] =
        [bytes - half, bytes, bytes + half].map(|b| Bytes::from_f64(b.max(0.0)));
    Span::around(low, typical, high, Source::Measured)
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

    /// Peaks of three processes each with 1, 2 and 4 in flight, MiB.
    fn points(peaks: [[f64; 3]; 3]) -> Vec<Point> {
        let of = |(n, peaks): (u32, [f64; 3])| {
            (0..).zip(peaks).map(move |(repeat, mib)| {
                let bytes = Bytes::from_f64(mib * f64::from(1 << 20));
                Point {
                    concurrency: n,
                    peak_bytes: bytes,
                    anon_bytes: bytes,
                    file_bytes: Bytes::ZERO,
                    file_in_use_bytes: None,
                    repeat,
                    held_out: false,
                    flat: true,
                }
            })
        };
        [1, 2, 4].into_iter().zip(peaks).flat_map(of).collect()
    }

    /// As measured of one network: with four in flight an arena takes another 16 or 31 MiB in some
    /// processes, once in all three.
    #[test]
    fn a_step_that_an_arena_took_by_chance_is_no_growth() {
        let (one, two) = ([123.6, 123.7, 123.8], [180.8, 180.9, 181.0]);
        let then = points([one, two, [321.4, 321.6, 363.8]]);
        let now = points([one, two, [355.7, 355.7, 363.5]]);
        let [[base, base_now], [buffer, buffer_now]] = alike(&then, &now).unwrap();
        assert_eq!((base, buffer), (base_now, buffer_now));
        let mib = buffer.typical().as_f64() / f64::from(1 << 20);
        assert!((mib - 57.2).abs() < 0.01, "{mib}");
        // Where all agree at four, those tell most.
        let calm = points([one, two, [321.4, 321.4, 321.5]]);
        let [_, [buffer, _]] = alike(&calm, &calm).unwrap();
        let mib = buffer.typical().as_f64() / f64::from(1 << 20);
        assert!((mib - 65.93).abs() < 0.01, "{mib}");
    }
}
