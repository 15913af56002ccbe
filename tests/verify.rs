//! The plan against the kernel: services that really take the memory that they are said to take,
//! in control groups with the limits of a box. Where this machine allows no groups the tests say so
//! and are skipped.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says why it is skipped"
)]

mod common;

use std::fs;
use std::io::{BufWriter, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use common::{
    Place, Ran, assert_refused, children_of, finish, groups_of, is_alive, onnx, real, real_json,
    wait_for,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// 100 MiB and 10 MiB a request, and no pages of files: in 256 MiB the kernel, which charges its own
/// half a MiB too, holds 15.
const HONEST: &str = "base=100M,buffer=10M,load_peak=110M,noise=0.001,touched=1";
/// Takes a fifth more than it did when it was measured.
const GROWN: &str = "base=100M,buffer=10M,load_peak=110M,noise=0.001,touched=1.2";
const BOX: [&str; 4] = ["--ram", "256M", "--cpus", "1"];

fn verify(place: &Place, planted: &str, arguments: &[&str]) -> Ran {
    place.run(&[&["verify", "--synthetic", planted], arguments].concat())
}

fn json(place: &Place, planted: &str, arguments: &[&str], code: i32) -> Value {
    let asked = [&BOX[..], arguments, &["--format", "json", "--quiet"]].concat();
    let ran = verify(place, planted, &asked);
    assert_eq!(ran.code, Some(code), "{ran:?}");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let schema = fs::read_to_string("schemas/verify-1.schema.json").unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let errors: Vec<String> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&report)
        .map(|e| e.to_string())
        .collect();
    assert_eq!(errors, Vec::<String>::new(), "{report}");
    report
}

/// Whether boxes can be made here; says so where they cannot.
fn has_groups(place: &Place) -> bool {
    let ran = verify(place, HONEST, &BOX);
    let refused = ran.code == Some(2) && ran.stderr.contains("control group");
    if refused {
        println!("skipped: no control groups can be made here: {}", ran.stderr);
    }
    !refused
}

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}

fn bytes(report: &Value, pointer: &str) -> f64 {
    report.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer}: {report}"))
}

#[test]
fn a_plan_that_holds_is_seen_to_hold() {
    let place = Place::new();
    if !has_groups(&place) {
        return;
    }
    let report = json(&place, HONEST, &[], 0);
    let n = bytes(&report, "/planned/max_concurrency");
    assert!((13.0..=15.0).contains(&n), "{report}");
    assert_eq!(report["verdict"], serde_json::json!({"outcome": "held", "refuted": false}));
    let trials = report["trials"].as_array().unwrap();
    let modes: Vec<_> = trials.iter().map(|t| t["mode"].as_str().unwrap()).collect();
    assert_eq!(modes, ["warm", "cold"]);
    for trial in trials {
        // What is planted is really there.
        let expected = 100.0 + 10.0 * n;
        let seen = bytes(trial, "/sampled_anonymous_bytes") / 1_048_576.0;
        assert!((seen / expected - 1.0).abs() < 0.02, "{seen} MiB of {expected}");
        assert_eq!(trial["oom_kills"], 0);
        assert_eq!(bytes(trial, "/limit_bytes"), 256.0 * 1_048_576.0);
        assert!(bytes(trial, "/peak_bytes") <= 256.0 * 1_048_576.0);
    }
    let text = verify(&place, HONEST, &BOX);
    assert_eq!(text.code, Some(0));
    assert!(text.stdout.contains("✔ HELD: 1"), "{text:?}");
}

