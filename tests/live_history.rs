//! Memory that has nothing to do with how many requests are in flight: what earlier ones left behind,
//! what answers to new bodies take, and what no process has mapped.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::path::Path;

use common::service::{MIB, Service, command, measure, number, port, spawned, topology};
use common::{Place, Ran};
use serde_json::Value;
use tempfile::TempDir;

/// A folder of so many bodies that differ.
fn bodies(place: &Place, count: u32) -> String {
    let folder = place.file("bodies");
    fs::create_dir_all(&folder).unwrap();
    for index in 0..count {
        fs::write(folder.join(format!("{index}.bin")), index.to_le_bytes()).unwrap();
    }
    folder.display().to_string()
}

/// What a service without any appetite takes, bytes.
fn nothing(place: &Place) -> f64 {
    let empty = spawned(place, "--time 0.02", &["--max-time", "4s", "--up-to", "4"]);
    number(&empty, "/ram/base_bytes/typical")
}

fn assert_near(value: f64, truth: f64, share: f64, what: &str) {
    assert!((value / truth - 1.0).abs() < share, "{what}: {value} instead of {truth}");
}

fn codes(seen: &Value) -> Vec<&str> {
    let doubts = seen["verdict"]["confidence_reasons"].as_array().into_iter().flatten();
    let warnings = seen["warnings"].as_array().into_iter().flatten();
    doubts.chain(warnings).filter_map(|w| w["code"].as_str()).collect()
}

