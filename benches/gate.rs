//! Is the gate the same each time? One check again and again on an unchanged model, and a baseline held
//! against models whose requests take a tenth more, and one or two hundredths more.
//!
//! `cargo bench --bench gate`: each check measures anew. The models are a small convolutional network
//! whose image is wider by those shares, so what a request adds is too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

#[path = "../tests/common/onnx.rs"]
#[allow(dead_code, reason = "the tests take the rest")]
mod onnx;
mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use onnx::FLOAT;
use serde_json::Value;
use support::{TOOL, folder, median};

const RUNS: usize = 20;
const WIDE: usize = 500;

fn main() {
    let model = network(&folder());
    let baseline = folder().join("gate.baseline.yaml");
    let baseline = baseline.to_str().unwrap();
    let updated = check(&model, WIDE, &["--baseline", baseline, "--update-baseline"]);
    assert_eq!(updated.0, Some(0), "{}", updated.1);
    println!(
        "| check | runs | within | over | undecided | different answers, rule by rule | change of a request, median (noise) |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|");
    let rules = ["--max-ram", "1G", "--concurrency", "8", "--max-buffer", "60M"];
    row("the same model, one limit that is kept and one that is not", RUNS, |_| {
        check(&model, WIDE, &rules)
    });
    let growth = ["--baseline", baseline, "--max-growth", "5%"];
    row("a request takes 10 % more, --max-growth 5%", RUNS, |_| {
        check(&model, WIDE * 110 / 100, &growth)
    });
    // 0, 1 and 2 % in turn.
    row("a request takes 0 to 2 % more, --max-growth 5%", RUNS, |run| {
        check(&model, WIDE + WIDE * (run % 3) / 100, &growth)
    });
}

fn row(name: &str, runs: usize, check: impl Fn(usize) -> (Option<i32>, Value)) {
    let mut codes = [0; 3];
    let mut answers = BTreeSet::new();
    let (mut changes, mut noises) = (Vec::new(), Vec::new());
    for run in 0..runs {
        let (code, found) = check(run);
        let code = code.and_then(|c| usize::try_from(c).ok()).filter(|c| *c < 3).expect("an end");
        codes[code] += 1;
        let rules = found["rules"].as_array().into_iter().flatten();
        answers.insert(rules.map(|rule| rule["outcome"].to_string()).collect::<Vec<_>>());
        for rule in found["rules"].as_array().into_iter().flatten() {
            let parts = rule["growth"].as_array().into_iter().flatten();
            for part in parts.filter(|part| part["name"] == "buffer") {
                changes.push(part["change"].as_f64().unwrap() * 100.0);
                noises.push(part["noise"].as_f64().unwrap() * 100.0);
            }
        }
    }
    let change = if changes.is_empty() {
        "–".to_owned()
    } else {
        format!("{:+.1} % ({:.1} %)", median(&changes), median(&noises))
    };
    println!(
        "| {name} | {runs} | {} | {} | {} | {} | {change} |",
        codes[0],
        codes[1],
        codes[2],
        answers.len()
    );
}

/// Checks anew; the exit code and what was written as JSON.
fn check(model: &str, wide: usize, arguments: &[&str]) -> (Option<i32>, Value) {
    let shape = format!("x=1x16x{WIDE}x{wide}");
    let output = Command::new(TOOL)
        .args(["check", "--quiet", "--model", model, "--shape", &shape, "--remeasure"])
        .args(["--budget", "6s", "--format", "json"])
        .args(arguments)
        .env("MEDISCOPE_SIZE_CACHE", folder().join("cache"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let found = serde_json::from_slice(&output.stdout).unwrap_or(Value::String(said));
    (output.status.code(), found)
}

/// Four convolutions over 16 channels of any height and width.
fn network(folder: &Path) -> String {
    std::fs::create_dir_all(folder).unwrap();
    let kernel = |index: i64| {
        #[expect(clippy::cast_precision_loss, reason = "below 13")]
        let values = (0..16 * 16 * 9).map(|i| ((i * 7 + index) % 13) as f32 / 1000.0);
        onnx::weight(
            &format!("w{index}"),
            FLOAT,
            &[16, 16, 3, 3],
            values.flat_map(f32::to_le_bytes).collect(),
        )
    };
    let name = |index: i64| if index == 0 { "x".to_owned() } else { format!("c{index}") };
    let nodes = (0..4).map(|index| {
        let convolution =
            onnx::node("Conv", &[&name(index), &format!("w{index}")], &name(index + 1));
        let shaped = onnx::with_list(convolution, "kernel_shape", &[3, 3]);
        onnx::with_list(shaped, "pads", &[1, 1, 1, 1])
    });
    let dims = ["1", "16", "height", "width"];
    let made = onnx::model(
        nodes.collect(),
        vec![onnx::value("x", FLOAT, &dims)],
        vec![onnx::value("c4", FLOAT, &dims)],
        (0..4).map(kernel).collect(),
    );
    onnx::write(folder, &made)
}
