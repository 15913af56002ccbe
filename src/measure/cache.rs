//! What is kept between runs, in the user's cache directory: footprints, finished children of
//! measurements that were stopped, reference models, the generated image, ONNX Runtime.
//!
//! Everything here can be deleted at any time and is then made again. Files are written beside
//! their place and renamed into it, so that a reader never sees half of one; what a process leaves
//! behind that is killed while it writes is removed by the next one. What is kept is believed, and the
//! library is run: nobody but its user can write to a cache, see [`CacheError`].

mod hashes;
mod key;
mod owner;

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) use hashes::{Identity, hash_file};
pub use hashes::{sha256_of, sha256_of_text};
pub use key::{CacheKey, KeyParts, ModelKey};
pub(super) use owner::make;
pub use owner::{CacheError, Refusal};

use super::assemble::give_a_line;
use super::campaign::ChildRecord;
use crate::files;
use crate::footprint::Footprint;
use crate::units::{Bytes, CpuScore, Seconds};

/// The environment variable that names another cache directory.
pub const CACHE_VARIABLE: &str = "MEDISCOPE_SIZE_CACHE";

/// A user's cache directory.
#[derive(Debug, Clone)]
pub struct Cache {
    root: PathBuf,
}

/// A kind of thing that is kept, each in a folder of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Measured footprints.
    Footprints,
    /// Finished children of measurements that were stopped.
    Partial,
    /// Reference models, as ONNX files.
    Models,
    /// The generated request image.
    Images,
    /// The ONNX Runtime library.
    Runtime,
}

impl Kind {
    /// All of them, in the order of listings.
    pub const ALL: [Self; 5] =
        [Self::Footprints, Self::Partial, Self::Models, Self::Images, Self::Runtime];

    /// The folder's name.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Footprints => "footprints",
            Self::Partial => "partial",
            Self::Models => "models",
            Self::Images => "images",
            Self::Runtime => "onnxruntime",
        }
    }
}

/// One file that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: Bytes,
    /// When it was written.
    pub modified: Option<SystemTime>,
}

/// The most that is read of a file in the cache: footprints have some hundred KiB.
const MOST_BYTES: Bytes = Bytes::mib(64);

/// The file with hashes of models.
const HASHES: &str = "hashes.json";
/// The file with what is known of libraries.
pub(super) const RUNTIMES: &str = "runtime.json";
/// The file with the memory of server processes.
const PROGRAMS: &str = "programs.json";
/// The file with the score of this machine's CPU.
const CALIBRATION: &str = "calibration.json";

/// What is in it.
#[derive(Debug, Clone, Serialize, serde::Deserialize)]
struct Calibrated {
    cpu_model: String,
    tool: String,
    score: CpuScore,
}

/// A kept footprint, with what it was measured of.
#[derive(Debug, Clone, Serialize, serde::Deserialize)]
pub struct Kept {
    /// The profile's name.
    pub profile: String,
    /// The parts of its key, readable.
    pub key: KeyParts,
    /// How long the measurement was allowed to take.
    pub budget: Seconds,
    /// The record.
    pub footprint: Footprint,
}

impl Cache {
    /// The directory that was asked for, else the one that [`CACHE_VARIABLE`] names, else
    /// `mediscope-size` in the user's cache directory. It need not exist. What killed processes left in
    /// it is removed.
    ///
    /// # Errors
    /// Where there is none, or others can write to it.
    pub fn locate(asked: Option<&Path>) -> Result<Self, CacheError> {
        // A variable that is set to nothing counts as not set, as the XDG ones do.
        let variable = || std::env::var_os(CACHE_VARIABLE).filter(|v| !v.is_empty());
        let named = asked.map(Path::to_owned).or_else(|| variable().map(PathBuf::from));
        let is_named = named.is_some();
        let root = named.or_else(default_root).ok_or(CacheError::Nowhere)?;
        owner::check(&root, is_named)?;
        let cache = Self { root };
        cache.remove_leftovers();
        Ok(cache)
    }

    /// A directory that this process has made for itself.
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of one kind.
    pub fn folder(&self, kind: Kind) -> PathBuf {
        self.root.join(kind.folder())
    }

