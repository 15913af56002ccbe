//! `runtime`: which ONNX Runtime is used and why; and finding one for the other verbs.

use std::fmt::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Serialize;

use super::Exit;
use super::footprint::Interrupted;
use super::printer::Printer;
use crate::cli::{GlobalArgs, Plain, RuntimeArgs};
use crate::measure::cache::Cache;
use crate::measure::interrupt::Interrupt;
use crate::measure::runtime::{
    self, InstallError, Origin, Outcome, Place, Runtime, Search, Surroundings, Target, VERSION,
};
use crate::text::line;

/// Runs the verb.
pub fn run(args: &RuntimeArgs, global: &GlobalArgs, printer: &Printer) -> anyhow::Result<Exit> {
    let cache = if args.install {
        Cache::locate(global.cache_dir.as_deref())?
    } else {
        super::cache::open(global, printer)?
    };
    let surroundings = Surroundings::of_process(cache.root());
    let interrupt = Interrupt::listen().context("cannot listen for Ctrl-C")?;
    let answer = if args.install {
        let installed = Installed::of(args, &surroundings, printer, &interrupt)?;
        match global.plain().map_err(anyhow::Error::msg)? {
            Plain::Text => installed.to_string(),
            Plain::Json => json(&installed)?,
        }
    } else {
        let search = looked_for(&surroundings, &interrupt);
        if interrupt.is_set() {
            return Ok(Exit::Interrupted);
        }
        match global.plain().map_err(anyhow::Error::msg)? {
            Plain::Text => described(&search, &surroundings),
            Plain::Json => json(&Contract::of(&search))?,
        }
    };
    printer.answer(&answer)?;
    Ok(Exit::Answered)
}

fn json(value: &impl Serialize) -> anyhow::Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(value)?))
}

fn looked_for(surroundings: &Surroundings, interrupt: &Interrupt) -> Search {
    let ask = |path: &Path| runtime::ask_version(path, interrupt.flag());
    runtime::search(surroundings, &ask, interrupt.flag())
}

/// What `--install` did; also its JSON.
#[derive(Serialize)]
struct Installed {
    schema: &'static str,
    version: &'static str,
    platform: String,
    path: String,
    /// Whether it was opened here; what is for another platform can only be downloaded.
    run_here: bool,
}

impl Installed {
    fn of(
        args: &RuntimeArgs,
        surroundings: &Surroundings,
        printer: &Printer,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Self> {
        let here = Target::this();
        let target = match &args.platform {
            Some(name) => name.parse().map_err(anyhow::Error::msg)?,
            None => here.ok_or(InstallError::NoWheel)?,
        };
        let path = fetch(target, surroundings, printer, interrupt)?;
        let run_here = Some(target) == here;
        if run_here {
            opened(&path, interrupt)?;
        }
        Ok(Self {
            schema: "mediscope-size/runtime-install/1",
            version: VERSION,
            platform: target.to_string(),
            path: path.display().to_string(),
            run_here,
        })
    }
}

impl fmt::Display for Installed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let remark = if self.run_here {
            ""
        } else {
            " (downloaded and its hash checked; it is for another platform and was not run here)"
        };
        writeln!(
            f,
            "ONNX Runtime {} for {}{remark}\n  {}",
            self.version,
            self.platform,
            line(&self.path)
        )
    }
}

fn described(search: &Search, surroundings: &Surroundings) -> String {
    let mut out = match &search.found {
        Some(found) => {
            format!(
                "ONNX Runtime {} from {}\n  {}\n",
                found.version,
                found.origin,
                line(&found.path.display().to_string())
            )
        }
        None => format!("No ONNX Runtime was found\n{}\n", line(&would_install(surroundings))),
    };
    out.push_str("\nLooked for, in this order:\n");
    for (number, place) in search.places.iter().enumerate() {
        let told = format!("{}: {}", place.origin, place.outcome);
        let _ = writeln!(out, "  {}. {}", number + 1, line(&told));
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
    place: &'static str,
    outcome: &'static str,
    path: Option<String>,
    text: String,
}

impl Contract {
    fn of(search: &Search) -> Self {
        Self {
            schema: "mediscope-size/runtime/1",
            version: search.found.as_ref().map(|f| f.version.clone()),
            path: search.found.as_ref().map(|f| f.path.display().to_string()),
            places: search.places.iter().map(PlaceContract::of).collect(),
        }
    }
}

impl PlaceContract {
    fn of(place: &Place) -> Self {
        Self {
            place: match place.origin {
                Origin::Environment => "environment",
                Origin::BesideExecutable => "beside_executable",
                Origin::Cache => "cache",
                Origin::Python => "python",
                Origin::System => "system",
            },
            outcome: match place.outcome {
                Outcome::Nothing => "nothing",
                Outcome::Unusable(..) => "unusable",
                Outcome::Used(_) => "used",
                Outcome::NotReached => "not_reached",
            },
            path: place.outcome.path().map(|path| path.display().to_string()),
            text: format!("{}: {}", place.origin, place.outcome),
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

/// The library for a measurement. What was put somewhere on purpose and cannot be used is said.
pub fn find(
    surroundings: &Surroundings,
    printer: &Printer,
    interrupt: &Interrupt,
) -> Option<Runtime> {
    let search = looked_for(surroundings, interrupt);
    for place in search.places.iter().filter(|_| !interrupt.is_set()) {
        if let (Origin::Environment | Origin::Cache, Outcome::Unusable(..)) =
            (place.origin, &place.outcome)
        {
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
    let missing = "no ONNX Runtime that can be used was found";
    let target = Target::this().ok_or(InstallError::NoWheel).context(missing)?;
    let path = fetch(target, surroundings, printer, interrupt).context(missing)?;
    let version = opened(&path, interrupt)?;
    Ok(Runtime { path, version, origin: Origin::Cache })
}

fn fetch(
    target: Target,
    surroundings: &Surroundings,
    printer: &Printer,
    interrupt: &Interrupt,
) -> anyhow::Result<PathBuf> {
    let tell = |step: runtime::Step| printer.info(&step.to_string());
    let path = runtime::install(surroundings, target, &tell, interrupt.flag());
    printer.clear();
    path.map_err(|error| match error {
        InstallError::Interrupted => Interrupted.into(),
        other => other.into(),
    })
}

/// The version of what was installed, which shows that it can be opened here.
fn opened(path: &Path, interrupt: &Interrupt) -> anyhow::Result<String> {
    let version = runtime::ask_version(path, interrupt.flag());
    if interrupt.is_set() {
        bail!(Interrupted);
    }
    version
        .map_err(anyhow::Error::msg)
        .with_context(|| format!("{} was installed but cannot be opened", path.display()))
}
