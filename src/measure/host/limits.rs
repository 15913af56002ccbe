//! The limits that control groups set, each with the file that said so.
//!
//! By hand, and not by sysinfo: its limits are for memory only and do not say which file they
//! come from, and one file that cannot be read on the way up leaves it without any answer. CPU
//! quotas it does not read at all.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use super::cgroup::Groups;
use super::files::Files;
use crate::units::{Bytes, Cpus};

/// A value and what it was read from, such as `/sys/fs/cgroup/app.slice/memory.max` or
/// `/proc/meminfo MemTotal`.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<T> {
    /// The value.
    pub value: T,
    /// The file, and after a space the line of it where it has several.
    pub from: String,
}

impl<T: PartialOrd> Found<T> {
    /// A value with its origin.
    pub fn new(value: T, from: impl Into<String>) -> Self {
        Self { value, from: from.into() }
    }

    /// The lowest of these; the first of several equal ones, so that a limit which does not bind
    /// is not named.
    #[must_use]
    pub fn lowest(self, others: impl IntoIterator<Item = Self>) -> Self {
        others.into_iter().fold(self, |low, next| if next.value < low.value { next } else { low })
    }
}

/// What a control group is limited to, and how much of it is used.
#[derive(Debug, Clone, PartialEq)]
pub struct Room {
    /// Of the group and all that is in it.
    pub limit: Found<Bytes>,
    /// What cannot be dropped of what the kernel has charged it.
    pub used: Bytes,
}

impl Room {
    /// What is left.
    pub fn free(&self) -> Bytes {
        self.limit.value.saturating_sub(self.used)
    }
}

/// What a reader of the box should know beside its numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum HostNote {
    /// A file with a limit is there and says nothing that can be used.
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why, or what it holds.
        why: String,
    },
    /// The kernel slows the group down before its limit kills it.
    SlowedAbove(Found<Bytes>),
}

impl fmt::Display for HostNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { file, why } => write!(
                f,
                "{} could not be used ({why}): a limit in it is not counted; give --ram and --cpus to be sure",
                file.display()
            ),
            Self::SlowedAbove(high) => write!(
                f,
                "the kernel throttles this group above {} ({}), below its limit: requests slow down there; plan for that size with --ram",
                high.value, high.from
            ),
        }
    }
}

/// A file's text could not be understood.
struct Garbled;

