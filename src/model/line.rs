//! A straight line through measured points, with the interval in which it is known.
//!
//! The answer to "how much RAM do N requests take" is a line, and a line without its error decides
//! nothing: here are the intervals of both coefficients, of the mean, of a new process and of the
//! median of several; [`components`] says how much of the scatter is between processes, [`bend`]
//! when the points are not a line at all.
//!
//! Sources: Draper and Smith, Applied Regression Analysis, 3rd ed., chapter 1; NIST/SEMATECH
//! e-Handbook of Statistical Methods, 4.1.4.1 and 4.5; for processes those of [`components`]. With
//! one process the two are the same.

mod bend;
mod components;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::HashMap;

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

pub use bend::{MATERIAL, Shape, shape};
use components::{Estimate, Sums};

/// One measured point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Requests in flight.
    pub x: f64,
    /// What was measured.
    pub y: f64,
    /// The process that it was measured in: points of one share its offset.
    pub process: u32,
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

/// `y = intercept + slope × x + offset of the process + error of the point`.
///
/// It keeps the sums and not the points. All of them are centred on the means: uncentred ones
/// cancel where values are large and close together, as bytes are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    estimate: Estimate,
    processes: usize,
    x_min: f64,
    x_max: f64,
    residual_squares: f64,
    total_squares: f64,
    discrepancy: f64,
}

