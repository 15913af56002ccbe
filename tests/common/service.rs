//! Services of known appetite, and what the tool says of them.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Place, Ran};

/// A free port, as far as anybody can know: none of those from which the kernel takes the near ends of
/// connections, and in another process of tests another.
pub fn port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 600).unwrap() * 20;
    loop {
        let port = 20_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// The service's command with these options.
pub fn command(port: u16, options: &str) -> Vec<String> {
    let script = tests_service("appetite.py");
    let start = ["python3", &script, "--port"].map(str::to_owned);
    let port = std::iter::once(port.to_string());
    start.into_iter().chain(port).chain(options.split_whitespace().map(str::to_owned)).collect()
}

/// A service that this test has started, and that ends with it.
pub struct Service {
    pub child: Child,
    pub port: u16,
}

impl Service {
    pub fn start(options: &str) -> Self {
        let port = port();
        let command = command(port, options);
        let mut child = Command::new(&command[0])
            .args(&command[1..])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("listening"), "{line}");
        Self { child, port }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/work", self.port)
    }

    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let id = self.child.id().to_string();
        let _ = Command::new("kill").arg(&id).status();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(3) {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn measure(place: &Place, options: &[&str]) -> Ran {
    place.run(&[&["measure", "--quiet"], options].concat())
}

/// The footprint as JSON of a service that is started with these options.
pub fn spawned(place: &Place, options: &str, more: &[&str]) -> Value {
    let port = port();
    let url = format!("http://127.0.0.1:{port}/work");
    let command = command(port, options);
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let start = ["--url", &url, "--format", "json"];
    let ran = measure(place, &[&start[..], more, &["--"], &words].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

pub fn number(value: &Value, pointer: &str) -> f64 {
    value.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer}: {value}"))
}

pub const MIB: f64 = (1 << 20) as f64;

pub fn topology(value: &Value) -> &str {
    value.pointer("/environment/settings/topology").and_then(Value::as_str).unwrap()
}

/// A container engine in small, which starts services for those who ask it; see
/// `tests/services/engine.py`. It ends with this, and all that it has started.
pub struct Engine {
    child: Child,
    socket: PathBuf,
}

impl Engine {
    /// With these options, its socket in this folder.
    pub fn start(folder: &Path, options: &[&str]) -> Self {
        let socket = folder.join("engine.sock");
        let mut child = Command::new("python3")
            .arg(tests_service("engine.py"))
            .arg("daemon")
            .arg(&socket)
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Self { child, socket }
    }

    /// The command that asks it to run this one.
    pub fn runs(&self, options: &[&str], command: &[String]) -> Vec<String> {
        let (engine, socket) = (tests_service("engine.py"), self.socket.display().to_string());
        let asked = ["python3".to_owned(), engine, "run".to_owned(), socket];
        let options = options.iter().map(|option| (*option).to_owned());
        asked.into_iter().chain(options).chain(command.iter().cloned()).collect()
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// The path of a service that tests use.
pub fn tests_service(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services").join(name).display().to_string()
}

/// A control group of the memory controller that a test may put others below; `None` where none can be
/// made here. It goes with this.
pub struct Group(pub PathBuf);

impl Group {
    pub fn make(name: &str) -> Option<Self> {
        let version_1 = Path::new("/sys/fs/cgroup/memory");
        let root = if version_1.is_dir() { version_1 } else { Path::new("/sys/fs/cgroup") };
        let path = root.join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir(&path).ok()?;
        Some(Self(path))
    }
}

impl Drop for Group {
    /// A group is empty a moment after its last process was ended.
    fn drop(&mut self) {
        let begun = Instant::now();
        while self.0.exists() && begun.elapsed() < Duration::from_secs(3) {
            for below in std::fs::read_dir(&self.0).into_iter().flatten().flatten() {
                let _ = std::fs::remove_dir(below.path());
            }
            let _ = std::fs::remove_dir(&self.0);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
