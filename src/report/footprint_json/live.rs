//! A live service in the contract.

use serde::Serialize;

use crate::footprint::{
    Failure, Growth, LeftBehind, Level, LiveRecord, PeaksBy, Repeated, Round, TmpfsUse, ToldBy,
    Unexplained,
};
use crate::plan::Plan;
use crate::report::json::span::S;
use crate::report::live::{per_worker, until};
use crate::units::Span;

#[derive(Debug, Serialize)]
pub(super) struct Live<'a> {
    target: &'a str,
    service: Option<&'a str>,
    managed_heap: Option<Heap>,
    attached: bool,
    workers: u32,
    processes: u32,
    per_worker_bytes: Option<S<u64>>,
    at_once: Option<u32>,
    told_by: &'static str,
    request_bytes: u64,
    idle: Held,
    first: Held,
    after: Held,
    group_peak_bytes: Option<u64>,
    charged: bool,
    tmpfs: Vec<Filled<'a>>,
    left_behind: Option<Left<'a>>,
    different_requests: Option<u64>,
    rounds: Vec<Driven<'a>>,
    accumulated: Option<Accumulated>,
    unexplained: Option<Differs>,
    repeated: Option<Again>,
    growth: Option<Grown>,
    growth_looks: u32,
    failures: Vec<Failed<'a>>,
    peaks_by: &'static str,
    sampling_seconds: f64,
    sampler_cpu: f64,
    driver_cpu: f64,
}

#[derive(Debug, Serialize)]
struct Heap {
    runtime: &'static str,
    ram_bytes: u64,
}

#[derive(Debug, Serialize)]
struct Held {
    anon_bytes: u64,
    file_bytes: u64,
}

#[derive(Debug, Serialize)]
struct Driven<'a> {
    concurrency: u32,
    start: u32,
    peak_bytes: u64,
    anon_bytes: u64,
    file_bytes: u64,
    control: bool,
    answered: u64,
    errors: Vec<Fault<'a>>,
    throughput_rps: f64,
    cpu_seconds: f64,
    p50_seconds: f64,
    p95_seconds: f64,
    p99_seconds: f64,
    max_seconds: f64,
    driver_bound: bool,
    driver_share: f64,
}

#[derive(Debug, Serialize)]
struct Fault<'a> {
    kind: &'a str,
    count: u64,
}

#[derive(Debug, Serialize)]
struct Accumulated {
    bytes: u64,
    requests: u64,
    levelled_off: bool,
    bodies_used_up: bool,
}

#[derive(Debug, Serialize)]
struct Differs {
    concurrency: u32,
    anon_bytes: u64,
    expected_bytes: S<u64>,
}

#[derive(Debug, Serialize)]
struct Again {
    bodies: u64,
    first_bytes: u64,
    later_bytes: u64,
    first_cpu_seconds: f64,
    later_cpu_seconds: f64,
}

#[derive(Debug, Serialize)]
struct Filled<'a> {
    path: &'a str,
    peak_bytes: u64,
    left_bytes: u64,
}

#[derive(Debug, Serialize)]
struct Left<'a> {
    bytes: u64,
    paths: &'a [String],
}

#[derive(Debug, Serialize)]
struct Grown {
    bytes_per_request: S<u64>,
    requests: u64,
    limit_bytes: Option<u64>,
    requests_until_limit: Option<f64>,
    seconds_until_limit: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Failed<'a> {
    concurrency: u32,
    start: u32,
    phase: &'static str,
    what: &'a str,
}

