//! Installing the pinned library, once, so that two runs can start at the same time.
//!
//! Everything happens in a folder beside the final place, under a lock; the last act is a rename. A
//! reader without the lock sees a whole library or none.

use std::fmt;
use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::VERSION;
use super::download::{Download, Failure, Source};
use super::error::InstallError;
use super::find::cached;
use super::surroundings::Surroundings;
use super::target::{Pin, Target};
use crate::measure::cache::hash_file;
use crate::units::Bytes;

/// What the working folders' names begin with.
const WORK_PREFIX: &str = ".install-";

/// How often a lock that another process holds is tried.
const LOCK_POLL: Duration = Duration::from_millis(50);

/// What an installation is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Another process is installing.
    Waiting,
    /// With this program.
    Downloading(&'static str, Bytes),
    /// The hash of what came.
    Checking,
    /// The archive.
    Unpacking,
    /// It is in its place.
    Done,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting => f.write_str("waiting for another process that installs ONNX Runtime"),
            Self::Downloading(with, bytes) => {
                write!(f, "downloading ONNX Runtime {VERSION} ({bytes}) with {with}")
            }
            Self::Checking => write!(f, "checking ONNX Runtime {VERSION}"),
            Self::Unpacking => write!(f, "unpacking ONNX Runtime {VERSION}"),
            Self::Done => write!(f, "ONNX Runtime {VERSION} is installed"),
        }
    }
}

/// Installs the library of `target` into the cache, unless it is there, and returns its path. The
/// target may be another platform's: its library can be checked here but not opened.
///
/// # Errors
/// [`InstallError`] says why not; nothing half-done is left behind.
pub fn install(
    surroundings: &Surroundings,
    target: Target,
    tell: &dyn Fn(Step),
    interrupt: &AtomicBool,
) -> Result<PathBuf, InstallError> {
    install_pinned(surroundings, target, &target.pin(), tell, interrupt)
}

/// With the pin apart, so that tests can make one up.
pub(super) fn install_pinned(
    surroundings: &Surroundings,
    target: Target,
    pin: &Pin,
    tell: &dyn Fn(Step),
    interrupt: &AtomicBool,
) -> Result<PathBuf, InstallError> {
    let library = cached(&surroundings.cache, target);
    // What is there needs neither the lock nor a cache that can be written.
    if is_installed(&library, pin) {
        return Ok(library);
    }
    let folder = library.ancestors().nth(2).unwrap_or(&library).to_owned();
    let io_error = |reason| InstallError::Io { folder: folder.clone(), reason };
    fs::create_dir_all(&folder).map_err(io_error)?;
    let lock = File::create(folder.join(".lock")).map_err(io_error)?;
    take(&lock, tell, interrupt)?.map_err(io_error)?;
    // Whoever held the lock before may have installed it. A damaged file is replaced.
    if is_installed(&library, pin) {
        return Ok(library);
    }
    remove_abandoned(&folder);
    let work = TempDir::with_prefix_in(WORK_PREFIX, &folder).map_err(io_error)?;
    let download = Download { surroundings, pin, work: work.path(), tell, interrupt };
    let source = download.fetch().map_err(|failure| match failure {
        Failure::Stopped(error) => error,
        Failure::Tried(tried) => not_downloaded(tried, target, &library),
    })?;
    let unpacked = work.path().join("library");
    write_library(&source, pin, &unpacked, tell).map_err(|e| e.named(&folder))?;
    place(&unpacked, &library).map_err(io_error)?;
    tell(Step::Done);
    Ok(library)
}

fn not_downloaded(tried: Vec<String>, target: Target, library: &Path) -> InstallError {
    InstallError::NotDownloaded {
        tried,
        // The other machine may be of another kind, so its platform is always named.
        platform: target.name(),
        folder: library.parent().unwrap_or(library).to_owned(),
    }
}

fn is_installed(library: &Path, pin: &Pin) -> bool {
    hash_of(library).is_ok_and(|found| found == pin.library_sha256)
}

/// Waits for the lock; it ends with the file, however this process ends.
fn take(
    lock: &File,
    tell: &dyn Fn(Step),
    interrupt: &AtomicBool,
) -> Result<io::Result<()>, InstallError> {
    let mut told = false;
    loop {
        if interrupt.load(Ordering::Relaxed) {
            return Err(InstallError::Interrupted);
        }
        match lock.try_lock() {
            Ok(()) => return Ok(Ok(())),
            Err(TryLockError::Error(error)) => return Ok(Err(error)),
            Err(TryLockError::WouldBlock) => {}
        }
        if !told {
            tell(Step::Waiting);
            told = true;
        }
        thread::sleep(LOCK_POLL);
    }
}

/// Whoever holds the lock is alone: other working folders are of processes that were killed.
fn remove_abandoned(folder: &Path) {
    let Ok(listing) = fs::read_dir(folder) else { return };
    for item in listing.flatten() {
        if item.file_name().to_string_lossy().starts_with(WORK_PREFIX) {
            // One that stays costs space, nothing else.
            let _ = fs::remove_dir_all(item.path());
        }
    }
}

/// An error of a file gets its folder's name where that is known.
enum Unwritten {
    Io(io::Error),
    Other(InstallError),
}

impl Unwritten {
    fn named(self, folder: &Path) -> InstallError {
        match self {
            Self::Io(reason) => InstallError::Io { folder: folder.to_owned(), reason },
            Self::Other(error) => error,
        }
    }
}

impl From<io::Error> for Unwritten {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<zip::result::ZipError> for Unwritten {
    fn from(reason: zip::result::ZipError) -> Self {
        Self::Other(InstallError::Archive { reason })
    }
}

/// Writes the library out of what was downloaded. Nothing is unpacked before its hash is known.
fn write_library(
    source: &Source,
    pin: &Pin,
    to: &Path,
    tell: &dyn Fn(Step),
) -> Result<(), Unwritten> {
    tell(Step::Checking);
    match source {
        Source::Wheel(wheel) => {
            check(wheel, "the wheel", pin.wheel_sha256)?;
            tell(Step::Unpacking);
            let mut archive = zip::ZipArchive::new(File::open(wheel)?)?;
            io::copy(&mut archive.by_name(pin.member)?, &mut File::create(to)?)?;
        }
        // uv links it to its own cache: that file is left as it is.
        Source::Library(found) => {
            fs::copy(found, to)?;
        }
    }
    check(to, "the library", pin.library_sha256)
}

fn check(path: &Path, what: &'static str, pinned: &'static str) -> Result<(), Unwritten> {
    let found = hash_of(path)?;
    if found == pinned {
        return Ok(());
    }
    Err(Unwritten::Other(InstallError::WrongHash { what, found, pinned }))
}

fn place(unpacked: &Path, library: &Path) -> io::Result<()> {
    fs::set_permissions(unpacked, Permissions::from_mode(0o644))?;
    File::open(unpacked)?.sync_all()?;
    if let Some(folder) = library.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::rename(unpacked, library)
}

fn hash_of(path: &Path) -> io::Result<String> {
    hash_file(&mut File::open(path)?)
}
