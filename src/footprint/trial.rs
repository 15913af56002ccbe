//! What was seen of a service inside the limits of a box.

use crate::units::{Bytes, Seconds};

/// How requests come to the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Temper {
    /// After it was warmed up, in wave after wave.
    Warm,
    /// All at once on a service that has served nothing yet, as after a restart under load.
    Cold,
}

/// What a service was doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Loading the runtime and the models.
    Loading,
    /// Serving single requests.
    Warming,
    /// Serving N at once.
    Serving,
}

/// How a trial ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All requests were answered.
    Finished,
    /// The kernel killed it for want of memory, in this phase.
    Killed(Phase),
    /// It was still at it in this phase when its time was over.
    Late(Phase),
}

/// What the kernel counted of a control group since it was made. What its hierarchy does not offer
/// is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Counters {
    /// The most that was charged at once: anonymous, file and kernel memory. File pages fill
    /// whatever is free, so it says little of what is needed.
    pub peak: Option<Bytes>,
    /// The most kernel memory: page tables, stacks, slab. Version 1 only.
    pub kernel_peak: Option<Bytes>,
    /// Processes that the kernel killed for want of memory.
    pub oom_kills: Option<u64>,
    /// Pages that had to be read from a file again, or for the first time.
    pub major_faults: Option<u64>,
    /// How often a charge met the limit, so that pages had to be dropped first.
    pub reclaims: Option<u64>,
    /// How often and how long it waited for its CPU quota.
    pub throttled: Option<Throttled>,
}

/// Waiting for a CPU quota.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Throttled {
    /// Periods of 100 ms in which it had to wait.
    pub periods: u64,
    /// All of its threads' waiting.
    pub time: Seconds,
}

/// What was seen of one trial.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// How it ended.
    pub ending: Ending,
    /// From its start to its end.
    pub wall: Seconds,
    /// What the kernel counted.
    pub counters: Counters,
    /// Anonymous bytes with those of tmpfs and shared memory, and cached ones of other files, when the
    /// former were highest, of samples 5 ms apart.
    pub highest: Option<(Bytes, Bytes)>,
}
