//! The order in which an answer is made.

use super::accuracy::fit_of;
use super::alternatives::{Costs, alternatives, cpu_model};
use super::charge::{Charge, with_files_in_use};
use super::components::{components, held};
use super::curve::Curve;
use super::mix::{cpu_seconds, mix_plan, mixture};
use super::warnings::warnings;
use super::{
    BOXES, BoxRow, CpuAnswers, CpuPlan, Market, Plan, Question, ROWS, RamPlan, RamRow, State,
    StateCurve, sold,
};
use crate::footprint::{ColdBurst, Footprint, Point};
use crate::model::{CpuModel, FitError, PoolModel, RamModel, Sample, WorkersModel, line_of_peaks};
use crate::units::{Bytes, Cpus, Source, Span};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The points of the footprint give no line.
    #[error("the measured points give no line: measure again, with a larger --max-time")]
    NoLine(#[from] FitError),
    /// Nothing is said to take RAM.
    #[error(
        "the declared costs name no RAM: give `shared:` parts and stages of `request:` their size"
    )]
    NoRam,
    /// Nothing is said to take time.
    #[error("the declared costs name no time: give a stage of `request:` its `time:`, as in 40ms")]
    NoTime,
}

/// The two lines that a footprint gives: resident bytes, which the service needs to run
/// undisturbed, and anonymous bytes, for which the kernel kills.
pub(super) struct Models {
    pub resident: RamModel,
    /// Before the models that are loaded late are loaded; `None` where there are none.
    pub eager: Option<RamModel>,
    pub charge: Charge,
    pub cpu: CpuModel,
}

/// Answers `question` for the service `name`.
///
/// # Errors
/// Where the footprint has too few points for a line.
pub fn plan(
    name: &str,
    title: &str,
    footprint: &Footprint,
    question: &Question,
) -> Result<Plan, PlanError> {
    let models = models(footprint)?;
    let cpu = cpu_plan(&models.cpu, question.cpus);
    let curve = Curve::Fitted(Box::new(models.resident.clone()));
    let design = design_concurrency(&curve, &cpu, question);
    let costs = Costs::of(footprint);
    let ram = ram_plan(footprint, &models, &costs, question, design)?;
    let states = states(footprint, &models);
    let mix = mix_plan(footprint, &models.resident, models.eager.as_ref(), question, fitted_row)?;
    Ok(Plan {
        name: name.to_owned(),
        title: title.to_owned(),
        topology: footprint.topology,
        source: Source::Measured.max(ram.limit.source()),
        question: *question,
        design_concurrency: design,
        mix,
        alternatives: alternatives(footprint, &models, &costs, question, design),
        warnings: warnings(footprint, &ram, question, design),
        ram,
        cpu,
        footprint: Some(footprint.clone()),
        states,
        charge: Some(models.charge),
        cpu_model: models.cpu,
        market: Market::default(),
    })
}

/// Requests that the limit is for where no rate is asked about: those that are asked for, else what keeps
/// the CPUs busy, as far as the RAM holds them.
pub(super) fn design_concurrency(curve: &Curve, cpu: &CpuPlan, question: &Question) -> u32 {
    let holds = question.ram.map(|ram| curve.max_concurrency(ram, !question.warmed).low);
    let busy = cpu.answers.map(|answers| answers.best_concurrency.1);
    let useful = busy.map(|busy| holds.map_or(busy, |holds| holds.min(busy)));
    question.concurrency.or(useful).unwrap_or(1).max(1)
}

/// The curve of each state, with the models that are loaded in it.
fn states(footprint: &Footprint, models: &Models) -> Vec<StateCurve> {
    let names = |late: bool| {
        let loaded = footprint.models.iter().filter(|m| late || !m.lazy);
        loaded.map(|m| m.name.clone()).collect()
    };
    let state = |state, model: &RamModel| StateCurve {
        state,
        models: names(state == State::AfterLazy),
        curve: Curve::Fitted(Box::new(model.clone())),
    };
    match &models.eager {
        None => vec![state(State::Eager, &models.resident)],
        Some(eager) => vec![state(State::Eager, eager), state(State::AfterLazy, &models.resident)],
    }
}

