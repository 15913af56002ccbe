//! What a service does with its requests, told from outside: how many it works on at once, whether its
//! memory grows for ever, and what accumulates and then levels off.
//!
//! A service that works on K requests at once holds what K need, however many wait at its door:
//! `RAM(N) = a + b × min(N, K)`. Where memory does not move, the rate may tell: N users without a
//! pause get `X(N) = min(N, K) / time` where the time is not spent on the CPU.

mod history;

pub use history::{Accumulation, Reading, accumulation};

use super::line::{Line, Sample};

/// One concurrency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// Requests in flight, 1 or more.
    pub concurrency: u32,
    /// Height of the memory that nobody can drop, bytes, growth taken off.
    pub peak: f64,
    /// Answers a second.
    pub rate: f64,
    /// CPUs that the service used meanwhile.
    pub busy: f64,
    /// The rate is the driver's, not the service's.
    pub driver_bound: bool,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtOnce {
    /// Memory rises up to so many and not beyond.
    ByMemory(u32),
    /// The rate rises up to so many and not beyond, and the CPUs are not what holds it.
    ByRate(u32),
    /// Memory rises with every request that was in flight: no end was seen.
    NoEnd,
    /// Memory does not move, and the rate rises with every request that was in flight.
    NoEndByRate,
    /// Neither moves.
    Unknown,
}

impl AtOnce {
    /// The number, if one was found.
    pub const fn number(self) -> Option<u32> {
        match self {
            Self::ByMemory(n) | Self::ByRate(n) => Some(n),
            Self::NoEnd | Self::NoEndByRate | Self::Unknown => None,
        }
    }
}

/// A rise of less than this share of the level, or of less than these bytes, is noise.
const NOISE_SHARE: f64 = 0.004;
const NOISE_BYTES: f64 = (1 << 20) as f64;
/// A curve with an end must leave this share of the squares of one without.
const BETTER: f64 = 0.5;
/// More than this share of the CPUs is all of them.
const ALL_BUSY: f64 = 0.8;
/// A rate that grows by less than this share stands still.
const STANDS: f64 = 0.15;

/// How many requests a service of so many processes works on at once. `idle` is the height of its
/// memory before these requests and after the first ones, `cpus` what it could use.
pub fn at_once(idle: f64, seen: &[Seen], cpus: f64, workers: u32) -> AtOnce {
    let (Some(first), Some(last)) =
        (seen.iter().min_by_key(|s| s.concurrency), seen.iter().max_by_key(|s| s.concurrency))
    else {
        return AtOnce::Unknown;
    };
    let noise = NOISE_BYTES.max(idle * NOISE_SHARE);
    let rises = last.peak - first.peak > noise;
    let takes = first.peak - idle > noise;
    if last.concurrency <= first.concurrency {
        return AtOnce::Unknown;
    }
    if rises {
        return match by_memory(seen, last.concurrency, cpus) {
            // Which process gets a request is a matter of chance: with as many in flight as there
            // are processes one may have two and another none, and the end seems to be further out
            // than it is. How high the plain is in lone requests does not depend on that.
            AtOnce::ByMemory(k) if workers > 1 && takes => {
                let plain = (last.peak - idle) / (first.peak - idle) * f64::from(first.concurrency);
                AtOnce::ByMemory(k.min(whole(plain).max(workers)))
            }
            found => found,
        };
    }
    match by_rate(seen, cpus) {
        // Memory that a lone request takes and more do not take again is a witness of its own.
        _ if takes => AtOnce::ByMemory(first.concurrency),
        ByRate::End(n) => AtOnce::ByRate(n),
        ByRate::NoEnd => AtOnce::NoEndByRate,
        ByRate::Unknown => AtOnce::Unknown,
    }
}

