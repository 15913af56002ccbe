//! The `ram` part of the contract: the largest, and the one with tables of its own.

use serde::Serialize;

use super::span::S;
use crate::plan::{BoxRow, Component, Plan, RamRow, Scope};

/// The state in which nothing late is loaded: the only one of services that load all at once.
const EAGER: &str = "eager";
/// The state after the models that are loaded late.
const AFTER_LAZY: &str = "after_lazy";
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
    states: Vec<State>,
    request_kinds: Vec<RequestKind<'a>>,
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
struct RequestKind<'a> {
    name: &'a str,
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
            states: states(plan),
            request_kinds: request_kinds(plan),
            components: ram.components.iter().map(Part::from).collect(),
            rows: rows(plan),
            boxes: ram.boxes.iter().map(Sold::from).collect(),
        }
    }
}

/// The tables are of the service after all is loaded.
fn final_state(plan: &Plan) -> &'static str {
    let is_late = plan.mix.as_ref().is_some_and(|mix| mix.eager_base.is_some());
    if is_late { AFTER_LAZY } else { EAGER }
}

fn states(plan: &Plan) -> Vec<State> {
    let state = |name, base| State { name, base_bytes: S::from(base) };
    let before = plan.mix.as_ref().and_then(|mix| mix.eager_base.as_ref());
    let after = state(final_state(plan), &plan.ram.base);
    before.map(|base| state(EAGER, base)).into_iter().chain([after]).collect()
}

fn rows(plan: &Plan) -> Vec<Row> {
    let before = plan.mix.iter().flat_map(|mix| &mix.eager_rows).map(|row| (EAGER, row));
    let after = plan.ram.rows.iter().map(|row| (final_state(plan), row));
    before.chain(after).map(Row::from).collect()
}

fn request_kinds(plan: &Plan) -> Vec<RequestKind<'_>> {
    let held_bytes = || S::from(&plan.ram.held);
    match &plan.mix {
        None => vec![RequestKind {
            name: REQUEST,
            share: 1.0,
            buffer_bytes: S::from(&plan.ram.buffer),
            held_bytes: held_bytes(),
            cpu_seconds: S::from(&plan.cpu.seconds_per_request),
        }],
        Some(mix) => mix
            .kinds
            .iter()
            .map(|kind| RequestKind {
                name: &kind.name,
                share: kind.share.get(),
                buffer_bytes: S::from(&kind.buffer),
                held_bytes: held_bytes(),
                cpu_seconds: S::from(&kind.cpu),
            })
            .collect(),
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

impl From<(&'static str, &RamRow)> for Row {
    fn from((state, row): (&'static str, &RamRow)) -> Self {
        Self {
            state,
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