#[test]
fn a_plan_that_does_not_hold_is_refuted() {
    let place = Place::new();
    if !has_groups(&place) {
        return;
    }
    let report = json(&place, GROWN, &[], 1);
    assert_eq!(report["verdict"], serde_json::json!({"outcome": "killed", "refuted": true}));
    for trial in report["trials"].as_array().unwrap() {
        assert_eq!((&trial["outcome"], &trial["phase"]), (&"killed".into(), &"serving".into()));
        assert!(bytes(trial, "/oom_kills") >= 1.0, "{trial}");
    }
    // More than the plan promises is tried where it is asked for, and is no secret either.
    let beyond = verify(&place, HONEST, &[&BOX[..], &["--concurrency", "30"]].concat());
    assert_eq!(beyond.code, Some(1), "{beyond:?}");
    assert!(beyond.stdout.contains("30 at once"), "{beyond:?}");
}

#[test]
fn where_it_turns_over_is_found_along_requests_and_along_limits() {
    let place = Place::new();
    if !has_groups(&place) {
        return;
    }
    let report = json(&place, HONEST, &["--find", "n"], 0);
    let found = &report["find"]["n"];
    // 100 + 10 N MiB, and half a MiB of the kernel's own.
    assert_eq!((&found["survived"], &found["killed"]), (&15.into(), &16.into()), "{found}");
    assert_eq!(found["held"], 15);
    assert!(bytes(found, "/error").abs() < 0.02, "{found}");
    let report = json(&place, HONEST, &["--find", "limit", "--concurrency", "8"], 0);
    let found = &report["find"]["limit"];
    let line = f64::midpoint(bytes(found, "/killed"), bytes(found, "/survived")) / 1_048_576.0;
    assert!((line / 180.6 - 1.0).abs() < 0.015, "{line}");
    assert!(bytes(found, "/error").abs() < 0.02, "{found}");
}

#[test]
fn none_killed_is_a_result_with_a_bound() {
    let place = Place::new();
    if !has_groups(&place) {
        return;
    }
    // It takes a fifth of what it was measured with.
    let light = "base=100M,buffer=10M,load_peak=110M,noise=0.001,touched=0.02";
    let report = json(&place, light, &["--find", "n", "--warmed"], 0);
    let found = &report["find"]["n"];
    assert_eq!(found["killed"], Value::Null, "{found}");
    assert!(bytes(found, "/survived") >= 4.0 * 15.0, "{found}");
    assert_eq!(report["trials"].as_array().unwrap().len(), 1, "warmed up: no cold burst");
}

#[test]
fn a_limit_below_the_load_peak_or_the_program_itself_is_said_and_survived() {
    let place = Place::new();
    if !has_groups(&place) {
        return;
    }
    for ram in ["64M", "1M"] {
        let ran = verify(&place, HONEST, &["--ram", ram, "--cpus", "1"]);
        // The plan promised nothing, and nothing is what there is.
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.stdout.contains("KILLED: 1 at once"), "{ran:?}");
        assert!(ran.stdout.contains("as the plan says"), "{ran:?}");
        assert!(ran.stdout.contains("killed"), "{ran:?}");
    }
}

#[test]
fn a_soak_reports_growth() {
    let place = Place::new();
    if !has_groups(&place) {
        return;
    }
    let report = json(&place, HONEST, &["--for", "1500ms", "--warmed"], 0);
    let soak = &report["soak"];
    assert!(bytes(soak, "/seconds") > 1.0 && bytes(soak, "/requests") > 50.0, "{soak}");
    assert_eq!(soak["full_after_seconds"], Value::Null, "{soak}");
    let leaking = format!("{HONEST},leak=256K");
    let report = json(&place, &leaking, &["--for", "1500ms", "--warmed", "--concurrency", "2"], 0);
    let soak = &report["soak"];
    // A quarter of a MiB a wave, in which two requests are answered three times.
    let leaked = bytes(soak, "/anonymous_bytes_end") - bytes(soak, "/anonymous_bytes_begin");
    assert!(leaked > 1_048_576.0, "{soak}");
    let growth = &soak["growth_bytes_per_hour"];
    let waves = bytes(soak, "/requests") / 6.0;
    let expected = waves * 262_144.0 / bytes(soak, "/seconds") * 3600.0;
    assert!((bytes(growth, "/typical") / expected - 1.0).abs() < 0.1, "{soak}: {expected}");
    assert!(bytes(soak, "/full_after_seconds") > 0.0, "{soak}");
}

