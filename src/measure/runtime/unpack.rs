//! From what was downloaded to a checked library file.

use std::fs::{File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::error::InstallError;
use super::target::Pin;
use crate::files;
use crate::measure::cache::hash_file;

/// What a program left.
#[derive(Debug)]
pub(super) enum Source {
    /// The wheel.
    Wheel(PathBuf),
    /// The library, unpacked; the program has checked the wheel.
    Library(PathBuf),
}

/// Why there is no library.
#[derive(Debug)]
pub(super) enum Problem {
    Archive(zip::result::ZipError),
    Hash(InstallError),
    Io(io::Error),
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Writes the library into `work`, on the disk and readable by all, and checks it.
pub(super) fn unpack(source: Source, pin: &Pin, work: &Path) -> Result<PathBuf, Problem> {
    let library = work.join("library");
    match source {
        Source::Wheel(wheel) => {
            check(&wheel, "the wheel", pin.wheel_sha256)?;
            let mut archive =
                zip::ZipArchive::new(files::open(&wheel)?.0).map_err(Problem::Archive)?;
            let mut member = archive.by_name(pin.member).map_err(Problem::Archive)?;
            write(&mut member, &library)?;
        }
        Source::Library(found) => write(&mut files::open(&found)?.0, &library)?,
    }
    check(&library, "the library", pin.library_sha256)?;
    Ok(library)
}

fn write(from: &mut impl Read, to: &Path) -> io::Result<()> {
    let mut out = File::create(to)?;
    io::copy(from, &mut out)?;
    // Another user of a shared cache reads it too, whatever the umask or the wheel say.
    out.set_permissions(Permissions::from_mode(0o644))?;
    out.sync_all()
}

fn check(path: &Path, what: &'static str, pinned: &'static str) -> Result<(), Problem> {
    let found = hash_of(path)?;
    if found == pinned {
        return Ok(());
    }
    Err(Problem::Hash(InstallError::WrongHash { what, found, pinned }))
}

/// The SHA-256 of a file.
pub(super) fn hash_of(path: &Path) -> io::Result<String> {
    hash_file(&mut files::open(path)?.0)
}