/// The K with which `a + b × min(N, K)` leaves the least squares, if it explains much more than a
/// line does.
fn by_memory(seen: &[Seen], most: u32, cpus: f64) -> AtOnce {
    let squares = |k: u32| {
        let points: Vec<(f64, f64)> =
            seen.iter().map(|s| (f64::from(s.concurrency.min(k)), s.peak)).collect();
        left(&points)
    };
    let line = squares(most);
    let best = (1..most)
        .filter(|k| seen.iter().any(|s| s.concurrency > *k))
        .map(|k| (k, squares(k)))
        .min_by(|a, b| a.1.total_cmp(&b.1));
    let tallest = seen.iter().map(|s| s.peak).fold(0.0, f64::max);
    // A residue within the noise of each point is as good as none.
    #[expect(clippy::cast_precision_loss, reason = "a handful of points")]
    let noise = (tallest * NOISE_SHARE).powi(2) * seen.len() as f64;
    match best {
        // An end is believed where as many again were in flight and took nothing, or where the rate
        // tells the same: just below the most that was tried, a service that is short of CPU looks
        // like one with an end.
        Some((k, squares))
            if line > noise
                && squares < BETTER * line
                && (most >= k.saturating_mul(2) || is_told_by_rate(k, seen, cpus))
                && is_flat_after(seen, k) =>
        {
            AtOnce::ByMemory(k)
        }
        _ => AtOnce::NoEnd,
    }
}

/// Whether the rate ends at about `k`, too.
fn is_told_by_rate(k: u32, seen: &[Seen], cpus: f64) -> bool {
    let ByRate::End(n) = by_rate(seen, cpus) else { return false };
    f64::from(n.abs_diff(k)) <= f64::from(k) * STANDS
}

/// Memory that rises by less than this share of the pace of fewer requests falls behind. Of sixteen
/// in flight one that came too late is 6 %.
const IN_STEP: f64 = 0.97;
/// Where the rest would be too few, only by less than this.
const BARELY: f64 = 0.9;
/// Concurrencies that make a line whose spread can be told.
pub const FEWEST: usize = 3;
/// A request that takes this many times as long as a lone one waits for others in between.
const WAITS: f64 = 1.2;

/// The most requests in flight up to which memory rose in step with them.
///
/// Beyond, they need not hold theirs at the same moment: where a service is short of CPU, or has
/// parts that exclude each other, some wait for their turn while others are done. Another machine,
/// or another moment, may bring all of them together, so what they took is no bound. Where each is
/// answered as fast as a lone one, they did run together, and what they took is what they take:
/// `N / X(N)` is the time that an answer takes for N users without a pause (Little 1961).
///
/// `fewest` are the concurrencies that are wanted of these: [`FEWEST`] where nothing else makes the
/// line.
pub fn in_step(seen: &[Seen], fewest: usize) -> u32 {
    let mut seen: Vec<&Seen> = seen.iter().collect();
    seen.sort_by_key(|s| s.concurrency);
    let Some((first, rest)) = seen.split_first() else { return 0 };
    let takes = |s: &Seen| f64::from(s.concurrency) / s.rate.max(f64::MIN_POSITIVE);
    let (mut pace, mut most) = (0.0_f64, first.concurrency);
    for (before, s) in (1..).zip(rest) {
        let more = f64::from(s.concurrency - first.concurrency);
        let rise = s.peak - first.peak;
        let short = pace * more - rise;
        let noise = NOISE_BYTES.max(s.peak * NOISE_SHARE);
        let least = if before < fewest { BARELY } else { IN_STEP };
        if rise < least * pace * more && short > noise && takes(s) > WAITS * takes(first) {
            return most;
        }
        pace = pace.max(rise / more);
        most = s.concurrency;
    }
    most
}

/// Beyond K memory stays where it is, and does not only rise more slowly.
fn is_flat_after(seen: &[Seen], k: u32) -> bool {
    let before: Vec<(f64, f64)> = points(seen.iter().filter(|s| s.concurrency <= k));
    let after: Vec<(f64, f64)> = points(seen.iter().filter(|s| s.concurrency >= k));
    let rise = |points: &[(f64, f64)]| {
        let first = points.iter().copied().min_by(|a, b| a.0.total_cmp(&b.0));
        let last = points.iter().copied().max_by(|a, b| a.0.total_cmp(&b.0));
        first.zip(last).filter(|(a, b)| b.0 > a.0).map(|(a, b)| (b.1 - a.1) / (b.0 - a.0))
    };
    match (rise(&before), rise(&after)) {
        (Some(before), Some(after)) => after < before / 4.0,
        _ => true,
    }
}

