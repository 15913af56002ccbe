//! RAM against requests in flight, and the other way round.
//!
//! `RAM(N) = base + N × buffer` is the one formula that every table rests on; this room asks it in
//! both directions, with the interval in which the answer is known. The high end decides: what is
//! planned must hold in the worst process that 95 % confidence allows.
//!
//! A noisy fit may fall where RAM cannot: one request more never needs less. All answers are the
//! bounds of a curve that does not fall, so a larger limit never holds fewer requests. The model is
//! of whichever series its line was fitted on: one is built on resident bytes, one on anonymous.

mod mixture;

use super::line::{FitError, Line, Sample};
use super::sample::median;
use crate::units::{Bytes, Source, Span};

pub use mixture::{Late, Mixture};

/// How sure the intervals are.
pub const CONFIDENCE: f64 = 0.95;

/// The standard deviation with which real processes leave the line of others beyond what those show,
/// as a share of the total: an assumption, from 35 measurements of 7 models with 95 children at a
/// concurrency that their line was not made from. With it the stated 95 % held 94 % of them, without
/// it 79 %. Three children often share the layout of their heap to a tenth of a MiB that a fourth
/// does not have, and a child that begins at 16 requests has not grown its arena step by step.
const DISCREPANCY: f64 = 0.01;

/// The same where there is one process, which says nothing of the others: the offsets of processes
/// in the same measurements had 1.5 % of the total as their root mean
/// square; with the above, 2 %.
const DISCREPANCY_OF_ONE: f64 = 0.02;

/// Requests' worth of RAM that each doubling beyond the largest measured concurrency may take on
/// top of the line: assumed. An allocator that keeps its memory is at times left with holes that no
/// request fits into, and takes new memory instead; the more are in flight, the more often. Of 22
/// trials of a text recogniser whose line ended at 16, four with 22 to 28 in flight took one to two
/// and a half requests' worth more than the others, and none with 16 or fewer did.
const HOLES: f64 = 1.0;

/// No box is said to hold more than this: beyond it, something else gives out first.
pub const MAX_CONCURRENCY: u32 = 100_000;

/// Requests in flight that a limit holds: `low <= typical <= high`, 0 to [`MAX_CONCURRENCY`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// What to plan with: at the high end of cost.
    pub low: u32,
    /// What to expect.
    pub typical: u32,
    /// What it might hold: at the low end of cost.
    pub high: u32,
}

/// The line through measured peaks, with what measured peaks are known to hide.
///
/// # Errors
/// As [`Line::fit`].
pub fn line_of_peaks(samples: &[Sample]) -> Result<Line, FitError> {
    let line = Line::fit(samples)?;
    let one = line.processes() == 1;
    Ok(line.with_discrepancy(if one { DISCREPANCY_OF_ONE } else { DISCREPANCY }))
}

/// `RAM(N) = base + N × buffer`, with what is needed besides.
#[derive(Debug, Clone, PartialEq)]
pub struct RamModel {
    line: Line,
    /// Where the line's lower bound stops rising.
    low_peak: f64,
    /// Requests below which one fewer saves nothing.
    least: u32,
    /// Requests beyond which one more only waits.
    most: u32,
    /// Bytes that a waiting one holds.
    waiting: f64,
    cold_extra: Option<ColdExtra>,
    /// Bytes that a service which was just started does not hold yet.
    accumulated: f64,
    mixture: Option<Mixture>,
    load_peak: Bytes,
    kernel: Bytes,
}

/// What a cold burst takes beyond the line, a request: of several bursts the least, the median, and
/// what the next may take.
#[derive(Debug, Clone, Copy, PartialEq)]
struct ColdExtra {
    least: f64,
    typical: f64,
    most: f64,
    measured_at: f64,
}

impl ColdExtra {
    /// First requests allocate in an order that is a matter of chance, and the heights of bursts of
    /// the same service differ by several requests' worth. Three say little of the highest: it is
    /// taken to be as far above them as they are apart. That is a choice; of three draws that are
    /// spread evenly, the next is above their highest in one of four cases, and above this in one of
    /// sixteen.
    fn of(mut excesses: Vec<f64>, measured_at: f64) -> Option<Self> {
        excesses.sort_by(f64::total_cmp);
        let (least, most) = (*excesses.first()?, *excesses.last()?);
        let typical = median(excesses.iter().copied());
        Some(Self { least, typical, most: most + (most - least), measured_at })
    }

    fn less(self, warm: f64) -> Self {
        let [least, typical, most] =
            [self.least, self.typical, self.most].map(|each| (each - warm).max(0.0));
        Self { least, typical, most, ..self }
    }
}

