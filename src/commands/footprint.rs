//! Where a footprint comes from: the profile itself, the cache, or a measurement.

mod answer;
mod brought;
mod checks;
mod compare;
mod dry_run;
mod job;
mod planted;
mod standing;

use std::fmt::Write;
use std::time::Instant;

use anyhow::{Context, bail};

pub use self::job::Runnable;
pub use self::standing::Standing;

pub use self::answer::Obtained;
pub(super) use self::checks::available;
use self::checks::{has_room, kind_job, maybe_the_shape, nothing_measured, processes};
use super::printer::Printer;
use super::runtime;
use super::service::profile;
use crate::cli::{GlobalArgs, ServiceArgs};
use crate::footprint::{
    Count, Environment, Footprint, Load, Program, ProgramMemory, ProgramRecord,
};
use crate::measure::assemble::{Facts, KindFacts, assemble};
use crate::measure::cache::{Cache, CacheKey, Kept, KeyParts, sha256_of};
use crate::measure::campaign::{Campaign, ChildRecord, End};
use crate::measure::comparison::Family;
use crate::measure::host::{HostBox, conditions};
use crate::measure::interrupt::Interrupt;
use crate::measure::memory::Interference;
use crate::measure::prepare::{Checked, Placed, check};
use crate::measure::program::memory_of;
use crate::measure::protocol::{Job, ServiceJob};
use crate::measure::runtime::{Runtime, Surroundings};
use crate::profile::{Kind, Profile};
use crate::units::{Bytes, Seconds};

/// How long measuring may take where the user does not say: enough to check the fit of two ResNet-50s
/// three times on two cores.
pub const DEFAULT_BUDGET: Seconds = Seconds::new(40.0);

/// One that could be made.
pub struct Request<'a> {
    args: &'a ServiceArgs,
    printer: &'a Printer,
    cache: Cache,
    profile: Profile,
    budget: Seconds,
    families: Vec<Family>,
    of_what_is_there: bool,
}

impl<'a> Request<'a> {
    /// What the options ask for. Reads the profile, checks nothing else.
    pub fn new(
        args: &'a ServiceArgs,
        global: &GlobalArgs,
        printer: &'a Printer,
    ) -> anyhow::Result<Self> {
        let profile = profile(args)?;
        if profile.declared.is_some() {
            let name = &profile.name;
            bail!("`{name}` declares its costs, so nothing of it is measured: size it instead");
        }
        Self::of(profile, args, global, printer)
    }

