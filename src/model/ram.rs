//! RAM against requests in flight, and the other way round.
//!
//! `RAM(N) = base + N × buffer` is the one formula that every table rests on; this room asks it in
//! both directions, with the interval in which the answer is known. The high end decides: what is
//! planned must hold in the worst process that 95 % confidence allows.
//!
//! A noisy fit may fall where RAM cannot: one request more never needs less. All answers are the
//! bounds of a curve that does not fall, so a larger limit never holds fewer requests. The model is
//! of whichever series its line was fitted on: one is built on resident bytes, one on anonymous.

use super::line::{FitError, Line, Sample};
use crate::units::{Bytes, Source, Span};

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
    cold_extra: Option<ColdExtra>,
    load_peak: Bytes,
    kernel: Bytes,
}

/// What a cold burst takes beyond the line, a request.
#[derive(Debug, Clone, Copy, PartialEq)]
struct ColdExtra {
    per_request: f64,
    measured_at: f64,
}

impl RamModel {
    /// From the warm line, the peaks of cold bursts by concurrency, the height of loading, and the
    /// kernel memory that a limit is charged with beyond the pages of the process.
    ///
    /// Of several cold bursts the largest concurrency counts, and the highest peak there: at few
    /// requests the excess is within the line's noise, which scaling would multiply.
    pub fn new(line: Line, cold: Vec<(u32, Bytes)>, load_peak: Bytes, kernel: Bytes) -> Self {
        let cold_extra = cold.into_iter().max().filter(|(n, _)| *n > 0).map(|(n, peak)| {
            let n = f64::from(n);
            let excess = (peak.as_f64() - typical(&line, n)).max(0.0);
            ColdExtra { per_request: excess / n, measured_at: n }
        });
        let low_peak = line.peak_of_lower_prediction(CONFIDENCE).max(0.0);
        Self { line, low_peak, cold_extra, load_peak, kernel }
    }

    /// What all requests share: the line at N = 0, with the interval of its mean.
    pub fn base(&self) -> Span<Bytes> {
        let interval = self.line.intercept_interval(CONFIDENCE);
        span(interval.low, self.line.intercept(), interval.high, Source::Fitted)
    }

