//! From what was seen to a footprint: what requests have left behind is told from what their
//! concurrency takes, and what the service does with its requests is concluded.

mod history;
mod repeated;

use self::history::History;
use super::campaign::{Measured, Run};
use crate::footprint::{
    Copies, Environment, FOOTPRINT_VERSION, Footprint, Growth, Inside, LeftBehind, Level,
    LiveRecord, Marks, PeaksBy, Point, Round, Throughput, ToldBy, Topology,
};
use crate::model::live::{AtOnce, FEWEST, Seen, Slope, at_once, in_step};
use crate::model::sample::median;
use crate::units::{Bytes, Seconds, Source, Span};

/// What is known besides the measurement.
#[derive(Debug, Clone)]
pub struct LiveFacts {
    /// The command, or the process.
    pub target: String,
    /// Whether it ran before.
    pub attached: bool,
    /// The machine.
    pub environment: Environment,
    /// What disturbed it, in words.
    pub disturbances: Vec<String>,
}

/// The footprint; `None` where not a single round was made.
pub fn footprint(facts: LiveFacts, measured: &Measured) -> Option<Footprint> {
    let whole = measured.runs.first()?;
    whole.rounds.first()?;
    let history = History::of(whole);
    let found = end_of(whole, &history, measured.facts.cpus);
    let mut points = points(measured, &history, found);
    let unexplained = history::unexplained(whole, &history, found, &mut points);
    let repeated = repeated::found(measured, &history, &points);
    // How those are answered that were answered before tells nothing of others.
    let found = if repeated.is_some() { AtOnce::Unknown } else { found };
    let topology = topology(whole.workers, found.number());
    let loads = || {
        let rounds = if repeated.is_some() { &[] } else { &whole.rounds[..] };
        rounds.iter().filter(|r| r.cpu_seconds > Seconds::ZERO)
    };
    let failures: Vec<_> =
        measured.runs.iter().flat_map(|r| &r.failures).chain(&measured.failures).cloned().collect();
    let alone = whole.rounds.iter().find(|r| r.concurrency == 1).unwrap_or(&whole.rounds[0]);
    let [p50, p95, ..] = alone.latency;
    let (cpu, wall) = match &repeated {
        None => {
            let wall = Span::around(p50, p50, p95, Source::Measured);
            (span(loads().map(|r| r.cpu_seconds.get())), wall)
        }
        Some(_) => {
            points = repeated::points(measured);
            repeated::times(measured)
        }
    };
    let peak = |run: &Run| run.load_peak.unwrap_or(run.idle);
    let highest = measured.runs.iter().map(peak).max_by_key(Level::total).unwrap_or(whole.idle);
    Some(Footprint {
        version: FOOTPRINT_VERSION,
        topology,
        environment: facts.environment,
        image: None,
        models: Vec::new(),
        stages: Vec::new(),
        marks: Marks {
            start_bytes: whole.idle.total(),
            runtime_bytes: whole.idle.total(),
            load_peak_bytes: highest.total(),
            load_peak_anon_bytes: highest.anon_bytes,
            loaded_bytes: whole.idle.total(),
            warm_bytes: whole.first.total(),
            idle_bytes: whole.after.total(),
            kernel_bytes: measured.runs.iter().map(|r| r.kernel).max().unwrap_or_default(),
            load_file_in_use_bytes: None,
            file_in_use_bytes: measured.runs.iter().filter_map(|r| r.file_in_use).max(),
        },
        points,
        cold_burst: measured.bursts.iter().map(|burst| burst.cold).collect(),
        mix: None,
        arena: None,
        cpu_seconds: cpu.unwrap_or(Span::exact(Seconds::ZERO, Source::Measured)),
        wall_seconds: wall,
        service_times: None,
        throughput: loads()
            .map(|r| Throughput { concurrency: r.concurrency, rps: r.throughput })
            .collect(),
        partial: measured.is_partial,
        no_room: measured.runs.iter().filter_map(|r| r.no_room).min(),
        heap_bytes: None,
        program: None,
        budget_seconds: None,
        runs: Vec::new(),
        killed: None,
        assumed: Vec::new(),
        assumed_values: Vec::new(),
        disturbances: facts.disturbances,
        live: Some(LiveRecord {
            target: facts.target,
            service: measured.facts.service.clone(),
            managed_heap: measured.facts.heap,
            attached: facts.attached,
            workers: whole.workers,
            processes: whole.processes,
            at_once: found.number(),
            told_by: told_by(found),
            request_bytes: whole.request_bytes,
            idle: whole.idle,
            first: whole.first,
            after: whole.after,
            group_peak_bytes: measured.group_peak,
            rounds: measured.runs.iter().flat_map(|r| r.rounds.iter().cloned()).collect(),
            accumulated: history.accumulated(whole, measured.different),
            unexplained,
            repeated,
            different_requests: measured.different,
            charged: measured.is_metered,
            tmpfs: measured.tmpfs.clone(),
            left_behind: left_behind(measured),
            growth: history.slope.map(|slope| grown(slope, &whole.levels)),
            growth_looks: u32::try_from(whole.levels.len()).unwrap_or(u32::MAX),
            failures,
            peaks_by: peaks_by(measured),
            sampling_seconds: whole.interval,
            sampler_cpu: whole.sampler_cpu,
            driver_cpu: whole.driver_cpu,
        }),
    })
}

