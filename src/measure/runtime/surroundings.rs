//! What of the process's environment matters to the search.
//!
//! It is read once, here, so that nothing else depends on how the tool was started and tests can
//! make it up.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What a Python may find changes with these.
const PYTHON_VARIABLES: [&str; 4] = ["PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYENV_VERSION"];

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
    /// The variables that change what a Python finds.
    pub python: String,
    /// The folder that the tool was started in: version managers choose a Python by it.
    pub current_folder: Option<PathBuf>,
    /// Folders of libraries, the user's before the system's.
    pub library_folders: Vec<PathBuf>,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_process(cache: &Path) -> Self {
        let var = |name| std::env::var_os(name).filter(|v| !v.is_empty());
        let text = |name| var(name).map(|v| v.to_string_lossy().into_owned()).unwrap_or_default();
        let executable = std::env::current_exe().ok();
        Self {
            dylib_path: var("ORT_DYLIB_PATH"),
            executable_folder: executable.and_then(|p| Some(p.parent()?.to_owned())),
            cache: cache.to_owned(),
            path: var("PATH"),
            python: PYTHON_VARIABLES.map(text).join("|"),
            current_folder: std::env::current_dir().ok(),
            library_folders: library_folders(var(loader_variable())),
        }
    }
}

const fn loader_variable() -> &'static str {
    if cfg!(target_os = "macos") { "DYLD_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" }
}

/// The folders that the loader looks in. Its own index is not asked: that starts a program, for
/// folders that distributions hardly ever add.
fn library_folders(of_user: Option<OsString>) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        of_user.map(|v| std::env::split_paths(&v).collect()).unwrap_or_default();
    if cfg!(target_os = "macos") {
        folders.extend(["/usr/local/lib", "/opt/homebrew/lib", "/usr/lib"].map(PathBuf::from));
        return folders;
    }
    let triplet = format!("{}-linux-gnu", std::env::consts::ARCH);
    folders.extend(["/usr/local/lib", "/usr/local/lib64"].map(PathBuf::from));
    folders.extend(["/usr/lib", "/lib"].map(|root| Path::new(root).join(&triplet)));
    folders.extend(["/usr/lib64", "/lib64", "/usr/lib", "/lib"].map(PathBuf::from));
    folders
}