impl Line {
    /// Fits the line by generalised least squares, the variances by restricted maximum likelihood.
    /// With one process, or one point in each, that is ordinary least squares.
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
        let squares = |value: fn(&Sample) -> f64| {
            let mean = samples.iter().map(value).sum::<f64>() / n;
            samples.iter().map(|s| (value(s) - mean).powi(2)).sum::<f64>()
        };
        let total_squares = squares(|s| s.y);
        if !squares(|s| s.x).is_finite() || !total_squares.is_finite() {
            return Err(FitError::NotFinite);
        }
        // The sum alone does not tell: a mean that is rounded leaves a trace of equal values.
        if x_min == x_max {
            return Err(FitError::OneConcurrency);
        }
        let sums = Sums::new(samples);
        let processes = sums.processes();
        let estimate = sums.estimate().ok_or(FitError::OneConcurrency)?;
        let mut line = Self {
            estimate,
            processes,
            x_min,
            x_max,
            residual_squares: 0.0,
            total_squares,
            discrepancy: 0.0,
        };
        let residual =
            |s: &Sample| (s.y - estimate.height) - estimate.slope * (s.x - estimate.centre);
        line.residual_squares = samples.iter().map(|s| residual(s).powi(2)).sum();
        Ok(line)
    }

    /// The same line for predictions that allow, besides what the points show, for a standard
    /// deviation of this share of the predicted value (0 and up): the model's own discrepancy
    /// (Kennedy and O'Hagan, Journal of the Royal Statistical Society B 63 (2001)). It is known from
    /// elsewhere, never from these points. Points that lie on the line but for rounding were not
    /// measured and have none.
    #[must_use]
    pub fn with_discrepancy(self, share: f64) -> Self {
        Self { discrepancy: if self.estimate.within > 0.0 { share } else { 0.0 }, ..self }
    }

    /// The value at x = 0.
    pub fn intercept(&self) -> f64 {
        self.at(0.0)
    }

    /// The rise for each x.
    pub const fn slope(&self) -> f64 {
        self.estimate.slope
    }

    /// How many processes the points are from.
    pub const fn processes(&self) -> usize {
        self.processes
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
        self.estimate.height + self.estimate.slope * (x - self.estimate.centre)
    }

    /// Standard deviation of the points of one process around its own line.
    pub fn within_sd(&self) -> f64 {
        self.estimate.within.sqrt()
    }

    /// Standard deviation of the processes' offsets; `None` with one process, which says nothing of
    /// the others. 0 where the points within differ so much that offsets do not show.
    pub fn between_sd(&self) -> Option<f64> {
        (self.processes > 1).then(|| self.estimate.between.sqrt())
    }

    /// Share of the variation that the line explains, `1 - SSE / SST` (Draper and Smith, 1.3):
    /// 0 to 1; 1 where there is no variation.
    pub fn r_squared(&self) -> f64 {
        if self.total_squares == 0.0 {
            return 1.0;
        }
        (1.0 - self.residual_squares / self.total_squares).clamp(0.0, 1.0)
    }

    /// Standard deviation of the slope; with one process `s / sqrt(Sxx)` (Draper and Smith, 1.4).
    pub fn slope_sd(&self) -> f64 {
        self.estimate.slope_variance.sqrt()
    }

    /// Standard deviation of the intercept, the mean of all processes; with one process
    /// `s × sqrt(1/n + x̄² / Sxx)` (Draper and Smith, 1.4).
    pub fn intercept_sd(&self) -> f64 {
        self.variance(0.0, 0.0).sqrt()
    }

    /// Degrees of freedom with which the slope's variance is known; with one process `n - 2`.
    pub fn slope_degrees_of_freedom(&self) -> f64 {
        self.estimate.degrees_of_freedom([0.0, 0.0, 1.0], 0.0)
    }

    /// Degrees of freedom with which the intercept's variance is known; with one process `n - 2`.
    pub fn intercept_degrees_of_freedom(&self) -> f64 {
        self.degrees_of_freedom(0.0, 0.0)
    }

    /// The interval that holds the slope with this confidence, 0 to 1.
    pub fn slope_interval(&self, confidence: f64) -> Interval {
        let t = student_t(confidence, self.slope_degrees_of_freedom());
        around(self.slope(), half(t, self.slope_sd()))
    }

    /// The interval that holds the intercept with this confidence, 0 to 1.
    pub fn intercept_interval(&self, confidence: f64) -> Interval {
        self.mean_interval(0.0, confidence)
    }

    /// The interval that holds the mean of y at x over all processes with this confidence; with one
    /// process `s × sqrt(1/n + (x - x̄)² / Sxx)` (NIST e-Handbook 4.5.1.1).
    pub fn mean_interval(&self, x: f64, confidence: f64) -> Interval {
        let t = student_t(confidence, self.degrees_of_freedom(x, 0.0));
        around(self.at(x), half(t, self.variance(x, 0.0).sqrt()))
    }

    /// The interval that holds y at x in a new process with this confidence; with one process
    /// `s × sqrt(1 + 1/n + (x - x̄)² / Sxx)` (NIST e-Handbook 4.5.1.2), which then is that of
    /// another point of the same one.
    ///
    /// The degrees of freedom are the fewest that any x has, so that the bounds are those of
    /// [`Line::peak_of_lower_prediction`]: of a sum of two variances the doubt is at most the larger
    /// of theirs. The discrepancy is added in quadrature.
    pub fn prediction_interval(&self, x: f64, confidence: f64) -> Interval {
        let half_width = half(self.prediction_t(confidence), self.variance(x, 1.0).sqrt())
            .hypot(self.half_discrepancy(x, confidence));
        around(self.at(x), half_width)
    }

    /// The interval that holds the median of y at x in `processes` (at least 1) new processes with
    /// this confidence. What the line as a whole gets wrong, the discrepancy, no number of them
    /// makes smaller.
    pub fn median_interval(&self, x: f64, processes: usize, confidence: f64) -> Interval {
        let share = variance_of_median(processes);
        let t = student_t(confidence, self.degrees_of_freedom(x, share));
        let half_width =
            half(t, self.variance(x, share).sqrt()).hypot(self.half_discrepancy(x, confidence));
        around(self.at(x), half_width)
    }

    /// The x at which the lower prediction bound is highest: infinite where it rises for ever,
    /// negative infinite where it falls for ever.
    ///
    /// The bound is the line less the root of a parabola, `b x - sqrt(c + q (x - p)²)` but for a
    /// constant. It is concave, and its derivative is zero where `v / sqrt(c + v²)` is `b / sqrt(q)`
    /// with `v = sqrt(q) (x - p)`, that is at `v = r sqrt(c / (1 - r²))` with `r = b / sqrt(q)`.
    pub fn peak_of_lower_prediction(&self, confidence: f64) -> f64 {
        let Estimate { centre, height, slope, slope_variance, .. } = self.estimate;
        let t = self.prediction_t(confidence);
        let d = half(normal(confidence), self.discrepancy);
        let steepness = (half(t, slope_variance.sqrt())).hypot(d * slope);
        let ratio = slope / steepness;
        if ratio.is_nan() || ratio >= 1.0 {
            return f64::INFINITY;
        }
        if ratio <= -1.0 {
            return f64::NEG_INFINITY;
        }
        let place = -(d * slope) * (d * height) / steepness.powi(2);
        let least = half(t, self.variance(centre, 1.0).sqrt()).powi(2) + (d * height).powi(2)
            - (steepness * place).powi(2);
        let v = ratio * (least.max(0.0) / (1.0 - ratio * ratio)).sqrt();
        centre + place + v / steepness
    }

    /// The variance of the line at x and of `new` times a new process's own.
    fn variance(&self, x: f64, new: f64) -> f64 {
        let e = &self.estimate;
        let u = x - e.centre;
        e.height_variance + e.slope_variance * u * u + new * (e.between + e.within)
    }

    fn degrees_of_freedom(&self, x: f64, new: f64) -> f64 {
        let u = x - self.estimate.centre;
        self.estimate.degrees_of_freedom([1.0, u, u * u], new)
    }

    fn prediction_t(&self, confidence: f64) -> f64 {
        let level = self.degrees_of_freedom(self.estimate.centre, 1.0);
        student_t(confidence, level.min(self.slope_degrees_of_freedom()))
    }

    fn half_discrepancy(&self, x: f64, confidence: f64) -> f64 {
        half(normal(confidence), self.discrepancy * self.at(x).abs())
    }
}