fn told_by(found: AtOnce) -> ToldBy {
    match found {
        AtOnce::ByMemory(_) | AtOnce::NoEnd => ToldBy::Memory,
        AtOnce::ByRate(_) | AtOnce::NoEndByRate => ToldBy::Throughput,
        AtOnce::Unknown => ToldBy::Nothing,
    }
}

fn peaks_by(measured: &Measured) -> PeaksBy {
    let mut all = measured.runs.iter().map(|r| r.peaks_by);
    all.find(|by| *by == PeaksBy::Looks).unwrap_or(PeaksBy::Marks)
}

fn left_behind(measured: &Measured) -> Option<LeftBehind> {
    (measured.left_behind > Bytes::ZERO).then(|| LeftBehind {
        bytes: measured.left_behind,
        paths: measured.left_in.iter().map(|path| path.display().to_string()).collect(),
    })
}

/// How many requests it works on at once, by what its first start showed.
fn end_of(whole: &Run, history: &History, cpus: f64) -> AtOnce {
    at_once(whole.first.anon_bytes.as_f64(), &seen(whole, history), cpus, whole.workers)
}

/// The most in flight that other starts are worth: what the first one stood, and where no end was
/// found, only as far as its requests were at work together.
pub fn most_of_others(whole: &Run, most: u32, cpus: f64) -> u32 {
    let history = History::of(whole);
    match end_of(whole, &history, cpus).number() {
        Some(_) => most,
        None => in_step(&seen(whole, &history), FEWEST).clamp(1, most.max(1)),
    }
}

fn seen(run: &Run, history: &History) -> Vec<Seen> {
    run.rounds
        .iter()
        .zip(&run.busy)
        // What was not answered was not at work.
        .filter(|(round, _)| !round.control && !run.failed_at(round))
        .map(|(round, busy)| Seen {
            concurrency: round.concurrency,
            peak: history.without(run, round),
            rate: round.throughput.get(),
            busy: *busy,
            driver_bound: round.driver_bound,
        })
        .collect()
}

/// The word for it. What has no word of its own, as several workers with a pool each, is told by its
/// workers.
fn topology(workers: u32, at_once: Option<u32>) -> Topology {
    let copies = |n: u32| u16::try_from(n).ok().and_then(Copies::new);
    match (workers, at_once) {
        (0 | 1, None) => Topology::Shared,
        (0 | 1, Some(1)) => Topology::Serial,
        (0 | 1, Some(k)) => copies(k).map_or(Topology::Shared, Topology::Pool),
        (w, Some(k)) if k <= w => {
            copies(w).map_or(Topology::Shared, |w| Topology::Workers(w, Inside::Serial))
        }
        (w, _) => copies(w).map_or(Topology::Shared, |w| Topology::Workers(w, Inside::Shared)),
    }
}

/// The peaks that make the line: of each start, up to where its requests were at work together. Where
/// that leaves too few, those beyond are taken too: the line is then bent, and its interval as wide.
fn points(measured: &Measured, history: &History, found: AtOnce) -> Vec<Point> {
    let rounds = |is_in_step: bool| {
        let of = move |(start, run): (usize, _)| {
            // Beyond an end that was found, nothing rises anyway.
            let is_bound = is_in_step && found.number().is_none();
            // Other starts do not have to make the line.
            let fewest = if start == 0 { FEWEST } else { 1 };
            let most = if is_bound { in_step(&seen(run, history), fewest) } else { u32::MAX };
            let is_point =
                move |r: &&Round| !r.control && r.concurrency <= most && !run.failed_at(r);
            run.rounds.iter().filter(is_point).map(move |round| history.point(run, round))
        };
        measured.runs.iter().enumerate().flat_map(of).collect::<Vec<_>>()
    };
    let in_step = rounds(true);
    if in_step.len() < FEWEST { rounds(false) } else { in_step }
}

fn grown(slope: Slope, levels: &[(f64, f64)]) -> Growth {
    let [low, typical, high] = [slope.low, slope.typical, slope.high].map(Bytes::from_f64);
    let watched = levels.first().zip(levels.last()).map_or(0.0, |(a, b)| b.0 - a.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    let requests = watched as u64;
    Growth { bytes_per_request: Span::around(low, typical, high, Source::Fitted), requests }
}

/// The least, the median and the most; `None` of nothing.
fn span(values: impl Iterator<Item = f64>) -> Option<Span<Seconds>> {
    let values: Vec<f64> = values.collect();
    let least = values.iter().copied().reduce(f64::min)?;
    let most = values.iter().copied().reduce(f64::max)?;
    let middle = median(values.iter().copied());
    let [least, middle, most] = [least, middle, most].map(Seconds::new);
    Some(Span::around(least, middle, most, Source::Measured))
}
