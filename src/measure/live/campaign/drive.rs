//! Rounds: so many requests in flight together, in waves for the peak and without a pause for the
//! rate.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::higher;
use crate::footprint::{Failure, Level, PeaksBy, Round};
use crate::measure::drive::{Arrivals, Load};
use crate::measure::live::LiveError;
use crate::measure::live::load::{Crowd, Outcome};
use crate::measure::live::tree::{CpuClock, Root};
use crate::measure::live::watch::Watch;
use crate::units::{Bytes, Rate, Seconds};

/// Waves of a round: at least, and at the most.
const FEWEST: u32 = 3;
const MOST: u32 = 40;
/// Of a round's time, what waves take; the rest is for the rate.
const FOR_WAVES: f64 = 0.6;
/// A peak that so many waves in a row have not raised is one.
const FLAT: u32 = 6;
/// By less than this share is not raised.
const RAISED: f64 = 0.002;
/// A round with more of its requests unanswered than this is one that the service cannot stand.
const TOO_MANY: f64 = 0.01;
/// Requests that are driven without a pause, at the most.
const MOST_REQUESTS: f64 = 20_000.0;
/// A driver that takes this share of what its threads could take is at its end.
const DRIVER_BUSY: f64 = 0.5;
/// Rounds that are made however long they take: two points are no line.
const ALWAYS: usize = 3;
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
    pub sets_pace: bool,
    pub kernel: Bytes,
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

/// What the rounds of one start showed.
pub(super) struct Seen {
    pub rounds: Vec<Round>,
    pub busy: Vec<f64>,
    pub failure: Option<Failure>,
    /// Stopped before its end.
    pub is_partial: bool,
}

