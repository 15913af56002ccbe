//! A straight line through measured points, with the interval in which it is known.
//!
//! The answer to "how much RAM do N requests take" is a line, and a line without its error decides
//! nothing: here are the intervals of both coefficients, of the mean and of a new observation;
//! [`bend`] says when the points are not a line at all.
//!
//! Sources: Draper and Smith, Applied Regression Analysis, 3rd ed., chapter 1; NIST/SEMATECH
//! e-Handbook of Statistical Methods, 4.1.4.1 and 4.5.

mod bend;

use statrs::distribution::{ContinuousCDF, StudentsT};

pub use bend::{Shape, shape};

/// One measured point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Requests in flight.
    pub x: f64,
    /// What was measured.
    pub y: f64,
}

/// A lower and an upper bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Why there is no line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FitError {
    /// Two points always lie on a line and say nothing of its error.
    #[error("{0} points, and 3 are needed")]
    TooFew(usize),
    /// All points have the same x.
    #[error("all points are of one concurrency, and two are needed")]
    OneConcurrency,
    /// A value is infinite, not a number, or so large that its square is.
    #[error("a point is not a finite number")]
    NotFinite,
}

/// `y = intercept + slope × x` by ordinary least squares.
///
/// It keeps the sums and not the points. All of them are centred on the means: uncentred ones
/// cancel where values are large and close together, as bytes are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    intercept: f64,
    slope: f64,
    n: f64,
    x_mean: f64,
    x_min: f64,
    x_max: f64,
    x_squares: f64,
    residual_squares: f64,
    total_squares: f64,
}

impl Line {
    /// Fits the line: `slope = Sxy / Sxx`, `intercept = ȳ - slope × x̄` (Draper and Smith, 1.2).
    ///
    /// # Errors
    /// With fewer than three points, one x only, or values that are not finite.
    pub fn fit(samples: &[Sample]) -> Result<Self, FitError> {
        if samples.len() < 3 {
            return Err(FitError::TooFew(samples.len()));
        }
        if samples.iter().any(|s| !s.x.is_finite() || !s.y.is_finite()) {
            return Err(FitError::NotFinite);
        }
        let (x_min, x_max) = range(samples.iter().map(|s| s.x));
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 points")]
        let n = samples.len() as f64;
        let x_mean = samples.iter().map(|s| s.x).sum::<f64>() / n;
        let y_mean = samples.iter().map(|s| s.y).sum::<f64>() / n;
        let x_squares: f64 = samples.iter().map(|s| (s.x - x_mean).powi(2)).sum();
        let total_squares: f64 = samples.iter().map(|s| (s.y - y_mean).powi(2)).sum();
        if !x_squares.is_finite() || !total_squares.is_finite() {
            return Err(FitError::NotFinite);
        }
        // The sum alone does not tell: a mean that is rounded leaves a trace of equal values.
        if x_min == x_max || x_squares == 0.0 {
            return Err(FitError::OneConcurrency);
        }
        let products: f64 = samples.iter().map(|s| (s.x - x_mean) * (s.y - y_mean)).sum();
        let slope = products / x_squares;
        let residual = |s: &Sample| (s.y - y_mean) - slope * (s.x - x_mean);
        Ok(Self {
            intercept: y_mean - slope * x_mean,
            slope,
            n,
            x_mean,
            x_min,
            x_max,
            x_squares,
            residual_squares: samples.iter().map(|s| residual(s).powi(2)).sum(),
            total_squares,
        })
    }

    /// The value at x = 0.
    pub const fn intercept(&self) -> f64 {
        self.intercept
    }

    /// The rise for each x.
    pub const fn slope(&self) -> f64 {
        self.slope
    }

    /// The smallest and the largest x among the points.
    pub const fn x_range(&self) -> (f64, f64) {
        (self.x_min, self.x_max)
    }

    /// The largest x among the points.
    pub const fn x_max(&self) -> f64 {
        self.x_max
    }

    /// The line's value.
    pub fn at(&self, x: f64) -> f64 {
        self.intercept + self.slope * x
    }

