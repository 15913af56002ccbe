//! RAM at N = 16, predicted from a fit on N ≤ 8 and observed in other processes, five times for
//! each reference architecture; and how long a measurement with the defaults takes.
//!
//! `cargo bench --bench accuracy`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

mod support;

use std::time::Instant;

use serde_json::Value;
use support::{median, profile, tool};

const RUNS: usize = 5;

fn main() {
    println!(
        "{RUNS} measurements each, with the default budget; errors are (predicted − observed) / observed\n"
    );
    println!(
        "model     N   predicted   observed   of the total: median  worst   of the increment: median  worst   seconds: median  worst"
    );
    for architecture in ["resnet18", "resnet50"] {
        row(architecture);
    }
    println!(
        "\ntargets           of the total: 2.0 % 4.0 %   of the increment: 6.0 % 12.0 %   one ResNet-50 ≤ 20 s"
    );
}

/// The largest value.
fn worst(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

fn row(architecture: &str) {
    let path = profile(architecture);
    let path = path.to_str().unwrap();
    // Downloads and writes what a first run needs, outside the timing.
    tool(&["measure", "--profile", path, "--quiet", "--budget", "1s", "--remeasure"]);
    let (mut total, mut increment, mut seconds) = (Vec::new(), Vec::new(), Vec::new());
    let (mut predicted, mut observed, mut at) = (Vec::new(), Vec::new(), 0);
    for _ in 0..RUNS {
        let begun = Instant::now();
        let text =
            tool(&["measure", "--profile", path, "--remeasure", "--quiet", "--format", "json"]);
        seconds.push(begun.elapsed().as_secs_f64());
        let report: Value = serde_json::from_str(&text).unwrap();
        let point = &report["ram"]["held_out"]["points"][0];
        // A machine that is busy with something else leaves no time for the check.
        let number = |v: &Value| v.as_f64().expect("a held-out point: is the machine busy?");
        let (p, o) = (number(&point["predicted_bytes"]), number(&point["observed_bytes"]));
        let base = number(&report["ram"]["base_bytes"]["typical"]);
        at = point["concurrency"].as_u64().unwrap();
        total.push(100.0 * ((p - o) / o).abs());
        increment.push(100.0 * ((p - o) / (o - base)).abs());
        predicted.push(p / 1_048_576.0);
        observed.push(o / 1_048_576.0);
    }
    println!(
        "{architecture:8} {at:>3} {:>7.1} MiB {:>6.1} MiB {:>21.1} % {:>4.1} % {:>25.1} % {:>4.1} % {:>16.1} {:>6.1}",
        median(&predicted),
        median(&observed),
        median(&total),
        worst(&total),
        median(&increment),
        worst(&increment),
        median(&seconds),
        worst(&seconds),
    );
}
