//! Files that the user names to be written: whole or not at all, and never in place of what is
//! not a file.
//!
//! A file is written beside its place and renamed into it, so that neither a full disk nor Ctrl-C
//! leaves half of one. Renaming would take away what such a path may also be: a link, a device, a
//! pipe, somebody else's file, one of several names of a file, a file that a container mounts.
//! Those are written to as they are.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rustix::fs::Access;

use crate::measure::cache::write_atomically;
use crate::text::shell_word;

/// How a path is written to.
enum Target {
    /// It is where standard output or standard error goes already.
    Stream(Stream),
    /// As a file that is renamed into this place.
    Renamed(PathBuf),
    /// Into what is there.
    Opened(PathBuf),
}

enum Stream {
    Output,
    Error,
}

/// Found out before the measurement and not after it.
///
/// # Errors
/// Where the folder is missing, or nothing may be written there.
pub fn can_be_written(path: &Path) -> anyhow::Result<()> {
    let may = |path: &Path| {
        rustix::fs::access(path, Access::WRITE_OK)
            .with_context(|| format!("cannot write {}", path.display()))
    };
    match target(path)? {
        Target::Stream(_) => Ok(()),
        Target::Opened(at) => may(&at),
        Target::Renamed(at) if at.exists() => may(&at),
        Target::Renamed(at) => may(folder_of(&at)),
    }
}

/// Writes the file.
///
/// # Errors
/// Where it cannot be written.
pub fn write_file(path: &Path, contents: &[u8]) -> anyhow::Result<()> {
    let target = target(path)?;
    let written = match &target {
        Target::Stream(Stream::Output) => write_stream(io::stdout().lock(), contents),
        Target::Stream(Stream::Error) => write_stream(io::stderr().lock(), contents),
        Target::Renamed(at) => renamed(at, contents),
        Target::Opened(at) => opened(at, contents),
    };
    written.with_context(|| format!("cannot write {}", path.display()))
}

fn target(path: &Path) -> anyhow::Result<Target> {
    let Ok(there) = path.metadata() else {
        let at = end_of_links(path).with_context(|| format!("cannot write {}", path.display()))?;
        let folder = folder_of(&at);
        if !folder.is_dir() {
            bail!(
                "cannot write {}: there is no folder {}; make it with `mkdir -p {}`",
                path.display(),
                folder.display(),
                shell_word(&folder.to_string_lossy())
            );
        }
        return Ok(Target::Renamed(at));
    };
    if there.is_dir() {
        bail!("{} is a folder: name a file in it", path.display());
    }
    if is_same(&there, &io::stdout()) {
        return Ok(Target::Stream(Stream::Output));
    }
    if is_same(&there, &io::stderr()) {
        return Ok(Target::Stream(Stream::Error));
    }
    let is_ours = there.uid() == rustix::process::geteuid().as_raw();
    if there.is_file() && is_ours && there.nlink() == 1 {
        let at = path.canonicalize().with_context(|| format!("cannot write {}", path.display()))?;
        return Ok(Target::Renamed(at));
    }
    Ok(Target::Opened(path.to_owned()))
}

/// Whether a path is what this stream writes to. `/dev/stdout` is, by a link that the kernel makes
/// up: opened anew, a file that the shell redirects to would be written from its start.
fn is_same(there: &Metadata, stream: &impl AsFd) -> bool {
    rustix::fs::fstat(stream).is_ok_and(|own| {
        // The width of these numbers differs between systems.
        #[allow(clippy::useless_conversion, reason = "it differs on other systems")]
        let (device, inode) = (u64::from(own.st_dev), u64::from(own.st_ino));
        (device, inode) == (there.dev(), there.ino())
    })
}

/// The most links that the kernel follows (`path_resolution(7)`).
const MOST_LINKS: usize = 40;

/// Where a link leads that leads to nothing yet.
fn end_of_links(path: &Path) -> io::Result<PathBuf> {
    let mut at = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&at) {
            Ok(to) => at = folder_of(&at).join(to),
            Err(_) => return Ok(at),
        }
    }
    Err(io::Error::from_raw_os_error(rustix::io::Errno::LOOP.raw_os_error()))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn renamed(at: &Path, contents: &[u8]) -> io::Result<()> {
    let there = at.metadata().ok();
    match write_atomically(at, |out| out.write_all(contents)) {
        // A single file that is mounted cannot be renamed over, and a folder may be closed.
        Err(error) if there.is_some() && is_for_the_folder(error.kind()) => opened(at, contents),
        Ok(()) => match there {
            Some(old) => fs::set_permissions(at, old.permissions()),
            None => Ok(()),
        },
        Err(error) => Err(error),
    }
}

/// Whether it is the folder that stands in the way, and not the disk.
const fn is_for_the_folder(error: io::ErrorKind) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
    matches!(error, PermissionDenied | ResourceBusy | ReadOnlyFilesystem | CrossesDevices)
}

fn opened(at: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).truncate(true).open(at)?;
    file.write_all(contents)
}

fn write_stream(mut stream: impl Write, contents: &[u8]) -> io::Result<()> {
    stream.write_all(contents)?;
    stream.flush()
}