    /// Points less the two parameters; at least 1.
    pub fn degrees_of_freedom(&self) -> f64 {
        self.n - 2.0
    }

    /// Standard deviation of the residuals, `sqrt(SSE / (n - 2))` (Draper and Smith, 1.3).
    pub fn residual_sd(&self) -> f64 {
        (self.residual_squares / self.degrees_of_freedom()).sqrt()
    }

    /// Share of the variation that the line explains, `1 - SSE / SST` (Draper and Smith, 1.3):
    /// 0 to 1; 1 where there is no variation.
    pub fn r_squared(&self) -> f64 {
        if self.total_squares == 0.0 {
            return 1.0;
        }
        (1.0 - self.residual_squares / self.total_squares).clamp(0.0, 1.0)
    }

    /// Standard deviation of the slope, `s / sqrt(Sxx)` (Draper and Smith, 1.4).
    pub fn slope_sd(&self) -> f64 {
        self.residual_sd() / self.x_squares.sqrt()
    }

    /// Standard deviation of the intercept, `s × sqrt(1/n + x̄² / Sxx)` (Draper and Smith, 1.4).
    pub fn intercept_sd(&self) -> f64 {
        self.residual_sd() * self.leverage(0.0).sqrt()
    }

    /// The interval that holds the slope with this confidence, 0 to 1.
    pub fn slope_interval(&self, confidence: f64) -> Interval {
        self.around(self.slope, self.slope_sd(), confidence)
    }

    /// The interval that holds the intercept with this confidence, 0 to 1.
    pub fn intercept_interval(&self, confidence: f64) -> Interval {
        self.around(self.intercept, self.intercept_sd(), confidence)
    }

    /// The interval that holds the mean of y at x with this confidence,
    /// `s × sqrt(1/n + (x - x̄)² / Sxx)` (NIST e-Handbook 4.5.1.1).
    pub fn mean_interval(&self, x: f64, confidence: f64) -> Interval {
        self.around(self.at(x), self.residual_sd() * self.leverage(x).sqrt(), confidence)
    }

    /// The interval that holds one new observation of y at x with this confidence,
    /// `s × sqrt(1 + 1/n + (x - x̄)² / Sxx)` (NIST e-Handbook 4.5.1.2).
    pub fn prediction_interval(&self, x: f64, confidence: f64) -> Interval {
        self.around(self.at(x), self.residual_sd() * (1.0 + self.leverage(x)).sqrt(), confidence)
    }

    /// The x at which the lower prediction bound is highest: infinite where it rises for ever,
    /// negative infinite where it falls for ever.
    ///
    /// The bound is `a + b x - k sqrt(c + u²)` with `u = (x - x̄) / sqrt(Sxx)`, `c = 1 + 1/n` and
    /// `k = t s`. It is concave, and its derivative is zero where `u / sqrt(c + u²)` is
    /// `r = b sqrt(Sxx) / k`, that is at `u = r sqrt(c / (1 - r²))`.
    pub fn peak_of_lower_prediction(&self, confidence: f64) -> f64 {
        let half = student_t(confidence, self.degrees_of_freedom()) * self.residual_sd();
        let ratio = self.slope * self.x_squares.sqrt() / half;
        if ratio.is_nan() || ratio >= 1.0 {
            return f64::INFINITY;
        }
        if ratio <= -1.0 {
            return f64::NEG_INFINITY;
        }
        let u = ratio * ((1.0 + 1.0 / self.n) / (1.0 - ratio * ratio)).sqrt();
        self.x_mean + u * self.x_squares.sqrt()
    }

    fn leverage(&self, x: f64) -> f64 {
        1.0 / self.n + (x - self.x_mean).powi(2) / self.x_squares
    }

    fn around(&self, centre: f64, sd: f64, confidence: f64) -> Interval {
        // Points that lie on the line leave no doubt, however much confidence is asked for.
        let half =
            if sd == 0.0 { 0.0 } else { student_t(confidence, self.degrees_of_freedom()) * sd };
        Interval { low: centre - half, high: centre + half }
    }
}

