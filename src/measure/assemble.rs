//! From what the children told to the record that is kept. No I/O.

mod mix;

use super::campaign::ChildRecord;
use super::protocol::{LoadedModel, StageSample, WaveSample};
use super::schedule::Errand;
use crate::footprint::{
    ArenaRecord, ColdBurst, Environment, FOOTPRINT_VERSION, Footprint, ImageRecord, Killed, Marks,
    ModelRecord, Point, ServiceTimes, StageRecord, Throughput, Topology, TopologyRun,
};
use crate::model::{Line, Sample, sample};
use crate::units::{Bytes, Rate, Seconds, Share, Source, Span};

/// Values that stand for the service times of all requests.
const SHARES: usize = 100;

/// What is known of a model without running it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFacts {
    /// The profile's name for it.
    pub name: String,
    /// Whether the tool wrote it.
    pub synthetic: bool,
    /// Whether it is loaded by the first request that needs it.
    pub lazy: bool,
    /// Whether its session is made from a copy of the file in memory, which stays.
    pub from_bytes: bool,
    /// Size of the file.
    pub file_bytes: Bytes,
    /// Bytes of weights.
    pub weight_bytes: Bytes,
    /// The file's hash, or the reference model's key.
    pub sha256: String,
    /// What it is fed with, in words.
    pub inputs: Vec<String>,
    /// The input or output that shows that one run is one step of many.
    pub step: Option<String>,
}

/// What is known of a kind of request.
#[derive(Debug, Clone, PartialEq)]
pub struct KindFacts {
    /// The profile's name for it.
    pub name: String,
    /// Of all requests.
    pub share: Share,
    /// Whether it runs a model that is loaded by the first request that needs it.
    pub lazy: bool,
}

/// What the record says beyond the children's readings.
#[derive(Debug, Clone)]
pub struct Facts {
    /// How requests share processes and sessions.
    pub topology: Topology,
    /// Machine and settings.
    pub environment: Environment,
    /// The request's image, where a model takes one.
    pub image: Option<ImageRecord>,
    /// Dimensions that nobody gave, in words.
    pub assumed: Vec<String>,
    /// Numbers that inputs were fed with and nobody gave, in words.
    pub assumed_values: Vec<String>,
    /// The models, in order.
    pub models: Vec<ModelFacts>,
    /// The kinds of requests, the most frequent first.
    pub kinds: Vec<KindFacts>,
}

/// Makes the record; `None` where the warm waves give no line, as of a child that was killed or
/// stopped early: such a record would answer nothing, now or from the cache.
pub fn assemble(
    facts: &Facts,
    children: &[ChildRecord],
    partial: bool,
    disturbances: Vec<String>,
) -> Option<Footprint> {
    let points = points(children);
    if !give_a_line(&points) {
        return None;
    }
    Some(Footprint {
        version: FOOTPRINT_VERSION,
        topology: facts.topology,
        mix: mix::record(facts, children),
        environment: facts.environment.clone(),
        image: facts.image.clone(),
        models: models(facts, children),
        stages: stages(children),
        marks: marks(children),
        throughput: throughput(children),
        points,
        cold_burst: cold_bursts(children),
        arena: arena(children),
        cpu_seconds: cpu_seconds(children),
        wall_seconds: wall_seconds(children),
        service_times: service_times(children),
        partial,
        no_room: children.iter().filter_map(|c| c.no_room).min(),
        heap_bytes: heap(children),
        runs: Vec::new(),
        killed: children.iter().filter_map(|c| c.killed).min_by_key(|k| k.concurrency),
        assumed: facts.assumed.clone(),
        assumed_values: facts.assumed_values.clone(),
        disturbances,
        live: None,
        program: None,
        budget_seconds: None,
    })
}

/// What children gave that ran the service in another topology.
pub fn run(topology: Topology, children: &[ChildRecord]) -> TopologyRun {
    TopologyRun {
        topology,
        points: points(children),
        throughput: throughput(children),
        cpu_seconds: cpu_seconds(children),
        heap_bytes: heap(children),
        killed: children.iter().filter_map(|c| c.killed).min_by_key(|k| k.concurrency),
    }
}

