//! A control group for each service that is started.

use crate::measure::control_group::{ControlGroup, Limits, Place, Watcher};

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
