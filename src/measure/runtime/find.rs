//! Looking for a library in the places where users have one.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::memo::Memo;
use super::outcome::{Outcome, Place, Refused, Search};
use super::surroundings::Surroundings;
use super::target::Target;
use super::{Origin, Runtime, VERSION, python, unusable};
use crate::measure::cache::hash_file;

/// Asks a library for its version: opens it in another process.
pub type AskVersion<'a> = &'a dyn Fn(&Path) -> Result<String, String>;

/// Looks in every place until one has a library that can be used.
pub fn search(surroundings: &Surroundings, ask: AskVersion<'_>, interrupt: &AtomicBool) -> Search {
    let memo = Memo::read(&surroundings.cache);
    let mut looking = Looking { surroundings, ask, interrupt, memo };
    let mut search = Search { places: Vec::new(), found: None };
    for origin in Origin::ALL {
        let outcome = if search.found.is_some() {
            Outcome::NotReached
        } else {
            match looking.look(origin) {
                Ok(runtime) => {
                    let path = runtime.path.clone();
                    search.found = Some(runtime);
                    Outcome::Used(path)
                }
                Err(outcome) => outcome,
            }
        };
        search.places.push(Place { origin, outcome });
    }
    search
}

struct Looking<'a> {
    surroundings: &'a Surroundings,
    ask: AskVersion<'a>,
    interrupt: &'a AtomicBool,
    memo: Memo,
}

impl Looking<'_> {
    /// The library of one place, or why there is none.
    fn look(&mut self, origin: Origin) -> Result<Runtime, Outcome> {
        let mut refused = Vec::new();
        for path in self.candidates(origin)? {
            match self.version(origin, &path) {
                Ok(version) => return Ok(Runtime { path, version, origin }),
                Err(why) => refused.push(Refused { path, why }),
            }
        }
        Err(if refused.is_empty() { Outcome::Nothing } else { Outcome::Unusable(refused) })
    }

    fn candidates(&mut self, origin: Origin) -> Result<Vec<PathBuf>, Outcome> {
        let around = self.surroundings;
        Ok(match origin {
            Origin::Environment => {
                let named = around.dylib_path.as_ref().ok_or(Outcome::NotSet)?;
                // The loader would look for a name without a slash in its own folders.
                vec![std::path::absolute(named).unwrap_or_else(|_| named.into())]
            }
            Origin::BesideExecutable => libraries_in(around.executable_folder.as_slice()),
            Origin::Cache => Target::this()
                .map(|target| cached(&around.cache, target))
                .into_iter()
                .filter(|p| p.exists())
                .collect(),
            Origin::Python => {
                let capi = python::package_libraries(around, &mut self.memo, self.interrupt)
                    .map_err(Outcome::Failed)?;
                capi.into_iter().collect()
            }
            Origin::System => libraries_in(&around.library_folders),
        })
    }

    fn version(&mut self, origin: Origin, path: &Path) -> Result<String, String> {
        if path.is_dir() {
            return Err("it is a folder: name the library file in it".into());
        }
        if !path.is_file() {
            return Err("there is no such file".into());
        }
        let version = match self.memo.version(path) {
            Some(known) => known.to_owned(),
            None => {
                if origin == Origin::Cache {
                    undamaged(path)?;
                }
                let version = (self.ask)(path)?;
                self.memo.keep_version(path, &version);
                version
            }
        };
        unusable(&version).map_or(Ok(version), Err)
    }
}

/// A file that this tool installed is not opened before it is known to be what was installed.
fn undamaged(path: &Path) -> Result<(), String> {
    let pinned = Target::this().map(|t| t.pin().library_sha256).unwrap_or_default();
    match File::open(path).and_then(|mut f| hash_file(&mut f)) {
        Ok(found) if found == pinned => Ok(()),
        Ok(found) => Err(format!("it is damaged: its SHA-256 is {found} instead of {pinned}")),
        Err(error) => Err(format!("it cannot be read: {error}")),
    }
}

/// Where the library of a target is kept; absolute, for programs are started in other folders.
pub(super) fn cached(cache: &Path, target: Target) -> PathBuf {
    let cache = std::path::absolute(cache).unwrap_or_else(|_| cache.to_owned());
    cache.join("onnxruntime").join(format!("{VERSION}-{target}")).join(target.pin().library)
}

/// The libraries of these folders, within a folder the newest version first. A file that has
/// several names, as installed libraries do, comes once.
pub(super) fn libraries_in(folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    let all =
        folders.iter().flat_map(|folder| names_in(folder).into_iter().map(|n| folder.join(n)));
    all.filter(|path| seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone()))).collect()
}

fn names_in(folder: &Path) -> Vec<String> {
    let Ok(listing) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = listing
        .flatten()
        .filter_map(|item| item.file_name().into_string().ok())
        .filter(|name| is_library(name))
        .collect();
    names.sort_by_key(|name| Reverse(numbers(name)));
    names
}

/// `libonnxruntime.so`, `libonnxruntime.so.1.31.1`, `libonnxruntime.1.31.1.dylib` and the like, but
/// not the provider libraries beside it.
fn is_library(name: &str) -> bool {
    let is_version = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let Some(rest) = name.strip_prefix("libonnxruntime.") else { return false };
    match rest.strip_suffix("dylib") {
        Some(version) => is_version(version),
        None => rest.strip_prefix("so").is_some_and(is_version),
    }
}

fn numbers(name: &str) -> Vec<u32> {
    name.split('.').filter_map(|part| part.parse().ok()).collect()
}
