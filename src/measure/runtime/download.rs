//! Fetching the wheel with the user's own pip or uv: they know the user's index, proxy,
//! certificates and credentials, which this tool should not learn.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::VERSION;
use super::command::{NETWORK_FAILED, Ran, on_path, run};
use super::error::InstallError;
use super::install::Step;
use super::surroundings::Surroundings;
use super::target::Pin;

/// The download may take this long.
const LIMIT: Duration = Duration::from_secs(600);

/// All ask the same index: after so many that ran and failed, one more would say the same.
const PIP_FAILURES: usize = 2;

/// How pip can be called, in the order of trying.
const PIPS: [(&str, &str, bool); 4] = [
    ("python3 -m pip", "python3", true),
    ("python -m pip", "python", true),
    ("pip3", "pip3", false),
    ("pip", "pip", false),
];

/// What a download left.
pub(super) enum Source {
    /// From pip.
    Wheel(PathBuf),
    /// From uv, which unpacks.
    Library(PathBuf),
}

/// One installation's download.
pub(super) struct Download<'a> {
    pub surroundings: &'a Surroundings,
    pub pin: &'a Pin,
    /// An empty folder that is removed afterwards.
    pub work: &'a Path,
    pub tell: &'a dyn Fn(Step),
    pub interrupt: &'a AtomicBool,
}

/// Why there is no download.
pub(super) enum Failure {
    /// Each program and what it said.
    Tried(Vec<String>),
    Stopped(InstallError),
}

impl Download<'_> {
    /// Fetches with the first program that can.
    pub fn fetch(&self) -> Result<Source, Failure> {
        let mut tried = Vec::new();
        let mut failures = 0;
        for (label, name, is_module) in PIPS {
            let Some(program) = self.find(name) else { continue };
            match self
                .attempt(label, &mut self.pip(&program, is_module))
                .map_err(Failure::Stopped)?
            {
                Ok(()) => match self.wheel() {
                    Some(wheel) => return Ok(Source::Wheel(wheel)),
                    None => tried.push(format!("{label}: it succeeded but left no wheel")),
                },
                Err(why) => {
                    // Another pip has the same network, and each would wait for it in vain.
                    failures += match &why {
                        why if why.ends_with(NETWORK_FAILED) => PIP_FAILURES,
                        why => usize::from(!why.contains("No module named")),
                    };
                    tried.push(format!("{label}: {why}"));
                }
            }
            if failures >= PIP_FAILURES {
                break;
            }
        }
        match self.fetch_with_uv(&mut tried) {
            Ok(Some(library)) => return Ok(Source::Library(library)),
            Ok(None) => {}
            Err(error) => return Err(Failure::Stopped(error)),
        }
        if tried.is_empty() {
            tried.push("no python3, python, pip3, pip or uv on PATH".into());
        }
        Err(Failure::Tried(tried))
    }

    fn fetch_with_uv(&self, tried: &mut Vec<String>) -> Result<Option<PathBuf>, InstallError> {
        let Some(program) = self.find("uv") else { return Ok(None) };
        match self.attempt("uv", &mut self.uv(&program))? {
            Ok(()) => {
                let library = self.work.join("uv").join(self.pin.member);
                if library.is_file() {
                    return Ok(Some(library));
                }
                tried.push("uv: it succeeded but left no library".into());
            }
            Err(why) => tried.push(format!("uv: {why}")),
        }
        Ok(None)
    }

    fn find(&self, name: &str) -> Option<PathBuf> {
        on_path(self.surroundings.path.as_ref(), name)
    }

    /// The outer error ends the installation, the inner one only this attempt.
    fn attempt(
        &self,
        label: &'static str,
        command: &mut Command,
    ) -> Result<Result<(), String>, InstallError> {
        (self.tell)(Step::Downloading(label, self.pin.wheel_bytes));
        // What a stopped program had half-done goes with the folder.
        command.env("TMPDIR", self.work);
        Ok(match run(command, LIMIT, self.interrupt) {
            Ran::Well(_) => Ok(()),
            Ran::Badly(why) => Err(why),
            Ran::NotStarted(why) => Err(format!("it cannot be started: {why}")),
            Ran::TimedOut => Err(format!("no end after {} minutes", LIMIT.as_secs() / 60)),
            Ran::Interrupted => return Err(InstallError::Interrupted),
        })
    }

    fn pip(&self, program: &Path, is_module: bool) -> Command {
        let mut command = Command::new(program);
        if is_module {
            command.args(["-m", "pip"]);
        }
        command
            .args(["download", "--no-deps", "--only-binary=:all:"])
            .args(["--implementation", "cp", "--python-version", "3.12", "--abi", "cp312"])
            .args(["--platform", self.pin.tag])
            .args(["--no-input", "--disable-pip-version-check"])
            // Offline is found out in seconds and not in minutes, yet a proxy may look through the
            // whole wheel before it sends a byte.
            .args(["--retries", "1", "--timeout", "10"])
            .arg("--dest")
            .arg(self.work)
            .arg(package())
            // Python looks for modules in the folder that it is started in.
            .current_dir(self.work);
        command
    }

    /// uv cannot only download, so it installs into a folder of ours.
    fn uv(&self, program: &Path) -> Command {
        let requirements = self.work.join("requirements.txt");
        let line = format!("{} --hash=sha256:{}\n", package(), self.pin.wheel_sha256);
        // A file that cannot be written makes uv fail with its own words.
        let _ = fs::write(&requirements, line);
        let mut command = Command::new(program);
        command
            .args(["pip", "install", "--no-deps", "--only-binary", ":all:", "--require-hashes"])
            .args(["--python-version", "3.12", "--python-platform", self.pin.uv_platform])
            .arg("--target")
            .arg(self.work.join("uv"))
            .arg("-r")
            .arg(requirements)
            .envs([("UV_HTTP_RETRIES", "1"), ("UV_HTTP_TIMEOUT", "10")]);
        command
    }

    fn wheel(&self) -> Option<PathBuf> {
        fs::read_dir(self.work)
            .ok()?
            .flatten()
            .map(|item| item.path())
            .find(|p| p.extension().is_some_and(|e| e == "whl"))
    }
}

fn package() -> String {
    format!("onnxruntime=={VERSION}")
}
