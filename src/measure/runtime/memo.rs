//! What was learned about library files and Pythons, trusted while the files are the same.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::measure::cache::write_atomically;

/// Versions of libraries and the libraries of Pythons, by file identity.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Memo {
    #[serde(skip)]
    file: PathBuf,
    versions: BTreeMap<String, String>,
    pythons: BTreeMap<String, PathBuf>,
}

/// Path, device, inode, size and modification time as one text; `None` where there is no file.
fn identity(path: &Path) -> Option<String> {
    let real = path.canonicalize().ok()?;
    let m = real.metadata().ok()?;
    Some(format!(
        "{}:{}:{}:{}:{}.{}",
        real.display(),
        m.dev(),
        m.ino(),
        m.size(),
        m.mtime(),
        m.mtime_nsec()
    ))
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
        self.versions.get(&identity(library)?).map(String::as_str)
    }

    /// Remembers it.
    pub fn keep_version(&mut self, library: &Path, version: &str) {
        if let Some(key) = identity(library) {
            self.versions.insert(key, version.to_owned());
            self.write();
        }
    }

    /// The library that this Python was found to have, if it is still there. `surroundings` is
    /// what else changes the answer.
    pub fn library_of(&self, python: &Path, surroundings: &str) -> Option<&Path> {
        let key = format!("{}|{surroundings}", identity(python)?);
        self.pythons.get(&key).map(PathBuf::as_path).filter(|p| p.is_file())
    }

    /// Remembers it.
    pub fn keep_library_of(&mut self, python: &Path, surroundings: &str, library: &Path) {
        if let Some(key) = identity(python) {
            self.pythons.insert(format!("{key}|{surroundings}"), library.to_owned());
            self.write();
        }
    }

    fn write(&self) {
        // A memo that cannot be written costs time at the next run, nothing else.
        if let Ok(text) = serde_json::to_vec_pretty(self) {
            let _ = write_atomically(&self.file, |out| out.write_all(&text));
        }
    }
}
