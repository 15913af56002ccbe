//! `check`: a budget that gates a pipeline.

mod rules;
mod written;

use std::path::Path;

use anyhow::{Context, bail};

use self::rules::Task;
use super::Exit;
use super::file::can_be_written;
use super::footprint::{Interrupted, Obtained, Request, available};
use super::measure::write_profile;
use super::printer::Printer;
use crate::cli::{CheckArgs, Format, GlobalArgs};
use crate::footprint::Footprint;
use crate::measure::interrupt::Interrupt;
use crate::measure::killed::KilledEarly;
use crate::plan::check::{Checked, Ended, Evidence, held, in_trouble, killed, of_files};
use crate::plan::{Plan, PlanError, Question, declared, plan};
use crate::profile::{Profile, ProfileError};
use crate::report::check_github_error;
use crate::service::{Limit, Rule};
use crate::text::headline;
use crate::units::Convention;

/// Runs the verb.
pub fn run(args: &CheckArgs, global: &GlobalArgs, printer: &Printer) -> anyhow::Result<Exit> {
    let ended = hold(args, global, printer);
    match &ended {
        // Who reads annotations would else see none.
        Err(error) if global.format == Some(Format::Github) && !error.is::<Interrupted>() => {
            let line = error.chain().find_map(|e| e.downcast_ref::<ProfileError>()?.line());
            printer.answer(&check_github_error(line.as_ref(), &told(error)))?;
        }
        _ => {}
    }
    ended
}

fn hold(args: &CheckArgs, global: &GlobalArgs, printer: &Printer) -> anyhow::Result<Exit> {
    let outputs = written::outputs(&args.output)?;
    let format = global.format.unwrap_or(Format::Text);
    written::can_write(format)?;
    let asked = rules::tasks(args)?;
    let tasks = &asked.tasks;
    if args.service.dry_run {
        for task in tasks {
            dry_run(task, global, printer)?;
        }
        return Ok(Exit::Answered);
    }
    // Found out before the measurement and not after it.
    for output in &outputs {
        output.can_be_written()?;
    }
    if args.update_baseline {
        for path in tasks.iter().filter_map(|task| task.baseline.as_deref()) {
            can_be_written(path)?;
        }
    }
    let mut checked = Checked { findings: Vec::new(), strict: args.strict, notes: Vec::new() };
    let mut troubles = Vec::new();
    for task in tasks {
        let held = Gate { task, args, global, printer }.hold(&mut checked, &mut troubles);
        if let Err(error) = held {
            if error.is::<Interrupted>() {
                return Err(error);
            }
            // One service that cannot be measured says nothing of the others.
            let rules = &task.rules[..];
            checked.findings.extend(rules.iter().map(|r| in_trouble(r, &task.name, &told(&error))));
            troubles.push(error);
        }
    }
    if checked.findings.is_empty() && troubles.is_empty() {
        // Only a baseline was written.
        return Ok(Exit::Answered);
    }
    for output in &outputs {
        output.write(&checked, args.why, printer)?;
    }
    let is_all_trouble = checked.findings.iter().all(|finding| finding.trouble.is_some());
    if asked.is_typed
        && is_all_trouble
        && !args.strict
        && let Some(error) = troubles.into_iter().next()
    {
        return Err(error);
    }
    printer.answer(&written::text(&checked, format, args.why)?)?;
    Ok(match checked.ended() {
        Ended::Within => Exit::Answered,
        Ended::Over => Exit::Found,
        Ended::Undecided => Exit::Undecided,
    })
}

fn dry_run(task: &Task, global: &GlobalArgs, printer: &Printer) -> anyhow::Result<()> {
    let profile = super::service::profile(&task.service)?;
    if profile.declared.is_some() {
        printer.notice(&format!("{}: its costs are declared, nothing is measured", task.name));
        return Ok(());
    }
    Request::of(profile, &task.service, global, printer)?.of_what_is_there().dry_run()
}

/// An error without what stands below it, such as a place in a file.
fn told(error: &anyhow::Error) -> String {
    headline(&format!("{error:#}")).to_owned()
}

/// One service whose rules are held.
struct Gate<'a> {
    task: &'a Task,
    args: &'a CheckArgs,
    global: &'a GlobalArgs,
    printer: &'a Printer,
}