/// A run that is in the middle of a trial, with the process in the box.
fn in_a_trial(place: &Place) -> (Child, u32) {
    let slow = format!("{HONEST},delay=0.4");
    // Measured before, so that what is started now is a trial.
    let measured =
        place.run(&["measure", "--synthetic", &slow, "--max-time", "1s", "-q", "-o", "slow.yaml"]);
    assert_eq!(measured.code, Some(0), "{measured:?}");
    let asked = [&["verify", "--profile", "slow.yaml", "--synthetic", &slow], &BOX[..]].concat();
    let run = place.command(&asked).spawn().unwrap();
    let id = run.id();
    let inside = wait_for("a process in a box", || {
        groups_of(id).iter().find_map(|group| {
            let inside = fs::read_to_string(group.join("cgroup.procs")).ok()?;
            inside.lines().next()?.parse().ok()
        })
    });
    (run, inside)
}

#[test]
fn a_parent_that_is_killed_leaves_no_group_and_no_process() {
    let place = Place::new();
    if !has_groups(&place) {
        return;
    }
    let (mut run, inside) = in_a_trial(&place);
    let id = run.id();
    let children = children_of(id);
    assert!(children.len() >= 2, "a watcher and a process in a box: {children:?}");
    signal(id, Signal::KILL);
    run.wait().unwrap();
    wait_for("the groups to go", || groups_of(id).is_empty().then_some(()));
    wait_for("the process in the box to end", || (!is_alive(inside)).then_some(()));
    wait_for("the watcher to end", || (!children.iter().any(|c| is_alive(*c))).then_some(()));
}

#[test]
fn an_interrupt_ends_in_order() {
    let place = Place::new();
    if !has_groups(&place) {
        return;
    }
    let (run, inside) = in_a_trial(&place);
    let id = run.id();
    signal(id, Signal::INT);
    let ran = finish(run);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(130), ""), "{ran:?}");
    assert!(groups_of(id).is_empty() && !is_alive(inside));
}

#[test]
fn what_even_the_watcher_could_not_remove_goes_at_the_next_run() {
    let place = Place::new();
    if !has_groups(&place) {
        return;
    }
    let (mut run, inside) = in_a_trial(&place);
    let id = run.id();
    let watcher = children_of(id).into_iter().find(|c| *c != inside).unwrap();
    signal(watcher, Signal::KILL);
    signal(id, Signal::KILL);
    run.wait().unwrap();
    wait_for("the process in the box to end", || (!is_alive(inside)).then_some(()));
    assert!(!groups_of(id).is_empty(), "nobody was there to remove them");
    assert_eq!(verify(&place, HONEST, &BOX).code, Some(0));
    assert_eq!(groups_of(id), Vec::<PathBuf>::new());
}

/// The message says what would give the rights, with the whole command.
#[test]
fn without_the_rights_it_says_what_gives_them() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can become somebody without rights");
        return;
    }
    let folder = tempfile::TempDir::with_prefix("mediscope-size-test-").unwrap();
    let anyone =
        |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    anyone(folder.path());
    let program = folder.path().join("mediscope-size");
    fs::copy(assert_cmd::cargo::cargo_bin!("mediscope-size"), &program).unwrap();
    let output = Command::new(&program)
        .args(["verify", "--synthetic", HONEST, "--ram", "256M", "--cpus", "1"])
        .env("MEDISCOPE_SIZE_CACHE", folder.path().join("cache"))
        .uid(65534)
        .gid(65534)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let ran = Ran::from(output);
    assert_refused(&ran, "no rights");
    for part in [
        "Permission denied",
        "sudo env MEDISCOPE_SIZE_CACHE=",
        "/mediscope-size verify --synthetic",
        "systemd-run --user --scope -p Delegate=yes",
        "--ram 256M --cpus 1",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {ran:?}");
    }
    assert!(!folder.path().join("cache").exists(), "refused before anything was measured");
}

