//! Where the bytes of a rule are, what changed since the baseline, and what would bring it back.

use super::{Evidence, Grown, Part, Reading};
use crate::footprint::Footprint;
use crate::plan::{Component, Plan, PlanError, Question, Scope, plan};
use crate::service::Limit;
use crate::units::{Bytes, Rate, Seconds, Span};

/// All of it; empty where nothing was measured.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Why {
    /// Where the bytes are, the largest first, by who pays for them.
    pub parts: Vec<Component>,
    /// CPU time of each stage of a request, the longest first; of rules about time.
    pub times: Vec<(String, Seconds)>,
    /// Files of models, the largest first; of the rule about them.
    pub files: Vec<(String, Bytes)>,
    /// What differs from the baseline by more than a hundredth of it and a MiB, the largest first.
    pub changes: Vec<Change>,
    /// What would keep the rule, the least change first.
    pub remedies: Vec<Remedy>,
}

/// A part of the memory, then and now.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// As [`Component::name`].
    pub name: String,
    /// Who pays for it.
    pub scope: Scope,
    /// In the baseline; nothing where it was not there.
    pub then: Bytes,
    /// Now; nothing where it is gone.
    pub now: Bytes,
}

/// What would keep the rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Remedy {
    /// So many in flight and no more.
    Admit(u32),
    /// Warming up before there is traffic: the burst after a restart is what takes most.
    WarmUp,
    /// Another topology needs at most this.
    Topology(String, Bytes),
    /// The limit that it would keep.
    Limit(Bytes),
    /// Loading is what takes most: a model with its weights in a file of their own, or converted to
    /// the ORT format, loads with less.
    LoadPeak(Bytes),
    /// The stage of a request that takes most.
    Stage(String, Bytes),
    /// The CPU time that it would keep.
    CpuLimit(Seconds),
    /// So many CPUs.
    Cpus(f64),
    /// The rate that it would keep.
    Rate(Rate),
    /// The stage of a request that takes most time.
    Time(String, Seconds),
    /// A model file that is too large.
    File(String, Bytes),
    /// A part that must lose so much, to be at most so much.
    Shrink(Part, Bytes, Bytes),
    /// What has grown most since the baseline.
    Grew(String, Bytes),
}

/// Below this nothing is said to have changed.
const LEAST: Bytes = Bytes::mib(1);

/// Why a rule ends as it does.
///
/// # Errors
/// Where the baseline gives no plan.
pub fn why(
    limit: &Limit,
    now: &Plan,
    reading: &Reading,
    evidence: &Evidence<'_>,
) -> Result<Why, PlanError> {
    if let Limit::CpuSeconds(_) | Limit::Rps { .. } = limit {
        let times = cpu_times(evidence.footprint);
        return Ok(Why { remedies: of_time(limit, now, &times), times, ..Why::default() });
    }
    if let Limit::ModelFile(most) = limit {
        return Ok(of_files(*most, files(evidence.footprint)));
    }
    let mut parts = now.ram.components.clone();
    parts.retain(|part| part.bytes.typical() > Bytes::ZERO);
    parts.sort_by_key(|part| {
        (part.scope == Scope::Request, std::cmp::Reverse(part.bytes.typical()))
    });
    let changes = match evidence.baseline {
        Some(then) => {
            let asked = Question { warmed: evidence.warmed, ..Question::default() };
            changes(&plan(&now.name, &now.title, then, &asked)?, now)
        }
        None => Vec::new(),
    };
    let remedies = match (limit, reading) {
        (Limit::Growth(most), Reading::Growth(grown)) => back(grown, most.get(), &changes),
        _ => remedies(limit, now, evidence)?,
    };
    Ok(Why { parts, changes, remedies, ..Why::default() })
}

/// CPU time of each stage, the longest first.
fn cpu_times(footprint: Option<&Footprint>) -> Vec<(String, Seconds)> {
    let stages = footprint.map(|f| f.stages.as_slice()).unwrap_or_default();
    let mut times: Vec<_> = stages.iter().map(|s| (s.name.clone(), s.cpu.typical())).collect();
    times.retain(|(_, time)| *time > Seconds::ZERO);
    times.sort_by(|a, b| b.1.get().total_cmp(&a.1.get()));
    times
}

/// Which files there are, and which of them are too large.
pub(super) fn of_files(most: Bytes, mut files: Vec<(String, Bytes)>) -> Why {
    files.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let over = files.iter().filter(|(_, bytes)| *bytes > most);
    let remedies = over.map(|(name, bytes)| Remedy::File(name.clone(), *bytes)).collect();
    Why { files, remedies, ..Why::default() }
}

