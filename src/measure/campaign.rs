//! One measurement: children after each other, each with its errand, until the schedule or the
//! budget is at its end. Whatever was finished is kept, whatever happens next.

mod at_random;

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::child::{Bounds, ChildError, patience};
use super::group::Group;
use super::interrupt::Interrupt;
use super::killed::KilledEarly;
use super::protocol::{
    Command, Job, Kinds, Loaded, LoadedModel, Mark, Reply, StageSample, Warm, WaveSample,
};
use super::room;
use super::schedule::{BURSTS, CHILDREN, Errand, Pace, Schedule};
use crate::footprint::{Killed, Topology};
use crate::model::{CONFIDENCE, Interval, Line, Sample};
use crate::units::{Bytes, Seconds};

/// An interval of plus or minus this share at the largest concurrency is tight: nothing more is
/// measured.
const TIGHT: f64 = 0.02;

/// The same of what the requests add, as the mean of all processes knows it.
const TIGHT_INCREMENT: f64 = 0.05;

/// The largest concurrency that is measured to make an interval tight.
const MAX_FAR: u32 = 64;

/// A curve that is no line never gets a tight interval: this many children say so as well as more.
const MAX_CHILDREN: usize = 24;

/// A check may end this share of the budget late.
const GRACE: f64 = 0.1;

/// What one child told before it ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildRecord {
    /// What it was for.
    pub errand: Errand,
    /// Its number, from 0.
    pub child: u32,
    /// After loading.
    pub loaded: Loaded,
    /// After the warm-up; a cold child has none.
    pub warm: Option<Warm>,
    /// Each stage alone.
    pub stages: Vec<StageSample>,
    /// Waves by concurrency.
    pub waves: Vec<(u32, WaveSample)>,
    /// CPU-seconds of each request of those that came at random.
    #[serde(default)]
    pub at_random: Vec<f64>,
    /// Idle at the end.
    pub idle: Option<Mark>,
    /// The lazy models, if there are any and the errand came to load them.
    #[serde(default)]
    pub lazy: Option<LazySample>,
    /// The concurrency for which this machine had no room, if there was one.
    #[serde(default)]
    pub no_room: Option<u32>,
    /// If it was killed, where.
    pub killed: Option<Killed>,
}

/// Loading the lazy models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LazySample {
    /// Before it.
    pub before: Mark,
    /// One for each of them.
    pub models: Vec<LoadedModel>,
    /// After every kind of request was served, if it was.
    pub warm: Option<Mark>,
}

/// Why a measurement ended.
#[derive(Debug)]
pub enum End {
    /// All that was scheduled is done.
    Complete,
    /// The user stopped it; what the child at work had told by then.
    Interrupted(Option<Box<ChildRecord>>),
    /// A child could not do its work, and no other could.
    Failed(anyhow::Error),
}

/// What a measurement tells while it runs.
pub trait Progress {
    /// The schedule is known: this many seconds are expected.
    fn planned(&self, expected: Seconds, budget: Seconds);
    /// A step begins; the fraction of the whole that is done, 0 to 1.
    fn step(&self, what: &str, done: f64);
}

/// A measurement to be made.
pub struct Campaign<'a> {
    /// What is measured, in each process.
    pub job: Job,
    /// How requests share processes and sessions; the job shares them as it says.
    pub topology: Topology,
    /// How long it may take.
    pub budget: Seconds,
    /// CPUs of this machine.
    pub cores: f64,
    /// RAM that is free on it, if that is known.
    pub available: Option<Bytes>,
    /// Asked for an end.
    pub interrupt: &'a Interrupt,
    /// Where the steps are told.
    pub progress: &'a dyn Progress,
}

