//! What of the process's environment matters, in one place so that tests can make it up.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::target::{Pin, Target};
use crate::files;
use crate::units::Bytes;

/// Folders of libraries that the usual systems have.
const USUAL_FOLDERS: [&str; 6] = [
    "/usr/local/lib",
    "/usr/local/lib64",
    "/usr/lib64",
    "/usr/lib",
    "/opt/homebrew/lib",
    "/opt/onnxruntime/lib",
];

/// Variables that change what a Python finds, or which Python a shim starts.
const PYTHON_VARIABLES: [&str; 4] = ["PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYENV_VERSION"];

/// What matters.
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
    /// The variables that change what a Python finds, as one text.
    pub python: String,
    /// Folders of libraries, the user's before the system's.
    pub library_folders: Vec<PathBuf>,
    /// What is pinned for this platform.
    pub(super) pin: Option<Pin>,
    /// A Python that takes longer to say where a package is, hangs.
    pub(super) python_limit: Duration,
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
        library_folders.extend(configured(Path::new("/etc/ld.so.conf.d")));
        library_folders.push(format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH).into());
        library_folders.extend(USUAL_FOLDERS.map(PathBuf::from));
        Self {
            dylib_path: var("ORT_DYLIB_PATH"),
            executable_folder: std::env::current_exe()
                .ok()
                .and_then(|p| Some(p.parent()?.to_owned())),
            cache: cache.to_owned(),
            path: var("PATH"),
            python: PYTHON_VARIABLES.map(text).join("|"),
            library_folders,
            pin: Target::this().map(Target::pin),
            python_limit: Duration::from_secs(10),
        }
    }
}

/// The folders that the system's loader is told of, file by file.
pub(super) fn configured(conf: &Path) -> Vec<PathBuf> {
    let Ok(listing) = fs::read_dir(conf) else { return Vec::new() };
    let mut files: Vec<PathBuf> = listing.flatten().map(|item| item.path()).collect();
    files.sort();
    let read = |file: &PathBuf| files::read_text(file, Bytes::MIB).unwrap_or_default();
    let texts: Vec<String> = files.iter().map(read).collect();
    let lines = texts.iter().flat_map(|text| text.lines().map(str::trim));
    lines.filter(|line| line.starts_with('/')).map(PathBuf::from).collect()
}
