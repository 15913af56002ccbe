//! RAM against requests in flight, and the other way round.

use super::line::Line;
use crate::units::{Bytes, Source, Span};

/// How sure the intervals are.
const CONFIDENCE: f64 = 0.95;

/// No box is said to hold more than this: beyond it, something else gives out first.
pub const MAX_CONCURRENCY: u32 = 100_000;

/// Requests in flight that a limit holds: with the high, the typical and the low cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// What to plan with.
    pub low: u32,
    /// What to expect.
    pub typical: u32,
    /// What it might hold.
    pub high: u32,
}

/// `RAM(N) = base + N × buffer`, with what is needed besides.
#[derive(Debug, Clone, PartialEq)]
pub struct RamModel {
    line: Line,
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
    /// kernel memory that a limit is charged with beyond resident pages.
    pub fn new(line: Line, cold: Vec<(u32, Bytes)>, load_peak: Bytes, kernel: Bytes) -> Self {
        let cold_extra =
            cold.into_iter().max_by_key(|(n, _)| *n).filter(|(n, _)| *n > 0).map(|(n, peak)| {
                let n = f64::from(n);
                let excess = (peak.as_f64() - line.at(n)).max(0.0);
                ColdExtra { per_request: excess / n, measured_at: n }
            });
        Self { line, cold_extra, load_peak, kernel }
    }

    /// What all requests share: the line at N = 0, with the interval of its mean.
    pub fn base(&self) -> Span<Bytes> {
        let interval = self.line.mean_interval(0.0, CONFIDENCE);
        span(interval.low, self.line.intercept(), interval.high, Source::Fitted)
    }

    /// What each request adds: the slope, with its interval.
    pub fn buffer(&self) -> Span<Bytes> {
        let interval = self.line.slope_interval(CONFIDENCE);
        span(interval.low, self.line.slope(), interval.high, Source::Fitted)
    }

    /// Resident bytes with `n` requests in flight on a warm service, `base + n × buffer`, with
    /// the interval that holds a new process.
    pub fn total(&self, n: u32) -> Span<Bytes> {
        self.at(n, 0.0)
    }

    /// Resident bytes of `n` first requests on a service that was not warmed up; `None` where that was not
    /// measured.
    ///
    /// The excess over the warm line is taken to grow with n: each first request makes its own
    /// first-run allocations. It is a choice; beyond the measured burst it is extrapolated.
    pub fn cold(&self, n: u32) -> Option<Span<Bytes>> {
        let extra = self.cold_extra?;
        let total = self.at(n, extra.per_request * f64::from(n));
        let beyond = f64::from(n) > extra.measured_at;
        Some(if beyond { total.with_source(Source::Extrapolated) } else { total })
    }

    /// The limit that `n` requests need: the largest of the height of loading, the cold burst if
    /// it is to be included, and the warm total, end by end; and the kernel's share.
    pub fn limit(&self, n: u32, include_cold: bool) -> Span<Bytes> {
        let loading = Span::exact(self.load_peak, Source::Measured);
        let total = self.total(n);
        let burst = if include_cold { self.cold(n) } else { None }.unwrap_or(total);
        let source = total.source();
        total
            .zip(&burst, Ord::max)
            .zip(&loading, Ord::max)
            .map(|bytes| bytes + self.kernel)
            .with_source(source)
    }

    /// The most requests in flight that fit `limit`; consistent with [`RamModel::limit`] to the
    /// request.
    pub fn max_concurrency(&self, limit: Bytes, include_cold: bool) -> Capacity {
        let most = |need: fn(&Span<Bytes>) -> Bytes| {
            largest(|n| need(&self.limit(n, include_cold)) <= limit)
        };
        let low = most(Span::high);
        let typical = most(Span::typical).max(low);
        Capacity { low, typical, high: most(Span::low).max(typical) }
    }

    /// `workers` processes with everything in each; requests are dealt round-robin; file pages
    /// are shared and count once. Assumed: another process is taken to cost what the first does.
    pub fn workers(&self, workers: u32, n: u32, shared_file: Bytes) -> Span<Bytes> {
        let saved = shared_file * u64::from(workers.saturating_sub(1));
        let (each, more) = (n / workers.max(1), n % workers.max(1));
        let many = |m: u32, times: u32| self.total(m).map(|b| b * u64::from(times));
        many(each, workers - more)
            .zip(&many(each + 1, more), |a, b| a + b)
            .map(|b| b.saturating_sub(saved))
            .with_source(Source::Assumed)
    }

    fn at(&self, n: u32, extra: f64) -> Span<Bytes> {
        let x = f64::from(n);
        let interval = self.line.prediction_interval(x, CONFIDENCE);
        let source = if x > self.line.x_max() { Source::Extrapolated } else { Source::Fitted };
        span(interval.low + extra, self.line.at(x) + extra, interval.high + extra, source)
    }
}

fn span(low: f64, typical: f64, high: f64, source: Source) -> Span<Bytes> {
    Span::around(Bytes::from_f64(low), Bytes::from_f64(typical), Bytes::from_f64(high), source)
}

/// The largest n up to [`MAX_CONCURRENCY`] that fits with all n below it: a limit that does not
/// hold three is not said to hold four, whatever the bound of an uncertain line does there.
fn largest(fits: impl Fn(u32) -> bool) -> u32 {
    // Prediction bounds are convex (upper) or concave (lower) in n, so a bound that has risen
    // above the limit once may only fall below it again before its lowest point, near the mean of
    // the measured n. Those few are walked; beyond, the search may double.
    const WALKED: u32 = 256;
    match (0..=WALKED).find(|&n| !fits(n)) {
        Some(n) => return n.saturating_sub(1),
        None if fits(MAX_CONCURRENCY) => return MAX_CONCURRENCY,
        None => {}
    }
    let (mut fit, mut not) = (WALKED, MAX_CONCURRENCY);
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
            .map(|&x: &f64| Sample {
                x,
                y: (base + slope * x) * (1.0 + noise * (random.f64() - 0.5)),
            })
            .collect();
        let line = Line::fit(&samples).unwrap();
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
    fn requests_that_cost_nothing_are_capped() {
        assert_eq!(
            model(300.0 * MIB, 0.0, 0.0).max_concurrency(Bytes::GIB, false).low,
            MAX_CONCURRENCY
        );
    }

    proptest! {
        #[test]
        fn more_ram_never_holds_less(
            base in 50.0..2000.0f64, slope in 0.0..200.0f64, noise in 0.0..0.2f64,
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
            base in 50.0..2000.0f64, slope in 1.0..200.0f64, noise in 0.0..0.1f64,
            ram in 512u64..8192, cold: bool,
        ) {
            let model = model(base * MIB, slope * MIB, noise);
            let low = model.max_concurrency(Bytes::mib(ram), cold).low;
            if low > 0 {
                prop_assert!(model.limit(low, cold).high() <= Bytes::mib(ram));
                prop_assert!(model.limit(low + 1, cold).high() > Bytes::mib(ram));
            }
        }
    }
}
