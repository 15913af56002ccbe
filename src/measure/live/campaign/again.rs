//! Other starts of the service: what one start has by chance is seen, and what a burst takes of one
//! that has answered nothing.

use std::sync::Arc;

use super::drive::{self, FEWEST, ladder, steps};
use super::group::Boxes;
use super::{Burst, Campaign, Extent, Measured, Run, Subject, count, patience, what_failed};
use crate::footprint::checked::made_one_line;
use crate::footprint::{ColdBurst, During, Failure, Level, PeaksBy};
use crate::measure::live::LiveError;
use crate::measure::live::record::most_of_others;
use crate::measure::live::tree::CpuClock;
use crate::measure::live::watch::Watch;
use crate::measure::schedule::BURSTS;
use crate::units::Seconds;

/// Requests in flight of a cold burst, at the most.
const BURST: u32 = 8;

/// Starts of the service whose peaks make the line.
const STARTS: u32 = 3;

/// What a start gets at the least, seconds.
const LEAST: f64 = 0.5;

/// What each other start is.
struct Other {
    /// How many are in flight, one after the other.
    ladder: Vec<u32>,
    /// From the command until it can be asked, seconds.
    start: f64,
    /// How much of that it was asked in vain.
    waited: Seconds,
    /// And the fewest waves, seconds.
    waves: f64,
}

impl Other {
    fn of(first: &Run, most: u32) -> Self {
        let all = ladder(most);
        // The ends of a line and one between tell as much of a start as all of it do, and leave time
        // for more waves of each; where several processes answer, chance has more to say.
        let ladder = match (&all[..], first.workers) {
            ([lone, .., most], 0 | 1) if all.len() > 3 => vec![*lone, all[all.len() / 2], *most],
            _ => all,
        };
        let rounds = first.rounds.iter().filter(|r| !r.control && ladder.contains(&r.concurrency));
        let waves = f64::from(FEWEST) * rounds.map(|r| r.latency[1].get()).sum::<f64>();
        let start = first.start_seconds.unwrap_or_default().get();
        Self { ladder, start, waited: first.waited, waves }
    }

    /// Seconds that one takes at the least.
    fn least(&self) -> f64 {
        self.start + self.waves.max(LEAST)
    }
}

impl Campaign<'_> {
    /// What fits into the time that is `left` after a first start that stood `most` in flight.
    pub(super) fn again(
        &self,
        measured: &mut Measured,
        most: u32,
        left: &dyn Fn() -> f64,
        boxes: &mut Boxes<'_>,
    ) {
        let first = &measured.runs[0];
        let other = Other::of(first, most_of_others(first, most, measured.facts.cpus));
        self.bursts(measured, most.min(BURST), &other, left, boxes);
        while !measured.is_partial
            && count(measured.runs.len()) < STARTS
            && left() > other.least() + other.start
        {
            let start = count(measured.runs.len());
            let rest = f64::from(STARTS - start);
            let time = (left() / rest - other.start).max(other.waves).max(LEAST);
            (self.tell)(&format!("start {} of {STARTS}", start + 1));
            let run = self.subject(boxes).and_then(|mut subject| {
                let extent = (Extent::PeaksAlone, &steps(&other.ladder)[..]);
                let time = Seconds::new(time);
                let run = self.measure(&mut subject, start, extent, time, other.waited);
                measured.left_behind += subject.end();
                run
            });
            match run {
                Ok((run, _)) => measured.runs.push(run),
                // What is there is an answer.
                Err(LiveError::NoRoom(_)) => break,
                Err(LiveError::Interrupted) => measured.is_partial = true,
                Err(error) => {
                    measured.failures.push(not_again(&error, start));
                    break;
                }
            }
        }
    }

    /// Bursts of `n`, each on a new start: a first one if it fits into what is left, more if the other
    /// starts fit besides, with twice the fewest waves.
    fn bursts(
        &self,
        measured: &mut Measured,
        n: u32,
        other: &Other,
        left: &dyn Fn() -> f64,
        boxes: &mut Boxes<'_>,
    ) {
        let others = f64::from(STARTS - 1) * (other.least() + other.waves.max(LEAST));
        for burst in 0..BURSTS {
            let reserve = if burst == 0 { 0.0 } else { others };
            if left() <= other.start * 1.5 + reserve {
                break;
            }
            let burst = self.subject(boxes).and_then(|subject| {
                let burst = self.burst(n, other.waited, &subject);
                measured.left_behind += subject.end();
                burst
            });
            match burst {
                Ok(Ok(burst)) => measured.bursts.push(burst),
                Ok(Err(failure)) => {
                    measured.failures.push(failure);
                    break;
                }
                // What is there is an answer.
                Err(LiveError::Interrupted) => {
                    measured.is_partial = true;
                    break;
                }
                Err(LiveError::NoRoom(_)) => break,
                Err(error) => {
                    measured.failures.push(not_again(&error, 1));
                    break;
                }
            }
        }
    }

    /// A wave on a service that was just started: its height, or how it failed.
    fn burst(
        &self,
        n: u32,
        waited: Seconds,
        subject: &Subject<'_>,
    ) -> Result<Result<Burst, Failure>, LiveError> {
        (self.tell)(&format!("a cold burst of {n}"));
        let (mut crowd, usage) = (self.crowd()?, &subject.usage);
        let watch = Watch::begin(Arc::clone(usage))?;
        let clock = || CpuClock::read(&usage.root.ids().unwrap_or_default());
        let (mut by, mut before) = (PeaksBy::Looks, clock());
        let mut reset = || {
            by = if usage.reset_marks() { PeaksBy::Marks } else { PeaksBy::Looks };
            let _ = watch.take();
            before = clock();
            usage.root.ids().is_ok()
        };
        reset();
        let (outcome, _) = crowd.first_wave(n, patience(subject, 1, waited), reset)?;
        let cpu = clock().since(&before);
        match usage.standing() {
            Ok(standing) if outcome.failed() == 0 => {
                let peak = usage.peak(&standing, &watch.take(), by);
                let (peak_bytes, anon_bytes) = (peak.total(), peak.anon_bytes);
                let cold = ColdBurst { concurrency: n, peak_bytes, anon_bytes };
                Ok(Ok(Burst { cold, cpu }))
            }
            Err(error) if !error.is_end() => Err(error),
            _ => {
                let row = drive::row(n, 1, 0, Level::default(), &outcome);
                let what = what_failed(&usage.root, &row.errors_told());
                let failure = Failure { concurrency: n, start: 1, phase: During::ColdBurst, what };
                Ok(Err(subject.explained(failure)))
            }
        }
    }
}

/// Its end, or that it could not be started again.
fn not_again(error: &LiveError, start: u32) -> Failure {
    let (concurrency, phase) = match error {
        LiveError::NoAnswer(_) => (1, During::FirstRequests),
        _ => (0, During::Start),
    };
    Failure { concurrency, start, phase, what: made_one_line(&error.brief()) }
}