    /// The footprint with this key, if there is one that this version can read and that answers.
    pub fn footprint(&self, key: &CacheKey) -> Option<Kept> {
        let kept: Kept = read_json(&self.file(Kind::Footprints, key))?;
        give_a_line(&kept.footprint.points).then_some(kept)
    }

    /// What a kept file is of, for listings: the profile of a footprint.
    pub fn described(&self, entry: &Entry) -> Option<String> {
        let kept: Kept = read_json(Some(&entry.path).filter(|_| entry.kind == Kind::Footprints)?)?;
        Some(format!(
            "  {} with ONNX Runtime {}",
            kept.profile, kept.footprint.environment.onnxruntime
        ))
    }

    /// Keeps a footprint.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn keep_footprint(&self, key: &CacheKey, kept: &Kept) -> io::Result<()> {
        self.write_json(&self.file(Kind::Footprints, key), kept)
    }

    /// The finished children of an earlier measurement that was stopped.
    pub fn finished_children(&self, key: &CacheKey) -> Vec<ChildRecord> {
        read_json(&self.file(Kind::Partial, key)).unwrap_or_default()
    }

    /// Keeps finished children for the next run.
    ///
    /// # Errors
    /// Where they cannot be written.
    pub fn keep_children(&self, key: &CacheKey, children: &[ChildRecord]) -> io::Result<()> {
        self.write_json(&self.file(Kind::Partial, key), &children)
    }

    /// Forgets finished children, once their footprint is kept.
    pub fn forget_children(&self, key: &CacheKey) {
        // Nothing to forget is as good as forgotten.
        let _ = fs::remove_file(self.file(Kind::Partial, key));
    }

    fn file(&self, kind: Kind, key: &CacheKey) -> PathBuf {
        self.folder(kind).join(format!("{key}.json"))
    }

    /// The score of a CPU that was calibrated here with this version of the tool.
    pub fn calibration(&self, cpu_model: &str) -> Option<CpuScore> {
        let kept: Calibrated = read_json(&self.root.join(CALIBRATION))?;
        (kept.cpu_model == cpu_model && kept.tool == KeyParts::tool_version()).then_some(kept.score)
    }

    /// Keeps the score of this machine's CPU.
    ///
    /// # Errors
    /// Where the cache cannot be written.
    pub fn keep_calibration(&self, cpu_model: &str, score: CpuScore) -> io::Result<()> {
        let kept =
            Calibrated { cpu_model: cpu_model.to_owned(), tool: KeyParts::tool_version(), score };
        self.write_json(&self.root.join(CALIBRATION), &kept)
    }

    /// What was kept of server processes; nothing where it is missing or damaged.
    pub(super) fn programs<T: DeserializeOwned + Default>(&self) -> T {
        read_json(&self.root.join(PROGRAMS)).unwrap_or_default()
    }

    /// Keeps it.
    pub(super) fn keep_programs(&self, known: &impl Serialize) -> io::Result<()> {
        self.write_json(&self.root.join(PROGRAMS), known)
    }

    /// Writes a file of the cache, which is made first.
    ///
    /// # Errors
    /// As [`write_atomically`], or where somebody else has made the cache meanwhile.
    pub fn write(
        &self,
        path: &Path,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        make(&self.root)?;
        write_atomically(path, fill)
    }

    fn write_json(&self, path: &Path, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string_pretty(value)?;
        self.write(path, |w| w.write_all(text.as_bytes()))
    }

    /// Removes half-written files of processes that were killed. Those that are being written are
    /// locked.
    fn remove_leftovers(&self) {
        let folders = Kind::ALL.iter().map(|&kind| self.folder(kind)).chain([self.root.clone()]);
        let entries = folders.filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
        for path in entries.map(|entry| entry.path()).filter(|path| is_temporary(path)) {
            // What cannot be removed takes space, nothing else.
            if files::open(&path).is_ok_and(|(file, _)| file.try_lock().is_ok()) {
                let _ = fs::remove_file(&path);
            }
        }
        let runtime = self.folder(Kind::Runtime);
        if installations(&runtime).next().is_some()
            && files::open(&runtime.join(INSTALL_LOCK)).is_ok_and(|(f, _)| f.try_lock().is_ok())
        {
            remove_installations(&runtime);
        }
    }

    /// Every file that is kept.
    pub fn entries(&self) -> Vec<Entry> {
        Kind::ALL.iter().flat_map(|&kind| files_below(&self.folder(kind), kind)).collect()
    }

    /// Removes everything that this tool keeps in the directory, and nothing else. Returns what
    /// was removed.
    ///
    /// # Errors
    /// Where a folder cannot be removed.
    pub fn clear(&self) -> io::Result<Vec<Entry>> {
        let entries = self.entries();
        for kind in Kind::ALL {
            ignore_missing(fs::remove_dir_all(self.folder(kind)))?;
        }
        for memo in [HASHES, RUNTIMES, PROGRAMS, CALIBRATION] {
            ignore_missing(fs::remove_file(self.root.join(memo)))?;
        }
        // Only if nothing of anybody else is in it.
        let _ = fs::remove_dir(&self.root);
        Ok(entries)
    }
}

