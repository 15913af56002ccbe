use serde::{Deserialize, Serialize};

use crate::units::{Seconds, Span};

/// CPU time of requests that came at random and not in waves, on a machine that was half busy: each
/// finds the caches as others left them, and a thread that has to be woken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceTimes {
    /// Requests that were served.
    pub requests: u32,
    /// The mean, each process its own value.
    pub mean: Span<Seconds>,
    /// The means of equal shares of all requests, in the order of their time: ascending, at least one.
    pub shares: Vec<Seconds>,
}
