//! The names of our groups, and how they go: now, when their maker ends, or at the next run.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::measure::host::files::{Files, Process};

const PREFIX: &str = "mediscope-size.";

/// How long a group may take to become empty after its processes were killed.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(2);

/// The PID namespace of the machine itself, in which every process is seen (`PROC_PID_INIT_INO` of
/// `include/linux/proc_ns.h`).
const OUTERMOST: u64 = 0xEFFF_FFFC;

/// Who made a group. The id of a process means something only in its PID namespace, and is used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Maker {
    /// The id of the process.
    pid: u32,
    /// When it started, in ticks since the machine did.
    started: u64,
    /// Its PID namespace, as the inode of `/proc/<pid>/ns/pid`; 0 where that is not known.
    namespace: u64,
}

impl Maker {
    fn this() -> Self {
        Self {
            pid: std::process::id(),
            started: started(Process::This).unwrap_or_default(),
            namespace: namespace(Process::This).unwrap_or_default(),
        }
    }

    fn of(group: &str) -> Option<Self> {
        let mut numbers = group.strip_prefix(PREFIX)?.split('.').map(|n| n.parse::<u64>().ok());
        let mut next = || numbers.next().flatten();
        let (pid, started, namespace, _) = (next()?, next()?, next()?, next()?);
        let maker = Self { pid: u32::try_from(pid).ok()?, started, namespace };
        numbers.next().is_none().then_some(maker)
    }

    /// Whether it is certainly gone.
    fn is_gone(self) -> bool {
        // Where /proc is that of another namespace, ids in it are of others.
        let sees_itself = fs::read_link("/proc/self")
            .is_ok_and(|id| id == Path::new(&std::process::id().to_string()));
        match namespace(Process::This) {
            Some(own) if !sees_itself || self.namespace == 0 || own == 0 => false,
            Some(own) if own == self.namespace => {
                started(Process::Id(self.pid)) != Some(self.started)
            }
            // Others are hidden from here, but for one that is not there any more.
            Some(OUTERMOST) => !is_inhabited(self.namespace),
            _ => false,
        }
    }
}

/// A name that says whose the group is.
pub(super) fn name(number: u32) -> String {
    let Maker { pid, started, namespace } = Maker::this();
    format!("{PREFIX}{pid}.{started}.{namespace}.{number}")
}

/// When a process started, in ticks since the machine did (field 22 of proc(5)'s `stat`).
fn started(process: Process) -> Option<u64> {
    let text = Files::real().read(&process.file("stat")).ok().flatten()?;
    let (_, fields) = text.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let is_over = fields.first().is_some_and(|state| matches!(*state, "Z" | "X"));
    if is_over { None } else { fields.get(19)?.parse().ok() }
}

fn namespace(process: Process) -> Option<u64> {
    Some(fs::metadata(process.file("ns/pid")).ok()?.ino())
}

/// Whether a process is in a PID namespace below this one, or may be.
fn is_inhabited(wanted: u64) -> bool {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|e| e.file_name().to_str()?.parse().ok());
    ids.map(Process::Id).any(|process| match namespace(process) {
        Some(found) => found == wanted,
        // It has ended, or nobody may look; but all may see whether it has an id in another one.
        None => Files::real().read(&process.file("status")).ok().flatten().is_some_and(|text| {
            let ids = text.lines().find_map(|line| line.strip_prefix("NSpid:"));
            ids.is_none_or(|ids| ids.split_whitespace().count() > 1)
        }),
    })
}

/// Removes the groups below `directory` whose makers are gone.
pub(super) fn sweep(files: &Files, directory: &Path) {
    let Ok(entries) = fs::read_dir(files.at(directory)) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_str().and_then(Maker::of).is_some_and(Maker::is_gone) {
            remove(&entry.path());
        }
    }
}

/// Ends what is in a group and in those below it and removes them; gives up after a while, silently,
/// as there is nobody left who could do more.
pub(super) fn remove(path: &Path) {
    let begun = Instant::now();
    loop {
        let groups = below(path);
        // Those below first.
        for group in groups.iter().rev() {
            let _ = fs::remove_dir(group);
        }
        if !path.exists() || begun.elapsed() > PATIENCE {
            return;
        }
        for group in &groups {
            end(group);
        }
        thread::sleep(LOOK);
    }
}

/// A group and all below it, each before those that are below it.
fn below(path: &Path) -> Vec<PathBuf> {
    let mut found = vec![path.to_owned()];
    let mut next = 0;
    while let Some(group) = found.get(next) {
        let entries = fs::read_dir(group).into_iter().flatten().flatten();
        let groups = entries.filter(|e| e.file_type().is_ok_and(|kind| kind.is_dir()));
        let groups: Vec<PathBuf> = groups.map(|entry| entry.path()).collect();
        found.extend(groups);
        next += 1;
    }
    found
}

/// Ends what is in this very group.
fn end(group: &Path) {
    // Version 2: all at once, or at least without new ones meanwhile.
    let all_at_once = ["cgroup.kill", "cgroup.freeze"].map(|name| group.join(name));
    let _ = all_at_once.iter().find(|file| file.exists() && fs::write(file, "1").is_ok());
    let inside = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    for pid in inside.lines().filter_map(|l| Pid::from_raw(l.parse().ok()?)) {
        if pid.as_raw_nonzero().get().unsigned_abs() != std::process::id() {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The name of a group of another maker.
    fn other(change: impl FnOnce(&mut Maker)) -> String {
        let mut maker = Maker::this();
        change(&mut maker);
        let Maker { pid, started, namespace } = maker;
        format!("{PREFIX}{pid}.{started}.{namespace}.0")
    }

    #[test]
    fn a_group_is_stale_when_its_maker_is_gone_and_only_ours_are() {
        let is_stale = |name: &str| Maker::of(name).is_some_and(Maker::is_gone);
        assert_eq!(Maker::of(&name(3)), Some(Maker::this()));
        assert!(!is_stale(&name(3)));
        assert!(is_stale(&other(|maker| maker.started = 1)), "the id is used again");
        assert!(is_stale(&other(|maker| maker.pid = 4_194_305)), "no such process");
        assert!(!is_stale(&other(|maker| maker.namespace = 0)), "not known where");
        for other in ["docker", "mediscope-size", "mediscope-size.x.1.2.3", "mediscope-size.1.2.3"]
        {
            assert_eq!(Maker::of(other), None, "{other}");
        }
        assert_eq!(Maker::of("mediscope-size.1.2.3.4.5"), None);
    }
}
