//! Rounds: so many requests in flight together, in waves for the peak and without a pause for the
//! rate.

use std::time::{Duration, Instant};

use super::{higher, what_failed};
use crate::footprint::{During, Failure, Level, PeaksBy, Round};
use crate::measure::drive::{Arrivals, Load};
use crate::measure::live::LiveError;
use crate::measure::live::load::{Crowd, Outcome};
use crate::measure::live::tree::{CpuClock, Root};
use crate::measure::live::watch::Watch;
use crate::model;
use crate::units::{Bytes, Rate, Seconds};

/// Waves of a round: at least, and at the most.
pub(super) const FEWEST: u32 = 3;
const MOST: u32 = 40;
/// Of a round's time, what waves take; the rest is for the rate.
const FOR_WAVES: f64 = 0.6;
/// A peak that so many waves in a row have not raised is one.
const FLAT: u32 = 10;
/// By less than this share is not raised.
const RAISED: f64 = 0.002;
/// Requests that are driven without a pause, at the most.
const MOST_REQUESTS: f64 = 20_000.0;
/// Users that spend this share of their time on the driver's own work are held up by it.
const DRIVER_BUSY: f64 = 0.4;
/// A machine of which this share is computing has nothing left to give.
const ALL_BUSY: f64 = 0.8;
/// Rounds that are made however long they take: two points are no line.
const ALWAYS: usize = model::live::FEWEST;
/// Of each process that answers, requests in flight that are tried however long they take: as many
/// requests as there are processes do not tell one at a time from several.
const OF_EACH: u32 = 2;

/// Drives one start of the service.
pub(super) struct Driver<'a> {
    pub root: &'a Root,
    pub crowd: &'a mut Crowd,
    pub watch: &'a Watch,
    pub start: u32,
    pub answered: u64,
    /// Processes that answer.
    pub workers: u32,
    pub peaks_by: PeaksBy,
    pub own_cpu: f64,
    pub kernel: Bytes,
    /// What it held when it was last seen.
    pub last: Level,
    /// The most file pages that a round touched, where that is known.
    pub file_in_use: Option<Bytes>,
    pub tell: &'a dyn Fn(&str),
}

/// The highest of several waves.
#[derive(Debug, Clone, Copy, Default)]
struct Height {
    peak: Level,
    /// Requests answered before it: what leaks has left so much by then.
    before: u64,
}

/// Some waves.
struct Waves {
    height: Height,
    outcome: Outcome,
    /// Nothing of the service is left.
    has_ended: bool,
}

/// What the rounds of one start showed.
pub(super) struct Seen {
    pub rounds: Vec<Round>,
    pub busy: Vec<f64>,
    pub failure: Option<Failure>,
    /// Stopped before its end.
    pub is_partial: bool,
}

