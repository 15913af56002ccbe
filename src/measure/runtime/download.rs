//! Fetching the pinned wheel with what the user has: pip, else uv. Both know the user's index,
//! proxy and certificates, which this program does not.

use std::cell::Cell;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::VERSION;
use super::command::{Ran, last_lines, on_path, run};
use super::error::InstallError;
use super::find::cached;
use super::install::Step;
use super::surroundings::Surroundings;
use super::target::Pin;
use super::unpack::Source;
use crate::units::Bytes;

/// The download may take this long.
pub(super) const LIMIT: Duration = Duration::from_mins(10);

/// Being offline is found out in seconds and not in minutes, unless the user has set these.
const PATIENCE: [(&str, &str); 4] = [
    ("PIP_DEFAULT_TIMEOUT", "15"),
    ("PIP_RETRIES", "1"),
    ("UV_HTTP_TIMEOUT", "15"),
    ("UV_HTTP_RETRIES", "1"),
];

/// What pip and uv say when nobody answers, the words that explain most first. pip goes on to say
/// that there is no such package, which misleads.
const UNREACHABLE: [&str; 7] = [
    "Failed to establish a new connection",
    "Failed to resolve",
    "Read timed out",
    "Connection refused",
    "failed to lookup address",
    "operation timed out",
    "client error (Connect)",
];
/// In uv's words when it finds no Python, which it needs, and cannot fetch one.
const NO_PYTHON: &str = "python-build-standalone";

/// In pip's words when the cache's disk is full: its temporary files are there too.
const FULL: &str = "No space left on device";

/// A program that can fetch the wheel.
struct Program {
    label: &'static str,
    command: Command,
    is_pip: bool,
}

/// The folders that are worked in.
struct Folders {
    /// pip's wheel.
    wheels: PathBuf,
    /// uv's unpacked package.
    package: PathBuf,
    /// Temporary files: those of a program that was killed go with the rest.
    temporary: PathBuf,
    /// The package with its version and hash.
    requirements: PathBuf,
}

/// Downloads into `work` with the first program that can.
pub(super) fn download(
    surroundings: &Surroundings,
    pin: &Pin,
    work: &Path,
    tell: &dyn Fn(Step),
    interrupt: &AtomicBool,
) -> Result<Source, InstallError> {
    let library = cached(&surroundings.cache, pin);
    let folder = || library.parent().unwrap_or(&library).to_owned();
    let folders =
        Folders::make(work, pin).map_err(|reason| InstallError::Io { folder: folder(), reason })?;
    let mut tried = Vec::new();
    let mut pip_ran = false;
    for Program { label, mut command, is_pip } in programs(surroundings, pin, &folders) {
        if is_pip && pip_ran {
            continue;
        }
        let ran = run(&mut command, LIMIT, interrupt, &progress(label, pin, &folders, tell));
        let why = match ran {
            Ran::Well(_) => match folders.source(pin) {
                Some(source) => return Ok(source),
                None => "it succeeded but left no wheel".into(),
            },
            Ran::Badly(text) if is_pip && text.contains(FULL) => {
                let reason = ErrorKind::StorageFull.into();
                return Err(InstallError::Io { folder: folder(), reason });
            }
            Ran::Badly(text) => {
                // All pips ask the same index: the next one makes up for a missing one only.
                pip_ran |= is_pip && !is_missing(&text);
                explained(&text)
            }
            Ran::NotStarted(why) => format!("it cannot be started: {why}"),
            Ran::TimedOut => format!("no end after {} minutes", LIMIT.as_secs() / 60),
            Ran::Interrupted => return Err(InstallError::Interrupted),
        };
        tried.push(format!("{label}: {why}"));
    }
    if tried.is_empty() {
        tried.push("no python3, pip or uv on PATH".into());
    }
    Err(InstallError::NotDownloaded { target: pin.target, tried, library })
}

/// Tells how much has come, whenever that has changed.
fn progress<'a>(
    with: &'static str,
    pin: &Pin,
    folders: &'a Folders,
    tell: &'a dyn Fn(Step),
) -> impl Fn() + 'a {
    let total = pin.wheel_bytes;
    let told = Cell::new(Bytes::ZERO);
    tell(Step::Downloading { with, done: Bytes::ZERO, total });
    move || {
        let done = bytes_below(&folders.temporary).max(bytes_below(&folders.wheels)).min(total);
        if told.replace(done) != done {
            tell(Step::Downloading { with, done, total });
        }
    }
}

