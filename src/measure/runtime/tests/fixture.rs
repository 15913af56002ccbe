use std::cell::RefCell;
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;

use tempfile::TempDir;

use crate::measure::cache::hash_file;
use crate::measure::runtime::find::cached;
use crate::measure::runtime::target::Pin;
use crate::measure::runtime::{Search, Surroundings, Target, search};
use crate::units::Bytes;

/// A machine in a temporary folder.
pub struct World {
    folder: TempDir,
    pub around: Surroundings,
    /// The libraries whose version was asked.
    pub asked: RefCell<Vec<PathBuf>>,
}

impl World {
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let at = |name: &str| {
            let path = folder.path().join(name);
            fs::create_dir(&path).unwrap();
            path
        };
        let around = Surroundings {
            executable_folder: Some(at("exe")),
            cache: at("cache"),
            path: Some(OsString::from(at("bin"))),
            library_folders: vec![at("lib"), at("lib64")],
            current_folder: Some(at("here")),
            ..Surroundings::default()
        };
        Self { folder, around, asked: RefCell::default() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A library whose text is its version.
    pub fn library(&self, name: &str, version: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, version).unwrap();
        path
    }

    /// A program in the only folder of PATH. Each call of it adds a line to `NAME.calls`.
    pub fn program(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        let calls = self.path(&format!("{name}.calls"));
        let text = format!("#!/bin/sh\necho \"$*\" >> '{}'\n{script}\n", calls.display());
        let draft = self.path(&format!("{name}.draft"));
        fs::write(&draft, text).unwrap();
        fs::set_permissions(&draft, Permissions::from_mode(0o755)).unwrap();
        // Another process writes the program: what this one has open for writing would be open in
        // the children of other tests too, and a file that is being written cannot be started.
        assert!(Command::new("/bin/cp").arg(draft).arg(path).status().unwrap().success());
    }

    pub fn calls(&self, name: &str) -> usize {
        let text = fs::read_to_string(self.path(&format!("{name}.calls"))).unwrap_or_default();
        // The script that Python is asked with has several lines, this is in one of them.
        text.lines().filter(|l| l.contains("find_spec") || l.contains("onnxruntime==")).count()
            + text.lines().filter(|l| l.contains("requirements.txt")).count()
    }

    /// A Python with a package that has this library.
    pub fn python(&self, version: &str) -> PathBuf {
        let library =
            self.library(&format!("site/onnxruntime/capi/libonnxruntime.so.{version}"), version);
        let package = self.path("site/onnxruntime");
        self.program(
            "python3",
            &format!("echo hello; echo 'onnxruntime is in {}'", package.display()),
        );
        library
    }

    pub fn search(&self) -> Search {
        let ask = |path: &Path| {
            self.asked.borrow_mut().push(path.to_owned());
            fs::read_to_string(path).map_err(|e| e.to_string())
        };
        search(&self.around, &ask, &AtomicBool::new(false))
    }

    pub fn asked_names(&self) -> Vec<String> {
        let name = |p: &PathBuf| p.file_name().unwrap().to_string_lossy().into_owned();
        self.asked.borrow().iter().map(name).collect()
    }

    /// What is in the cache's folder, without the lock.
    pub fn left_over(&self) -> Vec<String> {
        let listing = fs::read_dir(self.path("cache/onnxruntime")).unwrap();
        let names = listing.map(|i| i.unwrap().file_name().into_string().unwrap());
        names.filter(|n| n != ".lock").collect()
    }

    pub fn cached(&self) -> PathBuf {
        cached(&self.around.cache, here())
    }

    /// A wheel with a library that says `1.31.1`, and its pin. It lies outside of all places.
    pub fn wheel(&self) -> (PathBuf, Pin) {
        let library = self.library("library", "1.31.1");
        let pin = here().pin();
        let path = self.path("onnxruntime.whl");
        let mut archive = zip::ZipWriter::new(fs::File::create(&path).unwrap());
        archive.start_file(pin.member, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(&fs::read(&library).unwrap()).unwrap();
        archive.finish().unwrap();
        let pin = Pin {
            wheel_sha256: sha256(&path),
            wheel_bytes: Bytes::new(path.metadata().unwrap().len()),
            library_sha256: sha256(&library),
            ..pin
        };
        (path, pin)
    }
}

/// These tests need a platform with a pin, as every one that is built for has.
pub fn here() -> Target {
    Target::this().unwrap_or(Target::LinuxX86_64)
}

fn sha256(path: &Path) -> &'static str {
    hash_file(&mut fs::File::open(path).unwrap()).unwrap().leak()
}

/// The part of a script that copies `wheel` where pip was told to.
pub fn deliver(wheel: &Path) -> String {
    format!(
        "while [ \"$1\" != --dest ]; do shift; done\n/bin/cp '{}' \"$2/onnxruntime-x.whl\"",
        wheel.display()
    )
}
