//! `diff`: two measured profiles side by side.

use anyhow::Context;

use super::Exit;
use super::printer::Printer;
use crate::cli::{DiffArgs, GlobalArgs};
use crate::footprint::Footprint;
use crate::plan::diff::diff;
use crate::profile::Profile;
use crate::report::{diff_json, diff_text};

/// Runs the verb.
pub fn run(args: &DiffArgs, global: &GlobalArgs, printer: &Printer) -> anyhow::Result<Exit> {
    let as_json = global.is_json().map_err(anyhow::Error::msg)?;
    let (from, to) = (footprint(&args.from)?, footprint(&args.to)?);
    let found = diff((&args.from, &from), (&args.to, &to))?;
    printer.answer(&if as_json {
        diff_json(&found)?
    } else {
        diff_text(&found, Printer::layout())
    })?;
    Ok(Exit::Answered)
}

fn footprint(typed: &str) -> anyhow::Result<Footprint> {
    Profile::find(typed)?.footprint.with_context(|| {
        format!(
            "`{typed}` holds no footprint: write one with `mediscope-size measure --profile … -o …`"
        )
    })
}
