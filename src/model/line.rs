//! A straight line through measured points, with the interval in which it is known.

use statrs::distribution::{ContinuousCDF, StudentsT};

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
    /// A value is infinite or not a number.
    #[error("a point is not a finite number")]
    NotFinite,
}

/// `y = intercept + slope × x` by ordinary least squares.
///
/// Formulas: NIST/SEMATECH e-Handbook of Statistical Methods, 4.1.4.1 and 4.5.1; Draper and Smith,
/// Applied Regression Analysis, 3rd ed., chapter 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    intercept: f64,
    slope: f64,
    n: f64,
    x_mean: f64,
    x_squares: f64,
    x_max: f64,
    residual_squares: f64,
    total_squares: f64,
}

impl Line {
    /// Fits the line.
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
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 points")]
        let n = samples.len() as f64;
        let x_mean = samples.iter().map(|s| s.x).sum::<f64>() / n;
        let y_mean = samples.iter().map(|s| s.y).sum::<f64>() / n;
        // Centred sums: the uncentred ones cancel where values are large and close together.
        let x_squares: f64 = samples.iter().map(|s| (s.x - x_mean).powi(2)).sum();
        if x_squares == 0.0 {
            return Err(FitError::OneConcurrency);
        }
        let products: f64 = samples.iter().map(|s| (s.x - x_mean) * (s.y - y_mean)).sum();
        let slope = products / x_squares;
        let intercept = y_mean - slope * x_mean;
        let residual = |s: &Sample| (s.y - y_mean) - slope * (s.x - x_mean);
        Ok(Self {
            intercept,
            slope,
            n,
            x_mean,
            x_squares,
            x_max: samples.iter().map(|s| s.x).fold(f64::NEG_INFINITY, f64::max),
            residual_squares: samples.iter().map(|s| residual(s).powi(2)).sum(),
            total_squares: samples.iter().map(|s| (s.y - y_mean).powi(2)).sum(),
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

    /// Standard deviation of the residuals, `sqrt(SSE / (n - 2))`.
    pub fn residual_sd(&self) -> f64 {
        (self.residual_squares / self.degrees_of_freedom()).sqrt()
    }

    /// Share of the variation that the line explains, 0 to 1; 1 where there is no variation.
    pub fn r_squared(&self) -> f64 {
        if self.total_squares == 0.0 {
            return 1.0;
        }
        1.0 - self.residual_squares / self.total_squares
    }

    /// Standard deviation of the slope, `s / sqrt(Sxx)`.
    pub fn slope_sd(&self) -> f64 {
        self.residual_sd() / self.x_squares.sqrt()
    }

    /// Standard deviation of the intercept, `s × sqrt(1/n + x̄² / Sxx)`.
    pub fn intercept_sd(&self) -> f64 {
        self.residual_sd() * self.leverage(0.0).sqrt()
    }

    /// The interval that holds the slope with this confidence, 0 to 1.
    pub fn slope_interval(&self, confidence: f64) -> Interval {
        self.around(self.slope, self.slope_sd(), confidence)
    }

    /// The interval that holds the mean of y at x with this confidence.
    pub fn mean_interval(&self, x: f64, confidence: f64) -> Interval {
        self.around(self.at(x), self.residual_sd() * self.leverage(x).sqrt(), confidence)
    }

    /// The interval that holds one new observation of y at x with this confidence,
    /// `s × sqrt(1 + 1/n + (x - x̄)² / Sxx)` (NIST e-Handbook 4.5.1.2).
    pub fn prediction_interval(&self, x: f64, confidence: f64) -> Interval {
        self.around(self.at(x), self.residual_sd() * (1.0 + self.leverage(x)).sqrt(), confidence)
    }

    fn leverage(&self, x: f64) -> f64 {
        1.0 / self.n + (x - self.x_mean).powi(2) / self.x_squares
    }

    fn around(&self, centre: f64, sd: f64, confidence: f64) -> Interval {
        let half = student_t(confidence, self.degrees_of_freedom()) * sd;
        Interval { low: centre - half, high: centre + half }
    }
}

/// The two-sided quantile of Student's t.
fn student_t(confidence: f64, degrees_of_freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, degrees_of_freedom)
        .map_or(f64::INFINITY, |t| t.inverse_cdf(f64::midpoint(1.0, confidence)))
}

/// Whether points lie on a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// As far as can be told.
    Straight,
    /// They do not.
    Bends {
        /// Each further x costs more than the one before.
        upward: bool,
        /// The largest distance of the curve from the line, as a share of the rise over the range.
        share_of_increment: f64,
    },
}

