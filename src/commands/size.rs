//! `size`: the answer for a box.

use anyhow::bail;

use super::Exit;
use super::footprint::Request;
use super::printer::Printer;
use crate::cli::{Format, GlobalArgs, SizeArgs, TargetArg};
use crate::measure::host::HostBox;
use crate::plan::{Plan, Question, plan};
use crate::report::{self, Provenance};

/// Runs the verb.
pub fn run(args: &SizeArgs, global: &GlobalArgs, printer: &Printer) -> anyhow::Result<Exit> {
    let request = Request::new(&args.service, global, printer)?;
    let (question, found_box) = question(args, printer)?;
    if args.service.dry_run {
        request.dry_run()?;
        return Ok(Exit::Answered);
    }
    let obtained = request.obtain()?;
    let plan =
        plan(&obtained.profile.name, obtained.profile.title(), &obtained.footprint, &question)?;
    let provenance = Provenance { footprint: obtained.provenance, found_box };
    printer.answer(&rendered(&plan, &provenance, global.format)?)?;
    Ok(if obtained.interrupted { Exit::Interrupted } else { Exit::Answered })
}

fn question(args: &SizeArgs, printer: &Printer) -> anyhow::Result<(Question, Option<String>)> {
    let mut question = Question {
        ram: args.ram,
        cpus: args.cpus,
        concurrency: args.concurrency,
        warmed: args.warmed,
    };
    let mut found = None;
    if args.target == Some(TargetArg::This) {
        if args.ram.is_some() && args.cpus.is_some() {
            bail!("--box this finds RAM and CPUs itself: leave out --ram or --cpus, or --box");
        }
        let host = HostBox::this()?;
        for note in &host.notes {
            printer.warning(&note.to_string());
        }
        found = Some(format!(
            "This box: {} RAM ({}), {} ({}).",
            host.ram.value, host.ram.from, host.cpus.value, host.cpus.from
        ));
        question.ram = question.ram.or(Some(host.ram.value));
        question.cpus = question.cpus.or(Some(host.cpus.value));
    }
    Ok((question, found))
}

/// The report in the format that was asked for.
pub fn rendered(plan: &Plan, provenance: &Provenance, format: Format) -> anyhow::Result<String> {
    Ok(match format {
        Format::Text => report::text(plan, provenance, Printer::layout()),
        Format::Json => report::json(plan)?,
    })
}
