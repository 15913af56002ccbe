//! What was tried in a box as JSON, in the contract `mediscope-size/verify/1`.
//!
//! `schemas/verify-1.schema.json` says the same to programs.

use serde::Serialize;

use super::{phase, temper};
use crate::footprint::Ending;
use crate::model::queue::Seen;
use crate::plan::verification::{Came, Driven, Found, Outcome, Soak, Tried, Verification};
use crate::report::json::span::S;
use crate::units::Bytes;

/// The name of the contract. A change that a reader could notice gets another number.
const SCHEMA: &str = "mediscope-size/verify/1";

/// A verification as JSON for programs: indented, with a line break at the end.
///
/// # Errors
/// Where it cannot be serialised, which none is known to cause.
pub fn verification_json(seen: &Verification) -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(&Verified::from(seen))?;
    text.push('\n');
    Ok(text)
}

#[derive(Debug, Serialize)]
struct Verified<'a> {
    schema: &'static str,
    profile: Profile<'a>,
    topology: String,
    #[serde(rename = "box")]
    target: Target,
    control_group_version: u32,
    planned: Planned,
    accumulated_over_requests: u64,
    trials: Vec<Trial>,
    find: Find,
    soak: Option<Soaked>,
    loads: Vec<Load>,
    killed_under_load: bool,
    verdict: Verdict,
}

#[derive(Debug, Serialize)]
struct Profile<'a> {
    name: &'a str,
    title: &'a str,
}

