//! The real path: ONNX Runtime, real graphs, real images. Small models, so that it is quick.
//!
//! ONNX Runtime is found or installed as for any user, into a cache that is kept between test
//! runs.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use common::{real, real_cache, real_json};
use mediscope_size::reference::{Architecture, Reference};
use serde_json::Value;
use tempfile::TempDir;

fn number(value: &Value, pointer: &str) -> f64 {
    value.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer} in {value}"))
}

/// A service of two small classifiers, so that stages, sharing and heatmaps are real.
fn profile(folder: &TempDir) -> String {
    let path = folder.path().join("two.yaml");
    let yaml = "name: two\nmodels:\n  a: {architecture: resnet18, classes: 2}\n  b: {architecture: resnet18, classes: 5}\n";
    fs::write(&path, yaml).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The minimum of measurements, on an image that is soon decoded.
const QUICKLY: [&str; 4] = ["--max-time", "1s", "--image", "0.1mp"];

fn valid(report: &Value, schema: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(schema);
    let schema: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let errors: Vec<String> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(report)
        .map(|e| format!("{}: {e}", e.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn a_real_service_is_measured_and_sized() {
    let folder = TempDir::new().unwrap();
    let profile = profile(&folder);
    let measured =
        real_json(&["measure", "--profile", &profile, "--remeasure", "--max-time", "4s"]);
    valid(&measured, "footprint-1.schema.json");

    let names: Vec<&str> = measured["stages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["receive", "decode", "preprocess", "infer a", "infer b", "heatmap", "respond"]
    );
    // Two ResNet-18 have 22.3 million weights of 4 bytes; prepacking keeps a second copy of some.
    let weights = 2.0 * 44.7 * 1e6;
    let base = number(&measured, "/ram/base_bytes/typical");
    assert!(base > weights && base < 6.0 * weights, "{base}");
    assert!(number(&measured, "/ram/load_peak_bytes") > number(&measured, "/ram/runtime_bytes"));
    // A request needs at least what one run asks of the arena and the decoded image.
    let buffer = number(&measured, "/ram/buffer_bytes/typical");
    let floor = number(&measured, "/ram/arena/per_run_bytes");
    assert!(buffer > floor, "{buffer} {floor}");
    assert!(number(&measured, "/stages/1/ram_bytes/typical") >= 1632.0 * 1224.0 * 3.0);
    assert!(number(&measured, "/cpu/seconds_per_request/typical") > 0.001);
    // Three children at N = 1, 2, 4, whatever the budget.
    let points = measured["ram"]["points"].as_array().unwrap();
    for n in [1, 2, 4] {
        assert!(points.iter().filter(|p| p["concurrency"] == n).count() >= 3, "{points:?}");
    }
    assert!(!measured["ram"]["cold_burst"].as_array().unwrap().is_empty());

    let sized = real_json(&["--profile", &profile, "--ram", "512M", "--cpus", "1"]);
    valid(&sized, "report-2.schema.json");
    assert!(number(&sized, "/capacity/safe_concurrency") >= 1.0);
}

/// The second run loads no library and starts no Python: the dynamic loader's own log says so.
#[test]
fn a_cached_answer_loads_nothing() {
    let folder = TempDir::new().unwrap();
    let profile = profile(&folder);
    let arguments = ["--profile", &profile, "--ram", "512M", "--cpus", "1"];
    let first = real(&arguments);
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));

    let log = TempDir::new().unwrap();
    let second = Command::cargo_bin("mediscope-size")
        .unwrap()
        .args(arguments)
        .env("MEDISCOPE_SIZE_CACHE", real_cache())
        .env("LD_DEBUG", "files")
        .env("LD_DEBUG_OUTPUT", log.path().join("loader"))
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&second.stdout).contains("from the cache"));
    let logs: Vec<String> = fs::read_dir(log.path())
        .unwrap()
        .map(|f| fs::read_to_string(f.unwrap().path()).unwrap())
        .collect();
    assert_eq!(logs.len(), 1, "one process and no other");
    assert!(logs[0].contains("libc.so"), "the log was written");
    assert!(!logs[0].contains("onnxruntime"), "{}", logs[0]);
}

