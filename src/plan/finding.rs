//! The verdict as values: how each resource does, in one word and with its amounts, and why.

use crate::model::Capacity;
use crate::units::{Bytes, Cpus, Seconds};

/// What a box offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Memory.
    Ram,
    /// Processors.
    Cpu,
    /// Storage.
    Disk,
    /// Bytes a month.
    Bandwidth,
}

impl Resource {
    /// As it is written in the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ram => "ram",
            Self::Cpu => "cpu",
            Self::Disk => "disk",
            Self::Bandwidth => "bandwidth",
        }
    }
}

/// How one resource does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Nobody said what is needed.
    Unknown,
    /// Twice what is needed, or more.
    Excellent,
    /// Enough.
    Sufficient,
    /// Enough, with little to spare.
    Marginal,
    /// Not enough.
    Insufficient,
}

impl Status {
    /// As it is written in the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Excellent => "excellent",
            Self::Sufficient => "sufficient",
            Self::Marginal => "marginal",
            Self::Insufficient => "insufficient",
        }
    }
}

/// The whole in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overall {
    /// Every resource is sufficient.
    Fits,
    /// One is marginal.
    Tight,
    /// One is insufficient.
    DoesNotFit,
    /// Nothing was asked about, or too little is known.
    Unknown,
}

impl Overall {
    /// As it is written in the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fits => "fits",
            Self::Tight => "tight",
            Self::DoesNotFit => "does_not_fit",
            Self::Unknown => "unknown",
        }
    }
}

/// An amount of one resource.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Amount {
    /// Of RAM.
    Ram(Bytes),
    /// Of CPUs.
    Cpus(Cpus),
    /// On disk, or a month.
    Volume(Bytes),
}

/// How one resource does, with its amounts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResourceVerdict {
    /// Which.
    pub resource: Resource,
    /// How it does.
    pub status: Status,
    /// What the box has.
    pub current: Amount,
    /// Less than this does not do.
    pub minimum: Amount,
    /// From this on it is comfortable.
    pub recommended: Amount,
}

/// Why the verdict is what it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reason {
    /// RAM that is needed at a concurrency, and the box's.
    RamNeed {
        /// Requests in flight.
        concurrency: u32,
        /// What they need, high end.
        need: Bytes,
        /// What the box has.
        has: Bytes,
    },
    /// Loading alone needs more than the box has.
    LoadPeak {
        /// The height of loading.
        peak: Bytes,
        /// What the box has.
        has: Bytes,
    },
    /// The requests in flight that RAM holds.
    RamHolds(Capacity),
    /// RAM holds fewer than keep the CPUs busy.
    RamBinds {
        /// What RAM holds.
        holds: u32,
        /// What the CPUs could use.
        useful: u32,
    },
    /// The CPUs are busy before RAM is full.
    CpuBinds {
        /// What RAM holds.
        holds: u32,
        /// What the CPUs can use.
        useful: u32,
    },
    /// A quota below one thread makes even a lone request slower.
    QuotaBelowOne {
        /// Elapsed time of a lone request in the box.
        alone: Seconds,
    },
}

/// Does it fit?
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// In one word.
    pub overall: Overall,
    /// The resource that limits how many requests are served at once.
    pub binding: Option<Resource>,
    /// Each resource that was asked about.
    pub by_resource: Vec<ResourceVerdict>,
    /// Why.
    pub reasons: Vec<Reason>,
}
