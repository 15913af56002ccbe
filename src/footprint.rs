//! The record of what was measured: plain data, versioned, kept in the cache and in profiles.
//!
//! It holds samples, not conclusions: lines are fitted by `model` each time it is read, so that a
//! better fit needs no new measurement. Everything is absolute bytes and seconds.

pub mod checked;
mod live;
mod load;
mod mix;
mod program;
mod scaled;
mod settings;
mod times;
mod topology;
mod trial;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

pub use live::{
    Accumulated, During, Failure, Growth, LeftBehind, Level, LiveRecord, ManagedHeap,
    ManagedRuntime, PeaksBy, Repeated, Round, TOO_MANY, TmpfsUse, ToldBy, Unexplained,
};
pub use load::Load;
pub use mix::{KindRecord, LazyRecord, MixPoint, MixRecord};
pub use program::{Program, ProgramMemory, ProgramRecord};
pub use settings::{Change, Count, Optimization, Setting, Settings, settings};
pub use times::ServiceTimes;
pub use topology::{Copies, Inside, Sharing, Topology, TopologyError};
pub use trial::{Counters, Ending, Observation, Phase, Temper, Throttled};

use crate::units::{Bytes, CpuScore, Rate, Seconds, Span};

/// The version of [`Footprint`] that this tool writes and reads.
pub const FOOTPRINT_VERSION: u32 = 1;

/// A footprint of another version is measured again rather than guessed at.
fn this_version<'de, D: Deserializer<'de>>(d: D) -> Result<u32, D::Error> {
    let this = u64::from(FOOTPRINT_VERSION);
    checked::whole_number(d, "footprint version that this tool reads (measure again)", this..=this)
}

/// Everything that was measured of one service on one machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Footprint {
    /// [`FOOTPRINT_VERSION`].
    #[serde(deserialize_with = "this_version")]
    pub version: u32,
    /// How requests shared sessions.
    pub topology: Topology,
    /// On what, and how, it was measured.
    pub environment: Environment,
    /// The image that every request carried, if it carried one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageRecord>,
    /// The models, in the order in which they were loaded.
    pub models: Vec<ModelRecord>,
    /// The stages of one request, in order, each alone.
    pub stages: Vec<StageRecord>,
    /// Resident bytes at the marks before the first wave.
    pub marks: Marks,
    /// Peaks of warm waves, one a child and concurrency.
    pub points: Vec<Point>,
    /// Peaks of bursts on a service that was not warmed up.
    pub cold_burst: Vec<ColdBurst>,
    /// Requests of several kinds, and models that are loaded late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mix: Option<MixRecord>,
    /// What the arenas of all sessions report together.
    pub arena: Option<ArenaRecord>,
    /// CPU-seconds of all threads a request under load, each child its own value.
    pub cpu_seconds: Span<Seconds>,
    /// Wall seconds of one request alone.
    pub wall_seconds: Span<Seconds>,
    /// CPU time of requests that came at random, where there was time to try that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_times: Option<ServiceTimes>,
    /// Requests a second in waves of N on the measuring machine.
    pub throughput: Vec<Throughput>,
    /// Whether the measurement was stopped before its end.
    #[serde(default)]
    pub partial: bool,
    /// The least concurrency for which the measuring machine had no room, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_room: Option<u32>,
    /// What the C library's heaps had handed out of all that, warm, where it tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heap_bytes: Option<Bytes>,
    /// The same service in other topologies, each run for real.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<TopologyRun>,
    /// A child that the kernel killed: measured up to the concurrency before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub killed: Option<Killed>,
    /// Dimensions of inputs that nobody gave, in words: `ids: sequence = 128`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<String>,
    /// Lengths, counts and other numbers that inputs were fed with and nobody gave, in words:
    /// `max_length = 1`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumed_values: Vec<String>,
    /// What disturbed the measurement, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disturbances: Vec<String>,
    /// Of a service that runs by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveRecord>,
    /// The server process that all of this counts, where it is not the one that was measured in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<ProgramRecord>,
    /// How long measuring was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_seconds: Option<Seconds>,
}

/// More requests than were seen to be enough for what accumulates, so that a limit which is too small is
/// reached for certain.
const ENOUGH: f64 = 1.1;

impl Footprint {
    /// Requests after which all is there that a live service accumulates; 0 where nothing does.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of requests"
    )]
    pub fn requests_to_accumulate(&self) -> u64 {
        let found = self.live.as_ref().and_then(|live| live.accumulated.as_ref());
        found.map_or(0, |a| (a.requests as f64 * ENOUGH).ceil() as u64)
    }
}

/// The machine and the settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// As the kernel names it.
    #[serde(deserialize_with = "checked::one_line")]
    pub cpu_model: String,
    /// CPUs that the process could use.
    pub cores: u32,
    /// The kernel's release.
    #[serde(deserialize_with = "checked::one_line")]
    pub kernel: String,
    /// ONNX Runtime's version.
    #[serde(deserialize_with = "checked::one_line")]
    pub onnxruntime: String,
    /// SHA-256 of ONNX Runtime's library.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub library_sha256: Option<String>,
    /// What else changes memory there, in words: `MALLOC_TRIM_THRESHOLD_=0`,
    /// `transparent huge pages: always`.
    #[serde(default, deserialize_with = "checked::list", skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    /// This tool's version.
    pub tool: String,
    /// The session settings.
    pub settings: Settings,
    /// Intra-op threads that ONNX Runtime chose on the measuring machine, where the settings left
    /// that to it: one for each physical core.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_threads: Option<u16>,
    /// How fast a CPU of that machine is, where it was calibrated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_score: Option<CpuScore>,
}

/// The CPU of planted costs.
pub const PLANTED_CPU: &str = "planted";

