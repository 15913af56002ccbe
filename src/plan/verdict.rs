//! The verdict, by one table for all resources, and what the reader should know.
//!
//! | status       | need                                                       |
//! | ------------ | ---------------------------------------------------------- |
//! | insufficient | the minimum is above what the box has                      |
//! | marginal     | the need is above 80 % of what the box has                 |
//! | sufficient   | the need is within that                                    |
//! | excellent    | the need is half of what the box has, or less              |
//!
//! The service fits where every resource is sufficient or better, is tight where one is marginal,
//! and does not fit where one is insufficient.

use super::alternatives::efficiency;
use super::curve::Curve;
use super::{
    Amount, CpuAnswers, CpuPlan, Overall, Question, RamPlan, Reason, Resource, ResourceVerdict,
    Status, TIGHT, Verdict, Warning,
};
use crate::footprint::{During, Footprint, LiveRecord};
use crate::units::{Bytes, Cpus};

/// A need of at most this share of what there is, is `excellent`.
const EXCELLENT: f64 = 0.5;

pub(super) fn verdict(
    model: &Curve,
    ram: &RamPlan,
    cpu: &CpuPlan,
    question: &Question,
    design: u32,
) -> Verdict {
    let by_resource: Vec<ResourceVerdict> = [
        question.ram.map(|has| ram_verdict(model, question, design, has)),
        cpu.answers.map(|answers| cpu_verdict(&answers)),
    ]
    .into_iter()
    .flatten()
    .collect();
    Verdict {
        overall: overall(&by_resource),
        binding: binding(ram, cpu),
        reasons: reasons(model, ram, cpu, question, design),
        by_resource,
    }
}

impl Verdict {
    /// The same where what was measured says nothing of what the service takes.
    pub(super) fn unknown(mut self) -> Self {
        for verdict in &mut self.by_resource {
            verdict.status = Status::Unknown;
        }
        Self { overall: Overall::Unknown, binding: None, reasons: Vec::new(), ..self }
    }
}

/// Where the costs are those of first answers alone, and later ones were not as they are, no box is said
/// to be enough.
pub(super) fn withhold(verdict: &mut Verdict, footprint: &Footprint) {
    if footprint.live.as_ref().is_none_or(|live| live.repeated.is_none()) {
        return;
    }
    let mut is_insufficient = false;
    for known in &mut verdict.by_resource {
        match (known.resource, known.status) {
            (_, Status::Insufficient) => is_insufficient = true,
            (Resource::Ram | Resource::Cpu, _) => known.status = Status::Unknown,
            _ => {}
        }
    }
    if !is_insufficient {
        verdict.overall = Overall::Unknown;
    }
}

pub(super) fn overall(by_resource: &[ResourceVerdict]) -> Overall {
    let is_measured = |r: &&ResourceVerdict| matches!(r.resource, Resource::Ram | Resource::Cpu);
    if by_resource.iter().filter(is_measured).any(|r| r.status == Status::Unknown) {
        return Overall::Unknown;
    }
    match by_resource.iter().map(|r| r.status).max() {
        None | Some(Status::Unknown) => Overall::Unknown,
        Some(Status::Insufficient) => Overall::DoesNotFit,
        Some(Status::Marginal) => Overall::Tight,
        Some(Status::Sufficient | Status::Excellent) => Overall::Fits,
    }
}

/// `minimum` must be there; `need` is what the rest is judged by.
fn status(minimum: f64, need: f64, has: f64) -> Status {
    if minimum > has {
        Status::Insufficient
    } else if need > has * TIGHT {
        Status::Marginal
    } else if need > has * EXCELLENT {
        Status::Sufficient
    } else {
        Status::Excellent
    }
}

fn ram_verdict(model: &Curve, question: &Question, design: u32, has: Bytes) -> ResourceVerdict {
    let cold = !question.warmed;
    // Where nobody asked for a concurrency, one request at a time is the least service there is.
    let minimum = model.limit(question.concurrency.unwrap_or(1), cold).high();
    let need = model.limit(design, cold).high();
    ResourceVerdict {
        resource: Resource::Ram,
        status: status(minimum.as_f64(), need.as_f64(), has.as_f64()),
        current: Amount::Ram(has),
        minimum: Amount::Ram(minimum),
        recommended: Amount::Ram(Bytes::from_f64(need.as_f64() / TIGHT)),
    }
}

/// Without a rate that is demanded, the CPUs are judged by a lone request: below one CPU the quota
/// makes it wait. Any quota serves it in the end, so nothing is insufficient here.
fn cpu_verdict(answers: &CpuAnswers) -> ResourceVerdict {
    let has = answers.cpus;
    let one = Cpus::new(1.0).unwrap_or(has);
    let least = Cpus::new(Cpus::MIN).unwrap_or(has);
    ResourceVerdict {
        resource: Resource::Cpu,
        status: if has.get() < 1.0 { Status::Marginal } else { Status::Sufficient },
        current: Amount::Cpus(has),
        minimum: Amount::Cpus(least),
        recommended: Amount::Cpus(one),
    }
}

/// The resource that allows the fewest requests at once.
fn binding(ram: &RamPlan, cpu: &CpuPlan) -> Option<Resource> {
    let holds = ram.max_concurrency.map(|c| (c.low, Resource::Ram));
    let useful = cpu.answers.map(|a| (a.max_useful_concurrency, Resource::Cpu));
    holds.into_iter().chain(useful).min_by_key(|(n, _)| *n).map(|(_, resource)| resource)
}

