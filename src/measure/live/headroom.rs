//! RAM that a measurement leaves alone: a service that keeps what it gets must not fill the machine.

use std::path::PathBuf;

use super::LiveError;
use crate::measure::control_group::Meter;
use crate::measure::host::cgroup::Groups;
use crate::measure::host::files::{Files, Process};
use crate::units::Bytes;

/// Of the RAM that was free, what stays so, whatever the service takes.
const LEFT_ALONE: f64 = 0.2;
/// Of it, what requests may leave behind.
const LEFT_BEHIND: f64 = 0.25;

/// The RAM of this machine, and of the control groups that this process is in.
#[derive(Debug)]
pub struct Headroom {
    groups: Vec<(PathBuf, Meter)>,
    first: Bytes,
}

impl Headroom {
    /// What is free now; `None` where the kernel does not tell.
    pub fn new() -> Option<Self> {
        let groups = Groups::of(&Files::real(), Process::This).unwrap_or_default();
        let directories = groups.memory.into_iter().chain(groups.unified);
        let groups = directories.filter_map(|d| Meter::of(&d).map(|meter| (d, meter))).collect();
        let mut headroom = Self { groups, first: Bytes::ZERO };
        headroom.first = headroom.free()?;
        Some(headroom)
    }

    /// What is free: of the machine, and below the limit of each group, where cached files make room.
    fn free(&self) -> Option<Bytes> {
        let text = Files::real().read(std::path::Path::new("/proc/meminfo")).ok().flatten()?;
        let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
        let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
        let of_groups = self.groups.iter().filter_map(|(directory, meter)| {
            let number = |name: &str| -> Option<u64> {
                std::fs::read_to_string(directory.join(name)).ok()?.trim().parse().ok()
            };
            let limit = number("memory.max").or_else(|| number("memory.limit_in_bytes"))?;
            Some(Bytes::new(limit).saturating_sub(meter.charge()?.fixed()))
        });
        of_groups.chain([Bytes::new(kib << 10)]).min()
    }

    /// Whether enough is left to go on.
    ///
    /// # Errors
    /// Where it is not.
    pub fn check(&self) -> Result<(), LiveError> {
        let least = Bytes::from_f64(self.first.as_f64() * LEFT_ALONE);
        match self.free() {
            Some(free) if free < least => Err(LiveError::NoRoom(free)),
            _ => Ok(()),
        }
    }

    /// The most that requests may leave behind.
    pub fn for_remains(&self) -> Bytes {
        Bytes::from_f64(self.first.as_f64() * LEFT_BEHIND)
    }
}
