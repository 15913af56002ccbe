//! Paths in a profile: relative to its folder as it is written, and to where the tool runs once it is
//! read.

use std::io;
use std::path::{Component, Path, PathBuf, absolute};

/// The path as a profile in `folder` names it, so that it is found from there.
///
/// A path that was typed relative is made relative to the folder, through what both have in common. An
/// absolute one stays, unless it leads below the folder. Links to folders are followed as the system
/// follows them, and a link to the file itself is kept.
///
/// # Errors
/// Where the folder that the tool runs in is gone.
pub fn as_written(path: &Path, folder: &Path) -> io::Result<PathBuf> {
    let from = real(folder)?;
    let to = match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => real(parent)?.join(name),
        _ => real(path)?,
    };
    // A profile that is named by its absolute path makes absolute paths of its relative ones.
    let was_relative = path.is_relative() || path.components().any(|c| c == Component::ParentDir);
    if let Ok(below) = to.strip_prefix(&from) {
        let is_itself = below.as_os_str().is_empty();
        return Ok(if is_itself { PathBuf::from(".") } else { below.to_owned() });
    }
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    // Nothing but the root in common: they do not move together.
    if !was_relative || shared < 2 {
        return Ok(if path.is_absolute() { path.to_owned() } else { to });
    }
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    Ok(up.chain(to.components().skip(shared)).collect())
}

/// A folder without links, where it is there.
fn real(folder: &Path) -> io::Result<PathBuf> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    folder.canonicalize().or_else(|_| absolute(folder))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// Whatever is written is found again from the folder.
    #[test]
    fn a_path_is_found_from_the_folder_of_the_profile() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        for folder in ["models", "profiles/deep", "elsewhere"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        fs::write(at("models/m.onnx"), "m").unwrap();
        symlink(at("profiles/deep"), at("link")).unwrap();
        symlink(at("models/m.onnx"), at("elsewhere/l.onnx")).unwrap();
        let models = at("models").join("..").join("models/m.onnx");
        for folder in ["models", "profiles", "profiles/deep", "link", "elsewhere", ""] {
            let folder = at(folder);
            let written = as_written(&models, &folder).unwrap();
            assert!(written.is_relative(), "{written:?}");
            assert_eq!(fs::read_to_string(folder.join(&written)).unwrap(), "m", "{written:?}");
        }
        assert_eq!(as_written(&models, &at("link")).unwrap(), Path::new("../../models/m.onnx"));
        // What was absolute stays, but below the folder.
        let absolute = at("models/m.onnx");
        assert_eq!(as_written(&absolute, &at("profiles")).unwrap(), absolute);
        assert_eq!(as_written(&absolute, &at("models")).unwrap(), Path::new("m.onnx"));
        let link = at("elsewhere").join("l.onnx");
        assert_eq!(as_written(&link, &at("elsewhere")).unwrap(), Path::new("l.onnx"));
        // A file that is not there yet, and a folder that is the profile's own.
        assert_eq!(as_written(&at("models/new"), &at("models")).unwrap(), Path::new("new"));
        assert_eq!(as_written(&at("models"), &at("models")).unwrap(), Path::new("."));
    }
}
