//! The result of an assessment: every number that a report shows, once.
//!
//! `--format json` is the serialisation of [`Assessment`]. Bytes, seconds and rates are plain numbers;
//! what was not asked is null; a value with an interval is an object with `low`, `typical`, `high`
//! (95 % where it was measured) and `source`.

use schemars::JsonSchema;
use serde::Serialize;

use super::finding::Finding;
use crate::plan::Warning;
use crate::units::{Bytes, Cpus, Rate, Seconds, Source, Span};

/// The contract of the JSON output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum Schema {
    /// Version 2.
    #[serde(rename = "mediscope-size/report/2")]
    V2,
}

/// The answer to one question about one service.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Assessment {
    /// The version of this contract.
    pub schema: Schema,
    /// What was assessed.
    pub service: ServiceName,
    /// What the costs are known from.
    pub footprint: Provenance,
    /// What was asked.
    pub question: Question,
    /// What it takes.
    pub memory: Memory,
    /// What the target gives.
    pub capacity: Capacity,
    /// Memory, throughput and response time by concurrent requests, ascending.
    pub concurrency_rows: Vec<ConcurrencyRow>,
    /// Latency by rate of arrivals, ascending; empty where no CPUs are known.
    pub rate_rows: Vec<RateRow>,
    /// What to admit; null where no CPUs are known.
    pub admission: Option<Admission>,
    /// Servers: those that the profile names, else an example of what is sold.
    pub servers: Vec<Server>,
    /// Other ways to share sessions and processes at the design concurrency.
    pub topologies: Vec<TopologyRow>,
    /// The kinds of requests of a mix; empty where all are alike.
    pub request_kinds: Vec<RequestKind>,
    /// The answer.
    pub verdict: Verdict,
    /// What else the reader should know.
    pub warnings: Vec<Note>,
    /// Limits, ready to paste; null where the service does not fit.
    pub paste: Option<Paste>,
}

/// The profile's name and title.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ServiceName {
    /// As `--profile` takes it.
    pub name: String,
    /// For people.
    pub title: String,
}

/// What the costs are known from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Provenance {
    /// `measured`, or `declared` by whoever wrote the profile.
    pub source: Source,
    /// The CPU of the machine that measured.
    pub measured_on: Option<String>,
    /// How requests share sessions and processes: `shared`, `workers:2` …
    pub topology: String,
}

/// What is asked of a server.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
pub struct Question {
    /// The server or container that is asked about.
    pub target: Option<Target>,
    /// Concurrent requests that it must hold.
    pub concurrency: Option<u32>,
    /// Requests per second that arrive.
    #[serde(rename = "rate_rps")]
    pub rate: Option<Rate>,
    /// The latency that most answers must keep.
    pub slo: Option<Slo>,
    /// Users per month.
    pub users_per_month: Option<f64>,
    /// Whether the service is warmed up before it gets traffic, so that no cold burst needs room.
    pub warmed: bool,
}

/// A latency target.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Slo {
    /// Percent of the answers, 50 to 99.9.
    pub percentile: f64,
    /// From the arrival of a request to its answer.
    pub seconds: Seconds,
}

/// What a server or a container has, as far as it is known.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
pub struct Target {
    /// What it is called.
    pub name: Option<String>,
    /// RAM.
    #[serde(rename = "ram_bytes")]
    pub ram: Option<Bytes>,
    /// CPUs; a fraction is a quota.
    pub cpus: Option<Cpus>,
    /// Disk.
    #[serde(rename = "disk_bytes")]
    pub disk: Option<Bytes>,
    /// Transfer per month.
    #[serde(rename = "bandwidth_bytes_per_month")]
    pub bandwidth: Option<Bytes>,
}

/// What the service takes.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Memory {
    /// Shared by all requests.
    pub base: Span<Bytes>,
    /// Added by each concurrent request.
    pub buffer: Span<Bytes>,
    /// What another set of sessions would add.
    pub per_session: Span<Bytes>,
    /// What another process would add.
    pub per_worker: Span<Bytes>,
    /// What a request holds while it waits to be admitted.
    pub waiting: Span<Bytes>,
    /// The peak while models are loaded.
    pub load_peak: Span<Bytes>,
    /// The peak of `design_concurrency` first requests after a restart; null where none was measured or
    /// the service is warmed up first.
    pub cold_burst: Option<Span<Bytes>>,
    /// Concurrent requests that the limit is for: those asked for, else what the asked rate needs, else
    /// what keeps the CPUs busy, as far as the memory holds them.
    pub design_concurrency: u32,
    /// The memory limit to set for that: `high` decides.
    pub limit: Span<Bytes>,
    /// Below this limit the kernel kills; null where costs are declared.
    pub oom_threshold: Option<Span<Bytes>>,
    /// A prediction for a concurrency that the fit did not use, and what was observed; null where none
    /// was made.
    pub held_out: Option<HeldOut>,
    /// Where the memory goes.
    pub components: Vec<Component>,
}

