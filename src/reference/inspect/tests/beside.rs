//! Weights in files beside the model.

use std::fs;
use std::path::PathBuf;

use super::super::super::info::{ExternalFile, ExternalState};
use super::super::super::onnx::StringStringEntryProto;
use super::*;

/// An initializer of 4 floats in another file.
pub(super) fn outside(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = tensor("w", 1, &[4], 0);
    bytes.truncate(bytes.len() - 2);
    for (key, value) in entries {
        let (key, value) = (Some((*key).to_owned()), Some((*value).to_owned()));
        bytes.extend(field(13, &StringStringEntryProto { key, value }.encode_to_vec()));
    }
    bytes.extend([14 << 3, 1]);
    field(5, &bytes)
}

/// What is found of one tensor at `location`, in a folder with `w.bin` of 20 bytes, a link to it
/// and a link out, and `sub/w.bin`; outside of it is `out.bin`.
fn found(entries: &[(&str, &str)]) -> (ExternalFile, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("m");
    fs::create_dir_all(folder.join("sub")).unwrap();
    for file in ["m/w.bin", "m/sub/w.bin", "out.bin"] {
        fs::write(root.path().join(file), [0; 20]).unwrap();
    }
    std::os::unix::fs::symlink("w.bin", folder.join("in")).unwrap();
    std::os::unix::fs::symlink("../out.bin", folder.join("out")).unwrap();
    let path = folder.join("m.onnx");
    fs::write(&path, model(8, 17, &outside(entries))).unwrap();
    let info = inspect(&path).unwrap();
    let [file] = info.external_files.try_into().unwrap();
    (file, folder)
}

/// The answers are those of ONNX Runtime 1.31.1 for the same files.
#[test]
fn files_beside_the_model_are_found_or_refused_as_the_runtime_does() {
    let present = ExternalState::Present { bytes: 20 };
    for (location, state) in [
        ("w.bin", present),
        ("./w.bin", present),
        ("sub/w.bin", present),
        ("sub/../w.bin", present),
        ("../m/w.bin", present),
        ("in", present),
        ("out", ExternalState::Outside),
        ("../out.bin", ExternalState::Outside),
        ("../none.bin", ExternalState::Outside),
        ("/etc/hostname", ExternalState::Outside),
        ("", ExternalState::Outside),
        ("none.bin", ExternalState::Missing),
        ("sub", ExternalState::NotAFile),
    ] {
        let (file, folder) = found(&[("location", location)]);
        assert_eq!((file.state, file.needed_bytes), (state, 16), "{location}");
        assert!(location.starts_with('/') || file.path == folder.join(location), "{location}");
    }
}

#[test]
fn a_file_beside_must_reach_to_the_end_of_its_last_tensor() {
    let end = |offset| found(&[("location", "w.bin"), ("offset", offset), ("length", "16")]).0;
    assert_eq!((end("4").needed_bytes, end("4").state), (20, ExternalState::Present { bytes: 20 }));
    assert_eq!(
        (end("5").needed_bytes, end("5").state),
        (21, ExternalState::TooShort { bytes: 20 })
    );
}

#[test]
fn places_in_other_files_that_are_none_are_damage() {
    for entry in
        [("offset", "x"), ("offset", "-1"), ("length", "15"), ("offset", "18446744073709551615")]
    {
        let bytes = model(8, 17, &outside(&[("location", "w.bin"), entry]));
        let error = inspect_bytes(&bytes).unwrap_err();
        assert!(matches!(error, InspectError::Damaged { .. }), "{entry:?}: {error}");
    }
}