/// Reads limits and collects what could not be read.
pub(super) struct Reader<'a> {
    files: &'a Files,
    pub(super) notes: Vec<HostNote>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(files: &'a Files) -> Self {
        Self { files, notes: Vec::new() }
    }

    /// The RAM limits of these groups and their ancestors.
    pub(super) fn ram(&mut self, groups: &Groups) -> Vec<Found<Bytes>> {
        let mut found = self.each(&groups.unified, "memory.max", memory_limit);
        found.extend(self.each(&groups.memory, "memory.limit_in_bytes", memory_limit));
        // In a container the ancestors are out of sight, but version 1 states their minimum.
        found.extend(groups.memory.first().and_then(|own| self.hierarchical(own)));
        found
    }

    fn hierarchical(&mut self, group: &Path) -> Option<Found<Bytes>> {
        let found = self.value(&group.join("memory.stat"), hierarchical_limit)?;
        Some(Found { from: format!("{} hierarchical_memory_limit", found.from), ..found })
    }

    /// What these groups and their ancestors leave of their limits, where they have any.
    pub(super) fn rooms(&mut self, groups: &Groups) -> Vec<Room> {
        let mut found = Vec::new();
        for directory in &groups.unified {
            let limits = ["memory.max", "memory.high"]
                .map(|name| self.value(&directory.join(name), memory_limit));
            found.extend(self.room(directory, limits, "memory.current", ""));
        }
        for directory in &groups.memory {
            let own = self.value(&directory.join("memory.limit_in_bytes"), memory_limit);
            let lowest = self.hierarchical(directory);
            found.extend(self.room(directory, [own, lowest], "memory.usage_in_bytes", "total_"));
        }
        found
    }

    /// What the lower one of two limits of a group leaves. Pages of files that nobody needs at once can
    /// be dropped, and count as free.
    fn room(
        &mut self,
        group: &Path,
        limits: [Option<Found<Bytes>>; 2],
        usage: &str,
        prefix: &str,
    ) -> Option<Room> {
        let mut limits = limits.into_iter().flatten();
        let limit = limits.next().map(|first| first.lowest(limits))?;
        let charged = self.value(&group.join(usage), memory_limit)?.value;
        let stat = self.files.read(&group.join("memory.stat")).ok().flatten().unwrap_or_default();
        let number = |name: &str| {
            let name = format!("{prefix}{name} ");
            stat.lines().find_map(|l| l.strip_prefix(&name)?.trim().parse().ok()).unwrap_or(0)
        };
        let droppable =
            ["inactive_file", "active_file", "slab_reclaimable"].map(number).into_iter().sum();
        Some(Room { used: charged.saturating_sub(Bytes::new(droppable)), limit })
    }

    /// The lowest `memory.high`: above it the kernel reclaims and throttles, but does not kill,
    /// so it is not a limit of the box.
    pub(super) fn high(&mut self, groups: &Groups) -> Option<Found<Bytes>> {
        let mut found = self.each(&groups.unified, "memory.high", memory_limit).into_iter();
        found.next().map(|first| first.lowest(found))
    }

    /// The CPU quotas of these groups and their ancestors, as fractions of a CPU.
    pub(super) fn quotas(&mut self, groups: &Groups) -> Vec<Found<Cpus>> {
        let mut found = self.each(&groups.unified, "cpu.max", cpu_max);
        for directory in &groups.cpu {
            let quota = self.value(&directory.join("cpu.cfs_quota_us"), legacy_quota);
            let period = self.value(&directory.join("cpu.cfs_period_us"), period);
            if let (Some(quota), Some(period)) = (quota, period)
                && let Some(cpus) = share(quota.value, period.value)
            {
                found.push(Found::new(cpus, quota.from));
            }
        }
        found
    }

    /// The CPUs that the own groups may run on. Ancestors are already counted in.
    pub(super) fn cpusets(&mut self, groups: &Groups) -> Vec<Found<BTreeSet<u32>>> {
        let unified = groups.unified.first().map(|d| d.join("cpuset.cpus.effective"));
        let legacy = groups.cpuset.first().map(|d| d.join("cpuset.effective_cpus"));
        [unified, legacy].into_iter().flatten().filter_map(|f| self.cpu_list(&f)).collect()
    }

    /// The CPUs listed in a file that holds nothing else.
    pub(super) fn cpu_list(&mut self, file: &Path) -> Option<Found<BTreeSet<u32>>> {
        self.value(file, cpu_list)
    }

    /// The CPUs that the scheduler lets the process with this status file run on.
    pub(super) fn affinity(&mut self, status: &Path) -> Option<Found<BTreeSet<u32>>> {
        let found = self.value(status, |text| {
            let line = text.lines().find_map(|l| l.strip_prefix("Cpus_allowed_list:"));
            line.map_or(Ok(None), cpu_list)
        })?;
        Some(Found { from: format!("{} Cpus_allowed_list", found.from), ..found })
    }

    fn each<T: PartialOrd>(
        &mut self,
        directories: &[PathBuf],
        name: &str,
        parse: fn(&str) -> Result<Option<T>, Garbled>,
    ) -> Vec<Found<T>> {
        directories.iter().filter_map(|d| self.value(&d.join(name), parse)).collect()
    }

    /// `None` where there is no file, where it sets no limit, and, with a note, where it cannot
    /// be understood.
    fn value<T: PartialOrd>(
        &mut self,
        file: &Path,
        parse: impl Fn(&str) -> Result<Option<T>, Garbled>,
    ) -> Option<Found<T>> {
        let why = match self.files.read(file) {
            Ok(None) => return None,
            Ok(Some(text)) => match parse(&text) {
                Ok(value) => return value.map(|v| Found::new(v, file.display().to_string())),
                Err(Garbled) => {
                    format!("it holds `{}`", text.trim().chars().take(40).collect::<String>())
                }
            },
            Err(error) => error.to_string(),
        };
        self.notes.push(HostNote::Unreadable { file: file.to_owned(), why });
        None
    }
}

/// Version 1 writes "no limit" as the largest multiple of the page size below 2^63, which
/// depends on the page size; no machine has 2^60 bytes.
const NO_LIMIT: u64 = 1 << 60;

fn memory_limit(text: &str) -> Result<Option<Bytes>, Garbled> {
    match text.trim() {
        "max" => Ok(None),
        number => {
            let bytes = number.parse::<u64>().map_err(|_| Garbled)?;
            Ok((bytes < NO_LIMIT).then(|| Bytes::new(bytes)))
        }
    }
}

fn hierarchical_limit(text: &str) -> Result<Option<Bytes>, Garbled> {
    let line = text.lines().find_map(|l| l.strip_prefix("hierarchical_memory_limit "));
    line.map_or(Ok(None), memory_limit)
}

