//! Where groups can be made: below the one that this process is in.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{GroupError, refused, remains};
use crate::measure::host::cgroup::Groups;
use crate::measure::host::files::{Files, Process};
use crate::measure::host::rooms;
use crate::units::Bytes;

/// The two interfaces of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// A hierarchy for each controller.
    One,
    /// One hierarchy.
    Two,
}

impl Version {
    /// As it is written: 1 or 2.
    pub const fn number(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }
}

/// The directories below which groups are made.
#[derive(Debug, Clone)]
pub struct Place {
    pub(super) files: Files,
    /// Which interface.
    pub version: Version,
    pub(super) memory: PathBuf,
    pub(super) cpu: PathBuf,
    /// The groups of this process and their ancestors, whose limits hold for those that are made too.
    above: Groups,
}

/// The controllers that a box needs.
const CONTROLLERS: [&str; 2] = ["memory", "cpu"];

impl Place {
    /// Finds the groups of this process, and removes what an earlier run left below them.
    ///
    /// # Errors
    /// Where there are none, or none may have others below them.
    pub fn find(files: &Files) -> Result<Self, GroupError> {
        let status = Process::This.file("cgroup");
        let groups = Groups::of(files, Process::This).map_err(refused(&status, "read"))?;
        let (version, memory, cpu) = match (groups.memory.first(), groups.cpu.first()) {
            (Some(memory), Some(cpu)) => (Version::One, memory.clone(), cpu.clone()),
            (Some(_), None) => return Err(GroupError::NoController("cpu")),
            _ => {
                let own = Self::unified(files, groups.unified.first())?;
                (Version::Two, own.clone(), own)
            }
        };
        let place = Self { files: files.clone(), version, memory, cpu, above: groups };
        for directory in [&place.memory, &place.cpu] {
            remains::sweep(&place.files, directory);
        }
        Ok(place)
    }

    /// In version 2 a group below gets only the controllers that the one above it passes on, and
    /// one that passes on any may hold no processes of its own (cgroups(7), "no internal processes").
    fn unified(files: &Files, own: Option<&PathBuf>) -> Result<PathBuf, GroupError> {
        let own = own.ok_or(GroupError::NoController("memory"))?;
        let offered = list(files, &own.join("cgroup.controllers"))?;
        if let Some(missing) = CONTROLLERS.into_iter().find(|c| !offered.iter().any(|o| o == c)) {
            return Err(GroupError::NoController(missing));
        }
        let control = own.join("cgroup.subtree_control");
        let passed = list(files, &control)?;
        if !CONTROLLERS.iter().all(|c| passed.iter().any(|p| p == c)) {
            pass_on(files, own, &control)?;
        }
        Ok(own.clone())
    }

    /// Whether a group with this limit can have all of it: what is above may allow less, or not have
    /// so much left.
    pub(super) fn has_room(&self, ram: Bytes) -> Result<(), GroupError> {
        let rooms = rooms(&self.files, &self.above);
        let lowest = rooms.iter().min_by_key(|room| room.limit.value);
        if let Some(room) = lowest.filter(|room| room.limit.value < ram) {
            return Err(GroupError::Capped { ram, limit: room.limit.clone() });
        }
        match rooms.into_iter().next() {
            Some(room) if room.free() < ram => Err(GroupError::Crowded { ram, room }),
            _ => Ok(()),
        }
    }
}

/// Has `own` pass on the controllers. Where this process is the only one in it, as in a scope that
/// was delegated to it, it moves aside into a group below.
fn pass_on(files: &Files, own: &Path, control: &Path) -> Result<(), GroupError> {
    let control = files.at(control);
    let write = || fs::write(&control, "+memory +cpu");
    match write() {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {}
        Err(error) => return Err(refused(&control, "set")(error)),
    }
    let inhabitants = list(files, &own.join("cgroup.procs"))?;
    if inhabitants != [std::process::id().to_string()] {
        return Err(GroupError::Inhabited(own.to_owned()));
    }
    // It stays when the program ends: a group that holds the process which removes it cannot go.
    // The next run removes it, or whoever made the scope.
    let aside = files.at(&own.join(remains::name(u32::MAX)));
    fs::create_dir(&aside).map_err(refused(&aside, "made"))?;
    let entry = aside.join("cgroup.procs");
    fs::write(&entry, "0").map_err(refused(&entry, "entered"))?;
    write().map_err(refused(&control, "set"))
}

fn list(files: &Files, path: &Path) -> Result<Vec<String>, GroupError> {
    let text = files.read(path).map_err(refused(path, "read"))?.unwrap_or_default();
    Ok(text.split_whitespace().map(str::to_owned).collect())
}
