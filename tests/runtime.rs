//! `mediscope-size runtime` from outside: what it says, what it installs, and what it does where
//! there is no network.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Variables of whoever runs the tests that would change the answers.
const PRIVATE: [&str; 5] = [
    "MEDISCOPE_SIZE_CACHE",
    "ORT_DYLIB_PATH",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "PYTHONPATH",
];

/// An index at a port where nobody listens.
const NO_INDEX: &str = "http://127.0.0.1:9/simple";

/// Variables that name other places with packages.
const ELSEWHERE: [&str; 5] =
    ["PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "UV_EXTRA_INDEX_URL", "UV_INDEX", "UV_FIND_LINKS"];

struct Tool {
    folder: TempDir,
}

impl Tool {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// `runtime` with these arguments and a cache of its own.
    fn runtime(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("mediscope-size"));
        command.arg("runtime").args(arguments).arg("--cache-dir").arg(self.cache());
        for name in PRIVATE {
            command.env_remove(name);
        }
        command
    }

    /// The names in the cache's folder of libraries.
    fn kept(&self) -> Vec<String> {
        let Ok(listing) = fs::read_dir(self.cache().join("onnxruntime")) else { return Vec::new() };
        let names = listing.map(|item| item.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn answer(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&answer(output)).unwrap()
}

fn place<'a>(json: &'a Value, name: &str) -> &'a Value {
    let places = json["places"].as_array().unwrap();
    places.iter().find(|place| place["place"] == name).unwrap()
}

/// Why a real installation could not be tried here, if that is so.
fn skipped(output: &Output) -> bool {
    let errors = text(&output.stderr);
    let excuses = ["the package index cannot be reached", "no python3, pip or uv on PATH"];
    let skip = !output.status.success() && excuses.iter().any(|excuse| errors.contains(excuse));
    if skip {
        println!("skipped, nothing can be downloaded here: {errors}");
    }
    skip
}

#[test]
fn a_named_file_that_is_no_library_is_said_in_words() {
    let tool = Tool::new();
    let garbage = tool.folder.path().join("garbage.so");
    fs::write(&garbage, "no library").unwrap();
    let output = tool.runtime(&[]).env("ORT_DYLIB_PATH", &garbage).output().unwrap();
    let expected = format!("1. ORT_DYLIB_PATH: {} cannot be used: ", garbage.display());
    let said = answer(&output);
    assert!(said.contains(&expected), "{said}");
    assert!(!said.contains(&format!("used: {}: ", garbage.display())), "the path twice: {said}");
    assert!(!cfg!(target_os = "linux") || said.contains("no ELF header"), "{said}");
    assert!(said.contains("Looked for, in this order:"), "{said}");
    for line in ["2. beside the executable: ", "3. the tool's cache: ", "4. onnxruntime in Python"]
    {
        assert!(said.contains(line), "{said}");
    }
}

#[test]
fn a_named_file_that_is_no_library_is_said_in_json() {
    let tool = Tool::new();
    for (name, reason) in [("", "it is a folder"), ("missing.so", "there is no such file")] {
        let path = tool.folder.path().join(name);
        let mut command = tool.runtime(&["--format", "json"]);
        let json = json(&command.env("ORT_DYLIB_PATH", &path).output().unwrap());
        assert_eq!(json["schema"], "mediscope-size/runtime/1");
        let environment = place(&json, "environment");
        assert_eq!(environment["outcome"], "unusable");
        assert_eq!(environment["path"], path.display().to_string());
        assert!(environment["text"].as_str().unwrap().contains(reason), "{environment}");
        let places: Vec<_> = json["places"].as_array().unwrap().iter().collect();
        let names: Vec<_> = places.iter().map(|place| place["place"].as_str().unwrap()).collect();
        assert_eq!(names, ["environment", "beside_executable", "cache", "python", "system"]);
    }
}

/// Python is asked for real: the package is seen, and a checkout in the current folder is not.
#[test]
fn the_package_of_the_python_on_the_path_is_found() {
    if !Command::new("python3").arg("--version").status().is_ok_and(|status| status.success()) {
        println!("skipped: there is no python3 on PATH");
        return;
    }
    let tool = Tool::new();
    let library = |folder: &str| {
        let capi = tool.folder.path().join(folder).join("onnxruntime/capi");
        fs::create_dir_all(&capi).unwrap();
        fs::write(capi.join("../__init__.py"), "raise SystemExit('imported')").unwrap();
        fs::write(capi.join("libonnxruntime.so.1.31.1"), "no library").unwrap();
        capi.join("libonnxruntime.so.1.31.1")
    };
    library("checkout");
    let installed = library("packages");
    let mut command = tool.runtime(&["--format", "json"]);
    command.current_dir(tool.folder.path().join("checkout"));
    command.env("PYTHONPATH", tool.folder.path().join("packages"));
    let json = json(&command.output().unwrap());
    let python = place(&json, "python");
    assert_eq!(python["outcome"], "unusable", "{json}");
    assert_eq!(python["path"], installed.display().to_string());
}