impl Driver<'_> {
    /// Rounds of so many in flight, one after the other, until the time is up or the service fails.
    pub fn rounds(
        &mut self,
        ladder: &[u32],
        with_rate: bool,
        until: Instant,
    ) -> Result<Seen, LiveError> {
        let mut seen =
            Seen { rounds: Vec::new(), busy: Vec::new(), failure: None, is_partial: false };
        let always = always(ladder, self.workers);
        for (index, n) in ladder.iter().copied().enumerate() {
            let left = until.saturating_duration_since(Instant::now());
            let time =
                left.mul_f64(weight(n) / ladder[index..].iter().copied().map(weight).sum::<f64>());
            // The next wave takes up to twice as long as the last.
            let last = seen.rounds.last().map_or(0.0, |r: &Round| r.latency[3].get());
            if index >= always && left.as_secs_f64() < last * 2.0 * f64::from(FEWEST) {
                break;
            }
            (self.tell)(&format!("{n} at once"));
            match self.round(n, with_rate, time) {
                Ok((round, busy, has_ended)) => {
                    if has_ended || !round.stood() {
                        let what = what_failed(self.root, &round.errors_told());
                        let (start, phase) = (self.start, During::Round);
                        seen.failure = Some(Failure { concurrency: n, start, phase, what });
                    }
                    seen.rounds.push(round);
                    seen.busy.push(busy);
                    if seen.failure.is_some() {
                        break;
                    }
                }
                // What is enough for a line is an answer.
                Err(LiveError::Interrupted) if seen.rounds.len() >= ALWAYS => {
                    seen.is_partial = true;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(seen)
    }

    fn round(
        &mut self,
        n: u32,
        with_rate: bool,
        time: Duration,
    ) -> Result<(Round, f64, bool), LiveError> {
        let begun = Instant::now();
        let for_waves = if with_rate { time.mul_f64(FOR_WAVES) } else { time };
        let Waves { height, outcome: waves, mut has_ended } = self.waves(n, for_waves)?;
        let mut round = row(n, self.start, height.before, height.peak, &waves);
        let mut busy = 0.0;
        if with_rate && waves.failed() == 0 && !has_ended {
            let rate = round.throughput.get();
            let left = time.saturating_sub(begun.elapsed()).as_secs_f64();
            let requests = (rate * left).clamp(f64::from(n) * 2.0, MOST_REQUESTS);
            let is_watched = self.root.forget_touched();
            let ids = || self.root.ids().unwrap_or_default();
            let clock = CpuClock::read(&ids());
            let driven = self.without_a_pause(n, requests)?;
            let used = CpuClock::read(&self.root.ids().unwrap_or_default()).since(&clock);
            has_ended = self.root.ids().is_err();
            if is_watched {
                self.file_in_use = self.file_in_use.max(self.root.touched());
            }
            let wall = driven.wall.get().max(1e-9);
            #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
            let answered = driven.answered().max(1) as f64;
            busy = used.get() / wall;
            let share = driven.driver_cpu.get() / wall;
            self.own_cpu = self.own_cpu.max(share);
            let mut all = waves;
            all.add(&driven);
            round = Round {
                throughput: Rate::per_second(driven.answered_rate()),
                cpu_seconds: Seconds::new(used.get() / answered),
                latency: latencies(&driven),
                driver_bound: is_driver_bound(share, driven.driver_queued.get() / wall, busy, n),
                driver_share: share_of_full(share, busy),
                ..row(n, self.start, round.before, round.peak, &all)
            };
        }
        Ok((round, busy, has_ended))
    }

    /// Waves until the peak is one.
    fn waves(&mut self, n: u32, time: Duration) -> Result<Waves, LiveError> {
        let begun = Instant::now();
        let (mut highest, mut all) = (Height::default(), None::<Outcome>);
        let (mut flat, mut has_ended) = (0, false);
        for wave in 0..MOST {
            if wave >= FEWEST && (flat >= FLAT || begun.elapsed() > time) {
                break;
            }
            self.root.reset_marks();
            let _ = self.watch.take_most();
            let before = self.answered;
            let outcome = self.crowd.wave(n)?;
            self.answered += outcome.answered();
            let looks = self.watch.take_most();
            let now = match self.root.standing() {
                Ok(standing) => {
                    self.kernel = self.kernel.max(standing.kernel);
                    self.last = standing.level;
                    higher(&standing, looks, self.peaks_by)
                }
                // What it held is known from the looks alone.
                Err(error) if error.is_end() => {
                    has_ended = true;
                    Level { anon_bytes: looks.max(self.last.anon_bytes), ..self.last }
                }
                Err(error) => return Err(error),
            };
            let peak = highest.peak.total();
            let is_raised = now.total().as_f64() > peak.as_f64() * (1.0 + RAISED);
            flat = if is_raised { 0 } else { flat + 1 };
            if now.total() > peak {
                highest = Height { peak: now, before };
            }
            let has_failed = outcome.failed() > 0 || has_ended;
            match &mut all {
                Some(all) => all.add(&outcome),
                None => all = Some(outcome),
            }
            if has_failed {
                break;
            }
        }
        all.map(|outcome| Waves { height: highest, outcome, has_ended })
            .ok_or_else(|| LiveError::Request("no wave was made".to_owned()))
    }

    /// So many requests of `n` users, each of whom asks again at once.
    pub fn without_a_pause(&mut self, n: u32, requests: f64) -> Result<Outcome, LiveError> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let requests = requests.clamp(1.0, MOST_REQUESTS) as u32;
        let load = Load { arrivals: Arrivals::Closed(n), requests, limit: n, seed: self.answered };
        let (outcome, _) = self.crowd.drive(load)?;
        self.answered += outcome.answered();
        Ok(outcome)
    }
}

impl Outcome {
    /// Answers of success a second.
    fn answered_rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
        let answered = self.answered() as f64;
        answered / self.wall.get().max(1e-9)
    }
}

