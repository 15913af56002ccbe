//! Running another program with a time limit, and an eye on whether the user wants to stop.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How a program ended.
#[derive(Debug)]
pub(super) enum Ran {
    /// With success; what it printed.
    Well(String),
    /// Without; the last lines of its error output.
    Badly(String),
    /// It is not there or cannot be started.
    NotStarted(String),
    /// It took too long.
    TimedOut,
    /// The user asked for an end.
    Interrupted,
}

/// Runs `command` to its end.
pub(super) fn run(command: &mut Command, limit: Duration, interrupt: &AtomicBool) -> Ran {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ran::NotStarted(error.to_string()),
    };
    // Both streams are read while it runs, or a full pipe would stop it.
    let read = |stream: Option<Box<dyn Read + Send>>| {
        thread::spawn(move || {
            let mut text = Vec::new();
            // What was read before an error is what there is to tell.
            let _ = stream.map(|mut s| s.read_to_end(&mut text));
            String::from_utf8_lossy(&text).into_owned()
        })
    };
    let stdout = read(child.stdout.take().map(|s| Box::new(s) as _));
    let stderr = read(child.stderr.take().map(|s| Box::new(s) as _));
    let begun = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if begun.elapsed() > limit || interrupt.load(Ordering::Relaxed) => {
                // If it cannot be killed it has just ended.
                let _ = child.kill();
                let _ = child.wait();
                return if interrupt.load(Ordering::Relaxed) {
                    Ran::Interrupted
                } else {
                    Ran::TimedOut
                };
            }
            Ok(None) => thread::sleep(Duration::from_millis(20)),
            Err(error) => return Ran::NotStarted(error.to_string()),
        }
    };
    if status.success() {
        Ran::Well(stdout.join().unwrap_or_default())
    } else {
        Ran::Badly(last_lines(&stderr.join().unwrap_or_default()))
    }
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty() && !l.starts_with("[notice]"))
        .collect();
    lines[lines.len().saturating_sub(2)..].join(" / ")
}

/// The first of `names` on `path`.
pub(super) fn on_path(path: Option<&OsString>, names: &[&str]) -> Option<PathBuf> {
    let folders: Vec<PathBuf> = std::env::split_paths(path?).collect();
    names.iter().find_map(|name| folders.iter().map(|f| f.join(name)).find(|p| is_program(p)))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}
