//! Against a directory that mimics the kernel's, for both versions.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::*;
use crate::footprint::Throttled;
use crate::units::Seconds;

/// Lines of `memory.stat`; in both versions files in a tmpfs are among the cached ones.
const STAT_OF_ONE: &str =
    "shmem 9\ntotal_rss 4096\ntotal_cache 8192\ntotal_shmem 1024\ntotal_pgmajfault 7\n";
const STAT_OF_TWO: &str = "anon 1048576\nfile 9437184\nkernel 4194304\nsock 5242880\nshmem 7340032\n\
    slab_reclaimable 1048576\nslab 0\npgfault 9\npgmajfault 5\n";

/// A machine below a folder: what this process is in, and what is mounted.
struct Machine {
    root: tempfile::TempDir,
}

impl Machine {
    fn new(cgroup: &str, mountinfo: &str, files: &[(&str, &str)]) -> Self {
        let machine = Self { root: tempfile::tempdir().unwrap() };
        machine.write("proc/self/cgroup", cgroup);
        machine.write("proc/self/mountinfo", mountinfo);
        for (path, text) in files {
            machine.write(path, text);
        }
        machine
    }

    fn two(files: &[(&str, &str)]) -> Self {
        let mount = "30 23 0:26 / /c rw - cgroup2 cgroup2 rw\n";
        Self::new("0::/own\n", mount, files)
    }

    fn one(files: &[(&str, &str)]) -> Self {
        let mounts = "1 0 0:1 / /c/memory rw - cgroup cgroup rw,memory\n\
                      2 0 0:2 / /c/cpu rw - cgroup cgroup rw,cpu\n";
        let made = [("c/memory/own/cgroup.procs", ""), ("c/cpu/cgroup.procs", "")];
        Self::new("4:memory:/own\n3:cpu:/\n", mounts, &[&made, files].concat())
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &Path) -> String {
        fs::read_to_string(self.files().at(path)).unwrap()
    }

    fn files(&self) -> Files {
        Files::below(self.root.path())
    }

    /// A group without a kernel: its limits are plain files, and nobody guards it.
    fn group(&self, limits: Limits) -> Result<ControlGroup, GroupError> {
        let place = Place::find(&self.files())?;
        let (memory, cpu) = (place.memory.join("box"), place.cpu.join("box"));
        for directory in [&memory, &cpu] {
            fs::create_dir_all(self.files().at(directory)).unwrap();
        }
        let group = ControlGroup { files: self.files(), version: place.version, memory, cpu };
        group.limit(limits)?;
        Ok(group)
    }
}

fn limits() -> Limits {
    Limits { ram: Some(Bytes::mib(512)), cpus: Cpus::new(0.5) }
}

#[test]
fn version_two_has_both_limits_in_one_directory() {
    let machine = Machine::two(&[
        ("c/own/cgroup.controllers", "cpuset cpu io memory pids\n"),
        ("c/own/cgroup.subtree_control", "cpu memory\n"),
        ("c/own/box/memory.swap.max", "max\n"),
    ]);
    let group = machine.group(limits()).unwrap();
    assert_eq!(group.directories(), [Path::new("/c/own/box")]);
    assert_eq!(machine.read(&group.memory.join("memory.max")), "536870912");
    assert_eq!(machine.read(&group.memory.join("memory.swap.max")), "0");
    assert_eq!(machine.read(&group.cpu.join("cpu.max")), "50000 100000");
}

#[test]
fn version_two_counts_as_the_kernel_does() {
    let machine = Machine::two(&[
        ("c/own/cgroup.controllers", "cpu memory\n"),
        ("c/own/cgroup.subtree_control", "cpu memory\n"),
        ("c/own/box/memory.peak", "104857600\n"),
        ("c/own/box/memory.events", "low 0\nhigh 0\nmax 17\noom 2\noom_kill 1\n"),
        ("c/own/box/memory.stat", STAT_OF_TWO),
        ("c/own/box/cpu.stat", "usage_usec 1\nnr_throttled 3\nthrottled_usec 250000\n"),
    ]);
    let group = machine.group(Limits::default()).unwrap();
    let expected = Counters {
        peak: Some(Bytes::mib(100)),
        kernel_peak: None,
        oom_kills: Some(1),
        major_faults: Some(5),
        reclaims: Some(17),
        throttled: Some(Throttled { periods: 3, time: Seconds::new(0.25) }),
    };
    assert_eq!(group.counters(), expected);
    let charged = Charge {
        anon: Bytes::mib(1),
        shmem: Bytes::mib(7),
        file: Bytes::mib(2),
        kernel: Bytes::mib(3),
        kernel_can_be_reclaimed: false,
        sockets: Bytes::mib(5),
    };
    assert_eq!(group.charge(), Some(charged));
    assert_eq!(charged.fixed(), Bytes::mib(16));
    // Before Linux 5.18.
    let parts = STAT_OF_TWO.replace("kernel 4194304", "kernel_stack 1048576\npagetables 2097152");
    machine.write("c/own/box/memory.stat", &parts.replace("slab ", "slab 1048576\nslab_of "));
    assert_eq!(group.charge(), Some(charged));
    let meter = group.meter();
    assert_eq!((meter.highest(), meter.reset()), (Some(Bytes::mib(100)), true));
}

