//! Who can write to a cache: what is in it is believed and run, so nobody else may.

use std::fs::{self, DirBuilder, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Permission bits: writing for the group, writing for everybody, and that entries of a directory
/// belong to whoever made them.
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
const STICKY: u32 = 0o1000;

const ROOT: u32 = 0;

/// What to do instead.
const WAYS_OUT: &str = "name a directory that is yours alone with --cache-dir, MEDISCOPE_SIZE_CACHE \
                        or XDG_CACHE_HOME";

/// Why a cache is not used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The environment names no directory of the user's.
    #[error("the user has no home directory, so nothing can be kept: {WAYS_OUT}")]
    Nowhere,
    /// Somebody else could write to it, or to what leads there.
    #[error("the cache {folder} is not used, because {refusal}; {WAYS_OUT}")]
    Refused {
        /// The cache.
        folder: PathBuf,
        /// Why.
        refusal: Refusal,
        /// Whether the user named it, and it is not the default.
        is_named: bool,
    },
}

/// What is wrong with a cache, as a clause.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It is another user's.
    #[error("{place} belongs to the user with the number {owner} and this is {user}")]
    Foreign {
        /// The directory or link.
        place: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who runs this.
        user: u32,
    },
    /// Its permissions let others in.
    #[error("others can write to {place} (its mode is {mode:o})")]
    Writable {
        /// The directory.
        place: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// There is a file in its place.
    #[error("{0} is not a directory")]
    NoDirectory(PathBuf),
    /// The system does not say.
    #[error("{place} cannot be examined ({reason})")]
    Unknown {
        /// The directory.
        place: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
}

impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        Self::new(io::ErrorKind::PermissionDenied, refusal)
    }
}

/// That nobody but this user and root can write to a cache or to its folders, if they are there. What
/// is above a directory that the user named is the user's own affair; of the default place it is
/// checked, because whoever can rename what is above could put another cache there.
pub(super) fn check(folder: &Path, is_named: bool) -> Result<(), CacheError> {
    let kinds = || super::Kind::ALL.iter().map(|kind| folder.join(kind.folder()));
    let checked = directory(folder, folder)
        .and_then(|_| kinds().try_for_each(|kind| directory(folder, &kind).map(drop)))
        .and_then(|()| if is_named { Ok(()) } else { above(folder) });
    checked.map_err(|refusal| CacheError::Refused { folder: folder.to_owned(), refusal, is_named })
}

/// Makes a cache that only this user can enter, unless it is there; and checks it once more, because
/// somebody may have been faster.
pub(in crate::measure) fn make(cache: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(cache)?;
    directory(cache, cache)?;
    Ok(())
}

/// Whether a directory of a cache is there. A link is followed inside of the cache: its owner made it.
fn directory(cache: &Path, place: &Path) -> Result<bool, Refusal> {
    let link = match fs::symlink_metadata(place) {
        Ok(link) => link,
        // Below a file there is none, and none can be made, which is said where it is tried.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            return Ok(false);
        }
        Err(reason) => return Err(Refusal::Unknown { place: place.to_owned(), reason }),
    };
    owned(place, &link)?;
    let metadata = match fs::metadata(place) {
        Ok(metadata) => metadata,
        // A link to nothing, which is made.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(reason) => return Err(Refusal::Unknown { place: place.to_owned(), reason }),
    };
    if !metadata.is_dir() && place == cache {
        return Err(Refusal::NoDirectory(place.to_owned()));
    }
    owned(place, &metadata)?;
    if is_writable_by_others(&metadata) {
        return Err(writable(place, &metadata));
    }
    Ok(true)
}

/// That nobody else can rename a directory or what it lies in, as it is written and with all links
/// followed.
fn above(folder: &Path) -> Result<(), Refusal> {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let parents = || absolute.ancestors().skip(1);
    let real = parents().find_map(|place| place.canonicalize().ok());
    let links = parents().map(Path::to_owned);
    let all = links.chain(real.iter().flat_map(|real| real.ancestors().map(Path::to_owned)));
    for place in all {
        // What is not there yet is made by this user.
        let Ok(metadata) = fs::symlink_metadata(&place) else { continue };
        owned(&place, &metadata)?;
        let is_sticky = metadata.mode() & STICKY != 0;
        if metadata.is_dir() && is_writable_by_others(&metadata) && !is_sticky {
            return Err(writable(&place, &metadata));
        }
    }
    Ok(())
}

fn owned(place: &Path, metadata: &Metadata) -> Result<(), Refusal> {
    let (owner, user) = (metadata.uid(), user());
    if [user, ROOT].contains(&owner) {
        Ok(())
    } else {
        Err(Refusal::Foreign { place: place.to_owned(), owner, user })
    }
}

/// A group with the user's own number is taken for one that nobody else is in (user private groups).
fn is_writable_by_others(metadata: &Metadata) -> bool {
    let is_private = metadata.gid() == metadata.uid();
    let (group, others) = (metadata.mode() & GROUP_WRITES, metadata.mode() & OTHERS_WRITE);
    others != 0 || (group != 0 && !is_private)
}

fn writable(place: &Path, metadata: &Metadata) -> Refusal {
    Refusal::Writable { place: place.to_owned(), mode: metadata.mode() & 0o7777 }
}

fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}
