//! A load that was driven, beside what was predicted of it.

use crate::model::queue::{Arrivals, Demand, Seen, Served, Server, Work, poisson, seen, simulate};
use crate::units::{Rate, Share};

/// Requests that are simulated for a prediction: enough that chance moves the 99 % latency by less
/// than a percent or two.
const FORESEEN: usize = 200_000;

/// How requests came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Came {
    /// At random, at this share of what the CPUs can do.
    Open(Share, Rate),
    /// From so many users without a pause.
    Closed(u32),
}

/// One load.
#[derive(Debug, Clone, PartialEq)]
pub struct Driven {
    /// How requests came.
    pub came: Came,
    /// Requests that were admitted at once.
    pub limit: u32,
    /// How many in all.
    pub requests: usize,
    /// What was seen.
    pub observed: Seen,
    /// The same arrivals and times in the simulation: what the queue model errs by.
    pub replayed: Seen,
    /// Other arrivals at the same rate, with the CPU time that the plan reckons with: what the plan
    /// errs by.
    pub foreseen: Seen,
}

/// All loads that were asked for, or those up to one under which the service was killed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Loads {
    /// Those that were driven to their end.
    pub driven: Vec<Driven>,
    /// The one under which it was killed, if there was one.
    pub killed: Option<Came>,
}

/// (predicted − observed) / observed, or 0 of nothing.
pub fn error(predicted: f64, observed: f64) -> f64 {
    if observed > 0.0 { predicted / observed - 1.0 } else { 0.0 }
}

impl Driven {
    /// What is made of a load: when requests came and went, what each took, and what the plan has
    /// for one.
    pub fn new(
        came: Came,
        server: &Server,
        turns: &[Served],
        work: &[Work],
        planned: &Demand,
        seed: u64,
    ) -> Self {
        let times: Vec<f64> = turns.iter().map(|s| s.arrived).collect();
        let arrivals = match came {
            Came::Open(..) => Arrivals::Open(&times),
            Came::Closed(users) => Arrivals::Closed(users),
        };
        let mut random = fastrand::Rng::with_seed(seed);
        let planned = planned.draw(FORESEEN, &mut random);
        let foreseen = match came {
            Came::Open(_, rate) => {
                let times = poisson(rate.get(), FORESEEN, &mut random);
                simulate(&planned, Arrivals::Open(&times), server)
            }
            Came::Closed(users) => simulate(&planned, Arrivals::Closed(users), server),
        };
        Self {
            came,
            limit: server.limit.unwrap_or(u32::MAX),
            requests: turns.len(),
            observed: seen(turns),
            replayed: seen(&simulate(work, arrivals, server).served),
            foreseen: seen(&foreseen.served),
        }
    }
}
