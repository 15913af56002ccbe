//! Footprint × box × demand: every table and the verdict, as pure data.
//!
//! Everything that decides uses the high end of cost. `typical` is there to be shown.

mod accuracy;
mod alternatives;
pub mod assess;
mod book;
mod build;
mod charge;
pub mod check;
mod compare;
mod components;
mod cpu;
mod curve;
mod declared;
pub mod diff;
pub mod figure;
mod finding;
mod load;
mod mix;
pub mod page;
mod resources;
mod sections;
mod stated;
pub mod variants;
pub mod verification;
mod warning;
mod warnings;
pub mod watched;

use crate::footprint::{Footprint, Topology};
use crate::model::{Capacity, CpuModel};
use crate::units::{
    Bytes, Convention, Cpus, Objective, Rate, Seconds, Share, Source, Span, TargetScore,
};

pub(crate) use alternatives::efficiency;
pub use book::{Book, Subject, book};
pub use build::{PlanError, plan};
pub use charge::Charge;
pub use compare::compare;
pub use cpu::{CpuAnswers, CpuPlan};
pub use curve::Curve;
pub use declared::declared;
pub use finding::Status;
pub(crate) use load::demand;
pub use resources::{Market, Offer};
pub use sections::{SECTIONS, SHORT, finding_phrase, warning};
pub use stated::Note;
pub use warning::Warning;

/// Concurrencies of the RAM table.
pub const ROWS: [u32; 7] = [0, 1, 5, 10, 20, 50, 100];

/// RAM sizes that boxes are sold with, in M as powers of 2 have it: of 1024 and more, each 1024 is
/// a G, however many M that is.
pub const BOXES: [u64; 5] = [512, 1024, 2048, 4096, 8192];

/// A size that is sold.
pub(crate) fn sold(megas: u64, convention: Convention) -> Bytes {
    let giga = u64::from(convention.megas_a_giga());
    convention.mega() * if megas >= 1024 { megas / 1024 * giga } else { megas }
}

/// A need above this share of the limit is `tight`.
pub const TIGHT: f64 = 0.8;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Question {
    /// RAM of the box.
    pub ram: Option<Bytes>,
    /// CPUs of the box.
    pub cpus: Option<Cpus>,
    /// Requests in flight that it must hold.
    pub concurrency: Option<u32>,
    /// Whether the service is warmed up before it gets traffic.
    pub warmed: bool,
    /// Disk of the box.
    pub disk: Option<Bytes>,
    /// Bytes a month that the box may send and receive.
    pub bandwidth: Option<Bytes>,
    /// Users a month.
    pub users: Option<f64>,
    /// Requests a second that come.
    pub rps: Option<Rate>,
    /// What most answers must keep.
    pub objective: Option<Objective>,
    /// The CPU to size for, where it is not like the one that was measured on.
    pub cpu_score: Option<TargetScore>,
    /// What a G of boxes that are sold is to whoever asks.
    pub convention: Convention,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The profile's name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// How requests share sessions.
    pub topology: Topology,
    /// The worst source of the numbers that decide.
    pub source: Source,
    /// What was asked.
    pub question: Question,
    /// The concurrency that the limit is stated for: the one asked for, else what keeps the CPUs
    /// of the box busy.
    pub design_concurrency: u32,
    /// RAM.
    pub ram: RamPlan,
    /// Requests of several kinds; `None` where all are alike.
    pub mix: Option<MixPlan>,
    /// CPU.
    pub cpu: CpuPlan,
    /// Other topologies.
    pub alternatives: Vec<Alternative>,
    /// What the reader should know.
    pub warnings: Vec<Warning>,
    /// What was measured, for tables that show it as it is; `None` where costs are declared.
    pub footprint: Option<Footprint>,
    /// What the kernel charges and cannot drop, for which it kills; `None` where costs are declared.
    pub charge: Option<Charge>,
    /// The curves that the RAM tables are made of: before late models are loaded (the only one
    /// where there are none), and after.
    pub states: Vec<StateCurve>,
    /// The laws of its CPU time.
    pub cpu_model: CpuModel,
    /// What is stored and sent, and the boxes that are sold.
    pub market: Market,
}

impl Plan {
    /// The plan with disk, bandwidth and the boxes that are sold, as far as `subject` tells.
    #[must_use]
    pub fn completed(mut self, subject: &Subject<'_>) -> Self {
        resources::complete(&mut self, subject);
        self
    }
}

/// RAM in one state of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct StateCurve {
    /// Which.
    pub state: State,
    /// The models that are loaded in it.
    pub models: Vec<String>,
    /// RAM against requests in flight.
    pub curve: Curve,
}