impl Gate<'_> {
    /// Holds its rules. What is wrong with one of them is among the troubles, and with all of them
    /// an error.
    fn hold(&self, checked: &mut Checked, troubles: &mut Vec<anyhow::Error>) -> anyhow::Result<()> {
        let task = self.task;
        let profile = super::service::profile(&task.service)?;
        let convention = profile.service.units.map_or(Convention::Binary, |u| u.boxes);
        let rules: Vec<Rule> = task.rules.iter().map(|rule| rule.counted(convention)).collect();
        if let Some(costs) = &profile.declared {
            if self.args.update_baseline {
                bail!(
                    "the costs of `{}` are declared, and a baseline is measured: leave out --update-baseline",
                    profile.name
                );
            }
            let ask = |question: &Question| {
                declared(&profile.name, profile.title(), costs, convention, question)
            };
            let evidence = Evidence {
                service: &task.name,
                footprint: None,
                baseline: None,
                warmed: task.warmed,
                is_brought: false,
                room: None,
                ask: &ask,
            };
            self.all(&rules, &evidence, checked, troubles);
            return Ok(());
        }
        let request =
            Request::of(profile, &task.service, self.global, self.printer)?.of_what_is_there();
        let interrupt = Interrupt::listen().context("cannot listen for Ctrl-C")?;
        let obtained = match request.obtain_until(&interrupt) {
            Ok(obtained) => obtained,
            Err(error) if error.is::<Interrupted>() => return Err(error),
            Err(error) => {
                // That it does not fit here is an answer; and files are there without a measurement.
                let early = error.downcast_ref::<KilledEarly>();
                let (files, name) = (request.files(), &task.name);
                let without = |rule: &Rule| {
                    of_files(rule, name, &files).unwrap_or_else(|| match early {
                        Some(early) => killed(rule, name, early.concurrency, available()),
                        None => in_trouble(rule, name, &told(&error)),
                    })
                };
                checked.findings.extend(rules.iter().map(without));
                if early.is_none() {
                    troubles.push(error);
                }
                return Ok(());
            }
        };
        if obtained.interrupted {
            bail!(Interrupted);
        }
        checked.notes.extend(obtained.said.clone());
        let footprint = &obtained.footprint;
        if let (true, Some(path)) = (self.args.update_baseline, &task.baseline) {
            let with = Profile { footprint: Some(footprint.clone()), ..obtained.profile.clone() };
            write_profile(&with, path, self.printer)?;
        }
        // Without its baseline, the other rules are still held.
        let baseline = match self.baseline(footprint, checked) {
            Ok(baseline) => baseline,
            Err(error) => {
                let (growth, others): (Vec<Rule>, Vec<Rule>) =
                    rules.into_iter().partition(|r| matches!(r.limit, Limit::Growth(_)));
                self.measured(&others, &obtained, None, checked, troubles);
                let trouble = |rule: &Rule| in_trouble(rule, &task.name, &told(&error));
                checked.findings.extend(growth.iter().map(trouble));
                troubles.push(error);
                return Ok(());
            }
        };
        self.measured(&rules, &obtained, baseline.as_ref(), checked, troubles);
        Ok(())
    }

    fn measured(
        &self,
        rules: &[Rule],
        obtained: &Obtained,
        baseline: Option<&Footprint>,
        checked: &mut Checked,
        troubles: &mut Vec<anyhow::Error>,
    ) {
        let footprint = &obtained.footprint;
        let ask = |question: &Question| -> Result<Plan, PlanError> {
            plan(&obtained.profile.name, obtained.profile.title(), footprint, question)
        };
        let evidence = Evidence {
            service: &self.task.name,
            footprint: Some(footprint),
            baseline,
            warmed: self.task.warmed,
            is_brought: obtained.is_brought,
            room: available().filter(|_| !obtained.is_brought),
            ask: &ask,
        };
        self.all(rules, &evidence, checked, troubles);
    }

    fn all(
        &self,
        rules: &[Rule],
        evidence: &Evidence<'_>,
        checked: &mut Checked,
        troubles: &mut Vec<anyhow::Error>,
    ) {
        for rule in rules {
            match held(rule, evidence) {
                Ok(finding) => checked.findings.push(finding),
                Err(error) => {
                    let error = anyhow::Error::from(error);
                    checked.findings.push(in_trouble(rule, &self.task.name, &told(&error)));
                    troubles.push(error.context(self.task.name.clone()));
                }
            }
        }
    }

    /// The footprint to compare with; what is measured now, where it became the baseline.
    fn baseline(
        &self,
        now: &Footprint,
        checked: &mut Checked,
    ) -> anyhow::Result<Option<Footprint>> {
        let Some(path) = &self.task.baseline else { return Ok(None) };
        if self.args.update_baseline {
            return Ok(Some(now.clone()));
        }
        if !path.exists() {
            bail!(
                "there is no baseline {}: write it with `check --update-baseline`, and commit it",
                path.display()
            );
        }
        let then = footprint_of(path)?;
        let (a, b) = (&then.environment, &now.environment);
        let name = &self.task.name;
        if a.cpu_model != b.cpu_model {
            checked.notes.push(format!(
                "The baseline of `{name}` was measured on another CPU ({}; now {}). RAM is compared as it \
                 is; kernels of another CPU may take other buffers.",
                a.cpu_model, b.cpu_model
            ));
        }
        if a.tool != b.tool {
            checked.notes.push(format!(
                "The baseline of `{name}` was measured by version {} of this tool, now {}.",
                a.tool, b.tool
            ));
        }
        Ok(Some(then))
    }
}

fn footprint_of(path: &Path) -> anyhow::Result<Footprint> {
    Profile::read(path)?.footprint.with_context(|| {
        format!(
            "the baseline {} holds no footprint: write one with `check --update-baseline` or `measure -o`",
            path.display()
        )
    })
}
