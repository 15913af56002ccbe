//! What is kept between runs, in the user's cache directory: footprints, finished children of
//! measurements that were stopped, reference models, the generated image, ONNX Runtime.
//!
//! Everything here can be deleted at any time and is then made again. Files are written beside
//! their place and renamed into it, so that a reader never sees half of one.

mod hashes;
mod key;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) use hashes::hash_file;
pub use hashes::{sha256_of, sha256_of_text};
pub use key::{CacheKey, KeyParts, ModelKey};

use super::assemble::give_a_line;
use super::campaign::ChildRecord;
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
    /// `mediscope-size` in the user's cache directory. It need not exist.
    pub fn locate(asked: Option<&Path>) -> Self {
        let base = || {
            let absolute =
                |name| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
            absolute("XDG_CACHE_HOME")
                .or_else(|| Some(absolute("HOME")?.join(".cache")))
                .unwrap_or_else(std::env::temp_dir)
                .join("mediscope-size")
        };
        // A variable that is set to nothing counts as not set, as the XDG ones do.
        let named = || std::env::var_os(CACHE_VARIABLE).filter(|v| !v.is_empty());
        let asked = asked.map(Path::to_owned).or_else(|| named().map(PathBuf::from));
        Self { root: asked.unwrap_or_else(base) }
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
        write_json(&self.file(Kind::Footprints, key), kept)
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
        write_json(&self.file(Kind::Partial, key), &children)
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
        write_json(&self.root.join(CALIBRATION), &kept)
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
        for memo in ["hashes.json", "runtime.json", CALIBRATION] {
            ignore_missing(fs::remove_file(self.root.join(memo)))?;
        }
        // Only if nothing of anybody else is in it.
        let _ = fs::remove_dir(&self.root);
        Ok(entries)
    }
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
    // As any program creates files: for whomever the umask lets read.
    let mut beside = tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(0o666))
        .tempfile_in(folder)?;
    let mut writer = io::BufWriter::with_capacity(1 << 20, beside.as_file_mut());
    fill(&mut writer)?;
    writer.flush()?;
    drop(writer);
    beside.persist(path).map_err(|e| e.error)?;
    Ok(())
}

fn write_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    write_atomically(path, |w| w.write_all(text.as_bytes()))
}

/// `None` where it is missing or damaged: it is only a cache.
fn read_json<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}
