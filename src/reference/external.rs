//! Weights in other files: where they must be, and what is there.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::info::{ExternalFile, ExternalState};

/// What lies at `location`, which the model at `model` names and of which it reads the first
/// `needed_bytes`.
///
/// The rule is ONNX Runtime's, as version 1.31.1 behaves: the path is relative, and what it leads
/// to, symbolic links followed, is in the folder of the model or, where the model is itself a
/// symbolic link, in the folder of the file that it leads to.
pub(super) fn find(model: &Path, location: String, needed_bytes: u64) -> ExternalFile {
    let path = model.with_file_name("").join(&location);
    let state = if location.is_empty() || Path::new(&location).is_absolute() {
        ExternalState::Outside
    } else {
        look(model, &path, needed_bytes)
    };
    ExternalFile { location, path, needed_bytes, state }
}

fn look(model: &Path, path: &Path, needed: u64) -> ExternalState {
    let Ok(real) = path.canonicalize() else {
        // Nothing is there to follow, so only the path can say where it leads.
        return if climbs(model, path) { ExternalState::Outside } else { ExternalState::Missing };
    };
    if !homes(model).iter().any(|home| real.starts_with(home)) {
        return ExternalState::Outside;
    }
    match fs::metadata(&real) {
        Ok(found) if !found.is_file() => ExternalState::NotAFile,
        Ok(found) if found.len() < needed => ExternalState::TooShort { bytes: found.len() },
        Ok(found) => ExternalState::Present { bytes: found.len() },
        Err(_) => ExternalState::Missing,
    }
}

/// The folders in which a model may keep its weights.
fn homes(model: &Path) -> Vec<PathBuf> {
    let beside = match model.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.canonicalize(),
        _ => Path::new(".").canonicalize(),
    };
    let behind = model.canonicalize().map(|real| real.with_file_name(""));
    [beside, behind].into_iter().flatten().collect()
}

/// Whether the part of `path` below the model's folder goes above it.
fn climbs(model: &Path, path: &Path) -> bool {
    let folder = model.with_file_name("");
    let below = path.strip_prefix(&folder).unwrap_or(path);
    let mut depth = 0_i64;
    below.components().any(|component| {
        depth += match component {
            Component::Normal(_) => 1,
            Component::ParentDir => -1,
            _ => 0,
        };
        depth < 0
    })
}
