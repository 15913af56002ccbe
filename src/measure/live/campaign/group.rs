//! Control groups: one for each service that is started, and those that others have made.

use std::path::Path;

use crate::measure::control_group::{ControlGroup, Limits, Place, Watcher};
use crate::measure::live::owner::group_of;
use crate::measure::live::tree::Root;
use crate::units::Bytes;

/// Where a service that is started gets a group of its own, if it can.
pub(super) struct Boxes<'a> {
    pub place: Option<&'a Place>,
    pub watcher: Option<&'a mut Watcher>,
    /// What each may use.
    pub limits: Limits,
}

impl Boxes<'_> {
    pub fn make(&mut self) -> Option<ControlGroup> {
        ControlGroup::make(self.place?, self.limits, self.watcher.as_deref_mut()?).ok()
    }
}

/// The most that the kernel has charged the control group of a service that somebody else started,
/// in all the time that it has been there; `None` where it has none of its own.
pub fn peak_of(root: &Root) -> Option<Bytes> {
    match root {
        Root::Group(path) => group_peak(path),
        Root::Processes(ids) => group_peak(&group_of(*ids.first()?)?),
        Root::Started(id) => group_peak(&group_of(*id)?),
    }
}

fn group_peak(group: &Path) -> Option<Bytes> {
    let number = |name: &str| std::fs::read_to_string(group.join(name)).ok()?.trim().parse().ok();
    number("memory.peak").or_else(|| number("memory.max_usage_in_bytes")).map(Bytes::new)
}