/// Where there is no doubt there is none, however much confidence is asked for.
fn half(quantile: f64, sd: f64) -> f64 {
    if sd == 0.0 { 0.0 } else { quantile * sd }
}

const fn around(centre: f64, half: f64) -> Interval {
    Interval { low: centre - half, high: centre + half }
}

thread_local! {
    /// Quantiles that were asked for, by confidence and degrees of freedom: one takes a tenth of a
    /// millisecond, and bounds of the same line are asked for thousands of times.
    static QUANTILES: RefCell<HashMap<(u64, u64), f64>> = RefCell::default();
}

/// More of them are forgotten.
const MOST_QUANTILES: usize = 1_000;

/// [`student_t_quantile`], computed once.
pub(super) fn student_t(confidence: f64, degrees_of_freedom: f64) -> f64 {
    QUANTILES.with_borrow_mut(|known| {
        if known.len() >= MOST_QUANTILES {
            known.clear();
        }
        *known
            .entry((confidence.to_bits(), degrees_of_freedom.to_bits()))
            .or_insert_with(|| student_t_quantile(confidence, degrees_of_freedom))
    })
}

/// The two-sided quantile of Student's t: infinite for a confidence of 1 or more.
fn student_t_quantile(confidence: f64, degrees_of_freedom: f64) -> f64 {
    match StudentsT::new(0.0, 1.0, degrees_of_freedom) {
        Ok(t) if confidence < 1.0 => t.inverse_cdf(f64::midpoint(1.0, confidence.max(0.0))),
        _ => f64::INFINITY,
    }
}

/// The same of the normal distribution.
fn normal(confidence: f64) -> f64 {
    match Normal::new(0.0, 1.0) {
        Ok(normal) if confidence < 1.0 => {
            normal.inverse_cdf(f64::midpoint(1.0, confidence.max(0.0)))
        }
        _ => f64::INFINITY,
    }
}

/// The variance of the median of so many draws from the standard normal distribution: tables of
/// its order statistics (Sarhan and Greenberg, Contributions to Order Statistics, 1962) up to 7,
/// beyond them the limit for many draws, `π / 2k`, which is a little above the truth.
fn variance_of_median(draws: usize) -> f64 {
    const TABLE: [f64; 7] = [1.0, 0.5, 0.448_671, 0.298_200, 0.286_834, 0.214_743, 0.210_447];
    #[expect(clippy::cast_precision_loss, reason = "a handful of processes")]
    let limit = std::f64::consts::FRAC_PI_2 / draws.max(1) as f64;
    TABLE.get(draws.saturating_sub(1)).copied().unwrap_or(limit)
}

/// The smallest and the largest value.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
}