#[test]
fn version_one_has_a_directory_for_each_controller() {
    let machine = Machine::one(&[
        ("c/memory/own/box/memory.memsw.limit_in_bytes", "9223372036854771712\n"),
        ("c/memory/own/box/memory.stat", STAT_OF_ONE),
        ("c/memory/own/box/memory.kmem.usage_in_bytes", "512\n"),
    ]);
    let group = machine.group(limits()).unwrap();
    assert_eq!(group.directories(), [Path::new("/c/memory/own/box"), Path::new("/c/cpu/box")]);
    assert_eq!(machine.read(&group.memory.join("memory.limit_in_bytes")), "536870912");
    assert_eq!(machine.read(&group.memory.join("memory.memsw.limit_in_bytes")), "536870912");
    assert_eq!(machine.read(&group.memory.join("memory.swappiness")), "0");
    assert_eq!(machine.read(&group.cpu.join("cpu.cfs_quota_us")), "50000");
    let counters = group.counters();
    assert_eq!((counters.major_faults, counters.peak), (Some(7), None), "not there is not zero");
    let charged = Charge {
        anon: Bytes::new(4096),
        shmem: Bytes::new(1024),
        file: Bytes::new(7168),
        kernel: Bytes::new(512),
        kernel_can_be_reclaimed: true,
        sockets: Bytes::ZERO,
    };
    assert_eq!(group.charge(), Some(charged));
    assert_eq!((group.meter().reset(), group.meter().highest()), (false, None), "no such file");
}

#[test]
fn what_is_missing_is_named() {
    let missing = |machine: &Machine| match Place::find(&machine.files()).map(drop) {
        Err(GroupError::NoController(name)) => name,
        other => panic!("{other:?}"),
    };
    assert_eq!(missing(&Machine::new("", "", &[])), "memory");
    let no_cpu = [("c/own/cgroup.controllers", "memory pids\n")];
    assert_eq!(missing(&Machine::two(&no_cpu)), "cpu");
    let mounts = "1 0 0:1 / /c/memory rw - cgroup cgroup rw,memory\n";
    let memory_only = Machine::new("4:memory:/\n", mounts, &[("c/memory/cgroup.procs", "")]);
    assert_eq!(missing(&memory_only), "cpu");
}

/// Whoever owns the group may have controllers passed on; the kernel decides in the write.
#[test]
fn controllers_are_asked_for_where_they_are_not_passed_on_yet() {
    let machine = Machine::two(&[
        ("c/own/cgroup.controllers", "cpu memory\n"),
        ("c/own/cgroup.subtree_control", "\n"),
    ]);
    Place::find(&machine.files()).unwrap();
    assert_eq!(machine.read(Path::new("/c/own/cgroup.subtree_control")), "+memory +cpu");
}

#[test]
fn a_run_removes_what_a_dead_one_left_and_nothing_else() {
    let machine = Machine::one(&[]);
    let namespace = fs::metadata("/proc/self/ns/pid").map_or(0, |found| found.ino());
    // No process has this id.
    let dead = format!("mediscope-size.4194305.77.{namespace}.0");
    let groups = [dead.as_str(), "docker"];
    // What it made in its group goes too.
    fs::create_dir_all(machine.root.path().join("c/memory/own").join(&dead).join("a/b")).unwrap();
    fs::create_dir(machine.root.path().join("c/memory/own/docker")).unwrap();
    Place::find(&machine.files()).unwrap();
    let is_there = |name: &str| machine.root.path().join("c/memory/own").join(name).exists();
    assert_eq!(groups.map(is_there), [false, true]);
}
