//! The CPU side of the answer.

use crate::units::{Cpus, Rate, Seconds, Span};

/// The CPU side of the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct CpuPlan {
    /// CPU time a request.
    pub seconds_per_request: Span<Seconds>,
    /// Elapsed time of one request alone on the measuring machine.
    pub seconds_alone: Span<Seconds>,
    /// What the asked CPUs give.
    pub answers: Option<CpuAnswers>,
}

/// What the asked CPUs give.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CpuAnswers {
    /// The CPUs.
    pub cpus: Cpus,
    /// Requests a second.
    pub throughput: Span<Rate>,
    /// Elapsed time of one request alone in this box.
    pub response_alone: Seconds,
    /// Requests in flight that keep the CPUs busy.
    pub best_concurrency: (u32, u32),
    /// Requests in flight beyond which only the queue grows.
    pub max_useful_concurrency: u32,
    /// Elapsed time of each request at that concurrency.
    pub response_at_useful: Seconds,
}
