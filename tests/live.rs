//! Services that run by themselves, measured from outside: services of known appetite, in Python.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::Place;
use common::service::{MIB, Service, command, measure, number, port, spawned, topology};
use serde_json::Value;

/// Base and buffer of services whose appetite is known, and what they do with their requests.
#[test]
fn a_known_appetite_is_found() {
    let place = Place::new();
    let nothing = |more: &str| {
        let empty =
            spawned(&place, &format!("--time 0.05 {more}"), &["--max-time", "4s", "--up-to", "4"]);
        number(&empty, "/ram/base_bytes/typical")
    };
    let cases = [
        ("--mode threaded", "shared", 1.0, None),
        ("--mode blocking", "serial", 1.0, Some(1)),
        ("--mode pool:3", "pool:3", 1.0, Some(3)),
        ("--mode threaded --workers 2", "workers:2", 2.0, None),
        ("--mode blocking --workers 4", "workers:4/serial", 4.0, Some(4)),
    ];
    let (mut bases, mut buffers) = (Vec::new(), Vec::new());
    for (mode, word, workers, at_once) in cases {
        let seen = spawned(
            &place,
            &format!("--base 60M --hold 12M --time 0.05 {mode}"),
            // Which of four workers gets a request is a matter of chance: sixteen in flight tell, and a
            // machine that is slow for a moment must have the time for them.
            &["--max-time", if workers > 2.0 { "24s" } else { "12s" }],
        );
        assert_eq!(topology(&seen), word, "{mode}: {seen:#}");
        assert_eq!(seen["live"]["at_once"].as_u64(), at_once, "{mode}");
        assert_eq!(seen["live"]["per_worker_bytes"].is_null(), workers < 2.0, "{mode}");
        assert!(seen["live"]["growth"].is_null(), "{mode}");
        assert_eq!(seen["live"]["failures"], serde_json::json!([]), "{mode}");
        let base = number(&seen, "/ram/base_bytes/typical") - nothing(mode);
        bases.push(base / (60.0 * MIB * workers) - 1.0);
        buffers.push(number(&seen, "/ram/buffer_bytes/typical") / (12.0 * MIB) - 1.0);
    }
    let median = |mut errors: Vec<f64>| {
        errors = errors.into_iter().map(f64::abs).collect();
        errors.sort_by(f64::total_cmp);
        errors[errors.len() / 2]
    };
    assert!(median(bases.clone()) < 0.02, "{bases:?}");
    assert!(median(buffers.clone()) < 0.05, "{buffers:?}");
}

#[test]
fn a_leak_is_growth_and_no_buffer() {
    let place = Place::new();
    let seen = spawned(
        &place,
        "--base 30M --hold 8M --time 0.01 --leak 64K",
        &["--max-time", "12s", "--ram", "256M"],
    );
    let slope = number(&seen, "/live/growth/bytes_per_request/typical");
    let requests = number(&seen, "/live/growth/requests_until_limit");
    let room = 256.0 * MIB - number(&seen, "/ram/base_bytes/typical");
    assert!((requests * slope / room - 1.0).abs() < 0.01, "{requests}");
    assert!(number(&seen, "/live/growth/seconds_until_limit") > 0.0);
    assert!((slope / 65536.0 - 1.0).abs() < 0.10, "{slope}");
    let buffer = number(&seen, "/ram/buffer_bytes/typical") / (8.0 * MIB);
    assert!((buffer - 1.0).abs() < 0.10, "{buffer}");
    let steady = spawned(&place, "--base 30M --hold 8M --time 0.01", &["--max-time", "12s"]);
    assert!(steady["live"]["growth"].is_null(), "{}", steady["live"]["growth"]);
}

