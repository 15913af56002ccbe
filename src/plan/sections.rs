//! The sections of a report, one function each: what they print and in which order, from the plan
//! and what the profile says of the service. A section that has nothing to say is not there.

#![expect(clippy::unnecessary_wraps, reason = "all sections are made by functions of one type")]

mod answer;
mod capacity;
mod cpu;
mod demand;
mod deployment;
mod disk;
mod habits;
mod load;
mod market;
mod memory;
mod network;
mod operation;
mod ram;
mod scenario;
mod service;
mod summary;
mod tips;
mod trust;
mod workers;

pub use operation::warning;
pub use summary::finding_phrase;

use super::book::Maker;
use super::page::Section;

/// A section, made where there is something to say.
type Make = fn(&mut Maker<'_>) -> Option<Section>;

/// The names of all sections, in the order of the report.
pub const SECTIONS: [&str; 27] = [
    "summary",
    "service",
    "answer",
    "memory",
    "ram",
    "scenario",
    "formula",
    "limits",
    "users",
    "cpu",
    "load",
    "mix",
    "volume",
    "workers",
    "antipatterns",
    "topologies",
    "workload",
    "storage",
    "network",
    "traffic",
    "tiers",
    "upgrade",
    "tips",
    "warnings",
    "monitoring",
    "trust",
    "conclusion",
];

/// What a terminal shows where nothing else is asked for.
pub const SHORT: [&str; 1] = ["summary"];

const MAKERS: [Make; 27] = [
    summary::summary,
    service::service,
    answer::answer,
    memory::memory,
    ram::ram,
    scenario::scenario,
    scenario::formula,
    capacity::limits,
    capacity::users,
    cpu::cpu,
    load::load,
    scenario::mix,
    deployment::volume,
    workers::workers,
    habits::antipatterns,
    workers::topologies,
    demand::workload,
    disk::storage,
    network::network,
    network::traffic,
    market::tiers,
    market::upgrade,
    tips::tips,
    operation::warnings,
    operation::monitoring,
    trust::trust,
    answer::conclusion,
];

/// All sections that have something to say.
pub(super) fn all(maker: &mut Maker<'_>) -> Vec<Section> {
    summary::figures(maker);
    MAKERS.iter().filter_map(|make| make(maker)).collect()
}