impl Driver<'_> {
    /// Rounds of 1, 2, 4 … up to `up_to`, until the time is up or the service fails.
    pub fn rounds(
        &mut self,
        up_to: u32,
        with_rate: bool,
        until: Instant,
    ) -> Result<Seen, LiveError> {
        let mut seen =
            Seen { rounds: Vec::new(), busy: Vec::new(), failure: None, is_partial: false };
        let ladder = ladder(up_to);
        let always = always(&ladder, self.workers);
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
                Ok((round, busy)) => {
                    let failed = round.failed();
                    let what = said(&round.errors);
                    seen.rounds.push(round);
                    seen.busy.push(busy);
                    if failed > TOO_MANY {
                        let what = self.became(what);
                        seen.failure = Some(Failure { concurrency: n, what });
                        break;
                    }
                }
                // What is enough for a line is an answer.
                Err(LiveError::Interrupted) if seen.rounds.len() >= ALWAYS => {
                    seen.is_partial = true;
                    break;
                }
                // The first round at all must succeed.
                Err(LiveError::Gone(_) | LiveError::EmptyGroup(_)) if !seen.rounds.is_empty() => {
                    let what = "the service ended".to_owned();
                    seen.failure = Some(Failure { concurrency: n, what });
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(seen)
    }

    /// What happened to it besides.
    fn became(&self, what: String) -> String {
        match self.root.ids() {
            Ok(_) => what,
            Err(_) => format!("{what}; the service ended"),
        }
    }

    fn round(
        &mut self,
        n: u32,
        with_rate: bool,
        time: Duration,
    ) -> Result<(Round, f64), LiveError> {
        let begun = Instant::now();
        let for_waves = if with_rate { time.mul_f64(FOR_WAVES) } else { time };
        let (Height { peak, before }, waves) = self.waves(n, for_waves)?;
        let mut all = waves.clone();
        let (mut rate, mut busy) = (rate(&waves), 0.0);
        let mut cpu = None;
        let mut latency = latencies(&waves);
        if with_rate && waves.failed() == 0 {
            let left = time.saturating_sub(begun.elapsed()).as_secs_f64();
            let requests = (rate * left).clamp(f64::from(n) * 2.0, MOST_REQUESTS);
            let is_watched = self.root.forget_touched();
            let clock = CpuClock::read(&self.root.ids()?);
            let driven = self.without_a_pause(n, requests)?;
            let used = CpuClock::read(&self.root.ids()?).since(&clock);
            if is_watched {
                self.file_in_use = self.file_in_use.max(self.root.touched());
            }
            let wall = driven.wall.get().max(1e-9);
            #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
            let answered = driven.answered().max(1) as f64;
            cpu = Some(used.get() / answered);
            busy = used.get() / wall;
            rate = driven.answered_rate();
            latency = latencies(&driven);
            let share = driven.driver_cpu.get() / wall;
            self.own_cpu = self.own_cpu.max(share);
            self.sets_pace = is_driver_bound(share, busy, n);
            all.add(&driven);
        }
        let errors = all.faults.iter().map(|(fault, count)| (fault.to_string(), *count)).collect();
        let round = Round {
            concurrency: n,
            start: self.start,
            before,
            peak,
            answered: all.answered(),
            errors,
            throughput: Rate::per_second(rate),
            cpu_seconds: Seconds::new(cpu.unwrap_or(0.0)),
            latency,
        };
        Ok((round, busy))
    }

    /// Waves until the peak is one.
    fn waves(&mut self, n: u32, time: Duration) -> Result<(Height, Outcome), LiveError> {
        let begun = Instant::now();
        let (mut highest, mut all) = (Height::default(), None::<Outcome>);
        let mut flat = 0;
        for wave in 0..MOST {
            if wave >= FEWEST && (flat >= FLAT || begun.elapsed() > time) {
                break;
            }
            self.root.reset_marks();
            let _ = self.watch.take_most();
            let before = self.answered;
            let outcome = self.crowd.wave(n)?;
            self.answered += outcome.answered();
            let standing = self.root.standing()?;
            self.kernel = self.kernel.max(standing.kernel);
            let now = higher(&standing, self.watch.take_most(), self.peaks_by);
            let peak = highest.peak.total();
            let is_raised = now.total().as_f64() > peak.as_f64() * (1.0 + RAISED);
            flat = if is_raised { 0 } else { flat + 1 };
            if now.total() > peak {
                highest = Height { peak: now, before };
            }
            let has_failed = outcome.failed() > 0;
            match &mut all {
                Some(all) => all.add(&outcome),
                None => all = Some(outcome),
            }
            if has_failed {
                break;
            }
        }
        all.map(|all| (highest, all))
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

fn rate(outcome: &Outcome) -> f64 {
    outcome.answered_rate()
}

fn latencies(outcome: &Outcome) -> [Seconds; 4] {
    [outcome.latency(0.5), outcome.latency(0.95), outcome.latency(0.99), outcome.longest()]
}

/// The more are in flight, the longer a wave takes, and the more ways there are for it to come out.
fn weight(concurrency: u32) -> f64 {
    f64::from(concurrency).sqrt()
}

/// 1, 2, 4 … and `up_to` itself.
fn ladder(up_to: u32) -> Vec<u32> {
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

/// The driver sets the pace where it computes more than it leaves to the service.
fn is_driver_bound(driver: f64, service: f64, users: u32) -> bool {
    let cores = std::thread::available_parallelism().map_or(1.0, |n| {
        #[expect(clippy::cast_precision_loss, reason = "a count of CPUs")]
        let cores = n.get() as f64;
        cores
    });
    let could = cores.min(f64::from(users));
    driver + service > 0.9 * cores && driver > DRIVER_BUSY * could && driver > service
}

/// `12 timeout, 3 reset`.
fn said(errors: &BTreeMap<String, u64>) -> String {
    let told: Vec<String> =
        errors.iter().map(|(kind, count)| format!("{count} × {kind}")).collect();
    told.join(", ")
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
    fn more_are_tried_than_there_are_processes() {
        assert_eq!(always(&ladder(16), 1), 3);
        assert_eq!(always(&ladder(16), 2), 3);
        assert_eq!(always(&ladder(16), 4), 4, "1, 2, 4 and 8");
        assert_eq!(always(&ladder(16), 5), 5, "and 16");
    }
}