/// A second session brings its weights again, a second process everything but the files.
#[test]
fn sessions_and_workers_are_really_run() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("one.yaml");
    fs::write(&path, "name: one\nmodels:\n  net: {architecture: resnet18}\n").unwrap();
    let measured = |topology: &str| {
        let profile = path.to_str().unwrap();
        let asked = ["measure", "--profile", profile, "--remeasure", "--topology", topology];
        let report = real_json(&[&asked[..], &QUICKLY].concat());
        valid(&report, "footprint-1.schema.json");
        assert_eq!(report["environment"]["settings"]["topology"], topology);
        report
    };
    let [shared, pool, workers] = ["shared", "pool:2", "workers:2"].map(measured);
    let at = |report: &Value, n: u64, key: &str| {
        let points = report["ram"]["points"].as_array().unwrap();
        let found = points.iter().filter(|p| p["concurrency"] == n);
        found.map(|p| number(p, key)).fold(f64::NAN, f64::max)
    };
    // 11.7 million weights of 4 bytes, once a session.
    let base = |report: &Value| number(report, "/ram/base_bytes/typical");
    assert!(base(&pool) - base(&shared) > 0.9 * 44.7e6, "{} {}", base(&pool), base(&shared));
    // A request that waits takes no arena.
    let buffer = |report: &Value| number(report, "/ram/buffer_bytes/typical");
    assert!(buffer(&pool) < buffer(&shared), "{} {}", buffer(&pool), buffer(&shared));
    // Two requests on two workers: twice the heap of one on one, and the same files.
    let heap = at(&workers, 2, "/anon_bytes") / at(&shared, 1, "/anon_bytes");
    assert!((1.8..2.2).contains(&heap), "{heap}");
    let files = at(&workers, 2, "/file_bytes") / at(&shared, 1, "/file_bytes");
    assert!((0.8..1.5).contains(&files), "{files}");
}

/// A user's own file goes the way of a reference architecture, heatmaps only where it has them.
#[test]
fn a_file_of_the_user_and_an_image_of_the_user() {
    let folder = TempDir::new().unwrap();
    let model = folder.path().join("scan.onnx");
    let mut file = std::io::BufWriter::new(fs::File::create(&model).unwrap());
    Reference::new(Architecture::ResNet18, 3, 7).unwrap().write_to(&mut file).unwrap();
    drop(file);
    let image = folder.path().join("scan.png");
    image::RgbImage::from_fn(640, 480, |x, y| {
        image::Rgb([x.to_le_bytes()[0], y.to_le_bytes()[0], 7])
    })
    .save(&image)
    .unwrap();
    let (model, image) = (model.to_str().unwrap(), image.to_str().unwrap());
    let asked = ["--model", model, "--image", image, "--ram", "512M", "--max-time", "1s", "--full"];
    let output = real(&asked);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("request image 640×480 (scan.png)"), "{text}");
    assert!(text.contains("infer scan"), "{text}");
    assert!(!text.contains("weights are random"), "a file's weights are the user's: {text}");
}

