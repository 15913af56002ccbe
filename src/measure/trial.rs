//! A service in a box: its real processes inside the kernel's limits, with N requests in flight.
//!
//! What comes out is an observation, not a judgement: how it ended, how long it took, and what the
//! kernel counted.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Advice, fadvise};

use super::child::{self, Bounds, ChildError};
use super::control_group::{ControlGroup, GroupError, Limits, Place, Watcher};
use super::group::Group;
use super::interrupt::Interrupt;
use super::live::serving::{LiveJob, Serving};
use super::protocol::{Command, Job, Kinds, Reply};
use super::threads;
use crate::files;
use crate::footprint::{Counters, Ending, Observation, Phase, Temper, Topology};
use crate::units::{Bytes, Rate, Seconds};

/// Blocks of waves of each trial: as many whatever the marks do, so that times can be compared.
const BLOCKS: u32 = 3;

/// Waves that a trial may take: as many as a block has at least, twice over, with those that are held.
const WAVES: u32 = 8;

/// Between two looks at what a group holds.
const LOOK: Duration = Duration::from_millis(5);

/// A group that is charged so little less than its limit is at it: what did not fit was larger than a
/// page.
const NEAR: Bytes = Bytes::mib(1);

/// The kernel's way to end a process.
const SIGKILL: i32 = 9;

/// Why there is no observation.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// The box cannot be made.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// The service ended for a reason other than the limits.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// Somebody else killed it.
    #[error(
        "the process in the box was killed by signal {0}, and not by the kernel for want of memory: \
         who did that? Try again"
    )]
    KilledByAnother(i32),
    /// The kernel killed it, and not for this limit.
    #[error(
        "this could not be tried: the kernel killed the process in the box for want of memory, and it was \
         not at {}: the machine, or a control group above, had no more; free some, or try a smaller box",
        limit.map_or_else(|| "a limit of its own".to_owned(), |limit| format!("its limit of {limit}"))
    )]
    NoMemoryElsewhere {
        /// Its own limit, if it had one.
        limit: Option<Bytes>,
    },
}

/// What is tried.
#[derive(Debug, Clone)]
pub enum Subject {
    /// Models, in processes of this tool that do this.
    Models(Job),
    /// A service that runs by itself.
    Live(Box<LiveJob>),
}

/// A service that is asked.
pub trait Serves {
    /// Gives a command and waits for the reply.
    ///
    /// # Errors
    /// What became of the service; it cannot be asked again.
    fn ask(&mut self, command: Command) -> Result<Reply, ChildError>;

    /// Files that it has mapped and that nobody named before.
    fn mapped(&self) -> BTreeSet<PathBuf> {
        BTreeSet::new()
    }
}

impl Serves for Group {
    fn ask(&mut self, command: Command) -> Result<Reply, ChildError> {
        Self::ask(self, command)
    }
}

/// A service that is tried in boxes.
pub struct Trials<'a> {
    /// What it is.
    pub subject: Subject,
    /// How requests share processes and sessions.
    pub topology: Topology,
    /// Files that the service reads: each trial pays for their pages itself. Those of a live service
    /// become known in its first trial.
    pub files: BTreeSet<PathBuf>,
    /// Where boxes are made.
    pub place: &'a Place,
    /// Who cleans up.
    pub watcher: Watcher,
    /// Asked for an end.
    pub interrupt: &'a Interrupt,
    /// How long measuring it may take, in its share of a CPU.
    pub allowed: Seconds,
    /// Requests a second that are expected of it.
    pub rate: Rate,
}