fn models(footprint: &Footprint) -> Result<Models, PlanError> {
    let marks = &footprint.marks;
    let eager = || match footprint.mix.as_ref().filter(|mix| mix.lazy.is_some()) {
        Some(mix) => {
            // The burst was measured with everything loaded.
            let alike = alike(footprint, |p| p.peak_bytes, marks.load_peak_bytes, &[])?;
            Ok(Some(alike.mixed(mixture(mix, |p| p.peak_bytes, State::Eager)?)))
        }
        None => Ok::<_, PlanError>(None),
    };
    let anonymous = |footprint: &Footprint| {
        let load_peak = footprint.marks.load_peak_anon_bytes;
        fitted(footprint, |p| p.anon_bytes, load_peak, |c| c.anon_bytes)
    };
    Ok(Models {
        resident: fitted(footprint, |p| p.peak_bytes, marks.load_peak_bytes, |c| c.peak_bytes)?,
        charge: Charge {
            anonymous: anonymous(footprint)?,
            needed: anonymous(&with_files_in_use(footprint))?,
        },
        eager: eager()?,
        cpu: cpu_model(footprint, footprint.topology, cpu_seconds(footprint)),
    })
}

/// The model of one series of the footprint, with everything loaded.
fn fitted(
    footprint: &Footprint,
    bytes: fn(&Point) -> Bytes,
    load_peak: Bytes,
    cold: fn(&ColdBurst) -> Bytes,
) -> Result<RamModel, PlanError> {
    let on_top = accumulated(footprint);
    let bursts = footprint.cold_burst.iter();
    let cold: Vec<_> = bursts.map(|c| (c.concurrency, cold(c) + on_top)).collect();
    let alike = alike(footprint, bytes, load_peak, &cold)?;
    Ok(match &footprint.mix {
        Some(mix) => alike.mixed(mixture(mix, bytes, State::AfterLazy)?),
        None => alike,
    })
}

/// The same as if all requests were of the first kind.
fn alike(
    footprint: &Footprint,
    bytes: fn(&Point) -> Bytes,
    load_peak: Bytes,
    cold: &[(u32, Bytes)],
) -> Result<RamModel, PlanError> {
    let line = line_of_peaks(&reached(footprint, bytes))?;
    let model = RamModel::new(line, cold, load_peak, footprint.marks.kernel_bytes)
        .accumulated(accumulated(footprint))
        .of_processes(measured_full(footprint));
    Ok(match at_once(footprint) {
        Some(most) => model.at_most(most, held(footprint).high()),
        None => model,
    })
}

/// Processes, each of which was measured with a request in it: those of a live service were
/// measured with any number.
fn measured_full(footprint: &Footprint) -> u32 {
    if footprint.live.is_some() { 1 } else { footprint.topology.processes() }
}

/// What the first requests of a live service left behind: all points are of a service that holds it, and
/// a burst comes to one that does not yet.
fn accumulated(footprint: &Footprint) -> Bytes {
    let found = footprint.live.as_ref().and_then(|live| live.accumulated.as_ref());
    found.map_or(Bytes::ZERO, |a| a.bytes)
}

/// Requests that a live service works on at once, where an end was seen.
fn at_once(footprint: &Footprint) -> Option<u32> {
    footprint.live.as_ref().and_then(|live| live.at_once)
}

/// Fewer samples give no line.
const FEWEST: usize = 3;

/// The points as samples of requests at work. Where those are of one number only, as of a live service that
/// works on one request at a time, or too few, as of one that stood no more, the level without one is
/// another.
pub(super) fn reached(footprint: &Footprint, bytes: fn(&Point) -> Bytes) -> Vec<Sample> {
    let mut samples = samples(&footprint.points, bytes);
    let Some(live) = &footprint.live else { return samples };
    let most = f64::from(at_once(footprint).unwrap_or(u32::MAX));
    for sample in &mut samples {
        sample.x = sample.x.min(most);
    }
    let first = samples.first().map(|s| s.x);
    if samples.len() < FEWEST || samples.iter().all(|s| Some(s.x) == first) {
        // What was held before any request is one only of a service that keeps nothing.
        let before = live.repeated.as_ref().map(|_| live.idle);
        for level in [live.first].into_iter().chain(before) {
            let anon_bytes = level.anon_bytes + accumulated(footprint);
            let rest = Point {
                concurrency: 0,
                peak_bytes: anon_bytes + level.file_bytes,
                anon_bytes,
                file_bytes: level.file_bytes,
                file_in_use_bytes: None,
                repeat: 0,
                held_out: false,
                flat: true,
            };
            samples.push(Sample { x: 0.0, y: bytes(&rest).as_f64(), process: 0 });
        }
    }
    samples
}

