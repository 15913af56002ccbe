//! Running another program with a time limit, and an eye on whether the user wants to stop.

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// How often a running program is looked at.
const POLL: Duration = Duration::from_millis(20);

/// A program that has ended may have left another one behind that holds its output open.
const OUTPUT_LIMIT: Duration = Duration::from_secs(2);

/// Longer messages hide what they say.
const MESSAGE_CHARS: usize = 300;

/// Ends the message of a pip that did not reach its index.
pub(super) const NETWORK_FAILED: &str = " (the network failed)";

/// How a program ended.
#[derive(Debug)]
pub(super) enum Ran {
    /// With success; what it printed.
    Well(Vec<u8>),
    /// Without; what its error output says, in a line.
    Badly(String),
    /// It is not there or cannot be started.
    NotStarted(String),
    /// It took too long.
    TimedOut,
    /// The user asked for an end.
    Interrupted,
}

/// Runs `command` to its end. Its output is not shown.
pub(super) fn run(command: &mut Command, limit: Duration, interrupt: &AtomicBool) -> Ran {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ran::NotStarted(error.to_string()),
    };
    // Both streams are read while it runs, or a full pipe would stop it.
    let stdout = read(child.stdout.take());
    let stderr = read(child.stderr.take());
    let text = |from: &Receiver<Vec<u8>>| from.recv_timeout(OUTPUT_LIMIT).unwrap_or_default();
    match wait(&mut child, limit, interrupt) {
        Ok(status) if status.success() => Ran::Well(text(&stdout)),
        Ok(status) => {
            let said = message(&String::from_utf8_lossy(&text(&stderr)));
            Ran::Badly(if said.is_empty() { status.to_string() } else { said })
        }
        Err(ended) => ended,
    }
}

fn wait(child: &mut Child, limit: Duration, interrupt: &AtomicBool) -> Result<ExitStatus, Ran> {
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) => {}
            Err(error) => return Err(Ran::NotStarted(error.to_string())),
        }
        let stop = interrupt.load(Ordering::Relaxed);
        if stop || begun.elapsed() > limit {
            // If it cannot be killed it has just ended.
            let _ = child.kill();
            let _ = child.wait();
            return Err(if stop { Ran::Interrupted } else { Ran::TimedOut });
        }
        thread::sleep(POLL);
    }
}

fn read(stream: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut text = Vec::new();
        // What was read before an error is what there is to tell.
        let _ = stream.map(|mut s| s.read_to_end(&mut text));
        // Nobody waits for the output of a program that was stopped.
        let _ = send.send(text);
    });
    receive
}

/// The line that tells why: uv's comes first and its causes follow, the others end with it.
fn message(stderr: &str) -> String {
    let is_noise = |l: &str| l.is_empty() || l.starts_with("[notice]");
    let lines: Vec<&str> = stderr.lines().map(str::trim).filter(|l| !is_noise(l)).collect();
    let Some(last) = lines.last() else { return String::new() };
    let mut text = match lines.iter().find(|l| l.starts_with("error: ")) {
        Some(first) if first != last => format!("{first} / {last}"),
        _ => (*last).to_owned(),
    };
    if let Some((end, _)) = text.char_indices().nth(MESSAGE_CHARS) {
        text.truncate(end);
        text.push_str(" …");
    }
    // What pip says last does not tell that it reached nobody.
    if lines.iter().any(|l| l.contains("Retrying (")) {
        text.push_str(NETWORK_FAILED);
    }
    text
}

/// The program of this name on `path`, absolute: it may be started in another folder.
pub(super) fn on_path(path: Option<&OsString>, name: &str) -> Option<PathBuf> {
    let mut programs = std::env::split_paths(path?).map(|folder| folder.join(name));
    std::path::absolute(programs.find(|p| is_program(p))?).ok()
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}