impl Environment {
    /// Whether the costs were planted and not measured, for tests.
    pub fn is_planted(&self) -> bool {
        self.cpu_model == PLANTED_CPU
    }

    /// Intra-op threads of a session, 1 or more: those that were set, else what the measuring
    /// machine made of the default.
    pub fn threads(&self) -> u16 {
        self.settings.threads.given().or(self.default_threads).unwrap_or(1)
    }
}

/// The request's image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageRecord {
    /// Where it came from: `generated` or the file's name.
    #[serde(deserialize_with = "checked::one_line")]
    pub origin: String,
    /// Encoded size.
    pub encoded_bytes: Bytes,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Pixels of the longer edge of heatmaps that are drawn over it; older records do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heatmap_edge: Option<u32>,
}

impl fmt::Display for ImageRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} × {}", self.origin, self.width, self.height)
    }
}

/// One model as it was loaded; medians over the children.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelRecord {
    /// The profile's name for it.
    #[serde(deserialize_with = "checked::one_line")]
    pub name: String,
    /// Whether the tool wrote it, with random weights.
    pub synthetic: bool,
    /// Whether it is loaded by the first request that needs it.
    #[serde(default)]
    pub lazy: bool,
    /// Whether its session is made from a copy of the file in memory, which stays.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_bytes: bool,
    /// Size of the file.
    pub file_bytes: Bytes,
    /// Bytes of weights in it.
    pub weight_bytes: Bytes,
    /// SHA-256 of the file, or the key of the reference model.
    pub sha256: String,
    /// What of it a request goes through many times, where one run is one step: `past_key_values`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// What it was fed with, in words: `ids int64 1×128`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// Wall time of opening the session.
    pub load_seconds: Seconds,
    /// High-water mark of the process while it was loaded.
    pub load_peak_bytes: Bytes,
    /// What it added to the resident bytes.
    pub resident_bytes: Bytes,
}

/// One stage of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageRecord {
    /// `decode`, `infer binary` …
    #[serde(deserialize_with = "checked::one_line")]
    pub name: String,
    /// What the stage needs at its height beyond what the request held before it.
    pub ram: Span<Bytes>,
    /// CPU time of all threads.
    pub cpu: Span<Seconds>,
    /// Elapsed time.
    pub wall: Span<Seconds>,
}

/// Resident bytes of the process; medians over the children.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marks {
    /// Before anything.
    pub start_bytes: Bytes,
    /// ONNX Runtime is loaded.
    pub runtime_bytes: Bytes,
    /// The highest mark while the models were loaded: the largest of the children.
    pub load_peak_bytes: Bytes,
    /// The anonymous part of that.
    pub load_peak_anon_bytes: Bytes,
    /// All models loaded.
    pub loaded_bytes: Bytes,
    /// After the warm-up.
    pub warm_bytes: Bytes,
    /// Idle after the last wave.
    pub idle_bytes: Bytes,
    /// Kernel memory that a cgroup is charged beyond resident pages: page tables and stacks.
    pub kernel_bytes: Bytes,
    /// Of the file pages, those that requests on a warm service touch, where the points do not say
    /// it of each concurrency; `None` where the kernel does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_in_use_bytes: Option<Bytes>,
    /// Pages of programs and libraries that loading a model touches, the most of all models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_file_in_use_bytes: Option<Bytes>,
}

/// The peak of waves of N requests in flight together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Requests in flight.
    pub concurrency: u32,
    /// Resident bytes at the peak: what is not a file's, and the file pages below.
    pub peak_bytes: Bytes,
    /// The kernel's high-water mark of resident bytes, less the file pages after the wave.
    pub anon_bytes: Bytes,
    /// File pages: the most that any process had. They do not come and go with requests.
    pub file_bytes: Bytes,
    /// Of these, those that the requests of one wave need together; `None` where the kernel does not
    /// tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_in_use_bytes: Option<Bytes>,
    /// Which child, from 0.
    pub repeat: u32,
    /// Whether the child belongs to those that check the fit.
    #[serde(default)]
    pub held_out: bool,
    /// Whether three blocks of waves in a row left the mark where it was.
    #[serde(default)]
    pub flat: bool,
}

/// Waves in a topology that is not the footprint's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopologyRun {
    /// Which.
    pub topology: Topology,
    /// Peaks of warm waves, of all its processes together.
    pub points: Vec<Point>,
    /// Requests a second in waves of N.
    pub throughput: Vec<Throughput>,
    /// CPU-seconds of all threads a request under load.
    pub cpu_seconds: Span<Seconds>,
    /// What the heaps of its processes had handed out, warm, where the C library tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heap_bytes: Option<Bytes>,
    /// If one of its processes was killed, where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub killed: Option<Killed>,
}

/// The peak of N first requests on a service that was not warmed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColdBurst {
    /// Requests in flight.
    pub concurrency: u32,
    /// The kernel's high-water mark.
    pub peak_bytes: Bytes,
    /// That, less the file pages.
    pub anon_bytes: Bytes,
}

/// Statistics of ONNX Runtime's arenas, all sessions together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArenaRecord {
    /// Handed out while idle: weights.
    pub in_use_bytes: Bytes,
    /// The most handed out at once.
    pub max_in_use_bytes: Bytes,
    /// The most that the runs of one request asked for, each session's own arena for itself.
    pub per_run_bytes: Bytes,
}

/// What waves of N reached on the measuring machine.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Throughput {
    /// Requests in flight.
    pub concurrency: u32,
    /// Requests a second.
    pub rps: Rate,
}

/// A measured process that the kernel ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Killed {
    /// Requests in flight at that time; 0 while loading.
    pub concurrency: u32,
    /// The signal, 9 for the OOM killer.
    pub signal: i32,
}
