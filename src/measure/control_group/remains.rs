//! The names of our groups, and how they go: now, when their maker ends, or at the next run.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::measure::host::files::{Files, Process};

const PREFIX: &str = "mediscope-size.";

/// How long a group may take to become empty after its processes were killed.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(5);

/// A name that says whose the group is: the id of the process and when it started, since ids come
/// again.
pub(super) fn name(pid: u32, number: u32) -> String {
    let started = started(&Files::real(), pid).unwrap_or_default();
    format!("{PREFIX}{pid}.{started}.{number}")
}

/// When a process started, in ticks since the machine did (field 22 of proc(5)'s `stat`).
fn started(files: &Files, pid: u32) -> Option<u64> {
    let text = files.read(&Process::Id(pid).file("stat")).ok().flatten()?;
    let (_, fields) = text.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let is_over = fields.first().is_some_and(|state| matches!(*state, "Z" | "X"));
    if is_over { None } else { fields.get(19)?.parse().ok() }
}

/// Whether a directory with this name is a group of ours whose maker is gone.
fn is_stale(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX) else { return false };
    let mut numbers = rest.split('.').map(str::parse::<u64>);
    let (Some(Ok(pid)), Some(Ok(begun)), Some(Ok(_)), None) =
        (numbers.next(), numbers.next(), numbers.next(), numbers.next())
    else {
        return false;
    };
    let Ok(pid) = u32::try_from(pid) else { return false };
    started(&Files::real(), pid) != Some(begun)
}

/// Removes the groups below `directory` whose makers are gone.
pub(super) fn sweep(files: &Files, directory: &Path) {
    let Ok(entries) = fs::read_dir(files.at(directory)) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(is_stale) {
            remove(&entry.path());
        }
    }
}

/// Ends what is in a group and removes it; gives up after a while, silently, as there is nobody
/// left who could do more.
pub(super) fn remove(path: &Path) {
    let begun = Instant::now();
    loop {
        if fs::remove_dir(path).is_ok() || !path.exists() || begun.elapsed() > PATIENCE {
            return;
        }
        // At once in version 2, where the file exists.
        if path.join("cgroup.kill").exists() {
            let _ = fs::write(path.join("cgroup.kill"), "1");
        }
        let inside = fs::read_to_string(path.join("cgroup.procs")).unwrap_or_default();
        for pid in inside.lines().filter_map(|l| Pid::from_raw(l.parse().ok()?)) {
            if pid.as_raw_nonzero().get().unsigned_abs() != std::process::id() {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_stale_when_its_maker_is_gone_and_only_ours_are() {
        let own = name(std::process::id(), 3);
        assert!(!is_stale(&own), "{own}");
        let mut parts: Vec<&str> = own.split('.').collect();
        parts[2] = "1";
        assert!(is_stale(&parts.join(".")), "the id is used again");
        assert!(is_stale("mediscope-size.4194305.77.0"), "no such process");
        for other in ["docker", "mediscope-size", "mediscope-size.x.1.2", "mediscope-size.1.2.3.4"]
        {
            assert!(!is_stale(other), "{other}");
        }
    }
}