/// The size of all files; 0 for what cannot be seen.
fn bytes_below(folder: &Path) -> Bytes {
    let Ok(listing) = fs::read_dir(folder) else { return Bytes::ZERO };
    let size = |item: fs::DirEntry| match item.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_below(&item.path()),
        Ok(metadata) => Bytes::new(metadata.len()),
        Err(_) => Bytes::ZERO,
    };
    listing.flatten().map(size).sum()
}

fn is_missing(text: &str) -> bool {
    text.contains("No module named pip") || text.contains("command not found")
}

fn explained(text: &str) -> String {
    if text.contains(NO_PYTHON) {
        return "it found no Python, which it needs, and cannot download one".into();
    }
    match UNREACHABLE.iter().find_map(|mark| text.find(mark)) {
        Some(at) => {
            let reason = text[at..].split(['\n', '\'', '"']).next().unwrap_or_default();
            format!("the package index cannot be reached: {reason}")
        }
        None => last_lines(text),
    }
}

impl Folders {
    fn make(work: &Path, pin: &Pin) -> std::io::Result<Self> {
        let work = std::path::absolute(work)?;
        let folders = Self {
            wheels: work.join("wheels"),
            package: work.join("package"),
            temporary: work.join("tmp"),
            requirements: work.join("requirements.txt"),
        };
        fs::create_dir(&folders.wheels)?;
        fs::create_dir(&folders.temporary)?;
        let line = format!("onnxruntime=={VERSION} --hash=sha256:{}\n", pin.wheel_sha256);
        fs::write(&folders.requirements, line)?;
        Ok(folders)
    }

    fn source(&self, pin: &Pin) -> Option<Source> {
        let library = self.package.join(pin.member);
        if library.is_file() {
            return Some(Source::Library(library));
        }
        let files = fs::read_dir(&self.wheels).ok()?.flatten().map(|item| item.path());
        let is_wheel = |path: &PathBuf| path.extension().is_some_and(|e| e == "whl");
        files.into_iter().find(is_wheel).map(Source::Wheel)
    }
}

/// The programs that can download a wheel, in the order of trying.
fn programs(surroundings: &Surroundings, pin: &Pin, folders: &Folders) -> Vec<Program> {
    let find = |name: &str| on_path(surroundings.path.as_ref(), &[name]);
    let mut programs = Vec::new();
    for (label, name, module) in [
        ("python3 -m pip", "python3", &["-m", "pip"][..]),
        ("python -m pip", "python", &["-m", "pip"]),
        ("pip3", "pip3", &[]),
        ("pip", "pip", &[]),
    ] {
        if let Some(program) = find(name) {
            let mut command = Command::new(program);
            command.args(module).args(pip_arguments(pin, folders));
            programs.push(Program { label, command, is_pip: true });
        }
    }
    if let Some(program) = find("uv") {
        let mut command = Command::new(program);
        command.args(uv_arguments(pin, folders));
        programs.push(Program { label: "uv", command, is_pip: false });
    }
    for program in &mut programs {
        // Python takes modules from the current folder before its own, and uv settings: what lies in the
        // folder that this runs in, such as a checkout with a `pip.py`, is not to be run.
        program.command.current_dir(&folders.temporary);
        // A download needs no virtual environment, even where the user wants one for installing.
        program.command.env("TMPDIR", &folders.temporary).env("PIP_REQUIRE_VIRTUALENV", "0");
        for (name, value) in PATIENCE {
            if std::env::var_os(name).is_none() {
                program.command.env(name, value);
            }
        }
    }
    programs
}

fn pip_arguments(pin: &Pin, folders: &Folders) -> Vec<OsString> {
    let python = ["--implementation", "cp", "--python-version", "3.12", "--abi", "cp312"];
    let mut arguments: Vec<OsString> = vec!["download".into(), "--no-deps".into()];
    arguments.push("--only-binary=:all:".into());
    arguments.extend(python.map(OsString::from));
    arguments.extend(["--platform", pin.tag, "--no-input", "--require-hashes"].map(OsString::from));
    arguments.extend(["--disable-pip-version-check", "--dest"].map(OsString::from));
    arguments.extend([folders.wheels.clone().into(), "--requirement".into()]);
    arguments.push(folders.requirements.clone().into());
    arguments
}

fn uv_arguments(pin: &Pin, folders: &Folders) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["pip".into(), "install".into(), "--no-deps".into()];
    arguments.extend(["--only-binary", ":all:", "--require-hashes"].map(OsString::from));
    arguments.extend(["--python-version", "3.12"].map(OsString::from));
    arguments.extend(["--python-platform", pin.uv_platform, "--target"].map(OsString::from));
    arguments.extend([folders.package.clone().into(), "--requirement".into()]);
    arguments.push(folders.requirements.clone().into());
    arguments
}
