//! What a whole report of a declared service costs, in every format: CPU time of the process from its
//! start to its end, beside that of the same program when it only prints its version.
//!
//! The formats are taken in turn, so that a busy machine slows all of them; what is printed is the
//! median with the middle half of the runs.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints")]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "times of a few seconds and counts of a few dozens"
)]
#![allow(unsafe_code, reason = "the times of children are read by a call of the C library")]

use std::process::{Command, Stdio};

/// Runs of each.
const RUNS: usize = 60;

/// CPU seconds of all children that have ended, user and system.
fn of_children() -> f64 {
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the structure is large enough, it is of the type that the call fills.
    let failed = unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage) };
    assert_eq!(failed, 0);
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

fn run(arguments: &[&str]) -> f64 {
    let before = of_children();
    let status = Command::new(env!("CARGO_BIN_EXE_mediscope-size"))
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{arguments:?}");
    1000.0 * (of_children() - before)
}

fn main() {
    let mut wanted: Vec<(String, Vec<&str>)> = vec![("--version".to_owned(), vec!["--version"])];
    for profile in ["qreader-pytorch", "mediscope-pytorch"] {
        for format in ["text", "markdown", "csv", "json", "html"] {
            let arguments = vec!["--profile", profile, "--section", "all", "--format", format];
            wanted.push((format!("{profile}, {format}"), arguments));
        }
    }
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); wanted.len()];
    for _ in 0..RUNS {
        for ((_, arguments), times) in wanted.iter().zip(&mut times) {
            times.push(run(arguments));
        }
    }
    println!("| report | CPU time, ms | middle half of {RUNS} runs |");
    println!("| --- | --: | --- |");
    for ((name, _), mut times) in wanted.into_iter().zip(times) {
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        println!("| {name} | {:.1} | {:.1} to {:.1} |", at(0.5), at(0.25), at(0.75));
    }
}
