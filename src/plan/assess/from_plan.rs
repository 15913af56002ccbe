//! Costs and question of a plan, as an assessment reads them.

use super::assess;
use super::assessment::{
    Assessment, Component, HeldOut, Provenance, Question, RequestKind, Slo, Target, TopologyRow,
};
use super::service::{Offer, ServiceModel};
use crate::plan::{self, Plan, Scope, Warning, demand, efficiency};
use crate::units::{Source, Span};

/// Requests in one simulation of a queue.
const SIMULATED: usize = 20_000;

/// The assessment of what a plan was made from.
pub fn assess_plan(plan: &Plan, target_name: Option<String>) -> Assessment {
    assess(&service(plan, SIMULATED), &question(&plan.question, target_name))
}

fn question(asked: &plan::Question, name: Option<String>) -> Question {
    let target = Target {
        name,
        ram: asked.ram,
        cpus: asked.cpus,
        disk: asked.disk,
        bandwidth: asked.bandwidth,
    };
    let is_known = target.ram.is_some()
        || target.cpus.is_some()
        || target.disk.is_some()
        || target.bandwidth.is_some();
    Question {
        target: Some(target).filter(|_| is_known),
        concurrency: asked.concurrency,
        rate: asked.rps,
        slo: asked.objective.map(|o| Slo {
            percentile: (o.share.get() * 100_000.0).round() / 1000.0,
            seconds: o.latency,
        }),
        users_per_month: asked.users,
        warmed: asked.warmed,
    }
}

pub(super) fn service(plan: &Plan, simulated_requests: usize) -> ServiceModel {
    let footprint = plan.footprint.as_ref();
    let live = footprint.and_then(|f| f.live.as_ref());
    let times = footprint.and_then(|f| f.service_times.as_ref());
    let (eager, memory) = match &plan.states[..] {
        [eager, loaded] => (Some(eager.curve.clone()), loaded.curve.clone()),
        states => (None, states[states.len() - 1].curve.clone()),
    };
    let source = if footprint.is_some() { Source::Measured } else { Source::Declared };
    let is_decided_here = |warning: &Warning| {
        matches!(warning, Warning::Extrapolated { .. } | Warning::MoreCpus { .. })
    };
    let fit = plan.ram.fit.as_ref();
    ServiceModel {
        name: plan.name.clone(),
        title: plan.title.clone(),
        provenance: Provenance {
            source,
            measured_on: footprint.map(|f| f.environment.cpu_model.clone()),
            topology: plan.topology.to_string(),
        },
        eager,
        memory,
        charge: plan.charge.clone(),
        per_session: plan.ram.per_session,
        per_worker: plan.ram.per_worker,
        load_peak: plan.ram.load_peak,
        components: plan.ram.components.iter().map(component).collect(),
        held_out: fit.and_then(|fit| fit.held_out.as_ref()).map(|check| HeldOut {
            concurrency: check.concurrency,
            predicted: check.predicted,
            observed: check.observed,
            error: check.error,
            increment_error: check.increment_error,
        }),
        waiting: plan.ram.held,
        cpu: plan.cpu_model,
        demand: demand(&plan.cpu_model, plan.mix.as_ref(), times, Span::high),
        topologies: plan.alternatives.iter().map(topology).collect(),
        request_kinds: plan.mix.iter().flat_map(|mix| &mix.kinds).map(kind).collect(),
        response_threshold: plan.market.response_threshold,
        disk: plan.market.disk_bytes(),
        bandwidth: plan.market.month_bytes(),
        servers: plan.market.offers.iter().map(offer).collect(),
        is_catalog: plan.market.declared,
        is_unknown: live.is_some_and(|live| live.did_nothing() || live.repeated.is_some()),
        warnings: plan.warnings.iter().filter(|w| !is_decided_here(w)).cloned().collect(),
        measured_concurrency: fit.and_then(|fit| fit.measured.last().copied()),
        measured_cpus: footprint.map(|f| {
            let cores = f.environment.cores;
            (cores, efficiency(f).map(|e| e * f64::from(cores)))
        }),
        convention: plan.question.convention,
        simulated_requests,
    }
}

fn component(component: &plan::Component) -> Component {
    let scope = match component.scope {
        Scope::Shared => "shared",
        Scope::Request => "request",
    };
    Component { name: component.name.clone(), scope, bytes: component.bytes }
}

fn topology(alternative: &plan::Alternative) -> TopologyRow {
    TopologyRow {
        topology: alternative.topology.clone(),
        memory: alternative.total,
        throughput: alternative.throughput,
    }
}

fn kind(kind: &plan::RequestKind) -> RequestKind {
    RequestKind {
        name: kind.name.clone(),
        share: kind.share.get(),
        buffer: kind.buffer,
        cpu_seconds: kind.cpu,
    }
}

fn offer(offer: &plan::Offer) -> Offer {
    let tier = &offer.tier;
    Offer {
        name: tier.name.clone(),
        ram: offer.ram,
        cpus: Some(tier.cpus),
        disk: offer.disk,
        bandwidth: offer.bandwidth,
        price_per_month: tier.price.as_ref().map(|price| price.low().get()),
        users_below: tier.users_below.as_ref().map(|users| users.high().0),
    }
}
