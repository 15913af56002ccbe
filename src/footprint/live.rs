//! What was seen of a service that runs by itself, from outside.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::checked;
use crate::units::{Bytes, Rate, Seconds, Share, Span, not_negative};

/// Everything that only a live service has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveRecord {
    /// The command, or the process that was there.
    #[serde(deserialize_with = "checked::one_line")]
    pub target: String,
    /// Who serves, where that is not what was started: the process, and its container.
    #[serde(
        default,
        deserialize_with = "checked::one_line_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub service: Option<String>,
    /// The runtime whose heap follows the RAM that there is, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_heap: Option<ManagedHeap>,
    /// Whether it ran before and went on afterwards.
    pub attached: bool,
    /// Processes that answered requests, 1 or more.
    pub workers: u32,
    /// All of its processes.
    pub processes: u32,
    /// Requests that it works on at the same moment, all processes together; `None` where no end was
    /// seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_once: Option<u32>,
    /// By what that was told.
    pub told_by: ToldBy,
    /// What is sent with a request, in the mean.
    pub request_bytes: Bytes,
    /// Before the first request.
    pub idle: Level,
    /// After the first requests.
    pub first: Level,
    /// After everything.
    pub after: Level,
    /// The most that the kernel charged its control group, where it has one of its own: all pages
    /// of files that it read are in it, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_peak_bytes: Option<Bytes>,
    /// What was driven, in its order.
    pub rounds: Vec<Round>,
    /// Memory that the first requests left behind, and later ones no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accumulated: Option<Accumulated>,
    /// A control round that differs from the others by more than chance, and than what requests left
    /// behind explains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unexplained: Option<Unexplained>,
    /// The same few bodies were sent again and again, and the first answers took many times what later
    /// ones did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeated: Option<Repeated>,
    /// Requests that differ from each other, of all that could be sent; older records do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub different_requests: Option<u64>,
    /// Whether peaks and levels include what its control group was charged beyond the pages of its
    /// processes: files in a tmpfs, buffers of sockets.
    #[serde(default)]
    pub charged: bool,
    /// File systems in memory on which it had files open and that filled up, where no control group told
    /// what it was charged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tmpfs: Vec<TmpfsUse>,
    /// What it left behind in file systems in memory after it was stopped, all starts together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_behind: Option<LeftBehind>,
    /// Memory that does not come back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub growth: Option<Growth>,
    /// Levels at rest that were compared to find growth: with fewer than 6, whether there is any is
    /// not known.
    pub growth_looks: u32,
    /// What it could not stand, in the order in which it was tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
    /// How peaks were found.
    pub peaks_by: PeaksBy,
    /// Between two looks at the processes.
    pub sampling_seconds: Seconds,
    /// The share of one core that looking at the processes took.
    #[serde(deserialize_with = "not_negative")]
    pub sampler_cpu: f64,
    /// The most of one CPU core that the driver of the load took, of all rounds.
    #[serde(deserialize_with = "not_negative")]
    pub driver_cpu: f64,
}

/// A heap that a runtime sizes by the RAM that it may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagedHeap {
    /// Whose.
    pub runtime: ManagedRuntime,
    /// The RAM that it could use while it was measured: the limit of its control group, else all of the
    /// machine's.
    pub ram_bytes: Bytes,
}

/// A runtime that collects garbage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManagedRuntime {
    /// A Java virtual machine.
    Java,
    /// .NET.
    #[serde(rename = "dotnet")]
    DotNet,
    /// Node.js.
    Node,
    /// Go.
    Go,
}

impl ManagedHeap {
    /// Whether it was measured with this much RAM; control groups count in pages.
    pub fn was_measured_with(&self, ram: Bytes) -> bool {
        (ram.as_f64() / self.ram_bytes.as_f64().max(1.0) - 1.0).abs() < 0.01
    }
}

impl ManagedRuntime {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Java => "Java",
            Self::DotNet => ".NET",
            Self::Node => "Node.js",
            Self::Go => "Go",
        }
    }

    /// Its word in files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Java => "java",
            Self::DotNet => "dotnet",
            Self::Node => "node",
            Self::Go => "go",
        }
    }
}