#[test]
fn what_cannot_be_tried_is_refused_before_it_is_measured() {
    let place = Place::new();
    for (arguments, message) in [
        (&["--synthetic", HONEST][..], "no box is named"),
        (&["--profile", "mediscope-pytorch", "--ram", "1G"], "declares its costs"),
        (&["--synthetic", HONEST, "--ram", "1G", "--cpus", "4096"], "cannot be tried"),
        (&["--synthetic", HONEST, "--ram", "1G", "--format", "csv"], "text or JSON"),
    ] {
        let ran = place.run(&[&["verify"], arguments].concat());
        assert_refused(&ran, message);
        assert!(ran.stderr.contains(message), "{ran:?}");
    }
    place.assert_untouched("refused");
}

/// What was measured cannot be kept, and the trial is made all the same.
#[test]
fn a_full_disk_costs_the_memory_and_not_the_trial() {
    let place = Place::new();
    if !has_groups(&place) {
        return;
    }
    let cache = place.cache();
    fs::remove_dir_all(&cache).unwrap();
    let Some(disk) = common::Tmpfs::mount(&cache) else {
        println!("skipped: no file system can be mounted here");
        return;
    };
    let _ = fs::write(cache.join("filler"), vec![0; 62 << 10]);
    let ran = verify(&place, HONEST, &BOX);
    drop(disk);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("HELD"), "{ran:?}");
    assert!(ran.stderr.contains("No space left on device"), "{ran:?}");
}

