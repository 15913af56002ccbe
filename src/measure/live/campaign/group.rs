//! Control groups: one for each service that is started, and those that others have made.

use std::path::{Path, PathBuf};

use crate::measure::control_group::{ControlGroup, Limits, Place, Watcher};
use crate::measure::host::cgroup::Groups;
use crate::measure::host::files::{Files, Process};
use crate::measure::live::tree::Root;
use crate::units::Bytes;

/// Where a service that is started gets a group of its own, if it can.
pub(super) struct Boxes<'a> {
    pub place: Option<&'a Place>,
    pub watcher: Option<&'a mut Watcher>,
}

impl Boxes<'_> {
    pub fn make(&mut self) -> Option<ControlGroup> {
        ControlGroup::make(self.place?, Limits::default(), self.watcher.as_deref_mut()?).ok()
    }
}

/// The most that the kernel has charged the control group of a service that somebody else started,
/// in all the time that it has been there; `None` where it has none of its own.
pub fn peak_of(root: &Root) -> Option<Bytes> {
    match root {
        Root::Group(path) => group_peak(path),
        Root::Process(id) | Root::Started(id) => group_of(*id).as_deref().and_then(group_peak),
    }
}

fn group_peak(group: &Path) -> Option<Bytes> {
    let number = |name: &str| std::fs::read_to_string(group.join(name)).ok()?.trim().parse().ok();
    number("memory.peak").or_else(|| number("memory.max_usage_in_bytes")).map(Bytes::new)
}

/// The control group of a process, where it has one that this tool is not in, too.
fn group_of(id: u32) -> Option<PathBuf> {
    let place = |process| {
        let groups = Groups::seen_by(&Files::real(), process, Process::This).ok()?;
        groups.memory.into_iter().chain(groups.unified).next()
    };
    let (its, own) = (place(Process::Id(id))?, place(Process::This)?);
    (!own.starts_with(&its)).then_some(its)
}