    /// The same of a profile that was read already.
    ///
    /// # Errors
    /// Where the cache that was named is refused.
    pub fn of(
        profile: Profile,
        args: &'a ServiceArgs,
        global: &GlobalArgs,
        printer: &'a Printer,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            args,
            printer,
            cache: super::cache::open(global, printer)?,
            profile,
            budget: args.max_time.unwrap_or(DEFAULT_BUDGET),
            families: Vec::new(),
            of_what_is_there: false,
        })
    }

    /// The footprint, by the cheapest way that the options allow.
    pub fn obtain(self) -> anyhow::Result<Obtained> {
        self.obtain_until(&Interrupt::listen().context("cannot listen for Ctrl-C")?)
    }

    /// As [`Request::obtain`], stopped by an interrupt that is listened for elsewhere.
    pub fn obtain_until(&self, interrupt: &Interrupt) -> anyhow::Result<Obtained> {
        let mut obtained = self.obtain_of_models(interrupt)?;
        if let Some((program, memory)) =
            self.program(obtained.footprint.program.as_ref(), interrupt)?
        {
            obtained.footprint = obtained.footprint.in_program(program, memory);
        }
        Ok(obtained)
    }

    /// The server process to be counted; `None` where none was named, or where the footprint `has` it.
    fn program(
        &self,
        has: Option<&ProgramRecord>,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Option<(Program, ProgramMemory)>> {
        let is_there = |program: &Program| has.is_some_and(|record| record.program == *program);
        let Some(program) = self.profile.program.filter(|p| self.args.remeasure || !is_there(p))
        else {
            return Ok(None);
        };
        let memory = memory_of(program, &self.cache, self.args.remeasure, interrupt.flag())?;
        Ok(Some((program, memory)))
    }

    fn obtain_of_models(&self, interrupt: &Interrupt) -> anyhow::Result<Obtained> {
        let brought = self.brought(interrupt)?;
        if let Some(said) = &brought.said {
            self.printer.warning(said);
        }
        if let Some(footprint) = brought.footprint.cloned() {
            return Ok(Obtained {
                provenance: "Footprint from the profile".into(),
                profile: self.profile.clone(),
                footprint,
                interrupted: false,
                is_brought: true,
                said: brought.said,
            });
        }
        let obtained = self.obtain_elsewhere(interrupt)?;
        Ok(Obtained { said: brought.said, ..obtained })
    }

    fn obtain_elsewhere(&self, interrupt: &Interrupt) -> anyhow::Result<Obtained> {
        if self.is_live() {
            let name = &self.profile.name;
            bail!(
                "the live service `{name}` was not measured yet: mediscope-size measure --profile … -o …"
            );
        }
        match &self.args.synthetic {
            Some(text) => self.obtain_planted(text, interrupt),
            None => self.obtain_real(interrupt),
        }
    }

    fn obtain_real(&self, interrupt: &Interrupt) -> anyhow::Result<Obtained> {
        let checked = check(&self.cache, &self.profile)?;
        let host = HostBox::this()?;
        let surroundings = Surroundings::of_process(self.cache.root());
        // Without a library there is no kept footprint either: its version is part of the key.
        let found = runtime::find(&surroundings, self.printer, interrupt);
        if let Some(runtime) = &found {
            let (parts, key) = self.real_key(&checked, &host, runtime)?;
            if let Some(obtained) = self.kept(&key) {
                let job = || self.real_job(&checked, runtime).map(|(_, job)| job);
                return self.compared(obtained, job, &key, parts, interrupt);
            }
            return self.measure_real(&checked, &host, runtime, parts, &key, interrupt);
        }
        let runtime = runtime::install(&surroundings, self.printer, interrupt)?;
        let (parts, key) = self.real_key(&checked, &host, &runtime)?;
        self.measure_real(&checked, &host, &runtime, parts, &key, interrupt)
    }

    fn measure_real(
        &self,
        checked: &Checked,
        host: &HostBox,
        runtime: &Runtime,
        parts: KeyParts,
        key: &CacheKey,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Obtained> {
        if let Some(available) = available().filter(|_| !self.args.force) {
            has_room(checked.load_estimate(), available)?;
        }
        let (placed, job) = self.real_job(checked, runtime)?;
        if placed.is_temporary() {
            self.printer.warning(&format!(
                "{} cannot be written: models are in a temporary folder for this run only; \
                 name another folder with --cache-dir",
                self.cache.root().display()
            ));
        }
        let facts = Facts {
            topology: self.profile.topology,
            environment: self.environment(host, runtime),
            image: placed.image.clone(),
            models: checked.facts(),
            kinds: self.kinds(),
            assumed: checked.assumed(),
            assumed_values: checked.assumed_values(),
        };
        self.measure(job, &facts, key, parts, interrupt)
    }

    fn kinds(&self) -> Vec<KindFacts> {
        let models = self.profile.models.as_slice();
        let lazy = |kind: &Kind| kind.models.iter().any(|&m| models[m].load == Load::Lazy);
        let kinds = self.profile.models.kinds().iter();
        kinds.map(|k| KindFacts { name: k.name.clone(), share: k.share, lazy: lazy(k) }).collect()
    }

    /// The files in their places, and what a process does with them.
    fn real_job(&self, checked: &Checked, runtime: &Runtime) -> anyhow::Result<(Placed, Job)> {
        let placed = checked.place(&self.cache, &|text| self.printer.info(text))?;
        let job = Job::Service(self.service_job(checked, &placed, runtime));
        Ok((placed, job))
    }

    fn service_job(&self, checked: &Checked, placed: &Placed, runtime: &Runtime) -> ServiceJob {
        ServiceJob {
            library: runtime.path.clone(),
            models: placed.models.clone(),
            kinds: self.profile.models.kinds().iter().map(kind_job).collect(),
            settings: self.profile.settings.clone(),
            sharing: self.profile.topology.sharing(),
            images: placed.images.clone(),
            heatmap_edge: checked.heatmap_edge,
            program_bytes: Bytes::ZERO,
        }
    }

    fn environment(&self, host: &HostBox, runtime: &Runtime) -> Environment {
        Environment {
            cpu_model: host.cpu_model.clone(),
            cores: host.cores,
            kernel: host.kernel.clone(),
            onnxruntime: runtime.version.clone(),
            // A library that cannot be read cannot be opened either.
            library_sha256: sha256_of(&self.cache, &runtime.path).ok(),
            conditions: conditions(host),
            tool: KeyParts::tool_version(),
            settings: self.profile.settings.clone(),
            default_threads: match self.profile.settings.threads {
                Count::Default => host.physical_cores,
                Count::Given(_) => None,
            },
            cpu_score: self.cache.calibration(&host.cpu_model),
        }
    }

    fn real_key(
        &self,
        checked: &Checked,
        host: &HostBox,
        runtime: &Runtime,
    ) -> anyhow::Result<(KeyParts, CacheKey)> {
        let environment = self.environment(host, runtime);
        let mut parts =
            self.key_parts(&environment, checked.model_keys(), checked.image_keys(&self.cache)?);
        parts.heatmap_edge = checked.heatmap_edge;
        let key = parts.key()?;
        Ok((parts, key))
    }

    fn key_parts(
        &self,
        environment: &Environment,
        models: Vec<crate::measure::cache::ModelKey>,
        images: Vec<String>,
    ) -> KeyParts {
        KeyParts {
            tool: environment.tool.clone(),
            onnxruntime: environment.onnxruntime.clone(),
            library_sha256: environment.library_sha256.clone(),
            conditions: environment.conditions.clone(),
            cpu_model: environment.cpu_model.clone(),
            cores: environment.cores,
            topology: self.profile.topology,
            settings: environment.settings.clone(),
            default_threads: environment.default_threads,
            models,
            kinds: self.profile.models.kinds().iter().map(kind_job).collect(),
            images,
            heatmap_edge: 0,
        }
    }

    /// A kept footprint, unless the user wants a new one or gives a longer budget than it had.
    fn kept(&self, key: &CacheKey) -> Option<Obtained> {
        if self.args.remeasure {
            return None;
        }
        let kept = self.cache.footprint(key)?;
        if self.args.max_time.is_some_and(|asked| asked > kept.budget) {
            return None;
        }
        let mut footprint = kept.footprint;
        footprint.budget_seconds = Some(kept.budget);
        Some(Obtained {
            profile: self.profile.clone(),
            footprint,
            provenance: "Footprint from the cache (--remeasure to measure again)".into(),
            interrupted: false,
            is_brought: false,
            said: None,
        })
    }

    fn measure(
        &self,
        job: Job,
        facts: &Facts,
        key: &CacheKey,
        parts: KeyParts,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Obtained> {
        let begun = Instant::now();
        let mut finished =
            if self.args.remeasure { Vec::new() } else { self.cache.finished_children(key) };
        let taken_over = finished.len();
        // Planted costs are not disturbed by anything.
        let watch = matches!(job, Job::Service(_)).then(Interference::start);
        let topology = facts.topology;
        let campaign = Campaign {
            job: job.clone().in_topology(topology),
            topology,
            budget: self.budget,
            cores: f64::from(facts.environment.cores),
            available: available(),
            interrupt,
            progress: self.printer,
        };
        let end = campaign.run(&mut finished);
        self.printer.clear();
        let found = watch.map(Interference::finish).unwrap_or_default();
        let disturbances = found.iter().map(ToString::to_string).collect();
        let seconds: Seconds = begun.elapsed().into();
        let mut told = format!("Measured now, in {seconds}");
        if taken_over > 0 {
            let _ = write!(told, ", with {} of an earlier run", processes(taken_over));
        }
        match end {
            End::Complete => {
                let Some(footprint) = assemble(facts, &finished, false, disturbances) else {
                    // The next run shall try again.
                    self.cache.forget_children(key);
                    return Err(nothing_measured(&finished));
                };
                self.keep(key, parts.clone(), &footprint);
                let obtained = self.obtained(footprint, told, false);
                self.compared(obtained, || Ok(job), key, parts, interrupt)
            }
            End::Interrupted(unfinished) => {
                self.keep_finished(key, &finished);
                let kept = finished.len();
                finished.extend(unfinished.map(|record| *record));
                let Some(footprint) = assemble(facts, &finished, true, disturbances) else {
                    self.printer.warning("interrupted before enough was measured for an answer");
                    bail!(Interrupted);
                };
                told = match kept {
                    0 => format!("Stopped after {seconds}, partial"),
                    n => format!(
                        "Stopped after {seconds}, partial ({} kept for the next run)",
                        processes(n)
                    ),
                };
                Ok(self.obtained(footprint, told, true))
            }
            End::Failed(error) => {
                self.keep_finished(key, &finished);
                let assumed = [&facts.assumed[..], &facts.assumed_values].concat();
                Err(match assumed.as_slice() {
                    [] => error,
                    assumed => error.context(maybe_the_shape(assumed)),
                })
            }
        }
    }

    fn obtained(&self, mut footprint: Footprint, told: String, interrupted: bool) -> Obtained {
        footprint.budget_seconds = Some(self.budget);
        let mut profile = self.profile.clone();
        profile.footprint = None;
        Obtained {
            profile,
            footprint,
            provenance: told,
            interrupted,
            is_brought: false,
            said: None,
        }
    }

    /// A measurement that cannot be kept is still an answer.
    fn keep(&self, key: &CacheKey, parts: KeyParts, footprint: &Footprint) {
        let kept = Kept {
            profile: self.profile.name.clone(),
            key: parts,
            budget: self.budget,
            footprint: footprint.clone(),
        };
        match self.cache.keep_footprint(key, &kept) {
            Ok(()) => self.cache.forget_children(key),
            Err(reason) => self.not_kept("the footprint", &reason),
        }
    }

    fn keep_finished(&self, key: &CacheKey, finished: &[ChildRecord]) {
        if finished.is_empty() {
            return;
        }
        if let Err(reason) = self.cache.keep_children(key, finished) {
            self.not_kept("what was finished", &reason);
        }
    }

    fn not_kept(&self, what: &str, reason: &std::io::Error) {
        self.printer.warning(&format!(
            "{what} cannot be kept in {} ({reason}): the next run measures again; \
             name another folder with --cache-dir",
            self.cache.root().display()
        ));
    }
}

/// The user stopped it before there was anything to answer with.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;