#[derive(Debug, Serialize)]
struct Target {
    ram_bytes: u64,
    cpus: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Planned {
    max_concurrency: u32,
    concurrency: u32,
    limit_bytes: S<u64>,
    kill_limit_bytes: S<u64>,
}

#[derive(Debug, Serialize)]
struct Trial {
    mode: &'static str,
    concurrency: u32,
    limit_bytes: u64,
    outcome: &'static str,
    phase: Option<&'static str>,
    wall_seconds: f64,
    unlimited_wall_seconds: f64,
    peak_bytes: Option<u64>,
    kernel_peak_bytes: Option<u64>,
    sampled_anonymous_bytes: Option<u64>,
    sampled_file_bytes: Option<u64>,
    anonymous_error: Option<f64>,
    oom_kills: Option<u64>,
    major_faults: Option<u64>,
    reclaims: Option<u64>,
    throttled_periods: Option<u64>,
    throttled_seconds: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Find {
    n: Option<Turning<u32>>,
    limit: Option<Turning<u64>>,
    trials: Vec<Trial>,
}

#[derive(Debug, Serialize)]
struct Turning<T> {
    held: Option<T>,
    survived: Option<T>,
    killed: Option<T>,
    planned: T,
    predicted_kill: T,
    error: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Soaked {
    seconds: f64,
    requests: u64,
    anonymous_bytes_begin: Option<u64>,
    anonymous_bytes_end: Option<u64>,
    killed: bool,
    growth_bytes_per_hour: Option<Growth>,
    full_after_seconds: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Growth {
    low: f64,
    typical: f64,
    high: f64,
}

#[derive(Debug, Serialize)]
struct Verdict {
    outcome: Option<&'static str>,
    refuted: bool,
}

impl<'a> From<&'a Verification> for Verified<'a> {
    fn from(seen: &'a Verification) -> Self {
        Self {
            schema: SCHEMA,
            profile: Profile { name: &seen.name, title: &seen.title },
            topology: seen.topology.to_string(),
            target: Target {
                ram_bytes: seen.ram.get(),
                cpus: seen.cpus.map(crate::units::Cpus::get),
            },
            control_group_version: seen.version,
            planned: Planned {
                max_concurrency: seen.planned,
                concurrency: seen.promise.concurrency,
                limit_bytes: S::from(&seen.promise.limit),
                kill_limit_bytes: S::from(&seen.promise.kill_limit),
            },
            accumulated_over_requests: seen.accumulated_over,
            trials: seen.trials.iter().map(|tried| trial(seen, tried)).collect(),
            find: Find {
                n: seen.most.as_ref().map(|found| turning(found, |n| n)),
                limit: seen.least.as_ref().map(|found| turning(found, Bytes::get)),
                trials: seen.searched.iter().map(|tried| trial(seen, tried)).collect(),
            },
            soak: seen.soak.as_ref().map(Soaked::from),
            loads: seen.loads.driven.iter().map(Load::from).collect(),
            killed_under_load: seen.loads.killed.is_some(),
            verdict: Verdict { outcome: seen.outcome().map(outcome), refuted: seen.is_refuted() },
        }
    }
}

fn turning<T: Copy, U>(found: &Found<T>, plain: impl Fn(T) -> U) -> Turning<U> {
    Turning {
        held: found.held.map(&plain),
        survived: found.survived.map(&plain),
        killed: found.killed.map(&plain),
        planned: plain(found.planned),
        predicted_kill: plain(found.predicted_kill),
        error: found.error,
    }
}

fn trial(verification: &Verification, tried: &Tried) -> Trial {
    let seen = &tried.observation;
    let counters = &seen.counters;
    Trial {
        mode: temper(tried.temper),
        concurrency: tried.concurrency,
        limit_bytes: tried.limit.get(),
        outcome: outcome(tried.outcome),
        phase: match seen.ending {
            Ending::Finished => None,
            Ending::Killed(at) | Ending::Late(at) => Some(phase(at)),
        },
        wall_seconds: seen.wall.get(),
        unlimited_wall_seconds: tried.unlimited.get(),
        peak_bytes: counters.peak.map(Bytes::get),
        kernel_peak_bytes: counters.kernel_peak.map(Bytes::get),
        sampled_anonymous_bytes: seen.highest.map(|h| h.0.get()),
        sampled_file_bytes: seen.highest.map(|h| h.1.get()),
        anonymous_error: verification.promise.error(tried),
        oom_kills: counters.oom_kills,
        major_faults: counters.major_faults,
        reclaims: counters.reclaims,
        throttled_periods: counters.throttled.map(|t| t.periods),
        throttled_seconds: counters.throttled.map(|t| t.time.get()),
    }
}

const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Held => "held",
        Outcome::Thrashed => "thrashed",
        Outcome::Killed => "killed",
    }
}

impl From<&Soak> for Soaked {
    fn from(soak: &Soak) -> Self {
        let trend = soak.trend.as_ref();
        Self {
            seconds: soak.time.get(),
            requests: soak.requests,
            anonymous_bytes_begin: trend.map(|t| t.held.0.get()),
            anonymous_bytes_end: trend.map(|t| t.held.1.get()),
            killed: soak.killed,
            growth_bytes_per_hour: trend.map(|t| {
                let (low, typical, high) = t.growth;
                Growth { low, typical, high }
            }),
            full_after_seconds: trend.and_then(|t| t.full_after).map(crate::units::Seconds::get),
        }
    }
}

#[derive(Debug, Serialize)]
struct Load {
    arrivals: &'static str,
    share: Option<f64>,
    rate_rps: Option<f64>,
    users: Option<u32>,
    requests: usize,
    limit: u32,
    observed: Latencies,
    replayed: Latencies,
    predicted: Latencies,
}

#[derive(Debug, Serialize)]
struct Latencies {
    throughput_rps: f64,
    p50_seconds: f64,
    p95_seconds: f64,
    p99_seconds: f64,
    mean_in_flight: f64,
    in_flight: Vec<f64>,
}

impl From<&Driven> for Load {
    fn from(load: &Driven) -> Self {
        let (arrivals, share, rate_rps, users) = match load.came {
            Came::Open(share, rate) => ("open", Some(share.get()), Some(rate.get()), None),
            Came::Closed(users) => ("closed", None, None, Some(users)),
        };
        Self {
            arrivals,
            share,
            rate_rps,
            users,
            requests: load.requests,
            limit: load.limit,
            observed: Latencies::from(&load.observed),
            replayed: Latencies::from(&load.replayed),
            predicted: Latencies::from(&load.foreseen),
        }
    }
}

impl From<&Seen> for Latencies {
    fn from(seen: &Seen) -> Self {
        let [p50_seconds, p95_seconds, p99_seconds] = seen.latency;
        Self {
            throughput_rps: seen.rate,
            p50_seconds,
            p95_seconds,
            p99_seconds,
            mean_in_flight: seen.mean_in_flight(),
            in_flight: seen.in_flight.clone(),
        }
    }
}