impl Trials<'_> {
    /// Puts `concurrency` requests in flight in a box with these limits, for `patience` at the most.
    ///
    /// # Errors
    /// Where the box cannot be made, or the service fails for another reason.
    pub fn run(
        &mut self,
        concurrency: u32,
        temper: Temper,
        limits: Limits,
        patience: Option<Seconds>,
    ) -> Result<Observation, TrialError> {
        self.run_then(concurrency, temper, limits, patience, |_, _| Ok(())).map(|seen| seen.0)
    }

    /// The same, with `then` asked of the service when the requests are answered.
    ///
    /// # Errors
    /// As [`Trials::run`].
    pub fn run_then<T: Default>(
        &mut self,
        concurrency: u32,
        temper: Temper,
        limits: Limits,
        patience: Option<Seconds>,
        then: impl FnOnce(&mut dyn Serves, &ControlGroup) -> Result<T, ChildError>,
    ) -> Result<(Observation, T), TrialError> {
        self.drop_pages();
        let group = ControlGroup::make(self.place, limits, &mut self.watcher)?;
        let begun = Instant::now();
        let until = patience.map(|p| begun + Duration::from_secs_f64(p.get()));
        let mut phase = Phase::Loading;
        let expected = Seconds::new(f64::from(concurrency * WAVES) / self.rate.get().max(1e-9));
        let bounds = Bounds {
            group: Some(&group),
            until,
            patience: child::patience(self.allowed, expected),
        };
        let (result, highest) =
            watching(&group, || self.serve(concurrency, temper, bounds, &mut phase, then));
        let result = result.map_err(ChildError::Start)?;
        let wall = begun.elapsed().into();
        let counters = group.counters();
        let (ending, value) = match result {
            Ok((value, finished)) => (Ending::Finished, Some((value, finished))),
            Err(ChildError::Killed { signal }) => {
                let by_kernel = counters.oom_kills.is_none_or(|kills| kills > 0);
                if signal != SIGKILL || !by_kernel {
                    return Err(TrialError::KilledByAnother(signal));
                }
                if !limits.ram.is_some_and(|limit| was_reached(limit, &counters)) {
                    return Err(TrialError::NoMemoryElsewhere { limit: limits.ram });
                }
                (Ending::Killed(phase), None)
            }
            Err(ChildError::Late) => (Ending::Late(phase), None),
            Err(error) => return Err(error.into()),
        };
        let (value, wall) = value.map_or_else(
            || (T::default(), wall),
            |(value, finished)| (value, finished.duration_since(begun).into()),
        );
        Ok((Observation { ending, wall, counters, highest }, value))
    }

    /// One service from start to end; when its requests were answered, before `then`.
    fn serve<T>(
        &mut self,
        concurrency: u32,
        temper: Temper,
        bounds: Bounds<'_>,
        phase: &mut Phase,
        then: impl FnOnce(&mut dyn Serves, &ControlGroup) -> Result<T, ChildError>,
    ) -> Result<(T, Instant), ChildError> {
        let mut service: Box<dyn Serves> = match &self.subject {
            Subject::Models(job) => {
                let processes = self.topology.processes();
                Box::new(Group::start(job, processes, 0, bounds, self.interrupt)?)
            }
            Subject::Live(job) => Box::new(Serving::new(job, bounds, self.interrupt)?),
        };
        service.ask(Command::Load)?;
        if matches!(&self.subject, Subject::Models(job) if job.has_lazy_models()) {
            service.ask(Command::LoadLazy)?;
        }
        match temper {
            Temper::Warm => {
                *phase = Phase::Warming;
                service.ask(Command::WarmUp)?;
                *phase = Phase::Serving;
                service.ask(self.waves(concurrency))?;
            }
            Temper::Cold => {
                *phase = Phase::Serving;
                service.ask(Command::ColdBurst { concurrency })?;
            }
        }
        let finished = Instant::now();
        self.files.extend(service.mapped());
        match bounds.group {
            Some(group) => Ok((then(service.as_mut(), group)?, finished)),
            None => Err(ChildError::Failed("a trial has a box".into())),
        }
    }

    /// The waves of one trial.
    pub fn waves(&self, concurrency: u32) -> Command {
        let kinds = match &self.subject {
            Subject::Models(job) if job.kinds() > 1 => Kinds::Mixed,
            _ => Kinds::Only(0),
        };
        Command::Waves { concurrency, max_blocks: BLOCKS, kinds }
    }

    /// Pages of files are charged to whoever touches them first, and stay where they are: without
    /// this a service would get its library and its models for nothing because another process has
    /// read them before, which in a box of its own nobody has.
    fn drop_pages(&self) {
        for path in &self.files {
            if let Ok((file, _)) = files::open(path) {
                // Pages that another process maps stay: those are free for the trial too.
                let _ = fadvise(&file, 0, None, Advice::DontNeed);
            }
        }
    }
}

/// Whether a group was at this limit, as far as the kernel tells. Not all kernels count how often it
/// was: where memory alone and memory with swap have the same limit, Linux 6.18 does not.
fn was_reached(limit: Bytes, counters: &Counters) -> bool {
    let is_counted = counters.reclaims.is_some_and(|times| times > 0);
    is_counted || counters.peak.is_none_or(|peak| peak + NEAR >= limit)
}

/// Says so when it is dropped.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Does `work` and looks at the group meanwhile; an error where there is no thread to look.
fn watching<T>(
    group: &ControlGroup,
    work: impl FnOnce() -> T,
) -> (io::Result<T>, Option<(Bytes, Bytes)>) {
    let (is_over, highest) = (AtomicBool::new(false), Mutex::new(None));
    let result = thread::scope(|scope| {
        threads::start_scoped(scope, "samples", || {
            while !is_over.load(Ordering::Acquire) {
                // Files in a tmpfs can no more be dropped than anonymous pages.
                if let Some(now) = group.charge().map(|c| (c.anon + c.shmem, c.file)) {
                    let mut highest = highest.lock().unwrap_or_else(PoisonError::into_inner);
                    *highest = (*highest).max(Some(now));
                }
                thread::sleep(LOOK);
            }
        })?;
        // Set even where the work panics, or the scope would wait for ever.
        let _over = Over(&is_over);
        Ok(work())
    });
    (result, highest.into_inner().unwrap_or_else(PoisonError::into_inner))
}