/// A load that comes at random and one from users without a pause, beside what was predicted: work
/// that really uses the CPU, in a quota that really stops it.
#[test]
fn a_load_is_driven_and_compared() {
    let place = Place::new();
    if !has_groups(&place) {
        return;
    }
    let planted = format!("{HONEST},cpu=0.004");
    let asked = ["--load=50%", "--requests", "300", "--warmed"];
    let report = json(&place, &planted, &asked, 0);
    let loads = report["loads"].as_array().unwrap();
    let kinds: Vec<_> = loads.iter().map(|l| l["arrivals"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["closed", "open"]);
    for load in loads {
        assert_eq!(load["requests"], 300);
        let seen = |which: &str, what: &str| bytes(load, &format!("/{which}/{what}"));
        // 4 ms of work at the least, whatever else goes on here.
        assert!(seen("observed", "p50_seconds") >= 0.004, "{load}");
        assert!(seen("observed", "p50_seconds") <= seen("observed", "p99_seconds"), "{load}");
        // The same arrivals: as many answers in about the same time.
        let rate = seen("replayed", "throughput_rps") / seen("observed", "throughput_rps");
        assert!((0.8..=1.25).contains(&rate), "{rate}: {load}");
        let shares: f64 = load["observed"]["in_flight"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_f64)
            .sum();
        assert!((shares - 1.0).abs() < 1e-6, "{load}");
    }
    let text = verify(&place, &planted, &[&BOX[..], &asked].concat());
    assert!(text.stdout.contains("Under load") && text.stdout.contains("replay"), "{text:?}");
    let workers = [&BOX[..], &asked, &["--topology", "workers:2"]].concat();
    assert_refused(&verify(&place, &planted, &workers), "one process");
}

/// A control group of this test's own with a limit of RAM, and groups below it for who runs in it: in
/// version 2 only those may hold processes.
struct Ancestor(PathBuf);

impl Ancestor {
    /// Below the group of this process; `None` where none can be made, and says why.
    fn make(name: &str) -> Option<Self> {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap();
        let of = |mark: &str, mount: &str| {
            let path = groups.lines().find_map(|l| l.split_once(mark).map(|(_, path)| path))?;
            let own = Path::new(mount).join(path.trim_start_matches('/'));
            own.join("cgroup.procs").exists().then_some(own)
        };
        let own =
            of(":memory:", "/sys/fs/cgroup/memory").or_else(|| of("0::", "/sys/fs/cgroup"))?;
        let made = own.join(format!("mediscope-test-{name}-{}", std::process::id()));
        if let Err(error) = fs::create_dir(&made) {
            println!("skipped: {} cannot be made: {error}", made.display());
            return None;
        }
        // Version 2.
        let control = made.join("cgroup.subtree_control");
        if control.exists() {
            fs::write(control, "+memory +cpu").unwrap();
        }
        Some(Self(made))
    }

    fn limit(&self, mib: u64) {
        let file = ["memory.limit_in_bytes", "memory.max"].map(|name| self.0.join(name));
        let file = file.iter().find(|file| file.exists()).unwrap();
        fs::write(file, (mib << 20).to_string()).unwrap();
    }

    /// A shell that becomes this program in a new group below.
    fn command(&self, place: &Place, program: &str, arguments: &[&str]) -> Command {
        let group =
            (1..1000).map(|n| self.0.join(n.to_string())).find(|g| fs::create_dir(g).is_ok());
        let entry = group.unwrap().join("cgroup.procs");
        let script = format!("echo $$ >'{}' && exec \"$0\" \"$@\"", entry.display());
        place.command_of(Path::new("sh"), &[&["-c", &script, program], arguments].concat())
    }

    /// The tool in it.
    fn run(&self, place: &Place, arguments: &[&str]) -> Child {
        let tool = assert_cmd::cargo::cargo_bin!("mediscope-size").to_str().unwrap();
        self.command(place, tool, arguments).spawn().unwrap()
    }

    /// A process that holds so much in it: what is to be written stays in its memory until it is read.
    fn occupy(&self, place: &Place, mib: u64) -> Child {
        let size = format!("bs={}", mib << 20);
        let mut process =
            self.command(place, "dd", &["if=/dev/zero", "count=1", &size]).spawn().unwrap();
        process.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        process
    }
}

impl Drop for Ancestor {
    fn drop(&mut self) {
        fn remove(group: &Path) -> bool {
            for entry in fs::read_dir(group).into_iter().flatten().flatten() {
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    remove(&entry.path());
                }
            }
            fs::remove_dir(group).is_ok()
        }
        wait_for("the test's own group to go", || remove(&self.0).then_some(()));
    }
}

/// A limit that is not what decides refutes nothing, whether that is known before or seen afterwards;
/// and who lives there too is left alone.
#[test]
fn a_limit_that_another_one_comes_before_could_not_be_tried() {
    let place = Place::new();
    if !has_groups(&place) {
        return;
    }
    let Some(ancestor) = Ancestor::make("less") else { return };
    ancestor.limit(300);
    let tried =
        |ram| finish(ancestor.run(&place, &["verify", "--synthetic", HONEST, "--ram", ram]));
    let ran = tried("512M");
    assert_refused(&ran, "more than the ancestor has");
    assert!(ran.stderr.contains("a limit of 512 MiB could not be tried"), "{ran:?}");
    assert!(ran.stderr.contains("allows 300 MiB") && ran.stderr.contains("--ram 300M"), "{ran:?}");
    let mut other = ancestor.occupy(&place, 150);
    let ran = tried("256M");
    assert_refused(&ran, "more than the ancestor has left");
    assert!(
        ran.stderr.contains("a limit of 256 MiB could not be tried: of the 300 MiB"),
        "{ran:?}"
    );
    // What fits in beside it is tried.
    assert_eq!(tried("128M").code, Some(0));
    assert_eq!(other.try_wait().unwrap(), None, "what was there was killed");
    other.kill().unwrap();
    other.wait().unwrap();
    // It shrinks during a trial: the kernel kills, and the limit of the trial was not reached.
    ancestor.limit(600);
    let slow = format!("{HONEST},delay=0.3");
    let asked = ["verify", "--synthetic", &slow, "--max-time", "1s", "--ram", "256M", "--warmed"];
    let run = ancestor.run(&place, &asked);
    let id = run.id();
    wait_for("a trial", || {
        let inside = |group: &PathBuf| fs::read_to_string(group.join("cgroup.procs"));
        groups_of(id).iter().filter_map(|g| inside(g).ok()).any(|p| !p.is_empty()).then_some(())
    });
    ancestor.limit(100);
    let ran = finish(run);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.stderr.contains("it was not at a limit of its own"), "{ran:?}");
}

