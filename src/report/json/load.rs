//! The part of the contract about requests that wait.

use serde::Serialize;

use crate::plan::{Flow, HeldRow, LoadPlan, LoadRow};
use crate::units::Seconds;

#[derive(Debug, Serialize)]
pub(super) struct Load {
    capacity_rps: f64,
    rows: Vec<Row>,
    objective: Option<Objective>,
    admission: Admission,
    held: Vec<Held>,
}

#[derive(Debug, Serialize)]
struct Row {
    rate_rps: f64,
    utilisation: f64,
    mean_seconds: Option<f64>,
    p50_seconds: Option<f64>,
    p95_seconds: Option<f64>,
    p99_seconds: Option<f64>,
    mean_in_flight: Option<f64>,
    often_in_flight: Option<u32>,
    exceeds_per_day: Option<f64>,
    exceeds_limited_per_day: Option<f64>,
    refused_share: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Objective {
    share: f64,
    latency_seconds: f64,
    max_rate_rps: f64,
}

#[derive(Debug, Serialize)]
struct Admission {
    limit: u32,
    queue: u32,
    timeout_seconds: f64,
    ram_bytes: u64,
    ram_without_bytes: u64,
}

#[derive(Debug, Serialize)]
struct Held {
    in_flight: u32,
    without_bytes: u64,
    with_bytes: u64,
}

impl From<&LoadPlan> for Load {
    fn from(load: &LoadPlan) -> Self {
        let admission = &load.admission;
        Self {
            capacity_rps: load.capacity.get(),
            rows: load.rows.iter().map(Row::from).collect(),
            objective: load.objective.map(|(objective, rate)| Objective {
                share: objective.share.get(),
                latency_seconds: objective.latency.get(),
                max_rate_rps: rate.get(),
            }),
            admission: Admission {
                limit: admission.limit,
                queue: admission.queue,
                timeout_seconds: admission.timeout.get(),
                ram_bytes: admission.ram.get(),
                ram_without_bytes: admission.ram_without.get(),
            },
            held: load.held.iter().map(Held::from).collect(),
        }
    }
}

impl From<&LoadRow> for Row {
    fn from(row: &LoadRow) -> Self {
        let flow = row.flow.as_ref();
        let latency = |index: usize| flow.and_then(|f| f.latency).map(|l| l[index].get());
        Self {
            rate_rps: row.rate.get(),
            utilisation: row.busy,
            mean_seconds: flow.map(|f| f.mean).map(Seconds::get),
            p50_seconds: latency(0),
            p95_seconds: latency(1),
            p99_seconds: latency(2),
            mean_in_flight: flow.map(|f| f.in_flight),
            often_in_flight: flow.map(|f| f.often),
            exceeds_per_day: flow.and_then(|f: &Flow| f.exceeds),
            exceeds_limited_per_day: flow.and_then(|f| f.exceeds_limited),
            refused_share: flow.and_then(|f| f.refused),
        }
    }
}

impl From<&HeldRow> for Held {
    fn from(row: &HeldRow) -> Self {
        Self {
            in_flight: row.in_flight,
            without_bytes: row.without.get(),
            with_bytes: row.with.get(),
        }
    }
}
