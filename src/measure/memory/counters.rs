//! The kernel's counters of CPU time: texts in, numbers out.
//!
//! Ticks are hundredths of a second almost everywhere, and all counters start with the machine
//! or with the process: only differences mean something.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::measure::host::files::{Files, Process};

/// The first lines of `/proc/stat`, in ticks since the machine started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ticks {
    pub(super) busy: u64,
    pub(super) stolen: u64,
    pub(super) idle: u64,
    pub(super) cpus: u64,
}

/// How often and how long a group waited for its quota since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Throttling {
    pub(super) periods: u64,
    pub(super) nanoseconds: u64,
}

/// What `/proc/<pid>/stat` says of a process and its place among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Relative {
    /// Its parent's id.
    pub parent: u32,
    /// CPU time of its own, in ticks.
    pub ticks: u64,
    /// CPU time of children that ended and were waited for, in ticks.
    pub ticks_of_children: u64,
    /// It has ended, and nobody has waited for it yet.
    pub has_ended: bool,
    /// When it started, in ticks since the machine did.
    pub started: u64,
}

/// All processes that are listed.
pub fn relatives(files: &Files) -> Vec<(u32, Relative)> {
    let entries = fs::read_dir(files.at(Path::new("/proc"))).into_iter().flatten();
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|id| Some((id, relative_of(files, id)?)))
        .collect()
}

/// The children of a process, as each of its threads lists them (`CONFIG_PROC_CHILDREN`); empty
/// where there are none, or the kernel does not tell.
pub fn children(id: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|t| fs::read_to_string(t.path().join("children")).ok());
    lists
        .flat_map(|list| {
            list.split_whitespace().map_while(|id| id.parse().ok()).collect::<Vec<_>>()
        })
        .collect()
}

/// Whether the kernel tells the children of a process.
pub fn lists_children() -> bool {
    Path::new("/proc/thread-self/children").exists()
}

/// A process and all that descend from it.
fn descendants(all: &[(u32, Relative)], root: u32) -> Vec<u32> {
    let mut children = BTreeMap::<u32, Vec<u32>>::new();
    for (id, relative) in all.iter().filter(|(id, _)| *id != root) {
        children.entry(relative.parent).or_default().push(*id);
    }
    let mut found = vec![root];
    let mut next = 0;
    while let Some(parent) = found.get(next) {
        // Ids are reused while the files are read, so that a circle is not impossible: nobody's
        // children are taken twice.
        found.extend(children.remove(parent).unwrap_or_default());
        next += 1;
    }
    found
}

/// A process and all that descend from it and have not ended; empty where it has.
pub fn family(root: u32) -> Vec<u32> {
    let all = relatives(&Files::real());
    let alive = all.iter().filter(|(_, relative)| !relative.has_ended).map(|(id, _)| *id);
    let alive: BTreeSet<u32> = alive.collect();
    if !alive.contains(&root) {
        return Vec::new();
    }
    descendants(&all, root).into_iter().filter(|id| alive.contains(id)).collect()
}

/// What descends from a process, looked for again and again, as fast as can be: whoever starts a
/// process and ends at once, again and again, is found only while it lives.
#[derive(Debug)]
pub struct Descent {
    root: u32,
    /// Those that do not descend from it: their files are not read again, but for now and then.
    strangers: BTreeSet<u32>,
    looks: u32,
}

impl Descent {
    /// Looks in which strangers are not read again.
    const QUICK_LOOKS: u32 = 16;

    /// Of a process that is the parent of whatever is left by its descendants.
    pub fn of(root: u32) -> Self {
        Self { root, strangers: BTreeSet::new(), looks: 0 }
    }

    /// Those that are there now, without the process itself; also those that have ended, if nobody has
    /// waited for them.
    pub fn look(&mut self) -> BTreeSet<u32> {
        // Ids are reused, and a process may be read when its parent is not there any more.
        if self.looks.is_multiple_of(Self::QUICK_LOOKS) {
            self.strangers.clear();
        }
        self.looks += 1;
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let unknown: Vec<(u32, Relative)> = ids
            .filter(|id| !self.strangers.contains(id))
            .filter_map(|id| Some((id, relative_of(&Files::real(), id)?)))
            .collect();
        let found: BTreeSet<u32> = descendants(&unknown, self.root).into_iter().skip(1).collect();
        self.strangers.extend(unknown.iter().map(|(id, _)| *id).filter(|id| !found.contains(id)));
        found
    }
}

fn relative_of(files: &Files, id: u32) -> Option<Relative> {
    parse_relative(&files.read(&Process::Id(id).file("stat")).ok().flatten()?)
}

/// The ticks of a process and of all that descend from it. A child that ends adds its ticks to
/// its parent's when it is waited for, so nothing is lost between two readings. `None` where the
/// process itself is not listed.
pub(super) fn own_ticks(files: &Files, own: u32) -> Option<u64> {
    let all = relatives(files);
    all.iter().find(|(id, _)| *id == own)?;
    let ours = descendants(&all, own);
    let ticks = |r: &Relative| r.ticks + r.ticks_of_children;
    Some(all.iter().filter(|(id, _)| ours.contains(id)).map(|(_, r)| ticks(r)).sum())
}

/// Fields as in proc(5): user nice system idle iowait irq softirq steal; a guest's time is
/// already in user's.
pub(super) fn parse_ticks(text: &str) -> Option<Ticks> {
    let total = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let fields: Vec<u64> = total.split_whitespace().map_while(|n| n.parse().ok()).collect();
    let [user, nice, system, idle, iowait, irq, softirq, stolen, ..] = fields[..] else {
        return None;
    };
    let numbered = |line: &&str| {
        line.strip_prefix("cpu").is_some_and(|l| l.starts_with(|c: char| c.is_ascii_digit()))
    };
    Some(Ticks {
        busy: sum([user, nice, system, irq, softirq])?,
        stolen,
        idle: sum([idle, iowait])?,
        cpus: u64::try_from(text.lines().filter(numbered).count()).ok()?.max(1),
    })
}

