//! Rounds: so many requests in flight together, in waves for the peak and without a pause for the
//! rate.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::{count, what_failed};
use crate::footprint::{During, Failure, Level, PeaksBy, Round};
use crate::measure::drive::{Arrivals, Load};
use crate::measure::live::LiveError;
use crate::measure::live::load::{Crowd, Outcome};
use crate::measure::live::owner;
use crate::measure::live::tree::CpuClock;
use crate::measure::live::usage::Usage;
use crate::measure::live::watch::Watch;
use crate::model;
use crate::model::live::Reading;
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
/// A level is read when nothing has been in flight for so long: what a request held goes when its
/// answer has gone, or a moment later.
const SETTLE: Duration = Duration::from_millis(10);
/// A process that answers moves its clock by this share of the busiest one's.
const WORKS: f64 = 0.2;
/// Of each process that answers, requests in flight that are tried however long they take: as many
/// requests as there are processes do not tell one at a time from several.
const OF_EACH: u32 = 2;

/// So many in flight together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub concurrency: u32,
    /// Fewer again after more, to tell what requests have left behind from what concurrency takes.
    pub is_control: bool,
}

impl Step {
    /// What share of the time is for it. The more are in flight, the longer a wave takes, and the more
    /// ways there are for it to come out; a control is waves alone, and of those a few tell.
    fn weight(self) -> f64 {
        if self.is_control { 0.25 } else { f64::from(self.concurrency).sqrt() }
    }
}

/// The steps of a ladder, nothing else.
pub(super) fn steps(ladder: &[u32]) -> Vec<Step> {
    ladder.iter().map(|n| Step { concurrency: *n, is_control: false }).collect()
}

/// The steps of a ladder with lone requests again at its end, and in the middle of a long one.
pub(super) fn with_controls(ladder: &[u32]) -> Vec<Step> {
    let control = Step { concurrency: 1, is_control: true };
    let mut steps = steps(ladder);
    if steps.len() > ALWAYS {
        steps.insert(ALWAYS, control);
    }
    if steps.len() > 1 {
        steps.push(control);
    }
    steps
}

/// Drives one start of the service.
pub(super) struct Driver<'a> {
    pub usage: &'a Usage,
    pub crowd: &'a mut Crowd,
    pub watch: &'a Watch,
    pub start: u32,
    /// Requests that were answered.
    pub answered: u64,
    /// Every payload was sent at least once.
    pub has_sent_all: bool,
    /// The most that were in flight.
    pub most: u32,
    /// What it held at rest, again and again.
    pub readings: Vec<Reading>,
    /// What it held after the first requests.
    pub first: Bytes,
    /// What requests may leave behind; `None` where that is not known.
    pub for_remains: Option<Bytes>,
    /// Processes that answer, as far as that was seen.
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
#[derive(Default)]
pub(super) struct Seen {
    pub rounds: Vec<Round>,
    pub busy: Vec<f64>,
    pub failure: Option<Failure>,
    /// The concurrency for which too little memory was free.
    pub no_room: Option<u32>,
    /// Stopped before its end.
    pub is_partial: bool,
}

