//! The service itself, for whoever runs it and not only reads what it costs.

use std::path::PathBuf;

use anyhow::{Context, bail};

use super::{Request, available, has_room};
use crate::commands::{runtime, synthetic};
use crate::footprint::Footprint;
use crate::measure::interrupt::Interrupt;
use crate::measure::live::secrets::Secrets;
use crate::measure::live::serving::LiveJob;
use crate::measure::prepare::{Placed, check};
use crate::measure::protocol::Job;
use crate::measure::runtime::Surroundings;
use crate::measure::trial::Subject;
use crate::profile::Live;

/// A service that can be started.
#[derive(Debug)]
pub struct Runnable {
    /// What is tried.
    pub subject: Subject,
    /// The files that they read.
    pub files: Vec<PathBuf>,
    /// Keeps temporary files for as long as they are needed.
    _placed: Option<Placed>,
}

impl Runnable {
    /// The same models in the server process that their footprint counts. Only what the kernel cannot
    /// drop is taken.
    #[must_use]
    pub fn in_program_of(mut self, footprint: &Footprint) -> Self {
        if let (Subject::Models(job), Some(program)) = (&self.subject, &footprint.program) {
            self.subject = Subject::Models(job.clone().beside(program.added_anon_bytes));
        }
        self
    }
}

impl Request<'_> {
    /// Whether the service runs by itself, and is started to be tried.
    pub const fn is_live(&self) -> bool {
        self.profile.live.is_some()
    }

    /// What its requests and its command take from the environment.
    pub fn secrets(&self) -> Secrets {
        self.profile.live.as_ref().map(Secrets::of).unwrap_or_default()
    }

    /// The service as it would be measured.
    pub fn runnable(&self, interrupt: &Interrupt) -> anyhow::Result<Runnable> {
        if let Some(live) = &self.profile.live {
            return self.live(live);
        }
        let checked = match &self.args.synthetic {
            Some(text) => {
                let job = synthetic::changed(synthetic::parse(text)?, &self.profile);
                return Ok(Runnable {
                    subject: Subject::Models(
                        Job::Synthetic(job).in_topology(self.profile.topology),
                    ),
                    files: Vec::new(),
                    _placed: None,
                });
            }
            None => check(&self.cache, &self.profile)?,
        };
        if let Some(available) = available().filter(|_| !self.args.force) {
            has_room(checked.load_estimate(), available)?;
        }
        let surroundings = Surroundings::of_process(self.cache.root());
        let runtime = match runtime::find(&surroundings, self.printer, interrupt) {
            Some(runtime) => runtime,
            None => runtime::install(&surroundings, self.printer, interrupt)?,
        };
        let (placed, job) = self.real_job(&checked, &runtime)?;
        let program = std::env::current_exe().context("this program's own file is not known")?;
        let models = placed.models.iter().map(|model| model.path.clone());
        let files = models.chain([runtime.path, program]).collect();
        let subject = Subject::Models(job.in_topology(self.profile.topology));
        Ok(Runnable { subject, files, _placed: Some(placed) })
    }

    fn live(&self, live: &Live) -> anyhow::Result<Runnable> {
        if !live.is_startable() {
            bail!(
                "`{}` was measured while it ran, and nothing says how it is started: add `command:` to \
                 `live:` of the profile, as in [uvicorn, app:app, --port, \"8000\"]",
                self.profile.name
            );
        }
        let footprint = self.profile.footprint.as_ref();
        Ok(Runnable {
            subject: Subject::Live(Box::new(LiveJob {
                live: live.clone(),
                alone: footprint.map(|f| f.wall_seconds.typical()).unwrap_or_default(),
                workers: footprint.and_then(|f| f.live.as_ref()).map_or(1, |l| l.workers),
                requests: footprint.map_or(0, Footprint::requests_to_accumulate),
            })),
            files: Vec::new(),
            _placed: None,
        })
    }
}
