//! The processes of a service, and what they hold together.
//!
//! Workers come and go, so the tree is looked at again and again. Each page counts once: what
//! processes share after a fork is divided among them by the kernel (`smaps_rollup`).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

use super::LiveError;
use crate::footprint::Level;
use crate::measure::host::files::{Files, Process};
use crate::measure::memory::{self, MemoryError, Touched, family, relatives};
use crate::units::{Bytes, Seconds};

/// Where the processes are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// These processes and all that descend from them.
    Processes(Vec<u32>),
    /// All processes of a control group and of those below it.
    Group(PathBuf),
    /// All that descends from the supervisor of a service that this process has started (see
    /// [`crate::measure::supervisor`]), which is no part of it.
    Started(u32),
}

/// What one process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub id: u32,
    /// All of its resident pages now.
    pub resident: Bytes,
    /// The most since the last reset.
    pub high_water: Bytes,
}

/// All of them at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// Each page once.
    pub level: Level,
    /// The processes.
    pub members: Vec<Member>,
    /// Page tables and kernel stacks.
    pub kernel: Bytes,
    /// Of the level, shared memory that is mapped.
    pub shmem: Bytes,
    /// Of the level, what no process has mapped: files in a tmpfs, buffers of sockets, other kernel
    /// memory. 0 where no control group tells.
    pub unmapped: Bytes,
    /// Of that, kernel memory that may be a cache which the kernel drops when memory is short.
    pub droppable: Bytes,
}

impl Standing {
    /// Anonymous and shared memory that nobody can drop for certain: what growth is told from.
    pub fn lasting(&self) -> Bytes {
        self.level.anon_bytes.saturating_sub(self.droppable)
    }

    /// Now and what was above it since the last reset: what goes up and down is a process's own.
    pub fn peak(&self) -> Level {
        let above: Bytes =
            self.members.iter().map(|m| m.high_water.saturating_sub(m.resident)).sum();
        Level { anon_bytes: self.level.anon_bytes + above, ..self.level }
    }
}

impl Root {
    /// Whether what was named is there at all.
    ///
    /// # Errors
    /// Where it is not.
    pub fn check(&self) -> Result<(), LiveError> {
        match self {
            Self::Group(path) if !path.join("cgroup.procs").is_file() => {
                return Err(LiveError::NoGroup(path.clone()));
            }
            Self::Processes(ids) => {
                if let Some(gone) = ids.iter().find(|id| family(**id).is_empty()) {
                    return Err(LiveError::NoProcess(*gone));
                }
            }
            _ => {}
        }
        self.ids().map(|_| ())
    }

    /// The ids of the processes that are there now.
    ///
    /// # Errors
    /// Where none is.
    pub fn ids(&self) -> Result<Vec<u32>, LiveError> {
        match self {
            Self::Processes(first) => {
                let mut ids = others(first.iter().flat_map(|id| family(*id)).collect());
                ids.sort_unstable();
                ids.dedup();
                let gone = || LiveError::Gone(first.first().copied().unwrap_or_default());
                if ids.is_empty() { Err(gone()) } else { Ok(ids) }
            }
            Self::Group(path) => {
                let ids = others(ids_below(path));
                if ids.is_empty() { Err(LiveError::EmptyGroup(path.clone())) } else { Ok(ids) }
            }
            Self::Started(supervisor) => {
                let mut ids = family(*supervisor);
                ids.retain(|id| id != supervisor);
                if ids.is_empty() { Err(LiveError::Gone(*supervisor)) } else { Ok(ids) }
            }
        }
    }