/// Attached to and started, the same service has the same footprint, and it goes on afterwards.
#[test]
fn attached_and_started_agree() {
    let place = Place::new();
    let options = "--base 60M --hold 12M --time 0.03";
    let started = spawned(&place, options, &["--max-time", "10s"]);
    let mut service = Service::start(options);
    let (pid, url) = (service.child.id().to_string(), service.url());
    let ran =
        measure(&place, &["--pid", &pid, "--url", &url, "--max-time", "8s", "--format", "json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let attached: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(service.is_alive(), "it goes on");
    for what in ["/ram/base_bytes/typical", "/ram/buffer_bytes/typical"] {
        let (a, b) = (number(&started, what), number(&attached, what));
        assert!((a / b - 1.0).abs() < 0.05, "{what}: {a} {b}");
    }
    assert_eq!(attached["live"]["attached"], true);
}

/// The profile is one like any other: sized, tried in a box, compared.
#[test]
fn the_profile_is_sized_and_tried() {
    let place = Place::new();
    let (port, folder) = (port(), tempfile::tempdir().unwrap());
    let output = folder.path().join("service.yaml");
    let output = output.to_str().unwrap();
    let url = format!("http://127.0.0.1:{port}/work");
    let command = command(port, "--base 60M --hold 12M --time 0.03");
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let start = ["--url", &url, "--max-time", "8s", "-o", output, "--"];
    let ran = measure(&place, &[&start[..], &words].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let sized = place.run(&["--profile", output, "--ram", "256M", "--cpus", "1"]);
    assert_eq!(sized.code, Some(0), "{}", sized.stderr);
    assert!(sized.stdout.contains("A service that runs by itself"), "{}", sized.stdout);
    let compared =
        place.run(&["--profile", output, "--compare", output, "--ram", "256M", "--cpus", "1"]);
    assert_eq!(compared.code, Some(0), "{}", compared.stderr);
    let tried = place.run(&["verify", "--profile", output, "--ram", "256M", "--cpus", "1"]);
    if tried.code == Some(2) && tried.stderr.contains("control group") {
        println!("skipped: no control group can be made here: {}", tried.stderr);
        return;
    }
    assert_eq!(tried.code, Some(0), "{}{}", tried.stdout, tried.stderr);
    assert!(tried.stdout.contains("HELD"), "{}", tried.stdout);
    let small = place.run(&["verify", "--profile", output, "--ram", "100M", "--concurrency", "8"]);
    assert_eq!(small.code, Some(1), "{}{}", small.stdout, small.stderr);
    assert!(small.stdout.contains("KILLED"), "{}", small.stdout);
}

/// Only looked at: what its memory did under somebody else's requests.
#[test]
fn a_service_is_watched() {
    let place = Place::new();
    let mut service = Service::start("--base 20M --time 0.01");
    let pid = service.child.id().to_string();
    let inflight = format!("http://127.0.0.1:{}/inflight", service.port);
    let ran = measure(
        &place,
        &["--pid", &pid, "--watch", "2s", "--inflight-url", &inflight, "--format", "json"],
    );
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let seen: Value = serde_json::from_str(&ran.stdout).unwrap();
    let schema = include_str!("../schemas/watch-1.schema.json");
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    assert!(validator.is_valid(&seen), "{:?}", validator.iter_errors(&seen).next());
    let high = number(&seen, "/highest_anon_bytes") / MIB;
    assert!((20.0..60.0).contains(&high), "{high}");
    assert_eq!(seen.pointer("/looks/0/in_flight").and_then(Value::as_u64), Some(0));
    assert!(service.is_alive());
    // Nobody tells how many are in flight: the looks are there all the same.
    let nobody = ["--pid", &pid, "--watch", "2s", "--inflight-url", "http://127.0.0.1:9/"];
    let ran = measure(&place, &[&nobody[..], &["--ram", "1G", "--format", "json"]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let seen: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(validator.is_valid(&seen), "{:?}", validator.iter_errors(&seen).next());
    assert!(seen.pointer("/looks/1/in_flight").unwrap().is_null());
    assert_eq!(seen["limit_bytes"], 1 << 30);
}

/// A shell that has started a service, and the tool: only the service and the shell are measured.
#[test]
fn the_tool_does_not_measure_itself() {
    let place = Place::new();
    let port = port();
    let tool = assert_cmd::cargo::cargo_bin!("mediscope-size").display().to_string();
    let serve = command(port, "--base 30M --hold 4M --time 0.01").join(" ");
    let url = format!("http://127.0.0.1:{port}/work");
    let script = format!(
        "{serve} >/dev/null & until python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", \
         {port}))' 2>/dev/null; do :; done; {tool} measure --quiet --pid $$ --url {url} --max-time 3s \
         --format json; kill $!"
    );
    let output = Command::new("sh")
        .args(["-c", &script])
        .env("MEDISCOPE_SIZE_CACHE", place.cache())
        .output()
        .unwrap();
    let seen: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(seen["live"]["processes"], 2);
    let base = number(&seen, "/ram/base_bytes/typical") / MIB;
    assert!((30.0..60.0).contains(&base), "{base}");
}

/// Each request is answered by a process of its own, which shares what its parent holds: that is
/// counted once.
#[test]
fn processes_that_come_and_go_are_measured() {
    let place = Place::new();
    let options = "--base 20M --hold 20M --time 0.2 --fork";
    let seen = spawned(&place, options, &["--max-time", "16s", "--up-to", "8"]);
    let buffer = number(&seen, "/ram/buffer_bytes/typical") / MIB;
    // A process of its own takes a little more than what it holds.
    assert!((18.8..22.8).contains(&buffer), "{buffer}");
    // With eight they are hardly ever the same while they are read.
    let tall = seen.pointer("/live/rounds").and_then(Value::as_array).unwrap().iter();
    let tall = tall.filter(|r| r["concurrency"] == 8).map(|r| number(r, "/anon_bytes") / MIB);
    let tall = tall.fold(0.0, f64::max);
    assert!(tall > 28.0 + 6.0 * 20.0, "{tall}");
    assert!(number(&seen, "/live/processes") >= 4.0, "{}", seen["live"]);
}

/// The control group of a container, as root may make one.
#[test]
fn the_service_of_a_control_group_is_measured() {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap();
    let below = own.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?.trim_start_matches('/'));
        match controllers {
            "memory" => Some(Path::new("/sys/fs/cgroup/memory").join(path)),
            "" => Some(Path::new("/sys/fs/cgroup").join(path)),
            _ => None,
        }
    });
    let id = std::process::id();
    let made = below.map(|folder| folder.join(format!("mediscope-size-test.{id}")));
    let Some(group) = made.filter(|group| fs::create_dir(group).is_ok()) else {
        println!("skipped: no control group can be made here");
        return;
    };
    let group = Group(group);
    let service = Service::start("--base 30M --hold 4M --time 0.05");
    if fs::write(group.0.join("cgroup.procs"), service.child.id().to_string()).is_err() {
        println!("skipped: no process can be moved into a control group here");
        return;
    }
    let place = Place::new();
    let (folder, url) = (group.0.display().to_string(), service.url());
    let asked = ["--cgroup", &folder, "--url", &url, "--max-time", "4s", "--format", "json"];
    let ran = measure(&place, &asked);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let seen: Value = serde_json::from_str(&ran.stdout).unwrap();
    let buffer = number(&seen, "/ram/buffer_bytes/typical") / (4.0 * MIB);
    assert!((buffer - 1.0).abs() < 0.10, "{buffer}");
    // What was there before it was moved is charged elsewhere.
    assert!(number(&seen, "/live/group_peak_bytes") > 8.0 * 4.0 * MIB);
    // A process is in it, too.
    let pid = service.child.id().to_string();
    let by_pid = ["--pid", &pid, "--url", &url, "--max-time", "2s", "--up-to", "4"];
    let ran = measure(&place, &[&by_pid[..], &["--format", "json"]].concat());
    let seen: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(number(&seen, "/live/group_peak_bytes") > 8.0 * 4.0 * MIB);
    drop(service);
    let empty = measure(&place, &asked);
    assert_eq!(empty.code, Some(2));
    assert!(empty.stderr.contains("no process"), "{}", empty.stderr);
}

/// Removed when the test ends.
struct Group(PathBuf);

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}
