//! Topologies on planted costs: what is planted comes back, whichever topology is measured, and
//! what one and two of something predict is what four of it take.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Place, Ran, assert_refused};
use serde_json::Value;

/// 250 MiB a session, 6 MiB a waiting request; 12 of the 300 MiB are file pages.
const EXACT: &str = "base=300M,buffer=20M,session=250M,held=6M,load_peak=310M,cpu=0.04";
const NOISY: &str =
    "base=300M,buffer=20M,session=250M,held=6M,load_peak=330M,cpu=0.04,noise=0.004,seed=5";

fn answered(ran: Ran) -> String {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.stdout
}

fn json(place: &Place, arguments: &[&str]) -> Value {
    let all = [arguments, &["--format", "json", "--quiet"]].concat();
    serde_json::from_str(&answered(place.run(&all))).unwrap()
}

fn mib(report: &Value, pointer: &str) -> f64 {
    let found = report.pointer(pointer).and_then(Value::as_f64);
    found.unwrap_or_else(|| panic!("{pointer} in {report}")) / 1_048_576.0
}

/// Base and buffer of the line beyond the knee, and the requests that 2 GiB hold.
#[test]
fn each_topology_is_measured_as_what_it_is() {
    let place = Place::new();
    for (topology, base, buffer) in [
        ("shared", 300.0, 20.0),
        // One runs and takes 20, the others wait with 6 each.
        ("serial", 300.0 + 14.0, 6.0),
        ("pool:1", 300.0 + 14.0, 6.0),
        ("pool:3", 300.0 + 2.0 * 250.0 + 3.0 * 14.0, 6.0),
        ("workers:2", 2.0 * 288.0 + 12.0, 20.0),
        ("workers:3/serial", 3.0 * (288.0 + 14.0) + 12.0, 6.0),
    ] {
        let asked = ["--synthetic", EXACT, "--topology", topology, "--ram", "2G", "--cpus", "2"];
        let report = json(&place, &asked);
        assert_eq!(report["footprint"]["topology"], topology);
        assert!((mib(&report, "/memory/base/typical") - base).abs() < 0.01, "{topology}");
        assert!((mib(&report, "/memory/buffer/typical") - buffer).abs() < 0.01, "{topology}");
        let kernel =
            if topology.starts_with("workers") { topology[8..9].parse().unwrap() } else { 1.0 };
        let holds = ((2048.0 - kernel - base) / buffer).floor();
        assert_eq!(report["capacity"]["typical_concurrency"].as_f64(), Some(holds), "{topology}");
        // Loading everything twice reaches twice as high.
        assert!(mib(&report, "/memory/load_peak/typical") >= 310.0);
    }
    // Each is kept by itself.
    assert_eq!(place.kept().len(), 6);
}

/// A request is all `Run` here: one at a time keeps one CPU busy, however many there are.
#[test]
fn a_lock_gives_the_throughput_of_one_cpu() {
    let place = Place::new();
    let rps = |topology: &str, cpus: &str| {
        let asked = ["--synthetic", EXACT, "--topology", topology, "--ram", "4G", "--cpus", cpus];
        json(&place, &asked)["capacity"]["throughput"]["typical"].as_f64().unwrap()
    };
    assert!((rps("shared", "4") - 100.0).abs() < 1e-6);
    assert!((rps("serial", "4") - 25.0).abs() < 1e-6);
    assert!((rps("serial", "0.5") - 12.5).abs() < 1e-6);
    assert!((rps("pool:2", "4") - 50.0).abs() < 1e-6);
    assert!((rps("workers:2", "4") - 100.0).abs() < 1e-6);
}