/// The name in parentheses may itself hold spaces and parentheses, so counting starts behind
/// the last one.
fn parse_relative(text: &str) -> Option<Relative> {
    let (_, fields) = text.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Relative {
        parent: u32::try_from(number(1)?).ok()?,
        ticks: sum([number(11)?, number(12)?])?,
        ticks_of_children: sum([number(13)?, number(14)?])?,
        has_ended: matches!(fields.first(), Some(&("Z" | "X"))),
        started: number(19)?,
    })
}

/// Microseconds in version 2, nanoseconds in version 1; absent without the cpu controller.
pub(super) fn parse_throttling(text: &str) -> Option<Throttling> {
    let number = |name: &str| {
        let line = text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' '))?;
        line.trim().parse::<u64>().ok()
    };
    Some(Throttling {
        periods: number("nr_throttled")?,
        nanoseconds: number("throttled_time")
            .or_else(|| number("throttled_usec")?.checked_mul(1000))?,
    })
}

/// `None` where the numbers are too large to be counters.
fn sum<const N: usize>(numbers: [u64; N]) -> Option<u64> {
    numbers.into_iter().try_fold(0, u64::checked_add)
}

/// The average of the last minute.
pub(super) fn parse_load(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.parse().ok().filter(|load: &f64| load.is_finite())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    const STAT: &str = "cpu  1000 10 200 5000 40 5 15 30 7 0
cpu0 500 5 100 2500 20 3 7 15 0 0
cpu1 500 5 100 2500 20 2 8 15 0 0
intr 1 2 3\n";

    #[test]
    fn the_kernels_lines_are_read() {
        let ticks = Ticks { busy: 1230, stolen: 30, idle: 5040, cpus: 2 };
        assert_eq!(parse_ticks(STAT), Some(ticks));
        for wrong in [
            "",
            "cpu 1 2 3",
            "cpu  a b c d e f g h",
            "cpu0 1 2 3 4 5 6 7 8",
            "cpu  18446744073709551615 1 1 1 1 1 1 1",
        ] {
            assert_eq!(parse_ticks(wrong), None, "{wrong}");
        }
        let line = "42 (a) b (c) S 7 1 1 0 -1 0 9 9 9 9 100 20 3 4 20 0 1 0 55 1 1";
        let (ticks, has_ended) = (120, false);
        let relative = Relative { parent: 7, ticks, ticks_of_children: 7, has_ended, started: 55 };
        assert_eq!(parse_relative(line), Some(relative));
        for wrong in ["", "42 (a S 7", "42 (a) S 7 1", "42 (a) S x 1 1 0 -1 0 9 9 9 9 1 2 3 4"] {
            assert_eq!(parse_relative(wrong), None, "{wrong}");
        }
        assert_eq!(parse_load("0.06 0.20 0.21 1/84 8301\n"), Some(0.06));
        assert_eq!(parse_load("nan 0 0"), None);
    }

    #[test]
    fn both_versions_of_throttling_are_read() {
        let v1 = "nr_periods 9\nnr_throttled 3\nthrottled_time 250000000\nnr_bursts 0\n";
        let v2 = "usage_usec 1\nnr_periods 9\nnr_throttled 3\nthrottled_usec 250000\n";
        let both = Some(Throttling { periods: 3, nanoseconds: 250_000_000 });
        assert_eq!((parse_throttling(v1), parse_throttling(v2)), (both, both));
        for wrong in ["", "usage_usec 5\n", "nr_throttled 3\n", "nr_throttled x\nthrottled_usec 1"]
        {
            assert_eq!(parse_throttling(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_child_is_listed_by_its_parent() {
        let mut child = std::process::Command::new("sleep").arg("9").spawn().unwrap();
        if lists_children() {
            assert!(children(std::process::id()).contains(&child.id()));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn descendants_are_ours() {
        let root = tempfile::tempdir().unwrap();
        let stat = |id: u32, parent: u32, ticks: u32| {
            let directory = root.path().join(format!("proc/{id}"));
            fs::create_dir_all(&directory).unwrap();
            let line = format!("{id} (x) S {parent} 1 1 0 -1 0 0 0 0 0 {ticks} 0 0 0 20 0 1 0 0\n");
            fs::write(directory.join("stat"), line).unwrap();
        };
        for (id, parent, ticks) in
            [(1, 0, 1000), (10, 1, 1), (11, 10, 20), (12, 11, 300), (13, 1, 4000)]
        {
            stat(id, parent, ticks);
        }
        assert_eq!(own_ticks(&Files::below(root.path()), 10), Some(321));
        assert_eq!(own_ticks(&Files::below(root.path()), 99), None);
        stat(10, 12, 1);
        assert_eq!(own_ticks(&Files::below(root.path()), 10), Some(321), "a circle ends");
    }

    /// Other tests run at the same time, but as threads of this process.
    #[test]
    fn a_busy_child_of_ours_counts_as_ours() {
        let script = "i=0; while [ $i -lt 1000000 ]; do i=$((i+1)); done";
        let ticks = || own_ticks(&Files::real(), std::process::id()).unwrap();
        let before = ticks();
        let mut child = std::process::Command::new("sh").args(["-c", script]).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while ticks() < before + 5 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        let running = ticks();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(running >= before + 5, "{before} ticks before, {running} while the child ran");
        assert!(ticks() >= running, "ticks were lost with the child");
    }
}
