//! `measure --vary` from outside, on planted costs that settings and inputs change by known
//! amounts: see `src/commands/synthetic.rs`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::path::Path;

use common::{Place, Ran, assert_refused, children_of, finish, wait_for};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const PLANTED: &str = "base=300M,buffer=20M,noise=0.001,seed=5,load_peak=330M,cpu=0.04";

/// Arguments of a comparison on planted costs.
fn varying<'a>(planted: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
    [&["measure", "--synthetic", planted, "--max-time", "30s"], arguments].concat()
}

fn compared(place: &Place, arguments: &[&str]) -> Ran {
    place.run(&varying(PLANTED, arguments))
}

fn json(place: &Place, arguments: &[&str]) -> Value {
    let ran = compared(place, &[arguments, &["--format", "json"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/variants-1.schema.json");
    let schema: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let errors: Vec<String> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&report)
        .map(|e| format!("{}: {e}", e.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    report
}

fn number(value: &Value, pointer: &str) -> f64 {
    value.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer} in {value}"))
}

fn at_width(columns: u16, arguments: &[&str]) -> String {
    let place = Place::new();
    let output = place
        .command(&varying(PLANTED, &[arguments, &["--quiet"]].concat()))
        .env("LC_ALL", "C")
        .env("SOURCE_DATE_EPOCH", "1767052800")
        .env("COLUMNS", columns.to_string())
        .output()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    String::from_utf8(output.stdout).unwrap()
}

const SETTINGS: &[&str] =
    &["--vary", "arena=on,off", "--vary", "memory-pattern=on,off", "--ram", "480M"];

#[test]
fn settings_at_eighty_columns() {
    insta::assert_snapshot!("settings_80", at_width(80, SETTINGS));
}

#[test]
fn settings_on_a_wide_terminal() {
    insta::assert_snapshot!("settings_120", at_width(120, SETTINGS));
}

#[test]
fn inputs_on_a_wide_terminal() {
    let inputs = &["--vary", "image=1mp,4mp,12mp", "--cpus", "2"];
    insta::assert_snapshot!("inputs_120", at_width(120, inputs));
}

#[test]
fn variants_as_json() {
    let mut report = json(&Place::new(), &["--vary", "arena=on,off", "--ram", "480M"]);
    // The version of the tool is the one thing that changes.
    report["environment"]["tool"] = "[tool]".into();
    insta::assert_json_snapshot!("variants_json", report);
}

/// A fifth of the buffer, for 8 % of the CPU time.
#[test]
fn what_was_planted_is_what_is_told() {
    let report = json(&Place::new(), &["--vary", "arena=on,off", "--concurrency", "16"]);
    let mib = 1_048_576.0;
    assert!((number(&report, "/variants/0/buffer_bytes/typical") / mib - 20.0).abs() < 0.5);
    assert!((number(&report, "/variants/1/buffer_bytes/typical") / mib - 16.0).abs() < 0.5);
    let saved = number(&report, "/tips/0/limit_bytes/typical") / mib;
    assert!((saved + 16.0 * 4.0).abs() < 5.0, "{saved}");
    assert!((number(&report, "/tips/0/cpu_seconds/share") - 0.08).abs() < 0.001);
    for what in ["limit_bytes", "cpu_seconds"] {
        assert_eq!(report["tips"][0][what]["within_noise"], false, "{report}");
    }
}

/// Each variant is a measurement like any other: kept, and found by `measure` with its options.
#[test]
fn each_variant_is_kept_as_measure_would() {
    let place = Place::new();
    let ran = compared(&place, &["--vary", "arena=on,off", "--vary", "image=2mp,4mp"]);
    assert!(ran.stderr.contains("note: 4 variants: about 2 min, 30 s each"), "{ran:?}");
    assert!(ran.stderr.contains("note: variant 4 of 4: arena=off, image=4mp"), "{ran:?}");
    let alone = |options: &[&str]| compared(&place, options).stdout;
    assert!(alone(&["--arena", "off", "--image", "4mp"]).contains("Footprint from the cache"));
    assert!(alone(&["--arena", "on"]).contains("Footprint from the cache"));
    assert!(alone(&["--spinning", "on"]).contains("Measured now"));
    let again = compared(&place, &["--vary", "arena=on,off", "--vary", "spinning=off,on"]);
    assert!(again.stderr.contains("4 variants, 3 of them kept"), "{again:?}");
}

#[test]
fn a_dry_run_measures_nothing() {
    let place = Place::new();
    let ran = compared(&place, &["--vary", "arena=on,off", "--vary", "batch=1,4", "--dry-run"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("Would compare 4 variants: about 2 min, 30 s each"), "{ran:?}");
    assert!(ran.stdout.contains("measures arena=off, batch=4"), "{ran:?}");
    place.assert_untouched("a dry run");
}

/// Settings that the header names, and the size that a profile allows at most.
#[test]
fn a_report_says_which_settings_and_which_image_it_is_for() {
    let place = Place::new();
    let profile = "name: scans\nmodels:\n  net: {architecture: resnet18}\nrequest:\n  images: [4mp, 12mp, 1mp]\nsettings: onnxruntime\n";
    fs::write(place.file("scans.yaml"), profile).unwrap();
    let ran = place.planted(PLANTED, &["--profile", "scans.yaml"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let text = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("2 threads a run, spinning=on, malloc-arenas=default;"), "{text}");
    assert!(text.contains("request image 4000×3000"), "{text}");
    assert!(
        text.contains("Requests may carry images of 1mp, 4mp, 12mp: everything here is for the"),
        "{text}"
    );
    // An option is one size, and nothing is said of others.
    let one = place.planted(PLANTED, &["--profile", "scans.yaml", "--image", "4mp"]);
    assert!(!one.stdout.contains("Requests may carry"), "{one:?}");
    // What is written is read again.
    let ran = place.run(&[
        "measure",
        "--synthetic",
        PLANTED,
        "--profile",
        "scans.yaml",
        "-o",
        "out.yaml",
        "--threads",
        "2",
    ]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let written = fs::read_to_string(place.file("out.yaml")).unwrap();
    assert!(written.contains("threads: 2\n") && written.contains("malloc_arenas: default\n"));
    assert!(written.contains("images:") && written.contains("- 12mp"), "{written}");
    let again = place.run(&["--profile", "out.yaml", "--ram", "2G"]);
    assert!(again.stdout.contains("Footprint from the profile"), "{again:?}");
    // Another setting than the one that was measured is measured.
    let other = place.run(&["--profile", "out.yaml", "--ram", "2G", "--arena", "off", "--dry-run"]);
    assert!(!other.stdout.contains("from the footprint in the profile"), "{other:?}");
    let same = place.run(&["--profile", "out.yaml", "--ram", "2G", "--threads", "2", "--dry-run"]);
    assert!(same.stdout.contains("from the footprint in the profile"), "{same:?}");
}

#[test]
fn an_interrupt_keeps_the_variants_that_are_finished() {
    let place = Place::new();
    let first = ["--vary", "arena=on,off", "--format", "json"];
    // The first one is kept already, the second takes minutes.
    let planted = format!("{PLANTED},delay=0.4");
    let alone = ["measure", "--synthetic", &planted, "--arena", "on", "--max-time", "1s"];
    assert_eq!(place.run(&alone).code, Some(0));
    let arguments = [&["measure", "--synthetic", &planted][..], &first].concat();
    let run = place.command(&arguments).spawn().unwrap();
    wait_for("the second variant's process", || children_of(run.id()).first().copied());
    kill_process(Pid::from_raw(run.id().cast_signed()).unwrap(), Signal::INT).unwrap();
    let ran = finish(run);
    assert_eq!(ran.code, Some(130), "{ran:?}");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["variants"].as_array().unwrap().len(), 1, "{report}");
    assert_eq!(report["not_measured"][0]["variant"], "arena=off");
    assert_eq!(report["tips"], serde_json::json!([]));
}

#[test]
fn a_mistake_in_one_variant_is_found_before_any_is_measured() {
    let place = Place::new();
    let ran = place.run(&["measure", "--vary", "batch=1,4"]);
    assert_refused(&ran, "a batch");
    assert!(ran.stderr.contains("leave out `batch`"), "{ran:?}");
    place.assert_untouched("a mistake");
}

/// What fails leaves the others be, unless it is the one that they are compared with.
#[test]
fn a_variant_that_is_killed_is_said_and_left_out() {
    let planted = format!("{PLANTED},kill_at=4");
    let place = Place::new();
    let ran = place.run(&varying(&planted, &["--vary", "batch=1,4"]));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("warning: variant batch=4: the measured process was killed"));
    let text = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("Not measured • batch=4: the measured process was killed"), "{text}");
    let ran = place.run(&varying(&planted, &["--vary", "batch=4,1"]));
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    assert!(
        ran.stderr.contains("error: variant batch=4: the measured process was killed"),
        "{ran:?}"
    );
}

#[test]
fn what_cannot_be_varied_is_refused() {
    let place = Place::new();
    for (arguments, says) in [
        (&["--vary", "arena"][..], "has no values: write them as in arena=on,off"),
        (&["--vary", "colour=red,blue"], "`colour` cannot be varied: there is threads, arena"),
        (&["--vary", "arena=on"], "of one value use the option --arena"),
        (&["--vary", "arena=on,maybe"], "arena: `maybe` is no switch: use on or off"),
        (&["--vary", "arena=on,on"], "arena=on is given twice"),
        (&["--vary", "arena=on,"], "arena: `` is no switch"),
        (&["--vary", "threads=0,1"], "threads: 0 is no number of threads: use 1 to 1024"),
        (&["--vary", "image=1mp,scan.jpg"], "`scan.jpg` is no size of an image"),
        (&["--vary", "image=1mp,51mp"], "at most 50mp"),
        (&["--vary", "batch=1,0"], "0 is no batch: use 1 to 1024"),
        (&["--vary", "arena=on,off", "--vary", "arena=off,on"], "--vary arena is given twice"),
        (&["--vary", "arena=on,off", "--arena", "off"], "both given: leave out one"),
        (&["--vary", "image=1mp,2mp", "--image", "4mp"], "both given: leave out one"),
        (&["--vary", "arena=on,off", "-o", "x.yaml"], "--output writes one footprint"),
        (&["--vary", "arena=on,off", "--topologies", "pool"], "use one of them at a time"),
        (
            &["--vary", "threads=1,2,3,4,5,6,7,8,9", "--vary", "arena=on,off"],
            "these are 18 variants, and at most 16 are measured",
        ),
        (&["--ram", "1G"], "--vary"),
        (&["--vary", "arena=on,off", "--ram", "5"], "did you mean 5M"),
    ] {
        let ran = compared(&place, arguments);
        assert_refused(&ran, &arguments.join(" "));
        assert!(ran.stderr.contains(says), "not `{says}`: {}", ran.stderr);
        place.assert_untouched(&arguments.join(" "));
    }
}