/// A topology that did not live to its first wave.
pub fn killed_while_loading(topology: Topology, signal: i32) -> TopologyRun {
    TopologyRun { killed: Some(Killed { concurrency: 0, signal }), ..run(topology, &[]) }
}

/// Whether an answer can be made of these points.
pub fn give_a_line(points: &[Point]) -> bool {
    let peak = |p: &Point| Sample {
        x: f64::from(p.concurrency),
        y: p.peak_bytes.as_f64(),
        process: p.repeat,
    };
    Line::fit(&points.iter().map(peak).collect::<Vec<_>>()).is_ok()
}

/// Waves of the most frequent kind of request on a warm service.
fn warm_waves(children: &[ChildRecord]) -> impl Iterator<Item = (&ChildRecord, u32, &WaveSample)> {
    children
        .iter()
        .filter(|c| c.errand.is_of_the_first_kind())
        .flat_map(|c| c.waves.iter().map(move |(n, w)| (c, *n, w)))
}

fn points(children: &[ChildRecord]) -> Vec<Point> {
    let files = files(children);
    warm_waves(children).map(|wave| point(wave, files)).collect()
}

/// The most file pages of any process. They are shared by all requests and stay: how many there are
/// depends on what was ever read, as of a table of which each request reads other rows, and not on
/// how many requests are at work.
fn files(children: &[ChildRecord]) -> Bytes {
    children.iter().flat_map(|c| &c.waves).map(|(_, w)| w.after.file).max().unwrap_or_default()
}

/// `files` are the file pages that the process has in the long run.
fn point((child, concurrency, wave): (&ChildRecord, u32, &WaveSample), files: Bytes) -> Point {
    let anon_bytes = wave.peak.saturating_sub(wave.after.file);
    Point {
        concurrency,
        peak_bytes: anon_bytes + files,
        anon_bytes,
        file_bytes: files,
        file_in_use_bytes: wave.touched.map(|touched| touched.code + touched.data),
        repeat: child.child,
        held_out: child.errand == Errand::Check,
        flat: wave.flat,
    }
}

fn cold_bursts(children: &[ChildRecord]) -> Vec<ColdBurst> {
    let files = files(children);
    let anon = |wave: &WaveSample| wave.peak.saturating_sub(wave.after.file);
    children
        .iter()
        .filter(|c| c.errand == Errand::Cold)
        .flat_map(|c| &c.waves)
        .map(|(concurrency, wave)| ColdBurst {
            concurrency: *concurrency,
            peak_bytes: anon(wave) + files,
            anon_bytes: anon(wave),
        })
        .collect()
}

fn models(facts: &Facts, children: &[ChildRecord]) -> Vec<ModelRecord> {
    facts
        .models
        .iter()
        .enumerate()
        .map(|(index, model)| {
            let place = facts.models[..index].iter().filter(|m| m.lazy == model.lazy).count();
            let loads = || children.iter().filter_map(|c| load_of(c, place, model.lazy));
            let resident = loads().map(|(load, before)| load.after.total.saturating_sub(before));
            ModelRecord {
                name: model.name.clone(),
                synthetic: model.synthetic,
                lazy: model.lazy,
                from_bytes: model.from_bytes,
                file_bytes: model.file_bytes,
                weight_bytes: model.weight_bytes,
                sha256: model.sha256.clone(),
                step: model.step.clone(),
                inputs: model.inputs.clone(),
                load_seconds: Seconds::new(sample::median(loads().map(|(l, _)| l.seconds.get()))),
                load_peak_bytes: loads().map(|(l, _)| l.peak).max().unwrap_or_default(),
                resident_bytes: median_bytes(resident),
            }
        })
        .collect()
}