fn reasons(
    model: &Curve,
    ram: &RamPlan,
    cpu: &CpuPlan,
    question: &Question,
    design: u32,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if let Some(has) = question.ram {
        let peak = ram.load_peak.high();
        if peak > has {
            reasons.push(Reason::LoadPeak { peak, has });
        }
        let need = model.limit(design, !question.warmed).high();
        reasons.push(Reason::RamNeed { concurrency: design, need, has });
    }
    if let Some(holds) = ram.max_concurrency {
        reasons.push(Reason::RamHolds(holds));
    }
    if let (Some(holds), Some(answers)) = (ram.max_concurrency, cpu.answers) {
        let (holds, useful) = (holds.low, answers.max_useful_concurrency);
        reasons.push(if holds < useful {
            Reason::RamBinds { holds, useful }
        } else {
            Reason::CpuBinds { holds, useful }
        });
    }
    if let Some(answers) = cpu.answers.filter(|a| a.cpus.get() < 1.0) {
        reasons.push(Reason::QuotaBelowOne { alone: answers.response_alone });
    }
    reasons
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of requests, not below 0"
)]
fn live_warnings(live: &LiveRecord, ram: &RamPlan, question: &Question) -> Vec<Warning> {
    let grows = live.growth.as_ref().map(|growth| {
        let each = growth.bytes_per_request.typical();
        let room = |limit: Bytes| limit.saturating_sub(ram.base.typical()).as_f64();
        let until = |limit| (room(limit) / each.as_f64().max(1.0)) as u64;
        Warning::Grows { per_request: each, until_full: question.ram.map(until) }
    });
    let failed = live.failure().map(|failure| Warning::CouldNotStand {
        concurrency: failure.concurrency,
        what: failure.what.clone(),
    });
    let burst = live.failures.iter().find(|f| f.phase == During::ColdBurst);
    let burst = burst.map(|failure| Warning::BurstFailed {
        concurrency: failure.concurrency,
        what: failure.what.clone(),
    });
    let heap =
        live.managed_heap.filter(|heap| !question.ram.is_some_and(|r| heap.was_measured_with(r)));
    let heap = heap.map(|heap| Warning::HeapFollowsRam {
        runtime: heap.runtime,
        measured_with: heap.ram_bytes,
        asked: question.ram,
    });
    let nothing = live.did_nothing().then_some(Warning::NotTheService);
    let accumulates = live.accumulated.as_ref().filter(|a| !a.levelled_off || a.bodies_used_up);
    let accumulates = accumulates.map(|a| Warning::StillAccumulates {
        bytes: a.bytes,
        requests: a.requests,
        bodies_used_up: a.bodies_used_up,
    });
    let unexplained = live.unexplained.clone().map(Warning::UnexplainedHistory);
    let repeated = live.repeated.clone().map(Warning::RepeatedBodies);
    let tmpfs = live
        .tmpfs
        .iter()
        .map(|filled| Warning::TmpfsGrew { path: filled.path.clone(), bytes: filled.peak_bytes });
    let known = [nothing, repeated, grows, accumulates, unexplained, failed, burst, heap];
    known.into_iter().flatten().chain(tmpfs).collect()
}

pub(super) fn warnings(
    footprint: &Footprint,
    ram: &RamPlan,
    question: &Question,
    design: u32,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if footprint.partial {
        warnings.push(Warning::Partial);
    }
    if let Some(killed) = footprint.killed {
        warnings.push(Warning::Killed { concurrency: killed.concurrency, signal: killed.signal });
    }
    warnings.extend(footprint.runs.iter().filter_map(|run| {
        Some(Warning::TopologyKilled { topology: run.topology, killed: run.killed? })
    }));
    let fit = ram.fit.as_ref();
    if let Some(bend) = fit.and_then(|fit| fit.bends) {
        warnings.push(Warning::NotALine(bend));
    }
    if let Some(point) = footprint.points.iter().filter(|p| !p.flat).max_by_key(|p| p.concurrency) {
        warnings.push(Warning::NotFlat { concurrency: point.concurrency });
    }
    if let Some(live) = &footprint.live {
        warnings.extend(live_warnings(live, ram, question));
    }
    if fit.is_some_and(|fit| fit.held_out.is_none()) {
        let is_live = footprint.live.is_some();
        warnings.push(if is_live { Warning::NotTried } else { Warning::NotChecked });
    }
    if let ([burst], false) = (&footprint.cold_burst[..], question.warmed) {
        warnings.push(Warning::OneBurst { concurrency: burst.concurrency });
    }
    let measured = fit.and_then(|fit| fit.measured.last().copied()).unwrap_or(0);
    if design > measured {
        warnings.push(Warning::Extrapolated { measured });
    }
    if let Some(concurrency) = footprint.no_room {
        warnings.push(Warning::NoRoom { concurrency });
    }
    if !footprint.assumed.is_empty() {
        warnings.push(Warning::AssumedShape(footprint.assumed.clone()));
    }
    if !footprint.assumed_values.is_empty() {
        warnings.push(Warning::AssumedValue(footprint.assumed_values.clone()));
    }
    warnings.extend(footprint.models.iter().filter_map(|model| {
        Some(Warning::OneStep { model: model.name.clone(), port: model.step.clone()? })
    }));
    let measured_on = footprint.environment.cores;
    if question.cpus.is_some_and(|cpus| cpus.get() > f64::from(measured_on)) {
        let together = efficiency(footprint).map(|e| e * f64::from(measured_on));
        warnings.push(Warning::MoreCpus { measured_on, together });
    }
    let threads = footprint.environment.threads();
    if question.cpus.is_some_and(|cpus| f64::from(threads) > cpus.get().max(1.0)) {
        warnings.push(Warning::ThreadsAboveCpus { threads });
    }
    warnings.extend(footprint.disturbances.iter().cloned().map(Warning::Disturbed));
    if footprint.models.iter().any(|m| m.synthetic) {
        warnings.push(Warning::SyntheticWeights);
    }
    warnings
}
