//! Two footprints side by side: what each number is, by how much it differs, and whether that is more
//! than the noise of both.

use super::check::{Difference, differences};
use super::{BOXES, Plan, PlanError, Question, Scope, sold};
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
    /// In what they are not of the same service on the same terms; empty where they are.
    pub different: Vec<Difference>,
}

/// One of two services.
pub struct Side<'a> {
    /// As the user named it.
    pub name: &'a str,
    /// What was measured; `None` where costs are declared.
    pub footprint: Option<&'a Footprint>,
    /// Answers a question about it.
    pub ask: &'a dyn Fn(&Question) -> Result<Plan, PlanError>,
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

/// What differs between two services.
///
/// # Errors
/// Where one of them has too few points for a line.
pub fn diff(from: &Side<'_>, to: &Side<'_>) -> Result<Diff, PlanError> {
    let asked = Question { concurrency: Some(IN_FLIGHT), ..Question::default() };
    let (a, b) = ((from.ask)(&asked)?, (to.ask)(&asked)?);
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
        names: [from.name.to_owned(), to.name.to_owned()],
        memory,
        cpu,
        stages: stages(&a, &b),
        boxes: boxes.collect(),
        different: different(from.footprint, to.footprint),
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

/// The terms that change memory, and the machine, which changes times.
fn different(from: Option<&Footprint>, to: Option<&Footprint>) -> Vec<Difference> {
    let (Some(from), Some(to)) = (from, to) else {
        let told = |side: Option<&Footprint>| {
            if side.is_some() { "measured" } else { "declared" }.to_owned()
        };
        let (then, now) = (told(from), told(to));
        let difference = Difference { what: "source of the costs", then, now };
        return if difference.then == difference.now { Vec::new() } else { vec![difference] };
    };
    let mut found = differences(from, to);
    for (what, then, now) in [
        ("CPU", &from.environment.cpu_model, &to.environment.cpu_model),
        ("version of this tool", &from.environment.tool, &to.environment.tool),
    ] {
        if then != now {
            found.push(Difference { what, then: then.clone(), now: now.clone() });
        }
    }
    found
}

fn stages(from: &Plan, to: &Plan) -> Vec<Pair> {
    let all = |plan: &Plan| -> Vec<(String, Bytes)> {
        let parts = plan.ram.components.iter().filter(|part| part.scope == Scope::Request);
        parts.map(|part| (part.name.clone(), part.bytes.typical())).collect()
    };
    let (from, to) = (all(from), all(to));
    let of = |all: &[(String, Bytes)], name: &str| {
        all.iter().find(|(other, _)| other == name).map(|(_, bytes)| *bytes)
    };
    let gone = from.iter().filter(|(name, _)| of(&to, name).is_none());
    to.iter()
        .chain(gone)
        .map(|(name, _)| Pair { name: name.clone(), bytes: [of(&from, name), of(&to, name)] })
        .collect()
}
