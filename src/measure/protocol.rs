//! What the parent and the measured child say to each other: one JSON value a line, one reply to
//! every command, on the child's standard streams.
//!
//! The child decides nothing. The parent can stop after any reply, and what was replied is kept
//! whatever happens to the child afterwards.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::drive::{Answered, Load};
use crate::footprint::{Count, Settings, Sharing, Topology};
use crate::reference::ElementType;
use crate::units::{Bytes, Seconds};

/// The first line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// What the child is to be.
    pub job: Job,
    /// Which child it is, from 0.
    pub child: u32,
}

/// What the child is to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Job {
    /// The real service.
    Service(ServiceJob),
    /// A subject with planted costs, for tests and for trying the tool.
    Synthetic(SyntheticJob),
}

impl Job {
    /// The same job as each process of this topology does it.
    #[must_use]
    pub fn in_topology(mut self, topology: Topology) -> Self {
        match &mut self {
            Self::Service(job) => job.sharing = topology.sharing(),
            Self::Synthetic(job) => {
                job.sharing = topology.sharing();
                job.processes = topology.processes();
            }
        }
        self
    }

    /// The same in a server process that takes so many bytes more, which cannot be dropped.
    #[must_use]
    pub fn beside(mut self, program: Bytes) -> Self {
        match &mut self {
            Self::Service(job) => job.program_bytes = program,
            Self::Synthetic(job) => {
                job.base += program;
                job.load_peak += program;
            }
        }
        self
    }

    /// Heaps that the C library may keep; `None` where it does not matter.
    pub const fn malloc_arenas(&self) -> Option<Count> {
        match self {
            Self::Service(job) => Some(job.settings.malloc_arenas),
            Self::Synthetic(_) => None,
        }
    }

    /// Kinds of requests, 1 or more.
    pub const fn kinds(&self) -> usize {
        match self {
            Self::Service(job) => job.kinds.len(),
            Self::Synthetic(_) => 1,
        }
    }

    /// Whether some models are loaded by the first request that needs them.
    pub fn has_lazy_models(&self) -> bool {
        match self {
            Self::Service(job) => job.models.iter().any(|m| m.lazy),
            Self::Synthetic(_) => false,
        }
    }
}

/// A service to be run for real.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceJob {
    /// The ONNX Runtime library.
    pub library: PathBuf,
    /// The models, in the order of the request.
    pub models: Vec<ModelJob>,
    /// The kinds of requests, the most frequent first; at least one.
    pub kinds: Vec<KindJob>,
    /// Session settings.
    pub settings: Settings,
    /// How the requests of this process share its sessions.
    pub sharing: Sharing,
    /// The encoded images that requests carry in turn, as files.
    pub images: Vec<PathBuf>,
    /// The longest edge of the heatmap that is answered, pixels.
    pub heatmap_edge: u32,
    /// Bytes that are taken before anything is loaded, in the place of a server process.
    #[serde(default)]
    pub program_bytes: Bytes,
}

/// One kind of request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KindJob {
    /// Of all requests; the shares of all kinds sum to 1.
    pub share: f64,
    /// The places of the models that it runs, in order.
    pub models: Vec<usize>,
}

/// One model to be opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelJob {
    /// The profile's name for it.
    pub name: String,
    /// The file, in ONNX or in ONNX Runtime's own format.
    pub path: PathBuf,
    /// Whether it is in ONNX Runtime's own format, whatever its name ends in.
    pub is_ort_format: bool,
    /// What it is fed with.
    pub inputs: Vec<InputJob>,
    /// It is loaded by [`Command::LoadLazy`] and not before.
    pub lazy: bool,
    /// Its session is made from a copy of the file in memory, which stays.
    pub from_bytes: bool,
}

/// What one input of a model is fed with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InputJob {
    /// Its name in the model.
    pub name: String,
    /// What its elements are.
    pub element: ElementType,
    /// All of its dimensions.
    pub shape: Vec<usize>,
    /// What the elements hold.
    pub content: Content,
}

impl InputJob {
    /// Whether one tensor does for both.
    pub fn takes_the_same(&self, other: &Self) -> bool {
        self.element == other.element && self.shape == other.shape && self.content == other.content
    }
}

/// What a tensor holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Content {
    /// The request's image.
    Image(ImageContent),
    /// Indices from 0 up to a number that is not one of them; it is 1 or more.
    Ids {
        /// The first that is not legal.
        below: u64,
    },
    /// One number everywhere.
    Constant(f64),
    /// These numbers, one for each element.
    Values(Vec<f64>),
    /// Numbers between -1 and 1.
    Noise,
    /// The array of a `.npy` file.
    File(PathBuf),
}

/// How an image becomes a tensor of four dimensions, batch first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageContent {
    /// Height, width, channels; else channels, height, width.
    pub channels_last: bool,
    /// What the numbers are.
    pub scaling: Scaling,
    /// How it gets the size of the input.
    pub fit: Fit,
}

/// How an image of any size becomes one of the input's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fit {
    /// Height and width each for itself.
    Stretch,
    /// With its proportions, and a grey margin.
    Letterbox,
}

/// How the levels of a pixel, 0 to 255, become numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scaling {
    /// As they are.
    Levels,
    /// 0 to 1.
    Unit,
    /// Less `ImageNet`'s mean, by its deviation.
    ImageNet,
}

