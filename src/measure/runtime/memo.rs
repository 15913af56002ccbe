//! What was learned about library files and Pythons, trusted while the files are the same.
//!
//! Opening a library and starting a Python take longer than everything else in a cached answer. It
//! is only a memory: one that is damaged or cannot be written costs time and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::measure::cache::write_atomically;

/// Versions of libraries and the libraries of Pythons. One entry a path: an old identity never
/// comes back, and the file must not grow.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Memo {
    #[serde(skip)]
    file: PathBuf,
    libraries: BTreeMap<String, Kept<String>>,
    pythons: BTreeMap<String, Kept<PathBuf>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Kept<T> {
    identity: String,
    answer: T,
}

/// The file behind the links, its device, inode, size and modification time as one text; `None`
/// where there is no file.
fn identity(path: &Path) -> Option<String> {
    let real = path.canonicalize().ok()?;
    let m = real.metadata().ok()?;
    let modified = format!("{}.{:09}", m.mtime(), m.mtime_nsec());
    Some(format!("{}:{}:{}:{}:{modified}", real.display(), m.dev(), m.ino(), m.size()))
}

fn name(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

impl Memo {
    /// What is remembered in this cache; nothing where it is missing or damaged.
    pub fn read(cache: &Path) -> Self {
        let file = cache.join("runtime.json");
        let memo = fs::read(&file).ok().and_then(|b| serde_json::from_slice::<Self>(&b).ok());
        Self { file, ..memo.unwrap_or_default() }
    }

    /// The remembered version of a library.
    pub fn version(&self, library: &Path) -> Option<&str> {
        let kept = self.libraries.get(&name(library))?;
        (kept.identity == identity(library)?).then_some(kept.answer.as_str())
    }

    /// Remembers it.
    pub fn keep_version(&mut self, library: &Path, version: &str) {
        if let Some(identity) = identity(library) {
            let kept = Kept { identity, answer: version.to_owned() };
            self.libraries.insert(name(library), kept);
            self.write();
        }
    }

    /// The library that this Python was found to have, if it is still there. `surroundings` is
    /// what else changes the answer.
    pub fn library_of(&self, python: &Path, surroundings: &str) -> Option<&Path> {
        let kept = self.pythons.get(&name(python))?;
        let identity = format!("{}|{surroundings}", identity(python)?);
        (kept.identity == identity && kept.answer.is_file()).then_some(kept.answer.as_path())
    }

    /// Remembers it.
    pub fn keep_library_of(&mut self, python: &Path, surroundings: &str, library: &Path) {
        if let Some(identity) = identity(python) {
            let identity = format!("{identity}|{surroundings}");
            self.pythons.insert(name(python), Kept { identity, answer: library.to_owned() });
            self.write();
        }
    }

    fn write(&self) {
        if let Ok(text) = serde_json::to_vec_pretty(self) {
            // One that cannot be written costs time at the next run, nothing else.
            let _ = write_atomically(&self.file, |out| out.write_all(&text));
        }
    }
}
