//! One measurement: the service at rest, after its first requests, with 1, 2, 4, 8 … in flight, with
//! fewer again, and after many.

mod again;
mod drive;
mod first;
mod group;
mod growth;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::drive::{Step, ladder, with_controls};
pub use self::first::Answer;
use self::first::First;
use self::group::Boxes;
use self::growth::Rested;
use super::LiveError;
use super::client::{Address, Client};
use super::headroom::Headroom;
use super::heap;
use super::load::Crowd;
use super::owner;
use super::start::Started;
use super::tmpfs;
use super::tree::{Root, Standing};
use super::usage::Usage;
use super::watch::Watch;
use crate::footprint::{ColdBurst, During, Failure, Level, ManagedHeap, PeaksBy, Round, TmpfsUse};
use crate::measure::control_group::{ControlGroup, Limits, Place, Watcher};
use crate::measure::host::HostBox;
use crate::measure::host::files::{Files, Process};
use crate::measure::interrupt::Interrupt;
use crate::model::live::Reading;
use crate::profile::Live;
use crate::units::{Bytes, Seconds};

/// Where the largest concurrency is not said.
pub const UP_TO: u32 = 16;

/// How long a process may take to be gone once its connections are.
const DYING: Duration = Duration::from_millis(50);

/// How long a later start may say that it is not ready where the first did not.
const GRACE: Duration = Duration::from_secs(1);

/// Of the time that there is, what the first start may take for the rounds and for growth; the rest is
/// for other starts.
const FOR_ROUNDS: f64 = 0.45;
const FOR_GROWTH: f64 = 0.15;

/// What is to be measured.
pub struct Campaign<'a> {
    /// How it is started and asked.
    pub live: &'a Live,
    /// What runs already, instead of starting it.
    pub attached: Option<Root>,
    /// How long it may take.
    pub budget: Seconds,
    /// The largest concurrency.
    pub up_to: u32,
    /// RAM that the service is planned for: one whose heap follows the RAM that there is gets no more.
    pub ram: Option<Bytes>,
    /// Asked for an end.
    pub interrupt: &'a Interrupt,
    /// Told what is done.
    pub tell: &'a dyn Fn(&str),
    /// Told what should be known, whatever comes of it.
    pub warn: &'a dyn Fn(&str),
}

/// What one start of the service showed.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its height until it was ready; `None` where that was before we came.
    pub load_peak: Option<Level>,
    /// From the command to the first answer that could be had.
    pub start_seconds: Option<Seconds>,
    /// How much of that it was asked in vain.
    pub waited: Seconds,
    /// Before the first request.
    pub idle: Level,
    /// After the first ones.
    pub first: Level,
    /// The first answers, each alone.
    pub answers: Vec<Answer>,
    /// After all.
    pub after: Level,
    /// In their order.
    pub rounds: Vec<Round>,
    /// CPUs that it used in each round.
    pub busy: Vec<f64>,
    /// Requests answered and bytes at rest, one after the other, while it was asked on and on.
    pub levels: Vec<(f64, f64)>,
    /// What it held at rest after each wave and each load.
    pub readings: Vec<Reading>,
    /// Every payload was sent at least once.
    pub has_sent_all: bool,
    /// The least concurrency for which too little memory was free.
    pub no_room: Option<u32>,
    /// Processes that answered.
    pub workers: u32,
    /// All of them.
    pub processes: u32,
    /// Page tables and stacks.
    pub kernel: Bytes,
    /// File pages that it touched under load, where that is known.
    pub file_in_use: Option<Bytes>,
    /// What is sent with a request, in the mean.
    pub request_bytes: Bytes,
    /// What it could not stand.
    pub failures: Vec<Failure>,
    /// Stopped before its end.
    pub is_partial: bool,
    /// How peaks were found.
    pub peaks_by: PeaksBy,
    /// Between two looks.
    pub interval: Seconds,
    /// The share of one core that looking took.
    pub sampler_cpu: f64,
    /// The most of one core that the driver took.
    pub driver_cpu: f64,
}

impl Run {
    /// The most in flight that it could stand, and whether there was more.
    fn stood(&self) -> (Option<u32>, bool) {
        let stood = self.rounds.iter().filter(|r| !self.failed_at(r)).map(|r| r.concurrency);
        (stood.max(), self.rounds.iter().any(|r| self.failed_at(r)))
    }

    /// Whether it could not stand this round.
    pub fn failed_at(&self, round: &Round) -> bool {
        !round.stood() || self.failures.iter().any(|f| f.ended(round))
    }
}

