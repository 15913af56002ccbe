//! How far the line can be trusted: its shape, and its prediction of what it was not made from.

use super::build::{PlanError, reached, samples};
use super::{Bend, Fit, HeldOut};
use crate::footprint::{Footprint, Point};
use crate::model::{CONFIDENCE, MATERIAL, Shape, line_of_peaks, sample};
use crate::units::{Bytes, Source, Span};

pub(super) fn fit_of(footprint: &Footprint) -> Result<Fit, PlanError> {
    let points = &footprint.points;
    let all = reached(footprint, |p| p.peak_bytes);
    let line = line_of_peaks(&all)?;
    let mut measured: Vec<u32> = points.iter().map(|p| p.concurrency).collect();
    measured.sort_unstable();
    measured.dedup();
    let mut children: Vec<u32> = points.iter().map(|p| p.repeat).collect();
    children.sort_unstable();
    children.dedup();
    let held_out = held_out(points);
    Ok(Fit {
        r_squared: line.r_squared(),
        measured,
        children: u32::try_from(children.len()).unwrap_or(u32::MAX),
        bends: match crate::model::shape(&all) {
            Shape::Straight => held_out.as_ref().and_then(bend_of),
            Shape::Bends { upward, share_of_increment } => {
                Some(Bend { upward, share_of_increment })
            }
        },
        held_out,
    })
}

/// A check that failed by more than what a bend must be: the children that checked are others than
/// those that were fitted, so the fit takes the distance between them for one of processes, and only
/// the prediction tells.
fn bend_of(held_out: &HeldOut) -> Option<Bend> {
    let share_of_increment = held_out.increment_error.abs();
    let upward = held_out.increment_error < 0.0;
    (!held_out.is_inside() && share_of_increment > MATERIAL)
        .then_some(Bend { upward, share_of_increment })
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Three ladders, MiB, and what other children took at 16.
    fn points(ladders: [[u64; 4]; 3], checks: &[u64]) -> Vec<Point> {
        let point = |repeat, concurrency, mib, held_out| Point {
            concurrency,
            peak_bytes: Bytes::mib(mib),
            anon_bytes: Bytes::mib(mib),
            file_bytes: Bytes::ZERO,
            file_in_use_bytes: None,
            repeat,
            held_out,
            flat: true,
        };
        let ladder = |(repeat, row): (u32, [u64; 4])| {
            [1, 2, 4, 8].into_iter().zip(row).map(move |(n, mib)| point(repeat, n, mib, false))
        };
        let checks = (4..).zip(checks).map(|(repeat, mib)| point(repeat, 16, *mib, true));
        (0..).zip(ladders).flat_map(ladder).chain(checks).collect()
    }

    #[test]
    fn what_differs_between_children_widens_the_prediction() {
        let near = [[320, 341, 380, 460], [321, 340, 380, 461], [320, 340, 381, 460]];
        let far = [[300, 321, 360, 440], [321, 340, 380, 461], [340, 360, 401, 480]];
        let of = |ladders, checks: &[u64]| held_out(&points(ladders, checks)).unwrap();
        let (near, far) = (of(near, &[605, 622, 660]), of(far, &[605, 622, 660]));
        assert_eq!(near.observed, Bytes::mib(622));
        assert_eq!(near.predicted.source(), Source::Extrapolated);
        let width = |h: &HeldOut| h.predicted.high().saturating_sub(h.predicted.low());
        assert!(near.is_inside() && far.is_inside());
        assert!(width(&near) < Bytes::mib(30) && width(&far) > Bytes::mib(100), "{near:?} {far:?}");
    }

    #[test]
    fn a_prediction_that_failed_is_outside() {
        let near = [[320, 341, 380, 460], [321, 340, 380, 461], [320, 340, 381, 460]];
        for peak in [570, 670] {
            assert!(!held_out(&points(near, &[peak; 3])).unwrap().is_inside(), "{peak}");
        }
    }

    #[test]
    fn a_check_that_failed_by_much_is_a_bend() {
        let near = [[320, 341, 380, 460], [321, 340, 380, 461], [320, 340, 381, 460]];
        let bend = |peak| bend_of(&held_out(&points(near, &[peak; 3])).unwrap());
        assert!(bend(720).unwrap().upward && !bend(540).unwrap().upward);
        assert_eq!(bend(622), None);
    }

    #[test]
    fn one_child_leaves_more_in_doubt_than_the_median_of_three() {
        let near = [[320, 341, 380, 460], [321, 340, 380, 461], [320, 340, 381, 460]];
        let high = |checks| held_out(&points(near, checks)).unwrap().predicted.high();
        assert!(high(&[620]) > high(&[620; 3]));
        assert_eq!(held_out(&points(near, &[])), None);
    }
}