impl Driver<'_> {
    /// Rounds of so many in flight, one after the other, until the time is up or the service fails.
    pub fn rounds(
        &mut self,
        steps: &[Step],
        with_rate: bool,
        until: Instant,
    ) -> Result<Seen, LiveError> {
        let mut seen = Seen::default();
        let ladder: Vec<u32> =
            steps.iter().filter(|s| !s.is_control).map(|s| s.concurrency).collect();
        let mut is_late = false;
        for (index, step) in steps.iter().enumerate() {
            let n = step.concurrency;
            let left = until.saturating_duration_since(Instant::now());
            let rest: f64 = steps[index..].iter().map(|s| s.weight()).sum();
            let time = left.mul_f64(step.weight() / rest);
            // The next wave takes up to twice as long as the last.
            let last = seen.rounds.last().map_or(0.0, |r: &Round| r.latency[3].get());
            let made = seen.rounds.iter().filter(|r| !r.control).count();
            let is_needed = if step.is_control {
                // The last of them is quick, and tells most.
                index + 1 == steps.len()
            } else {
                made < always(&ladder, self.workers)
            };
            is_late |= !is_needed && left.as_secs_f64() < last * 2.0 * f64::from(FEWEST);
            if is_late && !is_needed {
                continue;
            }
            (self.tell)(&format!("{n} at once"));
            match self.round(*step, with_rate && !step.is_control, time) {
                Ok((round, busy, has_ended)) => {
                    if has_ended || !round.stood() {
                        let what = what_failed(&self.usage.root, &round.errors_told());
                        let start = self.start;
                        // It stood as many before: what is new is how many it has answered.
                        let phase = if step.is_control { During::Growth } else { During::Round };
                        seen.failure = Some(Failure { concurrency: n, start, phase, what });
                    }
                    seen.rounds.push(round);
                    seen.busy.push(busy);
                    if seen.failure.is_some() {
                        break;
                    }
                }
                // What is enough for a line is an answer.
                Err(LiveError::Interrupted) if made >= ALWAYS => {
                    seen.is_partial = true;
                    break;
                }
                Err(LiveError::NoRoom(_)) if made >= ALWAYS => {
                    seen.no_room = Some(n);
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(seen)
    }

    fn round(
        &mut self,
        step: Step,
        with_rate: bool,
        time: Duration,
    ) -> Result<(Round, f64, bool), LiveError> {
        let (begun, n) = (Instant::now(), step.concurrency);
        let for_waves = if with_rate { time.mul_f64(FOR_WAVES) } else { time };
        let ids = || self.usage.root.ids().unwrap_or_default();
        let before = CpuClock::read(&ids());
        let Waves { height, outcome: waves, mut has_ended } = self.waves(n, for_waves)?;
        let mut round = Round {
            control: step.is_control,
            ..row(n, self.start, height.before, height.peak, &waves)
        };
        let mut busy = 0.0;
        if with_rate && waves.failed() == 0 && !has_ended {
            let rate = round.throughput.get();
            let left = time.saturating_sub(begun.elapsed()).as_secs_f64();
            let requests = (rate * left).clamp(f64::from(n) * 2.0, MOST_REQUESTS);
            let is_watched = self.usage.root.forget_touched();
            let ids = || self.usage.root.ids().unwrap_or_default();
            let clock = CpuClock::read(&ids());
            let driven = self.without_a_pause(n, requests)?;
            let used = CpuClock::read(&self.usage.root.ids().unwrap_or_default()).since(&clock);
            has_ended = self.usage.root.ids().is_err();
            if is_watched {
                self.file_in_use = self.file_in_use.max(self.usage.root.touched());
            }
            std::thread::sleep(SETTLE);
            if let Ok(standing) = self.usage.standing() {
                self.read(standing.lasting());
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
        let ids = self.usage.root.ids().unwrap_or_default();
        self.workers = self.workers.max(workers(&CpuClock::read(&ids), &before));
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
            self.usage.reset_marks();
            let _ = self.watch.take();
            let before = self.answered;
            self.most = self.most.max(n);
            let outcome = self.crowd.wave(n)?;
            self.count(&outcome);
            std::thread::sleep(SETTLE);
            let sampled = self.watch.take();
            let now = match self.usage.standing() {
                Ok(standing) => {
                    self.kernel = self.kernel.max(standing.kernel);
                    self.last = standing.level;
                    self.read(standing.lasting());
                    self.usage.peak(&standing, &sampled, self.peaks_by)
                }
                // What it held is known from the samples alone.
                Err(error) if error.is_end() => {
                    has_ended = true;
                    Level { anon_bytes: sampled.mapped.max(self.last.anon_bytes), ..self.last }
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

    /// What it holds at rest now.
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    pub fn read(&mut self, level: Bytes) {
        self.readings.push(Reading {
            requests: self.answered as f64,
            different: self.crowd.different() as f64,
            most: f64::from(self.most),
            level: level.as_f64(),
        });
    }

    fn count(&mut self, outcome: &Outcome) {
        self.answered += outcome.answered();
        self.has_sent_all = self.crowd.has_sent_all();
    }

    /// How many requests may be made so that what they leave behind, as those before have, stays within
    /// its bounds.
    fn most_requests(&self) -> f64 {
        let (Some(bound), Some(last)) = (self.for_remains, self.readings.last()) else {
            return MOST_REQUESTS;
        };
        let left_behind = last.level - self.first.as_f64();
        let each = left_behind / last.requests.max(1.0);
        // Half of what is left, so that a pace that rises is seen in time.
        ((bound.as_f64() - left_behind) / 2.0 / each.max(1.0)).clamp(0.0, MOST_REQUESTS)
    }

    /// So many requests of `n` users, each of whom asks again at once; fewer where each leaves much
    /// behind.
    pub fn without_a_pause(&mut self, n: u32, requests: f64) -> Result<Outcome, LiveError> {
        let requests = requests.min(self.most_requests().max(f64::from(n)));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let requests = requests.clamp(1.0, MOST_REQUESTS) as u32;
        let load = Load { arrivals: Arrivals::Closed(n), requests, limit: n, seed: self.answered };
        self.most = self.most.max(n);
        let (outcome, _) = self.crowd.drive(load)?;
        self.count(&outcome);
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
        control: false,
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

/// Processes that worked on requests between two readings of their clocks. Of a service in several
/// stages, such as a proxy and what is behind it, those of the stage that worked most.
fn workers(now: &CpuClock, before: &CpuClock) -> u32 {
    let moved = now.moved(before);
    let ids: Vec<u32> = moved.keys().copied().collect();
    let mut stages = BTreeMap::<BTreeSet<String>, Vec<f64>>::new();
    // One process that works needs no telling apart.
    let places = if ids.len() > 1 { owner::places(&ids) } else { BTreeMap::new() };
    for (id, time) in moved {
        stages.entry(places.get(&id).cloned().unwrap_or_default()).or_default().push(time);
    }
    let busiest = stages.into_values().max_by(|a, b| {
        let sum = |times: &[f64]| times.iter().sum::<f64>();
        sum(a).total_cmp(&sum(b))
    });
    let times = busiest.unwrap_or_default();
    let most = times.iter().copied().fold(0.0, f64::max);
    count(times.iter().filter(|time| **time >= WORKS * most).count()).max(1)
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
    fn the_ladder_comes_down_again() {
        let shown = |ladder: &[u32]| {
            let of = |s: Step| {
                if s.is_control { -i64::from(s.concurrency) } else { i64::from(s.concurrency) }
            };
            with_controls(ladder).into_iter().map(of).collect::<Vec<_>>()
        };
        assert_eq!(shown(&ladder(16)), [1, 2, 4, -1, 8, 16, -1]);
        assert_eq!(shown(&ladder(4)), [1, 2, 4, -1]);
        assert_eq!(shown(&ladder(1)), [1]);
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