/// A small model for most requests, a large one that is loaded when it is first needed.
#[test]
fn a_mix_is_measured_before_and_after_its_late_model_is_loaded() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("mix.yaml");
    let yaml = "name: mix\nmodels:\n  small: {architecture: resnet18, classes: 2, share: 75%}\n  \
                large: {architecture: resnet18, classes: 1000, share: 25%, load: lazy}\n";
    fs::write(&path, yaml).unwrap();
    let path = path.to_str().unwrap();
    let asked = ["--profile", path, "--ram", "1G", "--remeasure"];
    let sized = real_json(&[&asked[..], &QUICKLY].concat());
    valid(&sized, "report-2.schema.json");
    let rows = sized["concurrency_rows"].as_array().unwrap();
    let idle: Vec<_> = rows.iter().filter(|row| row["concurrency"] == 0).collect();
    let states: Vec<&str> = idle.iter().map(|row| row["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["eager", "loaded"]);
    // The late model brings its 46 MB of weights, once or with their copy for the kernels.
    let base = |state: usize| number(idle[state], "/memory/typical");
    let weights = 4.0 * f64::from(11_689_512);
    assert!((0.9..4.0).contains(&((base(1) - base(0)) / weights)), "{} {}", base(0), base(1));
    let kinds = sized["request_kinds"].as_array().unwrap();
    assert_eq!(
        kinds.iter().map(|k| k["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["small", "large"]
    );
    assert_eq!(number(&sized, "/request_kinds/1/share"), 0.25);
    for kind in [0, 1] {
        assert!(number(&sized, &format!("/request_kinds/{kind}/buffer/typical")) > 1e6);
    }
    // The high end reckons with more of the large kind than a quarter.
    let last = rows.last().unwrap();
    assert!(number(last, "/memory/high") > number(last, "/memory/typical"), "{last}");
}

/// A second model runs only where the first finds nothing.
#[test]
fn a_cascade_is_measured() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("cascade.yaml");
    let yaml = "name: cascade\nmodels:\n  first: {architecture: resnet18, classes: 2}\n  \
                second: {architecture: resnet18, classes: 3, after: first, share: 20%}\n";
    fs::write(&path, yaml).unwrap();
    let asked = ["--profile", path.to_str().unwrap(), "--ram", "1G", "--remeasure"];
    let sized = real_json(&[&asked[..], &QUICKLY].concat());
    let cpu = |kind: usize| number(&sized, &format!("/request_kinds/{kind}/cpu_seconds/typical"));
    assert_eq!(sized["request_kinds"][1]["name"], "second");
    assert!(cpu(1) > cpu(0), "two models take longer than one: {} {}", cpu(0), cpu(1));
    let rows = sized["concurrency_rows"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["state"] == "loaded"));
}

/// The arena really is turned off: nothing reports it, and the memory differs.
#[test]
fn a_setting_reaches_onnx_runtime() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("one.yaml");
    fs::write(&path, "name: one\nmodels:\n  a: {architecture: resnet18, classes: 2}\n").unwrap();
    let profile = path.to_str().unwrap();
    let asked = ["measure", "--profile", profile, "--max-time", "2s", "--image", "0.5mp"];
    let compared = real_json(&[&asked[..], &["--vary", "arena=on,off"]].concat());
    valid(&compared, "variants-1.schema.json");
    let variants = compared["variants"].as_array().unwrap();
    assert_eq!(variants.len(), 2, "{compared}");
    assert_eq!(compared["tips"].as_array().unwrap().len(), 1);
    for (variant, on) in variants.iter().zip([true, false]) {
        assert_eq!(variant["settings"]["arena"], on);
        assert_eq!(variant["image"]["width"], 816);
        // Each is kept as `measure` keeps it, with what the arenas reported.
        let arena = ["--arena", if on { "on" } else { "off" }];
        let alone = real_json(&[&asked[..], &arena].concat());
        assert_eq!(alone["ram"]["arena"].is_null(), !on, "{alone}");
        assert_eq!(alone["ram"]["buffer_bytes"], variant["buffer_bytes"]);
    }
    // As a service that sets nothing: at least one thread, and it is said how many.
    let own = real_json(&[&asked[..], &["--settings", "onnxruntime"]].concat());
    assert!(number(&own, "/environment/settings/threads") >= 1.0);
    assert_eq!(own["environment"]["settings"]["spinning"], true);
}

#[test]
fn a_cpu_is_scored_by_a_fixed_mix() {
    let found = real_json(&["calibrate"]);
    let number = |key: &str| found[key].as_f64().unwrap();
    assert_eq!(found["schema"], "mediscope-size/calibration/1");
    let seconds = number("cpu_seconds");
    assert!((number("score") * seconds / 100.0 - 1.0).abs() < 0.01, "{found}");
    assert!(number("low_cpu_seconds") <= seconds && seconds <= number("high_cpu_seconds"));
    let parts = number("network_cpu_seconds") + number("image_cpu_seconds");
    assert!((parts / seconds - 1.0).abs() < 0.05, "{found}");
}

/// The real service in a real box: held, and paying for the pages of its own files.
#[test]
fn the_kernel_holds_what_the_plan_promises() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("one.yaml");
    fs::write(&path, "name: one\nmodels:\n  a: {architecture: resnet18, classes: 2}\n").unwrap();
    let asked = ["verify", "--profile", path.to_str().unwrap(), "--ram", "384M", "--cpus", "2"];
    let rest = ["--image", "0.5mp", "--max-time", "4s", "--format", "json", "--quiet"];
    let output = real(&[&asked[..], &rest].concat());
    if output.status.code() == Some(2) {
        println!("skipped: {}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    valid(&report, "verify-1.schema.json");
    assert_eq!(report["verdict"]["outcome"], "held", "{report}");
    for trial in report["trials"].as_array().unwrap() {
        assert!(number(trial, "/sampled_file_bytes") > 5e6, "{trial}");
        assert!(number(trial, "/sampled_anonymous_bytes") > 6e7, "{trial}");
    }
}
