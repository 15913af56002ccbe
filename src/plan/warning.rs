//! What the reader should know besides the answer.

use super::Bend;
use crate::footprint::{Killed, ManagedRuntime, Repeated, Topology, Unexplained};
use crate::units::{Bytes, Megapixels};

impl Warning {
    /// Its stable code in the contract, in `snake_case`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::SyntheticWeights => "synthetic_weights",
            Self::Partial => "partial_measurement",
            Self::Killed { .. } => "process_killed",
            Self::TopologyKilled { .. } => "topology_killed",
            Self::NotALine(_) => "not_a_line",
            Self::NotFlat { .. } => "not_flat",
            Self::NotChecked => "not_checked",
            Self::NotTried => "not_tried",
            Self::Extrapolated { .. } => "extrapolated",
            Self::Disturbed(_) => "disturbed",
            Self::NoRoom { .. } => "no_room",
            Self::AssumedShape(_) => "assumed_shape",
            Self::AssumedValue(_) => "assumed_value",
            Self::OneStep { .. } => "one_step",
            Self::ModelAlone => "model_alone",
            Self::OtherCpu { .. } => "other_cpu",
            Self::LargestImage { .. } => "largest_image",
            Self::MoreCpus { .. } => "more_cpus",
            Self::ThreadsAboveCpus { .. } => "threads_above_cpus",
            Self::Grows { .. } => "memory_grows",
            Self::CouldNotStand { .. } => "could_not_stand",
            Self::BurstFailed { .. } => "burst_failed",
            Self::OneBurst { .. } => "one_burst",
            Self::HeapFollowsRam { .. } => "heap_follows_ram",
            Self::NotTheService => "not_the_service",
            Self::StillAccumulates { .. } => "still_accumulates",
            Self::UnexplainedHistory { .. } => "unexplained_history",
            Self::RepeatedBodies(_) => "repeated_bodies",
            Self::TmpfsGrew { .. } => "tmpfs_grew",
            Self::DeclaredCosts => "declared_costs",
            Self::ValidationFailed { .. } => "validation_failed",
            Self::WideMemory { .. } => "wide_memory_interval",
            Self::WideCpu { .. } => "wide_cpu_interval",
        }
    }
}

/// Something the reader should know. The codes are part of the JSON contract.
#[derive(Debug, Clone, PartialEq)]
pub enum Warning {
    /// The weights are random.
    SyntheticWeights,
    /// The measurement was stopped before its end.
    Partial,
    /// A measured child was killed.
    Killed {
        /// Requests in flight at that time.
        concurrency: u32,
        /// The signal.
        signal: i32,
    },
    /// Another topology was killed when it was run.
    TopologyKilled {
        /// Which.
        topology: Topology,
        /// Where.
        killed: Killed,
    },
    /// The curve is not a line.
    NotALine(Bend),
    /// The high-water mark still rose when its time was up.
    NotFlat {
        /// At this concurrency.
        concurrency: u32,
    },
    /// The fit was not checked at a concurrency that it was not made from.
    NotChecked,
    /// The same of a service that was measured from outside.
    NotTried,
    /// The answer is beyond what was measured.
    Extrapolated {
        /// The largest measured concurrency.
        measured: u32,
    },
    /// The measuring machine had no room for more.
    NoRoom {
        /// The least concurrency that was not measured for that.
        concurrency: u32,
    },
    /// Dimensions of inputs that neither the model nor the user gave, in words.
    AssumedShape(Vec<String>),
    /// Lengths, counts and other numbers that nobody gave, in words.
    AssumedValue(Vec<String>),
    /// One run of a model is one step of a request that takes many.
    OneStep {
        /// The model.
        model: String,
        /// The input or output that shows it.
        port: String,
    },
    /// The models were measured, and the server process around them counts nothing.
    ModelAlone,
    /// A live service whose memory does not come back.
    Grows {
        /// What each request leaves behind.
        per_request: Bytes,
        /// Requests until the box is full; `None` without a box.
        until_full: Option<u64>,
    },
    /// A live service that failed under load.
    CouldNotStand {
        /// Requests in flight.
        concurrency: u32,
        /// What happened.
        what: String,
    },
    /// A live service that failed under a burst right after its start.
    BurstFailed {
        /// Requests in flight.
        concurrency: u32,
        /// What happened.
        what: String,
    },
    /// A single burst right after a start was measured: how much they differ is not known.
    OneBurst {
        /// Requests in flight.
        concurrency: u32,
    },
    /// A live service whose runtime sizes its heap by the RAM that it may use, measured with another
    /// amount than is asked about.
    HeapFollowsRam {
        /// Whose heap.
        runtime: ManagedRuntime,
        /// What it could use.
        measured_with: Bytes,
        /// What is asked about, if anything is.
        asked: Option<Bytes>,
    },
    /// The processes that were measured did nothing while requests were answered.
    NotTheService,
    /// Memory of a live service accumulates, and where that ends was not seen.
    StillAccumulates {
        /// So far.
        bytes: Bytes,
        /// Over so many requests.
        requests: u64,
        /// The bodies were used up by then.
        bodies_used_up: bool,
    },
    /// A live service takes another amount with fewer in flight again than before, and nothing explains
    /// that.
    UnexplainedHistory(Unexplained),
    /// A live service answered the same bodies again and again, and the first answers took many times
    /// what later ones did.
    RepeatedBodies(Repeated),
    /// A file system in memory filled up, and how much of that is charged to the service is not known.
    TmpfsGrew {
        /// Where it is mounted.
        path: String,
        /// By so much.
        bytes: Bytes,
    },
    /// Nothing was measured.
    DeclaredCosts,
    /// What was observed at the held-out concurrency is not in the interval that was predicted.
    ValidationFailed {
        /// (predicted − observed) / observed.
        error: f64,
    },
    /// The interval of the memory limit is too wide to be trusted.
    WideMemory {
        /// Half of it, as a share of the typical value.
        half_width: f64,
    },
    /// The interval of the CPU time is too wide to be trusted.
    WideCpu {
        /// Half of it, as a share of the typical value.
        half_width: f64,
    },
    /// Something disturbed the measurement.
    Disturbed(String),
    /// Measured on another processor than this.
    OtherCpu {
        /// The measuring machine's.
        measured_on: String,
    },
    /// Requests may carry images of several sizes, and the largest was measured.
    LargestImage {
        /// All of them, ascending.
        sizes: Vec<Megapixels>,
    },
    /// The box has more CPUs than the measuring machine.
    MoreCpus {
        /// The measuring machine's.
        measured_on: u32,
        /// How many times what one of them did they did together; `None` where that is not known.
        together: Option<f64>,
    },
    /// More threads than the quota of the box pays for.
    ThreadsAboveCpus {
        /// Intra-op threads.
        threads: u16,
    },
}
