//! `measure`: a footprint, as a profile that any machine can size boxes with.

use std::path::Path;

use anyhow::{Context, bail};

use super::answer::finished;
use super::file::{can_be_written, write_file};
use super::footprint::Request;
use super::output::How;
use super::printer::Printer;
use super::size::rendered;
use super::vary;
use super::{Exit, live};
use crate::cli::{Format, GlobalArgs, MeasureArgs};
use crate::plan::Question;
use crate::profile::Profile;
use crate::report::{self, Provenance};
use crate::text::shell_word;

/// Runs the verb.
pub fn run(args: &MeasureArgs, global: &GlobalArgs, printer: &Printer) -> anyhow::Result<Exit> {
    if let Some(exit) = live::run(args, global, printer)? {
        return Ok(exit);
    }
    if !args.variants.vary.is_empty() {
        return vary::run(args, global, printer);
    }
    if args.variants.ram.is_some() {
        bail!(
            "--ram is for variants (--vary) and for live services (--url): measure without it, and \
             ask for a box with --profile FILE --ram SIZE afterwards"
        );
    }
    let as_json = global.is_json().map_err(anyhow::Error::msg)?;
    let request = Request::new(&args.service, global, printer)?.comparing(&args.topologies);
    if args.service.dry_run {
        request.dry_run()?;
        return Ok(Exit::Answered);
    }
    if let Some(output) = &args.output {
        can_be_written(output)?;
    }
    let obtained = request.obtain()?;
    let mut profile = obtained.profile.clone();
    let plan = obtained.plan(&Question::default())?;
    if as_json {
        printer.answer(&report::footprint_json(Some(&plan), &obtained.footprint)?)?;
    } else if args.output.is_none() || !global.quiet {
        let provenance = Provenance { footprint: obtained.provenance.clone(), found_box: None };
        let found = finished(profile.clone(), plan, &provenance, obtained.interrupted);
        printer.answer(&rendered(&found, Format::Text, &How::short(None))?)?;
    }
    if let Some(output) = &args.output {
        profile.footprint = Some(obtained.footprint);
        write_profile(&profile, output, printer)?;
    }
    Ok(if obtained.interrupted { Exit::Interrupted } else { Exit::Answered })
}

/// Where the paths of a profile that is written there start. One that goes into a pipe or to a device
/// has no folder of its own.
pub fn folder_of_profile(output: &Path) -> &Path {
    let here = Path::new("");
    let is_stream = output.metadata().is_ok_and(|there| !there.is_file());
    if is_stream { here } else { output.parent().unwrap_or(here) }
}

/// Writes a profile with its footprint, and says what to do with it.
pub fn write_profile(profile: &Profile, output: &Path, printer: &Printer) -> anyhow::Result<()> {
    let yaml = profile
        .to_yaml_in(folder_of_profile(output))
        .context("the profile cannot be written as YAML")?;
    write_file(output, yaml.as_bytes())?;
    printer.notice(&format!(
        "wrote {}; size a box with `mediscope-size --profile {} --ram 1G --cpus 1`",
        output.display(),
        shell_word(&output.to_string_lossy())
    ));
    Ok(())
}
