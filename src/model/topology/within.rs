//! Slopes that are common to all processes, where each has a level of its own.

use super::{Trial, count, half, span};
use crate::model::line::FitError;
use crate::units::{Bytes, Source, Span};

/// Two features of one wave: of so many copies and so many requests.
type Features = fn(u32, u32) -> [f64; 2];

/// `y = level of the process + a × first + b × second`, by least squares on the deviations from
/// each process's own means (Wooldridge 2010, 10.5).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Within {
    slopes: [f64; 2],
    covariance: [[f64; 2]; 2],
    degrees_of_freedom: f64,
}

impl Within {
    /// Where the waves do not tell the two features apart, or have one of them only, both get the
    /// slope of their sum.
    ///
    /// # Errors
    /// Where no process has waves of two concurrencies.
    pub fn fit(trials: &[Trial], features: Features) -> Result<Self, FitError> {
        let waves: Vec<([f64; 2], f64)> =
            trials.iter().flat_map(|t| deviations(t, features)).collect();
        let (mut products, mut moments, mut squares) = ([[0.0; 2]; 2], [0.0; 2], 0.0);
        for (x, y) in &waves {
            for i in 0..2 {
                moments[i] += x[i] * y;
                products[i][0] += x[i] * x[0];
                products[i][1] += x[i] * x[1];
            }
            squares += y * y;
        }
        let (inverse, rank) = inverted(products).ok_or(FitError::OneConcurrency)?;
        let slopes = inverse.map(|row| dot(row, moments));
        let explained =
            if rank == 2 { dot(slopes, moments) } else { slopes[0] * (moments[0] + moments[1]) };
        let degrees_of_freedom = (count(waves.len()) - count(trials.len()) - count(rank)).max(1.0);
        let variance = (squares - explained).max(0.0) / degrees_of_freedom;
        Ok(Self {
            // One request more never needs less: a slope below zero is noise.
            slopes: slopes.map(|s| s.max(0.0)),
            covariance: inverse.map(|row| row.map(|v| v * variance)),
            degrees_of_freedom,
        })
    }

    /// For each process its number of copies, and its mean less what the requests take.
    pub fn levels(&self, trials: &[Trial], features: Features) -> Vec<(f64, f64)> {
        trials
            .iter()
            .filter(|t| !t.peaks.is_empty())
            .map(|t| {
                let rest =
                    |(n, y): &(u32, Bytes)| y.as_f64() - dot(self.slopes, features(t.copies, *n));
                let sum: f64 = t.peaks.iter().map(rest).sum();
                (f64::from(t.copies), sum / count(t.peaks.len()))
            })
            .collect()
    }

    /// What requests with these features take, with its interval.
    pub fn at(&self, x: [f64; 2]) -> Span<Bytes> {
        let value = dot(self.slopes, x);
        let variance = dot(self.covariance.map(|row| dot(row, x)), x).max(0.0);
        let half = half(variance.sqrt(), self.degrees_of_freedom);
        span(value - half, value, value + half, Source::Fitted)
    }
}

/// The waves of a process as deviations from their means.
fn deviations(trial: &Trial, features: Features) -> Vec<([f64; 2], f64)> {
    let waves: Vec<([f64; 2], f64)> =
        trial.peaks.iter().map(|(n, y)| (features(trial.copies, *n), y.as_f64())).collect();
    let mean = |of: fn(&([f64; 2], f64)) -> f64| {
        waves.iter().map(of).sum::<f64>() / count(waves.len().max(1))
    };
    let (first, second, level) = (mean(|w| w.0[0]), mean(|w| w.0[1]), mean(|w| w.1));
    waves.iter().map(|(x, y)| ([x[0] - first, x[1] - second], y - level)).collect()
}

/// The inverse of a symmetric matrix, and its rank. Of rank 1 it is that of the sum of both
/// features; of rank 0 there is none.
fn inverted([[a, b], [_, d]]: [[f64; 2]; 2]) -> Option<([[f64; 2]; 2], usize)> {
    let scale = a.max(d);
    if !(scale > 0.0 && scale.is_finite()) {
        return None;
    }
    let determinant = a * d - b * b;
    if determinant > scale * scale * 1e-9 {
        let [a, b, d] = [a, b, d].map(|v| v / determinant);
        return Some(([[d, -b], [-b, a]], 2));
    }
    let sum = a + 2.0 * b + d;
    (sum > scale * 1e-9).then_some(([[1.0 / sum; 2]; 2], 1))
}

fn dot(a: [f64; 2], b: [f64; 2]) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}
