//! ONNX Runtime: found where users have it, or installed once into the cache.
//!
//! The library is opened at run time, so the tool builds anywhere and measures the very library
//! that a service uses. Nothing here opens one: its version is asked by a child process, and the
//! answer is remembered by the file's identity, so that a cached answer loads nothing.

mod command;
mod download;
mod error;
mod find;
mod header;
mod install;
mod memo;
mod python;
mod surroundings;
mod target;
#[cfg(test)]
mod tests;
mod unpack;
mod version;

use std::fmt;
use std::path::PathBuf;

pub(super) use command::{Ran, last_lines, on_path, run};
pub use error::InstallError;
pub use find::{AskVersion, Outcome, Place, Search, search};
pub use install::{Step, install};
pub use surroundings::Surroundings;
pub use target::Target;
pub use version::ask_version;

/// The version that is installed where none is found.
pub const VERSION: &str = "1.31.1";

/// The least minor version of 1.x with the API that this tool calls.
pub const LEAST_MINOR: u32 = 31;

/// A library that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runtime {
    /// The file, as an absolute path.
    pub path: PathBuf,
    /// Its version, such as `1.31.1`.
    pub version: String,
    /// Where it was found.
    pub origin: Origin,
}

/// Where a library can come from, in the order of looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The user named it.
    Environment,
    /// In the folder of this program.
    BesideExecutable,
    /// Installed by this tool.
    Cache,
    /// A Python package.
    Python,
    /// The system's folders.
    System,
}

impl Origin {
    /// All, in the order of looking.
    pub const ALL: [Self; 5] =
        [Self::Environment, Self::BesideExecutable, Self::Cache, Self::Python, Self::System];
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Environment => "ORT_DYLIB_PATH",
            Self::BesideExecutable => "beside the executable",
            Self::Cache => "the tool's cache",
            Self::Python => "onnxruntime in Python on PATH",
            Self::System => "the system's library path",
        })
    }
}

/// Whether a library of this version has the API that is called.
fn is_usable(version: &str) -> bool {
    let mut parts = version.split('.').map(|p| p.parse::<u32>().ok());
    matches!((parts.next(), parts.next()), (Some(Some(1)), Some(Some(minor))) if minor >= LEAST_MINOR)
}
