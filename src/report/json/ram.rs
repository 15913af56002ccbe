//! The `ram` part of the contract: the largest, and the one with tables of its own.

use serde::Serialize;

use super::span::S;
use crate::plan::{BoxRow, Component, Plan, RamRow, Scope};

/// The state in which all models are loaded: the only one of services that load none later.
const EAGER: &str = "eager";
/// The name of the only kind of request of services that have one kind.
const REQUEST: &str = "request";

#[derive(Debug, Serialize)]
pub(super) struct Ram<'a> {
    base_bytes: S<u64>,
    buffer_bytes: S<u64>,
    per_session_bytes: S<u64>,
    per_worker_bytes: S<u64>,
    load_peak_bytes: S<u64>,
    cold_burst_bytes: Option<S<u64>>,
    limit_bytes: S<u64>,
    kill_limit_bytes: S<u64>,
    max_concurrency: Option<MaxConcurrency>,
    states: [State; 1],
    request_kinds: [RequestKind; 1],
    components: Vec<Part<'a>>,
    rows: Vec<Row>,
    boxes: Vec<Sold>,
}

#[derive(Debug, Serialize)]
struct MaxConcurrency {
    low: u32,
    typical: u32,
    high: u32,
}

#[derive(Debug, Serialize)]
struct State {
    name: &'static str,
    base_bytes: S<u64>,
}

#[derive(Debug, Serialize)]
struct RequestKind {
    name: &'static str,
    share: f64,
    buffer_bytes: S<u64>,
    held_bytes: S<u64>,
    cpu_seconds: S<f64>,
}

#[derive(Debug, Serialize)]
struct Part<'a> {
    name: &'a str,
    scope: &'static str,
    bytes: S<u64>,
}

#[derive(Debug, Serialize)]
struct Row {
    state: &'static str,
    concurrency: u32,
    base_bytes: u64,
    buffers_bytes: u64,
    total_bytes: u64,
    low_bytes: u64,
    high_bytes: u64,
    fits: Option<bool>,
    source: &'static str,
}

#[derive(Debug, Serialize)]
struct Sold {
    ram_bytes: u64,
    max_concurrency: u32,
}

impl<'a> From<&'a Plan> for Ram<'a> {
    fn from(plan: &'a Plan) -> Self {
        let ram = &plan.ram;
        Self {
            base_bytes: S::from(&ram.base),
            buffer_bytes: S::from(&ram.buffer),
            per_session_bytes: S::from(&ram.per_session),
            per_worker_bytes: S::from(&ram.per_worker),
            load_peak_bytes: S::from(&ram.load_peak),
            cold_burst_bytes: ram.cold_burst.as_ref().map(S::from),
            limit_bytes: S::from(&ram.limit),
            kill_limit_bytes: S::from(&ram.kill_limit),
            max_concurrency: ram.max_concurrency.map(|holds| MaxConcurrency {
                low: holds.low,
                typical: holds.typical,
                high: holds.high,
            }),
            states: [State { name: EAGER, base_bytes: S::from(&ram.base) }],
            request_kinds: [request_kind(plan)],
            components: ram.components.iter().map(Part::from).collect(),
            rows: ram.rows.iter().map(Row::from).collect(),
            boxes: ram.boxes.iter().map(Sold::from).collect(),
        }
    }
}

fn request_kind(plan: &Plan) -> RequestKind {
    RequestKind {
        name: REQUEST,
        share: 1.0,
        buffer_bytes: S::from(&plan.ram.buffer),
        held_bytes: S::from(&plan.ram.held),
        cpu_seconds: S::from(&plan.cpu.seconds_per_request),
    }
}

impl<'a> From<&'a Component> for Part<'a> {
    fn from(component: &'a Component) -> Self {
        Self {
            name: &component.name,
            scope: match component.scope {
                Scope::Shared => "shared",
                Scope::Request => "request",
            },
            bytes: S::from(&component.bytes),
        }
    }
}

impl From<&RamRow> for Row {
    fn from(row: &RamRow) -> Self {
        Self {
            state: EAGER,
            concurrency: row.concurrency,
            base_bytes: row.base.get(),
            buffers_bytes: row.buffers.get(),
            total_bytes: row.total.typical().get(),
            low_bytes: row.total.low().get(),
            high_bytes: row.total.high().get(),
            fits: row.fits,
            source: row.total.source().name(),
        }
    }
}

impl From<&BoxRow> for Sold {
    fn from(row: &BoxRow) -> Self {
        // The one number of this table is what decides: the capacity with high costs.
        Self { ram_bytes: row.ram.get(), max_concurrency: row.max_concurrency.low }
    }
}
