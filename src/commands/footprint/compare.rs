//! `--topologies`: the same service in others, measured after its own.

use super::{Obtained, Request};
use crate::cli::FamilyArg;
use crate::measure::cache::{CacheKey, KeyParts};
use crate::measure::comparison::{Compared, Comparison, Family, Trial};
use crate::measure::host::HostBox;
use crate::measure::interrupt::Interrupt;
use crate::measure::protocol::Job;

impl From<FamilyArg> for Family {
    fn from(family: FamilyArg) -> Self {
        match family {
            FamilyArg::Serial => Self::Serial,
            FamilyArg::Pool => Self::Pool,
            FamilyArg::Workers => Self::Workers,
        }
    }
}

impl Request<'_> {
    /// The same request, and these topologies beside its own.
    pub fn comparing(mut self, families: &[FamilyArg]) -> Self {
        self.families = families.iter().copied().map(Family::from).collect();
        self
    }

    /// Runs what was asked for and `obtained` does not have, and keeps it with the rest.
    pub(super) fn compared(
        &self,
        mut obtained: Obtained,
        job: impl FnOnce() -> anyhow::Result<Job>,
        key: &CacheKey,
        parts: KeyParts,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Obtained> {
        if self.families.is_empty() || obtained.interrupted {
            return Ok(obtained);
        }
        let footprint = obtained.footprint.clone();
        let mut runs = footprint.runs.clone();
        let job = job()?;
        let comparison = Comparison {
            job: &job,
            footprint: &footprint,
            budget: self.budget,
            // Planted costs take no RAM.
            available: match job {
                Job::Service(_) => HostBox::this().ok().and_then(|h| h.available_ram),
                Job::Synthetic(_) => None,
            }
            .unwrap_or_default(),
            interrupt,
            tell: &|what| self.printer.info(&format!("measuring {what}")),
        };
        let trials = self.that_fit(&comparison, comparison.trials(&self.families));
        if trials.is_empty() {
            return Ok(obtained);
        }
        let words: Vec<String> = trials.iter().map(|t| t.topology.to_string()).collect();
        self.printer.notice(&format!(
            "measuring other topologies ({}) takes about {} more",
            words.join(", "),
            comparison.expected(&trials)
        ));
        let end = comparison.run(&trials, &mut runs);
        self.printer.clear();
        obtained.footprint.runs = runs;
        match end {
            Compared::Complete => {}
            Compared::Interrupted => obtained.interrupted = true,
            Compared::Failed(error) => return Err(error),
        }
        self.keep(key, parts, &obtained.footprint);
        Ok(obtained)
    }

    /// Without those for which there is not enough RAM here, and what is predicted from them.
    fn that_fit(&self, comparison: &Comparison<'_>, trials: Vec<Trial>) -> Vec<Trial> {
        let (fit, not): (Vec<Trial>, Vec<Trial>) =
            trials.into_iter().partition(|trial| comparison.has_room(trial));
        for trial in not {
            self.printer.warning(&format!(
                "{} is not run: it would need most of the RAM that is free here",
                trial.topology
            ));
        }
        fit
    }
}
