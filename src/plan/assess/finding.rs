//! Codes of what a verdict rests on. Programs read the code and its values; the words are added by
//! whoever renders an assessment.

use schemars::JsonSchema;
use serde::Serialize;

use crate::units::{Bytes, Cpus, Rate, Seconds};

/// Why an answer is what it is.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "code", rename_all = "snake_case", rename_all_fields = "snake_case")]
pub enum Finding {
    /// Not even one request fits.
    NoRequestFits {
        /// What one needs.
        limit_bytes: Bytes,
        /// The RAM of the target.
        ram_bytes: Bytes,
    },
    /// The asked concurrency does not fit.
    TooManyConcurrent {
        /// The asked concurrency.
        concurrency: u32,
        /// What it needs.
        limit_bytes: Bytes,
        /// The RAM of the target.
        ram_bytes: Bytes,
    },
    /// The design concurrency takes more than 80 % of the RAM.
    LittleMemoryLeft {
        /// The design concurrency.
        concurrency: u32,
        /// What it needs.
        limit_bytes: Bytes,
        /// The RAM of the target.
        ram_bytes: Bytes,
    },
    /// The design concurrency fits.
    MemoryFits {
        /// The design concurrency.
        concurrency: u32,
        /// What it needs.
        limit_bytes: Bytes,
        /// The RAM of the target.
        ram_bytes: Bytes,
    },
    /// The RAM holds fewer requests than keep the CPUs busy.
    MemoryBelowSaturation {
        /// Requests that the RAM holds.
        safe_concurrency: u32,
        /// Requests that keep the CPUs busy.
        saturation_concurrency: u32,
    },
    /// More requests may come together than the RAM holds: a concurrency limit is needed.
    NeedsConcurrencyLimit {
        /// The limit.
        concurrency_limit: u32,
        /// The chance per day without one.
        oom_risk_per_day: f64,
    },
    /// The asked rate is above the throughput.
    RateAboveThroughput {
        /// The asked rate.
        rate_rps: Rate,
        /// What the RAM and the CPUs can answer.
        throughput_rps: Rate,
    },
    /// The asked rate takes more than 80 % of the throughput.
    LittleThroughputLeft {
        /// The asked rate.
        rate_rps: Rate,
        /// What the RAM and the CPUs can answer.
        throughput_rps: Rate,
        /// The share.
        utilisation: f64,
    },
    /// The asked rate is within the throughput.
    RateFits {
        /// The asked rate.
        rate_rps: Rate,
        /// What the RAM and the CPUs can answer.
        throughput_rps: Rate,
        /// The share.
        utilisation: f64,
    },
    /// The latency target is missed.
    SloMissed {
        /// The highest rate at which it is met; 0 where a lone request misses it.
        rate_at_slo_rps: Rate,
    },
    /// The asked rate is above 80 % of the highest at which the latency target is met.
    SloNearlyMissed {
        /// That rate.
        rate_at_slo_rps: Rate,
    },
    /// The latency target is met.
    SloMet {
        /// The highest rate at which it is.
        rate_at_slo_rps: Rate,
    },
    /// So many concurrent requests take longer than the latency target.
    ConcurrencyTooSlow {
        /// The asked concurrency.
        concurrency: u32,
        /// How long each takes.
        response_seconds: Seconds,
    },
    /// A lone request takes longer than the profile's alarm allows.
    SlowerThanThreshold {
        /// A lone request, high end.
        response_seconds: Seconds,
        /// The threshold.
        threshold_seconds: Seconds,
    },
    /// A quota below one CPU makes a lone request slower.
    QuotaBelowOneCpu {
        /// The quota.
        cpus: Cpus,
        /// A lone request.
        response_seconds: Seconds,
    },
    /// The disk is too small.
    DiskTooSmall {
        /// What is stored.
        need_bytes: Bytes,
        /// The disk of the target.
        disk_bytes: Bytes,
    },
    /// What is stored takes more than 80 % of the disk.
    LittleDiskLeft {
        /// What is stored.
        need_bytes: Bytes,
        /// The disk of the target.
        disk_bytes: Bytes,
    },
    /// The transfer does not suffice for the busiest month.
    TooLittleBandwidth {
        /// The busiest month.
        need_bytes: Bytes,
        /// What the target may send and receive.
        bandwidth_bytes: Bytes,
    },
    /// The busiest month takes more than 80 % of the transfer.
    LittleBandwidthLeft {
        /// The busiest month.
        need_bytes: Bytes,
        /// What the target may send and receive.
        bandwidth_bytes: Bytes,
    },
    /// The server is meant for fewer users.
    MeantForFewerUsers {
        /// Users per month for which it is offered.
        users_below: f64,
    },
    /// What was measured says nothing of what the service takes.
    CostsUnknown,
}