    /// The same as [`Root::ids`], found from those that were `known` a moment ago without reading
    /// all processes of the machine: what has come in between is a child of one of them.
    pub fn ids_from(&self, known: &[u32]) -> Vec<u32> {
        if let Self::Group(path) = self {
            return others(ids_below(path));
        }
        let mut ids: Vec<u32> = known.to_vec();
        if let Self::Started(supervisor) = self {
            // Those whose parent has ended come to it.
            let orphans = memory::children(*supervisor).into_iter();
            ids.extend(orphans.filter(|id| !known.contains(id)));
        }
        let mut next = 0;
        while let Some(parent) = ids.get(next).copied() {
            let own = std::process::id();
            let new = memory::children(parent).into_iter().filter(|id| *id != own);
            let new: Vec<u32> = new.filter(|id| !ids.contains(id)).collect();
            ids.extend(new);
            next += 1;
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// What they hold now. A process that ends meanwhile holds nothing.
    ///
    /// # Errors
    /// Where none is left, or the kernel does not tell.
    pub fn standing(&self) -> Result<Standing, LiveError> {
        let mut standing = Standing::default();
        let ids = self.ids()?;
        let mut largest_file = Bytes::ZERO;
        for id in &ids {
            let process = Process::Id(*id);
            let (resident, pss) = match memory::resident_of(process)
                .and_then(|resident| Ok((resident, memory::proportional(process)?)))
            {
                Ok(both) => both,
                Err(MemoryError::Ended(_)) => continue,
                Err(error) => return Err(forbidden(*id, error)),
            };
            let own = resident.anon + resident.shmem;
            largest_file = largest_file.max(resident.file);
            // Alone, nothing is shared within the service, and the counters are exact.
            standing.level.anon_bytes +=
                if ids.len() == 1 { own } else { pss.pss_anon + pss.pss_shmem };
            standing.shmem += if ids.len() == 1 { resident.shmem } else { pss.pss_shmem };
            standing.level.file_bytes += pss.pss_file;
            standing.kernel += memory::kernel_share(&resident);
            standing.members.push(Member {
                id: *id,
                resident: resident.total,
                high_water: resident.high_water,
            });
        }
        if standing.members.is_empty() {
            return Err(LiveError::Gone(ids[0]));
        }
        // What others map too counts in part only, so the sum is a lower bound, as is what one of
        // them maps.
        standing.level.file_bytes = standing.level.file_bytes.max(largest_file);
        Ok(standing)
    }

    /// Forgets what the processes have touched of their files; false where the kernel does not let us.
    pub fn forget_touched(&self) -> bool {
        let Ok(ids) = self.ids() else { return false };
        ids.into_iter().all(|id| memory::forget_touched(Process::Id(id)).is_ok())
    }

    /// File pages that they have touched since, each counted once; `None` where that is not known.
    pub fn touched(&self) -> Option<Bytes> {
        let mut all = Touched::default();
        for id in self.ids().ok()? {
            all.merge(memory::touched(Process::Id(id)).ok()?);
        }
        Some(all.total())
    }

    /// Starts new high-water marks; false where the kernel does not let us.
    pub fn reset_marks(&self) -> bool {
        let Ok(ids) = self.ids() else { return false };
        let reset = |id: u32| fs::write(Process::Id(id).file("clear_refs"), "5").is_ok();
        // One that ends meanwhile needs no mark.
        ids.into_iter().all(|id| reset(id) || memory::resident_of(Process::Id(id)).is_err())
    }
}

/// The CPU time of the processes, those that ended and were waited for included.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CpuClock {
    /// Of each that is there.
    pub each: BTreeMap<u32, f64>,
    /// Of children that are gone.
    pub gone: f64,
}

impl CpuClock {
    /// Reads the clocks of the processes with these ids.
    pub fn read(ids: &[u32]) -> Self {
        let relatives = relatives(&Files::real());
        let mut clock = Self::default();
        for id in ids {
            if let Some(seconds) = process_clock(*id) {
                clock.each.insert(*id, seconds);
            }
            if let Some((_, relative)) = relatives.iter().find(|(other, _)| other == id) {
                clock.gone += ticks(relative.ticks_of_children);
            }
        }
        clock
    }

    /// The time that passed on all of them since `before`.
    pub fn since(&self, before: &Self) -> Seconds {
        let each: f64 = self
            .each
            .iter()
            .map(|(id, now)| now - before.each.get(id).copied().unwrap_or(0.0))
            .sum();
        // A child that ended since takes its time along to its parent.
        let taken: f64 = before
            .each
            .iter()
            .filter(|(id, _)| !self.each.contains_key(id))
            .map(|(_, seconds)| seconds)
            .sum();
        let gone = (self.gone - before.gone - taken).max(0.0);
        Seconds::new(each + gone)
    }

    /// By how much the clock of each has moved, of those whose clocks did.
    pub fn moved(&self, before: &Self) -> BTreeMap<u32, f64> {
        let moved =
            |(id, now): (&u32, &f64)| (*id, now - before.each.get(id).copied().unwrap_or(0.0));
        self.each.iter().map(moved).filter(|(_, time)| *time > 0.0).collect()
    }
}

/// Nanoseconds exact, and readable for any process (`clock_getcpuclockid(3)`).
fn process_clock(id: u32) -> Option<f64> {
    let pid = Pid::from_raw(i32::try_from(id).ok()?);
    let clock = ClockId::pid_cpu_clock_id(pid).ok()?;
    let time = clock_gettime(clock).ok()?;
    #[expect(clippy::cast_precision_loss, reason = "exact to the nanosecond for a hundred days")]
    let seconds = time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9;
    Some(seconds)
}

#[expect(clippy::cast_precision_loss, reason = "a time")]
fn ticks(ticks: u64) -> f64 {
    ticks as f64 / rustix::param::clock_ticks_per_second().max(1) as f64
}

/// Without this process and what it has started: it may run in the same container, or below the
/// shell that is measured.
fn others(ids: Vec<u32>) -> Vec<u32> {
    if !ids.contains(&std::process::id()) {
        return ids;
    }
    let own = family(std::process::id());
    ids.into_iter().filter(|id| !own.contains(id)).collect()
}

/// The processes of a group and of those below it.
fn ids_below(group: &Path) -> Vec<u32> {
    let own = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    let mut ids: Vec<u32> = own.lines().filter_map(|line| line.trim().parse().ok()).collect();
    let below = fs::read_dir(group).into_iter().flatten().flatten();
    for entry in below.filter(|e| e.file_type().is_ok_and(|t| t.is_dir())) {
        ids.extend(ids_below(&entry.path()));
    }
    ids
}

/// An error of a reading, where the reason may be that it is not ours.
fn forbidden(id: u32, error: MemoryError) -> LiveError {
    match error {
        MemoryError::Io { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
            LiveError::Forbidden(id)
        }
        other => LiveError::Memory(other),
    }
}
