//! The room with made-up surroundings: programs are shell scripts on a private `PATH`, the wheel
//! is a small archive, and its pin is its own.

mod finding;
mod installing;
mod running;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::surroundings::Surroundings;
use super::target::{Pin, Target};
use super::unpack::hash_of;

/// What the made-up library holds.
const LIBRARY: &str = "a library";
const NAME: &str = "libonnxruntime.so.1.31.1";

/// A folder with everything that a test makes up.
struct Scene {
    folder: TempDir,
    surroundings: Surroundings,
}

impl Scene {
    /// An empty cache, no programs, no libraries.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["bin", "beside", "system"] {
            fs::create_dir(at(name)).unwrap();
        }
        let surroundings = Surroundings {
            dylib_path: None,
            executable_folder: Some(at("beside")),
            cache: at("cache"),
            path: Some(at("bin").into()),
            python: String::new(),
            library_folders: vec![at("system")],
            pin: Some(pin(folder.path())),
            python_limit: Duration::from_secs(10),
        };
        Self { folder, surroundings }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn pin(&self) -> Pin {
        self.surroundings.pin.unwrap()
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Puts a program on the `PATH`, which counts its runs.
    ///
    /// Another process writes it: a file that this one has open for writing, even in a child that
    /// another test is just starting, cannot be run.
    fn program(&self, name: &str, script: &str) {
        let count = format!("echo \"$*\" | tr '\\n' ' ' >> {0}; echo >> {0}", self.runs_of(name));
        let script = format!("#!/bin/sh\n{count}\n{script}\n");
        let write = "printf %s \"$2\" > \"$1\" && chmod +x \"$1\"";
        let path = self.at("bin").join(name);
        let status = Command::new("sh").args(["-c", write, "sh"]).arg(path).arg(script).status();
        assert!(status.unwrap().success());
    }

    fn runs_of(&self, name: &str) -> String {
        self.at(&format!("runs-of-{name}")).display().to_string()
    }

    fn runs(&self, name: &str) -> usize {
        fs::read_to_string(self.runs_of(name)).map_or(0, |text| text.lines().count())
    }

    /// A Python whose package is in `package`, found through `folder`.
    fn python_with(&self, package: &Path) {
        let script = format!(
            "echo package={}\necho folder={}",
            package.display(),
            self.folder.path().join("bin").display()
        );
        self.program("python3", &script);
    }

    /// A pip that delivers the wheel.
    fn pip(&self, name: &str) {
        let wheel = self.at("made-up.whl").display().to_string();
        self.program(
            name,
            &format!(
                "while [ $# -gt 0 ]; do\n\
                 if [ \"$1\" = --dest ]; then sleep 0.2; cp {wheel} \"$2/onnxruntime.whl\"; fi\n\
                 shift\ndone"
            ),
        );
    }

    /// The names in the cache's folder of libraries.
    fn kept(&self) -> Vec<String> {
        let Ok(listing) = fs::read_dir(self.at("cache/onnxruntime")) else { return Vec::new() };
        let names = listing.map(|item| item.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

/// Writes a wheel and gives its pin.
fn pin(folder: &Path) -> Pin {
    let real = Target::LinuxX86_64.pin();
    let wheel = folder.join("made-up.whl");
    let mut archive = zip::ZipWriter::new(fs::File::create(&wheel).unwrap());
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    archive.start_file(real.member, stored).unwrap();
    archive.write_all(LIBRARY.as_bytes()).unwrap();
    archive.finish().unwrap();
    let library = folder.join("made-up-library");
    fs::write(&library, LIBRARY).unwrap();
    let hash = |path: &Path| -> &'static str { hash_of(path).unwrap().leak() };
    Pin { wheel_sha256: hash(&wheel), library_sha256: hash(&library), ..real }
}