/// A bend must be this unlikely to be chance …
const SIGNIFICANT: f64 = 0.01;
/// … and this large a share of the rise to be worth a word.
const MATERIAL: f64 = 0.05;

/// Tells a line from a curve: fits `y = line + c × (parabola orthogonal to it)` and asks whether c
/// is significant (Draper and Smith, chapter 12, extra sum of squares with one degree of freedom)
/// and material.
pub fn shape(samples: &[Sample]) -> Shape {
    let Ok(line) = Line::fit(samples) else { return Shape::Straight };
    let squares: Vec<Sample> = samples.iter().map(|s| Sample { x: s.x, y: s.x * s.x }).collect();
    let Ok(parabola) = Line::fit(&squares) else { return Shape::Straight };
    // What of x² the line cannot explain, against what of y it cannot explain.
    let pairs: Vec<(f64, f64)> =
        samples.iter().map(|s| (s.x * s.x - parabola.at(s.x), s.y - line.at(s.x))).collect();
    let weight: f64 = pairs.iter().map(|(q, _)| q * q).sum();
    let degrees_of_freedom = line.degrees_of_freedom() - 1.0;
    let rise = line.slope() * (line.x_max() - samples.iter().map(|s| s.x).fold(f64::MAX, f64::min));
    if weight <= f64::EPSILON || degrees_of_freedom < 1.0 || rise == 0.0 {
        return Shape::Straight;
    }
    let c = pairs.iter().map(|(q, r)| q * r).sum::<f64>() / weight;
    let left: f64 = pairs.iter().map(|(q, r)| (r - c * q).powi(2)).sum();
    let sd = (left / degrees_of_freedom / weight).sqrt();
    let distance = pairs.iter().map(|(q, _)| (c * q).abs()).fold(0.0, f64::max);
    let share_of_increment = distance / rise.abs();
    let significant = c.abs() > student_t(1.0 - SIGNIFICANT, degrees_of_freedom) * sd;
    if significant && share_of_increment > MATERIAL {
        Shape::Bends { upward: c > 0.0, share_of_increment }
    } else {
        Shape::Straight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(pairs: &[(f64, f64)]) -> Vec<Sample> {
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

    fn close(value: f64, certified: f64, digits: i32) {
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
    }

    #[test]
    fn what_is_no_line_is_refused() {
        assert_eq!(Line::fit(&points(&[(1.0, 1.0), (2.0, 2.0)])), Err(FitError::TooFew(2)));
        assert_eq!(Line::fit(&points(&[(1.0, 1.0); 3])), Err(FitError::OneConcurrency));
        let infinite = points(&[(1.0, 1.0), (2.0, f64::NAN), (3.0, 1.0)]);
        assert_eq!(Line::fit(&infinite), Err(FitError::NotFinite));
    }

    #[test]
    fn a_new_observation_is_less_certain_than_the_mean() {
        let line = Line::fit(&points(&NORRIS)).unwrap();
        let (mean, new) = (line.mean_interval(500.0, 0.95), line.prediction_interval(500.0, 0.95));
        assert!(new.low < mean.low && mean.high < new.high);
    }

    fn curve(bend: f64, noise: f64) -> Vec<Sample> {
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

    #[test]
    fn a_line_with_noise_is_straight() {
        assert_eq!(shape(&curve(0.0, 10.0)), Shape::Straight);
        // Significant, but too small to matter.
        assert_eq!(shape(&curve(0.02, 0.01)), Shape::Straight);
    }

    #[test]
    fn a_curve_is_not() {
        assert!(matches!(shape(&curve(1.0, 5.0)), Shape::Bends { upward: true, .. }));
        assert!(matches!(shape(&curve(-0.6, 5.0)), Shape::Bends { upward: false, .. }));
    }
}
