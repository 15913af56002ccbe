//! What requests have left behind by the time of each round, and rounds that nothing explains.

use crate::footprint::{Accumulated, Point, Round, Unexplained};
use crate::measure::live::campaign::Run;
use crate::model::live::{Accumulation, AtOnce, Reading, Slope, accumulation, growth};
use crate::model::{CONFIDENCE, Sample, line_of_peaks};
use crate::units::{Bytes, Source, Span};

/// Of all bodies, the share of the last ones: memory that stopped rising with them may do so because
/// they were used up.
const NEAR: f64 = 0.15;

/// What the number of requests does to memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct History {
    /// It grows for ever.
    pub slope: Option<Slope>,
    /// What is left behind besides `leak`.
    accumulation: Option<Accumulation>,
    /// Bytes a request that are left behind for ever.
    leak: f64,
}

impl History {
    /// As the first start showed it.
    pub fn of(run: &Run) -> Self {
        let slope = growth(&run.levels);
        let all = accumulation(&run.readings);
        let Some(Slope { typical: leak, .. }) = slope else {
            return Self { slope, accumulation: all, leak: 0.0 };
        };
        // What grows for ever need not do so at one pace: what was seen is more than a line through the
        // last of it.
        if all.is_some_and(|all| !all.has_levelled_off()) {
            return Self { slope, accumulation: all, leak: 0.0 };
        }
        let without = |r: &Reading| Reading { level: r.level - leak * r.requests, ..*r };
        let readings: Vec<Reading> = run.readings.iter().map(without).collect();
        let besides = accumulation(&readings).filter(Accumulation::has_levelled_off);
        Self { slope, accumulation: besides, leak }
    }

    /// What was left behind in a start of the service before this round reached its peak, bytes.
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    fn left_before(&self, run: &Run, round: &Round) -> f64 {
        let requests = round.before as f64;
        let of = |a: Accumulation| a.at(requests, different(&run.readings, requests));
        self.leak * requests + self.accumulation.map_or(0.0, of)
    }

    /// What accumulates and ends, or was not seen to go on for ever.
    fn ending(&self) -> Option<Accumulation> {
        self.accumulation.filter(|a| self.slope.is_none() || a.has_levelled_off())
    }

    /// What is left behind in the end by what does not grow for ever.
    fn in_the_end(&self) -> f64 {
        self.ending().map_or(0.0, |a| a.bytes())
    }

    /// The peak of a round as if nothing had been left behind before it, bytes.
    pub fn without(&self, run: &Run, round: &Round) -> f64 {
        (round.peak.anon_bytes.as_f64() - self.left_before(run, round)).max(0.0)
    }

    /// The same on a service that has answered as many as it takes to accumulate all.
    pub fn point(&self, run: &Run, round: &Round) -> Point {
        let anon = Bytes::from_f64(self.without(run, round) + self.in_the_end());
        Point {
            concurrency: round.concurrency,
            peak_bytes: anon + round.peak.file_bytes,
            anon_bytes: anon,
            file_bytes: round.peak.file_bytes,
            file_in_use_bytes: None,
            repeat: round.start,
            held_out: false,
            flat: true,
        }
    }

    /// What accumulated, for the record.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts of requests"
    )]
    pub fn accumulated(&self, run: &Run, different: Option<u64>) -> Option<Accumulated> {
        let found = self.ending()?;
        let end = found.requests();
        let different = different.map_or(f64::INFINITY, |n| n as f64);
        let is_near_the_end = found.follows_different() && end >= different * (1.0 - NEAR);
        Some(Accumulated {
            bytes: Bytes::from_f64(found.bytes()),
            requests: end.ceil() as u64,
            levelled_off: found.has_levelled_off(),
            bodies_used_up: run.has_sent_all && different > 1.0 && is_near_the_end,
        })
    }
}

/// How many different requests were among so many, between readings in step.
fn different(readings: &[Reading], requests: f64) -> f64 {
    let start = Reading { requests: 0.0, different: 0.0, most: 0.0, level: 0.0 };
    let before = readings.iter().rfind(|r| r.requests <= requests).copied().unwrap_or(start);
    let Some(after) = readings.iter().find(|r| r.requests > requests) else {
        return before.different;
    };
    let share = (requests - before.requests) / (after.requests - before.requests);
    before.different + share * (after.different - before.different)
}

/// The control round that is furthest from what the others and what was left behind let expect, if one
/// is; all of those become points, so that the line is as uncertain as it is.
///
/// With fewer in flight again, a heap may keep what more took before, and no more than that.
pub(super) fn unexplained(
    run: &Run,
    history: &History,
    found: AtOnce,
    points: &mut Vec<Point>,
) -> Option<Unexplained> {
    let end = found.number().unwrap_or(u32::MAX);
    let at_work = |n: u32| f64::from(n.min(end));
    let samples: Vec<Sample> = points
        .iter()
        .map(|p| Sample { x: at_work(p.concurrency), y: p.anon_bytes.as_f64(), process: p.repeat })
        .collect();
    let line = line_of_peaks(&samples).ok()?;
    let (mut most, mut worst) = (0, None::<(f64, Unexplained)>);
    for round in run.rounds.iter().filter(|r| r.stood()) {
        most = most.max(round.concurrency);
        if !round.control {
            continue;
        }
        let point = history.point(run, round);
        let own = at_work(round.concurrency);
        let low = line.prediction_interval(own, CONFIDENCE).low;
        let high = line.prediction_interval(at_work(most) + own, CONFIDENCE).high;
        let seen = point.anon_bytes.as_f64();
        let distance = (seen - high).max(low - seen);
        if distance > 0.0 {
            let [low, typical, high] = [low, line.at(own), high].map(Bytes::from_f64);
            let expected_bytes = Span::around(low, typical, high, Source::Fitted);
            let (concurrency, anon_bytes) = (round.concurrency, point.anon_bytes);
            let found = Unexplained { concurrency, anon_bytes, expected_bytes };
            if worst.as_ref().is_none_or(|(other, _)| distance > *other) {
                worst = Some((distance, found));
            }
            points.push(point);
        }
    }
    worst.map(|(_, found)| found)
}
