//! Machines of files, and one real group.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::*;

/// A directory that mimics a machine with 8 GiB and 4 cores.
struct Mimic {
    root: tempfile::TempDir,
}

const V2: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
const V1: &str = "31 30 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
34 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset
35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
const NO_LIMIT_V1: &str = "9223372036854771712\n";

impl Mimic {
    fn new(cgroup: &str, mountinfo: &str) -> Self {
        let mimic = Self { root: tempfile::tempdir().unwrap() };
        mimic
            .with("/proc/self/cgroup", cgroup)
            .with("/proc/self/mountinfo", mountinfo)
            .with("/proc/self/status", "Name:\tx\nCpus_allowed:\tff\nCpus_allowed_list:\t0-127\n")
            .with("/sys/devices/system/cpu/online", "0-3\n")
    }

    fn with(self, path: &str, text: &str) -> Self {
        let file = self.root.path().join(path.trim_start_matches('/'));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
        self
    }

    fn find(&self) -> HostBox {
        HostBox::within(&Files::below(self.root.path()), Process::This, machine()).unwrap()
    }
}

fn machine() -> Machine {
    Machine {
        physical_cores: Some(2),
        total_ram: Bytes::mib(8192),
        ram_from: "/proc/meminfo MemTotal",
        available_ram: Some(Bytes::mib(6000)),
        cores: 4,
        cpu_model: "Mimic 3000".to_owned(),
        kernel: "6.1.0".to_owned(),
    }
}

#[track_caller]
fn assert_box(found: &HostBox, ram: (u64, &str), cpus: (f64, &str), cores: u32) {
    assert_eq!((found.ram.value, found.ram.from.as_str()), (Bytes::mib(ram.0), ram.1));
    assert_eq!((found.cpus.value.get(), found.cpus.from.as_str()), cpus);
    assert_eq!(found.cores, cores);
}

const HOST_RAM: (u64, &str) = (8192, "/proc/meminfo MemTotal");
const HOST_CPUS: (f64, &str) = (4.0, "/sys/devices/system/cpu/online");

#[test]
fn v2_with_the_limits_on_an_ancestor() {
    let found = Mimic::new("0::/app.slice/web.service\n", V2)
        .with("/sys/fs/cgroup/app.slice/web.service/memory.max", "max\n")
        .with("/sys/fs/cgroup/app.slice/web.service/cpu.max", "max 100000\n")
        .with("/sys/fs/cgroup/app.slice/memory.max", "536870912\n")
        .with("/sys/fs/cgroup/app.slice/cpu.max", "130000 100000\n")
        .find();
    assert_box(
        &found,
        (512, "/sys/fs/cgroup/app.slice/memory.max"),
        (1.3, "/sys/fs/cgroup/app.slice/cpu.max"),
        4,
    );
    assert_eq!(found.notes, []);
}

#[test]
fn v2_without_limits_is_the_host() {
    let found = Mimic::new("0::/a\n", V2)
        .with("/sys/fs/cgroup/a/memory.max", "max\n")
        .with("/sys/fs/cgroup/a/memory.high", "max\n")
        .with("/sys/fs/cgroup/a/cpu.max", "max 100000\n")
        .with("/sys/fs/cgroup/a/cpuset.cpus.effective", "0-3\n")
        .find();
    assert_box(&found, HOST_RAM, HOST_CPUS, 4);
}

#[test]
fn limits_above_the_host_do_not_bind() {
    let found = Mimic::new("0::/a\n", V2)
        .with("/sys/fs/cgroup/a/memory.max", "1099511627776\n")
        .with("/sys/fs/cgroup/a/cpu.max", "6400000 100000\n")
        .find();
    assert_box(&found, HOST_RAM, HOST_CPUS, 4);
}

