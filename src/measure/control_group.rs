//! Control groups of our own: the limits of a box, enforced by the kernel.
//!
//! A group is made below the one that this process is in, in version 1 one in the hierarchy of the
//! memory controller and one in that of the CPU controller, in version 2 one with both. The process
//! to be confined enters by itself, before it becomes what is measured (see [`super::probe`]), so
//! that every page it touches is charged to the group. Whatever becomes of this process, a
//! [`Watcher`] outside the group ends what is in it and removes it.

mod charge;
mod counters;
mod place;
mod remains;
mod watcher;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

pub use self::charge::{Charge, Meter};
pub use self::place::{Place, Version};
pub use self::watcher::{WATCH_ARGUMENT, Watcher, watch};

use super::host::files::Files;
use super::host::{Found, Room};
use crate::footprint::Counters;
use crate::units::{Bytes, Cpus};

/// The kernel's period for CPU quotas as container engines leave it, microseconds.
const PERIOD: u32 = 100_000;
/// The least quota that the kernel takes, microseconds.
const LEAST_QUOTA: f64 = 1000.0;

/// The largest pages of any machine that this runs on, bytes.
const PAGE: u64 = 64 << 10;

/// What a group may use.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Limits {
    /// RAM, kernel memory included and without swap; `None` for no limit.
    pub ram: Option<Bytes>,
    /// CPUs, as a quota; `None` for no limit.
    pub cpus: Option<Cpus>,
}

/// Why a box cannot be made here.
#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    /// No control groups, or not the controllers that are needed.
    #[error("no control group with the {0} controller is visible here")]
    NoController(&'static str),
    /// The kernel or the owner of the groups does not allow it.
    #[error("{path} cannot be {what}: {source}")]
    Refused {
        /// The file or directory.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Version 2: the own group holds processes, and may then have none below it with controllers.
    #[error(
        "{0} holds other processes, and control groups of version 2 allow no limits below such a group"
    )]
    Inhabited(PathBuf),
    /// What is above it allows less.
    #[error("a limit of {ram} could not be tried: {} allows {}", limit.from, limit.value)]
    Capped {
        /// What was asked for.
        ram: Bytes,
        /// The least of the limits above it.
        limit: Found<Bytes>,
    },
    /// What is above it does not have so much left.
    #[error(
        "a limit of {ram} could not be tried: of the {} that {} allows, {} are in use",
        room.limit.value, room.limit.from, room.used
    )]
    Crowded {
        /// What was asked for.
        ram: Bytes,
        /// What is left there.
        room: Room,
    },
    /// The kernel took something else, or what took it is not the kernel.
    #[error("{path} is {found} after {asked} was written: limits are not enforced here")]
    NotTaken {
        /// The file.
        path: PathBuf,
        /// What was written.
        asked: String,
        /// What it says.
        found: String,
    },
    /// Version 2 without the accounting of swap.
    #[error("this machine swaps, and its kernel cannot tell a control group not to")]
    Swaps,
    /// The watcher could not be started.
    #[error("the process that cleans up cannot be started: {0}")]
    Watcher(io::Error),
}

