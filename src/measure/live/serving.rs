//! A live service that is tried in a box: asked in the words in which the tool's own processes are
//! asked, so that both are tried in the same way.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::LiveError;
use super::client::{Client, Fault};
use super::load::{Crowd, Outcome};
use super::start::Started;
use super::tree::CpuClock;
use crate::measure::child::{Bounds, ChildError};
use crate::measure::control_group::ControlGroup;
use crate::measure::drive::{Arrivals, Load};
use crate::measure::host::files::Process;
use crate::measure::interrupt::Interrupt;
use crate::measure::memory;
use crate::measure::protocol::{Command, Loaded, Mark, Reply, Warm, WaveSample};
use crate::measure::trial::Serves;
use crate::profile::Live;
use crate::units::Seconds;

/// The kernel's way to end a process.
const SIGKILL: i32 = 9;

/// Waves of a trial, at least and at the most: as many with a limit as without, so that their times
/// can be compared, and about this long.
const FEWEST: u32 = 3;
const MOST: u32 = 12;
const ABOUT: f64 = 4.0;

/// Lone requests before a warm trial.
const LONE: u32 = 3;

/// How it is tried.
#[derive(Debug, Clone)]
pub struct LiveJob {
    /// How it is started and asked.
    pub live: Live,
    /// How long a lone request takes.
    pub alone: Seconds,
    /// Processes that answer.
    pub workers: u32,
    /// Requests that it takes for what accumulates to be there: so many are answered before a warm trial
    /// is judged.
    pub requests: u64,
}

/// A live service in a box.
pub struct Serving<'a> {
    job: &'a LiveJob,
    bounds: Bounds<'a>,
    interrupt: &'a Interrupt,
    started: Option<Started>,
    crowd: Crowd,
    /// Until when the first requests are sent again where it says that it is not ready.
    patience: Option<Instant>,
    has_accumulated: bool,
}

impl<'a> Serving<'a> {
    /// Not started yet.
    ///
    /// # Errors
    /// Where what it is asked is not what it should be.
    pub fn new(
        job: &'a LiveJob,
        bounds: Bounds<'a>,
        interrupt: &'a Interrupt,
    ) -> Result<Self, ChildError> {
        let client = Client::new(&job.live).map_err(failed)?;
        let mut crowd = Crowd::new(client, interrupt);
        crowd.until = bounds.until;
        crowd.keep_connections(job.workers == 1);
        // All that differ, one after the other.
        crowd.keeps_payloads = false;
        Ok(Self {
            job,
            bounds,
            interrupt,
            started: None,
            crowd,
            patience: None,
            has_accumulated: false,
        })
    }

    fn start(&mut self) -> Result<Reply, ChildError> {
        match Started::start(&self.job.live, self.bounds.group, self.interrupt) {
            Ok(started) => {
                if let Some(followed) = started.followed() {
                    return Err(ChildError::Failed(format!(
                        "the box holds the command and not {}, which is what serves: give that a \
                         limit of its own, and measure it with --cgroup",
                        followed.what
                    )));
                }
                self.patience = started.patience();
                self.started = Some(started);
            }
            Err(error) => return Err(self.became(error)),
        }
        let mark = self.mark();
        Ok(Reply::Loaded(Loaded { start: mark, runtime: mark, models: Vec::new() }))
    }

    fn mark(&self) -> Mark {
        let standing = self.started.as_ref().and_then(|s| s.root().standing().ok());
        standing.map_or_else(Mark::default, |standing| Mark {
            total: standing.level.total(),
            file: standing.level.file_bytes,
            kernel: standing.kernel,
        })
    }

    /// As many requests as it takes for what accumulates to be there, no more than `n` at once.
    fn accumulate(&mut self, n: u32) -> Result<(), ChildError> {
        if self.has_accumulated || self.job.requests == 0 {
            return Ok(());
        }
        self.has_accumulated = true;
        let requests = u32::try_from(self.job.requests).unwrap_or(u32::MAX);
        let load = Load { arrivals: Arrivals::Closed(n), requests, limit: n, seed: 0 };
        let (outcome, _) = self.crowd.drive(load).map_err(|e| self.became(e))?;
        self.judge(&outcome)
    }

