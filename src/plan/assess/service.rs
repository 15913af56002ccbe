//! What an assessment is made from: costs of a service, whoever measured or declared them.

use super::assessment::{Component, HeldOut, Provenance, RequestKind, Target, TopologyRow};
use crate::model::CpuModel;
use crate::model::queue::Demand;
use crate::plan::{Charge, Curve, Warning};
use crate::units::{Bytes, Convention, Cpus, Seconds, Span};

/// The costs of a service.
#[derive(Debug, Clone)]
pub struct ServiceModel {
    /// As `--profile` takes it.
    pub name: String,
    /// For people.
    pub title: String,
    /// What the costs are known from.
    pub provenance: Provenance,
    /// Memory before lazily loaded models are loaded; `None` where there are none.
    pub eager: Option<Curve>,
    /// Memory with everything loaded: what decides.
    pub memory: Curve,
    /// What the kernel charges and cannot drop; `None` where costs are declared.
    pub charge: Option<Charge>,
    /// What another set of sessions would add.
    pub per_session: Span<Bytes>,
    /// What another process would add.
    pub per_worker: Span<Bytes>,
    /// The peak while models are loaded.
    pub load_peak: Span<Bytes>,
    /// Where the memory goes.
    pub components: Vec<Component>,
    /// A validation of the fit.
    pub held_out: Option<HeldOut>,
    /// What a request holds while it waits to be admitted.
    pub waiting: Span<Bytes>,
    /// CPU time of a request.
    pub cpu: CpuModel,
    /// What requests ask for, at the high end of cost.
    pub demand: Demand,
    /// Other ways to share sessions and processes.
    pub topologies: Vec<TopologyRow>,
    /// The kinds of requests of a mix.
    pub request_kinds: Vec<RequestKind>,
    /// The time of a request above which the profile's alarm goes off; `None` where it has none.
    pub response_threshold: Option<Seconds>,
    /// What is stored; `None` where nobody says.
    pub disk: Option<Bytes>,
    /// Bytes of the busiest month; `None` where nobody says.
    pub bandwidth: Option<Bytes>,
    /// Servers: those that the profile names, else an example of what is sold.
    pub servers: Vec<Offer>,
    /// Whether the profile names them, so that a minimum is one of them and not of a ladder of sizes.
    pub is_catalog: bool,
    /// Whether what was measured says nothing of what the service takes.
    pub is_unknown: bool,
    /// What the reader should know whatever is asked.
    pub warnings: Vec<Warning>,
    /// The highest concurrency that was measured; `None` where costs are declared.
    pub measured_concurrency: Option<u32>,
    /// CPUs of the measuring machine, and how many times what one of them did they did together, where
    /// that is known; `None` where costs are declared.
    pub measured_cpus: Option<(u32, Option<f64>)>,
    /// What a megabyte of the servers of a ladder is.
    pub convention: Convention,
    /// Requests in one simulation of a queue: chance moves the 95 % latency of 40,000 by 1 or 2 %.
    pub simulated_requests: usize,
}

/// A server that is sold.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// What it is called.
    pub name: String,
    /// RAM.
    pub ram: Bytes,
    /// CPUs.
    pub cpus: Option<Cpus>,
    /// Disk.
    pub disk: Option<Bytes>,
    /// Transfer per month.
    pub bandwidth: Option<Bytes>,
    /// US dollars per month.
    pub price_per_month: Option<f64>,
    /// Users per month for which it is offered.
    pub users_below: Option<f64>,
}

impl Offer {
    /// What it has.
    pub fn target(&self) -> Target {
        Target {
            name: Some(self.name.clone()),
            ram: Some(self.ram),
            cpus: self.cpus,
            disk: self.disk,
            bandwidth: self.bandwidth,
        }
    }
}
