//! Services whose runtime sizes its heap by the RAM that it may use: measured in the limit that they are
//! planned for, or with a word about it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "a test that is skipped says so")]

mod common;

use std::process::Command;

use common::service::{MIB, measure, number, port, tests_service};
use common::{Place, Ran};
use serde_json::Value;

fn has(program: &str) -> bool {
    let is_there =
        Command::new(program).arg("--version").output().is_ok_and(|o| o.status.success());
    if !is_there {
        println!("skipped: there is no {program}");
    }
    is_there
}

fn measured(place: &Place, port: u16, more: &[&str], command: &[&str]) -> Ran {
    let url = format!("http://127.0.0.1:{port}/work");
    measure(place, &[&["--url", &url], more, &["--"], command].concat())
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {ran:?}"))
}

/// Whether it was given a limit; where no control group can be made, it is told that it was not.
fn is_limited(ran: &Ran) -> bool {
    let is_limited = !ran.stderr.contains("cannot be given a memory limit");
    if !is_limited {
        println!("skipped: no control group can be made here: {}", ran.stderr);
    }
    is_limited
}

/// A heap that follows the limit: everything is answered inside of it, though a second of requests fills
/// arrays of many times the limit; nothing grows.
#[test]
fn a_java_heap_is_measured_in_its_limit() {
    if !has("javac") {
        return;
    }
    let (place, classes, port) = (Place::new(), tempfile::tempdir().unwrap(), port());
    let folder = classes.path().to_str().unwrap();
    let compiled =
        Command::new("javac").args(["-d", folder, &tests_service("Serve.java")]).status();
    assert!(compiled.unwrap().success());
    let (number_of_port, output) =
        (port.to_string(), place.file("java.yaml").display().to_string());
    let command = ["java", "-cp", folder, "Serve", &number_of_port];
    let options = ["--ram", "256M", "--max-time", "12s", "--format", "json", "-o", &output];
    let ran = place.run(
        &[
            &["measure", "--url", &format!("http://127.0.0.1:{port}/")],
            &options[..],
            &["--"],
            &command,
        ]
        .concat(),
    );
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    if !is_limited(&ran) {
        return;
    }
    let seen = json(&ran);
    assert_eq!(seen["live"]["managed_heap"]["runtime"], "java", "{}", seen["live"]);
    assert_eq!(number(&seen, "/live/managed_heap/ram_bytes"), 256.0 * MIB);
    assert_eq!(seen["live"]["failures"], serde_json::json!([]));
    assert!(seen["live"]["growth"].is_null(), "{}", seen["live"]["growth"]);
    // The kernel: it never charged more, and killed nobody.
    let charged = number(&seen, "/live/group_peak_bytes") / MIB;
    assert!(charged <= 256.0, "{charged}");
    // Planned for that limit nothing is said of it; for another, that it would be another heap.
    let planned =
        |ram: &str| place.run(&["--profile", &output, "--ram", ram, "--cpus", "1"]).stdout;
    assert!(!planned("256M").contains("sizes its heap"), "{}", planned("256M"));
    let other = planned("2G").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(other.contains("Java sizes its heap by the RAM"), "{other}");
    assert!(other.contains("measure --ram 2G"), "{other}");
}

/// Where nobody says how much RAM there is to be, that it matters is told with the way out; a size that
/// somebody has fixed does not follow.
#[test]
fn a_heap_that_would_follow_is_told() {
    if !has("node") {
        return;
    }
    let (place, port) = (Place::new(), port());
    let (number_of_port, script) = (port.to_string(), tests_service("serve.js"));
    let brief = ["--max-time", "2s", "--up-to", "3"];
    let ran = measured(&place, port, &brief, &["node", &script, &number_of_port, "2"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let text = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("Node.js sizes its heap by the RAM"), "{text}");
    assert!(text.contains("measure --ram SIZE"), "{text}");
    let fixed = ["node", "--max-old-space-size=64", &script, &number_of_port, "2"];
    let ran = measured(&place, port, &brief, &fixed);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(!ran.stdout.contains("sizes its heap"), "{}", ran.stdout);
}

/// In its limit it is killed: a result, with the requests in flight that it took.
#[test]
fn a_service_that_its_limit_kills_needs_more() {
    if !has("node") {
        return;
    }
    let (place, port) = (Place::new(), port());
    let (number_of_port, script) = (port.to_string(), tests_service("serve.js"));
    let limited = ["--ram", "200M", "--max-time", "6s", "--format", "json"];
    let ran = place.run(
        &[
            &["measure", "--url", &format!("http://127.0.0.1:{port}/")],
            &limited[..],
            &["--", "node", &script, &number_of_port, "24"],
        ]
        .concat(),
    );
    if !is_limited(&ran) {
        return;
    }
    let seen = json(&ran);
    let first = &seen["live"]["failures"][0];
    let what = first["what"].as_str().unwrap();
    assert!(what.contains("the kernel killed it: it needs more than 200 MiB"), "{first}");
    // Seven of 24 MiB beside an interpreter of 40 are too many, and two are not.
    let n = first["concurrency"].as_u64().unwrap();
    assert!((4..=8).contains(&n), "{first}");
    // Not even started.
    let none = ["--ram", "4M", "--max-time", "2s"];
    let ran = measured(&place, port, &none, &["node", &script, &number_of_port, "1"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stdout);
    assert!(
        ran.stderr.contains("while it started in a control group of 4.0 MiB"),
        "{}",
        ran.stderr
    );
}