/// All starts.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The first is whole, the others have peaks alone.
    pub runs: Vec<Run>,
    /// Bursts on a service that had answered nothing.
    pub bursts: Vec<Burst>,
    /// What it could not stand besides: a burst, another start.
    pub failures: Vec<Failure>,
    /// The most that the kernel charged the service's control group, where it has one.
    pub group_peak: Option<Bytes>,
    /// What is known of the service besides.
    pub facts: Facts,
    /// Requests that differ from each other, of all that can be sent; `None` where that has no end.
    pub different: Option<u64>,
    /// Whether a control group told what was charged besides the pages of processes.
    pub is_metered: bool,
    /// File systems in memory on which it had files open, and that filled up.
    pub tmpfs: Vec<TmpfsUse>,
    /// What it left behind in such, after it was stopped.
    pub left_behind: Bytes,
    /// Where that is, as far as is known.
    pub left_in: Vec<PathBuf>,
    /// Stopped before its end.
    pub is_partial: bool,
}

/// What a service is, and what it may use.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Who serves, where that is not what was started.
    pub service: Option<String>,
    /// CPUs that it can use.
    pub cpus: f64,
    /// The runtime whose heap follows the RAM that there is, where it has one.
    pub heap: Option<ManagedHeap>,
}

impl Facts {
    fn of(subject: &Subject) -> Result<Self, LiveError> {
        let ids = subject.usage.root.ids()?;
        // A container may have fewer CPUs and less RAM than this process.
        let host = HostBox::of(Process::Id(ids[0])).or_else(|_| HostBox::this())?;
        let ram_bytes = host.ram.value;
        let followed = subject.started.as_ref().and_then(Started::followed);
        Ok(Self {
            service: followed.map(|followed| followed.what.clone()),
            cpus: host.cpus.value.get(),
            heap: heap::following(&subject.usage.root)
                .map(|runtime| ManagedHeap { runtime, ram_bytes }),
        })
    }
}

/// So many requests at once, the first that a service got.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Burst {
    /// What it took.
    pub cold: ColdBurst,
    /// CPU time of all of them.
    pub cpu: Seconds,
}

/// What is done with a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    PeaksAlone,
}

impl Extent {
    /// The share of the time that rounds get.
    const fn for_rounds(self, is_started: bool) -> f64 {
        match self {
            // There is no other start that would need time.
            Self::Whole if !is_started => 1.0 - FOR_GROWTH,
            Self::Whole => FOR_ROUNDS,
            Self::PeaksAlone => 1.0,
        }
    }
}

/// A service at hand: started for this, or there before.
struct Subject<'a> {
    started: Option<Started>,
    usage: Arc<Usage>,
    group: Option<ControlGroup>,
    /// The memory limit of the group.
    limit: Option<Bytes>,
    warn: &'a dyn Fn(&str),
}

impl Subject<'_> {
    /// The memory limit that ended it, if one did.
    fn killed_at(&self) -> Option<Bytes> {
        self.limit.filter(|_| self.group.as_ref().is_some_and(has_killed))
    }

    /// The error, or that the kernel ended the service.
    fn ended_by(&self, error: LiveError) -> LiveError {
        let limit = if error.is_end() { self.killed_at() } else { None };
        limit.map_or(error, LiveError::NeedsMore)
    }

    /// Stops what was started; what is left of it in file systems in memory, as far as its control group
    /// tells.
    fn end(mut self) -> Bytes {
        self.stop();
        let charge = self.group.as_ref().and_then(ControlGroup::charge);
        let left = charge.map(|charge| charge.shmem).unwrap_or_default();
        if left > REMAINS { left } else { Bytes::ZERO }
    }

    fn stop(&mut self) {
        if let Some(left) = self.started.take().and_then(Started::end) {
            (self.warn)(&left);
        }
    }

    /// The failure, with what the kernel did.
    fn explained(&self, failure: Failure) -> Failure {
        match self.killed_at() {
            Some(ram) => {
                let what =
                    format!("{}; the kernel killed it: it needs more than {ram}", failure.what);
                Failure { what, ..failure }
            }
            None => failure,
        }
    }
}

impl Drop for Subject<'_> {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Whether the kernel has ended something in the group for want of memory. It counts that a moment
/// after connections are gone.
fn has_killed(group: &ControlGroup) -> bool {
    std::thread::sleep(DYING);
    group.counters().oom_kills.unwrap_or(0) > 0
}

/// Less is not worth a word.
const REMAINS: Bytes = Bytes::mib(1);

