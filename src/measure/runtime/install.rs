//! Installing the pinned library once, so that two runs can start at the same time.
//!
//! Everything happens in a folder of its own inside the cache, under a lock; the checked file is
//! then renamed into its place. Whoever looks there sees a whole library or none.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::VERSION;
use super::download::{LIMIT, download};
use super::error::InstallError;
use super::find::cached;
use super::surroundings::Surroundings;
use super::target::{Pin, Target};
use super::unpack::{Problem, hash_of, unpack};
use crate::measure::cache::{INSTALL_LOCK, INSTALL_PREFIX, make, remove_installations};
use crate::units::Bytes;

/// How often a lock is tried that another process has.
const POLL: Duration = Duration::from_millis(50);

/// What an installation is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Another process is installing.
    Waiting,
    /// The wheel is coming.
    Downloading {
        /// The program that fetches it.
        with: &'static str,
        /// What has come; 0 also where it cannot be seen.
        done: Bytes,
        /// The wheel's size.
        total: Bytes,
    },
    /// Hashes and the archive.
    Unpacking,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting => f.write_str("waiting for another process that installs ONNX Runtime"),
            Self::Downloading { with, done: Bytes::ZERO, total } => {
                write!(f, "downloading ONNX Runtime {VERSION} ({total}) with {with}")
            }
            Self::Downloading { with, done, total } => {
                write!(f, "downloading ONNX Runtime {VERSION} ({done} of {total}) with {with}")
            }
            Self::Unpacking => f.write_str("checking and unpacking ONNX Runtime"),
        }
    }
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
    install_pinned(surroundings, &target.pin(), tell, interrupt)
}

/// Installs what the pin says.
pub(super) fn install_pinned(
    surroundings: &Surroundings,
    pin: &Pin,
    tell: &dyn Fn(Step),
    interrupt: &AtomicBool,
) -> Result<PathBuf, InstallError> {
    let library = cached(&surroundings.cache, pin);
    // A cache that was prepared may be read-only: nothing is written if nothing is missing.
    if is_intact(&library, pin) {
        return Ok(library);
    }
    let folder = surroundings.cache.join("onnxruntime");
    let io_error = |reason| InstallError::Io { folder: folder.clone(), reason };
    make(&surroundings.cache).map_err(io_error)?;
    fs::create_dir_all(&folder).map_err(io_error)?;
    let lock = File::create(folder.join(INSTALL_LOCK)).map_err(io_error)?;
    if take(&lock, tell, interrupt)? {
        remove_installations(&folder);
    }
    // Whoever held the lock before may have installed it. A damaged file is replaced.
    if is_intact(&library, pin) {
        return Ok(library);
    }
    let work = TempDir::with_prefix_in(INSTALL_PREFIX, &folder).map_err(io_error)?;
    let source = download(surroundings, pin, work.path(), tell, interrupt)?;
    stop_if(interrupt)?;
    tell(Step::Unpacking);
    let unpacked = unpack(source, pin, work.path()).map_err(|problem| match problem {
        Problem::Archive(error) => InstallError::Archive(error),
        Problem::Hash(error) => error,
        Problem::Io(reason) => io_error(reason),
    })?;
    stop_if(interrupt)?;
    place(&unpacked, &library).map_err(io_error)?;
    Ok(library)
}

/// Whether the file is there and is what was pinned.
pub(super) fn is_intact(library: &Path, pin: &Pin) -> bool {
    hash_of(library).is_ok_and(|hash| hash == pin.library_sha256)
}

fn stop_if(interrupt: &AtomicBool) -> Result<(), InstallError> {
    if interrupt.load(Ordering::Relaxed) { Err(InstallError::Interrupted) } else { Ok(()) }
}

/// Waits for the lock. Says whether it was taken: some network folders know no locks, and whoever has
/// it may be stopped; then the renaming alone keeps readers from seeing half a library.
fn take(lock: &File, tell: &dyn Fn(Step), interrupt: &AtomicBool) -> Result<bool, InstallError> {
    let (begun, mut told) = (Instant::now(), false);
    loop {
        stop_if(interrupt)?;
        match lock.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::Error(error)) if error.kind() != io::ErrorKind::Interrupted => {
                return Ok(false);
            }
            // Longer than it may take who has it.
            Err(_) if begun.elapsed() > LIMIT => return Ok(false),
            Err(_) if told => thread::sleep(POLL),
            Err(_) => {
                tell(Step::Waiting);
                told = true;
            }
        }
    }
}

/// Moves the file into its place, whole even if the power fails right after.
fn place(unpacked: &Path, library: &Path) -> io::Result<()> {
    let folder = library.parent().unwrap_or(library);
    fs::create_dir_all(folder)?;
    fs::rename(unpacked, library)?;
    // Not every file system can do this for a folder; the file itself is on the disk by now.
    let _ = File::open(folder).and_then(|f| f.sync_all());
    Ok(())
}