/// A service that keeps the last hundred answers takes what they take, whatever is in flight. The plan
/// holds it, and a box that does not is refuted by as many requests as it takes.
#[test]
fn answers_that_are_kept_are_part_of_the_base() {
    let place = Place::new();
    let (port, many, output) = (port(), bodies(&place, 900), place.file("service.yaml"));
    let output = output.to_str().unwrap();
    let url = format!("http://127.0.0.1:{port}/work");
    let command = command(port, "--cache 1M --cached 100 --hold 8M --time 0.02");
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let start = ["--url", &url, "--body", &many, "--max-time", "18s", "--up-to", "8", "-o", output];
    let ran = measure(&place, &[&start[..], &["--format", "json", "--"], &words].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let seen: Value = serde_json::from_str(&ran.stdout).unwrap();
    let schema = include_str!("../schemas/footprint-1.schema.json");
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    assert!(validator.is_valid(&seen), "{:?}", validator.iter_errors(&seen).next());
    let of = |what: &str| number(&seen, what);
    assert_near(of("/live/accumulated/bytes"), 100.0 * MIB, 0.05, "accumulated");
    assert_near(of("/live/accumulated/requests"), 100.0, 0.1, "requests");
    assert_eq!(seen.pointer("/live/accumulated/levelled_off"), Some(&true.into()));
    // What a request holds is gone before its answer is kept.
    let each = of("/ram/buffer_bytes/typical");
    assert_near(each, 8.0 * MIB, 0.08, "a request");
    if seen["live"]["charged"] == true {
        // The kernel's own mark of the group, at eight in flight.
        let eight = of("/ram/base_bytes/typical") + 8.0 * each;
        assert_near(eight, of("/live/group_peak_bytes"), 0.08, "eight requests");
    }
    let base = of("/ram/base_bytes/typical") - nothing(&place);
    assert_near(base, 100.0 * MIB, 0.05, "base");
    assert!(seen["live"]["growth"].is_null(), "{}", seen["live"]["growth"]);

    let tried = |ram: &str| {
        let asked = ["--profile", output, "--ram", ram, "--concurrency", "1", "--warmed"];
        place.run(&[&["verify", "--format", "json"], &asked[..]].concat())
    };
    // Ninety answers fit, a hundred do not.
    let small = tried(&format!("{:.0}M", (nothing(&place) - 10.0 * MIB) / MIB + 90.0));
    if small.code == Some(2) && small.stderr.contains("control group") {
        println!("skipped: no control group can be made here: {}", small.stderr);
        return;
    }
    let outcome = |ran: &Ran| {
        let seen: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"));
        assert!(number(&seen, "/accumulated_over_requests") >= 100.0, "{seen}");
        seen.pointer("/trials/0/outcome").and_then(Value::as_str).unwrap().to_owned()
    };
    assert_eq!(outcome(&small), "killed", "{small:?}");
    let limit = of("/ram/base_bytes/high") + of("/ram/buffer_bytes/high") + 2.0 * MIB;
    let enough = tried(&format!("{:.0}M", (limit / MIB).ceil()));
    assert_eq!(outcome(&enough), "held", "{enough:?}");
    assert_eq!(enough.code, Some(0), "{enough:?}");
}

/// One body again and again, answered at once from the second time on: what the first one took is what
/// counts, and no box is said to be enough.
#[test]
fn answers_to_the_same_body_do_not_pass_for_all() {
    let place = Place::new();
    let options = "--cache 1M --cached 500 --memo --hold 40M --spin 0.05";
    let asked = ["--max-time", "8s", "--up-to", "8"];
    let same = spawned(&place, options, &asked);
    let repeated = &same["live"]["repeated"];
    assert_near(number(repeated, "/first_bytes"), 41.0 * MIB, 0.08, "the first answer");
    assert!(number(repeated, "/later_bytes") < MIB, "{repeated}");
    assert_near(number(&same, "/ram/buffer_bytes/typical"), 41.0 * MIB, 0.15, "a request");
    assert!(number(&same, "/cpu/seconds_per_request/typical") > 0.04, "{}", same["cpu"]);
    let (port, output) = (port(), place.file("service.yaml"));
    let url = format!("http://127.0.0.1:{port}/work");
    let command = command(port, options);
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let kept = ["--url", &url, "-o", output.to_str().unwrap(), "--"];
    let ran = measure(&place, &[&asked[..], &kept, &words].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let sized = place.run(&[
        "--profile",
        output.to_str().unwrap(),
        "--ram",
        "4G",
        "--cpus",
        "1",
        "--format",
        "json",
        "--quiet",
    ]);
    let sized: Value = serde_json::from_str(&sized.stdout).unwrap();
    assert_eq!(sized["verdict"]["answer"], "unknown", "{}", sized["verdict"]);
    assert!(codes(&sized).contains(&"repeated_bodies"), "{:?}", codes(&sized));
    // Bodies that differ tell the same without a doubt.
    let many = bodies(&place, 600);
    let different = spawned(&place, options, &[&asked[..], &["--body", &many]].concat());
    assert!(different["live"]["repeated"].is_null(), "{}", different["live"]["repeated"]);
    assert_near(number(&different, "/ram/buffer_bytes/typical"), 41.0 * MIB, 0.08, "a request");
}

/// What the first request takes once and keeps is no answer that is kept.
#[test]
fn what_is_loaded_by_the_first_request_is_no_cache() {
    let place = Place::new();
    let options = "--lazy 60M --hold 4M --spin 0.01";
    let seen = spawned(&place, options, &["--max-time", "8s", "--up-to", "4"]);
    assert!(seen["live"]["repeated"].is_null(), "{}", seen["live"]["repeated"]);
    assert!(seen["live"]["unexplained"].is_null(), "{}", seen["live"]["unexplained"]);
    assert_near(number(&seen, "/ram/buffer_bytes/typical"), 4.0 * MIB, 0.08, "a request");
}

/// Pages that workers share after a fork become their own as they answer, not as more is in flight.
#[test]
fn pages_that_become_private_are_told_from_requests() {
    let place = Place::new();
    let options = "--workers 4 --shared 20M --touch 256K --hold 4M --time 0.01";
    let seen = spawned(&place, options, &["--max-time", "20s", "--up-to", "16"]);
    assert_eq!(topology(&seen), "workers:4");
    let of = |what: &str| number(&seen, what);
    // Each of the four gets a copy of its own, and the first process keeps the one that all came from.
    assert_near(of("/live/accumulated/bytes"), 4.0 * 20.0 * MIB, 0.05, "accumulated");
    assert_near(of("/live/accumulated/requests"), 4.0 * 80.0, 0.12, "requests");
    assert_near(of("/ram/buffer_bytes/typical"), 4.25 * MIB, 0.08, "a request");
}

/// A folder of a file system in memory, for a test's own files.
fn memory() -> Option<TempDir> {
    let is_one = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let is_one = is_one.lines().any(|line| line.contains(" /dev/shm tmpfs rw"));
    is_one.then(|| tempfile::tempdir_in("/dev/shm").ok()).flatten()
}

/// Files in a tmpfs are charged to the service, for as long as they are there, and nobody maps them.
#[test]
fn files_in_memory_are_counted() {
    let Some(folder) = memory() else {
        println!("skipped: /dev/shm is no tmpfs that can be written here");
        return;
    };
    let (place, path) = (Place::new(), folder.path().display());
    let options = format!("--base 30M --hold 20M --time 0.05 --spool {path}");
    let seen = spawned(&place, &options, &["--max-time", "12s", "--up-to", "4"]);
    if seen["live"]["charged"] != true {
        println!("skipped: no control group can be made here");
        return;
    }
    let base = number(&seen, "/ram/base_bytes/typical") - nothing(&place);
    assert_near(base, 30.0 * MIB, 0.08, "base");
    assert_near(number(&seen, "/ram/buffer_bytes/typical"), 20.0 * MIB, 0.08, "a request");
    // The kernel's own mark of the group, at four in flight.
    let peak = number(&seen, "/live/group_peak_bytes");
    let rounds = seen.pointer("/live/rounds").and_then(Value::as_array).unwrap();
    let tallest = rounds.iter().map(|r| number(r, "/anon_bytes")).fold(0.0, f64::max);
    assert!((tallest / peak - 1.0).abs() < 0.08, "{tallest} {peak}");
    assert!(seen["live"]["left_behind"].is_null(), "{}", seen["live"]["left_behind"]);

    // What stays there is growth.
    let options = format!("--hold 1M --time 0.01 --spool {path} --spill 256K");
    let leaks = spawned(&place, &options, &["--max-time", "10s", "--up-to", "4"]);
    let slope = number(&leaks, "/live/growth/bytes_per_request/typical");
    assert_near(slope, 256.0 * 1024.0, 0.08, "growth");
    let files = fs::read_dir(folder.path()).unwrap().flatten();
    let left: u64 = files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum();
    #[expect(clippy::cast_precision_loss, reason = "a few megabytes")]
    let left = left as f64;
    assert_near(number(&leaks, "/live/left_behind/bytes"), left, 0.08, "left behind");
    assert_eq!(leaks.pointer("/live/left_behind/paths/0"), Some(&"/dev/shm".into()));
}

/// A service that this tool did not start, and that shares its control group with others.
#[test]
fn a_file_system_in_memory_that_fills_up_is_told() {
    let Some(folder) = memory() else {
        println!("skipped: /dev/shm is no tmpfs that can be written here");
        return;
    };
    let (place, path) = (Place::new(), folder.path().display());
    let service = Service::start(&format!("--hold 20M --time 0.1 --spool {path}"));
    let (pid, url) = (service.child.id().to_string(), service.url());
    let asked = ["--pid", &pid, "--url", &url, "--max-time", "4s", "--up-to", "4"];
    let ran = measure(&place, &[&asked[..], &["--format", "json"]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let seen: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(seen["live"]["charged"], false);
    let filled = &seen["live"]["tmpfs"][0];
    assert_eq!(filled["path"], "/dev/shm", "{}", seen["live"]["tmpfs"]);
    assert_near(number(filled, "/peak_bytes"), 80.0 * MIB, 0.3, "at four in flight");
}

/// Behind a reverse proxy a service takes what it takes alone, and the proxy comes on top.
#[test]
fn a_proxy_in_front_changes_nothing() {
    let place = Place::new();
    let options = "--base 40M --hold 10M --time 0.03";
    let asked = ["--max-time", "10s", "--up-to", "8"];
    let alone = spawned(&place, options, &asked);
    let (front, back) = (port(), port());
    let url = format!("http://127.0.0.1:{front}/work");
    let proxy = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services/proxy.py");
    let [proxy, front, back_text] =
        [proxy.display().to_string(), front.to_string(), back.to_string()];
    let behind = command(back, options);
    let words: Vec<&str> = ["python3", &proxy, &front, &back_text]
        .into_iter()
        .chain(behind.iter().map(String::as_str))
        .collect();
    let start = ["--url", &url, "--format", "json"];
    let ran = measure(&place, &[&start[..], &asked, &["--"], &words].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let proxied: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(topology(&proxied), topology(&alone));
    assert_eq!(
        (&proxied["live"]["workers"], &proxied["live"]["processes"]),
        (&1.into(), &2.into())
    );
    let of = |seen: &Value, what: &str| number(seen, what) / MIB;
    let each = |seen| of(seen, "/ram/buffer_bytes/typical");
    assert_near(each(&proxied), each(&alone), 0.05, "a request");
    // A Python that has imported what a proxy needs.
    let more = of(&proxied, "/ram/base_bytes/typical") - of(&alone, "/ram/base_bytes/typical");
    let own = of(&proxied, "/live/idle/anon_bytes") - of(&alone, "/live/idle/anon_bytes");
    assert!((more - own).abs() < 4.0 && (3.0..20.0).contains(&more), "{more} {own}");
}

/// With fewer bodies than a service keeps answers, where that ends is not seen.
#[test]
fn bodies_that_are_used_up_are_told() {
    let place = Place::new();
    let few = bodies(&place, 40);
    let options = "--cache 2M --cached 100 --hold 4M --time 0.01";
    let seen = spawned(&place, options, &["--max-time", "8s", "--up-to", "4", "--body", &few]);
    let found = &seen["live"]["accumulated"];
    assert_eq!(found["bodies_used_up"], true, "{found}");
    assert_near(number(found, "/bytes"), 80.0 * MIB, 0.15, "accumulated");
}
