//! What the benchmarks share: running the tool, and a cache of their own that is kept between
//! runs, so that the library is downloaded once.

#![allow(dead_code, reason = "every benchmark takes what it needs")]

use std::path::{Path, PathBuf};
use std::process::Command;

pub mod services;

/// The tool, built as it is released.
pub const TOOL: &str = env!("CARGO_BIN_EXE_mediscope-size");

/// Where the benchmarks keep their files.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("benches")
}

/// Runs the tool with the benchmarks' cache and returns its standard output.
pub fn tool(arguments: &[&str]) -> String {
    let output = Command::new(TOOL)
        .args(arguments)
        .env("MEDISCOPE_SIZE_CACHE", folder().join("cache"))
        .output()
        .expect("the tool starts");
    assert!(
        output.status.success(),
        "mediscope-size {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A profile of one reference architecture, as a file.
pub fn profile(architecture: &str) -> PathBuf {
    let path = folder().join(format!("{architecture}.yaml"));
    std::fs::create_dir_all(folder()).expect("the folder is made");
    let yaml = format!("name: {architecture}\nmodels:\n  net: {{architecture: {architecture}}}\n");
    std::fs::write(&path, yaml).expect("the profile is written");
    path
}

/// The middle value.
pub fn median(values: &[f64]) -> f64 {
    mediscope_size::model::sample::median(values.iter().copied())
}

/// The largest value.
pub fn worst(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}