fn points<'a>(seen: impl Iterator<Item = &'a Seen>) -> Vec<(f64, f64)> {
    seen.map(|s| (f64::from(s.concurrency), s.peak)).collect()
}

/// The squares that the least-squares line leaves.
fn left(points: &[(f64, f64)]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a handful of points")]
    let n = points.len() as f64;
    let (mx, my) =
        (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    let sxx: f64 = points.iter().map(|p| (p.0 - mx).powi(2)).sum();
    let sxy: f64 = points.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum();
    let slope = if sxx > 0.0 { (sxy / sxx).max(0.0) } else { 0.0 };
    points.iter().map(|p| (p.1 - my - slope * (p.0 - mx)).powi(2)).sum()
}

/// What the rates tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ByRate {
    /// It rises up to so many.
    End(u32),
    /// It rises with each.
    NoEnd,
    Unknown,
}

/// The rate at its height over that of a lone request, where the CPUs had time left.
fn by_rate(seen: &[Seen], cpus: f64) -> ByRate {
    // How fast the driver was says nothing of the service.
    let own = || seen.iter().filter(|s| !s.driver_bound);
    let alone = own().find(|s| s.concurrency == 1).filter(|s| s.rate > 0.0);
    let best = own().max_by(|a, b| a.rate.total_cmp(&b.rate));
    let most = own().map(|s| s.concurrency).max();
    let (Some(alone), Some(best), Some(most)) = (alone, best, most) else {
        return ByRate::Unknown;
    };
    let ratio = best.rate / alone.rate;
    if ratio > f64::from(most) * (1.0 - STANDS) {
        return if most > 1 { ByRate::NoEnd } else { ByRate::Unknown };
    }
    let k = whole(ratio).min(most);
    let is_cpu_bound = best.busy > ALL_BUSY * cpus;
    let is_whole = (ratio / f64::from(k) - 1.0).abs() < STANDS;
    if is_whole && !is_cpu_bound { ByRate::End(k) } else { ByRate::Unknown }
}

/// The nearest number of requests, 1 or more.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn whole(number: f64) -> u32 {
    number.round().clamp(1.0, f64::from(u32::MAX)) as u32
}

/// Memory that grows with every request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope {
    /// Bytes a request: the ends of the 95 % interval and the middle.
    pub low: f64,
    /// What to expect.
    pub typical: f64,
    /// The upper end.
    pub high: f64,
}

/// How sure growth must be.
const CONFIDENCE: f64 = 0.95;

/// Levels at rest that tell growth from chance: a line for each half, and what it leaves.
pub const FEWEST_LEVELS: usize = 6;

/// Whether memory grows for ever: `levels` are requests answered so far and bytes held when nothing
/// is in flight. A heap that fills up on first use grows too, and stops: the second half must go on
/// at half the pace of the first at least, and the whole must be more than noise.
pub fn growth(levels: &[(f64, f64)]) -> Option<Slope> {
    if levels.len() < FEWEST_LEVELS {
        return None;
    }
    let line = fitted(levels)?;
    let interval = line.slope_interval(CONFIDENCE);
    let (first, last) = (levels.first()?, levels.last()?);
    let risen = line.slope() * (last.0 - first.0);
    // What a large service moves by without a reason is a share of what it holds.
    let noise = (NOISE_BYTES / 2.0).max(first.1 * NOISE_SHARE);
    if interval.low <= 0.0 || risen < noise {
        return None;
    }
    let (early, late) = levels.split_at(levels.len() / 2);
    let pace = |part: &[(f64, f64)]| fitted(part).map_or(0.0, |line| line.slope());
    (pace(late) >= pace(early) / 2.0).then(|| Slope {
        low: interval.low,
        typical: line.slope(),
        high: interval.high,
    })
}

fn fitted(levels: &[(f64, f64)]) -> Option<Line> {
    let samples: Vec<Sample> =
        levels.iter().map(|(x, y)| Sample { x: *x, y: *y, process: 0 }).collect();
    Line::fit(&samples).ok()
}

#[cfg(test)]
mod tests;
