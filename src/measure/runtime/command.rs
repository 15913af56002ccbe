//! Running another program with a time limit, and an eye on whether the user wants to stop.
//!
//! Programs that are asked here start others (a shim starts Python, Python starts pip's helpers).
//! Each runs in a process group of its own, so that all of them end when one is given up, and a
//! Ctrl-C on the terminal reaches this program only, which then ends them in order.

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::measure::{ending, threads};

/// How often a running program is looked at.
const POLL: Duration = Duration::from_millis(20);
/// Looks between two calls of the caller's tick.
const POLLS_PER_TICK: u32 = 10;
/// A program that is asked to end has this long to tidy up.
const GRACE: Duration = Duration::from_secs(1);
/// What a program printed is read at most this long after its end: a grandchild may hold the pipe.
const REST: Duration = Duration::from_millis(500);
/// No answer is longer than this many bytes.
const MOST_OUTPUT: u64 = 1 << 20;

/// How a program ended.
#[derive(Debug)]
pub(in crate::measure) enum Ran {
    /// With success; what it printed.
    Well(String),
    /// Without; its error output, else its output, else its exit status.
    Badly(String),
    /// It is not there or cannot be started.
    NotStarted(String),
    /// It took too long.
    TimedOut,
    /// The user asked for an end.
    Interrupted,
}

/// Runs `command` to its end, calling `tick` about five times a second.
pub(in crate::measure) fn run(
    command: &mut Command,
    limit: Duration,
    interrupt: &AtomicBool,
    tick: &dyn Fn(),
) -> Ran {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ran::NotStarted(error.to_string()),
    };
    // Both streams are read while it runs, or a full pipe would stop it.
    let (stdout, stderr) = match (read(child.stdout.take()), read(child.stderr.take())) {
        (Ok(stdout), Ok(stderr)) => (stdout, stderr),
        (Err(error), _) | (_, Err(error)) => {
            end(&mut child);
            return Ran::NotStarted(error.to_string());
        }
    };
    match wait(&mut child, limit, interrupt, tick) {
        Some(status) if status.success() => Ran::Well(text(&stdout)),
        _ if interrupt.load(Ordering::Relaxed) => Ran::Interrupted,
        Some(status) => {
            let said = [text(&stderr), text(&stdout)].into_iter().find(|t| !t.trim().is_empty());
            Ran::Badly(said.unwrap_or_else(|| status.to_string()))
        }
        None => Ran::TimedOut,
    }
}

/// `None` where the program was ended from here.
fn wait(
    child: &mut Child,
    limit: Duration,
    interrupt: &AtomicBool,
    tick: &dyn Fn(),
) -> Option<ExitStatus> {
    let begun = Instant::now();
    for poll in 1_u32.. {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if begun.elapsed() > limit || interrupt.load(Ordering::Relaxed) {
            break;
        }
        if poll % POLLS_PER_TICK == 0 {
            tick();
        }
        thread::sleep(POLL);
    }
    end(child);
    None
}

/// Asks the program and all that it started to end, so that they tidy up; then ends them.
fn end(child: &mut Child) {
    let group = Pid::from_child(child);
    // Those that cannot be signalled have just ended.
    let _ = kill_process_group(group, Signal::INT);
    let _ = ending::wait(child, GRACE);
    // Whether or not the first of them has ended: others may be left.
    let _ = kill_process_group(group, Signal::KILL);
    ending::kill(child);
}

fn read(stream: Option<impl Read + Send + 'static>) -> std::io::Result<Receiver<Vec<u8>>> {
    let (send, receive) = channel();
    if let Some(stream) = stream {
        threads::start("output", move || {
            let mut stream = stream.take(MOST_OUTPUT);
            let mut buffer = vec![0; 8 << 10];
            // What was read before an error is what there is to tell.
            while let Ok(n @ 1..) = stream.read(&mut buffer) {
                if send.send(buffer[..n].to_vec()).is_err() {
                    break;
                }
            }
        })?;
    }
    Ok(receive)
}

fn text(pieces: &Receiver<Vec<u8>>) -> String {
    let until = Instant::now() + REST;
    let mut all = Vec::new();
    while let Ok(piece) = pieces.recv_timeout(until.saturating_duration_since(Instant::now())) {
        all.extend(piece);
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// The last two lines that say something.
pub(in crate::measure) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty() && !l.starts_with("[notice]"))
        .collect();
    lines[lines.len().saturating_sub(2)..].join(" / ")
}

/// The first of `names` on `path`. Folders that are not absolute are passed over: a program of
/// that name in the folder where the tool happens to be run is not the user's.
pub(in crate::measure) fn on_path(path: Option<&OsString>, names: &[&str]) -> Option<PathBuf> {
    let folders: Vec<PathBuf> =
        std::env::split_paths(path?).filter(|folder| folder.is_absolute()).collect();
    names.iter().find_map(|name| folders.iter().map(|f| f.join(name)).find(|p| is_program(p)))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}
