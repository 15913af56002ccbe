//! What box is this: the RAM and the CPUs that a service started here would have.
//!
//! A container sees the whole machine in most files and is killed at a limit that stands in
//! others. So the limits of the control groups are read first, of every version and on every
//! level, then those of the host, and the lowest counts. Each number says which file gave it,
//! because "this box has 512 MiB" is believed only when it can be looked up.

pub mod cgroup;
mod conditions;
pub mod files;
mod limits;

use std::collections::BTreeSet;
use std::path::Path;

use sysinfo::{CpuRefreshKind, MemoryRefreshKind, System};

pub use self::conditions::{allocator, conditions};
pub use self::limits::{Found, HostNote, Room};

use self::cgroup::Groups;
use self::files::{Files, Process};
use self::limits::Reader;
use crate::units::{Bytes, Cpus};

/// The box that a process runs in.
#[derive(Debug, Clone, PartialEq)]
pub struct HostBox {
    /// The RAM at which it would be killed.
    pub ram: Found<Bytes>,
    /// The CPU time a second that it may use; fractional under a quota, never rounded.
    pub cpus: Found<Cpus>,
    /// The cores that it may run on: online, in its cpuset and in its affinity.
    pub cores: u32,
    /// The cores of the whole machine that are online, whoever may use them.
    pub online_cores: u32,
    /// The physical cores of the whole machine, which ONNX Runtime gives a thread each where it is
    /// not told otherwise; `None` where the system does not tell.
    pub physical_cores: Option<u16>,
    /// The name of the processor.
    pub cpu_model: String,
    /// The version of the kernel.
    pub kernel: String,
    /// The RAM of the whole machine.
    pub total_ram: Bytes,
    /// What the kernel could hand out now without swapping, in the limits of the control groups with
    /// what is in use in them; `None` where it does not say.
    pub available_ram: Option<Bytes>,
    /// What should be known beside the numbers.
    pub notes: Vec<HostNote>,
}

/// Why the box could not be found.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Nothing is known of this operating system.
    #[error(
        "the size of this machine cannot be read on this operating system: give --ram and --cpus"
    )]
    Unsupported,
    /// A number that every machine has could not be read.
    #[error("the {what} of this machine could not be read: give --ram and --cpus")]
    Unreadable {
        /// What is missing.
        what: &'static str,
    },
    /// The control groups of the process could not be read.
    #[error("the control groups of process {process} could not be read: {source}")]
    Groups {
        /// Its id, or `self`.
        process: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl HostBox {
    /// The box of this process.
    ///
    /// # Errors
    /// Where the RAM or the cores of the machine cannot be read.
    pub fn this() -> Result<Self, HostError> {
        Self::of(Process::This)
    }

    /// The box of a process, which may be in other groups than the one that asks.
    ///
    /// # Errors
    /// As [`HostBox::this`].
    pub fn of(process: Process) -> Result<Self, HostError> {
        Self::within(&Files::real(), process, Machine::read()?)
    }

    fn within(files: &Files, process: Process, machine: Machine) -> Result<Self, HostError> {
        let groups = Groups::of(files, process)
            .map_err(|source| HostError::Groups { process: process.to_string(), source })?;
        let mut reader = Reader::new(files);
        let ram = Found::new(machine.total_ram, machine.ram_from).lowest(reader.ram(&groups));
        let cores = usable_cores(&mut reader, &groups, process, machine.cores);
        let whole = u32::try_from(cores.value.len()).unwrap_or(u32::MAX);
        let whole_cpus =
            Cpus::new(f64::from(whole)).ok_or(HostError::Unreadable { what: "number of cores" })?;
        let cpus = Found::new(whole_cpus, cores.from).lowest(reader.quotas(&groups));
        let high = reader.high(&groups).filter(|high| high.value < ram.value);
        let free = rooms(files, &groups).first().map(Room::free);
        let available_ram = machine.available_ram.map(|ram| free.map_or(ram, |free| ram.min(free)));
        let mut notes = reader.notes;
        notes.extend(high.map(HostNote::SlowedAbove));
        Ok(Self {
            ram,
            cpus,
            cores: whole,
            online_cores: machine.cores,
            physical_cores: machine.physical_cores,
            cpu_model: machine.cpu_model,
            kernel: machine.kernel,
            total_ram: machine.total_ram,
            available_ram,
            notes,
        })
    }
}

/// What these groups and their ancestors leave of their limits, the tightest first.
pub fn rooms(files: &Files, groups: &Groups) -> Vec<Room> {
    let mut rooms = Reader::new(files).rooms(groups);
    rooms.sort_by_key(Room::free);
    rooms
}

/// The cores that are online, in the cpuset and in the affinity mask, named after the narrowest
/// of the three. A mask may list cores that the machine does not have, so they are intersected.
fn usable_cores(
    reader: &mut Reader,
    groups: &Groups,
    process: Process,
    counted: u32,
) -> Found<BTreeSet<u32>> {
    let online = reader.cpu_list(Path::new("/sys/devices/system/cpu/online"));
    // Where the list is hidden (or the system is not Linux) the cores are numbered without gaps.
    let mut cores = online.unwrap_or_else(|| Found::new((0..counted).collect(), "online cores"));
    let mut masks = reader.cpusets(groups);
    masks.extend(reader.affinity(&process.file("status")));
    for mask in masks {
        let both: BTreeSet<u32> = cores.value.intersection(&mask.value).copied().collect();
        // A mask without any of the cores is not about this machine: nothing could run.
        if !both.is_empty() && both.len() < cores.value.len() {
            cores = Found::new(both, mask.from);
        }
    }
    cores
}

/// What is true of the whole machine, whoever asks.
#[derive(Debug, Clone)]
struct Machine {
    total_ram: Bytes,
    ram_from: &'static str,
    available_ram: Option<Bytes>,
    cores: u32,
    physical_cores: Option<u16>,
    cpu_model: String,
    kernel: String,
}

impl Machine {
    /// Reads memory and the list of CPUs and nothing else: no processes, no frequencies.
    fn read() -> Result<Self, HostError> {
        let mut system = System::new().map_err(|_| HostError::Unsupported)?;
        system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        system.refresh_cpu_list(CpuRefreshKind::nothing());
        let total = known(system.total_memory()).ok_or(HostError::Unreadable { what: "RAM" })?;
        let cores = known(u64::try_from(system.cpus().len()).unwrap_or(0))
            .ok_or(HostError::Unreadable { what: "number of cores" })?;
        Ok(Self {
            total_ram: Bytes::new(total),
            ram_from: if cfg!(target_os = "linux") {
                "/proc/meminfo MemTotal"
            } else {
                "the operating system"
            },
            available_ram: known(system.available_memory()).map(Bytes::new),
            cores: u32::try_from(cores).unwrap_or(u32::MAX),
            physical_cores: System::physical_core_count().ok().and_then(|n| u16::try_from(n).ok()),
            cpu_model: cpu_model(&system),
            kernel: System::kernel_version().unwrap_or_else(|_| "unknown".to_owned()),
        })
    }
}

/// sysinfo answers 0 where it could not read.
fn known(value: u64) -> Option<u64> {
    (value != 0).then_some(value)
}

/// Some machines (virtual ones, ARM boards) give no name: the architecture is better than
/// nothing.
fn cpu_model(system: &System) -> String {
    let name = system.cpus().first().map_or("", |cpu| cpu.brand().trim());
    if name.is_empty() { format!("unknown {} CPU", System::cpu_arch()) } else { name.to_owned() }
}

#[cfg(test)]
mod tests;
