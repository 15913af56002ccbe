//! What tests of the program from outside share: a place of its own for every run, so that tests
//! need no order, see nothing of the user's and leave nothing behind.
#![allow(dead_code, reason = "every test file takes what it needs")]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

pub mod onnx;
pub mod service;

/// A cache with the library in it, found or installed as for any user and kept between test runs.
pub fn real_cache() -> &'static Path {
    static CACHE: OnceLock<PathBuf> = OnceLock::new();
    CACHE.get_or_init(|| {
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("real-cache");
        let installed = with_cache(&cache, &["runtime", "--install"]);
        assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
        cache
    })
}

/// Runs the program with the library of [`real_cache`].
pub fn real(arguments: &[&str]) -> Output {
    with_cache(real_cache(), arguments)
}

fn with_cache(cache: &Path, arguments: &[&str]) -> Output {
    Command::new(assert_cmd::cargo::cargo_bin!("mediscope-size"))
        .args(arguments)
        .env("MEDISCOPE_SIZE_CACHE", cache)
        .env_remove("ORT_DYLIB_PATH")
        .output()
        .unwrap()
}

/// The JSON answer of a run that must succeed.
pub fn real_json(arguments: &[&str]) -> Value {
    let output = real(&[arguments, &["--format", "json", "--quiet"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Planted costs that are measured in a blink.
pub const PLANTED: &str = "base=300M,buffer=20M,noise=0.001,seed=1,load_peak=320M";

/// Longer than anything here takes, on a machine that is busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A home, a cache and a folder for temporary files, all below one folder that goes with this.
pub struct Place {
    folder: TempDir,
}

/// How a run ended, as text.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; `None` after a signal.
    pub code: Option<i32>,
    /// The answer.
    pub stdout: String,
    /// Everything else.
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Place {
    /// An empty home and folder for temporary files, and no cache yet.
    pub fn new() -> Self {
        let place = Self { folder: TempDir::with_prefix("mediscope-size-test-").unwrap() };
        for folder in ["home", "tmp", "work"] {
            fs::create_dir(place.folder.path().join(folder)).unwrap();
        }
        place
    }

    /// The user's cache of this place.
    pub fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// Where a run puts temporary files.
    pub fn tmp(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }

    /// A file of the test's own, in the folder that runs start in.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    /// The program with these arguments, here.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(assert_cmd::cargo::cargo_bin!("mediscope-size"), arguments)
    }

    /// All folders of this place.
    pub fn folders(&self) -> Vec<PathBuf> {
        let below = ["home", "tmp", "work"].map(|name| self.folder.path().join(name));
        std::iter::once(self.folder.path().to_owned()).chain(below).collect()
    }

    /// Another program here, such as a copy of the program, or one that starts it.
    pub fn command_of(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        for name in ["ORT_DYLIB_PATH", "XDG_CACHE_HOME", "NO_COLOR", "CLICOLOR_FORCE", "COLUMNS"] {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .env("HOME", self.folder.path().join("home"))
            .env("TMPDIR", self.tmp())
            .env("MEDISCOPE_SIZE_CACHE", self.cache())
            .current_dir(self.folder.path().join("work"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().unwrap().into()
    }

    /// Runs it on planted costs.
    pub fn planted(&self, planted: &str, arguments: &[&str]) -> Ran {
        let asked = ["--synthetic", planted, "--ram", "1G", "--cpus", "1"];
        self.run(&[&asked, arguments].concat())
    }

    /// Every file below the cache, relative to it.
    pub fn kept(&self) -> Vec<PathBuf> {
        files_below(&self.cache())
    }

    /// That nothing was written anywhere.
    pub fn assert_untouched(&self, what: &str) {
        for folder in [self.cache(), self.tmp(), self.folder.path().join("home")] {
            assert_eq!(files_below(&folder), Vec::<PathBuf>::new(), "{what}: {}", folder.display());
        }
        assert!(!self.cache().exists(), "{what}: the cache was made");
    }
}

/// Every file below a folder, relative to it, sorted.
pub fn files_below(root: &Path) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        let Ok(listing) = fs::read_dir(folder) else { return };
        for entry in listing {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    walk(root, &mut found);
    let mut found: Vec<PathBuf> =
        found.iter().map(|f| f.strip_prefix(root).unwrap().to_owned()).collect();
    found.sort();
    found
}

/// That a run refused its input: exit code 2, one message with a reason, and nothing else.
pub fn assert_refused(ran: &Ran, what: &str) {
    assert_eq!(ran.code, Some(2), "{what}: {ran:?}");
    assert_eq!(ran.stdout, "", "{what}");
    if ran.stderr.starts_with('{') {
        let error: Value = serde_json::from_str(&ran.stderr).unwrap();
        assert!(error["error"]["message"].is_string(), "{what}: {error}");
    } else {
        assert_eq!(ran.stderr.matches("error:").count(), 1, "{what}: {}", ran.stderr);
        assert!(ran.stderr.starts_with("error: "), "{what}: {}", ran.stderr);
    }
    for noise in ["panicked", "stack backtrace", "RUST_BACKTRACE", "\u{1b}["] {
        assert!(!ran.stderr.contains(noise), "{what}: {}", ran.stderr);
    }
}

/// Looks again and again until there is something to see.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// The processes that this process started, and has not been left by.
pub fn children_of(pid: u32) -> Vec<u32> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else { continue };
        // A process may end while it is looked at.
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        // The name is in parentheses and may hold anything; the parent is the second after it.
        let parent = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1));
        if parent.and_then(|p| p.parse().ok()) == Some(pid) {
            children.push(child);
        }
    }
    children
}

/// Control groups of the tool's that a process made, wherever they are.
pub fn groups_of(pid: u32) -> Vec<PathBuf> {
    fn walk(folder: &Path, name: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|t| t.is_dir()) {
                if entry.file_name().to_string_lossy().starts_with(name) {
                    found.push(entry.path());
                }
                walk(&entry.path(), name, found);
            }
        }
    }
    let mut found = Vec::new();
    walk(Path::new("/sys/fs/cgroup"), &format!("mediscope-size.{pid}."), &mut found);
    found
}

/// Whether a process runs, and is not merely waiting to be reaped.
pub fn is_alive(pid: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    !stat.rsplit(") ").next().unwrap_or("Z").starts_with(['Z', 'X'])
}

/// Waits for the end of a run that was started.
pub fn finish(mut run: Child) -> Ran {
    let read = |stream: Option<Box<dyn Read + Send>>| {
        thread::spawn(move || {
            let mut text = String::new();
            stream.map(|mut s| s.read_to_string(&mut text).unwrap());
            text
        })
    };
    let stdout = read(run.stdout.take().map(|s| Box::new(s) as _));
    let stderr = read(run.stderr.take().map(|s| Box::new(s) as _));
    let status = wait_for("the end of the program", || run.try_wait().unwrap());
    Ran { code: status.code(), stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
}

/// A file system of its own, as long as this lives.
pub struct Tmpfs<'a>(&'a Path);

impl<'a> Tmpfs<'a> {
    /// Mounts one of 64 KiB there; `None` where that is not allowed.
    pub fn mount(folder: &'a Path) -> Option<Self> {
        fs::create_dir(folder).unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=64k,mode=700", "none"])
            .arg(folder)
            .stderr(Stdio::null());
        mount.status().is_ok_and(|s| s.success()).then_some(Self(folder))
    }
}

impl Drop for Tmpfs<'_> {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.0).status();
        assert!(unmounted.is_ok_and(|s| s.success()), "{} stays mounted", self.0.display());
    }
}