/// How one child loaded the model at this place among the lazy ones, or among the others, and what
/// was resident before.
fn load_of(child: &ChildRecord, place: usize, lazy: bool) -> Option<(LoadedModel, Bytes)> {
    let (models, before) = match (&child.lazy, lazy) {
        (Some(lazy), true) => (&lazy.models, lazy.before),
        (None, true) => return None,
        (_, false) => (&child.loaded.models, child.loaded.runtime),
    };
    let before = match place.checked_sub(1) {
        Some(previous) => models.get(previous)?.after,
        None => before,
    };
    Some((*models.get(place)?, before.total))
}

fn marks(children: &[ChildRecord]) -> Marks {
    let loaded = |c: &ChildRecord| c.loaded.models.last().map_or(c.loaded.runtime, |m| m.after);
    let peak = children.iter().flat_map(|c| c.loaded.models.iter()).max_by_key(|m| m.peak);
    // The kernel's share grows with the pages that are mapped: the largest of the marks counts.
    let kernel = children
        .iter()
        .flat_map(|c| c.waves.iter().map(|(_, w)| w.after.kernel).chain([loaded(c).kernel]));
    let firsts = || children.iter().filter(|c| c.errand.is_of_the_first_kind());
    Marks {
        start_bytes: median_bytes(children.iter().map(|c| c.loaded.start.total)),
        runtime_bytes: median_bytes(children.iter().map(|c| c.loaded.runtime.total)),
        load_peak_bytes: peak.map_or(Bytes::ZERO, |m| m.peak),
        load_peak_anon_bytes: peak.map_or(Bytes::ZERO, |m| m.peak.saturating_sub(m.after.file)),
        loaded_bytes: median_bytes(children.iter().map(|c| loaded(c).total)),
        warm_bytes: median_bytes(firsts().filter_map(|c| Some(c.warm?.after.total))),
        idle_bytes: median_bytes(firsts().filter_map(|c| Some(c.idle?.total))),
        kernel_bytes: kernel.max().unwrap_or_default(),
        load_file_in_use_bytes: children
            .iter()
            .flat_map(|c| &c.loaded.models)
            .filter_map(|m| m.touched)
            .max(),
        file_in_use_bytes: None,
    }
}

/// The stages of the most frequent kind in their order, then those that only other kinds have.
fn stages(children: &[ChildRecord]) -> Vec<StageRecord> {
    let of_the_first = |c: &&ChildRecord| c.errand.is_of_the_first_kind();
    let (firsts, others): (Vec<_>, Vec<_>) = children.iter().partition(of_the_first);
    let mut names: Vec<&str> = Vec::new();
    for stage in firsts.iter().chain(&others).flat_map(|c| &c.stages) {
        if !names.contains(&stage.name.as_str()) {
            names.push(&stage.name);
        }
    }
    names
        .into_iter()
        .map(|name| {
            let all = |children: &[&ChildRecord]| -> Vec<StageSample> {
                let stages = children.iter().flat_map(|c| &c.stages);
                stages.filter(|s| s.name == name).cloned().collect()
            };
            let own = all(&firsts);
            let found = if own.is_empty() { all(&others) } else { own };
            let samples = || found.iter();
            StageRecord {
                name: name.to_owned(),
                ram: spread(samples().map(|s| s.ram.as_f64())).map(Bytes::from_f64),
                cpu: spread(samples().map(|s| s.cpu.get())).map(Seconds::new),
                wall: spread(samples().map(|s| s.wall.get())).map(Seconds::new),
            }
        })
        .collect()
}

/// From waves of two requests or more where there are any: a request under load shares caches and
/// memory bandwidth, and that is when CPU-seconds decide.
fn cpu_seconds(children: &[ChildRecord]) -> Span<Seconds> {
    let firsts: Vec<_> = children.iter().filter(|c| c.errand.is_of_the_first_kind()).collect();
    cpu_seconds_of(&firsts)
}

