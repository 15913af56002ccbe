//! What a service takes: what its processes have mapped, and what its control group is charged
//! besides, such as files in a tmpfs.

use std::path::{Path, PathBuf};

use super::tree::{Root, Standing};
use super::watch::Sampled;
use super::{LiveError, owner};
use crate::footprint::{Level, PeaksBy};
use crate::measure::control_group::{Charge, ControlGroup, Meter};
use crate::units::Bytes;

/// A service whose memory is read.
#[derive(Debug)]
pub struct Usage {
    /// Its processes.
    pub root: Root,
    meter: Option<Meter>,
}

impl Usage {
    /// Of a service in a group of its own that this tool has made, else in one that holds it and nothing
    /// else, if it is in such a one.
    pub fn new(root: Root, group: Option<&ControlGroup>) -> Self {
        let meter = match group {
            Some(group) => Some(group.meter()),
            None => {
                group_of(&root).filter(|group| is_alone(&root, group)).and_then(|g| Meter::of(&g))
            }
        };
        Self { root, meter }
    }

    /// What its group is charged now; `None` where it has none of its own.
    pub fn charge(&self) -> Option<Charge> {
        self.meter.as_ref()?.charge()
    }

    /// The most that the kernel has charged its group in all the time that it has been there; `None` where
    /// it has none of its own.
    pub fn peak_of_group(&self) -> Option<Bytes> {
        self.meter.as_ref().map_or_else(|| peak_of(&self.root), Meter::peak)
    }

    /// Whether it has a group of its own.
    pub fn is_metered(&self) -> bool {
        self.meter.is_some()
    }

    /// What it takes now.
    ///
    /// # Errors
    /// As [`Root::standing`].
    pub fn standing(&self) -> Result<Standing, LiveError> {
        let mut standing = self.root.standing()?;
        if let Some(charge) = self.charge() {
            // Page tables and stacks are counted by themselves.
            let kernel = charge.kernel.saturating_sub(standing.kernel);
            standing.unmapped =
                charge.shmem.saturating_sub(standing.shmem) + charge.sockets + kernel;
            standing.level.anon_bytes += standing.unmapped;
            if charge.kernel_can_be_reclaimed {
                standing.droppable = kernel;
            }
        }
        Ok(standing)
    }

    /// Starts new high-water marks, of the processes and of the group; false where the kernel does not
    /// let us do the former.
    pub fn reset_marks(&self) -> bool {
        if let Some(meter) = &self.meter {
            meter.reset();
        }
        self.root.reset_marks()
    }

    /// The highest that it was since the last reset: what it takes now, what was above it, and what was
    /// sampled meanwhile.
    ///
    /// The marks of the processes are exact and know what they have mapped. The group's mark knows all,
    /// and cached pages of files besides: without those that were there all the time it is too high
    /// by at most as much as they went up and down, and where they stood still it is exact.
    pub fn peak(&self, standing: &Standing, sampled: &Sampled, by: PeaksBy) -> Level {
        let now = match by {
            PeaksBy::Marks => standing.peak(),
            PeaksBy::Looks => standing.level,
        };
        let mapped = now.anon_bytes.max(sampled.mapped + standing.unmapped);
        let anon_bytes = match &sampled.group {
            None => mapped,
            Some(group) => {
                let error = Meter::error();
                let kernel = standing.kernel;
                let seen = group.fixed.saturating_sub(kernel + error);
                let mark = self.meter.as_ref().and_then(Meter::highest);
                let most = mark.map(|m| m.saturating_sub(group.least_file + kernel));
                let least = most.map_or(Bytes::ZERO, |m| m.saturating_sub(group.swing + error));
                mapped.max(seen).max(least)
            }
        };
        Level { anon_bytes, ..now }
    }
}

/// Whether all that is in a group belongs to the service.
fn is_alone(root: &Root, group: &Path) -> bool {
    let Ok(ids) = root.ids() else { return false };
    Root::Group(group.to_owned()).ids().is_ok_and(|all| all.iter().all(|id| ids.contains(id)))
}

/// The most that the kernel has charged the control group of a service that somebody else started,
/// in all the time that it has been there; `None` where it has none of its own.
pub fn peak_of(root: &Root) -> Option<Bytes> {
    let group = group_of(root)?;
    let number = |name: &str| std::fs::read_to_string(group.join(name)).ok()?.trim().parse().ok();
    number("memory.peak").or_else(|| number("memory.max_usage_in_bytes")).map(Bytes::new)
}

/// The control group of a service, where it has one that this tool is not in, too.
fn group_of(root: &Root) -> Option<PathBuf> {
    match root {
        Root::Group(path) => Some(path.clone()),
        Root::Processes(ids) => owner::group_of(*ids.first()?),
        Root::Started(id) => owner::group_of(*id),
    }
}
