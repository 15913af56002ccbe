//! What was measured, as JSON, in the contract `mediscope-size/footprint/1`.
//!
//! The record in a profile is for this tool to read again and may grow with it; this is for other
//! programs, so it has types of its own. It holds what the record says and what follows from it:
//! the line through the points, and how well that line met points it was not made from. Marks and
//! points are absolute resident bytes of the process.
//! `schemas/footprint-1.schema.json` says the same to programs.

mod convert;
mod live;
#[cfg(test)]
mod tests;

use serde::Serialize;

use super::json::span::S;
use crate::footprint::Footprint;
use crate::plan::Plan;

/// The name of the contract. A change that a reader could notice gets another number.
const SCHEMA: &str = "mediscope-size/footprint/1";

/// The measured `footprint` as JSON for programs: indented, with a line break at the end. Where it
/// gives no line there is no `plan`, and its RAM is null.
///
/// # Errors
/// Where it cannot be serialised, which no footprint is known to cause.
pub fn footprint_json(plan: Option<&Plan>, footprint: &Footprint) -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(&Measured::of(plan, footprint))?;
    text.push('\n');
    Ok(text)
}

#[derive(Debug, Serialize)]
struct Measured<'a> {
    schema: &'static str,
    environment: Environment<'a>,
    models: Vec<Model<'a>>,
    assumed: Vec<&'a str>,
    program: Option<Program<'a>>,
    stages: Vec<Stage<'a>>,
    ram: Option<Ram>,
    cpu: Cpu,
    live: Option<live::Live<'a>>,
}

/// The server process that all numbers count.
#[derive(Debug, Serialize)]
struct Program<'a> {
    name: String,
    source: &'static str,
    resident_bytes: u64,
    added_anon_bytes: u64,
    added_file_bytes: u64,
    imported: &'a [String],
    missing: &'a [String],
}

#[derive(Debug, Serialize)]
struct Environment<'a> {
    cpu_model: &'a str,
    cores: u32,
    kernel: &'a str,
    onnxruntime: &'a str,
    library_sha256: Option<&'a str>,
    conditions: &'a [String],
    tool: &'a str,
    settings: Settings,
}

#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "ONNX Runtime's settings are switches")]
struct Settings {
    threads: u16,
    arena: bool,
    memory_pattern: bool,
    prepacking: bool,
    spinning: bool,
    optimization: &'static str,
    topology: String,
}

#[derive(Debug, Serialize)]
struct Model<'a> {
    name: &'a str,
    file_bytes: u64,
    weight_bytes: u64,
    sha256: &'a str,
    load_seconds: f64,
    load_peak_bytes: u64,
    resident_bytes: u64,
}

#[derive(Debug, Serialize)]
struct Stage<'a> {
    name: &'a str,
    ram_bytes: S<u64>,
    cpu_seconds: S<f64>,
    wall_seconds: S<f64>,
}

#[derive(Debug, Serialize)]
struct Ram {
    start_bytes: u64,
    runtime_bytes: u64,
    load_peak_bytes: u64,
    base_bytes: S<u64>,
    buffer_bytes: S<u64>,
    retained_bytes: u64,
    points: Vec<Point>,
    cold_burst: Vec<ColdBurst>,
    arena: Option<Arena>,
    runs: Vec<Run>,
    held_out: HeldOut,
}

#[derive(Debug, Serialize)]
struct Point {
    concurrency: u32,
    peak_bytes: u64,
    anon_bytes: u64,
    file_bytes: u64,
    repeat: usize,
}

#[derive(Debug, Serialize)]
struct ColdBurst {
    concurrency: u32,
    peak_bytes: u64,
}

#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "the contract names the unit in each key")]
struct Arena {
    in_use_bytes: u64,
    max_in_use_bytes: u64,
    per_run_bytes: u64,
}

/// Waves in another topology, of `k` sessions of each model in all.
#[derive(Debug, Serialize)]
struct Run {
    topology: String,
    k: u32,
    points: Vec<Point>,
}

#[derive(Debug, Serialize)]
struct HeldOut {
    points: Vec<HeldOutPoint>,
    max_error: Option<f64>,
}

#[derive(Debug, Serialize)]
struct HeldOutPoint {
    concurrency: u32,
    predicted_bytes: u64,
    observed_bytes: u64,
    error: f64,
}

#[derive(Debug, Serialize)]
struct Cpu {
    seconds_per_request: S<f64>,
    throughput: Vec<Throughput>,
}

#[derive(Debug, Serialize)]
struct Throughput {
    concurrency: u32,
    rps: f64,
}
