//! From the record and the plan to the types of the contract.

use super::{
    Arena, ColdBurst, Cpu, Environment, HeldOut, HeldOutPoint, Measured, Model, Point, Program,
    Ram, Run, SCHEMA, Settings, Stage, Throughput,
};
use crate::footprint::{self, Footprint, Topology};
use crate::plan::{self, Plan};
use crate::report::json::span::S;

impl<'a> Measured<'a> {
    pub(super) fn of(plan: Option<&Plan>, footprint: &'a Footprint) -> Self {
        Self {
            schema: SCHEMA,
            environment: environment(&footprint.environment, footprint.topology),
            models: footprint.models.iter().map(Model::from).collect(),
            assumed: footprint
                .assumed
                .iter()
                .chain(&footprint.assumed_values)
                .map(String::as_str)
                .collect(),
            program: footprint.program.as_ref().map(Program::from),
            stages: footprint.stages.iter().map(Stage::from).collect(),
            ram: plan.map(|plan| ram(plan, footprint)),
            cpu: cpu(footprint),
            live: footprint.live.as_ref().map(|live| super::live::Live::of(live, plan)),
        }
    }
}

impl<'a> From<&'a footprint::ProgramRecord> for Program<'a> {
    fn from(record: &'a footprint::ProgramRecord) -> Self {
        Self {
            name: record.program.to_string(),
            source: record.source().name(),
            resident_bytes: record.memory.resident_bytes.get(),
            added_anon_bytes: record.added_anon_bytes.get(),
            added_file_bytes: record.added_file_bytes.get(),
            imported: &record.memory.imported,
            missing: &record.memory.missing,
        }
    }
}

fn environment(environment: &footprint::Environment, topology: Topology) -> Environment<'_> {
    Environment {
        cpu_model: &environment.cpu_model,
        cores: environment.cores,
        kernel: &environment.kernel,
        onnxruntime: &environment.onnxruntime,
        library_sha256: environment.library_sha256.as_deref(),
        conditions: &environment.conditions,
        tool: &environment.tool,
        settings: settings(environment, topology),
    }
}

fn settings(environment: &footprint::Environment, topology: Topology) -> Settings {
    let settings = &environment.settings;
    Settings {
        threads: environment.threads(),
        arena: settings.arena,
        memory_pattern: settings.memory_pattern,
        prepacking: settings.prepacking,
        spinning: settings.spinning,
        optimization: settings.optimization.name(),
        topology: topology.to_string(),
    }
}

impl<'a> From<&'a footprint::ModelRecord> for Model<'a> {
    fn from(model: &'a footprint::ModelRecord) -> Self {
        Self {
            name: &model.name,
            file_bytes: model.file_bytes.get(),
            weight_bytes: model.weight_bytes.get(),
            sha256: &model.sha256,
            load_seconds: model.load_seconds.get(),
            load_peak_bytes: model.load_peak_bytes.get(),
            resident_bytes: model.resident_bytes.get(),
        }
    }
}

impl<'a> From<&'a footprint::StageRecord> for Stage<'a> {
    fn from(stage: &'a footprint::StageRecord) -> Self {
        Self {
            name: &stage.name,
            ram_bytes: S::from(&stage.ram),
            cpu_seconds: S::from(&stage.cpu),
            wall_seconds: S::from(&stage.wall),
        }
    }
}

fn ram(plan: &Plan, footprint: &Footprint) -> Ram {
    let marks = &footprint.marks;
    Ram {
        start_bytes: marks.start_bytes.get(),
        runtime_bytes: marks.runtime_bytes.get(),
        load_peak_bytes: marks.load_peak_bytes.get(),
        base_bytes: S::from(&plan.ram.base),
        buffer_bytes: S::from(&plan.ram.buffer),
        retained_bytes: plan.ram.retained.get(),
        points: points(&footprint.points),
        cold_burst: footprint.cold_burst.iter().map(ColdBurst::from).collect(),
        arena: footprint.arena.as_ref().map(Arena::from),
        runs: footprint.runs.iter().map(Run::from).collect(),
        held_out: HeldOut::from(plan.ram.fit.as_ref().and_then(|fit| fit.held_out)),
    }
}

/// The numbers of children have gaps where one did not measure warm waves; a reader counts from 0.
fn points(points: &[footprint::Point]) -> Vec<Point> {
    let mut children: Vec<u32> = points.iter().map(|p| p.repeat).collect();
    children.sort_unstable();
    children.dedup();
    let repeat = |child| children.partition_point(|&c| c < child);
    points
        .iter()
        .map(|point| Point {
            concurrency: point.concurrency,
            peak_bytes: point.peak_bytes.get(),
            anon_bytes: point.anon_bytes.get(),
            file_bytes: point.file_bytes.get(),
            repeat: repeat(point.repeat),
        })
        .collect()
}

impl From<&footprint::TopologyRun> for Run {
    fn from(run: &footprint::TopologyRun) -> Self {
        Self {
            topology: run.topology.to_string(),
            k: run.topology.copies(),
            points: points(&run.points),
        }
    }
}

impl From<&footprint::ColdBurst> for ColdBurst {
    fn from(burst: &footprint::ColdBurst) -> Self {
        Self { concurrency: burst.concurrency, peak_bytes: burst.peak_bytes.get() }
    }
}

impl From<&footprint::ArenaRecord> for Arena {
    fn from(arena: &footprint::ArenaRecord) -> Self {
        Self {
            in_use_bytes: arena.in_use_bytes.get(),
            max_in_use_bytes: arena.max_in_use_bytes.get(),
            per_run_bytes: arena.per_run_bytes.get(),
        }
    }
}

impl From<Option<plan::HeldOut>> for HeldOut {
    /// An error that is not finite (nothing was observed) is no check: JSON has no number for it.
    fn from(held_out: Option<plan::HeldOut>) -> Self {
        let points: Vec<HeldOutPoint> = held_out
            .into_iter()
            .filter(|point| point.error.is_finite())
            .map(|point| HeldOutPoint {
                concurrency: point.concurrency,
                predicted_bytes: point.predicted.typical().get(),
                observed_bytes: point.observed.get(),
                error: point.error,
            })
            .collect();
        let max_error = points.iter().map(|point| point.error.abs()).reduce(f64::max);
        Self { points, max_error }
    }
}

/// Waves that took no time have no rate that JSON has a number for.
fn cpu(footprint: &Footprint) -> Cpu {
    Cpu {
        seconds_per_request: S::from(&footprint.cpu_seconds),
        throughput: footprint
            .throughput
            .iter()
            .filter(|t| t.rps.get().is_finite())
            .map(|t| Throughput { concurrency: t.concurrency, rps: t.rps.get() })
            .collect(),
    }
}
