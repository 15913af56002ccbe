//! Looking for a library in the places where users have one.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::install::is_intact;
use super::memo::Memo;
use super::surroundings::Surroundings;
use super::target::Pin;
use super::{LEAST_MINOR, Origin, Runtime, VERSION, is_usable, python};

/// One place that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which.
    pub origin: Origin,
    /// What was there.
    pub outcome: Outcome,
}

/// What was at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing.
    Nothing,
    /// A file that cannot be used, and why.
    Unusable(PathBuf, String),
    /// The library that is used.
    Used(PathBuf),
    /// An earlier place had one.
    NotReached,
}

impl Outcome {
    /// The file that it is about.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Unusable(path, _) | Self::Used(path) => Some(path),
            Self::Nothing | Self::NotReached => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing there"),
            Self::Unusable(path, why) => write!(f, "{} cannot be used: {why}", path.display()),
            Self::Used(path) => write!(f, "used: {}", path.display()),
            Self::NotReached => f.write_str("not looked at"),
        }
    }
}

/// All places and what was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// In the order of looking.
    pub places: Vec<Place>,
    /// The library that is used.
    pub found: Option<Runtime>,
}

/// Asks a library for its version: opens it in another process.
pub type AskVersion<'a> = &'a dyn Fn(&Path) -> Result<String, String>;

/// A file that may be the library, or one that is known not to be and why.
pub(super) type Candidate = Result<PathBuf, (PathBuf, String)>;

/// Looks in every place until one has a library that can be used.
pub fn search(surroundings: &Surroundings, ask: AskVersion<'_>, interrupt: &AtomicBool) -> Search {
    let mut memo = Memo::read(&surroundings.cache);
    let mut search = Search { places: Vec::new(), found: None };
    for origin in Origin::ALL {
        let outcome = if search.found.is_some() {
            Outcome::NotReached
        } else {
            let pin = surroundings.pin.as_ref().filter(|_| origin == Origin::Cache);
            let candidates = candidates(origin, surroundings, &mut memo, interrupt);
            let (outcome, version) =
                first_usable(candidates, |path| version(path, pin, &mut memo, ask));
            if let (Some(version), Outcome::Used(path)) = (version, &outcome) {
                search.found = Some(Runtime { path: path.clone(), version, origin });
            }
            outcome
        };
        search.places.push(Place { origin, outcome });
    }
    search
}

/// What was at a place, and the version of the library if one can be used.
fn first_usable(
    candidates: Vec<Candidate>,
    mut version: impl FnMut(&Path) -> Result<String, String>,
) -> (Outcome, Option<String>) {
    let mut outcome = Outcome::Nothing;
    let mut seen = BTreeSet::new();
    for candidate in candidates {
        let (path, why) = match candidate {
            // One file under several names is asked once.
            Ok(path) if !seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())) => {
                continue;
            }
            Ok(path) => match version(&path) {
                Ok(version) => return (Outcome::Used(path), Some(version)),
                Err(why) => (path, why),
            },
            Err(unusable) => unusable,
        };
        // The first that was found explains most.
        if outcome == Outcome::Nothing {
            outcome = Outcome::Unusable(path, why);
        }
    }
    (outcome, None)
}

/// The version of a library that can be used. With a pin the file must also be what was pinned.
fn version(
    path: &Path,
    pin: Option<&Pin>,
    memo: &mut Memo,
    ask: AskVersion<'_>,
) -> Result<String, String> {
    is_file(path)?;
    let version = if let Some(known) = memo.version(path) {
        known.to_owned()
    } else {
        let seen = Memo::seen(path);
        if pin.is_some_and(|pin| !is_intact(path, pin)) {
            return Err("it is damaged (its SHA-256 is not the pinned one); \
                        `mediscope-size runtime --install` replaces it"
                .into());
        }
        let version = ask(path)?;
        memo.keep_version(path, seen, &version);
        version
    };
    if is_usable(&version) {
        Ok(version)
    } else {
        Err(format!("its version is {version}, and 1.{LEAST_MINOR} or a later 1.x is needed"))
    }
}

fn is_file(path: &Path) -> Result<(), String> {
    match path.metadata() {
        Ok(metadata) if metadata.is_file() => Ok(()),
        Ok(metadata) if metadata.is_dir() => Err(match libraries_in(path).first() {
            Some(library) => format!("it is a folder; name the file, {}", library.display()),
            None => "it is a folder without a libonnxruntime".into(),
        }),
        Ok(_) => Err("it is not a regular file".into()),
        Err(_) if path.is_symlink() => Err("it is a link to a file that is not there".into()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err("there is no such file".into())
        }
        Err(error) => Err(error.to_string()),
    }
}

fn candidates(
    origin: Origin,
    surroundings: &Surroundings,
    memo: &mut Memo,
    interrupt: &AtomicBool,
) -> Vec<Candidate> {
    let files: Vec<PathBuf> = match origin {
        Origin::Environment => surroundings.dylib_path.iter().map(PathBuf::from).collect(),
        Origin::BesideExecutable => {
            surroundings.executable_folder.iter().flat_map(|f| libraries_in(f)).collect()
        }
        Origin::Cache => {
            let path = surroundings.pin.as_ref().map(|pin| cached(&surroundings.cache, pin));
            path.into_iter().filter(|path| path.exists()).collect()
        }
        Origin::Python => {
            return python::library(surroundings, memo, interrupt).into_iter().collect();
        }
        Origin::System => {
            surroundings.library_folders.iter().flat_map(|f| libraries_in(f)).collect()
        }
    };
    // The system's loader takes a bare name for one to be looked for in its own folders.
    files.into_iter().map(|path| Ok(std::path::absolute(&path).unwrap_or(path))).collect()
}

/// Where the library of a target is kept.
pub(super) fn cached(cache: &Path, pin: &Pin) -> PathBuf {
    cache.join("onnxruntime").join(format!("{VERSION}-{}", pin.target)).join(pin.library)
}

/// The libraries of a folder, the newest version first.
pub(super) fn libraries_in(folder: &Path) -> Vec<PathBuf> {
    let is_library = |name: &str| {
        name == "libonnxruntime.so"
            || name.starts_with("libonnxruntime.so.")
            || (name.starts_with("libonnxruntime.")
                && Path::new(name).extension().is_some_and(|e| e == "dylib"))
    };
    let Ok(listing) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = listing
        .flatten()
        .filter_map(|item| item.file_name().into_string().ok())
        .filter(|name| is_library(name))
        .collect();
    let version =
        |name: &str| -> Vec<u32> { name.split('.').filter_map(|p| p.parse().ok()).collect() };
    names.sort_by_key(|name| std::cmp::Reverse(version(name)));
    names.into_iter().map(|name| folder.join(name)).collect()
}
