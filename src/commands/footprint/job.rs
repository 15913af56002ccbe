//! The service itself, for whoever runs it and not only reads what it costs.

use std::path::PathBuf;

use anyhow::Context;

use super::{Request, available, has_room};
use crate::commands::{runtime, synthetic};
use crate::measure::interrupt::Interrupt;
use crate::measure::prepare::{Placed, check};
use crate::measure::protocol::Job;
use crate::measure::runtime::Surroundings;

/// A service that can be started.
#[derive(Debug)]
pub struct Runnable {
    /// What each of its processes does.
    pub job: Job,
    /// The files that they read.
    pub files: Vec<PathBuf>,
    /// Keeps temporary files for as long as they are needed.
    _placed: Option<Placed>,
}

impl Request<'_> {
    /// The service as it would be measured.
    pub fn runnable(&self, interrupt: &Interrupt) -> anyhow::Result<Runnable> {
        let checked = match &self.args.synthetic {
            Some(text) => {
                let job = synthetic::changed(synthetic::parse(text)?, &self.profile);
                return Ok(Runnable {
                    job: Job::Synthetic(job).in_topology(self.profile.topology),
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
        Ok(Runnable { job: job.in_topology(self.profile.topology), files, _placed: Some(placed) })
    }
}
