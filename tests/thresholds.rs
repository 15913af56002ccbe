//! The OOM threshold is never above the memory limit, whatever was measured: the limit has room for
//! every page, and the threshold for those that cannot be dropped.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use mediscope_size::footprint::Footprint;
use mediscope_size::plan::verification::promise;
use mediscope_size::plan::{Plan, Question, plan};
use mediscope_size::units::{Bytes, Span};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};

/// MiB of one point: anonymous, of files, and of files that are in use.
type Reading = (f64, f64, Option<f64>);

fn mib(number: f64) -> u64 {
    Bytes::from_f64(number * 1_048_576.0).get()
}

fn points(readings: &[Reading], slope: f64) -> Vec<Value> {
    let ladder = [1, 2, 4, 8, 16];
    let one = |(index, (anon, file, in_use)): (usize, &Reading)| {
        let n = ladder[index % ladder.len()];
        let anon = anon + slope * f64::from(n);
        let mut point = json!({
            "concurrency": n,
            "peak_bytes": mib(anon + file),
            "anon_bytes": mib(anon),
            "file_bytes": mib(*file),
            "repeat": index / ladder.len(),
        });
        if let Some(in_use) = in_use {
            point["file_in_use_bytes"] = mib(*in_use).into();
        }
        point
    };
    readings.iter().enumerate().map(one).collect()
}

fn span(number: f64) -> Value {
    json!({"low": number, "typical": number, "high": number, "source": "measured"})
}

fn readings(least: usize) -> impl Strategy<Value = Vec<Reading>> {
    vec((0.0..400.0, 0.0..400.0, option::of(0.0..400.0)), least..16)
}

/// A record with anything in it that a measurement can leave.
fn footprints() -> impl Strategy<Value = Footprint> {
    let marks = (0.0..900.0, 0.0..900.0, 0.0..9.0, option::of(0.0..90.0), option::of(0.0..90.0));
    let others = option::of((readings(6), any::<bool>(), 0.0..900.0, 0.0..900.0));
    let bursts = vec((1_u32..40, 0.0..900.0, 0.0..900.0), 0..4);
    (readings(6), 0.0..40.0, marks, others, bursts, option::of(1_u32..9)).prop_map(
        |(first, slope, marks, others, bursts, at_once)| {
            let (load, anon, kernel, in_use, loading) = marks;
            let mut record = json!({
                "version": 1, "topology": "shared",
                "environment": {"cpu_model": "a", "cores": 2, "kernel": "6", "onnxruntime": "1",
                                "tool": "0", "settings": {}},
                "models": [], "stages": [], "arena": null, "throughput": [],
                "marks": {
                    "start_bytes": 0, "runtime_bytes": 0, "loaded_bytes": 0, "warm_bytes": 0,
                    "idle_bytes": 0, "kernel_bytes": mib(kernel),
                    "load_peak_bytes": mib(load + anon), "load_peak_anon_bytes": mib(anon),
                    "file_in_use_bytes": in_use.map(mib), "load_file_in_use_bytes": loading.map(mib),
                },
                "points": points(&first, slope),
                "cold_burst": bursts.iter().map(|(n, anon, file)| json!({
                    "concurrency": n, "peak_bytes": mib(anon + file), "anon_bytes": mib(*anon),
                })).collect::<Vec<_>>(),
                "cpu_seconds": span(0.1), "wall_seconds": span(0.1),
            });
            if let Some((other, lazy, resident, extra)) = others {
                record["mix"] = json!({
                    "first": "a", "first_share": 0.7,
                    "others": [{"name": "b", "share": 0.3, "lazy": lazy,
                                "points": points(&other, slope * 2.0), "cpu_seconds": span(0.2)}],
                    "lazy": lazy.then(|| json!({
                        "resident_bytes": mib(resident), "load_extra_bytes": mib(extra),
                    })),
                    "checks": [],
                });
            } else if let Some(at_once) = at_once {
                let level = json!({"anon_bytes": mib(anon), "file_bytes": mib(load)});
                record["live"] = json!({
                    "target": "a", "attached": false, "workers": 1, "processes": 1,
                    "at_once": at_once, "told_by": "memory", "request_bytes": mib(1.0),
                    "idle": level, "first": level, "after": level, "rounds": [],
                    "growth_looks": 9, "peaks_by": "marks", "sampling_seconds": 0.1,
                    "sampler_cpu": 0.1, "driver_cpu": 0.1,
                });
            }
            serde_json::from_value(record).unwrap()
        },
    )
}

fn is_below(threshold: &Span<Bytes>, limit: &Span<Bytes>) -> bool {
    threshold.low() <= limit.low()
        && threshold.typical() <= limit.typical()
        && threshold.high() <= limit.high()
}

fn asked(footprint: &Footprint, n: u32, warmed: bool) -> Option<Plan> {
    let question = Question { concurrency: Some(n), warmed, ..Question::default() };
    // Points that are all of one number give no line.
    plan("p", "p", footprint, &question).ok()
}

proptest! {
    #[test]
    fn the_threshold_is_never_above_the_limit(
        footprint in footprints(),
        n in 1_u32..200,
        warmed in any::<bool>(),
    ) {
        let plan = asked(&footprint, n, warmed).expect("six points are of five numbers");
        prop_assert!(is_below(&plan.ram.kill_limit, &plan.ram.limit), "{:?}", plan.ram);
        let promise = promise(&plan, n).unwrap();
        prop_assert!(is_below(&promise.kill_limit, &promise.limit), "{promise:?}");
        // What is predicted to be killed is what `verify` looks for.
        let charge = plan.charge.as_ref().unwrap();
        let curve = &plan.states.last().unwrap().curve;
        let ram = promise.kill_limit.typical();
        prop_assert!(charge.most(curve, ram, !warmed) >= n);
    }
}

/// Pages that one moment needs are in the threshold, and those that were ever read are in the limit.
#[test]
fn a_table_of_which_each_request_reads_some_rows_is_in_the_limit_and_not_in_the_threshold() {
    let readings: Vec<Reading> = (0..15).map(|_| (10.0, 284.0, Some(4.0))).collect();
    let record = json!({
        "version": 1, "topology": "shared",
        "environment": {"cpu_model": "a", "cores": 2, "kernel": "6", "onnxruntime": "1", "tool": "0",
                        "settings": {}},
        "models": [], "stages": [], "arena": null, "throughput": [],
        "marks": {"start_bytes": 0, "runtime_bytes": 0, "loaded_bytes": 0, "warm_bytes": 0,
                  "idle_bytes": 0, "kernel_bytes": 0, "load_peak_bytes": mib(300.0),
                  "load_peak_anon_bytes": mib(9.0), "load_file_in_use_bytes": mib(3.0)},
        "points": points(&readings, 0.5), "cold_burst": [],
        "cpu_seconds": span(0.1), "wall_seconds": span(0.1),
    });
    let footprint: Footprint = serde_json::from_value(record).unwrap();
    let plan = asked(&footprint, 4, false).unwrap();
    // 10 MiB, 4 × 0.5 MiB, 4 MiB of files in use, and 8 MiB that the kernel reads around them.
    assert_eq!(plan.ram.kill_limit.typical(), Bytes::mib(24));
    assert_eq!(plan.ram.limit.typical(), Bytes::mib(300), "loading");
    let later = asked(&footprint, 64, false).unwrap();
    assert_eq!(later.ram.limit.typical(), Bytes::mib(10 + 32 + 284));
    assert_eq!(later.ram.kill_limit.typical(), Bytes::mib(10 + 32 + 12));
}
