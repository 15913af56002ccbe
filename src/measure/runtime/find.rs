//! Looking for a library in the places where users have one.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::command::{Ran, on_path, run};
use super::memo::Memo;
use super::target::Target;
use super::{LEAST_MINOR, Origin, Runtime, VERSION, is_usable};

/// A Python that takes longer to say where a package is, hangs.
const PYTHON_LIMIT: Duration = Duration::from_secs(10);

/// Prints the folder of the package without importing it: importing loads the library.
const ASK_PYTHON: &str = "\
import importlib.util as u
s = u.find_spec('onnxruntime')
print((s.submodule_search_locations or [''])[0] if s else '')";

/// What of the process's environment matters, in one place so that tests can make it up.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// `ORT_DYLIB_PATH`.
    pub dylib_path: Option<OsString>,
    /// The folder of this program.
    pub executable_folder: Option<PathBuf>,
    /// The tool's cache.
    pub cache: PathBuf,
    /// `PATH`.
    pub path: Option<OsString>,
    /// `PYTHONPATH` and `VIRTUAL_ENV`, which change what a Python finds.
    pub python: String,
    /// Folders of libraries, the user's before the system's.
    pub library_folders: Vec<PathBuf>,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_process(cache: &Path) -> Self {
        let var = |name| std::env::var_os(name).filter(|v| !v.is_empty());
        let text = |name| var(name).map(|v| v.to_string_lossy().into_owned()).unwrap_or_default();
        let loader =
            if cfg!(target_os = "macos") { "DYLD_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" };
        let mut library_folders: Vec<PathBuf> =
            var(loader).map(|v| std::env::split_paths(&v).collect()).unwrap_or_default();
        let triplet = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
        let usual = [
            "/usr/local/lib",
            "/usr/local/lib64",
            &triplet,
            "/usr/lib64",
            "/usr/lib",
            "/opt/homebrew/lib",
        ];
        library_folders.extend(usual.map(PathBuf::from));
        Self {
            dylib_path: var("ORT_DYLIB_PATH"),
            executable_folder: std::env::current_exe()
                .ok()
                .and_then(|p| Some(p.parent()?.to_owned())),
            cache: cache.to_owned(),
            path: var("PATH"),
            python: format!("{}|{}", text("PYTHONPATH"), text("VIRTUAL_ENV")),
            library_folders,
        }
    }
}

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

/// Looks in every place until one has a library that can be used.
pub fn search(surroundings: &Surroundings, ask: AskVersion<'_>, interrupt: &AtomicBool) -> Search {
    let mut memo = Memo::read(&surroundings.cache);
    let mut search = Search { places: Vec::new(), found: None };
    for origin in Origin::ALL {
        if search.found.is_some() {
            search.places.push(Place { origin, outcome: Outcome::NotReached });
            continue;
        }
        let mut outcome = Outcome::Nothing;
        for path in candidates(origin, surroundings, &mut memo, interrupt) {
            match version(&path, &mut memo, ask) {
                Ok(version) => {
                    outcome = Outcome::Used(path.clone());
                    search.found = Some(Runtime { path, version, origin });
                    break;
                }
                // The first that was found explains most.
                Err(why) if outcome == Outcome::Nothing => outcome = Outcome::Unusable(path, why),
                Err(_) => {}
            }
        }
        search.places.push(Place { origin, outcome });
    }
    search
}

fn version(path: &Path, memo: &mut Memo, ask: AskVersion<'_>) -> Result<String, String> {
    if !path.is_file() {
        return Err("there is no such file".into());
    }
    let version = match memo.version(path) {
        Some(known) => known.to_owned(),
        None => {
            let version = ask(path)?;
            memo.keep_version(path, &version);
            version
        }
    };
    if is_usable(&version) {
        Ok(version)
    } else {
        Err(format!("its version is {version}, and 1.{LEAST_MINOR} or a later 1.x is needed"))
    }
}

fn candidates(
    origin: Origin,
    surroundings: &Surroundings,
    memo: &mut Memo,
    interrupt: &AtomicBool,
) -> Vec<PathBuf> {
    match origin {
        Origin::Environment => surroundings.dylib_path.iter().map(PathBuf::from).collect(),
        Origin::BesideExecutable => {
            surroundings.executable_folder.iter().flat_map(|f| libraries_in(f)).collect()
        }
        Origin::Cache => Target::this()
            .map(|t| cached(&surroundings.cache, t))
            .into_iter()
            .filter(|p| p.exists())
            .collect(),
        Origin::Python => python_library(surroundings, memo, interrupt).into_iter().collect(),
        Origin::System => {
            surroundings.library_folders.iter().flat_map(|f| libraries_in(f)).collect()
        }
    }
}

/// Where the library of a target is kept.
pub(super) fn cached(cache: &Path, target: Target) -> PathBuf {
    cache.join("onnxruntime").join(format!("{VERSION}-{target}")).join(target.pin().library)
}

/// The libraries of a folder, the newest version first.
fn libraries_in(folder: &Path) -> Vec<PathBuf> {
    let is_library = |name: &str| {
        name == "libonnxruntime.so"
            || name.starts_with("libonnxruntime.so.")
            || (name.starts_with("libonnxruntime.") && name.ends_with(".dylib"))
    };
    let Ok(listing) = std::fs::read_dir(folder) else { return Vec::new() };
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

fn python_library(
    surroundings: &Surroundings,
    memo: &mut Memo,
    interrupt: &AtomicBool,
) -> Option<PathBuf> {
    let python = on_path(surroundings.path.as_ref(), &["python3", "python"])?;
    // A virtual environment's Python is a link to the system's: the link's place matters.
    let key = format!("{}|{}", python.display(), surroundings.python);
    if let Some(known) = memo.library_of(&python, &key) {
        return Some(known.to_owned());
    }
    let Ran::Well(folder) =
        run(Command::new(&python).args(["-c", ASK_PYTHON]), PYTHON_LIMIT, interrupt)
    else {
        return None;
    };
    let folder = Path::new(folder.trim_end());
    if folder.as_os_str().is_empty() {
        return None;
    }
    let library = libraries_in(&folder.join("capi")).into_iter().next()?;
    memo.keep_library_of(&python, &key, &library);
    Some(library)
}
