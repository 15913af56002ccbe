//! Why ONNX Runtime could not be installed, and what the user can do about it.

use std::io;
use std::path::PathBuf;

use super::LEAST_MINOR;

/// Why nothing was installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// There is no wheel for this platform.
    #[error("no ONNX Runtime was found, and {}: {}", no_wheel(), own_library())]
    NoWheel,
    /// Neither pip nor uv could download it.
    #[error(
        "no ONNX Runtime was found and it cannot be downloaded:\n{}\nWays out:\n  {}\n  \
         pip install \"onnxruntime>=1.{LEAST_MINOR}\" in the Python environment on PATH\n  \
         run `mediscope-size runtime --install --platform {platform}` on a machine with a network and copy \
         the folder of the library that it names to {} here",
        .tried.iter().map(|t| format!("  {t}")).collect::<Vec<_>>().join("\n"),
        own_library(),
        .folder.display()
    )]
    NotDownloaded {
        /// Each program and what it said.
        tried: Vec<String>,
        /// The platform to name on another machine.
        platform: &'static str,
        /// The folder to copy to.
        folder: PathBuf,
    },
    /// What came is not what was pinned.
    #[error(
        "{what} has the SHA-256 {found} instead of the pinned {pinned}: it was not installed; try \
         again, or {}",
        own_library()
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
    #[error("the downloaded wheel cannot be unpacked ({reason}): try again, or {}", own_library())]
    Archive {
        /// What is wrong with it.
        reason: zip::result::ZipError,
    },
    /// The cache cannot be written.
    #[error(
        "cannot install ONNX Runtime in {folder}: {reason}; make it writable with some space \
         free, name another folder with --cache-dir, or {}",
        own_library()
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

fn own_library() -> String {
    format!("set ORT_DYLIB_PATH to a libonnxruntime of version 1.{LEAST_MINOR} or later")
}

fn no_wheel() -> String {
    if cfg!(target_env = "musl") {
        // A library made for glibc cannot be opened by a program without it.
        return "this program was built for musl (as on Alpine), which the official library does \
                not support"
            .into();
    }
    let (system, processor) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("no official library is pinned for {system} on {processor}")
}