/// Planted costs: `RAM(N) = base + N × buffer + bend × N²`, with seeded relative noise. With K
/// sessions of one request each, K − 1 sessions come on top, and of the requests beyond K each
/// takes `held` instead of `buffer`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SyntheticJob {
    /// Bytes at N = 0.
    pub base: Bytes,
    /// Bytes a request.
    pub buffer: Bytes,
    /// Bytes of each session beyond the first.
    pub session: Bytes,
    /// Bytes of a request that waits for a session.
    pub held: Bytes,
    /// How the requests of this process share its sessions.
    pub sharing: Sharing,
    /// Processes that share the planted machine's CPUs, 1 or more.
    pub processes: u32,
    /// Bytes for each N²; makes a curve that is not a line.
    pub bend: f64,
    /// Relative standard deviation of each reading.
    pub noise: f64,
    /// Seed of the noise; the child's number is added.
    pub seed: u64,
    /// Bytes at the height of loading.
    pub load_peak: Bytes,
    /// How much a cold burst costs beyond the line, a request.
    pub cold_extra: Bytes,
    /// CPU-seconds of a request.
    pub cpu: Seconds,
    /// The child kills itself when it is asked for this many requests or more.
    pub kill_at: Option<u32>,
    /// How long every command takes: for tests that interrupt.
    pub delay: Seconds,
    /// Memory is really taken, this many times what is planted; `None` to only say so.
    #[serde(default)]
    pub touched: Option<f64>,
    /// Bytes that each wave keeps for ever, where memory is really taken.
    #[serde(default)]
    pub leak: Bytes,
}

/// What the parent asks for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Load ONNX Runtime and the models that are not lazy.
    Load,
    /// Load the lazy models.
    LoadLazy,
    /// Run single requests, of every kind whose models are loaded, until the runtime has settled.
    WarmUp,
    /// Each stage alone, one request at a time, for about this long.
    Stages {
        /// Wall time to spend.
        budget: Seconds,
        /// Of which kind the requests are.
        kind: usize,
    },
    /// Waves of this many requests.
    Waves {
        /// Requests in flight together.
        concurrency: u32,
        /// Blocks of waves at the most; fewer if the mark is flat before.
        max_blocks: u32,
        /// Of what kinds they are.
        kinds: Kinds,
    },
    /// One wave on a service that has served nothing yet.
    ColdBurst {
        /// Requests in flight together, mixed.
        concurrency: u32,
    },
    /// Requests that come as they do in a service.
    Drive(Load),
    /// What is held when nothing runs.
    Idle,
}

/// Of what kinds the requests of a wave are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kinds {
    /// All of this one.
    Only(usize),
    /// As the shares say, in whole requests.
    Mixed,
}

/// The child's answer to one command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// To [`Command::Load`].
    Loaded(Loaded),
    /// To [`Command::LoadLazy`]: one for each lazy model.
    LoadedLazy(Vec<LoadedModel>),
    /// To [`Command::WarmUp`].
    Warm(Warm),
    /// To [`Command::Stages`].
    Stages(Vec<StageSample>),
    /// To [`Command::Waves`] and [`Command::ColdBurst`].
    Waves(WaveSample),
    /// To [`Command::Drive`].
    Driven(Vec<Answered>),
    /// To [`Command::Idle`].
    Idle(Mark),
    /// The command failed; the child ends.
    Failed(String),
}

/// Resident bytes at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mark {
    /// All resident pages.
    pub total: Bytes,
    /// File-backed ones.
    pub file: Bytes,
    /// Page tables and kernel stacks.
    pub kernel: Bytes,
}

/// After loading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Loaded {
    /// Before anything.
    pub start: Mark,
    /// ONNX Runtime loaded.
    pub runtime: Mark,
    /// One for each model.
    pub models: Vec<LoadedModel>,
}

/// After one model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LoadedModel {
    /// Wall time of opening it.
    pub seconds: Seconds,
    /// High-water mark meanwhile.
    pub peak: Bytes,
    /// After it.
    pub after: Mark,
    /// Pages of programs and libraries that loading touched; `None` where the kernel does not tell.
    #[serde(default)]
    pub touched: Option<Bytes>,
}

/// After the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Warm {
    /// After it.
    pub after: Mark,
    /// Wall time of the last request.
    pub request_seconds: Seconds,
    /// The arenas of all sessions, where there are any.
    pub arena: Option<ArenaSample>,
    /// What the C library's heaps have handed out, where it tells.
    #[serde(default)]
    pub heap: Option<Bytes>,
}

/// The arenas of all sessions together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ArenaSample {
    /// Handed out while idle.
    pub in_use: Bytes,
    /// The most that the runs of one request asked for, each session's own arena for itself.
    pub per_run: Bytes,
    /// The most at once so far.
    pub max_in_use: Bytes,
}

/// One stage of one request alone; medians over the loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageSample {
    /// The stage's name.
    pub name: String,
    /// Height beyond what the request held before it, Rust allocations and arena.
    pub ram: Bytes,
    /// CPU time of all threads.
    pub cpu: Seconds,
    /// Elapsed time.
    pub wall: Seconds,
}

/// What waves of N reached.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WaveSample {
    /// The kernel's high-water mark over all of them.
    pub peak: Bytes,
    /// After the last.
    pub after: Mark,
    /// Whether the mark was flat at the end.
    pub flat: bool,
    /// Requests of the timed waves.
    pub requests: u32,
    /// Their elapsed time.
    pub wall: Seconds,
    /// Their CPU time, all threads.
    pub cpu: Seconds,
    /// File pages that they touched; `None` where the kernel does not tell.
    #[serde(default)]
    pub touched: Option<TouchedSample>,
}

/// File pages that are touched by requests on a warm service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TouchedSample {
    /// Of programs and libraries, by all waves: every request runs the same code.
    pub code: Bytes,
    /// Of other files, such as weights that are mapped, by one wave: the next may need others, and
    /// does not need these any more.
    pub data: Bytes,
}
