//! How far the line can be trusted: its shape, and its prediction of what it was not made from.

use super::build::{PlanError, samples};
use super::{Bend, Fit, HeldOut};
use crate::footprint::{Footprint, Point};
use crate::model::{CONFIDENCE, Shape, line_of_peaks, sample};
use crate::units::{Bytes, Source, Span};

pub(super) fn fit_of(footprint: &Footprint) -> Result<Fit, PlanError> {
    let points = &footprint.points;
    let all = samples(points, |p| p.peak_bytes);
    let line = line_of_peaks(&all)?;
    let mut measured: Vec<u32> = points.iter().map(|p| p.concurrency).collect();
    measured.sort_unstable();
    measured.dedup();
    let mut children: Vec<u32> = points.iter().map(|p| p.repeat).collect();
    children.sort_unstable();
    children.dedup();
    Ok(Fit {
        r_squared: line.r_squared(),
        measured,
        children: u32::try_from(children.len()).unwrap_or(u32::MAX),
        bends: match crate::model::shape(&all) {
            Shape::Straight => None,
            Shape::Bends { upward, share_of_increment } => {
                Some(Bend { upward, share_of_increment })
            }
        },
        held_out: held_out(points),
    })
}

/// The prediction from the ladder children alone against the median of the children that did not
/// take part in it. The line that answers is fitted on all points, afterwards.
fn held_out(points: &[Point]) -> Option<HeldOut> {
    let checks = || points.iter().filter(|p| p.held_out);
    let concurrency = checks().map(|p| p.concurrency).max()?;
    let fitted_on = points.iter().filter(|p| !p.held_out && p.concurrency < concurrency);
    let line = line_of_peaks(&samples(fitted_on, |p| p.peak_bytes)).ok()?;
    let peaks: Vec<f64> =
        checks().filter(|p| p.concurrency == concurrency).map(|p| p.peak_bytes.as_f64()).collect();
    let x = f64::from(concurrency);
    let interval = line.median_interval(x, peaks.len(), CONFIDENCE);
    let observed = sample::median(peaks);
    let predicted = line.at(x);
    let [low, typical, high] = [interval.low, predicted, interval.high].map(Bytes::from_f64);
    Some(HeldOut {
        concurrency,
        predicted: Span::around(low, typical, high, Source::Extrapolated),
        observed: Bytes::from_f64(observed),
        error: (predicted - observed) / observed,
        increment_error: (predicted - observed) / (observed - line.intercept()),
    })
}