/// The files of the models, the largest first.
pub(super) fn files(footprint: Option<&Footprint>) -> Vec<(String, Bytes)> {
    let models = footprint.map(|f| f.models.as_slice()).unwrap_or_default();
    let mut files: Vec<_> = models.iter().map(|m| (m.name.clone(), m.file_bytes)).collect();
    files.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    files
}

fn of_time(limit: &Limit, now: &Plan, times: &[(String, Seconds)]) -> Vec<Remedy> {
    let needed = now.cpu.seconds_per_request.high();
    let mut found = Vec::new();
    match *limit {
        Limit::CpuSeconds(most) if needed > most => found.push(Remedy::CpuLimit(needed)),
        Limit::Rps { least, .. } => match now.cpu.answers {
            Some(answers) if answers.throughput.low() < least => {
                found.push(Remedy::Cpus(least.get() * needed.get()));
                found.push(Remedy::Rate(answers.throughput.low()));
            }
            _ => return found,
        },
        _ => return found,
    }
    found.extend(times.first().map(|(name, time)| Remedy::Time(name.clone(), *time)));
    found
}

/// What each part that has grown too much must lose, and what has grown most.
fn back(grown: &[Grown], most: f64, changes: &[Change]) -> Vec<Remedy> {
    let mut found: Vec<Remedy> = grown
        .iter()
        .filter(|part| part.change > most)
        .map(|part| {
            let allowed = Bytes::from_f64(part.then.typical().as_f64() * (1.0 + most));
            Remedy::Shrink(part.part, part.now.typical().saturating_sub(allowed), allowed)
        })
        .collect();
    let largest = changes.iter().find(|change| change.now > change.then);
    if let (false, Some(change)) = (found.is_empty(), largest) {
        let more = change.now.saturating_sub(change.then);
        found.push(Remedy::Grew(change.name.clone(), more));
    }
    found
}

fn changes(then: &Plan, now: &Plan) -> Vec<Change> {
    let of = |plan: &Plan, name: &str| {
        let part = plan.ram.components.iter().find(|part| part.name == name);
        part.map_or(Bytes::ZERO, |part| part.bytes.typical())
    };
    let gone = then
        .ram
        .components
        .iter()
        .filter(|part| now.ram.components.iter().all(|other| other.name != part.name));
    let mut changes: Vec<Change> = now
        .ram
        .components
        .iter()
        .chain(gone)
        .map(|part| Change {
            name: part.name.clone(),
            scope: part.scope,
            then: of(then, &part.name),
            now: of(now, &part.name),
        })
        .filter(|c| c.size() > LEAST && c.size().as_f64() > c.then.as_f64() / 100.0)
        .collect();
    changes.sort_by_key(|change| std::cmp::Reverse(change.size()));
    changes
}

impl Change {
    /// How much it is, either way.
    pub fn size(&self) -> Bytes {
        self.now.saturating_sub(self.then) + self.then.saturating_sub(self.now)
    }
}

fn remedies(limit: &Limit, now: &Plan, evidence: &Evidence<'_>) -> Result<Vec<Remedy>, PlanError> {
    let stage = || {
        let stages = now.ram.components.iter().filter(|part| part.scope == Scope::Request);
        let largest = stages.max_by_key(|part| part.bytes.typical());
        largest.map(|part| Remedy::Stage(part.name.clone(), part.bytes.typical()))
    };
    let keeps = |span: &Span<Bytes>, most: Bytes| span.high() <= most;
    let mut found = Vec::new();
    match *limit {
        Limit::Ram { most, concurrency } if !keeps(&now.ram.limit, most) => {
            if now.ram.load_peak.high() > most {
                found.push(Remedy::LoadPeak(now.ram.load_peak.high()));
            }
            let asked = Question { concurrency: Some(concurrency), ..Question::default() };
            if !evidence.warmed {
                let warm = (evidence.ask)(&Question { warmed: true, ..asked })?;
                if keeps(&warm.ram.limit, most) {
                    found.push(Remedy::WarmUp);
                }
            }
            let boxed =
                Question { ram: Some(most), warmed: evidence.warmed, ..Question::default() };
            let holds = (evidence.ask)(&boxed)?.ram.max_concurrency.map_or(0, |c| c.low);
            if (1..concurrency).contains(&holds) {
                found.push(Remedy::Admit(holds));
            }
            let others = now.alternatives.iter().filter(|a| keeps(&a.total, most));
            found.extend(others.map(|a| Remedy::Topology(a.topology.clone(), a.total.high())));
            found.extend(stage());
            found.push(Remedy::Limit(now.ram.limit.high()));
        }
        Limit::Buffer(most) if !keeps(&now.ram.buffer, most) => found.extend(stage()),
        Limit::LoadPeak(most) if !keeps(&now.ram.load_peak, most) => {
            found.push(Remedy::LoadPeak(now.ram.load_peak.high()));
        }
        _ => {}
    }
    Ok(found)
}
