//! When the points are not a line.
//!
//! A line through a curve misleads most where it is asked most: beyond the measured range. The
//! question has two halves, whether the bend is more than noise and whether it is large enough to
//! matter, and only both together are worth a word.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{Line, Sample, range};

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
pub const MATERIAL: f64 = 0.05;

/// Tells a line from a curve: it bends only where that is both significant (p below 0.01) and
/// material (above 5 % of the rise). Points that give no line are called straight.
pub fn shape(samples: &[Sample]) -> Shape {
    match Line::bend(samples) {
        Some(bend) if bend.p_value() < SIGNIFICANT && bend.share_of_increment() > MATERIAL => {
            Shape::Bends {
                upward: bend.t_statistic() > 0.0,
                share_of_increment: bend.share_of_increment(),
            }
        }
        _ => Shape::Straight,
    }
}

/// What a quadratic term would add to a line: the test of its lack of fit.
///
/// Fits `y = line + c × q`, where q is the parabola less its own line, so that c is what the
/// quadratic term explains beyond the line (Draper and Smith, chapter 6: the extra sum of squares,
/// with one degree of freedom, of which t is the signed root).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bend {
    t: f64,
    degrees_of_freedom: f64,
    share_of_increment: f64,
}

impl Line {
    /// The bend of these points away from their line; `None` with fewer than four points, or
    /// fewer than three different x.
    ///
    /// All points count as of one process: where each concurrency is in other processes, a bend
    /// would pass for their offsets, and be missed.
    pub fn bend(samples: &[Sample]) -> Option<Bend> {
        let samples: Vec<_> = samples.iter().map(|s| Sample { process: 0, ..*s }).collect();
        let line = Self::fit(&samples).ok()?;
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 points")]
        let degrees_of_freedom = samples.len() as f64 - 3.0;
        if degrees_of_freedom < 1.0 || !has_three_x(&samples, &line) {
            return None;
        }
        let square = |x: f64| (x - line.estimate.centre).powi(2);
        let squares: Vec<_> = samples.iter().map(|s| Sample { y: square(s.x), ..*s }).collect();
        let parabola = Self::fit(&squares).ok()?;
        let q = |x: f64| square(x) - parabola.at(x);
        let weight: f64 = samples.iter().map(|s| q(s.x).powi(2)).sum();
        let c = samples.iter().map(|s| q(s.x) * (s.y - line.at(s.x))).sum::<f64>() / weight;
        let left = samples.iter().map(|s| (s.y - line.at(s.x) - c * q(s.x)).powi(2)).sum::<f64>();
        let sd = (left / degrees_of_freedom / weight).sqrt();
        let distance = samples.iter().map(|s| (c * q(s.x)).abs()).fold(0.0, f64::max);
        // The curve's own rise: a line through a U has none.
        let (lowest, highest) = range(samples.iter().map(|s| line.at(s.x) + c * q(s.x)));
        let rise = highest - lowest;
        Some(Bend {
            t: if c == 0.0 { 0.0 } else { c / sd },
            degrees_of_freedom,
            share_of_increment: if rise > 0.0 { distance / rise } else { 0.0 },
        })
        .filter(|bend| !bend.t.is_nan() && bend.share_of_increment.is_finite())
    }
}

impl Bend {
    /// The quadratic coefficient over its standard deviation: above 0 where the curve bends
    /// upward; infinite where the parabola leaves nothing unexplained.
    pub const fn t_statistic(&self) -> f64 {
        self.t
    }

    /// How likely so large a bend is by chance where there is none: 0 to 1, two-sided.
    pub fn p_value(&self) -> f64 {
        if self.t.is_infinite() {
            return 0.0;
        }
        StudentsT::new(0.0, 1.0, self.degrees_of_freedom).map_or(1.0, |t| 2.0 * t.sf(self.t.abs()))
    }

    /// The largest distance of the curve from the line at a measured x, as a share of the curve's
    /// rise over the range.
    pub const fn share_of_increment(&self) -> f64 {
        self.share_of_increment
    }
}

/// Through two different x a parabola is not determined.
fn has_three_x(samples: &[Sample], line: &Line) -> bool {
    samples.iter().any(|s| s.x != line.x_min && s.x != line.x_max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::line::tests::{close, curve, points};

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

    #[test]
    fn a_flat_bottomed_curve_bends_though_its_line_is_level() {
        let u = points(&[(1.0, 4.0), (2.0, 1.0), (3.0, 0.0), (4.0, 1.0), (5.0, 4.0)]);
        assert!(matches!(shape(&u), Shape::Bends { upward: true, .. }));
    }

    /// The t of a quadratic term against multiple regression worked by hand: y = x² with ±1 on
    /// x = -2 to 2 has Sqq = 14, c = 1 + 8/14 and SSE = 5 - 1/5 - 64/14.
    #[test]
    fn the_statistic_of_a_bend() {
        let signs = [1.0, -1.0, -1.0, -1.0, 1.0];
        let samples: Vec<_> = (-2..=2)
            .map(f64::from)
            .zip(signs)
            .map(|(x, e)| Sample { x, y: x * x + e, process: 0 })
            .collect();
        let bend = Line::bend(&samples).unwrap();
        let (c, sse) = (1.0 + 8.0 / 14.0, 5.0 - 0.2 - 64.0 / 14.0);
        close(bend.t_statistic(), c / (sse / 2.0f64 / 14.0).sqrt(), 12);
        // Two degrees of freedom: p = 1 - t / sqrt(2 + t²).
        let t = bend.t_statistic();
        close(bend.p_value(), 1.0 - t / (2.0 + t * t).sqrt(), 9);
    }

    #[test]
    fn too_little_to_tell_a_bend() {
        assert_eq!(Line::bend(&points(&[(1.0, 1.0), (2.0, 4.0), (3.0, 9.0)])), None);
        let two_x = points(&[(1.0, 1.0), (1.0, 2.0), (7.3, 4.0), (7.3, 9.0), (7.3, 8.0)]);
        assert_eq!(Line::bend(&two_x), None);
        let level = points(&[(1.0, 5.0), (2.0, 5.0), (3.0, 5.0), (4.0, 5.0)]);
        assert_eq!(shape(&level), Shape::Straight);
    }

    #[test]
    fn a_bend_that_may_be_chance_is_none() {
        let few = points(&[(1.0, 10.0), (2.0, 24.0), (4.0, 30.0), (8.0, 91.0)]);
        let bend = Line::bend(&few).unwrap();
        assert!(bend.share_of_increment() > MATERIAL && bend.p_value() > SIGNIFICANT, "{bend:?}");
        assert_eq!(shape(&few), Shape::Straight);
    }
}
