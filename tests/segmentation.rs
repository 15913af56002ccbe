//! A real network that finds things and outlines them: its stages, and what requests take of it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::real_json;
use serde_json::Value;
use tempfile::TempDir;

fn number(value: &Value, pointer: &str) -> f64 {
    value.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer} in {value}"))
}

/// Boxes and masks come after the network, and each further request takes RAM.
#[test]
fn a_segmentation_network_is_measured_with_its_boxes_and_masks() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("seg.yaml");
    fs::write(&path, "name: seg\nmodels:\n  net: {architecture: yolov8s-seg, classes: 1}\n")
        .unwrap();
    let profile = path.to_str().unwrap();
    let asked = ["measure", "--profile", profile, "--remeasure", "--max-time", "1s"];
    // The smallest image: the network takes a fifth of a second however small it is.
    let measured = real_json(&[&asked[..], &["--image", "0.1mp"]].concat());

    let stages = measured["stages"].as_array().unwrap();
    let names: Vec<&str> = stages.iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["receive", "decode", "preprocess", "infer net", "boxes", "masks", "respond"]
    );
    let ram = |stage: usize| number(&measured, &format!("/stages/{stage}/ram_bytes/typical"));
    // The tensor of 640 × 640, three channels of 4 bytes.
    assert!(ram(2) >= 640.0 * 640.0 * 3.0 * 4.0, "{}", ram(2));
    // Ten masks of 4 bytes a pixel in the size of the input are held before they are cut: as many
    // as this only where all ten boxes were really outlined.
    let held = 10.0 * 640.0 * 640.0 * 4.0;
    assert!(ram(5) > held && ram(5) < 3.0 * held, "{}", ram(5));
    assert!(number(&measured, "/stages/5/cpu_seconds/typical") > 0.001);

    let peak = |n: u64| {
        let points = measured["ram"]["points"].as_array().unwrap().iter();
        let found = points.filter(|p| p["concurrency"] == n);
        found.map(|p| number(p, "/peak_bytes")).fold(f64::NAN, f64::min)
    };
    let (one, two, four) = (peak(1), peak(2), peak(4));
    assert!(one < two && two < four, "{one} {two} {four}");
    // The weights, and for each further request at least its tensor.
    let base = number(&measured, "/ram/base_bytes/typical");
    assert!(base > 4.0 * 11_779_987.0, "{base}");
    assert!((four - one) / 3.0 > ram(2), "{one} {four}");
}
