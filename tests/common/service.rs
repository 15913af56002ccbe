//! Services of known appetite, and what the tool says of them.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Place, Ran};

/// A free port, as far as anybody can know.
pub fn port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services/appetite.py")
}

/// The service's command with these options.
pub fn command(port: u16, options: &str) -> Vec<String> {
    let script = script().display().to_string();
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