    fn waves(&mut self, n: u32, waves: u32) -> Result<WaveSample, ChildError> {
        let mut all: Option<Outcome> = None;
        let begun = Instant::now();
        for _ in 0..waves.max(1) {
            let (until, started) = (self.patience.take(), self.started.as_ref());
            let is_there = || started.is_some_and(|started| started.root().ids().is_ok());
            let outcome = self.crowd.first_wave(n, until, is_there);
            let (outcome, _) = outcome.map_err(|e| self.became(e))?;
            self.judge(&outcome)?;
            match &mut all {
                Some(all) => all.add(&outcome),
                None => all = Some(outcome),
            }
        }
        let after = self.mark();
        let answered = all.map_or(0, |all| all.answered());
        Ok(WaveSample {
            peak: after.total,
            after,
            flat: true,
            requests: u32::try_from(answered).unwrap_or(u32::MAX),
            wall: begun.elapsed().into(),
            cpu: Seconds::ZERO,
            touched: None,
        })
    }

    /// A request without an answer of success refutes the plan as a killed process does; why, the
    /// kernel tells.
    fn judge(&self, outcome: &Outcome) -> Result<(), ChildError> {
        if self.was_killed() {
            return Err(ChildError::Killed { signal: SIGKILL });
        }
        match outcome.faults.first_key_value() {
            None => Ok(()),
            Some((Fault::Timeout, _)) => Err(ChildError::Late),
            Some((fault, count)) => Err(ChildError::Failed(format!(
                "the service failed in the box: {count} × {fault}{}",
                self.output()
            ))),
        }
    }

    fn output(&self) -> String {
        let output = self.started.as_ref().map(Started::output).unwrap_or_default();
        super::said(&output)
    }

    fn was_killed(&self) -> bool {
        // The kernel counts a kill a moment after the connection is gone.
        let kills = |group: &ControlGroup| group.counters().oom_kills.unwrap_or(0) > 0;
        self.bounds.group.is_some_and(kills)
    }

    fn became(&self, error: LiveError) -> ChildError {
        std::thread::sleep(Duration::from_millis(50));
        match error {
            LiveError::Interrupted => ChildError::Interrupted,
            _ if self.was_killed() => ChildError::Killed { signal: SIGKILL },
            LiveError::Late => ChildError::Late,
            LiveError::NotReady { .. } if self.bounds.until.is_some() => ChildError::Late,
            other => failed(other),
        }
    }
}

impl Serves for Serving<'_> {
    fn mapped(&self) -> BTreeSet<PathBuf> {
        let ids = self.started.as_ref().and_then(|s| s.root().ids().ok()).unwrap_or_default();
        ids.into_iter()
            .filter_map(|id| memory::mapped_files(Process::Id(id)).ok())
            .flatten()
            .collect()
    }

    fn ask(&mut self, command: Command) -> Result<Reply, ChildError> {
        match command {
            Command::Load => self.start(),
            Command::WarmUp => {
                let begun = Instant::now();
                self.waves(1, LONE)?;
                // One after the other: a box for fewer at once than there are processes must hold.
                if self.job.workers > 1 {
                    self.waves(1, LONE * self.job.workers)?;
                }
                Ok(Reply::Warm(Warm {
                    after: self.mark(),
                    request_seconds: Seconds::new(begun.elapsed().as_secs_f64() / f64::from(LONE)),
                    arena: None,
                    heap: None,
                }))
            }
            Command::Waves { concurrency, .. } => {
                self.accumulate(concurrency)?;
                let one = self.job.alone.get() * f64::from(concurrency);
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "clamped"
                )]
                let waves =
                    (ABOUT / one.max(1e-6)).clamp(f64::from(FEWEST), f64::from(MOST)) as u32;
                self.waves(concurrency, waves).map(Reply::Waves)
            }
            Command::ColdBurst { concurrency } => self.waves(concurrency, 1).map(Reply::Waves),
            Command::Drive(load) => {
                let ids = || self.started.as_ref().and_then(|s| s.root().ids().ok());
                let before = CpuClock::read(&ids().unwrap_or_default());
                let (outcome, mut answers) = self.crowd.drive(load).map_err(|e| self.became(e))?;
                self.judge(&outcome)?;
                let ids = self.started.as_ref().and_then(|s| s.root().ids().ok());
                let used = CpuClock::read(&ids.unwrap_or_default()).since(&before);
                #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
                let each = used.get() / answers.len().max(1) as f64;
                // Of a service that is seen from outside only the mean is known.
                for answer in &mut answers {
                    (answer.cpu, answer.waited) = (each, 0.0);
                }
                Ok(Reply::Driven(answers))
            }
            Command::Idle => Ok(Reply::Idle(self.mark())),
            Command::LoadLazy | Command::Stages { .. } => {
                Err(ChildError::Failed("a live service has no such thing".to_owned()))
            }
        }
    }
}

fn failed(error: LiveError) -> ChildError {
    match error {
        LiveError::Interrupted => ChildError::Interrupted,
        LiveError::Late => ChildError::Late,
        other => ChildError::Failed(other.to_string()),
    }
}
