//! From what the children told to the record that is kept. No I/O.

use super::campaign::ChildRecord;
use super::protocol::WaveSample;
use super::schedule::Errand;
use crate::footprint::{
    ArenaRecord, ColdBurst, Environment, FOOTPRINT_VERSION, Footprint, ImageRecord, Marks,
    ModelRecord, Point, StageRecord, Throughput, Topology,
};
use crate::model::{Line, Sample, sample};
use crate::units::{Bytes, Rate, Seconds, Source, Span};

/// What is known of a model without running it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFacts {
    /// The profile's name for it.
    pub name: String,
    /// Whether the tool wrote it.
    pub synthetic: bool,
    /// Size of the file.
    pub file_bytes: Bytes,
    /// Bytes of weights.
    pub weight_bytes: Bytes,
    /// The file's hash, or the reference model's key.
    pub sha256: String,
}

/// What the record says beyond the children's readings.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Machine and settings.
    pub environment: Environment,
    /// The request's image.
    pub image: ImageRecord,
    /// The models, in order.
    pub models: Vec<ModelFacts>,
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
        topology: Topology::Shared,
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
        partial,
        killed: children.iter().filter_map(|c| c.killed).min_by_key(|k| k.concurrency),
        disturbances,
    })
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

fn warm_waves(children: &[ChildRecord]) -> impl Iterator<Item = (&ChildRecord, u32, &WaveSample)> {
    children
        .iter()
        .filter(|c| c.errand != Errand::Cold)
        .flat_map(|c| c.waves.iter().map(move |(n, w)| (c, *n, w)))
}

fn points(children: &[ChildRecord]) -> Vec<Point> {
    warm_waves(children)
        .map(|(child, concurrency, wave)| Point {
            concurrency,
            peak_bytes: wave.peak,
            anon_bytes: wave.peak.saturating_sub(wave.after.file),
            file_bytes: wave.after.file,
            repeat: child.child,
            held_out: child.errand == Errand::Check,
            flat: wave.flat,
        })
        .collect()
}

fn cold_bursts(children: &[ChildRecord]) -> Vec<ColdBurst> {
    children
        .iter()
        .filter(|c| c.errand == Errand::Cold)
        .flat_map(|c| &c.waves)
        .map(|(concurrency, wave)| ColdBurst {
            concurrency: *concurrency,
            peak_bytes: wave.peak,
            anon_bytes: wave.peak.saturating_sub(wave.after.file),
        })
        .collect()
}

fn models(facts: &Facts, children: &[ChildRecord]) -> Vec<ModelRecord> {
    facts
        .models
        .iter()
        .enumerate()
        .map(|(index, model)| {
            let loads = || children.iter().filter_map(|c| c.loaded.models.get(index));
            let resident = children.iter().filter_map(|c| {
                let before = match index.checked_sub(1) {
                    Some(previous) => c.loaded.models.get(previous)?.after,
                    None => c.loaded.runtime,
                };
                Some(c.loaded.models.get(index)?.after.total.saturating_sub(before.total))
            });
            ModelRecord {
                name: model.name.clone(),
                synthetic: model.synthetic,
                file_bytes: model.file_bytes,
                weight_bytes: model.weight_bytes,
                sha256: model.sha256.clone(),
                load_seconds: Seconds::new(sample::median(loads().map(|l| l.seconds.get()))),
                load_peak_bytes: loads().map(|l| l.peak).max().unwrap_or_default(),
                resident_bytes: median_bytes(resident),
            }
        })
        .collect()
}

fn marks(children: &[ChildRecord]) -> Marks {
    let loaded = |c: &ChildRecord| c.loaded.models.last().map_or(c.loaded.runtime, |m| m.after);
    let peak = children.iter().flat_map(|c| c.loaded.models.iter()).max_by_key(|m| m.peak);
    // The kernel's share grows with the pages that are mapped: the largest of the marks counts.
    let kernel = children
        .iter()
        .flat_map(|c| c.waves.iter().map(|(_, w)| w.after.kernel).chain([loaded(c).kernel]));
    Marks {
        start_bytes: median_bytes(children.iter().map(|c| c.loaded.start.total)),
        runtime_bytes: median_bytes(children.iter().map(|c| c.loaded.runtime.total)),
        load_peak_bytes: peak.map_or(Bytes::ZERO, |m| m.peak),
        load_peak_anon_bytes: peak.map_or(Bytes::ZERO, |m| m.peak.saturating_sub(m.after.file)),
        loaded_bytes: median_bytes(children.iter().map(|c| loaded(c).total)),
        warm_bytes: median_bytes(children.iter().filter_map(|c| Some(c.warm?.after.total))),
        idle_bytes: median_bytes(children.iter().filter_map(|c| Some(c.idle?.total))),
        kernel_bytes: kernel.max().unwrap_or_default(),
    }
}

fn stages(children: &[ChildRecord]) -> Vec<StageRecord> {
    let Some(first) = children.iter().find(|c| !c.stages.is_empty()) else { return Vec::new() };
    first
        .stages
        .iter()
        .enumerate()
        .map(|(index, stage)| {
            let samples = || children.iter().filter_map(|c| c.stages.get(index));
            StageRecord {
                name: stage.name.clone(),
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
    let per_child = |least: u32| {
        children
            .iter()
            .filter_map(|child| {
                let waves = child.waves.iter().filter(|(n, _)| *n >= least);
                let (cpu, requests) = waves.fold((0.0, 0.0), |(cpu, requests), (_, w)| {
                    (cpu + w.cpu.get(), requests + f64::from(w.requests))
                });
                (child.errand != Errand::Cold && requests > 0.0).then(|| cpu / requests)
            })
            .collect::<Vec<_>>()
    };
    let loaded = per_child(2);
    let values = if loaded.is_empty() { per_child(1) } else { loaded };
    interval(&values).map(Seconds::new)
}

fn wall_seconds(children: &[ChildRecord]) -> Span<Seconds> {
    let per_child: Vec<f64> = children
        .iter()
        .filter(|c| !c.stages.is_empty())
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
    let samples = || children.iter().filter_map(|c| c.warm?.arena);
    samples().next()?;
    Some(ArenaRecord {
        in_use_bytes: median_bytes(samples().map(|a| a.in_use)),
        max_in_use_bytes: median_bytes(samples().map(|a| a.max_in_use)),
        per_run_bytes: median_bytes(samples().map(|a| a.per_run)),
    })
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