#[test]
fn v1_with_limits() {
    let found = Mimic::new("4:memory:/a/b\n3:cpuset:/\n2:cpu,cpuacct:/a\n", V1)
        .with("/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", NO_LIMIT_V1)
        .with("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1073741824\n")
        .with("/sys/fs/cgroup/memory/memory.limit_in_bytes", NO_LIMIT_V1)
        .with("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "50000\n")
        .with("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n")
        .with("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n")
        .with("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n")
        .find();
    assert_box(
        &found,
        (1024, "/sys/fs/cgroup/memory/a/memory.limit_in_bytes"),
        (0.5, "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us"),
        4,
    );
}

#[test]
fn hybrid_takes_each_number_from_where_it_is() {
    let mounts = format!("{V1}41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
    let found = Mimic::new("4:memory:/m\n2:cpu,cpuacct:/\n0::/u\n", &mounts)
        .with("/sys/fs/cgroup/memory/m/memory.limit_in_bytes", "268435456\n")
        .with("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n")
        .with("/sys/fs/cgroup/unified/u/cpu.max", "250000 100000\n")
        .find();
    assert_box(
        &found,
        (256, "/sys/fs/cgroup/memory/m/memory.limit_in_bytes"),
        (2.5, "/sys/fs/cgroup/unified/u/cpu.max"),
        4,
    );
}

#[test]
fn a_container_with_a_cgroup_namespace_reads_the_top() {
    let found = Mimic::new("0::/\n", V2)
        .with("/sys/fs/cgroup/memory.max", "536870912\n")
        .with("/sys/fs/cgroup/cpu.max", "75000 100000\n")
        .find();
    assert_box(&found, (512, "/sys/fs/cgroup/memory.max"), (0.75, "/sys/fs/cgroup/cpu.max"), 4);
}

#[test]
fn a_container_with_bind_mounts_reads_its_own_group_and_its_hidden_ancestors() {
    let mounts =
        "40 31 0:32 /kubepods/pod1/c1 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
    let found = Mimic::new("4:memory:/kubepods/pod1/c1\n", mounts)
        .with("/sys/fs/cgroup/memory/memory.limit_in_bytes", NO_LIMIT_V1)
        .with("/sys/fs/cgroup/memory/memory.stat", "cache 0\nhierarchical_memory_limit 805306368\n")
        .find();
    assert_box(
        &found,
        (768, "/sys/fs/cgroup/memory/memory.stat hierarchical_memory_limit"),
        HOST_CPUS,
        4,
    );
}

#[test]
fn a_host_without_groups_is_the_host() {
    assert_box(
        &Mimic::new("", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n").find(),
        HOST_RAM,
        HOST_CPUS,
        4,
    );
}

#[test]
fn nothing_at_all_is_what_the_machine_says() {
    let empty = tempfile::tempdir().unwrap();
    let found = HostBox::within(&Files::below(empty.path()), Process::This, machine()).unwrap();
    assert_box(&found, HOST_RAM, (4.0, "online cores"), 4);
    assert_eq!(found.notes, []);
}

#[test]
fn garbage_is_noted_and_counts_for_nothing() {
    let found = Mimic::new("0::/a\n", V2)
        .with("/sys/fs/cgroup/a/memory.max", "lots\n")
        .with("/sys/fs/cgroup/a/cpu.max", "\n")
        .with("/sys/fs/cgroup/a/cpuset.cpus.effective", "0-x\n")
        .find();
    assert_box(&found, HOST_RAM, HOST_CPUS, 4);
    let notes: Vec<String> = found.notes.iter().map(ToString::to_string).collect();
    assert_eq!(notes.len(), 3, "{notes:?}");
    assert_eq!(
        notes[0],
        "/sys/fs/cgroup/a/memory.max could not be used (it holds `lots`): a limit in it is not counted; give --ram and --cpus to be sure"
    );
}

#[test]
fn a_cpuset_or_an_affinity_smaller_than_the_cores_is_named() {
    let set = Mimic::new("0::/a\n", V2)
        .with("/sys/fs/cgroup/a/cpuset.cpus.effective", "1,3\n")
        .with("/proc/self/status", "Cpus_allowed_list:\t1,3\n")
        .find();
    assert_box(&set, HOST_RAM, (2.0, "/sys/fs/cgroup/a/cpuset.cpus.effective"), 2);

    let pinned =
        Mimic::new("0::/a\n", V2).with("/proc/self/status", "Cpus_allowed_list:\t2\n").find();
    assert_box(&pinned, HOST_RAM, (1.0, "/proc/self/status Cpus_allowed_list"), 1);

    let legacy = Mimic::new("3:cpuset:/s\n", V1)
        .with("/sys/fs/cgroup/cpuset/s/cpuset.effective_cpus", "0-2\n")
        .find();
    assert_box(&legacy, HOST_RAM, (3.0, "/sys/fs/cgroup/cpuset/s/cpuset.effective_cpus"), 3);

    let quota_below = Mimic::new("0::/a\n", V2)
        .with("/proc/self/status", "Cpus_allowed_list:\t0-1\n")
        .with("/sys/fs/cgroup/a/cpu.max", "150000 100000\n")
        .find();
    assert_box(&quota_below, HOST_RAM, (1.5, "/sys/fs/cgroup/a/cpu.max"), 2);
}

#[test]
fn the_line_where_the_kernel_slows_down_is_a_note() {
    let found = Mimic::new("0::/a\n", V2)
        .with("/sys/fs/cgroup/a/memory.max", "1073741824\n")
        .with("/sys/fs/cgroup/a/memory.high", "805306368\n")
        .find();
    assert_eq!(found.ram.value, Bytes::mib(1024));
    assert_eq!(
        found.notes,
        [HostNote::SlowedAbove(Found::new(Bytes::mib(768), "/sys/fs/cgroup/a/memory.high"))]
    );
}

#[test]
fn this_machine_has_ram_and_cores() {
    let start = Instant::now();
    let found = HostBox::this().unwrap();
    println!("found in {:?}: {found:#?}", start.elapsed());
    assert!(found.ram.value > Bytes::mib(16) && found.ram.value <= found.total_ram);
    assert!(found.cores >= 1 && found.cpus.value.get() <= f64::from(found.cores));
    assert!(!found.cpu_model.is_empty() && !found.kernel.is_empty());
}

/// Version 1 groups that are removed, with the process in them ended, however the test ends.
struct RealGroups {
    directories: Vec<PathBuf>,
    child: Option<Child>,
}

impl RealGroups {
    /// The groups with their limits, or why this machine does not let them be made.
    fn create() -> Result<Self, String> {
        let mut made = Self { directories: Vec::new(), child: None };
        let name = format!("mediscope-size-test-{}", std::process::id());
        for (controller, limits) in [
            ("memory", [("memory.limit_in_bytes", "100663296")].as_slice()),
            ("cpu", &[("cpu.cfs_period_us", "100000"), ("cpu.cfs_quota_us", "130000")]),
        ] {
            let top = PathBuf::from("/sys/fs/cgroup").join(controller);
            if !top.join("cgroup.procs").exists() {
                return Err(format!("{} is no version 1 hierarchy", top.display()));
            }
            let directory = top.join(&name);
            fs::create_dir(&directory).map_err(|e| format!("{}: {e}", directory.display()))?;
            made.directories.push(directory.clone());
            for (file, value) in limits {
                let file = directory.join(file);
                fs::write(&file, value).map_err(|e| format!("{}: {e}", file.display()))?;
            }
        }
        Ok(made)
    }

    /// A process that moves itself into the groups and then does nothing.
    fn spawn(&mut self) -> Result<Process, String> {
        let script =
            "for d in \"$@\"; do echo $$ > \"$d/cgroup.procs\" || exit 1; done; exec sleep 60";
        let child = Command::new("sh")
            .args(["-c", script, "sh"])
            .args(&self.directories)
            .stdin(Stdio::null())
            .spawn()
            .map_err(|e| e.to_string())?;
        let process = Process::Id(child.id());
        self.child = Some(child);
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            let groups = Groups::of(&Files::real(), process).map_err(|e| e.to_string())?;
            let own =
                |chain: &[PathBuf]| chain.first().is_some_and(|d| self.directories.contains(d));
            if own(&groups.memory) && own(&groups.cpu) {
                return Ok(process);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err("the process did not get into the groups".to_owned())
    }
}

impl Drop for RealGroups {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        for directory in &self.directories {
            // The last process leaves a group a moment after it was waited for.
            for _ in 0..100 {
                if fs::remove_dir(directory).is_ok() || !directory.exists() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

#[test]
fn a_real_group_of_its_own_is_found() {
    let mut groups = match RealGroups::create() {
        Ok(groups) => groups,
        Err(why) => return println!("skipped: {why}"),
    };
    let process = match groups.spawn() {
        Ok(process) => process,
        Err(why) => return println!("skipped: {why}"),
    };
    let found = HostBox::of(process).unwrap();
    println!("{found:#?}");
    let name = format!("mediscope-size-test-{}", std::process::id());
    let outer = HostBox::this().unwrap();
    assert_eq!(found.ram.value, Bytes::mib(96).min(outer.ram.value));
    if outer.ram.value > Bytes::mib(96) {
        assert_eq!(found.ram.from, format!("/sys/fs/cgroup/memory/{name}/memory.limit_in_bytes"));
    }
    if outer.cpus.value.get() > 1.3 {
        assert_eq!(found.cpus.value.get(), 1.3);
        assert_eq!(found.cpus.from, format!("/sys/fs/cgroup/cpu/{name}/cpu.cfs_quota_us"));
    }
}
