//! Control groups of our own: the limits of a box, enforced by the kernel.
//!
//! A group is made below the one that this process is in, in version 1 one in the hierarchy of the
//! memory controller and one in that of the CPU controller, in version 2 one with both. The process
//! to be confined enters by itself, before it becomes what is measured (see [`super::probe`]), so
//! that every page it touches is charged to the group. Whatever becomes of this process, a
//! [`Watcher`] outside the group ends what is in it and removes it.

mod counters;
mod place;
mod remains;
mod watcher;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

pub use self::place::{Place, Version};
pub use self::watcher::{WATCH_ARGUMENT, Watcher, watch};

use super::host::files::Files;
use crate::footprint::Counters;
use crate::units::{Bytes, Cpus};

/// The kernel's period for CPU quotas as container engines leave it, microseconds.
const PERIOD: u32 = 100_000;
/// The least quota that the kernel takes, microseconds.
const LEAST_QUOTA: f64 = 1000.0;

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
    /// Where it cannot be made, or a limit cannot be set.
    pub fn make(place: &Place, limits: Limits, watcher: &mut Watcher) -> Result<Self, GroupError> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
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
                    self.set_if_there(&self.memory, "memory.swap.max", "0")?;
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

    fn set(&self, directory: &Path, name: &str, value: &str) -> Result<(), GroupError> {
        let path = self.files.at(&directory.join(name));
        fs::write(&path, value).map_err(refused(&path, "set"))
    }

    fn set_if_there(&self, directory: &Path, name: &str, value: &str) -> Result<(), GroupError> {
        if self.files.at(&directory.join(name)).exists() {
            self.set(directory, name, value)
        } else {
            Ok(())
        }
    }

    /// Where a process enters, by writing to `cgroup.procs`.
    pub fn directories(&self) -> Vec<&Path> {
        if self.memory == self.cpu { vec![&self.memory] } else { vec![&self.memory, &self.cpu] }
    }

    /// What the kernel has counted so far; what this hierarchy does not offer is `None`.
    pub fn counters(&self) -> Counters {
        counters::read(&self.files, self.version, &self.memory, &self.cpu)
    }

    /// Anonymous and file bytes in the group now, where the kernel tells.
    pub fn sample(&self) -> Option<(Bytes, Bytes)> {
        counters::sample(&self.files, self.version, &self.memory)
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