impl<'a> Live<'a> {
    /// What is known of it, and what follows where there is a plan.
    pub(super) fn of(live: &'a LiveRecord, plan: Option<&Plan>) -> Self {
        let each = |plan| {
            let [low, typical, high] = per_worker(plan, live);
            S::from(&Span::around(low, typical, high, plan.ram.base.source()))
        };
        Self {
            target: &live.target,
            service: live.service.as_deref(),
            managed_heap: live
                .managed_heap
                .map(|heap| Heap { runtime: heap.runtime.word(), ram_bytes: heap.ram_bytes.get() }),
            attached: live.attached,
            workers: live.workers,
            processes: live.processes,
            per_worker_bytes: plan.filter(|_| live.workers > 1).map(each),
            at_once: live.at_once,
            told_by: match live.told_by {
                ToldBy::Memory => "memory",
                ToldBy::Throughput => "throughput",
                ToldBy::Nothing => "nothing",
            },
            request_bytes: live.request_bytes.get(),
            idle: held(live.idle),
            first: held(live.first),
            after: held(live.after),
            group_peak_bytes: live.group_peak_bytes.map(crate::units::Bytes::get),
            charged: live.charged,
            tmpfs: live.tmpfs.iter().map(Filled::from).collect(),
            left_behind: live.left_behind.as_ref().map(Left::from),
            different_requests: live.different_requests,
            rounds: live.rounds.iter().map(Driven::from).collect(),
            accumulated: live.accumulated.as_ref().map(|a| Accumulated {
                bytes: a.bytes.get(),
                requests: a.requests,
                levelled_off: a.levelled_off,
                bodies_used_up: a.bodies_used_up,
            }),
            unexplained: live.unexplained.as_ref().map(Differs::from),
            repeated: live.repeated.as_ref().map(Again::from),
            growth: live.growth.as_ref().map(|growth| grown(growth, live, plan)),
            growth_looks: live.growth_looks,
            failures: live.failures.iter().map(Failed::from).collect(),
            peaks_by: match live.peaks_by {
                PeaksBy::Marks => "marks",
                PeaksBy::Looks => "looks",
            },
            sampling_seconds: live.sampling_seconds.get(),
            sampler_cpu: live.sampler_cpu,
            driver_cpu: live.driver_cpu,
        }
    }
}

/// How long until the limit that was asked about is reached.
fn grown(growth: &Growth, live: &LiveRecord, plan: Option<&Plan>) -> Grown {
    let until = plan.and_then(|plan| until(plan, live)).filter(|until| until.was_asked);
    Grown {
        bytes_per_request: (&growth.bytes_per_request).into(),
        requests: growth.requests,
        limit_bytes: until.map(|u| u.limit.get()),
        requests_until_limit: until.map(|u| u.requests),
        seconds_until_limit: until.map(|u| u.seconds),
    }
}

impl From<&Unexplained> for Differs {
    fn from(found: &Unexplained) -> Self {
        Self {
            concurrency: found.concurrency,
            anon_bytes: found.anon_bytes.get(),
            expected_bytes: (&found.expected_bytes).into(),
        }
    }
}

impl From<&Repeated> for Again {
    fn from(found: &Repeated) -> Self {
        Self {
            bodies: found.bodies,
            first_bytes: found.first_bytes.get(),
            later_bytes: found.later_bytes.get(),
            first_cpu_seconds: found.first_cpu_seconds.get(),
            later_cpu_seconds: found.later_cpu_seconds.get(),
        }
    }
}

impl<'a> From<&'a TmpfsUse> for Filled<'a> {
    fn from(filled: &'a TmpfsUse) -> Self {
        Self {
            path: &filled.path,
            peak_bytes: filled.peak_bytes.get(),
            left_bytes: filled.left_bytes.get(),
        }
    }
}

impl<'a> From<&'a LeftBehind> for Left<'a> {
    fn from(left: &'a LeftBehind) -> Self {
        Self { bytes: left.bytes.get(), paths: &left.paths }
    }
}

impl<'a> From<&'a Failure> for Failed<'a> {
    fn from(failure: &'a Failure) -> Self {
        Self {
            concurrency: failure.concurrency,
            start: failure.start,
            phase: failure.phase.name(),
            what: &failure.what,
        }
    }
}

const fn held(level: Level) -> Held {
    Held { anon_bytes: level.anon_bytes.get(), file_bytes: level.file_bytes.get() }
}

impl<'a> From<&'a Round> for Driven<'a> {
    fn from(round: &'a Round) -> Self {
        let [p50, p95, p99, max] = round.latency;
        Self {
            concurrency: round.concurrency,
            start: round.start,
            peak_bytes: round.peak.total().get(),
            anon_bytes: round.peak.anon_bytes.get(),
            file_bytes: round.peak.file_bytes.get(),
            control: round.control,
            answered: round.answered,
            errors: round
                .errors
                .iter()
                .map(|(kind, count)| Fault { kind, count: *count })
                .collect(),
            throughput_rps: round.throughput.get(),
            cpu_seconds: round.cpu_seconds.get(),
            p50_seconds: p50.get(),
            p95_seconds: p95.get(),
            p99_seconds: p99.get(),
            max_seconds: max.get(),
            driver_bound: round.driver_bound,
            driver_share: round.driver_share,
        }
    }
}
