//! What was learned about library files and Pythons, trusted while the files are the same.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files;
use crate::measure::cache::{Identity, RUNTIMES, make, read_json, write_atomically};

/// Versions of libraries and the libraries of Pythons, by file identity.
///
/// Only good news about libraries is kept: a file that could not be opened may open once
/// something else on the system has changed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Memo {
    #[serde(skip)]
    file: PathBuf,
    libraries: BTreeMap<String, KnownLibrary>,
    pythons: BTreeMap<String, KnownPython>,
}

/// A file as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    path: PathBuf,
    file: Identity,
}

#[derive(Debug, Serialize, Deserialize)]
struct KnownLibrary {
    identity: Known,
    version: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct KnownPython {
    identity: Known,
    /// The folders where it looks for packages, each with its identity if it was there.
    folders: Vec<(PathBuf, Option<Known>)>,
    /// `None` where it has no package.
    library: Option<PathBuf>,
}

/// What a Python has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Package<'a> {
    /// No package.
    Missing,
    /// One with this library.
    Library(&'a Path),
}

/// A Python, and what else changes its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct PythonKey<'a> {
    pub program: &'a Path,
    pub variables: &'a str,
}

/// The real path and what tells a file from another; `None` where there is nothing. A folder's
/// changes when something is added to it or removed.
fn identity(path: &Path) -> Option<Known> {
    let real = path.canonicalize().ok()?;
    let metadata = real.metadata().ok()?;
    Some(Known { path: real, file: Identity::of(&metadata) })
}

impl Memo {
    /// What is remembered in this cache; nothing where it is missing or damaged.
    pub fn read(cache: &Path) -> Self {
        let file = cache.join(RUNTIMES);
        Self { file: file.clone(), ..read_json(&file).unwrap_or_default() }
    }

    /// The remembered version of a library, if the file is the same as then.
    pub fn version(&self, library: &Path) -> Option<&str> {
        let known = self.libraries.get(&library.display().to_string())?;
        (identity(library)? == known.identity).then_some(&known.version)
    }

    /// A library as it is now, before it is verified and asked.
    pub fn seen(library: &Path) -> Option<Known> {
        identity(library)
    }

    /// Remembers it, unless it is no longer what was seen before.
    pub fn keep_version(&mut self, library: &Path, seen: Option<Known>, version: &str) {
        if let Some(identity) = seen.filter(|seen| identity(library).as_ref() == Some(seen)) {
            let known = KnownLibrary { identity, version: version.to_owned() };
            self.libraries.insert(library.display().to_string(), known);
            self.write();
        }
    }

    /// What this Python was found to have; `None` if that is not known or something has changed
    /// since.
    pub fn package_of(&self, key: PythonKey<'_>) -> Option<Package<'_>> {
        let known = self.pythons.get(&key.text())?;
        let same = identity(key.program)? == known.identity
            && known.folders.iter().all(|(folder, then)| identity(folder) == *then)
            && known.library.as_ref().is_none_or(|library| library.is_file());
        same.then_some(known.library.as_deref().map_or(Package::Missing, Package::Library))
    }

    /// Remembers it, with the folders where this Python looks for packages.
    pub fn keep_package_of(
        &mut self,
        key: PythonKey<'_>,
        folders: Vec<PathBuf>,
        package: Package<'_>,
    ) {
        // Which Python a shim starts can change without a trace here: that it had no package is
        // not believed the next time. A library that was found and is still there can be used.
        if package == Package::Missing && is_script(key.program) {
            return;
        }
        let Some(identity_of_program) = identity(key.program) else { return };
        let folders = folders.into_iter().map(|folder| (folder.clone(), identity(&folder)));
        let known = KnownPython {
            identity: identity_of_program,
            folders: folders.collect(),
            library: match package {
                Package::Missing => None,
                Package::Library(library) => Some(library.to_owned()),
            },
        };
        self.pythons.insert(key.text(), known);
        self.write();
    }

    fn write(&self) {
        // A memo that cannot be written costs time at the next run, nothing else.
        let folder = self.file.parent().unwrap_or(Path::new(""));
        if let (Ok(text), Ok(())) = (serde_json::to_vec_pretty(self), make(folder)) {
            let _ = write_atomically(&self.file, |out| out.write_all(&text));
        }
    }
}

impl PythonKey<'_> {
    /// A virtual environment's Python is a link to the system's: the link's place matters.
    fn text(self) -> String {
        format!("{}|{}", self.program.display(), self.variables)
    }
}

fn is_script(program: &Path) -> bool {
    let mut start = [0; 2];
    files::open(program).and_then(|(mut f, _)| f.read_exact(&mut start)).is_ok() && start == *b"#!"
}
