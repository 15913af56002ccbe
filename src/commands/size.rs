//! `size`: the answer for a box.

use anyhow::bail;

use super::Exit;
use super::answer::{Answer, answer, found_box, question};
use super::explain::explain;
use super::footprint::Request;
use super::output::Output;
use super::printer::Printer;
use super::service::profile;
use crate::cli::{Format, GlobalArgs, SizeArgs, TargetArg};
use crate::measure::host::HostBox;
use crate::plan::Warning;
use crate::plan::assess::Answer as Verdict;
use crate::profile::Profile;
use crate::report;

/// Runs the verb.
pub fn run(args: &SizeArgs, global: &GlobalArgs, printer: &Printer) -> anyhow::Result<Exit> {
    let output = Output::new(&args.report, global)?;
    let service = profile(&args.service)?;
    let here =
        if args.target == Some(TargetArg::This) { Some(this_box(args, printer)?) } else { None };
    if args.service.dry_run {
        if service.declared.is_some() {
            printer.answer("Nothing is measured: the profile declares what its parts cost.\n")?;
        } else {
            Request::of(service, &args.service, global, printer)?.dry_run()?;
        }
        return Ok(Exit::Answered);
    }
    let ask = |profile: &Profile| {
        let found = here.as_ref().map(|host| found_box(args, host));
        let other =
            here.as_ref().map(|host| Warning::OtherCpu { measured_on: host.cpu_model.clone() });
        Ok((question(args, here.as_ref(), profile), found, other.into_iter().collect()))
    };
    let mut found = answer(service, &args.service, global, printer, ask)?;
    if let Some(other) = &args.report.compare {
        let from = Profile::find(other)?;
        // The same box, in bytes, whatever a gigabyte is to the other.
        let asked = found.plan.question;
        let same = |_: &Profile| Ok((asked, None, Vec::new()));
        let other = answer(from, &args.service, global, printer, same)?;
        let section = crate::plan::compare(&other.plan, &found.plan, &mut found.book.figures);
        found.book.sections.insert(0, section);
    }
    if let Some(key) = &args.report.explain {
        printer.answer(&explain(&found, key, global.is_json().map_err(anyhow::Error::msg)?)?)?;
    } else {
        output.write(&found, printer)?;
    }
    Ok(match found.assessment.verdict.answer {
        _ if found.interrupted => Exit::Interrupted,
        Verdict::DoesNotFit if args.exit_code => Exit::Found,
        _ => Exit::Answered,
    })
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

/// What is said of formats that are of one verb alone.
pub const OF_CHECK: &str = "github, junit, sarif and gitlab are formats of `mediscope-size check`: \
                            a report is written as text, json, markdown, csv, html or prometheus";

/// The report in the format that was asked for.
pub fn rendered(
    found: &Answer,
    format: Format,
    how: &super::output::How,
) -> anyhow::Result<String> {
    let document = || report::document(&found.book, &found.frame, &how.sections, how.language);
    Ok(match format {
        Format::Text => report::terminal(&document(), how.layout),
        Format::Json => report::json(&found.assessment)?,
        Format::Markdown => report::markdown(&document()),
        Format::Csv => report::csv(&document())?,
        Format::Html => report::html(&document())?,
        Format::Prometheus => report::prometheus(&found.plan, &found.profile.service),
        Format::Github | Format::Junit | Format::Sarif | Format::Gitlab => anyhow::bail!(OF_CHECK),
    })
}