fn cpu_seconds_of(children: &[&ChildRecord]) -> Span<Seconds> {
    let per_child = |least: u32| {
        children
            .iter()
            .filter_map(|child| {
                let waves = child.waves.iter().filter(|(n, _)| *n >= least);
                let (cpu, requests) = waves.fold((0.0, 0.0), |(cpu, requests), (_, w)| {
                    (cpu + w.cpu.get(), requests + f64::from(w.requests))
                });
                (requests > 0.0).then(|| cpu / requests)
            })
            .collect::<Vec<_>>()
    };
    let loaded = per_child(2);
    let values = if loaded.is_empty() { per_child(1) } else { loaded };
    interval(&values).map(Seconds::new)
}

/// Of all requests that came at random; `None` where there were none.
fn service_times(children: &[ChildRecord]) -> Option<ServiceTimes> {
    let each: Vec<f64> = children
        .iter()
        .filter(|c| !c.at_random.is_empty())
        .map(|c| sample::mean(&c.at_random))
        .collect();
    let mut all: Vec<f64> = children.iter().flat_map(|c| &c.at_random).copied().collect();
    if all.is_empty() {
        return None;
    }
    all.sort_unstable_by(f64::total_cmp);
    Some(ServiceTimes {
        requests: u32::try_from(all.len()).unwrap_or(u32::MAX),
        mean: interval(&each).map(Seconds::new),
        shares: sample::means_of_shares(&all, SHARES).into_iter().map(Seconds::new).collect(),
    })
}

fn wall_seconds(children: &[ChildRecord]) -> Span<Seconds> {
    let per_child: Vec<f64> = children
        .iter()
        .filter(|c| !c.stages.is_empty() && c.errand.is_of_the_first_kind())
        .map(|c| c.stages.iter().map(|s| s.wall.get()).sum())
        .collect();
    if per_child.is_empty() {
        let warm: Vec<f64> =
            children.iter().filter_map(|c| Some(c.warm?.request_seconds.get())).collect();
        return interval(&warm).map(Seconds::new);
    }
    interval(&per_child).map(Seconds::new)
}

fn throughput(children: &[ChildRecord]) -> Vec<Throughput> {
    let mut levels: Vec<u32> = warm_waves(children).map(|(_, n, _)| n).collect();
    levels.sort_unstable();
    levels.dedup();
    levels
        .into_iter()
        .map(|concurrency| {
            let rates = warm_waves(children)
                .filter(|(_, n, w)| *n == concurrency && w.wall.get() > 0.0)
                .map(|(_, _, w)| f64::from(w.requests) / w.wall.get());
            Throughput { concurrency, rps: Rate::per_second(sample::median(rates)) }
        })
        .collect()
}

fn arena(children: &[ChildRecord]) -> Option<ArenaRecord> {
    let firsts = || children.iter().filter(|c| c.errand.is_of_the_first_kind());
    let samples = || firsts().filter_map(|c| c.warm?.arena);
    samples().next()?;
    Some(ArenaRecord {
        in_use_bytes: median_bytes(samples().map(|a| a.in_use)),
        max_in_use_bytes: median_bytes(samples().map(|a| a.max_in_use)),
        per_run_bytes: median_bytes(samples().map(|a| a.per_run)),
    })
}

fn heap(children: &[ChildRecord]) -> Option<Bytes> {
    let told: Vec<Bytes> = children.iter().filter_map(|c| c.warm?.heap).collect();
    (!told.is_empty()).then(|| median_bytes(told.into_iter()))
}

fn median_bytes(values: impl Iterator<Item = Bytes>) -> Bytes {
    Bytes::from_f64(sample::median(values.map(Bytes::as_f64)))
}

/// The least, the median and the most of a few values.
fn spread(values: impl Iterator<Item = f64>) -> Span<f64> {
    let values: Vec<f64> = values.collect();
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Span::around(low, sample::median(values), high, Source::Measured)
}

/// The mean with its 95 % interval; never below zero.
fn interval(values: &[f64]) -> Span<f64> {
    let (low, mean, high) = sample::mean_interval(values);
    Span::around(low.max(0.0), mean, high, Source::Measured)
}