/// Memory that rises with the number of requests answered and then levels off: kept answers, heaps that
/// fill up, pages that become private after a fork.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accumulated {
    /// In the end.
    pub bytes: Bytes,
    /// Requests after which it rises no further, or so many as were answered.
    pub requests: u64,
    /// Whether it was seen to rise no further.
    pub levelled_off: bool,
    /// Whether it stopped rising when the bodies were used up and came again: with more of them it may
    /// rise further.
    #[serde(default)]
    pub bodies_used_up: bool,
}

/// A control round that nothing explains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unexplained {
    /// Requests in flight.
    pub concurrency: u32,
    /// Its peak, anonymous and shared memory.
    pub anon_bytes: Bytes,
    /// What the other rounds let expect.
    pub expected_bytes: Span<Bytes>,
}

/// First answers that took many times what later ones to the same bodies did. They were made once and
/// kept, or something else was made once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeated {
    /// Bodies that differ.
    pub bodies: u64,
    /// What the first answer took beyond what was held at rest.
    pub first_bytes: Bytes,
    /// What a later one took.
    pub later_bytes: Bytes,
    /// CPU time of the first answer.
    pub first_cpu_seconds: Seconds,
    /// CPU time of a later one.
    pub later_cpu_seconds: Seconds,
}

/// A file system in memory that filled up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TmpfsUse {
    /// Where it is mounted; `memfd` for files without a name.
    #[serde(deserialize_with = "checked::one_line")]
    pub path: String,
    /// The most that was used beyond what was before.
    pub peak_bytes: Bytes,
    /// What of that was left in the end.
    pub left_bytes: Bytes,
}

/// What a service left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftBehind {
    /// In bytes.
    pub bytes: Bytes,
    /// File systems that filled up meanwhile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
}

/// By what the number of requests at work was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToldBy {
    /// Memory rises up to it and not beyond.
    Memory,
    /// Throughput rises up to it, and the CPUs were not what held it; or it rises with each one, if
    /// no end was seen.
    Throughput,
    /// Neither moved: not known.
    Nothing,
}

/// How the height of memory was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeaksBy {
    /// The kernel's high-water marks of the processes, reset before each wave.
    Marks,
    /// Looks in between: what comes and goes between two of them is missed.
    Looks,
}

/// Memory of all processes at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// Anonymous and shared memory, pages that several processes share counted once.
    pub anon_bytes: Bytes,
    /// Pages of files, each counted once.
    pub file_bytes: Bytes,
}

impl Level {
    /// Both.
    pub fn total(&self) -> Bytes {
        self.anon_bytes + self.file_bytes
    }
}

/// One concurrency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Round {
    /// Requests really in flight together.
    pub concurrency: u32,
    /// Which start of the service, from 0.
    pub start: u32,
    /// Requests that it had answered before the wave that reached highest.
    pub before: u64,
    /// The height of memory.
    pub peak: Level,
    /// A control: fewer in flight again after more were, to tell what the number of requests left behind
    /// from what concurrency takes. It is no part of the line unless it contradicts it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub control: bool,
    /// Requests that were answered with success.
    pub answered: u64,
    /// Those that were not, by kind: `timeout`, `refused`, `reset`, `status 500` …
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<String, u64>,
    /// Answers a second, each user asking again at once.
    pub throughput: Rate,
    /// CPU time of the processes for one request.
    pub cpu_seconds: Seconds,
    /// Latencies at 50, 95 and 99 % and the longest.
    pub latency: [Seconds; 4],
    /// Whether the driver and not the service set the pace: the throughput is a lower bound.
    pub driver_bound: bool,
    /// Of the CPU time that the service and its driver took, the driver's share where both together
    /// filled the machine: with a driver elsewhere, the service has so much more. 0 where CPU was
    /// left.
    #[serde(deserialize_with = "not_negative")]
    pub driver_share: f64,
}

/// Memory that goes on growing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Growth {
    /// For each request.
    pub bytes_per_request: Span<Bytes>,
    /// Over so many requests it was watched.
    pub requests: u64,
}

/// A load that the service could not stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// Requests in flight; 0 where it was not asked yet.
    pub concurrency: u32,
    /// Which start of the service, from 0.
    pub start: u32,
    /// What was done with it.
    pub phase: During,
    /// What happened, in words.
    #[serde(deserialize_with = "checked::one_line")]
    pub what: String,
}

/// What was done with a service when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum During {
    /// It was started.
    Start,
    /// Its first requests.
    FirstRequests,
    /// So many in flight together.
    Round,
    /// Asked on and on, to see whether its memory grows, or with fewer at once again.
    Growth,
    /// So many together, as its first requests at all.
    ColdBurst,
}

