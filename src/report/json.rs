//! A plan as JSON, in the contract `mediscope-size/report/1`.
//!
//! The types here are the contract and nothing else: a field of the plan may be renamed or moved
//! without any program that reads the output noticing. Keys are written in the contract's order,
//! every key is always there, and what was not asked is null. Bytes and seconds are plain numbers.
//! `schemas/report-1.schema.json` says the same to programs, and the tests hold both together.

mod answers;
mod load;
mod market;
mod ram;
pub(super) mod span;

#[cfg(test)]
pub(super) mod contract;
#[cfg(test)]
pub(super) mod planted;
#[cfg(test)]
mod tests;

use serde::Serialize;

use self::answers::{Alternative, Cpu, Upgrade, Verdict, Warning};
use self::load::Load;
use self::market::{Bandwidth, Disk, Tier};
use self::ram::Ram;
use super::sentences::Sentences;
use crate::plan::{Plan, Question};
use crate::units::{Bytes, Cpus, Rate};

/// The name of the contract. A change that a reader could notice gets another number.
const SCHEMA: &str = "mediscope-size/report/1";

/// The report as JSON for programs: indented, with a line break at the end.
///
/// # Errors
/// Where the plan cannot be serialised, which no plan is known to cause.
pub fn json(plan: &Plan) -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(&Report::from(plan))?;
    text.push('\n');
    Ok(text)
}

#[derive(Debug, Serialize)]
struct Report<'a> {
    schema: &'static str,
    profile: Profile<'a>,
    topology: String,
    source: &'static str,
    #[serde(rename = "box")]
    target: Target,
    demand: Option<Demand>,
    ram: Ram<'a>,
    cpu: Cpu,
    load: Option<Load>,
    disk: Option<Disk>,
    bandwidth: Option<Bandwidth>,
    tiers: Vec<Tier<'a>>,
    alternatives: Vec<Alternative<'a>>,
    warnings: Vec<Warning>,
    upgrades: Vec<Upgrade>,
    verdict: Verdict,
}

#[derive(Debug, Serialize)]
struct Profile<'a> {
    name: &'a str,
    title: &'a str,
}

#[derive(Debug, Serialize)]
struct Target {
    ram_bytes: Option<u64>,
    cpus: Option<f64>,
    disk_bytes: Option<u64>,
    bandwidth_bytes_per_month: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Demand {
    concurrency: Option<u32>,
    rps: Option<f64>,
}

impl Demand {
    fn of(question: &Question) -> Option<Self> {
        let (concurrency, rps) = (question.concurrency, question.rps.map(Rate::get));
        (concurrency.is_some() || rps.is_some()).then_some(Self { concurrency, rps })
    }
}

impl<'a> From<&'a Plan> for Report<'a> {
    fn from(plan: &'a Plan) -> Self {
        let mut sentences = Sentences::new();
        Self {
            schema: SCHEMA,
            profile: Profile { name: &plan.name, title: &plan.title },
            topology: plan.topology.to_string(),
            source: plan.source.name(),
            target: Target::from(&plan.question),
            demand: Demand::of(&plan.question),
            ram: Ram::from(plan),
            cpu: Cpu::from(&plan.cpu),
            load: plan.load.as_ref().map(Load::from),
            disk: Disk::of(&plan.market),
            bandwidth: Bandwidth::of(&plan.market),
            tiers: plan
                .market
                .offers
                .iter()
                .map(|offer| Tier::of(offer, plan.market.declared))
                .collect(),
            alternatives: plan.alternatives.iter().map(Alternative::from).collect(),
            warnings: plan.warnings.iter().map(|w| Warning::of(w, &mut sentences)).collect(),
            upgrades: plan.upgrade.iter().map(Upgrade::from).collect(),
            verdict: Verdict::of(&plan.verdict, &mut sentences),
        }
    }
}

impl From<&Question> for Target {
    fn from(question: &Question) -> Self {
        Self {
            ram_bytes: question.ram.map(Bytes::get),
            cpus: question.cpus.map(Cpus::get),
            disk_bytes: question.disk.map(Bytes::get),
            bandwidth_bytes_per_month: question.bandwidth.map(Bytes::get),
        }
    }
}
