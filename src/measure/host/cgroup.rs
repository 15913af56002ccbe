//! Which control groups a process is in, and in which directories they are found.
//!
//! `/proc/<pid>/cgroup` names the groups, `/proc/<pid>/mountinfo` says where a hierarchy is
//! mounted and which part of it. Version 1 (a hierarchy per controller), version 2 and the two
//! side by side are all in use. In a container the name may be relative to a namespace, or name
//! a directory of the host that is not visible: the mount then shows the container's own group
//! at its top, and that is what is read.

use std::io;
use std::path::{Component, Path, PathBuf};

use super::files::{Files, Process};

/// The directories of the groups of a process, for each hierarchy from its own group up to the
/// top of what is visible. Empty where the hierarchy is not mounted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Groups {
    /// Version 2, which has every controller that no version 1 hierarchy has taken.
    pub unified: Vec<PathBuf>,
    /// Version 1, controller `memory`.
    pub memory: Vec<PathBuf>,
    /// Version 1, controller `cpu`.
    pub cpu: Vec<PathBuf>,
    /// Version 1, controller `cpuset`.
    pub cpuset: Vec<PathBuf>,
}

impl Groups {
    /// The groups of a process. A machine without control groups has none: all are empty.
    ///
    /// # Errors
    /// Where the files of the process exist and cannot be read.
    pub fn of(files: &Files, process: Process) -> io::Result<Self> {
        Self::seen_by(files, process, process)
    }

