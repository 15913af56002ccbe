//! Two footprints side by side: what each number is, by how much it differs, and whether that is more
//! than the noise of both.

use super::check::{Difference, comparable};
use super::{BOXES, Plan, PlanError, Question, plan, sold};
use crate::footprint::Footprint;
use crate::model::Capacity;
use crate::units::{Bytes, Convention, Seconds, Span};

/// Two footprints.
#[derive(Debug, Clone, PartialEq)]
pub struct Diff {
    /// Their names.
    pub names: [String; 2],
    /// RAM: base, each request, loading, the limit for ten in flight.
    pub memory: Vec<Row<Bytes>>,
    /// CPU time of a request.
    pub cpu: Row<Seconds>,
    /// RAM of each stage of a request, by name; one side is missing where a stage came or went.
    pub stages: Vec<Pair>,
    /// Requests in flight that boxes hold.
    pub boxes: Vec<(Bytes, [Capacity; 2])>,
    /// Why they are not of the same service on the same terms, if they are not.
    pub different: Option<Difference>,
}

/// A quantity on both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<T> {
    /// In words.
    pub name: &'static str,
    /// The first.
    pub from: Span<T>,
    /// The second.
    pub to: Span<T>,
    /// (to − from) / from.
    pub change: f64,
    /// What two measurements of the same service differ by, 95 %, as a share of the first.
    pub noise: f64,
}

impl<T> Row<T> {
    /// Whether the change is more than noise.
    pub fn is_real(&self) -> bool {
        self.change.abs() > self.noise
    }
}

/// A stage on both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// As the footprint names it.
    pub name: String,
    /// RAM at its height.
    pub bytes: [Option<Bytes>; 2],
}

/// Requests in flight of the row of the limit.
pub const IN_FLIGHT: u32 = 10;

/// What differs between two footprints.
///
/// # Errors
/// Where one of them has too few points for a line.
pub fn diff(from: (&str, &Footprint), to: (&str, &Footprint)) -> Result<Diff, PlanError> {
    let asked = Question { concurrency: Some(IN_FLIGHT), ..Question::default() };
    let of = |(name, footprint): (&str, &Footprint)| plan(name, name, footprint, &asked);
    let (a, b) = (of(from)?, of(to)?);
    let memory = |name, get: fn(&Plan) -> Span<Bytes>| row(name, get(&a), get(&b), Bytes::as_f64);
    let memory = vec![
        memory("base", |p| p.ram.base),
        memory("each request", |p| p.ram.buffer),
        memory("loading", |p| p.ram.load_peak),
        memory("limit for 10 in flight", |p| p.ram.limit),
    ];
    let cpu = row(
        "CPU time of a request",
        a.cpu.seconds_per_request,
        b.cpu.seconds_per_request,
        Seconds::get,
    );
    let boxes = BOXES.iter().map(|megas| {
        let ram = sold(*megas, Convention::Binary);
        let holds = |plan: &Plan| {
            plan.states.last().map_or(NOTHING, |s| s.curve.max_concurrency(ram, true))
        };
        (ram, [holds(&a), holds(&b)])
    });
    Ok(Diff {
        names: [from.0.to_owned(), to.0.to_owned()],
        memory,
        cpu,
        stages: stages(from.1, to.1),
        boxes: boxes.collect(),
        different: comparable(from.1, to.1).err(),
    })
}

const NOTHING: Capacity = Capacity { low: 0, typical: 0, high: 0 };

fn row<T: Copy + PartialOrd>(
    name: &'static str,
    from: Span<T>,
    to: Span<T>,
    plain: impl Fn(T) -> f64,
) -> Row<T> {
    let half = |span: &Span<T>| (plain(span.high()) - plain(span.low())) / 2.0;
    let whole = plain(from.typical());
    let share = |value: f64| if whole > 0.0 { value / whole } else { 0.0 };
    let change = share(plain(to.typical()) - whole);
    Row { name, from, to, change, noise: share(half(&from).hypot(half(&to))) }
}

fn stages(from: &Footprint, to: &Footprint) -> Vec<Pair> {
    let of = |footprint: &Footprint, name: &str| {
        footprint.stages.iter().find(|s| s.name == name).map(|s| s.ram.typical())
    };
    let gone = from.stages.iter().filter(|s| of(to, &s.name).is_none());
    to.stages
        .iter()
        .chain(gone)
        .map(|stage| Pair {
            name: stage.name.clone(),
            bytes: [of(from, &stage.name), of(to, &stage.name)],
        })
        .collect()
}
