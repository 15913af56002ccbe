//! The parts of the contract that answer: CPU, other topologies, what to know, what to buy, the
//! verdict. Sentences are the same that the text report prints.

use serde::Serialize;

use super::span::S;
use crate::plan;
use crate::report::sentences::Sentences;

#[derive(Debug, Serialize)]
pub(super) struct Cpu {
    seconds_per_request: S<f64>,
    throughput_rps: Option<S<f64>>,
    best_concurrency: Option<Concurrency>,
    max_useful_concurrency: Option<u32>,
}

#[derive(Debug, Serialize)]
struct Concurrency {
    low: u32,
    high: u32,
}

#[derive(Debug, Serialize)]
pub(super) struct Alternative<'a> {
    topology: &'a str,
    total_bytes: S<u64>,
    throughput_rps: Option<S<f64>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Warning {
    code: &'static str,
    text: String,
}

/// Amounts are in the unit of the resource, as in the verdict.
#[derive(Debug, Serialize)]
pub(super) struct Upgrade {
    resource: &'static str,
    concurrency: u32,
    minimum: u64,
    recommended: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    overall: &'static str,
    binding: Option<&'static str>,
    by_resource: Vec<ByResource>,
    reasons: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ByResource {
    resource: &'static str,
    status: &'static str,
    current: Amount,
    minimum: Amount,
    recommended: Amount,
}

/// A plain number in the unit of its resource.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Amount {
    Bytes(u64),
    Cpus(f64),
}

impl From<&plan::CpuPlan> for Cpu {
    fn from(cpu: &plan::CpuPlan) -> Self {
        let answers = cpu.answers.as_ref();
        Self {
            seconds_per_request: S::from(&cpu.seconds_per_request),
            throughput_rps: answers.and_then(|a| S::rate(&a.throughput)),
            best_concurrency: answers.map(|a| {
                let (low, high) = a.best_concurrency;
                Concurrency { low, high }
            }),
            max_useful_concurrency: answers.map(|a| a.max_useful_concurrency),
        }
    }
}

impl<'a> From<&'a plan::Alternative> for Alternative<'a> {
    fn from(alternative: &'a plan::Alternative) -> Self {
        Self {
            topology: &alternative.topology,
            total_bytes: S::from(&alternative.total),
            throughput_rps: alternative.throughput.as_ref().and_then(S::rate),
        }
    }
}

impl Warning {
    pub(super) fn of(warning: &plan::Warning, sentences: &mut Sentences) -> Self {
        Self { code: warning.code(), text: sentences.warning(warning) }
    }
}

impl From<&plan::Upgrade> for Upgrade {
    fn from(upgrade: &plan::Upgrade) -> Self {
        Self {
            resource: plan::Resource::Ram.name(),
            concurrency: upgrade.concurrency,
            minimum: upgrade.least.get(),
            recommended: upgrade.comfortable.get(),
        }
    }
}

impl Verdict {
    pub(super) fn of(verdict: &plan::Verdict, sentences: &mut Sentences) -> Self {
        Self {
            overall: verdict.overall.name(),
            binding: verdict.binding.map(plan::Resource::name),
            by_resource: verdict.by_resource.iter().map(ByResource::from).collect(),
            reasons: verdict.reasons.iter().map(|r| sentences.reason(r)).collect(),
        }
    }
}

impl From<&plan::ResourceVerdict> for ByResource {
    fn from(verdict: &plan::ResourceVerdict) -> Self {
        Self {
            resource: verdict.resource.name(),
            status: verdict.status.name(),
            current: Amount::from(verdict.current),
            minimum: Amount::from(verdict.minimum),
            recommended: Amount::from(verdict.recommended),
        }
    }
}

impl From<plan::Amount> for Amount {
    fn from(amount: plan::Amount) -> Self {
        match amount {
            plan::Amount::Ram(bytes) | plan::Amount::Volume(bytes) => Self::Bytes(bytes.get()),
            plan::Amount::Cpus(cpus) => Self::Cpus(cpus.get()),
        }
    }
}
