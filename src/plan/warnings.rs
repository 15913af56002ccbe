//! What the reader should know besides the answer, of what was measured.

use super::alternatives::efficiency;
use super::{Question, RamPlan, Warning};
use crate::footprint::{During, Footprint, LiveRecord};
use crate::units::Bytes;

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