/// A validation of the fit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct HeldOut {
    /// Concurrent requests.
    pub concurrency: u32,
    /// From smaller concurrencies alone.
    pub predicted: Span<Bytes>,
    /// The median peak of other processes.
    #[serde(rename = "observed_bytes")]
    pub observed: Bytes,
    /// (predicted − observed) / observed.
    pub error: f64,
    /// (predicted − observed) / (observed − base).
    pub increment_error: f64,
}

impl HeldOut {
    /// Whether what was observed is in the interval that was predicted.
    pub fn is_inside(&self) -> bool {
        (self.predicted.low()..=self.predicted.high()).contains(&self.observed)
    }
}

/// A part of the memory.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Component {
    /// What it is.
    pub name: String,
    /// `shared` by all requests, or of each `request`.
    pub scope: &'static str,
    /// How much.
    pub bytes: Span<Bytes>,
}

/// What the target gives; a field is null where the target does not say what it needs for that.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Capacity {
    /// Concurrent requests that the RAM holds at the high end of cost: what to plan with.
    pub safe_concurrency: Option<u32>,
    /// The same at the typical cost; never fewer.
    pub typical_concurrency: Option<u32>,
    /// Concurrent requests that keep the CPUs busy; above it requests queue.
    pub saturation_concurrency: Option<u32>,
    /// Requests per second that the RAM and the CPUs can answer; `low` decides.
    pub throughput: Option<Span<Rate>>,
    /// The highest rate at which the latency target is met.
    pub rate_at_slo: Option<Rate>,
    /// Seconds that a request takes that is alone.
    pub response: Option<Span<Seconds>>,
    /// CPU time of a request.
    pub cpu_seconds_per_request: Span<Seconds>,
}

/// One concurrency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct ConcurrencyRow {
    /// `eager` before lazily loaded models are loaded, else `loaded`.
    pub state: &'static str,
    /// Concurrent requests.
    pub concurrency: u32,
    /// What they take: `RAM = base + N × buffer`.
    pub memory: Span<Bytes>,
    /// The memory limit that they need.
    #[serde(rename = "limit_bytes")]
    pub limit: Bytes,
    /// Whether the target holds them; null where its RAM is not known.
    pub fits: Option<bool>,
    /// Requests per second with so many always there, at the high end of cost; null where the CPUs are
    /// not known.
    pub throughput: Option<Rate>,
    /// Time of each of them, at the high end of cost.
    #[serde(rename = "response_seconds")]
    pub response: Option<Seconds>,
    /// Where the numbers come from.
    pub source: Source,
}

/// One rate of arrivals.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct RateRow {
    /// Requests per second.
    #[serde(rename = "rate_rps")]
    pub rate: Rate,
    /// Whether this rate was asked about.
    pub asked: bool,
    /// The share of the throughput, 0 and more; from 1 on the queue grows for ever.
    pub utilisation: f64,
    /// Latencies behind the concurrency limit, simulated; null where neither a rate nor a latency
    /// target is asked about, and where the queue grows for ever.
    pub p50: Option<Seconds>,
    /// The same at 95 %.
    pub p95: Option<Seconds>,
    /// The same at 99 %.
    pub p99: Option<Seconds>,
    /// Requests that are there in the mean, if all are admitted.
    pub mean_concurrency: Option<f64>,
    /// Not exceeded 99.9 % of the time, if all are admitted.
    pub p999_concurrency: Option<u32>,
    /// The chance that within a day more are there than the RAM holds, if all are admitted; null where
    /// the RAM is not known.
    pub oom_risk_per_day: Option<f64>,
}

/// What to admit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Admission {
    /// Requests that are worked on at a time.
    pub concurrency_limit: u32,
    /// Requests that may wait; the next is refused.
    pub queue_limit: u32,
    /// How long one may wait.
    #[serde(rename = "queue_timeout_seconds")]
    pub queue_timeout: Seconds,
    /// `declared` where the latency target gives it, else `assumed`.
    pub queue_timeout_source: Source,
    /// The memory limit with both full.
    #[serde(rename = "limit_bytes")]
    pub limit: Bytes,
}

