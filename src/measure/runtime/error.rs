//! Why nothing was installed, in words that name the ways out.

use std::io;
use std::path::PathBuf;

use super::target::Target;
use super::{LEAST_MINOR, VERSION};
use crate::text::QUOTED;

/// Why nothing was installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// There is no wheel for this platform.
    #[error(
        "there is no pinned ONNX Runtime for this platform (musl or an unlisted processor): set \
         ORT_DYLIB_PATH to a libonnxruntime of version 1.{LEAST_MINOR} or later"
    )]
    NoWheel,
    /// Neither pip nor uv could download it.
    #[error(
        "ONNX Runtime {VERSION} for {target} cannot be downloaded:{}{QUOTED}Ways out:{QUOTED}\
         set ORT_DYLIB_PATH to a libonnxruntime of version 1.{LEAST_MINOR} or later{QUOTED}\
         pip install \"onnxruntime>=1.{LEAST_MINOR}\" in the Python environment on PATH{QUOTED}\
         where there is a network, run `mediscope-size runtime --install --platform {target}` and \
         copy the file that it names to {}",
        .tried.iter().fold(String::new(), |text, tried| text + QUOTED + tried),
        .library.display()
    )]
    NotDownloaded {
        /// For which platform.
        target: Target,
        /// Each program and what it said.
        tried: Vec<String>,
        /// Where the library belongs.
        library: PathBuf,
    },
    /// What came is not what was pinned.
    #[error(
        "{what} has the SHA-256 {found} instead of the pinned {pinned}: it was not installed; \
         try again, or set ORT_DYLIB_PATH to a library that you trust"
    )]
    WrongHash {
        /// The wheel or the library.
        what: &'static str,
        /// What came.
        found: String,
        /// What was expected.
        pinned: &'static str,
    },
    /// The archive is damaged.
    #[error("the downloaded wheel cannot be unpacked ({0}): try again")]
    Archive(#[from] zip::result::ZipError),
    /// The cache cannot be written.
    #[error(
        "cannot install ONNX Runtime in {folder}: {reason}; free some space or name another \
         folder with --cache-dir"
    )]
    Io {
        /// Where.
        folder: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// The user asked for an end.
    #[error("interrupted")]
    Interrupted,
}
