//! Everything that is printed of a footprint, as snapshots: planted costs through the whole
//! program, so that a swapped number in a sentence shows as well as a wrong one.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use assert_cmd::Command;
use tempfile::TempDir;

const PLANTED: &str =
    "base=300M,buffer=20M,noise=0.004,seed=5,load_peak=330M,cold_extra=2M,cpu=0.04";

/// Runs the program and returns what it printed, with the one thing that changes taken out.
fn printed(columns: u16, planted: &str, arguments: &[&str]) -> String {
    let home = TempDir::new().unwrap();
    let output = Command::cargo_bin("mediscope-size")
        .unwrap()
        .args(arguments)
        .args(["--synthetic", planted])
        .env("HOME", home.path())
        .env("MEDISCOPE_SIZE_CACHE", home.path().join("cache"))
        .env("LC_ALL", "C")
        .env("SOURCE_DATE_EPOCH", "1767052800")
        .env("COLUMNS", columns.to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("warning"), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

macro_rules! snapshot {
    ($name:literal, $text:expr) => {
        insta::with_settings!({filters => vec![(r"Measured now, in\s+[0-9.]+\s+m?s", "Measured now, in [TIME]")]}, {
            insta::assert_snapshot!($name, $text);
        });
    };
}

/// A screen of 24 lines with what is above it, no wider than asked, and one line where quiet is asked for.
#[test]
fn the_answer_is_on_one_screen() {
    for target in [&["--ram", "1G", "--cpus", "1"][..], &["--ram", "256M", "--cpus", "2"], &[]] {
        for more in [&[][..], &["--rps", "20", "--slo", "p95=300ms"]] {
            let text = printed(80, PLANTED, &[target, more].concat());
            assert!(text.lines().count() <= 30, "{text}");
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
            let line = printed(80, PLANTED, &[target, more, &["-q"]].concat());
            assert_eq!(line.lines().count(), 1, "{line}");
            assert!(text.contains(line.split(" · ").next().unwrap().trim()), "{line}{text}");
        }
    }
}

/// Exit code 1 where it does not fit, and only where that is asked for.
#[test]
fn an_answer_may_be_an_exit_code() {
    for (ram, more, code) in [
        ("256M", &["--exit-code"][..], 1),
        ("256M", &[], 0),
        ("1G", &["--exit-code"], 0),
        ("1G", &["--exit-code", "--rps", "50"], 1),
    ] {
        let run = Command::cargo_bin("mediscope-size")
            .unwrap()
            .args(["--synthetic", PLANTED, "--ram", ram, "--cpus", "1"])
            .args(more)
            .env("MEDISCOPE_SIZE_CACHE", TempDir::new().unwrap().path())
            .output()
            .unwrap();
        assert_eq!(run.status.code(), Some(code), "{ram} {more:?}: {run:?}");
    }
}

#[test]
fn a_box_that_fits_at_eighty_columns() {
    snapshot!("fits_80", printed(80, PLANTED, &["--ram", "1G", "--cpus", "1"]));
}

#[test]
fn a_box_that_fits_on_a_wide_terminal() {
    snapshot!("fits_120", printed(120, PLANTED, &["--ram", "1G", "--cpus", "2"]));
}

/// A budget that ends with its minimum has one burst: that is told, unless bursts do not matter.
#[test]
fn a_lone_burst_is_told() {
    let codes = |more: &[&str]| {
        let asked = [&["--ram", "1G", "--format", "json"], more].concat();
        let report: serde_json::Value =
            serde_json::from_str(&printed(80, PLANTED, &asked)).unwrap();
        let warnings = report["warnings"].as_array().unwrap().iter();
        warnings.map(|w| w["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let is_told = |more: &[&str]| codes(more).contains(&"one_burst".to_owned());
    assert!(is_told(&["--max-time", "10ms"]));
    assert!(!is_told(&["--max-time", "10ms", "--warmed"]));
    assert!(!is_told(&[]), "three by default");
}

/// The text without its line breaks.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// However small the budget, the fit is checked at a concurrency that it was not made from; where it
/// could not be, that stands beside the verdict.
#[test]
fn a_fit_is_checked_or_the_verdict_says_so() {
    let told = "not checked at a concurrency";
    for budget in ["1ms", "2s", "40s"] {
        let report = printed(80, PLANTED, &["--ram", "1G", "--max-time", budget, "--full"]);
        assert!(report.contains("From the smaller N alone, N = "), "{budget}: {report}");
        assert!(!report.contains(told), "{budget}: {report}");
    }
    // Every process is killed before it gets to the check.
    let killed = printed(80, &format!("{PLANTED},kill_at=8"), &["--ram", "1G"]);
    assert!(killed.contains("low confidence") && words(&killed).contains(told), "{killed}");
}

#[test]
fn a_box_that_is_tight() {
    snapshot!("tight", printed(100, PLANTED, &["--ram", "400M", "--cpus", "0.5"]));
}

#[test]
fn a_box_that_is_too_small() {
    snapshot!("does_not_fit", printed(100, PLANTED, &["--ram", "256M", "--cpus", "1"]));
}

#[test]
fn the_smallest_box_for_a_concurrency() {
    snapshot!("concurrency", printed(100, PLANTED, &["--concurrency", "20"]));
}

#[test]
fn a_service_that_is_warmed_up() {
    snapshot!("warmed", printed(100, PLANTED, &["--ram", "1G", "--warmed"]));
}

#[test]
fn a_curve_that_is_not_a_line() {
    let bent = "base=300M,buffer=20M,bend=2000000,noise=0.001,seed=2,load_peak=320M";
    let text = printed(100, bent, &["--ram", "1G", "--cpus", "1"]);
    assert!(words(&text).contains("along a straight line"), "{text}");
    snapshot!("not_a_line", text);
}

#[test]
fn a_child_that_was_killed() {
    let killed = format!("{PLANTED},kill_at=8");
    let text = printed(100, &killed, &["--ram", "1G", "--cpus", "1"]);
    assert!(words(&text).contains("killed with 8 requests in flight"), "{text}");
    snapshot!("killed", text);
}

#[test]
fn json_of_size() {
    snapshot!(
        "size_json",
        printed(80, PLANTED, &["--ram", "1G", "--cpus", "1", "--format", "json"])
    );
}

#[test]
fn json_of_measure() {
    snapshot!("measure_json", printed(80, PLANTED, &["measure", "--format", "json"]));
}

/// What was planted comes back: the whole way from a child's reading to the printed line.
#[test]
fn planted_costs_come_back() {
    let exact = "base=300M,buffer=20M,load_peak=310M,cpu=0.05";
    let text = printed(80, exact, &["--ram", "1G", "--cpus", "2", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mib = |pointer: &str| {
        report.pointer(pointer).and_then(serde_json::Value::as_f64).unwrap() / 1_048_576.0
    };
    assert!((mib("/memory/base/typical") - 300.0).abs() < 0.01);
    assert!((mib("/memory/buffer/typical") - 20.0).abs() < 0.01);
    // floor((1024 − 1 for the kernel − 300) / 20).
    assert_eq!(report["capacity"]["typical_concurrency"], 36);
    // The high end of cost: one request's worth more for each doubling beyond the 16 measured.
    let need = |n: f64| 1.0 + 300.0 + 20.0 * (n + (n / 16.0).log2());
    assert!(need(35.0) <= 1024.0 && need(36.0) > 1024.0);
    assert_eq!(report["capacity"]["safe_concurrency"], 35);
    let rps = report["capacity"]["throughput"]["typical"].as_f64().unwrap();
    assert!((rps - 40.0).abs() < 1e-9, "{rps}");
}

/// A profile with its footprint answers on a machine that cannot measure.
#[test]
fn a_measured_profile_answers_elsewhere() {
    let folder = TempDir::new().unwrap();
    let profile = folder.path().join("service.yaml");
    let first = printed(80, PLANTED, &["measure", "-o", profile.to_str().unwrap(), "-q"]);
    assert_eq!(first, "");
    let again = Command::cargo_bin("mediscope-size")
        .unwrap()
        .args(["--profile", profile.to_str().unwrap(), "--ram", "1G", "--cpus", "1"])
        .env("PATH", "")
        .env("MEDISCOPE_SIZE_CACHE", folder.path().join("never"))
        .env("LC_ALL", "C")
        .env("SOURCE_DATE_EPOCH", "1767052800")
        .env("COLUMNS", "80")
        .output()
        .unwrap();
    let text = String::from_utf8(again.stdout).unwrap();
    assert!(text.contains("Footprint from the profile"), "{text}");
    assert!(!folder.path().join("never").exists());
    let here = printed(80, PLANTED, &["--ram", "1G", "--cpus", "1"]);
    let tables = |t: &str| t.split_once("── Verdict").map(|(_, rest)| rest.to_owned());
    assert_eq!(tables(&text), tables(&here));
}

/// The footprint of a planted machine is of another processor than any real one.
#[test]
fn a_footprint_of_another_processor_is_said_for_the_box_found_here() {
    let text = printed(100, PLANTED, &["--box", "this", "--ram", "1G"]);
    assert!(text.contains("This box: ") && text.contains("CPU"), "{text}");
    assert!(!text.contains("MemTotal"), "the RAM was given: {text}");
    let given = printed(100, PLANTED, &["--ram", "1G", "--cpus", "1"]);
    let other = |report: &str| words(report).contains("another processor");
    assert!(other(&text) && !other(&given), "{text}");
}

/// Latency, the largest rate, the chance of more in flight than RAM holds, and what to admit.
#[test]
fn requests_that_wait() {
    let asked =
        |more: &[&str]| printed(100, PLANTED, &[&["--ram", "1G", "--cpus", "1"], more].concat());
    snapshot!("load", asked(&["--rps", "20/s", "--slo", "p95=300ms", "--section", "load"]));
    assert!(asked(&["--rps", "1200/min"]).contains("20/s takes"), "part of the verdict");
    // 25 a second at 40 ms: more than the CPU gives, and said so.
    let above = asked(&["--rps", "26"]);
    assert!(above.contains("DOES NOT FIT") && above.contains("limited by the CPUs"), "{above}");
    assert!(asked(&["--rps", "26", "--section", "load"]).contains("more than the CPUs give"));
}

#[test]
fn a_rate_or_an_objective_that_is_none_is_refused() {
    for (option, value, message) in [
        ("--rps", "0", "is not a rate"),
        ("--rps", "ten", "is not a rate"),
        ("--slo", "95=2s", "is not an objective"),
        ("--slo", "p95", "is not an objective"),
    ] {
        let run = Command::cargo_bin("mediscope-size").unwrap().args([option, value]).output();
        let said = String::from_utf8(run.unwrap().stderr).unwrap();
        assert!(said.contains(message), "{said}");
    }
}

/// Twice the CPU time for half the score, less surely, and the RAM as it was.
#[test]
fn another_cpu_is_extrapolated() {
    let json = |more: &[&str]| -> serde_json::Value {
        let asked = [&["--ram", "1G", "--cpus", "1", "--format", "json"], more].concat();
        serde_json::from_str(&printed(100, PLANTED, &asked)).unwrap()
    };
    let (here, there) = (json(&[]), json(&["--cpu-score", "500/1000"]));
    let at = |report: &serde_json::Value, pointer: &str| {
        report.pointer(pointer).and_then(serde_json::Value::as_f64).unwrap()
    };
    let seconds = "/capacity/cpu_seconds_per_request";
    let typical = format!("{seconds}/typical");
    assert!((at(&there, &typical) / at(&here, &typical) - 2.0).abs() < 1e-9);
    assert!(at(&there, &format!("{seconds}/high")) > 1.09 * at(&there, &typical));
    assert_eq!(there.pointer(&format!("{seconds}/source")).unwrap(), "extrapolated");
    assert_eq!(there["memory"]["base"], here["memory"]["base"]);
    let said = printed(100, PLANTED, &["--ram", "1G", "--cpus", "1", "--cpu-score", "500/1000"]);
    assert!(words(&said).contains("2.00 × those measured"), "{said}");
    // Nobody knows how fast the planted machine is.
    let run = Command::cargo_bin("mediscope-size")
        .unwrap()
        .args(["--synthetic", PLANTED, "--ram", "1G", "--cpu-score", "500"])
        .env("MEDISCOPE_SIZE_CACHE", TempDir::new().unwrap().path())
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8(run.stderr).unwrap().contains("calibrate` there"));
}

/// Who waits for another service holds RAM and neither a CPU nor a slot. By hand: 0.2 s of CPU time at
/// one a second on one CPU take 0.2 / (1 − 0.2) s in the mean (M/G/1, shared), and 2 s of waiting come
/// on top; by Little's law as many are in flight.
#[test]
fn waiting_for_others_takes_no_cpu() {
    let folder = TempDir::new().unwrap();
    let load = |call: &str| -> serde_json::Value {
        let path = folder.path().join("caller.yaml");
        let stages = format!("{{Inference: {{ram: 50MB, time: 200ms}}, Upstream call: {call}}}");
        let declared = "declared:\n  shared: {parts: {Program: 100MB}}\n  request:\n    stages:";
        std::fs::write(&path, format!("name: caller\n{declared} {stages}\n")).unwrap();
        let output = Command::cargo_bin("mediscope-size")
            .unwrap()
            .args(["--profile", path.to_str().unwrap(), "--ram", "1G", "--cpus", "1"])
            .args(["--rps", "1", "--format", "json", "--quiet"])
            .output()
            .unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        report
    };
    let near = |value: &serde_json::Value, expected: f64| {
        let value = value.as_f64().unwrap();
        assert!((value / expected - 1.0).abs() < 1e-6, "{value} instead of {expected}");
    };
    let outside = load("{ram: 1MB, time: 2s, external: true}");
    near(&outside["capacity"]["throughput"]["low"], 5.0);
    let rows = outside["rate_rows"].as_array().unwrap();
    let asked = rows.iter().find(|row| row["asked"] == true).unwrap();
    near(&asked["rate_rps"], 1.0);
    near(&asked["mean_concurrency"], 2.25);
    near(&asked["p50"], 2.2);
    // The same two seconds on the CPU are more than there is.
    let inside = load("{ram: 1MB, time: 2s}");
    near(&inside["capacity"]["throughput"]["low"], 1.0 / 2.2);
    let last = inside["rate_rows"].as_array().unwrap().last().unwrap();
    assert!(last["mean_concurrency"].is_null() && last["p95"].is_null(), "{last}");
    assert_eq!(inside["verdict"]["answer"], "does_not_fit");
}