impl Campaign<'_> {
    /// Measures, for about the budget.
    ///
    /// # Errors
    /// Where the service cannot be started, found or asked. A service that cannot stand a load is
    /// no error.
    pub fn run(&self) -> Result<Measured, LiveError> {
        let begun = Instant::now();
        let budget = Duration::from_secs_f64(self.budget.get());
        let place = if self.attached.is_some() { None } else { Place::find(&Files::real()).ok() };
        let mut watcher = place.as_ref().and_then(|_| Watcher::start().ok());
        let limits = Limits::default();
        let mut boxes = Boxes { place: place.as_ref(), watcher: watcher.as_mut(), limits };
        let before = tmpfs::used(Process::This);
        let mut measured = self.first(&mut boxes)?;
        let first = &measured.runs[0];
        let (most, has_failed) = first.stood();
        let most = most.filter(|n| *n > 1 || !has_failed);
        if let (None, false, None, Some(most)) =
            (&self.attached, measured.is_partial, first.no_room, most)
        {
            let left = || budget.saturating_sub(begun.elapsed()).as_secs_f64();
            self.again(&mut measured, most, &left, &mut boxes);
        }
        if measured.left_behind > Bytes::ZERO {
            let grown = |at: &PathBuf, now: Bytes| {
                now.saturating_sub(before.get(at).copied().unwrap_or_default())
            };
            let now = tmpfs::used(Process::This).into_iter();
            let there = now.filter(|(at, now)| grown(at, *now) > REMAINS).map(|(at, _)| at);
            measured.left_in = there.collect();
        }
        Ok(measured)
    }

    fn first(&self, boxes: &mut Boxes<'_>) -> Result<Measured, LiveError> {
        if self.attached.is_none() {
            (self.tell)("starting the service");
        }
        let mut subject = self.subject(boxes)?;
        let mut facts = Facts::of(&subject)?;
        if let (Some(heap), Some(ram)) = (facts.heap, self.ram)
            && !heap.was_measured_with(ram)
        {
            if facts.service.is_none() && subject.group.is_some() {
                (self.tell)(&format!("starting it again in {ram}"));
                boxes.limits.ram = Some(ram);
                drop(subject);
                subject = self.subject(boxes)?;
                facts = Facts::of(&subject).map_err(|error| subject.ended_by(error))?;
            } else if self.attached.is_none() {
                (self.warn)(&format!(
                    "the service cannot be given a memory limit of {ram} here: it is measured with {}",
                    heap.ram_bytes
                ));
            }
        }
        let different = Client::new(self.live)?.different();
        let steps = with_controls(&ladder(self.up_to));
        let extent = (Extent::Whole, &steps[..]);
        let run = self.measure(&mut subject, 0, extent, self.budget, Seconds::ZERO);
        let (run, tmpfs) = run.map_err(|error| subject.ended_by(error))?;
        let group_peak = subject.usage.peak_of_group();
        Ok(Measured {
            is_partial: run.is_partial,
            runs: vec![run],
            bursts: Vec::new(),
            failures: Vec::new(),
            group_peak,
            facts,
            different,
            is_metered: subject.usage.is_metered(),
            tmpfs,
            left_behind: subject.end(),
            left_in: Vec::new(),
        })
    }

    fn subject(&self, boxes: &mut Boxes<'_>) -> Result<Subject<'_>, LiveError> {
        let warn = self.warn;
        if let Some(root) = &self.attached {
            root.check()?;
            let usage = Arc::new(Usage::new(root.clone(), None));
            return Ok(Subject { started: None, usage, group: None, limit: None, warn });
        }
        let group = boxes.make();
        let started = Started::start(self.live, group.as_ref(), self.interrupt);
        let started = started.map_err(|error| match boxes.limits.ram {
            Some(ram) if group.as_ref().is_some_and(has_killed) => LiveError::NeedsMore(ram),
            _ => error,
        })?;
        // The group holds what was started, which need not be what serves.
        let own = group.as_ref().filter(|_| started.followed().is_none());
        let usage = Arc::new(Usage::new(started.root().clone(), own));
        Ok(Subject { started: Some(started), usage, group, limit: boxes.limits.ram, warn })
    }

    /// Whether one process alone takes connections, so that each user can keep its own.
    fn has_one_door(&self, idle: &Standing) -> Result<bool, LiveError> {
        let ids: Vec<u32> = idle.members.iter().map(|member| member.id).collect();
        let endpoint = Address::parse(&self.live.url)?.endpoint();
        Ok(ids.len() == 1 || owner::listening_at(&endpoint, &ids) == 1)
    }

    /// Users of the service who stop asking when the machine runs out of memory.
    fn crowd(&self) -> Result<Crowd, LiveError> {
        let mut crowd = Crowd::new(Client::new(self.live)?, self.interrupt);
        crowd.headroom = Headroom::new().map(Arc::new);
        Ok(crowd)
    }

    fn measure(
        &self,
        subject: &mut Subject<'_>,
        start: u32,
        (extent, steps): (Extent, &[Step]),
        time: Seconds,
        known: Seconds,
    ) -> Result<(Run, Vec<TmpfsUse>), LiveError> {
        let mut begun = Instant::now();
        let mut crowd = self.crowd()?;
        let usage = Arc::clone(&subject.usage);
        let root = &usage.root;
        let mut idle = usage.standing()?;
        crowd.keep_connections(self.has_one_door(&idle)?);
        let watch = Watch::begin(Arc::clone(&usage))?;
        (self.tell)("the first requests");
        let patience = patience(subject, start, known);
        let before = || {
            (self.tell)("it is not ready yet");
            usage.standing().map(|standing| (begun, idle) = (Instant::now(), standing)).is_ok()
        };
        let First { answers, failed, waited } =
            first::requests(&usage, &watch, &mut crowd, patience, before)?;
        let settled = match usage.standing() {
            Err(error) if error.is_end() => idle.clone(),
            settled => settled?,
        };
        let load_peak = subject.started.is_some().then(|| loaded(&idle, &settled, waited));
        let for_remains = crowd.headroom.as_ref().map(|headroom| headroom.for_remains());
        let mut driver = drive::Driver {
            usage: &usage,
            watch: &watch,
            start,
            answered: answers.iter().map(|_| 1).sum(),
            has_sent_all: false,
            most: 1,
            readings: Vec::new(),
            first: settled.lasting(),
            for_remains,
            workers: 1,
            peaks_by: if usage.reset_marks() { PeaksBy::Marks } else { PeaksBy::Looks },
            own_cpu: 0.0,
            kernel: settled.kernel,
            last: settled.level,
            file_in_use: None,
            tell: self.tell,
            crowd: &mut crowd,
        };
        let share = extent.for_rounds(subject.started.is_some());
        let for_rounds = begun + Duration::from_secs_f64(time.get() * share);
        let mut seen = match failed {
            Some(failed) => {
                let (row, told) = failed.told(start, settled.level, During::FirstRequests);
                let failure = Some(Failure { what: what_failed(root, &told.what), ..told });
                drive::Seen {
                    rounds: vec![row],
                    busy: vec![0.0],
                    failure,
                    ..drive::Seen::default()
                }
            }
            None => driver.rounds(steps, extent == Extent::Whole, for_rounds)?,
        };
        let is_whole = extent == Extent::Whole
            && seen.failure.is_none()
            && seen.no_room.is_none()
            && !seen.is_partial;
        let Rested { levels, round, failure, is_stopped } = if is_whole {
            (self.tell)("does its memory grow?");
            driver.rested(&seen.rounds, Seconds::new(time.get() * FOR_GROWTH))?
        } else {
            Rested::default()
        };
        if let Some(round) = round {
            seen.rounds.push(round);
            seen.busy.push(0.0);
        }
        let failures = [failure, seen.failure].into_iter().flatten();
        let failures = failures.map(|failure| subject.explained(failure)).collect();
        let after = usage.standing().unwrap_or(settled.clone());
        let start_seconds = subject.started.as_ref().map(|s| s.start_seconds() + waited);
        let run = Run {
            load_peak,
            start_seconds,
            waited,
            idle: idle.level,
            first: settled.level,
            answers,
            after: after.level,
            rounds: seen.rounds,
            busy: seen.busy,
            levels,
            readings: std::mem::take(&mut driver.readings),
            has_sent_all: driver.has_sent_all,
            no_room: seen.no_room,
            workers: driver.workers,
            processes: count(watch.processes().max(idle.members.len())),
            kernel: driver.kernel,
            file_in_use: driver.file_in_use,
            request_bytes: driver.crowd.client().request_bytes(),
            failures,
            is_partial: seen.is_partial || is_stopped,
            peaks_by: driver.peaks_by,
            interval: watch.interval(),
            sampler_cpu: watch.cost(),
            driver_cpu: driver.own_cpu,
        };
        Ok((run, watch.tmpfs()))
    }
}

/// Until when a service that says that it is not ready is asked again: the first time for as long as
/// it may take to start, later for not much longer than it took then.
fn patience(subject: &Subject<'_>, start: u32, known: Seconds) -> Option<Instant> {
    let allowed = subject.started.as_ref().and_then(Started::patience)?;
    let usual = Duration::from_secs_f64(known.get() * 3.0) + GRACE;
    Some(if start == 0 { allowed } else { allowed.min(Instant::now() + usual) })
}

/// The errors in words, and what became of the service.
fn what_failed(root: &Root, errors: &str) -> String {
    // A process is gone a moment after its connections are.
    std::thread::sleep(DYING);
    match (errors, root.ids()) {
        (errors, Ok(_)) => errors.to_owned(),
        ("", Err(_)) => "the service ended".to_owned(),
        (errors, Err(_)) => format!("{errors}; the service ended"),
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The peak of loading. Of a service that was not ready at first, the rest may be loaded between the last
/// look at it and its first answer.
fn loaded(idle: &Standing, settled: &Standing, waited: Seconds) -> Level {
    let is_later = waited > Seconds::ZERO && settled.level.total() > idle.peak().total();
    if is_later { settled.level } else { idle.peak() }
}