    /// What each request adds: the slope, with its interval, each end at least 0.
    pub fn buffer(&self) -> Span<Bytes> {
        let interval = self.line.slope_interval(CONFIDENCE);
        span(interval.low, self.line.slope(), interval.high, Source::Fitted)
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
        let total = self.at(n, extra.per_request * f64::from(n));
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
        total.zip(&burst, Ord::max).zip(&loading, Ord::max).map(|bytes| bytes + self.kernel)
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

    /// The line at `n` and its prediction bounds, as the narrowest that do not fall, plus `extra`.
    ///
    /// The upper bound is convex in n: the highest it has been is at one of the two ends. The
    /// lower is concave: it has been highest at n or at its peak before that; what fewer requests
    /// need at least, more of them need too.
    fn at(&self, n: u32, extra: f64) -> Span<Bytes> {
        let x = f64::from(n);
        let bounds = |x| self.line.prediction_interval(x, CONFIDENCE);
        let source = if x > self.line.x_max() { Source::Extrapolated } else { Source::Fitted };
        span(
            bounds(x.min(self.low_peak)).low + extra,
            typical(&self.line, x) + extra,
            bounds(0.0).high.max(bounds(x).high) + extra,
            source,
        )
    }
}

/// The line where it rises, else its height at 0.
fn typical(line: &Line, x: f64) -> f64 {
    line.intercept() + line.slope().max(0.0) * x
}

fn span(low: f64, typical: f64, high: f64, source: Source) -> Span<Bytes> {
    Span::around(Bytes::from_f64(low), Bytes::from_f64(typical), Bytes::from_f64(high), source)
}

/// The largest n up to [`MAX_CONCURRENCY`] that fits, by bisection; 0 where 1 does not.
fn largest(fits: impl Fn(u32) -> bool) -> u32 {
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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Sample;

    fn model(base: f64, slope: f64, noise: f64) -> RamModel {
        let mut random = fastrand::Rng::with_seed(3);
        let samples: Vec<Sample> = [1.0, 2.0, 4.0, 8.0, 16.0]
            .iter()
            .cycle()
            .take(15)
            .zip(0..)
            .map(|(&x, i): (&f64, u32)| Sample {
                x,
                y: (base + slope * x) * (1.0 + noise * (random.f64() - 0.5)),
                process: i / 5,
            })
            .collect();
        let line = line_of_peaks(&samples).unwrap();
        let cold = vec![(16, Bytes::from_f64(base + slope * 20.0))];
        RamModel::new(line, cold, Bytes::from_f64(base * 1.1), Bytes::mib(1))
    }

    const MIB: f64 = 1_048_576.0;

    #[test]
    fn base_and_buffer_are_those_that_were_planted() {
        let model = model(300.0 * MIB, 20.0 * MIB, 0.0);
        assert_eq!(model.base().typical(), Bytes::mib(300));
        assert_eq!(model.buffer().typical(), Bytes::mib(20));
        assert_eq!(model.total(10).typical(), Bytes::mib(500));
        assert_eq!(model.limit(10, false).typical(), Bytes::mib(501));
        assert_eq!(model.total(16).source(), Source::Fitted);
        assert_eq!(model.total(17).source(), Source::Extrapolated);
        // 4 requests' worth of excess at 16.
        assert_eq!(model.cold(16).unwrap().typical(), Bytes::mib(300 + 320 + 80));
        // Loading decides where few requests run.
        assert_eq!(model.limit(0, true).high(), Bytes::mib(331));
    }

    #[test]
    fn a_limit_below_the_load_peak_holds_nothing() {
        let model = model(300.0 * MIB, 20.0 * MIB, 0.0);
        assert_eq!(model.max_concurrency(Bytes::mib(325), false).high, 0);
        assert_eq!(model.max_concurrency(Bytes::mib(341), false).low, 2);
        assert_eq!(model.max_concurrency(Bytes::mib(501), false).low, 10);
        assert_eq!(model.max_concurrency(Bytes::new(501 * 1_048_576 - 1), false).low, 9);
    }

    #[test]
    fn workers_multiply_the_base_and_share_the_files() {
        let model = model(300.0 * MIB, 20.0 * MIB, 0.0);
        let total = model.workers(4, 10, Bytes::mib(30)).typical();
        assert_eq!(total, Bytes::mib(4 * 300 + 10 * 20 - 3 * 30));
    }

    #[test]
    fn no_workers_are_one_and_any_number_of_requests_is_answered() {
        let model = model(300.0 * MIB, 20.0 * MIB, 0.0);
        assert_eq!(model.workers(0, 3, Bytes::mib(30)).typical(), model.total(3).typical());
        assert!(model.workers(1, u32::MAX, Bytes::ZERO).typical() > Bytes::GIB);
        // 10 on 4 are 3, 3, 2, 2: the sum of their totals at each end.
        let noisy = self::model(300.0 * MIB, 20.0 * MIB, 0.1);
        let high = noisy.total(3).high() * 2 + noisy.total(2).high() * 2;
        assert_eq!(noisy.workers(4, 10, Bytes::ZERO).high(), high);
        assert_eq!(noisy.workers(4, 10, Bytes::ZERO).source(), Source::Assumed);
    }

    #[test]
    fn of_several_cold_bursts_the_largest_counts() {
        let samples = [(1.0, 110.0), (2.0, 120.0), (16.0, 260.0)];
        let line = Line::fit(&samples.map(|(x, y)| Sample { x, y: y * MIB, process: 0 })).unwrap();
        let peaks = |peaks: &[(u32, u64)]| {
            let cold = peaks.iter().map(|&(n, mib)| (n, Bytes::mib(mib))).collect();
            RamModel::new(line, cold, Bytes::ZERO, Bytes::ZERO)
        };
        let two = peaks(&[(4, 160), (8, 220), (8, 212)]);
        assert_eq!(two.cold(8).unwrap().typical(), Bytes::mib(220));
        assert_eq!(two.cold(4).unwrap().typical(), Bytes::mib(160));
        assert_eq!(two.cold(8).unwrap().source(), Source::Fitted);
        assert_eq!(two.cold(9).unwrap().source(), Source::Extrapolated);
        assert_eq!(two.limit(9, true).source(), Source::Extrapolated);
        assert_eq!(two.limit(9, false).source(), Source::Fitted);
        // A burst below the line saves nothing.
        assert_eq!(peaks(&[(8, 90)]).cold(8).unwrap().typical(), Bytes::mib(180));
        assert_eq!(peaks(&[]).cold(8), None);
        assert_eq!(peaks(&[(0, 90)]).cold(8), None);
    }

    #[test]
    fn a_line_that_falls_by_noise_costs_nothing_a_request() {
        let model = model(300.0 * MIB, -2.0 * MIB, 0.05);
        assert_eq!(model.buffer().typical(), Bytes::ZERO);
        assert_eq!(model.total(0).typical(), model.total(1000).typical());
    }

    /// A line whose noise is larger than its slope: by itself its upper bound falls at first and
    /// its lower bound falls later.
    #[test]
    fn bounds_do_not_fall_where_those_of_the_line_do() {
        let model = model(300.0 * MIB, 0.1 * MIB, 0.2);
        let line = |n: u32| model.line.prediction_interval(f64::from(n), CONFIDENCE);
        assert!(line(1).high < line(0).high && line(2000).low < line(20).low);
        for n in 0..2000 {
            let (few, many) = (model.total(n), model.total(n + 1));
            assert!(few.low() <= many.low() && few.typical() <= many.typical(), "{n}");
            assert!(few.high() <= many.high(), "{n}");
        }
    }

    #[test]
    fn requests_that_cost_nothing_are_capped() {
        assert_eq!(
            model(300.0 * MIB, 0.0, 0.0).max_concurrency(Bytes::GIB, false).low,
            MAX_CONCURRENCY
        );
    }

    proptest! {
        #[test]
        fn more_ram_never_holds_less(
            base in 50.0..2000.0f64, slope in -20.0..200.0f64, noise in 0.0..0.5f64,
            ram in 16u64..8192, more in 0u64..4096, cold: bool,
        ) {
            let model = model(base * MIB, slope * MIB, noise);
            let few = model.max_concurrency(Bytes::mib(ram), cold);
            let many = model.max_concurrency(Bytes::mib(ram + more), cold);
            prop_assert!(few.low <= few.typical && few.typical <= few.high);
            prop_assert!(few.low <= many.low && few.typical <= many.typical && few.high <= many.high);
        }

        #[test]
        fn capacity_and_limit_agree_to_the_request(
            base in 50.0..2000.0f64, slope in -20.0..200.0f64, noise in 0.0..0.5f64,
            ram in 16u64..65536, cold: bool,
        ) {
            let model = model(base * MIB, slope * MIB, noise);
            let has = Bytes::mib(ram);
            let capacity = model.max_concurrency(has, cold);
            let agrees = |n: u32, need: fn(&Span<Bytes>) -> Bytes| {
                (n == 0 || need(&model.limit(n, cold)) <= has)
                    && (n == MAX_CONCURRENCY || need(&model.limit(n + 1, cold)) > has)
            };
            prop_assert!(agrees(capacity.low, Span::high));
            prop_assert!(agrees(capacity.typical, Span::typical));
            prop_assert!(agrees(capacity.high, Span::low));
        }

        #[test]
        fn one_request_more_never_needs_less(
            base in 50.0..2000.0f64, slope in -20.0..200.0f64, noise in 0.0..0.5f64,
            n in 0u32..=MAX_CONCURRENCY, more in 1u32..100, cold: bool,
        ) {
            let model = model(base * MIB, slope * MIB, noise);
            let (few, many) = (model.limit(n, cold), model.limit(n + more, cold));
            // A byte for rounding, where the curve is level.
            let at_most = |a: Bytes, b: Bytes| a <= b + Bytes::new(1);
            prop_assert!(at_most(few.low(), many.low()));
            prop_assert!(at_most(few.typical(), many.typical()));
            prop_assert!(at_most(few.high(), many.high()));
            let warm = model.total(n);
            let line = model.line.prediction_interval(f64::from(n), CONFIDENCE);
            prop_assert!(warm.high() >= Bytes::from_f64(line.high));
        }
    }
}
