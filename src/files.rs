//! Reading files that somebody else wrote.
//!
//! Whatever path a user, a profile or a model names may lead to a pipe that nobody writes to, a device
//! without an end, a socket, a folder, or a file that is larger than the memory. Every file is opened
//! here, without waiting for anybody, and read up to a size that its kind never has. The kernel's own
//! files below `/proc` and `/sys` are read elsewhere.

use std::fs::{self, File, FileType};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;

use crate::units::Bytes;

/// How long a pipe may take until it has ended.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a file is not read, within an [`io::Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Something else than a regular file is there, or than a pipe where one will do.
    #[error("it is {0} and not a regular file")]
    Special(&'static str),
    /// It is larger than any file of its kind, in bytes.
    #[error("it is larger than {0}, the most that is read")]
    TooLarge(Bytes),
    /// Nobody has the pipe open for writing, and nothing is in it.
    #[error("it is a pipe that nobody writes to")]
    Silent,
    /// The pipe was not closed in time.
    #[error("it is a pipe that did not end within {} s", PATIENCE.as_secs())]
    Endless,
    /// The folder has more entries.
    #[error("it holds more than {0} files, the most that are read")]
    TooMany(usize),
}

impl Unfit {
    /// Why a file was not read, if that is why.
    pub fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl From<Unfit> for io::Error {
    fn from(unfit: Unfit) -> Self {
        Self::other(unfit)
    }
}

/// Opens a regular file; returns its length in bytes, too.
///
/// # Errors
/// [`Unfit::Special`] for anything else, else what the system says.
pub fn open(path: &Path) -> io::Result<(File, u64)> {
    let (file, kind, length) = open_any(path)?;
    if kind.is_file() { Ok((file, length)) } else { Err(Unfit::Special(name(kind)).into()) }
}

/// The bytes of a regular file of at most so many.
///
/// # Errors
/// As [`open`], or [`Unfit::TooLarge`].
pub fn read(path: &Path, most: Bytes) -> io::Result<Vec<u8>> {
    let (file, length) = open(path)?;
    read_opened(file, length, most)
}

/// The text of a regular file of at most so many bytes.
///
/// # Errors
/// As [`read`], or where it is not UTF-8.
pub fn read_text(path: &Path, most: Bytes) -> io::Result<String> {
    text(read(path, most)?)
}

/// The same, of a regular file or a pipe that ends within ten seconds.
///
/// # Errors
/// As [`read_text`], or [`Unfit::Silent`], or [`Unfit::Endless`].
pub fn read_text_or_pipe(path: &Path, most: Bytes) -> io::Result<String> {
    let (file, kind, length) = open_any(path)?;
    if kind.is_fifo() {
        return text(read_pipe(file, most)?);
    }
    if !kind.is_file() {
        return Err(Unfit::Special(name(kind)).into());
    }
    text(read_opened(file, length, most)?)
}

/// The entries of a folder, at most so many, in the order of their names.
///
/// # Errors
/// [`Unfit::TooMany`], or what the system says.
pub fn list(folder: &Path, most: usize) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        if paths.len() == most {
            return Err(Unfit::TooMany(most).into());
        }
        paths.push(entry?.path());
    }
    paths.sort();
    Ok(paths)
}

/// Opens whatever it is and does not wait: a pipe without a writer would else block for ever.
fn open_any(path: &Path) -> io::Result<(File, FileType, u64)> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened =
        fs::OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path);
    let file = match opened {
        Ok(file) => file,
        // A socket cannot be opened, and neither can some devices.
        Err(error) => match fs::metadata(path).map(|m| m.file_type()) {
            Ok(kind) if kind.is_socket() => return Err(Unfit::Special(name(kind)).into()),
            _ => return Err(error),
        },
    };
    // Of what was opened: another file may be at the path by now.
    let metadata = file.metadata()?;
    Ok((file, metadata.file_type(), metadata.len()))
}

fn name(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

/// A file may grow while it is read, and those of the kernel say that they have no bytes.
fn read_opened(file: File, length: u64, most: Bytes) -> io::Result<Vec<u8>> {
    if length > most.get() {
        return Err(Unfit::TooLarge(most).into());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    file.take(most.get().saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most.get() { Err(Unfit::TooLarge(most).into()) } else { Ok(bytes) }
}

/// A pipe is at its end where nobody has it open for writing.
fn read_pipe(mut pipe: File, most: Bytes) -> io::Result<Vec<u8>> {
    let begun = Instant::now();
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4 << 10]);
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) if bytes.is_empty() => return Err(Unfit::Silent.into()),
            Ok(0) => return Ok(bytes),
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let left = Timespec::try_from(PATIENCE.saturating_sub(begun.elapsed()));
                // What comes of it is seen by reading again.
                let _ = poll(&mut [PollFd::new(&pipe, PollFlags::IN)], left.ok().as_ref());
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if bytes.len() as u64 > most.get() {
            return Err(Unfit::TooLarge(most).into());
        }
        if begun.elapsed() >= PATIENCE {
            return Err(Unfit::Endless.into());
        }
    }
}

fn text(bytes: Vec<u8>) -> io::Result<String> {
    let wrong = |_| io::Error::new(io::ErrorKind::InvalidData, "it is not text in UTF-8");
    String::from_utf8(bytes).map_err(wrong)
}