/// A server, and what it does for this service.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Server {
    /// What it is called.
    pub name: String,
    /// RAM.
    #[serde(rename = "ram_bytes")]
    pub ram: Bytes,
    /// CPUs.
    pub cpus: Option<Cpus>,
    /// US dollars per month, the low end of a range.
    pub price_per_month: Option<f64>,
    /// As for the target.
    pub safe_concurrency: u32,
    /// As for the target.
    pub throughput: Option<Span<Rate>>,
    /// As for the target.
    pub rate_at_slo: Option<Rate>,
    /// The verdict over all that was asked.
    pub answer: Answer,
    /// Whether it answers the question: `fits` or `tight`.
    pub fits: bool,
    /// Whether it is the one that was asked about.
    pub asked: bool,
    /// Why the answer is what it is.
    pub reasons: Vec<Text<Finding>>,
}

/// Another way to share sessions and processes.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TopologyRow {
    /// As `--topology` takes it.
    pub topology: String,
    /// What it takes.
    pub memory: Span<Bytes>,
    /// Requests per second; null where that is not known.
    pub throughput: Option<Span<Rate>>,
}

/// One kind of request of a mix.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RequestKind {
    /// The profile's name for it.
    pub name: String,
    /// Of all requests, 0 to 1.
    pub share: f64,
    /// What each of them adds.
    pub buffer: Span<Bytes>,
    /// CPU time of one.
    pub cpu_seconds: Span<Seconds>,
}

/// In one word.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// With room to spare.
    Fits,
    /// With little to spare, or under a condition that a reason states.
    Tight,
    /// Not.
    DoesNotFit,
    /// Nothing was asked, or too little is known.
    #[default]
    Unknown,
}

/// What may run short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// RAM.
    Memory,
    /// CPU time.
    Cpu,
    /// Time to the answer.
    Latency,
    /// Storage.
    Disk,
    /// Transfer per month.
    Bandwidth,
}

/// How sure the verdict is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// A reason says why.
    Low,
    /// Nothing speaks against it, and no validation for it.
    Medium,
    /// The fit was validated at a concurrency that it did not use.
    High,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Verdict {
    /// In one word.
    pub answer: Answer,
    /// How sure it is.
    pub confidence: Confidence,
    /// Why it is not surer.
    pub confidence_reasons: Vec<Note>,
    /// The resource that decides: the one that is missing, else the one that would run short first.
    pub binding: Option<Resource>,
    /// Each resource that was asked about.
    pub by_resource: Vec<ByResource>,
    /// Why.
    pub reasons: Vec<Text<Finding>>,
    /// The name of the cheapest of `servers` that answers the question, else the smallest; null where
    /// none does.
    pub recommended_server: Option<String>,
}

/// One resource.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct ByResource {
    /// Which.
    pub resource: Resource,
    /// How it does.
    pub answer: Answer,
    /// What the target has: bytes, CPUs, seconds, bytes, bytes per month.
    pub current: Option<f64>,
    /// The least that answers the question: what the first of the profile's servers has that does, else
    /// of a ladder of sizes that are sold; null where none does.
    pub minimum: Option<f64>,
    /// The same with room to spare.
    pub recommended: Option<f64>,
}

/// A code for programs, what it is about, and the same in words, in the language of the report.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Text<C> {
    /// Code and values.
    #[serde(flatten)]
    pub code: C,
    /// A sentence.
    pub text: String,
}

impl<C> From<C> for Text<C> {
    /// Without words: whoever renders the assessment adds them.
    fn from(code: C) -> Self {
        Self { code, text: String::new() }
    }
}

/// What the reader should know: a code for programs, and the same in words.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Note {
    /// What it is about.
    #[serde(skip)]
    pub warning: Warning,
    /// Its code.
    pub code: &'static str,
    /// A sentence, in the language of the report.
    pub text: String,
}

impl From<Warning> for Note {
    /// Without words: whoever renders the assessment adds them.
    fn from(warning: Warning) -> Self {
        Self { code: warning.code(), warning, text: String::new() }
    }
}

/// Limits, ready to paste.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Paste {
    /// Options of `docker run` and `podman run`.
    pub docker: String,
    /// A service in `compose.yaml`.
    pub compose: String,
    /// `resources` of a container in Kubernetes.
    pub kubernetes: String,
}
