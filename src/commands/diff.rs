//! `diff`: two profiles side by side.

use anyhow::bail;

use super::Exit;
use super::printer::Printer;
use crate::cli::{DiffArgs, Format, GlobalArgs};
use crate::plan::diff::{Diff, Side, diff};
use crate::plan::{Plan, PlanError, Question, declared, plan};
use crate::profile::Profile;
use crate::report::{diff_json, diff_markdown, diff_text};
use crate::units::Convention;

/// Runs the verb.
pub fn run(args: &DiffArgs, global: &GlobalArgs, printer: &Printer) -> anyhow::Result<Exit> {
    let write: fn(&Diff) -> anyhow::Result<String> = match global.format {
        None | Some(Format::Text) => |found| Ok(diff_text(found, Printer::layout())),
        Some(Format::Markdown) => |found| Ok(diff_markdown(found)),
        Some(Format::Json) => |found| Ok(diff_json(found)?),
        Some(_) => bail!("a diff is text, markdown or JSON: --format markdown, --format json"),
    };
    let (from, to) = (with_costs(&args.from)?, with_costs(&args.to)?);
    let ask_from = |question: &Question| ask(&from, question);
    let ask_to = |question: &Question| ask(&to, question);
    let found = diff(
        &Side { name: &args.from, footprint: from.footprint.as_ref(), ask: &ask_from },
        &Side { name: &args.to, footprint: to.footprint.as_ref(), ask: &ask_to },
    )?;
    printer.answer(&write(&found)?)?;
    Ok(Exit::Answered)
}

fn with_costs(typed: &str) -> anyhow::Result<Profile> {
    let profile = Profile::find(typed)?;
    if profile.footprint.is_none() && profile.declared.is_none() {
        bail!(
            "`{typed}` holds no footprint and declares no costs: write one with `mediscope-size measure \
             --profile … -o …`"
        );
    }
    Ok(profile)
}

fn ask(profile: &Profile, question: &Question) -> Result<Plan, PlanError> {
    let title = profile.title();
    match (&profile.footprint, &profile.declared) {
        (None, Some(costs)) => {
            let convention = profile.service.units.map_or(Convention::Binary, |u| u.boxes);
            declared(&profile.name, title, costs, convention, question)
        }
        (Some(footprint), _) => plan(&profile.name, title, footprint, question),
        (None, None) => Err(PlanError::NoRam),
    }
}