/// Where the memory of the control group that the tool is in does not suffice, larger waves are left
/// out as on a machine without free memory.
#[test]
fn the_room_of_an_ancestor_is_the_room_there_is() {
    let place = Place::new();
    let Some(ancestor) = Ancestor::make("room") else { return };
    ancestor.limit(1000);
    let mut other = ancestor.occupy(&place, 600);
    let wanting = "base=100M,buffer=200M,load_peak=110M,noise=0.001";
    let ran = finish(ancestor.run(&place, &["--synthetic", wanting, "--ram", "8G"]));
    assert_refused(&ran, "no room");
    assert!(ran.stderr.contains("N = 2 would take more memory"), "{ran:?}");
    other.kill().unwrap();
    other.wait().unwrap();
}

/// Runs in containers that share a hierarchy see each other's groups, and not each other's processes.
#[test]
fn runs_in_other_pid_namespaces_leave_each_other_alone() {
    let place = Place::new();
    if !has_groups(&place) {
        return;
    }
    let apart = ["--pid", "--fork", "--mount-proc", "--kill-child"];
    let probe = place.command_of(Path::new("unshare"), &[&apart[..], &["true"]].concat()).status();
    if !probe.is_ok_and(|status| status.success()) {
        println!("skipped: no PID namespace can be made here");
        return;
    }
    let tool = assert_cmd::cargo::cargo_bin!("mediscope-size").to_str().unwrap();
    let slow = format!("{HONEST},delay=0.05");
    let asked =
        [&["verify", "--synthetic", &slow, "--max-time", "1s", "--warmed"], &BOX[..]].concat();
    let start = |place: &Place| {
        let arguments = [&apart[..], &[tool], &asked].concat();
        place.command_of(Path::new("unshare"), &arguments).spawn().unwrap()
    };
    let places: Vec<Place> = (0..4).map(|_| Place::new()).collect();
    let mut runs: Vec<Child> = places.iter().map(start).collect();
    runs.push(place.command(&asked).spawn().unwrap());
    for run in runs {
        let ran = finish(run);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    // One whose namespace ends with all that is in it leaves its groups to the next run outside.
    let mut run = start(&places[0]);
    // In its namespace it is the first process.
    wait_for("a group", || (!groups_of(1).is_empty()).then_some(()));
    run.kill().unwrap();
    run.wait().unwrap();
    if fs::read_link("/proc/self/ns/pid").unwrap() != Path::new("pid:[4026531836]") {
        println!("not the outermost namespace: the groups of others stay");
        for group in groups_of(1) {
            fs::remove_dir(group).unwrap();
        }
        return;
    }
    // The processes of the namespace are gone a moment after the first of them.
    wait_for("its groups to go", || {
        assert_eq!(verify(&place, HONEST, &BOX).code, Some(0));
        groups_of(1).is_empty().then_some(())
    });
}

/// A file system over that of the control groups takes limits and enforces none; one that is read-only
/// takes none.
#[test]
fn control_groups_that_limit_nothing_are_not_used() {
    let place = Place::new();
    if !has_groups(&place) {
        return;
    }
    let tool = assert_cmd::cargo::cargo_bin!("mediscope-size").to_str().unwrap();
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap();
    let v1 = groups.lines().find_map(|l| l.split_once(":memory:").map(|(_, path)| path));
    let mount = if v1.is_some() { "/sys/fs/cgroup/memory" } else { "/sys/fs/cgroup" };
    let own = format!("{mount}{}", v1.unwrap_or_default());
    let covered = format!("mount -t tmpfs none {mount} && mkdir -p '{own}'");
    let read_only = format!("mount -o remount,bind,ro {mount}");
    for (change, said) in
        [(covered, "no control group with the memory controller"), (read_only, "mounted read-only")]
    {
        let script = format!("{change} && exec \"$0\" \"$@\"");
        // More than the box holds: with a limit that is none it would come through.
        let asked = ["verify", "--synthetic", HONEST, "--concurrency", "30"];
        let arguments = [&["--mount", "sh", "-c", &script, tool][..], &asked, &BOX].concat();
        let ran = Ran::from(place.command_of(Path::new("unshare"), &arguments).output().unwrap());
        assert_refused(&ran, said);
        assert!(ran.stderr.contains(said), "{said}: {ran:?}");
    }
}

/// Each request reads 64 rows of a table of 160 MiB that ONNX Runtime maps and does not copy. The whole
/// table is in the limit, and what one request reads of it in the threshold, above which the kernel does
/// not kill. Far below it the service gets nowhere: the kernel kills it, or reads the same pages again and
/// again, as those of a file can always be dropped.
#[test]
fn a_table_that_is_mapped_is_read_in_far_less_than_its_size() {
    let place = Place::new();
    if !has_groups(&place) {
        return;
    }
    let (rows, width) = (40 << 10, 1 << 10);
    let table = onnx::external("table", onnx::FLOAT, &[rows, width], "table.data");
    let made = onnx::model(
        vec![
            onnx::node("Gather", &["table", "ids"], "found"),
            onnx::node("ReduceSum", &["found"], "y"),
        ],
        vec![onnx::value("ids", onnx::INT64, &["1", "64"])],
        vec![onnx::value("y", onnx::FLOAT, &["1", "1", "1"])],
        vec![table],
    );
    let folder = place.file("");
    let path = onnx::write(&folder, &made);
    // Written in pieces, as a file that is downloaded: the kernel's cache holds it in large ones.
    let table = fs::File::create(folder.join("table.data")).unwrap();
    let mut writer = BufWriter::with_capacity(8 << 20, table);
    let row = vec![0x3c_u8; usize::try_from(width * 4).unwrap()];
    (0..rows).for_each(|_| writer.write_all(&row).unwrap());
    writer.into_inner().unwrap().sync_all().unwrap();
    let report = real_json(&["--model", &path, "--max-time", "100ms", "--concurrency", "1"]);
    let of =
        |key: &str| report.pointer(&format!("/memory/{key}/typical")).unwrap().as_f64().unwrap();
    let (limit, threshold) = (of("limit"), of("oom_threshold"));
    let mib = 1_048_576.0;
    assert!(limit > 160.0 * mib, "the table is in the limit: {}", limit / mib);
    assert!(threshold < 60.0 * mib, "and not in the threshold: {}", threshold / mib);
    let tried = |share: f64| {
        let ram = format!("{:.0}M", threshold * share / mib);
        let verify = ["verify", "--model", &path, "--max-time", "100ms", "--ram", &ram];
        let output =
            real(&[&verify[..], &["--concurrency", "1", "--format", "json", "--quiet"]].concat());
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let trials = report["trials"].as_array().unwrap();
        trials.iter().map(|t| t["outcome"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    // Between the two it may crawl for long.
    let (above, below) = (tried(1.0), tried(0.3));
    assert!(above.iter().all(|outcome| outcome != "killed"), "{threshold}: {above:?}");
    assert!(below.iter().all(|outcome| outcome != "held"), "{threshold}: {below:?}");
}
