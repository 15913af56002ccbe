//! `size`: the answer for a box.

use anyhow::bail;

use super::Exit;
use super::footprint::Request;
use super::printer::Printer;
use crate::cli::{Format, GlobalArgs, SizeArgs, TargetArg};
use crate::measure::host::HostBox;
use crate::plan::{Plan, Question, Warning};
use crate::report::{self, Provenance};

/// Runs the verb.
pub fn run(args: &SizeArgs, global: &GlobalArgs, printer: &Printer) -> anyhow::Result<Exit> {
    let request = Request::new(&args.service, global, printer)?;
    let here =
        if args.target == Some(TargetArg::This) { Some(this_box(args, printer)?) } else { None };
    let question = Question {
        ram: args.ram.or(here.as_ref().map(|host| host.ram.value)),
        cpus: args.cpus.or(here.as_ref().map(|host| host.cpus.value)),
        concurrency: args.concurrency,
        warmed: args.warmed,
    };
    if args.service.dry_run {
        request.dry_run()?;
        return Ok(Exit::Answered);
    }
    let obtained = request.obtain()?;
    let mut plan = obtained.plan(&question)?;
    if let Some(host) = &here {
        plan.warnings.extend(other_cpu(&plan, host));
    }
    let provenance = Provenance {
        footprint: obtained.provenance,
        found_box: here.map(|host| found_box(args, &host)),
    };
    printer.answer(&rendered(&plan, &provenance, global.format)?)?;
    Ok(if obtained.interrupted { Exit::Interrupted } else { Exit::Answered })
}

fn this_box(args: &SizeArgs, printer: &Printer) -> anyhow::Result<HostBox> {
    if args.ram.is_some() && args.cpus.is_some() {
        bail!("--box this finds RAM and CPUs itself: leave out --ram or --cpus, or --box");
    }
    let host = HostBox::this()?;
    for note in &host.notes {
        printer.warning(&note.to_string());
    }
    Ok(host)
}

/// What was found of the box, and in which file; not what the user gave.
fn found_box(args: &SizeArgs, host: &HostBox) -> String {
    let ram = format!("{} RAM ({})", host.ram.value, host.ram.from);
    let cpus = format!("{} ({})", host.cpus.value, host.cpus.from);
    let found: Vec<String> = [(args.ram.is_none(), ram), (args.cpus.is_none(), cpus)]
        .into_iter()
        .filter_map(|(found, text)| found.then_some(text))
        .collect();
    format!("This box: {}.", found.join(", "))
}

/// CPU times were measured on another processor than the box has.
fn other_cpu(plan: &Plan, host: &HostBox) -> Option<Warning> {
    let measured_on = &plan.footprint.environment.cpu_model;
    (*measured_on != host.cpu_model).then(|| Warning::OtherCpu { measured_on: measured_on.clone() })
}

/// The report in the format that was asked for.
pub fn rendered(plan: &Plan, provenance: &Provenance, format: Format) -> anyhow::Result<String> {
    Ok(match format {
        Format::Text => report::text(plan, provenance, Printer::layout()),
        Format::Json => report::json(plan)?,
    })
}