#[test]
fn one_and_two_predict_four_and_the_check_says_how_well() {
    let place = Place::new();
    let compare = ["measure", "--synthetic", EXACT, "--topologies", "serial,pool,workers"];
    let measured = json(&place, &compare);
    let runs: Vec<(&str, u64)> = measured["ram"]["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| (run["topology"].as_str().unwrap(), run["k"].as_u64().unwrap()))
        .collect();
    // A pool of one is what a lock is, one worker is `shared`: neither is measured twice.
    assert_eq!(
        runs,
        [("serial", 1), ("pool:2", 2), ("workers:2", 2), ("pool:4", 4), ("workers:4", 4)]
    );
    let sized =
        json(&place, &["--synthetic", EXACT, "--ram", "4G", "--cpus", "1", "--concurrency", "16"]);
    let alternatives = sized["topologies"].as_array().unwrap();
    let total = |topology: &str| {
        let found = alternatives.iter().find(|a| a["topology"] == topology).unwrap();
        assert_ne!(found["memory"]["source"], "assumed");
        mib(found, "/memory/typical")
    };
    for (topology, expected) in [
        ("serial", 300.0 + 20.0 + 15.0 * 6.0),
        ("pool:2", 550.0 + 40.0 + 14.0 * 6.0),
        ("pool:4", 1050.0 + 80.0 + 12.0 * 6.0),
        ("workers:2", 2.0 * 288.0 + 12.0 + 16.0 * 20.0),
        ("workers:4", 4.0 * 288.0 + 12.0 + 16.0 * 20.0),
    ] {
        assert!((total(topology) - expected).abs() < 0.01, "{topology}: {}", total(topology));
    }
    assert!((mib(&sized, "/memory/per_session/typical") - 250.0).abs() < 0.01);
    assert!((mib(&sized, "/memory/per_worker/typical") - 288.0).abs() < 0.01);
    assert!((mib(&sized, "/memory/waiting/typical") - 6.0).abs() < 0.01);
}

#[test]
fn what_was_compared_is_kept_and_not_measured_again() {
    let place = Place::new();
    let measure = |families: &str| {
        let ran = place.run(&["measure", "--synthetic", EXACT, "--topologies", families]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran
    };
    let first = measure("pool");
    assert!(first.stderr.contains("(pool:1, pool:2, pool:4) takes about"), "{}", first.stderr);
    let second = measure("pool,serial");
    assert_eq!(second.stderr, "", "serial is a pool of one");
    let third = measure("pool,workers");
    assert!(third.stderr.contains("(workers:2, workers:4) takes about"), "{}", third.stderr);
    assert!(third.stdout.contains("from the cache"), "{}", third.stdout);
    assert_eq!(place.kept().len(), 1);
}

/// Nothing else was run: what four workers take is derived from one, and said to be a guess.
#[test]
fn without_runs_the_comparison_is_assumed() {
    let place = Place::new();
    let report = json(&place, &["--synthetic", EXACT, "--ram", "1G", "--cpus", "1"]);
    let alternatives = report["topologies"].as_array().unwrap();
    assert_eq!(alternatives.len(), 1);
    assert_eq!(alternatives[0]["topology"], "workers:4");
    assert_eq!(alternatives[0]["memory"]["source"], "assumed");
}

#[test]
fn a_worker_that_is_killed_is_a_result() {
    let place = Place::new();
    // Five requests on two workers are three and two.
    let killed = format!("{NOISY},kill_at=3");
    let asked = ["--synthetic", &killed, "--topology", "workers:2", "--ram", "2G", "--cpus", "1"];
    let text = answered(place.run(&asked));
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("killed with 5 requests in flight"), "{flat}");
    // In another topology than the service's own: the rest is answered.
    let killed = format!("{EXACT},kill_at=16");
    let text = answered(place.run(&["measure", "--synthetic", &killed, "--topologies", "pool"]));
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("Topology pool:4 was killed with 16 requests in flight"), "{flat}");
}

#[test]
fn the_table_of_topologies() {
    let place = Place::new();
    let compare = ["measure", "--synthetic", NOISY, "--topologies", "serial,pool,workers", "-q"];
    answered(place.run(&compare));
    let asked =
        ["--synthetic", NOISY, "--ram", "2G", "--cpus", "2", "--concurrency", "10", "--full"];
    let mut command = place.command(&asked);
    let text = answered(
        command
            .env("LC_ALL", "C")
            .env("SOURCE_DATE_EPOCH", "1767052800")
            .env("COLUMNS", "110")
            .output()
            .unwrap()
            .into(),
    );
    let table = text.split_once("Other topologies").unwrap().1;
    insta::assert_snapshot!("table", table.split_once("\n\n── ").unwrap().0);
    // The same service as a pool: its own tables, and what is there from one line only.
    let pool = ["--synthetic", NOISY, "--ram", "2G", "--cpus", "2", "--topology", "pool:4"];
    let mut command = place.command(&pool);
    let text = answered(
        command
            .env("LC_ALL", "C")
            .env("SOURCE_DATE_EPOCH", "1767052800")
            .env("COLUMNS", "110")
            .output()
            .unwrap()
            .into(),
    );
    let from = text.find("✔").unwrap();
    insta::assert_snapshot!("pool", text[from..].split_once("\n\nReport of").unwrap().0);
}

#[test]
fn a_profile_says_its_topology_and_the_command_line_overrides_it() {
    let place = Place::new();
    let profile = place.file("service.yaml");
    let yaml = "name: s\ntopology: pool:2\nmodels:\n  net: {architecture: resnet18}\n";
    std::fs::write(&profile, yaml).unwrap();
    let path = profile.to_str().unwrap();
    let asked = ["--profile", path, "--synthetic", EXACT, "--ram", "1G"];
    assert_eq!(json(&place, &asked)["footprint"]["topology"], "pool:2");
    let other = [&asked[..], &["--topology", "serial"]].concat();
    assert_eq!(json(&place, &other)["footprint"]["topology"], "serial");
    // A footprint of one topology does not answer for another.
    let measured = place.file("measured.yaml");
    let measured = measured.to_str().unwrap();
    answered(place.run(&[
        "measure",
        "--profile",
        path,
        "--synthetic",
        EXACT,
        "-q",
        "-o",
        measured,
    ]));
    let from = |extra: &[&str]| {
        let asked = ["--profile", measured, "--synthetic", EXACT, "--ram", "1G", "--remeasure"];
        let asked = if extra.is_empty() { &asked[..6] } else { &asked[..] };
        answered(place.run(&[asked, extra].concat()))
    };
    assert!(from(&[]).contains("Footprint from the profile"));
    assert!(from(&["--topology", "serial"]).contains("Measured now"));
}

#[test]
fn bad_topologies_are_refused_with_what_is_good() {
    let place = Place::new();
    for (arguments, says) in [
        (&["--topology", "pool"][..], "says no number"),
        (&["--topology", "pool:0"], "use 1 to 256"),
        (&["--topology", "workers:257"], "use 1 to 256"),
        (&["--topology", "pooled"], "use shared, serial, pool:K"),
        (&["measure", "--topologies", "shared"], "possible values: serial, pool, workers"),
    ] {
        let ran = place.run(arguments);
        assert_refused(&ran, says);
        assert!(ran.stderr.contains(says), "{arguments:?}: {}", ran.stderr);
    }
    place.assert_untouched("a bad topology");
}