impl RamModel {
    /// From the warm line, the peaks of cold bursts by concurrency, the height of loading, and the
    /// kernel memory that a limit is charged with beyond the pages of the process.
    ///
    /// Of several cold bursts those of the largest concurrency count: at few requests the excess is
    /// within the line's noise, which scaling would multiply.
    pub fn new(line: Line, cold: &[(u32, Bytes)], load_peak: Bytes, kernel: Bytes) -> Self {
        let largest = cold.iter().map(|(n, _)| *n).max().filter(|n| *n > 0);
        let cold_extra = largest.and_then(|largest| {
            let n = f64::from(largest);
            let of_largest = cold.iter().filter(|(n, _)| *n == largest);
            let excess = |peak: Bytes| (peak.as_f64() - typical(&line, n)).max(0.0) / n;
            ColdExtra::of(of_largest.map(|(_, peak)| excess(*peak)).collect(), n)
        });
        let low_peak = line.peak_of_lower_prediction(CONFIDENCE).max(0.0);
        Self {
            line,
            low_peak,
            least: 0,
            most: MAX_CONCURRENCY,
            waiting: 0.0,
            cold_extra,
            accumulated: 0.0,
            mixture: None,
            load_peak,
            kernel,
        }
    }

    /// The same of a service of this many processes, whose line was measured with at least one
    /// request in each: a process that has served once keeps what that took, so fewer requests
    /// than processes take as much as one each. No request at all is the line's start, as ever.
    #[must_use]
    pub fn of_processes(self, processes: u32) -> Self {
        Self { least: if processes > 1 { processes } else { 0 }, ..self }
    }

    /// The same of a service that works on at most so many requests, while each of the others
    /// waits and holds these bytes: `RAM(N) = base + min(N, K) × buffer + max(N - K, 0) × waiting`.
    #[must_use]
    pub fn at_most(self, requests: u32, waiting: Bytes) -> Self {
        Self { most: requests, waiting: waiting.as_f64(), ..self }
    }

    /// The same of a service that has accumulated so much once it has answered many requests: the line
    /// and the peaks of bursts hold it, and a service that was just started does not.
    #[must_use]
    pub fn accumulated(self, bytes: Bytes) -> Self {
        Self { accumulated: bytes.as_f64(), ..self }
    }

    /// The same of a service whose requests are not all of the kind that the line was measured on.
    #[must_use]
    pub fn mixed(mut self, mixture: Mixture) -> Self {
        // The burst was of mixed requests: what they add warm is no part of its excess.
        self.cold_extra = self.cold_extra.map(|cold| {
            let n = cold.measured_at;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a u32")]
            let mixed = mixture.total(n as u32, |n| self.line_at(n, 0.0)).typical().as_f64();
            let warm = (mixed - typical(&self.line, n)) / n;
            cold.less(warm)
        });
        Self { mixture: Some(mixture), ..self }
    }

    /// What all requests share: the line at N = 0, with the interval of its mean.
    pub fn base(&self) -> Span<Bytes> {
        let interval = self.line.intercept_interval(CONFIDENCE);
        let late = self.mixture.as_ref().map_or(Bytes::ZERO, Mixture::late);
        let base = span(interval.low, self.line.intercept(), interval.high, Source::Fitted);
        above_zero(base.map(|b| b + late))
    }

    /// What each request adds: the slope, with its interval, each end at least 0. Of several kinds
    /// of requests the mean.
    pub fn buffer(&self) -> Span<Bytes> {
        let interval = self.line.slope_interval(CONFIDENCE);
        let slope = span(interval.low, self.line.slope(), interval.high, Source::Fitted);
        above_zero(match &self.mixture {
            Some(mixture) => mixture.buffer(&slope),
            None => slope,
        })
    }

    /// Bytes of the process with `n` requests in flight on a warm service, `base + n × buffer`,
    /// with the interval that holds a new process. Extrapolated beyond the largest concurrency
    /// measured.
    pub fn total(&self, n: u32) -> Span<Bytes> {
        self.at(n, 0.0)
    }

    /// Bytes of the process with `n` first requests on a service that was not warmed up; `None`
    /// where that was not measured.
    ///
    /// The excess over the warm line is taken to grow with n, `excess(n) = excess(N) × n / N`. It
    /// is a choice: each first request makes its own first-run allocations. Beyond the measured
    /// burst it is extrapolated.
    pub fn cold(&self, n: u32) -> Option<Span<Bytes>> {
        let extra = self.cold_extra?;
        let requests = f64::from(n.min(self.most));
        let with = |each: f64| self.at(n, each * requests - self.accumulated);
        let typical = with(extra.typical);
        let total = Span::around(
            with(extra.least).low(),
            typical.typical(),
            with(extra.most).high(),
            typical.source(),
        );
        let beyond = f64::from(n) > extra.measured_at;
        Some(if beyond { total.with_source(Source::Extrapolated) } else { total })
    }