fn refused(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> GroupError {
    move |source| GroupError::Refused { path: path.to_owned(), what, source }
}

/// A group with limits, empty at first. Dropping it ends what is in it and removes it.
#[derive(Debug)]
pub struct ControlGroup {
    files: Files,
    version: Version,
    memory: PathBuf,
    cpu: PathBuf,
}

impl ControlGroup {
    /// Makes a group with these limits. The watcher is told before anything is there to be left.
    ///
    /// # Errors
    /// Where it cannot be made, a limit cannot be set, or would not be what decides.
    pub fn make(place: &Place, limits: Limits, watcher: &mut Watcher) -> Result<Self, GroupError> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        limits.ram.map_or(Ok(()), |ram| place.has_room(ram))?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = remains::name(number);
        let group = Self {
            files: place.files.clone(),
            version: place.version,
            memory: place.memory.join(&name),
            cpu: place.cpu.join(&name),
        };
        for directory in group.directories() {
            let path = group.files.at(directory);
            watcher.guard(&path).map_err(GroupError::Watcher)?;
            fs::create_dir(&path).map_err(refused(&path, "made"))?;
        }
        group.limit(limits)?;
        Ok(group)
    }

    fn limit(&self, limits: Limits) -> Result<(), GroupError> {
        if let Some(ram) = limits.ram {
            let ram = ram.get().to_string();
            match self.version {
                Version::One => {
                    self.set(&self.memory, "memory.swappiness", "0")?;
                    self.set(&self.memory, "memory.limit_in_bytes", &ram)?;
                    // Memory and swap together, where the kernel counts swap: no more than memory.
                    self.set_if_there(&self.memory, "memory.memsw.limit_in_bytes", &ram)?;
                }
                Version::Two => {
                    self.set(&self.memory, "memory.max", &ram)?;
                    let can_swap = !self.set_if_there(&self.memory, "memory.swap.max", "0")?;
                    if can_swap && self.is_swapping() {
                        return Err(GroupError::Swaps);
                    }
                }
            }
        }
        if let Some(cpus) = limits.cpus {
            let quota = (cpus.get() * f64::from(PERIOD)).max(LEAST_QUOTA).round();
            match self.version {
                Version::One => {
                    self.set(&self.cpu, "cpu.cfs_period_us", &PERIOD.to_string())?;
                    self.set(&self.cpu, "cpu.cfs_quota_us", &quota.to_string())?;
                }
                Version::Two => self.set(&self.cpu, "cpu.max", &format!("{quota} {PERIOD}"))?,
            }
        }
        Ok(())
    }

    /// Sets a limit and reads it again: a file system that only looks like the kernel's, and a kernel that
    /// has its own idea of a limit, take any value.
    fn set(&self, directory: &Path, name: &str, value: &str) -> Result<(), GroupError> {
        let file = directory.join(name);
        let path = self.files.at(&file);
        fs::write(&path, value).map_err(refused(&path, "set"))?;
        let found = self.files.read(&file).map_err(refused(&path, "read"))?.unwrap_or_default();
        let found = found.trim();
        // Bytes are rounded down to pages.
        let is_taken = match (value.parse::<u64>(), found.parse::<u64>()) {
            (Ok(asked), Ok(found)) => found <= asked && asked - found < PAGE,
            _ => value == found,
        };
        if is_taken {
            return Ok(());
        }
        Err(GroupError::NotTaken { path, asked: value.to_owned(), found: found.to_owned() })
    }

    /// The same where there is such a file; says whether there is.
    fn set_if_there(&self, directory: &Path, name: &str, value: &str) -> Result<bool, GroupError> {
        let is_there = self.files.at(&directory.join(name)).exists();
        if is_there {
            self.set(directory, name, value)?;
        }
        Ok(is_there)
    }

    /// Whether this machine has swap: `/proc/swaps` has a line for each, below its head.
    fn is_swapping(&self) -> bool {
        let swaps = self.files.read(Path::new("/proc/swaps")).ok().flatten();
        swaps.is_some_and(|text| text.lines().count() > 1)
    }

    /// Where a process enters, by writing to `cgroup.procs`.
    pub fn directories(&self) -> Vec<&Path> {
        if self.memory == self.cpu { vec![&self.memory] } else { vec![&self.memory, &self.cpu] }
    }

    /// What the kernel has counted so far; what this hierarchy does not offer is `None`.
    pub fn counters(&self) -> Counters {
        counters::read(&self.files, self.version, &self.memory, &self.cpu)
    }

    /// What the kernel charges it now, where the kernel tells.
    pub fn charge(&self) -> Option<Charge> {
        counters::charge(&self.files, self.version, &self.memory)
    }

    /// Its meter. The group is this tool's own, so its high-water mark may be reset.
    pub fn meter(&self) -> Meter {
        Meter::new(self.files.clone(), self.version, self.memory.clone(), true)
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        // What cannot be removed now, the watcher removes when this process ends.
        for directory in self.directories() {
            remains::remove(&self.files.at(directory));
        }
    }
}

#[cfg(test)]
mod tests;
