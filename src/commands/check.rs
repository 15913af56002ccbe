//! `check`: a budget that gates a pipeline.

mod rules;
mod written;

use std::path::Path;

use anyhow::{Context, bail};

use self::rules::Task;
use super::Exit;
use super::file::can_be_written;
use super::footprint::{Interrupted, KilledEarly, Request};
use super::measure::write_profile;
use super::printer::Printer;
use crate::cli::{CheckArgs, Format, GlobalArgs};
use crate::footprint::Footprint;
use crate::plan::check::{Checked, Ended, Evidence, Finding, held, killed};
use crate::plan::{Plan, PlanError, Question, declared, plan};
use crate::profile::Profile;
use crate::service::Limit;
use crate::units::Convention;

/// Runs the verb.
pub fn run(args: &CheckArgs, global: &GlobalArgs, printer: &Printer) -> anyhow::Result<Exit> {
    let outputs = written::outputs(&args.output)?;
    let format = global.format.unwrap_or(Format::Text);
    written::can_write(format)?;
    let tasks = rules::tasks(args)?;
    if args.service.dry_run {
        for task in &tasks {
            let profile = super::service::profile(&task.service)?;
            if profile.declared.is_some() {
                printer
                    .notice(&format!("{}: its costs are declared, nothing is measured", task.name));
            } else {
                Request::of(profile, &task.service, global, printer).dry_run()?;
            }
        }
        return Ok(Exit::Answered);
    }
    // Found out before the measurement and not after it.
    for output in &outputs {
        output.can_be_written()?;
    }
    if args.update_baseline {
        for task in &tasks {
            can_be_written(baseline_of(task)?)?;
        }
    }
    let budget = args.service.budget.unwrap_or(super::footprint::DEFAULT_BUDGET);
    let mut checked =
        Checked { findings: Vec::new(), budget, strict: args.strict, notes: Vec::new() };
    for task in &tasks {
        check(task, args, global, printer, &mut checked)?;
    }
    if checked.findings.is_empty() {
        // Only a baseline was written.
        return Ok(Exit::Answered);
    }
    for output in &outputs {
        output.write(&checked, args.why, printer)?;
    }
    printer.answer(&written::text(&checked, format, args.why)?)?;
    Ok(match checked.ended() {
        Ended::Within => Exit::Answered,
        Ended::Over => Exit::Found,
        Ended::Undecided => Exit::Undecided,
    })
}

/// Holds the rules of one service.
fn check(
    task: &Task,
    args: &CheckArgs,
    global: &GlobalArgs,
    printer: &Printer,
    checked: &mut Checked,
) -> anyhow::Result<()> {
    let profile = super::service::profile(&task.service)?;
    let convention = profile.service.units.map_or(Convention::Binary, |u| u.boxes);
    if let Some(costs) = &profile.declared {
        let ask = |question: &Question| {
            declared(&profile.name, profile.title(), costs, convention, question)
        };
        let evidence = Evidence {
            service: &task.name,
            footprint: None,
            baseline: None,
            warmed: task.warmed,
            ask: &ask,
        };
        return all(task, &evidence, checked);
    }
    let obtained = match Request::of(profile, &task.service, global, printer).obtain() {
        Ok(obtained) => obtained,
        Err(error) => match error.downcast_ref::<KilledEarly>() {
            // That it does not fit here is an answer.
            Some(early) if task.rules.iter().any(|r| is_memory(&r.limit)) => {
                let over = task.rules.iter().filter(|r| is_memory(&r.limit));
                checked.findings.extend(over.map(|r| killed(r, &task.name, early.concurrency)));
                checked.notes.push(early.to_string());
                return Ok(());
            }
            _ => return Err(error),
        },
    };
    if obtained.interrupted {
        bail!(Interrupted);
    }
    let footprint = obtained.footprint.clone();
    let baseline = baseline(task, args.update_baseline, &footprint, checked)?;
    let ask = |question: &Question| -> Result<Plan, PlanError> {
        plan(&obtained.profile.name, obtained.profile.title(), &footprint, question)
    };
    let evidence = Evidence {
        service: &task.name,
        footprint: Some(&footprint),
        baseline: baseline.as_ref(),
        warmed: task.warmed,
        ask: &ask,
    };
    if args.update_baseline {
        let with = Profile { footprint: Some(footprint.clone()), ..obtained.profile.clone() };
        write_profile(&with, baseline_of(task)?, printer)?;
    }
    all(task, &evidence, checked)
}

fn baseline_of(task: &Task) -> anyhow::Result<&Path> {
    task.baseline.as_deref().with_context(|| {
        format!("nothing says where the baseline of `{}` is kept: add --baseline FILE", task.name)
    })
}

fn all(task: &Task, evidence: &Evidence<'_>, checked: &mut Checked) -> anyhow::Result<()> {
    for rule in &task.rules {
        let finding: Finding = held(rule, evidence).with_context(|| task.name.clone())?;
        checked.findings.push(finding);
    }
    Ok(())
}

const fn is_memory(limit: &Limit) -> bool {
    matches!(limit, Limit::Ram { .. } | Limit::Buffer(_) | Limit::LoadPeak(_) | Limit::Growth(_))
}

/// The footprint to compare with; what is measured now, where it becomes the baseline.
fn baseline(
    task: &Task,
    is_updated: bool,
    now: &Footprint,
    checked: &mut Checked,
) -> anyhow::Result<Option<Footprint>> {
    let Some(path) = &task.baseline else { return Ok(None) };
    if is_updated {
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
    if a.cpu_model != b.cpu_model {
        checked.notes.push(format!(
            "The baseline of `{}` was measured on another CPU ({}; now {}). RAM is compared as it is; \
             kernels of another CPU may take other buffers.",
            task.name, a.cpu_model, b.cpu_model
        ));
    }
    if a.tool != b.tool {
        checked.notes.push(format!(
            "The baseline of `{}` was measured by version {} of this tool, now {}.",
            task.name, a.tool, b.tool
        ));
    }
    Ok(Some(then))
}

fn footprint_of(path: &Path) -> anyhow::Result<Footprint> {
    Profile::read(path)?.footprint.with_context(|| {
        format!(
            "the baseline {} holds no footprint: write one with `check --update-baseline` or `measure -o`",
            path.display()
        )
    })
}