/// Whoever installs a library has locked this file.
pub(super) const INSTALL_LOCK: &str = ".lock";
/// The names of the folders in which libraries are installed begin with this.
pub(super) const INSTALL_PREFIX: &str = ".install-";

fn installations(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let paths = fs::read_dir(folder).into_iter().flatten().flatten().map(|item| item.path());
    let is_one = |name: &OsStr| name.as_encoded_bytes().starts_with(INSTALL_PREFIX.as_bytes());
    paths.filter(move |path| path.file_name().is_some_and(is_one))
}

/// Removes what installations that were killed left, where the lock is held: no other works then.
pub(super) fn remove_installations(folder: &Path) {
    for path in installations(folder) {
        // What cannot be removed takes space, nothing else.
        let _ = fs::remove_dir_all(path);
    }
}

/// In the user's cache directory, which the XDG specification says how to find.
fn default_root() -> Option<PathBuf> {
    let xdg = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || std::env::home_dir().filter(|home| home.is_absolute());
    let base = xdg.filter(|path| path.is_absolute()).or_else(|| Some(home()?.join(".cache")));
    base.map(|base| base.join("mediscope-size"))
}

fn ignore_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn files_below(folder: &Path, kind: Kind) -> Vec<Entry> {
    let Ok(listing) = fs::read_dir(folder) else { return Vec::new() };
    let mut entries = Vec::new();
    for item in listing.flatten() {
        let path = item.path();
        match item.metadata() {
            Ok(metadata) if metadata.is_dir() => entries.extend(files_below(&path, kind)),
            Ok(metadata) if !is_lock(&path) => entries.push(Entry {
                kind,
                path,
                bytes: Bytes::new(metadata.len()),
                modified: metadata.modified().ok(),
            }),
            _ => {}
        }
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    entries
}

fn is_lock(path: &Path) -> bool {
    path.file_name().is_some_and(|n| n.as_encoded_bytes().ends_with(b".lock"))
}

/// What the names of files begin with that are being written.
const TEMPORARY: &str = ".tmp";

fn is_temporary(path: &Path) -> bool {
    path.file_name().is_some_and(|n| n.as_encoded_bytes().starts_with(TEMPORARY.as_bytes()))
}

/// Writes a file beside its place and renames it into it.
///
/// # Errors
/// Where the folder or the file cannot be written; nothing is left then.
pub fn write_atomically(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let mut beside = locked_in(folder)?;
    let mut writer = io::BufWriter::with_capacity(1 << 20, beside.as_file_mut());
    fill(&mut writer)?;
    writer.flush()?;
    drop(writer);
    beside.persist(path).map_err(|e| e.error)?;
    Ok(())
}

/// A new file that is locked for as long as it is open, so that another process does not take it for
/// one that was left behind.
fn locked_in(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    loop {
        // As any program creates files: for whomever the umask lets read.
        let file = tempfile::Builder::new()
            .prefix(TEMPORARY)
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(folder)?;
        // Some network folders know no locks.
        let is_locked = file.as_file().lock().is_ok();
        // It may have been removed before it was locked.
        if !is_locked || file.as_file().metadata()?.nlink() > 0 {
            return Ok(file);
        }
    }
}

/// `None` where it is missing or damaged: it is only a cache.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&files::read(path, MOST_BYTES).ok()?).ok()
}