#[test]
fn offline_it_ends_soon_and_names_the_ways_out() {
    let tool = Tool::new();
    let begun = Instant::now();
    let mut command = tool.runtime(&["--install"]);
    for name in ["PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"] {
        command.env(name, NO_INDEX);
    }
    for name in ELSEWHERE {
        command.env_remove(name);
    }
    for name in ["PIP_NO_CACHE_DIR", "UV_NO_CACHE"] {
        command.env(name, "1");
    }
    command.env("UV_PYTHON_DOWNLOADS", "never");
    // What lies in the current folder is not run: Python would take it for its own module.
    let (checkout, marker) = (tool.folder.path().join("checkout"), tool.folder.path().join("ran"));
    fs::create_dir(&checkout).unwrap();
    fs::write(checkout.join("pip.py"), format!("open({:?}, 'w')", marker.display().to_string()))
        .unwrap();
    command.current_dir(&checkout);
    let output = command.env("NO_PROXY", "*").output().unwrap();
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(output.stdout.is_empty());
    for part in ["ORT_DYLIB_PATH", "pip install", "runtime --install", "cannot be downloaded"] {
        assert!(errors.contains(part), "{part} is not in {errors}");
    }
    assert!(!marker.exists(), "a module of the current folder was run");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(tool.kept(), [".lock"]);
}

#[test]
fn an_unknown_platform_is_answered_with_the_known_ones() {
    let tool = Tool::new();
    let output = tool.runtime(&["--install", "--platform", "amiga"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("linux-x86_64, linux-aarch64, macos-arm64"));
}

#[test]
fn what_was_installed_is_used_without_a_python() {
    let tool = Tool::new();
    let output = tool.runtime(&["--install", "--format", "json"]).output().unwrap();
    if skipped(&output) {
        return;
    }
    let installed = json(&output);
    assert_eq!(installed["schema"], "mediscope-size/runtime-install/1");
    assert_eq!(installed["run_here"], true);
    let path = Path::new(installed["path"].as_str().unwrap());
    assert!(path.is_file());

    let no_programs = tool.folder.path().join("empty");
    let output = tool.runtime(&["--format", "json"]).env("PATH", &no_programs).output().unwrap();
    let found = json(&output);
    assert_eq!((&found["version"], &found["path"]), (&installed["version"], &installed["path"]));
    assert_eq!(place(&found, "cache")["outcome"], "used");
    assert_eq!(place(&found, "python")["outcome"], "not_reached");
    let said = answer(&tool.runtime(&[]).output().unwrap());
    assert!(said.starts_with("ONNX Runtime 1.31.1 from the tool's cache\n"), "{said}");

    // One byte in place, with the size and the time of modification as they were.
    let mut library = fs::File::options().read(true).write(true).open(path).unwrap();
    let before = library.metadata().unwrap();
    let mut byte = [0];
    library.seek(SeekFrom::Start(before.len() / 2)).unwrap();
    library.read_exact(&mut byte).unwrap();
    library.seek(SeekFrom::Start(before.len() / 2)).unwrap();
    library.write_all(&[!byte[0]]).unwrap();
    library.set_modified(before.modified().unwrap()).unwrap();
    let after = fs::metadata(path).unwrap();
    assert_eq!((after.len(), after.mtime_nsec()), (before.len(), before.mtime_nsec()));
    let output = tool.runtime(&["--format", "json"]).env("PATH", &no_programs).output().unwrap();
    let cache = place(&json(&output), "cache").clone();
    assert_eq!(cache["outcome"], "unusable");
    assert!(cache["text"].as_str().unwrap().contains("its SHA-256 is not the pinned"), "{cache}");
}

#[test]
fn two_installations_at_once_leave_one_library() {
    let tool = Tool::new();
    let start = || {
        let mut command = tool.runtime(&["--install"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let (first, second) = (start(), start());
    let outputs = [first.wait_with_output().unwrap(), second.wait_with_output().unwrap()];
    if outputs.iter().any(skipped) {
        return;
    }
    assert_eq!(answer(&outputs[0]), answer(&outputs[1]));
    let kept = tool.kept();
    assert_eq!((kept.len(), kept[0].as_str()), (2, ".lock"), "{kept:?}");
    let folder = tool.cache().join("onnxruntime").join(&kept[1]);
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1);
}

#[test]
fn what_is_for_another_platform_is_said_not_to_have_run() {
    let other = if cfg!(target_os = "macos") { "linux-x86_64" } else { "macos-arm64" };
    let tool = Tool::new();
    let output = tool.runtime(&["--install", "--platform", other]).output().unwrap();
    if skipped(&output) {
        return;
    }
    let said = answer(&output);
    let expected = format!("ONNX Runtime 1.31.1 for {other} (downloaded and its hash checked; ");
    assert!(said.starts_with(&expected) && said.contains("was not run here"), "{said}");
}