/// What is told of so many requests in flight.
pub(super) fn row(n: u32, start: u32, before: u64, peak: Level, outcome: &Outcome) -> Round {
    let kinds = outcome.faults.iter().map(|(fault, count)| (fault.to_string(), *count));
    Round {
        concurrency: n,
        start,
        before,
        peak,
        answered: outcome.answered(),
        errors: kinds.collect(),
        throughput: Rate::per_second(outcome.answered_rate()),
        cpu_seconds: Seconds::ZERO,
        latency: latencies(outcome),
        driver_bound: false,
        driver_share: 0.0,
    }
}

fn latencies(outcome: &Outcome) -> [Seconds; 4] {
    [outcome.latency(0.5), outcome.latency(0.95), outcome.latency(0.99), outcome.longest()]
}

/// The more are in flight, the longer a wave takes, and the more ways there are for it to come out.
fn weight(concurrency: u32) -> f64 {
    f64::from(concurrency).sqrt()
}

/// 1, 2, 4 … and `up_to` itself.
pub(super) fn ladder(up_to: u32) -> Vec<u32> {
    let mut ladder: Vec<u32> = std::iter::successors(Some(1u32), |n| n.checked_mul(2))
        .take_while(|n| *n < up_to)
        .collect();
    ladder.push(up_to.max(1));
    ladder
}

/// How many of the ladder's rounds are made however long they take.
fn always(ladder: &[u32], workers: u32) -> usize {
    let below = ladder.iter().take_while(|n| **n < workers.saturating_mul(OF_EACH)).count();
    if workers > 1 { ALWAYS.max(below + 1) } else { ALWAYS }
}

/// Whether the driver and not the service set the pace: of what a request costs it computes more
/// than the service, and either its users spend much of their time on a CPU or in the queue for
/// one, or both together fill the machine. Shares of one core; what others compute meanwhile makes
/// the driver queue, and so cannot hide it.
fn is_driver_bound(driver: f64, queued: f64, service: f64, users: u32) -> bool {
    let is_busy =
        driver + queued > DRIVER_BUSY * f64::from(users) || is_machine_full(driver + service);
    driver > service && is_busy
}

/// The driver's share of what it and the service computed, where the machine had nothing left to
/// give; else 0. Shares of one core.
fn share_of_full(driver: f64, service: f64) -> f64 {
    let both = driver + service;
    if is_machine_full(both) { driver / both } else { 0.0 }
}

fn is_machine_full(busy: f64) -> bool {
    let cores = std::thread::available_parallelism().map_or(1.0, |n| {
        #[expect(clippy::cast_precision_loss, reason = "a count of CPUs")]
        let cores = n.get() as f64;
        cores
    });
    busy > ALL_BUSY * cores
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_doubles_and_ends_where_it_was_asked_to() {
        assert_eq!(ladder(16), [1, 2, 4, 8, 16]);
        assert_eq!(ladder(10), [1, 2, 4, 8, 10]);
        assert_eq!(ladder(1), [1]);
    }

    #[test]
    fn the_driver_is_told_from_the_service() {
        // Thirty-two users against an answer at once, alone and beside somebody who takes a core.
        assert!(is_driver_bound(1.2, 20.0, 0.6, 32));
        assert!(is_driver_bound(0.5, 20.0, 0.3, 32));
        // A lone user who mostly computes.
        assert!(is_driver_bound(0.5, 0.05, 0.3, 1));
        // A service that computes more, and one that waits.
        assert!(!is_driver_bound(0.5, 10.0, 1.4, 32));
        assert!(!is_driver_bound(0.05, 0.02, 0.04, 16));
    }

    #[test]
    fn more_are_tried_than_there_are_processes() {
        assert_eq!(always(&ladder(16), 1), 3);
        assert_eq!(always(&ladder(16), 2), 3);
        assert_eq!(always(&ladder(16), 4), 4, "1, 2, 4 and 8");
        assert_eq!(always(&ladder(16), 5), 5, "and 16");
    }
}
