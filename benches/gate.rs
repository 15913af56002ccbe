//! Is the gate the same each time? One check again and again on an unchanged model, and a baseline held
//! against models whose requests take a tenth more, and one or two hundredths more.
//!
//! `cargo bench --bench gate`: each check measures anew. The models are small convolutional networks
//! with the same input; what the others compute of it is wider by those shares, and so is nearly all
//! that a request adds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

#[path = "../tests/common/onnx.rs"]
#[allow(dead_code, reason = "the tests take the rest")]
mod onnx;
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use onnx::FLOAT;
use serde_json::Value;
use support::{TOOL, folder, median};

const RUNS: usize = 20;
/// Pixels of the input's height and width. A result of a tenth more is still below 16 MiB, beyond which
/// memory is taken in larger steps.
const EDGE: usize = 470;
/// Of an input of two channels, which is no image: nothing is decoded.
const CHANNELS: usize = 2;

fn main() {
    let model = network(0);
    let baseline = folder().join("gate.baseline.yaml");
    let baseline = baseline.to_str().unwrap();
    let updated = check(&model, &["--baseline", baseline, "--update-baseline"]);
    assert_eq!(updated.0, Some(0), "{}", updated.1);
    println!(
        "| check | runs | within | over | undecided | different answers, rule by rule | change of a request, median (noise) |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|");
    let rules = ["--max-ram", "1G", "--concurrency", "8", "--max-buffer", "40M"];
    row("the same model, one limit that is kept and one that is not", RUNS, |_| {
        check(&model, &rules)
    });
    let growth = ["--baseline", baseline, "--max-growth", "5%"];
    // What does not grow is a thirteenth of it: the input, and what the service itself takes.
    let more = network(EDGE * 108 / 1000);
    row("a request takes 10 % more, --max-growth 5%", RUNS, |_| check(&more, &growth));
    let slightly = [model.clone(), network(EDGE * 11 / 1000), network(EDGE * 22 / 1000)];
    row("a request takes 0, 1, 2 % more in turn, --max-growth 5%", RUNS, |run| {
        check(&slightly[run % 3], &growth)
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
            assert!(rule["trouble"].is_null(), "{rule}");
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
fn check(model: &str, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = Command::new(TOOL)
        .args(["check", "--quiet", "--model", model, "--remeasure"])
        .args(["--max-time", "6s", "--format", "json"])
        .args(arguments)
        .env("MEDISCOPE_SIZE_CACHE", folder().join("cache"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let found = serde_json::from_slice(&output.stdout).unwrap_or(Value::String(said));
    (output.status.code(), found)
}

/// Four convolutions to 16 channels; the first makes its result wider by so many columns.
fn network(wider: usize) -> String {
    let folder = folder().join(format!("gate-{wider}"));
    fs::create_dir_all(&folder).unwrap();
    let channels = |index: usize| if index == 0 { CHANNELS } else { 16 };
    let kernel = |index: usize| {
        let taken = channels(index);
        #[expect(clippy::cast_precision_loss, reason = "below 13")]
        let values = (0..16 * taken * 9).map(|i| ((i * 7 + index) % 13) as f32 / 1000.0);
        onnx::weight(
            &format!("w{index}"),
            FLOAT,
            &[16, i64::try_from(taken).unwrap(), 3, 3],
            values.flat_map(f32::to_le_bytes).collect(),
        )
    };
    let name = |index: usize| if index == 0 { "x".to_owned() } else { format!("c{index}") };
    let nodes = (0..4).map(|index| {
        let convolution =
            onnx::node("Conv", &[&name(index), &format!("w{index}")], &name(index + 1));
        let shaped = onnx::with_list(convolution, "kernel_shape", &[3, 3]);
        let right = if index == 0 { 1 + i64::try_from(wider).unwrap() } else { 1 };
        onnx::with_list(shaped, "pads", &[1, 1, 1, right])
    });
    let dims = |channels: usize, width: usize| {
        ["1".to_owned(), channels.to_string(), EDGE.to_string(), width.to_string()]
    };
    let [taken, given] = [dims(CHANNELS, EDGE), dims(16, EDGE + wider)];
    let made = onnx::model(
        nodes.collect(),
        vec![onnx::value("x", FLOAT, &taken.each_ref().map(String::as_str))],
        vec![onnx::value("c4", FLOAT, &given.each_ref().map(String::as_str))],
        (0..4).map(kernel).collect(),
    );
    onnx::write(&folder, &made)
}