    /// The limit that `n` requests need: the largest of the height of loading, the warm total and,
    /// where `include_cold`, the cold burst, end by end; and the kernel's share. A service that is
    /// warmed up before it serves has no cold burst.
    pub fn limit(&self, n: u32, include_cold: bool) -> Span<Bytes> {
        let loading = Span::exact(self.load_peak, Source::Measured);
        let total = self.total(n);
        let burst = if include_cold { self.cold(n) } else { None }.unwrap_or(total);
        // The first request that needs it loads a late model while the others are served.
        let late = self.mixture.as_ref().and_then(Mixture::late_loading);
        let late = late.map_or(total, |extra| self.line_at(n, 0.0).map(|b| b + extra));
        total
            .zip(&burst, Ord::max)
            .zip(&loading, Ord::max)
            .zip(&late, Ord::max)
            .map(|bytes| bytes + self.kernel)
    }

    /// The most requests in flight that fit `limit`: 0 where not even one does, at most
    /// [`MAX_CONCURRENCY`]. It asks [`RamModel::limit`], so the two agree to the request.
    pub fn max_concurrency(&self, limit: Bytes, include_cold: bool) -> Capacity {
        let most = |need: fn(&Span<Bytes>) -> Bytes| {
            largest(|n| need(&self.limit(n, include_cold)) <= limit)
        };
        Capacity { low: most(Span::high), typical: most(Span::typical), high: most(Span::low) }
    }

    /// Bytes of `workers` processes (at least 1) with everything in each, with `n` requests dealt
    /// round-robin, so that none has more than `ceil(n / workers)`; `shared_file` pages are in
    /// every process and count once. Assumed: another process is taken to cost what the first does.
    pub fn workers(&self, workers: u32, n: u32, shared_file: Bytes) -> Span<Bytes> {
        let workers = workers.max(1);
        let saved = shared_file * u64::from(workers - 1);
        let (each, with_one_more) = (n / workers, n % workers);
        let many = |n: u32, times: u32| self.total(n).map(|b| b * u64::from(times));
        many(each, workers - with_one_more)
            .zip(&many(each.saturating_add(1), with_one_more), |a, b| a + b)
            .map(|b| b.saturating_sub(saved))
            .with_source(Source::Assumed)
    }

    fn at(&self, n: u32, extra: f64) -> Span<Bytes> {
        match &self.mixture {
            Some(mixture) => mixture.total(n, |of_first| self.line_at(of_first, extra)),
            None => self.line_at(n, extra),
        }
    }

    /// The line at `n` and its prediction bounds, as the narrowest that do not fall, plus `extra`.
    ///
    /// The upper bound is convex in n: the highest it has been is at one of the two ends. The
    /// lower is concave: it has been highest at n or at its peak before that; what fewer requests
    /// need at least, more of them need too.
    fn line_at(&self, n: u32, extra: f64) -> Span<Bytes> {
        let x = f64::from(if n == 0 { 0 } else { n.max(self.least).min(self.most) });
        let extra = extra + self.waiting * f64::from(n.saturating_sub(self.most));
        let bounds = |x| self.line.prediction_interval(x, CONFIDENCE);
        let source = match () {
            () if self.waiting > 0.0 && n > self.most => Source::Assumed,
            () if x > self.line.x_max() => Source::Extrapolated,
            () => Source::Fitted,
        };
        span(
            bounds(x.min(self.low_peak)).low + extra,
            typical(&self.line, x) + extra,
            bounds(0.0).high.max(bounds(x).high) + self.holes(x) + extra,
            source,
        )
    }

    /// What holes in the heap may add beyond what was measured.
    fn holes(&self, x: f64) -> f64 {
        let doublings = (x / self.line.x_max().max(1.0)).log2().max(0.0);
        HOLES * self.line.slope().max(0.0) * doublings
    }
}

/// The line where it rises, else its height at 0.
fn typical(line: &Line, x: f64) -> f64 {
    line.intercept() + line.slope().max(0.0) * x
}

/// The same on the scale of logarithms where that is narrower below: what a quantity above zero may be too
/// high by is at most the factor that it may be too low by, `low ≥ typical² / high`.
fn above_zero(span: Span<Bytes>) -> Span<Bytes> {
    let least = span.typical().as_f64().powi(2) / span.high().as_f64().max(1.0);
    let low = span.low().max(Bytes::from_f64(least));
    Span::around(low, span.typical(), span.high(), span.source())
}

fn span(low: f64, typical: f64, high: f64, source: Source) -> Span<Bytes> {
    Span::around(Bytes::from_f64(low), Bytes::from_f64(typical), Bytes::from_f64(high), source)
}

/// The largest n up to [`MAX_CONCURRENCY`] that fits, by bisection; 0 where 1 does not.
pub(super) fn largest(fits: impl Fn(u32) -> bool) -> u32 {
    let (mut fit, mut not) = (0, MAX_CONCURRENCY + 1);
    while not - fit > 1 {
        let middle = fit.midpoint(not);
        if fits(middle) {
            fit = middle;
        } else {
            not = middle;
        }
    }
    fit
}

#[cfg(test)]
mod tests;
