//! RAM at N = 16, predicted from a fit on N ≤ 8 and observed in three other processes, for the
//! reference architectures and for third-party models; beside it what people guess instead.
//!
//! `cargo bench --bench accuracy [-- NAME…]`; needs Python with pip, which downloads the packages
//! that carry the models, once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

mod support;

use mediscope_size::footprint::Footprint;
use mediscope_size::plan::{HeldOut, Plan, Question, plan};
use mediscope_size::profile::Profile;
use mediscope_size::units::Bytes;
use support::services::{Service, references, third_party};
use support::{folder, median, tool, worst};

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let is_wanted = |s: &Service| wanted.is_empty() || wanted.contains(&s.name);
    println!(
        "N = 16 predicted from N ≤ 8, with the default budget; MiB; errors are (predicted − observed) / observed\n"
    );
    println!(
        "| model | base | buffer | predicted (95 %) | observed | inside | of the total | of the increment | process × N | weights + 20 % | idle + N × first |"
    );
    println!("|---|--:|--:|--:|--:|:-:|--:|--:|--:|--:|--:|");
    let services = references().into_iter().chain(third_party()).filter(is_wanted);
    let rows: Vec<Row> = services.map(|service| row(&service)).collect();
    summary(&rows);
}

/// One model, errors in percent.
struct Row {
    total: f64,
    increment: f64,
    inside: bool,
    half_width: f64,
    guesses: [f64; 3],
}

fn row(service: &Service) -> Row {
    let output = folder().join(format!("{}.measured.yaml", service.name));
    let (from, to) = (service.profile(), output.clone());
    let arguments = ["measure", "--profile", from.to_str().unwrap(), "-o", to.to_str().unwrap()];
    tool(&[&arguments[..], &["--remeasure", "--quiet"]].concat());
    let profile = Profile::read(&output).unwrap();
    let footprint = profile.footprint.unwrap();
    let plan = plan(&service.name, "", &footprint, &Question::default()).unwrap();
    // A machine that is busy with something else leaves no time for the check.
    let held = plan.ram.fit.held_out.expect("a held-out point: is the machine busy?");
    let guesses = guesses(&footprint, &plan, &held);
    let row = Row {
        total: 100.0 * held.error,
        increment: 100.0 * held.increment_error,
        inside: held.is_inside(),
        half_width: 50.0 * (held.predicted.high().as_f64() - held.predicted.low().as_f64())
            / held.predicted.typical().as_f64(),
        guesses,
    };
    println!(
        "| {} | {:.1} | {:.2} | {:.1} ({:.1} to {:.1}) | {:.1} | {} | {:+.1} % | {:+.1} % | {:+.0} % | {:+.0} % | {:+.0} % |",
        service.name,
        mib(plan.ram.base.typical()),
        mib(plan.ram.buffer.typical()),
        mib(held.predicted.typical()),
        mib(held.predicted.low()),
        mib(held.predicted.high()),
        mib(held.observed),
        if row.inside { "yes" } else { "no" },
        row.total,
        row.increment,
        guesses[0],
        guesses[1],
        guesses[2],
    );
    row
}

/// What people reckon with instead of measuring at N: errors in percent of what was observed.
fn guesses(footprint: &Footprint, plan: &Plan, held: &HeldOut) -> [f64; 3] {
    let n = f64::from(held.concurrency);
    let ones = footprint.points.iter().filter(|p| p.concurrency == 1);
    let one = mediscope_size::model::sample::median(ones.map(|p| p.peak_bytes.as_f64()));
    let idle = footprint.marks.loaded_bytes.as_f64();
    let weights: f64 = plan.footprint.models.iter().map(|m| m.weight_bytes.as_f64()).sum();
    let observed = held.observed.as_f64();
    [one * n, weights * 1.2, idle + n * (one - idle)]
        .map(|guess| 100.0 * (guess - observed) / observed)
}

fn mib(bytes: Bytes) -> f64 {
    bytes.as_f64() / 1_048_576.0
}

fn summary(rows: &[Row]) {
    let errors = |of: fn(&Row) -> f64| rows.iter().map(|r| of(r).abs()).collect::<Vec<_>>();
    let line = |what: &str, values: &[f64], target: &str| {
        println!(
            "{what:28} median {:>5.1} %   worst {:>5.1} %   target {target}",
            median(values),
            worst(values)
        );
    };
    println!();
    line("error of the total", &errors(|r| r.total), "median ≤ 1.5 %, worst ≤ 4 %");
    line("error of the increment", &errors(|r| r.increment), "median ≤ 4 %, worst ≤ 8 %");
    line("half-width of the interval", &errors(|r| r.half_width), "median ≤ 3 %");
    let inside = rows.iter().filter(|r| r.inside).count();
    println!("observed inside the interval {inside} of {}   target ≥ 90 %", rows.len());
    for (index, name) in ["process × N", "weights + 20 %", "idle + N × first"].iter().enumerate()
    {
        line(
            name,
            &rows.iter().map(|r| r.guesses[index].abs()).collect::<Vec<_>>(),
            "what it is compared with",
        );
    }
}