impl Campaign<'_> {
    /// Measures what is not in `finished` yet, and adds it there.
    pub fn run(&self, finished: &mut Vec<ChildRecord>) -> End {
        let begun = Instant::now();
        let mut schedule = finished
            .iter()
            .find_map(|r| pace(r, self.cores))
            .map(|p| self.schedule(self.budget, &p));
        if let (Some(schedule), Some(pace)) =
            (&schedule, finished.iter().find_map(|r| pace(r, self.cores)))
        {
            self.announce(schedule, &pace);
        }
        let mut index = 0;
        loop {
            let current = schedule
                .clone()
                .unwrap_or_else(|| self.beyond_the_knee(Schedule::minimum(self.job.kinds())));
            let errands = current.errands();
            let left = self.budget.get() - begun.elapsed().as_secs_f64();
            let scheduled = next_errand(&errands, finished)
                .filter(|e| self.is_due(*e, finished, &current, left));
            let Some(errand) = scheduled.or_else(|| self.extra(finished, &current, left)) else {
                return End::Complete;
            };
            index += 1;
            #[expect(clippy::cast_precision_loss, reason = "a handful of children")]
            let done = finished.len() as f64 / errands.len().max(finished.len() + 1) as f64;
            let label = match scheduled {
                Some(_) => format!("child {} of {}", finished.len() + 1, errands.len()),
                None => format!("child {}, for a tighter interval", finished.len() + 1),
            };
            self.progress.step(&label, done);
            let mut record = None;
            match self.child(errand, finished, &mut schedule, begun, &mut record) {
                Ok(()) => finished.extend(record),
                Err(ChildError::Interrupted) => return End::Interrupted(record.map(Box::new)),
                Err(ChildError::Killed { signal }) => {
                    // What loaded was at its first request.
                    let concurrency = u32::from(record.is_some());
                    return End::Failed(KilledEarly { concurrency, signal }.into());
                }
                Err(error) => return End::Failed(error.into()),
            }
            debug_assert!(index < 10_000, "a schedule is finite");
        }
    }

    /// States how long it takes; synthetic costs take no time.
    fn announce(&self, schedule: &Schedule, pace: &Pace) {
        if matches!(self.job, Job::Service(_)) {
            self.progress.planned(schedule.expected(pace), self.budget);
        }
    }

    /// The most that fits `budget`.
    fn schedule(&self, budget: Seconds, pace: &Pace) -> Schedule {
        self.beyond_the_knee(Schedule::within(budget, pace, self.job.kinds()))
    }

    /// Below the knee of a topology one request more costs something else than beyond it: the line
    /// is measured where every session, or every worker, has a request.
    fn beyond_the_knee(&self, schedule: Schedule) -> Schedule {
        schedule.shifted(self.topology.knee() - 1)
    }

    /// The minimum is always due; a second check or burst only while there is time for it, as the
    /// machine may be slower than it was when the schedule was made.
    fn is_due(
        &self,
        errand: Errand,
        finished: &[ChildRecord],
        schedule: &Schedule,
        left: f64,
    ) -> bool {
        let needed = finished
            .iter()
            .find_map(|r| pace(r, self.cores))
            .map_or(0.0, |pace| schedule.child_seconds(errand, &pace).get());
        let is_minimum = match errand {
            Errand::Check | Errand::Mix | Errand::Cold => {
                !finished.iter().any(|r| r.errand == errand)
            }
            _ => true,
        };
        is_minimum || needed <= left + GRACE * self.budget.get()
    }

    /// What is left goes into bursts that the schedule had no time for, then into a larger concurrency
    /// and a repeat of the ladder in turn, until the interval is tight. Where processes differ by more
    /// than their own points do, only more of them help: a fourth takes t from 4.3 to 3.2, a fifth to
    /// 2.8. Ladders and checks in turn: the median of three checks is no surer than three ladders.
    fn extra(&self, finished: &[ChildRecord], schedule: &Schedule, left: f64) -> Option<Errand> {
        let warm = || finished.iter().filter(|r| r.errand.is_of_the_first_kind());
        if finished.len() >= MAX_CHILDREN || finished.iter().any(|r| r.killed.is_some()) {
            return None;
        }
        let pace = finished.iter().find_map(|r| pace(r, self.cores))?;
        let fits = |errand| schedule.child_seconds(errand, &pace).get() <= left;
        let bursts = finished.iter().filter(|r| r.errand == Errand::Cold).count();
        if bursts < BURSTS && fits(Errand::Cold) {
            return Some(Errand::Cold);
        }
        let samples: Vec<Sample> = warm().flat_map(samples).collect();
        let line = Line::fit(&samples).ok()?;
        let largest = warm().flat_map(|r| &r.waves).map(|(n, _)| *n).max()?;
        if is_tight(&line, f64::from(largest)) {
            return None;
        }
        let far = (largest * 2).min(MAX_FAR);
        let room = room::fits(Some(Bytes::from_f64(line.at(f64::from(far)))), self.available);
        let count =
            |wanted: fn(Errand) -> bool| finished.iter().filter(|r| wanted(r.errand)).count();
        let ladders = count(|e| e == Errand::Ladder);
        let fars = count(|e| matches!(e, Errand::Far(_)));
        let checks = count(|e| e == Errand::Check);
        let offsets_decide = line.between_sd() > Some(line.within_sd());
        let errand = if offsets_decide && checks < ladders {
            Errand::Check
        } else if !offsets_decide && room && far > largest && fars + CHILDREN as usize <= ladders {
            Errand::Far(far)
        } else {
            Errand::Ladder
        };
        fits(errand).then_some(errand)
    }

    /// One child from start to end. Being killed is a result, not an error, unless it was killed
    /// before there was anything to measure.
    fn child(
        &self,
        errand: Errand,
        finished: &[ChildRecord],
        schedule: &mut Option<Schedule>,
        begun: Instant,
        record: &mut Option<ChildRecord>,
    ) -> Result<(), ChildError> {
        let number = u32::try_from(finished.len()).unwrap_or(u32::MAX);
        let started = Instant::now();
        let processes = self.topology.processes();
        // Of the first child nothing is known yet.
        let known = finished.iter().find_map(|r| pace(r, self.cores)).zip(schedule.as_ref());
        let expected = known.map(|(pace, schedule)| schedule.child_seconds(errand, &pace));
        let bounds = Bounds::of_time(self.budget, expected.unwrap_or_default());
        let mut child = Group::start(&self.job, processes, number, bounds, self.interrupt)?;
        let Reply::Loaded(loaded) = child.ask(Command::Load)? else { return Err(confused()) };
        let record = record.insert(ChildRecord {
            errand,
            child: number,
            loaded,
            warm: None,
            stages: Vec::new(),
            waves: Vec::new(),
            at_random: Vec::new(),
            idle: None,
            lazy: None,
            no_room: None,
            killed: None,
        });
        if !errand.is_of_the_first_kind() {
            let before = record.loaded.models.last().map_or(record.loaded.runtime, |m| m.after);
            record.lazy = self.load_lazy(&mut child, before)?;
        }
        if errand != Errand::Cold {
            let Reply::Warm(warm) = child.ask(Command::WarmUp)? else { return Err(confused()) };
            record.warm = Some(warm);
        }
        let schedule = schedule.get_or_insert_with(|| {
            let pace = Pace {
                start_seconds: started.elapsed().as_secs_f64(),
                request_seconds: record.warm.map_or(0.0, |w| w.request_seconds.get()),
                cores: self.cores,
            };
            let remaining = self.budget.get() - begun.elapsed().as_secs_f64();
            let schedule = self.schedule(
                // The time that this child has taken so far is part of what is scheduled.
                Seconds::new(remaining + pace.start_seconds),
                &pace,
            );
            self.announce(&schedule, &pace);
            schedule
        });
        if let Some(pace) = pace(record, self.cores) {
            let expected = schedule.child_seconds(errand, &pace);
            child.set_patience(patience(self.budget, expected));
        }
        let lowest_kill = finished.iter().filter_map(|r| r.killed).map(|k| k.concurrency).min();
        for (command, concurrency) in work(errand, schedule) {
            if lowest_kill.is_some_and(|killed| concurrency >= killed) {
                break;
            }
            if !room::fits(room::expected(record, finished, concurrency), self.available) {
                record.no_room = Some(concurrency);
                break;
            }
            match child.ask(command) {
                Ok(Reply::Waves(sample)) => record.waves.push((concurrency, sample)),
                Ok(Reply::Stages(samples)) => record.stages = samples,
                Ok(_) => return Err(confused()),
                Err(ChildError::Killed { signal }) => {
                    record.killed = Some(Killed { concurrency, signal });
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(load) = self.at_random(errand, schedule, record)
            && let Reply::Driven(answered) = child.ask(Command::Drive(load))?
        {
            record.at_random = answered.iter().map(|one| one.cpu).collect();
        }
        let Ok(Reply::Idle(idle)) = child.ask(Command::Idle) else { return Ok(()) };
        record.idle = Some(idle);
        if errand == Errand::Ladder
            && let Ok(Some(lazy)) = self.load_lazy(&mut child, idle)
        {
            let warm = child.ask(Command::WarmUp);
            let lazy = record.lazy.insert(lazy);
            if let Ok(Reply::Warm(warm)) = warm {
                lazy.warm = Some(warm.after);
            }
        }
        Ok(())
    }

    /// Loads what is lazy, if anything is.
    fn load_lazy(&self, child: &mut Group, before: Mark) -> Result<Option<LazySample>, ChildError> {
        if !self.job.has_lazy_models() {
            return Ok(None);
        }
        let Reply::LoadedLazy(models) = child.ask(Command::LoadLazy)? else {
            return Err(confused());
        };
        Ok(Some(LazySample { before, models, warm: None }))
    }
}

/// The commands of an errand, each with the number of requests that it puts in flight.
fn work(errand: Errand, schedule: &Schedule) -> Vec<(Command, u32)> {
    let kind = if let Errand::Kind(kind) = errand { kind } else { 0 };
    let kinds = if errand == Errand::Mix { Kinds::Mixed } else { Kinds::Only(kind) };
    let waves =
        |concurrency, max_blocks| (Command::Waves { concurrency, max_blocks, kinds }, concurrency);
    match errand {
        Errand::Ladder | Errand::Kind(_) => {
            let stages = (Command::Stages { budget: schedule.stages, kind }, 1);
            let ladder = schedule.ladder.iter().map(|&n| waves(n, schedule.max_blocks));
            std::iter::once(stages).chain(ladder).collect()
        }
        Errand::Cold => {
            let concurrency = schedule.held_out;
            vec![(Command::ColdBurst { concurrency }, concurrency)]
        }
        Errand::Check | Errand::Mix => vec![waves(schedule.held_out, schedule.max_check_blocks)],
        Errand::Far(n) => vec![waves(n, schedule.max_check_blocks)],
    }
}

/// Whether a new process is known well enough at `x` requests, and what they add to it.
fn is_tight(line: &Line, x: f64) -> bool {
    let half = |interval: Interval| (interval.high - interval.low) / 2.0;
    half(line.prediction_interval(x, CONFIDENCE)) <= TIGHT * line.at(x)
        && half(line.mean_interval(x, CONFIDENCE)) <= TIGHT_INCREMENT * line.slope() * x
}

/// The warm waves of one child.
fn samples(record: &ChildRecord) -> impl Iterator<Item = Sample> {
    record.waves.iter().map(|(n, wave)| Sample {
        x: f64::from(*n),
        y: wave.peak.as_f64(),
        process: record.child,
    })
}

/// The first errand that the finished children have not done.
fn next_errand(errands: &[Errand], finished: &[ChildRecord]) -> Option<Errand> {
    let mut done: Vec<Errand> = finished.iter().map(|r| r.errand).collect();
    errands.iter().copied().find(|errand| {
        let found = done.iter().position(|d| d == errand);
        if let Some(position) = found {
            done.swap_remove(position);
        }
        found.is_none()
    })
}

fn pace(record: &ChildRecord, cores: f64) -> Option<Pace> {
    let warm = record.warm?;
    let loading: f64 = record.loaded.models.iter().map(|m| m.seconds.get()).sum();
    let request_seconds = warm.request_seconds.get();
    Some(Pace { start_seconds: loading + 3.0 * request_seconds, request_seconds, cores })
}

fn confused() -> ChildError {
    ChildError::Failed("the measured process gave a reply that does not match the command".into())
}