/// The points as samples of one of their readings.
pub(super) fn samples<'a>(
    points: impl IntoIterator<Item = &'a Point>,
    bytes: fn(&Point) -> Bytes,
) -> Vec<Sample> {
    points
        .into_iter()
        .map(|p| Sample { x: f64::from(p.concurrency), y: bytes(p).as_f64(), process: p.repeat })
        .collect()
}

fn ram_plan(
    footprint: &Footprint,
    models: &Models,
    costs: &Costs,
    question: &Question,
    design: u32,
) -> Result<RamPlan, PlanError> {
    let model = &Curve::Fitted(Box::new(models.resident.clone()));
    let cold = !question.warmed;
    let limit = model.limit(design, cold);
    let marks = &footprint.marks;
    let topology = footprint.topology;
    let one_session = || {
        let all: Bytes = footprint.models.iter().map(|m| m.resident_bytes).sum();
        Span::exact(part(all, topology.copies()), Source::Measured)
    };
    let one_worker = || {
        let all = models.charge.anonymous.base();
        all.map(|b| part(b, topology.processes())).with_source(Source::Assumed)
    };
    Ok(RamPlan {
        base: model.base(),
        buffer: model.buffer(),
        per_session: costs.pool.as_ref().map_or_else(one_session, PoolModel::session),
        per_worker: costs.workers.as_ref().map_or_else(one_worker, WorkersModel::private),
        load_peak: Span::exact(marks.load_peak_bytes, Source::Measured),
        cold_burst: cold.then(|| model.cold(design)).flatten(),
        limit,
        kill_limit: models.charge.oom_threshold(model, design, cold),
        max_concurrency: question.ram.map(|ram| model.max_concurrency(ram, cold)),
        rows: ROWS.iter().map(|&n| row(model, n, question)).collect(),
        boxes: boxes(model, question),
        components: components(footprint, &model.base()),
        held: costs.pool.as_ref().map_or_else(|| held(footprint), PoolModel::waiting),
        fit: Some(fit_of(footprint)?),
        warm_up_saves: model.cold(design).map(|_| {
            model.limit(design, true).high().saturating_sub(model.limit(design, false).high())
        }),
        retained: marks.idle_bytes.saturating_sub(marks.warm_bytes),
    })
}

/// One of several equal parts.
fn part(bytes: Bytes, parts: u32) -> Bytes {
    Bytes::new(bytes.get() / u64::from(parts.max(1)))
}

fn fitted_row(model: &RamModel, concurrency: u32, question: &Question) -> RamRow {
    row(&Curve::Fitted(Box::new(model.clone())), concurrency, question)
}

pub(super) fn row(model: &Curve, concurrency: u32, question: &Question) -> RamRow {
    let total = model.total(concurrency);
    let base = model.total(0).typical();
    let need = model.limit(concurrency, !question.warmed).high();
    RamRow {
        concurrency,
        base,
        buffers: total.typical().saturating_sub(base),
        total,
        need,
        fits: question.ram.map(|ram| need <= ram),
    }
}

pub(super) fn boxes(model: &Curve, question: &Question) -> Vec<BoxRow> {
    let mut sizes: Vec<Bytes> = BOXES.iter().map(|m| sold(*m, question.convention)).collect();
    sizes.extend(question.ram);
    sizes.sort_unstable();
    sizes.dedup();
    sizes
        .into_iter()
        .map(|ram| BoxRow {
            ram,
            max_concurrency: model.max_concurrency(ram, !question.warmed),
            asked: question.ram == Some(ram),
        })
        .collect()
}

pub(super) fn cpu_plan(model: &CpuModel, cpus: Option<Cpus>) -> CpuPlan {
    CpuPlan {
        seconds_per_request: model.seconds_per_request(),
        seconds_alone: model.wall_seconds(),
        answers: cpus.map(|cpus| {
            let useful = model.max_useful_concurrency(cpus);
            CpuAnswers {
                cpus,
                throughput: model.throughput(cpus),
                response_alone: model.seconds_alone(cpus),
                best_concurrency: model.best_concurrency(cpus),
                max_useful_concurrency: useful,
                response_at_useful: model.seconds_at(cpus, useful),
            }
        }),
    }
}