/// `max 100000` or `130000 100000`; the period may be left out, and is 100 ms then.
fn cpu_max(text: &str) -> Result<Option<Cpus>, Garbled> {
    let mut fields = text.split_whitespace();
    let quota = fields.next().ok_or(Garbled)?;
    let period = period(fields.next().unwrap_or("100000"))?.ok_or(Garbled)?;
    if quota == "max" {
        return Ok(None);
    }
    Ok(share(microseconds(quota)?, period))
}

/// Microseconds; -1 is no quota.
fn legacy_quota(text: &str) -> Result<Option<u32>, Garbled> {
    match text.trim() {
        "-1" => Ok(None),
        number => microseconds(number).map(Some),
    }
}

/// Microseconds, above 0.
fn period(text: &str) -> Result<Option<u32>, Garbled> {
    match microseconds(text.trim())? {
        0 => Err(Garbled),
        period => Ok(Some(period)),
    }
}

/// A quota that does not fit is more than any machine can spend, as is the largest that does.
fn microseconds(text: &str) -> Result<u32, Garbled> {
    let number = text.parse::<u64>().map_err(|_| Garbled)?;
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

/// The kernel takes 1 ms in 1 s, a tenth of the smallest number of CPUs that can be planned
/// for: such a quota is taken for that smallest one. At the other end no quota binds.
fn share(quota: u32, period: u32) -> Option<Cpus> {
    Cpus::new((f64::from(quota) / f64::from(period)).clamp(Cpus::MIN, Cpus::MAX))
}

/// `0-3,7`. Empty is no restriction: a version 1 group that has not been set up.
fn cpu_list(text: &str) -> Result<Option<BTreeSet<u32>>, Garbled> {
    // No kernel is built for more CPUs; a garbled range must not fill the memory.
    const MOST: u32 = 1 << 16;
    let mut cpus = BTreeSet::new();
    for part in text.trim().split(',').filter(|p| !p.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let first = first.parse::<u32>().map_err(|_| Garbled)?;
        let last = last.parse::<u32>().map_err(|_| Garbled)?;
        if first > last || last >= MOST {
            return Err(Garbled);
        }
        cpus.extend(first..=last);
    }
    Ok((!cpus.is_empty()).then_some(cpus))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_limits_are_read_and_no_limit_is_none() {
        assert!(matches!(memory_limit("536870912\n"), Ok(Some(b)) if b == Bytes::mib(512)));
        for none in ["max\n", "9223372036854771712", "9223372036854710272", "18446744073709551615"]
        {
            assert!(matches!(memory_limit(none), Ok(None)), "{none}");
        }
        for wrong in ["", "512M", "-1", "1 2", "18446744073709551616"] {
            assert!(memory_limit(wrong).is_err(), "{wrong}");
        }
        assert!(
            matches!(hierarchical_limit("cache 1\nhierarchical_memory_limit 4096\n"), Ok(Some(b)) if b == Bytes::new(4096))
        );
        assert!(matches!(hierarchical_limit("cache 1\n"), Ok(None)));
    }

    #[test]
    fn quotas_stay_fractional() {
        let cpus = |text| cpu_max(text).ok().flatten().map(Cpus::get);
        assert_eq!(cpus("130000 100000\n"), Some(1.3));
        assert_eq!(cpus("50000"), Some(0.5));
        assert_eq!(cpus("1000 1000000"), Some(0.01));
        assert_eq!(cpus("99999999999 1000"), Some(Cpus::MAX));
        assert!(matches!(cpu_max("max 100000\n"), Ok(None)));
        for wrong in ["", "max 0", "x 100000", "1000 0", "-1 100000", "1.5 100000"] {
            assert!(cpu_max(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn cpu_lists_are_read() {
        let cpus = |text| cpu_list(text).ok().flatten().map(|c| c.into_iter().collect::<Vec<_>>());
        assert_eq!(cpus("0-2,7\n"), Some(vec![0, 1, 2, 7]));
        assert_eq!(cpus("\t5"), Some(vec![5]));
        assert!(matches!(cpu_list("\n"), Ok(None)));
        for wrong in ["a", "3-1", "0-", "0-4294967295", "1,,x"] {
            assert!(cpu_list(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_first_of_equal_values_is_named() {
        let low = Found::new(2, "a").lowest([Found::new(3, "b"), Found::new(2, "c")]);
        assert_eq!((low.value, low.from.as_str()), (2, "a"));
    }
}