    /// The groups of a process where they are for `reader`, whose mounts may be others.
    ///
    /// # Errors
    /// As [`Groups::of`].
    pub fn seen_by(files: &Files, process: Process, reader: Process) -> io::Result<Self> {
        let read = |path: &Path| files.read(path).map(Option::unwrap_or_default);
        let memberships = memberships(&read(&process.file("cgroup"))?);
        let mounts = mounts(&read(&reader.file("mountinfo"))?);
        let chain = |kind| chain(files, &memberships, &mounts, kind);
        Ok(Self {
            unified: chain(Hierarchy::Unified),
            memory: chain(Hierarchy::Legacy("memory")),
            cpu: chain(Hierarchy::Legacy("cpu")),
            cpuset: chain(Hierarchy::Legacy("cpuset")),
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hierarchy {
    Unified,
    Legacy(&'static str),
}

/// One line of `/proc/<pid>/cgroup`.
#[derive(Debug, PartialEq, Eq)]
struct Membership {
    /// Empty for version 2.
    controllers: Vec<String>,
    path: PathBuf,
}

impl Membership {
    fn is_in(&self, hierarchy: Hierarchy) -> bool {
        match hierarchy {
            Hierarchy::Unified => self.controllers.is_empty(),
            Hierarchy::Legacy(name) => self.controllers.iter().any(|c| c == name),
        }
    }
}

/// One line of `/proc/<pid>/mountinfo` that mounts control groups.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    /// The directory of the hierarchy that is seen at the mount point.
    root: PathBuf,
    point: PathBuf,
    /// `None` for version 2.
    options: Option<Vec<String>>,
}

impl Mount {
    fn is_of(&self, hierarchy: Hierarchy) -> bool {
        match (hierarchy, &self.options) {
            (Hierarchy::Unified, None) => true,
            (Hierarchy::Legacy(name), Some(options)) => options.iter().any(|o| o == name),
            _ => false,
        }
    }

    /// Where the group with this path is, if it lies in the part that is mounted here. A path
    /// with `..` points outside the namespace and is never there.
    fn directory_of(&self, path: &Path) -> Option<PathBuf> {
        let relative = path.strip_prefix(&self.root).ok()?;
        let is_inside = relative.components().all(|c| matches!(c, Component::Normal(_)));
        // Joining nothing would leave a slash at the end.
        is_inside.then(|| self.point.components().chain(relative.components()).collect())
    }
}

/// A path holds colons at will, so only the first two separate.
fn memberships(text: &str) -> Vec<Membership> {
    text.lines()
        .filter_map(|line| {
            let mut fields = line.splitn(3, ':');
            let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
            let controllers =
                controllers.split(',').filter(|c| !c.is_empty()).map(str::to_owned).collect();
            path.starts_with('/').then(|| Membership { controllers, path: PathBuf::from(path) })
        })
        .collect()
}

/// The fields before ` - ` vary in number (proc(5)), so each side is counted from its start.
fn mounts(text: &str) -> Vec<Mount> {
    text.lines()
        .filter_map(|line| {
            let (place, kind) = line.split_once(" - ")?;
            let mut place = place.split(' ').skip(3);
            let (root, point) = (unescape(place.next()?), unescape(place.next()?));
            let mut kind = kind.split(' ');
            let options = match kind.next()? {
                "cgroup2" => None,
                "cgroup" => Some(kind.nth(1)?.split(',').map(str::to_owned).collect()),
                _ => return None,
            };
            Some(Mount { root: root.into(), point: point.into(), options })
        })
        .collect()
}

/// Space, tab, newline and backslash are written as three octal digits in mountinfo.
fn unescape(field: &str) -> String {
    let mut text = field.to_owned();
    // The backslash comes last, or an escaped one would start an escape that nobody wrote.
    for (code, character) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
        text = text.replace(code, character);
    }
    text
}

/// The directories from the group of the process up to its mount point.
fn chain(
    files: &Files,
    memberships: &[Membership],
    mounts: &[Mount],
    hierarchy: Hierarchy,
) -> Vec<PathBuf> {
    let Some(membership) = memberships.iter().find(|m| m.is_in(hierarchy)) else {
        return Vec::new();
    };
    let candidates = || mounts.iter().filter(|m| m.is_of(hierarchy));
    // The same hierarchy may be mounted several times; one that shows the group wins over one
    // that shows something else.
    let shown = candidates().find_map(|mount| {
        let directory = mount.directory_of(&membership.path)?;
        files.has_group(&directory).then_some((directory, &mount.point))
    });
    let at_top = || {
        let mount = candidates().find(|mount| files.has_group(&mount.point))?;
        Some((mount.point.clone(), &mount.point))
    };
    let Some((own, top)) = shown.or_else(at_top) else {
        return Vec::new();
    };
    own.ancestors().take_while(|d| d.starts_with(top)).map(Path::to_path_buf).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(cgroup: &str, mountinfo: &str, directories: &[&str]) -> Groups {
        let root = tempfile::tempdir().unwrap();
        let proc = root.path().join("proc/self");
        std::fs::create_dir_all(&proc).unwrap();
        std::fs::write(proc.join("cgroup"), cgroup).unwrap();
        std::fs::write(proc.join("mountinfo"), mountinfo).unwrap();
        for directory in directories {
            std::fs::create_dir_all(root.path().join(directory.trim_start_matches('/'))).unwrap();
        }
        Groups::of(&Files::below(root.path()), Process::This).unwrap()
    }

    fn shown(chain: &[PathBuf]) -> Vec<&str> {
        chain.iter().filter_map(|p| p.to_str()).collect()
    }

    const V2: &str =
        "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

    #[test]
    fn every_ancestor_up_to_the_mount_is_listed() {
        let found = groups("0::/a.slice/b:c\n", V2, &["/sys/fs/cgroup/a.slice/b:c"]);
        assert_eq!(
            shown(&found.unified),
            ["/sys/fs/cgroup/a.slice/b:c", "/sys/fs/cgroup/a.slice", "/sys/fs/cgroup"]
        );
        assert!(found.memory.is_empty() && found.cpu.is_empty());
    }

    #[test]
    fn a_bind_mounted_group_loses_the_root_of_its_mount() {
        let mountinfo =
            "40 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
        let found = groups("4:memory:/docker/abc/sub\n", mountinfo, &["/sys/fs/cgroup/memory/sub"]);
        assert_eq!(shown(&found.memory), ["/sys/fs/cgroup/memory/sub", "/sys/fs/cgroup/memory"]);
    }

    #[test]
    fn a_path_of_the_host_falls_back_to_the_top_of_the_mount() {
        let found = groups("0::/system.slice/docker-1.scope\n", V2, &["/sys/fs/cgroup"]);
        assert_eq!(shown(&found.unified), ["/sys/fs/cgroup"]);
        let above = groups("0::/../../sibling\n", V2, &["/sys/fs/cgroup"]);
        assert_eq!(shown(&above.unified), ["/sys/fs/cgroup"]);
    }

    #[test]
    fn the_mount_that_shows_the_group_wins() {
        let mountinfo = format!(
            "50 1 0:26 /other /mnt/other rw - cgroup2 none rw\n51 1 0:26 / /mnt/my\\040groups rw - cgroup2 none rw\n{V2}"
        );
        let found =
            groups("0::/a\n", &mountinfo, &["/mnt/other", "/mnt/my groups/a", "/sys/fs/cgroup"]);
        assert_eq!(shown(&found.unified), ["/mnt/my groups/a", "/mnt/my groups"]);
    }

    #[test]
    fn controllers_share_a_hierarchy_and_named_ones_are_skipped() {
        let cgroup = "9:name=systemd:/x\n3:cpu,cpuacct:/x\n2:cpuset:/\n0::/\n";
        let mountinfo = "1 0 0:1 / /c/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n2 0 0:2 / /c/cpuset rw - cgroup cgroup rw,cpuset\n3 0 0:3 / /c/systemd rw - cgroup cgroup rw,name=systemd\n";
        let found = groups(cgroup, mountinfo, &["/c/cpu,cpuacct/x", "/c/cpuset"]);
        assert_eq!(shown(&found.cpu), ["/c/cpu,cpuacct/x", "/c/cpu,cpuacct"]);
        assert_eq!(shown(&found.cpuset), ["/c/cpuset"]);
        assert!(found.unified.is_empty() && found.memory.is_empty());
    }

    #[test]
    fn garbage_and_nothing_give_no_groups() {
        assert_eq!(groups("", "", &[]), Groups::default());
        assert_eq!(
            groups("::::\nno\n0::relative\n", "x - cgroup2\n - \n1 2 3 -\n", &[]),
            Groups::default()
        );
        let files = Files::below("/nowhere/at/all");
        assert_eq!(Groups::of(&files, Process::This).unwrap(), Groups::default());
    }

    #[test]
    fn escapes_are_decoded_once() {
        assert_eq!(unescape("a\\040b\\134c"), "a b\\c");
    }
}