impl During {
    /// The word for it in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::FirstRequests => "first_requests",
            Self::Round => "round",
            Self::Growth => "growth",
            Self::ColdBurst => "cold_burst",
        }
    }
}

/// A load with more of its requests unanswered than this is one that a service cannot stand.
pub const TOO_MANY: f64 = 0.01;

/// A driver that takes less than this share of the CPUs changes a throughput by no more than noise.
const NOTICED: f64 = 0.05;

/// Nobody reads a request and answers it in less CPU time: two calls of the kernel take more.
const LEAST_CPU: Seconds = Seconds::new(2e-6);

/// What memory at rest moves by, by itself.
const STANDS_STILL: Bytes = Bytes::MIB;

impl LiveRecord {
    /// Whether its processes did nothing while requests were answered: then others answered them.
    pub fn did_nothing(&self) -> bool {
        let mut driven = self.rounds.iter().filter(|r| r.start == 0 && self.stood(r)).peekable();
        let stands_still = |round: &Round| {
            round.peak.anon_bytes <= self.first.anon_bytes + STANDS_STILL
                && round.cpu_seconds < LEAST_CPU
        };
        driven.peek().is_some() && driven.all(stands_still)
    }

    /// The round with the most answers a second, of those in which the service set the pace.
    pub fn fastest(&self) -> Option<&Round> {
        let driven =
            self.rounds.iter().filter(|r| r.start == 0 && self.stood(r) && !r.driver_bound);
        driven.max_by(|a, b| a.throughput.get().total_cmp(&b.throughput.get()))
    }

    /// The failure with the fewest requests in flight, of a service that had been warmed up.
    pub fn failure(&self) -> Option<&Failure> {
        let is_warm = |f: &&Failure| {
            matches!(f.phase, During::FirstRequests | During::Round | During::Growth)
        };
        self.failures.iter().filter(is_warm).min_by_key(|f| f.concurrency)
    }

    /// Requests in flight of the rounds in which the driver and not the service set the pace.
    pub fn driver_bound(&self) -> Vec<u32> {
        self.rounds.iter().filter(|r| r.driver_bound).map(|r| r.concurrency).collect()
    }

    /// The largest share of full CPUs that the driver took from a service that set the pace itself,
    /// and the requests in flight there.
    pub fn driver_competed(&self) -> Option<(u32, f64)> {
        let rounds = self.rounds.iter().filter(|r| !r.driver_bound && r.driver_share > NOTICED);
        rounds.map(|r| (r.concurrency, r.driver_share)).max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// The rounds that make the line: all but controls.
    pub fn ladder(&self) -> impl Iterator<Item = &Round> {
        self.rounds.iter().filter(|round| !round.control)
    }

    /// Whether the service could stand this round: all but a few requests were answered, and it
    /// went on.
    pub fn stood(&self, round: &Round) -> bool {
        round.stood() && !self.failures.iter().any(|f| f.ended(round))
    }
}

impl Failure {
    /// Whether this is how that round ended.
    pub fn ended(&self, round: &Round) -> bool {
        !round.control
            && matches!(self.phase, During::Round | During::FirstRequests)
            && (self.start, self.concurrency) == (round.start, round.concurrency)
    }
}

impl Round {
    /// Whether all but a few of its requests were answered.
    pub fn stood(&self) -> bool {
        self.failed() <= TOO_MANY
    }

    /// The kinds of errors with their numbers: `2 × timeout, 3 × reset`; empty where there are none.
    pub fn errors_told(&self) -> String {
        let told: Vec<String> =
            self.errors.iter().map(|(kind, count)| format!("{count} × {kind}")).collect();
        told.join(", ")
    }

    /// The share of requests that were not answered with success; 0 where none was made.
    pub fn failed(&self) -> f64 {
        let failed = self.errors.values().fold(0_u64, |sum, count| sum.saturating_add(*count));
        #[expect(clippy::cast_precision_loss, reason = "counts of requests")]
        let share = failed as f64 / failed.saturating_add(self.answered).max(1) as f64;
        share
    }

    /// The share of the requests that were not answered, if any.
    pub fn failed_share(&self) -> Option<Share> {
        Share::new(self.failed())
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_false(value: &bool) -> bool {
    !*value
}