/// The RAM side of the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct RamPlan {
    /// Shared by all requests.
    pub base: Span<Bytes>,
    /// Added by each request in flight.
    pub buffer: Span<Bytes>,
    /// What another set of sessions would add.
    pub per_session: Span<Bytes>,
    /// What another process would add.
    pub per_worker: Span<Bytes>,
    /// The height of loading.
    pub load_peak: Span<Bytes>,
    /// The burst at the design concurrency after a restart.
    pub cold_burst: Option<Span<Bytes>>,
    /// The limit under which the service runs undisturbed at the design concurrency.
    pub limit: Span<Bytes>,
    /// The limit under which the kernel kills it; no end of it is above the same end of `limit`.
    pub kill_limit: Span<Bytes>,
    /// Requests in flight that the asked box holds.
    pub max_concurrency: Option<Capacity>,
    /// RAM at each concurrency.
    pub rows: Vec<RamRow>,
    /// Requests in flight that common boxes hold, and the asked one.
    pub boxes: Vec<BoxRow>,
    /// Where the memory goes.
    pub components: Vec<Component>,
    /// What a request holds while it waits: its body and the decoded image.
    pub held: Span<Bytes>,
    /// How well the line describes the measurement, if there was one.
    pub fit: Option<Fit>,
    /// What warming up before serving saves at the design concurrency; `None` where no cold burst
    /// was measured.
    pub warm_up_saves: Option<Bytes>,
    /// Resident bytes that idle memory keeps after the largest wave, beyond what it was after the
    /// warm-up.
    pub retained: Bytes,
}

impl State {
    /// As it is written in the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Eager => "eager",
            Self::AfterLazy => "after_lazy",
        }
    }
}

/// A service before and after it has loaded the models that are loaded late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing late is loaded.
    Eager,
    /// Everything is.
    AfterLazy,
}

/// Requests of several kinds.
#[derive(Debug, Clone, PartialEq)]
pub struct MixPlan {
    /// The most frequent first.
    pub kinds: Vec<RequestKind>,
    /// Models that are loaded by the first request that needs them.
    pub late: Vec<String>,
    /// The base before they are.
    pub eager_base: Option<Span<Bytes>>,
    /// RAM at each concurrency before they are, of requests that do not need them.
    pub eager_rows: Vec<RamRow>,
    /// Predicted from the kinds by themselves, observed on mixed requests.
    pub check: Option<MixCheck>,
}

/// One kind of request.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestKind {
    /// The profile's name for it.
    pub name: String,
    /// Of all requests.
    pub share: Share,
    /// What each of them adds.
    pub buffer: Span<Bytes>,
    /// CPU time of one.
    pub cpu: Span<Seconds>,
}

/// Mixed requests, predicted and observed.
#[derive(Debug, Clone, PartialEq)]
pub struct MixCheck {
    /// How many of each kind were in flight.
    pub requests: Vec<u32>,
    /// From the kinds by themselves.
    pub predicted: Span<Bytes>,
    /// The median of other processes.
    pub observed: Bytes,
    /// (predicted − observed) / observed.
    pub error: f64,
}

/// RAM at one concurrency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RamRow {
    /// Requests in flight.
    pub concurrency: u32,
    /// Shared part.
    pub base: Bytes,
    /// Part of the requests.
    pub buffers: Bytes,
    /// Both, with the interval that holds a new process.
    pub total: Span<Bytes>,
    /// The limit to plan with: its high end, or the height of loading or of a cold burst, and the
    /// kernel's share.
    pub need: Bytes,
    /// Whether the asked box holds it; `None` where none was asked about.
    pub fits: Option<bool>,
}

/// What one size of box holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoxRow {
    /// Its RAM.
    pub ram: Bytes,
    /// Requests in flight.
    pub max_concurrency: Capacity,
    /// Whether the question was about this one.
    pub asked: bool,
}

/// Who pays for a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All requests share it.
    Shared,
    /// Each request brings its own.
    Request,
}

/// A part of the memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// What it is.
    pub name: String,
    /// Who pays for it.
    pub scope: Scope,
    /// How much.
    pub bytes: Span<Bytes>,
}

/// How well the line describes the measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Share of the variation that the line explains.
    pub r_squared: f64,
    /// The concurrencies that were measured.
    pub measured: Vec<u32>,
    /// Children that measured them.
    pub children: u32,
    /// Where the curve bends, in words; `None` for a line.
    pub bends: Option<Bend>,
    /// Predicted from the smaller concurrencies, observed in other children.
    pub held_out: Option<HeldOut>,
}

/// The curve is not a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bend {
    /// Whether each further request costs more than the one before.
    pub upward: bool,
    /// The largest distance from the line, as a share of the increment.
    pub share_of_increment: f64,
}

/// A prediction and what was observed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeldOut {
    /// Requests in flight.
    pub concurrency: u32,
    /// From the children with smaller concurrencies alone, with the 95 % interval of what is
    /// observed: the median of as many other children as were.
    pub predicted: Span<Bytes>,
    /// Median peak of other children.
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

/// What another topology would cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Alternative {
    /// As the user would write it.
    pub topology: String,
    /// RAM at the design concurrency.
    pub total: Span<Bytes>,
    /// That of the measured topology, to compare.
    pub instead_of: Span<Bytes>,
    /// Requests a second: on the CPUs that were asked about, else as measured; `None` where neither
    /// is known.
    pub throughput: Option<Span<Rate>>,
    /// Where it was predicted from smaller ones and then run.
    pub check: Option<TopologyCheck>,
}

/// A topology as it was predicted and as it was observed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TopologyCheck {
    /// Requests in flight.
    pub concurrency: u32,
    /// From runs of one and two sessions or workers.
    pub predicted: Span<Bytes>,
    /// Median peak of the run.
    pub observed: Bytes,
    /// (predicted − observed) / observed.
    pub error: f64,
}