/// The two-sided quantile of Student's t: infinite for a confidence of 1 or more.
pub(super) fn student_t(confidence: f64, degrees_of_freedom: f64) -> f64 {
    match StudentsT::new(0.0, 1.0, degrees_of_freedom) {
        Ok(t) if confidence < 1.0 => t.inverse_cdf(f64::midpoint(1.0, confidence.max(0.0))),
        _ => f64::INFINITY,
    }
}

/// The smallest and the largest value.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn points(pairs: &[(f64, f64)]) -> Vec<Sample> {
        pairs.iter().map(|&(x, y)| Sample { x, y }).collect()
    }

    /// NIST `StRD`, linear regression, data set Norris (ozone calibration, 36 observations).
    const NORRIS: [(f64, f64); 36] = [
        (0.2, 0.1),
        (337.4, 338.8),
        (118.2, 118.1),
        (884.6, 888.0),
        (10.1, 9.2),
        (226.5, 228.1),
        (666.3, 668.5),
        (996.3, 998.5),
        (448.6, 449.1),
        (777.0, 778.9),
        (558.2, 559.2),
        (0.4, 0.3),
        (0.6, 0.1),
        (775.5, 778.1),
        (666.9, 668.8),
        (338.0, 339.3),
        (447.5, 448.9),
        (11.6, 10.8),
        (556.0, 557.7),
        (228.1, 228.3),
        (995.8, 998.0),
        (887.6, 888.8),
        (120.2, 119.6),
        (0.3, 0.3),
        (0.3, 0.6),
        (556.8, 557.6),
        (339.1, 339.3),
        (887.2, 888.0),
        (999.0, 998.5),
        (779.0, 778.9),
        (11.1, 10.2),
        (118.3, 117.6),
        (229.2, 228.9),
        (669.1, 668.4),
        (448.9, 449.2),
        (0.5, 0.2),
    ];

    pub(super) fn close(value: f64, certified: f64, digits: i32) {
        let error = ((value - certified) / certified).abs();
        assert!(error < 10f64.powi(-digits), "{value} is not {certified} to {digits} digits");
    }

    #[test]
    fn norris_to_its_certified_digits() {
        let line = Line::fit(&points(&NORRIS)).unwrap();
        close(line.intercept(), -0.262_323_073_774_029, 11);
        close(line.slope(), 1.002_116_818_020_45, 13);
        close(line.intercept_sd(), 0.232_818_234_301_152, 11);
        close(line.slope_sd(), 0.429_796_848_199_937E-03, 11);
        close(line.residual_sd(), 0.884_796_396_144_373, 11);
        close(line.r_squared(), 0.999_993_745_883_712, 13);
    }

    /// 160, 310 and 610 MB at 1, 2 and 4 threads, as reported in ONNX Runtime's issue 9152.
    #[test]
    fn a_published_footprint() {
        let line = Line::fit(&points(&[(1.0, 160.0), (2.0, 310.0), (4.0, 610.0)])).unwrap();
        close(line.intercept(), 10.0, 12);
        close(line.slope(), 150.0, 12);
        assert!(line.residual_sd() < 1e-9);
    }

    #[test]
    fn quantiles_of_student_as_printed_in_tables() {
        for (df, t) in [(1.0, 12.706), (2.0, 4.303), (5.0, 2.571), (10.0, 2.228), (30.0, 2.042)] {
            assert!((student_t(0.95, df) - t).abs() < 5e-4, "{df}");
        }
        // One and two degrees of freedom have closed forms: tan(π p / 2) and p sqrt(2 / (1 - p²)).
        close(student_t(0.95, 1.0), (0.475 * std::f64::consts::PI).tan(), 11);
        close(student_t(0.95, 2.0), 0.95 * (2.0f64 / (1.0 - 0.95 * 0.95)).sqrt(), 11);
    }

    #[test]
    fn what_is_no_line_is_refused() {
        assert_eq!(Line::fit(&points(&[(1.0, 1.0), (2.0, 2.0)])), Err(FitError::TooFew(2)));
        assert_eq!(Line::fit(&points(&[(1.0, 1.0); 3])), Err(FitError::OneConcurrency));
        let infinite = points(&[(1.0, 1.0), (2.0, f64::NAN), (3.0, 1.0)]);
        assert_eq!(Line::fit(&infinite), Err(FitError::NotFinite));
        // The mean of three times 0.1 is not 0.1, and the square of 10^200 is infinite.
        let tenths = points(&[(0.1, 1.0), (0.1, 2.0), (0.1, 3.0)]);
        assert_eq!(Line::fit(&tenths), Err(FitError::OneConcurrency));
        let huge = points(&[(1e200, 1.0), (2.0, 2.0), (3.0, 1.0)]);
        assert_eq!(Line::fit(&huge), Err(FitError::NotFinite));
    }

    #[test]
    fn intervals_are_the_estimate_and_t_standard_deviations() {
        let line = Line::fit(&points(&NORRIS)).unwrap();
        assert_eq!(line.x_range(), (0.2, 999.0));
        // t(0.975, 34) of a printed table.
        let t = 2.032_244_5;
        close(line.slope_interval(0.95).high, 1.002_116_818_020_45 + t * 0.429_796_848_2e-3, 9);
        close(line.intercept_interval(0.95).low, -0.262_323_073_774 - t * 0.232_818_234_301, 7);
        assert_eq!(line.intercept_interval(0.95), line.mean_interval(0.0, 0.95));
    }

    #[test]
    fn no_confidence_breaks_an_interval() {
        let exact = Line::fit(&points(&[(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)])).unwrap();
        assert_eq!(exact.slope_interval(1.0), Interval { low: 1.0, high: 1.0 });
        let line = Line::fit(&points(&NORRIS)).unwrap();
        for confidence in [-1.0, 0.0, 1.0, 2.0, f64::NAN] {
            let interval = line.slope_interval(confidence);
            assert!(interval.low <= interval.high, "{confidence}: {interval:?}");
        }
    }

    #[test]
    fn the_lower_bound_peaks_where_it_is_said_to() {
        for (slope, noise) in [(0.3, 20.0), (0.0, 20.0), (-0.3, 20.0)] {
            let samples: Vec<_> = curve(0.0, noise)
                .iter()
                .map(|s| Sample { x: s.x, y: s.y + (slope - 20.0) * s.x })
                .collect();
            let line = Line::fit(&samples).unwrap();
            let peak = line.peak_of_lower_prediction(0.95);
            let bound = |x: f64| line.prediction_interval(x, 0.95).low;
            assert!(peak.is_finite(), "{slope}");
            assert!(bound(peak) > bound(peak - 0.1) && bound(peak) > bound(peak + 0.1), "{slope}");
        }
    }

    #[test]
    fn a_steep_line_has_no_peak() {
        let peak = |slope: f64| {
            let tilt = |s: &Sample| Sample { x: s.x, y: s.y + (slope - 20.0) * s.x };
            let samples: Vec<_> = curve(0.0, 20.0).iter().map(tilt).collect();
            Line::fit(&samples).unwrap().peak_of_lower_prediction(0.95)
        };
        let peaks: Vec<f64> = (-40..=40).map(|tenths| peak(f64::from(tenths) / 10.0)).collect();
        assert!(peaks.is_sorted() && !peaks.iter().any(|p| p.is_nan()));
        assert_eq!((peaks[0], peaks[80]), (f64::NEG_INFINITY, f64::INFINITY));
    }

    #[test]
    fn a_new_observation_is_less_certain_than_the_mean() {
        let line = Line::fit(&points(&NORRIS)).unwrap();
        let (mean, new) = (line.mean_interval(500.0, 0.95), line.prediction_interval(500.0, 0.95));
        assert!(new.low < mean.low && mean.high < new.high);
    }

    pub(super) fn curve(bend: f64, noise: f64) -> Vec<Sample> {
        let mut random = fastrand::Rng::with_seed(7);
        [1.0, 2.0, 4.0, 8.0, 16.0]
            .iter()
            .cycle()
            .take(15)
            .map(|&x: &f64| {
                let y = 300.0 + 20.0 * x + bend * x * x + noise * (random.f64() - 0.5);
                Sample { x, y }
            })
            .collect()
    }
}
