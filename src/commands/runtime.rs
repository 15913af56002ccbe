//! `runtime`: which ONNX Runtime is used and why; and finding one for the other verbs.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use serde::Serialize;

use super::Exit;
use super::footprint::Interrupted;
use super::printer::Printer;
use crate::cli::{Format, GlobalArgs, RuntimeArgs};
use crate::measure::cache::Cache;
use crate::measure::interrupt::Interrupt;
use crate::measure::probe::VERSION_ARGUMENT;
use crate::measure::runtime::{
    self, InstallError, Origin, Outcome, Runtime, Search, Surroundings, Target, VERSION,
};

/// Runs the verb.
pub fn run(args: &RuntimeArgs, global: &GlobalArgs, printer: &Printer) -> anyhow::Result<Exit> {
    let cache = Cache::locate(global.cache_dir.as_deref());
    let surroundings = Surroundings::of_process(cache.root());
    let interrupt = Interrupt::listen().context("cannot listen for Ctrl-C")?;
    if args.install {
        let here = Target::this();
        let target = match &args.platform {
            Some(name) => name.parse().map_err(anyhow::Error::msg)?,
            None => here.ok_or(InstallError::NoWheel)?,
        };
        let path = runtime::install(
            &surroundings,
            target,
            &|s| printer.info(&s.to_string()),
            interrupt.flag(),
        );
        let path = stopped(path)?;
        printer.answer(&installed(target, here, &path))?;
        return Ok(Exit::Answered);
    }
    let search = runtime::search(&surroundings, &ask_version, interrupt.flag());
    printer.answer(&match global.format {
        Format::Text => described(&search, &surroundings),
        Format::Json => format!("{}\n", serde_json::to_string_pretty(&Contract::of(&search))?),
    })?;
    Ok(Exit::Answered)
}

fn installed(target: Target, here: Option<Target>, path: &Path) -> String {
    let remark = if Some(target) == here {
        ""
    } else {
        " (downloaded and its hash checked; it is for another platform and was not run here)"
    };
    format!("ONNX Runtime {VERSION} for {target}{remark}\n  {}\n", path.display())
}

fn described(search: &Search, surroundings: &Surroundings) -> String {
    let mut out = match &search.found {
        Some(found) => {
            format!(
                "ONNX Runtime {} from {}\n  {}\n",
                found.version,
                found.origin,
                found.path.display()
            )
        }
        None => format!("No ONNX Runtime was found\n{}\n", would_install(surroundings)),
    };
    out.push_str("\nLooked for, in this order:\n");
    for (number, place) in search.places.iter().enumerate() {
        let _ = writeln!(out, "  {}. {}: {}", number + 1, place.origin, place.outcome);
    }
    out
}

/// The verb's JSON, a type of its own.
#[derive(Serialize)]
struct Contract {
    schema: &'static str,
    version: Option<String>,
    path: Option<String>,
    places: Vec<PlaceContract>,
}

#[derive(Serialize)]
struct PlaceContract {
    place: String,
    outcome: &'static str,
    text: String,
}

impl Contract {
    fn of(search: &Search) -> Self {
        let outcome = |o: &Outcome| match o {
            Outcome::NotSet => "not_set",
            Outcome::Nothing => "nothing",
            Outcome::Failed(_) => "failed",
            Outcome::Unusable(..) => "unusable",
            Outcome::Used(_) => "used",
            Outcome::NotReached => "not_reached",
        };
        Self {
            schema: "mediscope-size/runtime/1",
            version: search.found.as_ref().map(|f| f.version.clone()),
            path: search.found.as_ref().map(|f| f.path.display().to_string()),
            places: search
                .places
                .iter()
                .map(|p| PlaceContract {
                    place: p.origin.to_string(),
                    outcome: outcome(&p.outcome),
                    text: p.outcome.to_string(),
                })
                .collect(),
        }
    }
}

/// What a run would do about a missing library.
pub fn would_install(surroundings: &Surroundings) -> String {
    match Target::this() {
        Some(target) => format!(
            "  downloads ONNX Runtime {VERSION} ({}) with pip or uv into {}",
            target.download_bytes(),
            surroundings.cache.display()
        ),
        None => "  no ONNX Runtime is pinned for this platform: set ORT_DYLIB_PATH".into(),
    }
}

/// The library for a measurement; one that the user named and that cannot be used is said.
pub fn find(
    surroundings: &Surroundings,
    printer: &Printer,
    interrupt: &Interrupt,
) -> Option<Runtime> {
    let search = runtime::search(surroundings, &ask_version, interrupt.flag());
    for place in &search.places {
        if let (Origin::Environment, Outcome::Unusable(..)) = (place.origin, &place.outcome) {
            printer.warning(&format!("{}: {}; looking further", place.origin, place.outcome));
        }
    }
    search.found
}

/// Installs the library for this platform.
pub fn install(
    surroundings: &Surroundings,
    printer: &Printer,
    interrupt: &Interrupt,
) -> anyhow::Result<Runtime> {
    let target = Target::this().ok_or(InstallError::NoWheel)?;
    let tell = |step: runtime::Step| printer.info(&step.to_string());
    let path = stopped(runtime::install(surroundings, target, &tell, interrupt.flag()))?;
    printer.clear();
    let version = ask_version(&path)
        .map_err(anyhow::Error::msg)
        .with_context(|| format!("{} was installed but cannot be opened", path.display()))?;
    Ok(Runtime { path, version, origin: Origin::Cache })
}

fn stopped<T>(result: Result<T, InstallError>) -> anyhow::Result<T> {
    result.map_err(|error| match error {
        InstallError::Interrupted => Interrupted.into(),
        other => other.into(),
    })
}

/// Asks a library for its version in another process: opening one runs its code and would count
/// its pages to this process.
fn ask_version(path: &Path) -> Result<String, String> {
    let this = std::env::current_exe().map_err(|e| e.to_string())?;
    let output =
        Command::new(this).arg(VERSION_ARGUMENT).arg(path).output().map_err(|e| e.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match (output.status.success(), text.is_empty()) {
        (true, false) => Ok(text),
        (false, false) => Err(text),
        _ => Err(format!("opening it failed ({})", output.status)),
    }
}
