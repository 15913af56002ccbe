//! The real subject: models in ONNX Runtime, requests through the pipeline, peaks from the kernel.

mod staged;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Instant;

use anyhow::{Context, anyhow};
use ort::environment::Environment;

pub use self::staged::Crests;
use super::crew::Crew;
use super::drive::{Answered, Load, drive};
use super::ffi::{ArenaStats, SharedSession};
use super::memory::{self, Process, Touched};
use super::pipeline::{Model, Pipeline, Request, Stage};
use super::protocol::{
    ArenaSample, Kinds, Loaded, LoadedModel, Mark, ModelJob, ServiceJob, StageSample,
    TouchedSample, Warm, WaveSample,
};
use super::schedule::{BLOCK_SECONDS, HELD_WAVES};
use super::sessions::{Gate, Sessions};
use super::subject::Subject;
use super::{counting, session};
use crate::files;
use crate::model::mix;
use crate::model::sample::median;
use crate::units::{Bytes, Seconds};

/// ONNX Runtime's first run of a shape traces its allocations, the second plans them; the third
/// is as all later ones.
const WARM_UP_REQUESTS: usize = 3;

/// The largest file that a session is made of in memory.
const MOST_BYTES: Bytes = Bytes::mib(1 << 20);

/// A block is no more than this many waves, however short they are.
const MAX_WAVES: u32 = 50;

/// The mark is flat when this many blocks in a row have raised it by less than [`FLAT`].
const FLAT_BLOCKS: usize = 3;
const FLAT: f64 = 0.005;

/// Loops of the stages at the least, so that there is a median.
const MIN_LOOPS: usize = 5;

/// Loops through the stages at the most: what is noted of each is resident in the process that is
/// measured, and a stage may take a microsecond.
const MAX_LOOPS: usize = 500;

/// A service that runs in this process.
pub struct Service {
    job: ServiceJob,
    environment: Option<Environment>,
    /// What a server process takes beside the models.
    program: Vec<u8>,
    gate: Gate,
    pipeline: Arc<Pipeline>,
    crew: Crew,
    /// One request alone, a kind at a time; 0 where it was not served yet.
    kind_seconds: Vec<f64>,
    arena_per_run: Vec<Bytes>,
    /// Found when the service is warm.
    crests: Arc<Crests>,
}

impl Service {
    /// Nothing is loaded before [`Subject::load`].
    pub fn new(job: ServiceJob) -> Self {
        let pipeline = Pipeline {
            models: job.models.iter().map(|_| None).collect(),
            kinds: job.kinds.clone(),
            images: job.images.clone(),
            heatmap_edge: job.heatmap_edge,
            served: AtomicU64::new(0),
        };
        Self {
            gate: Gate::new(job.sharing),
            job,
            environment: None,
            program: Vec::new(),
            pipeline: Arc::new(pipeline),
            crew: Crew::new(),
            kind_seconds: Vec::new(),
            arena_per_run: Vec::new(),
            crests: Arc::default(),
        }
    }

    /// Loads the models that are lazy, or those that are not.
    fn load_models(&mut self, lazy: bool) -> anyhow::Result<Vec<LoadedModel>> {
        let mut models = self.pipeline.models.clone();
        let mut loaded = Vec::new();
        for (slot, job) in models.iter_mut().zip(&self.job.models) {
            if job.lazy == lazy {
                let (model, sample) = self.load_model(job)?;
                *slot = Some(Arc::new(model));
                loaded.push(sample);
            }
        }
        self.pipeline = Arc::new(Pipeline {
            models,
            kinds: self.job.kinds.clone(),
            images: self.job.images.clone(),
            heatmap_edge: self.job.heatmap_edge,
            served: AtomicU64::new(self.pipeline.served.load(Ordering::Relaxed)),
        });
        Ok(loaded)
    }

    fn load_model(&self, model: &ModelJob) -> anyhow::Result<(Model, LoadedModel)> {
        let environment = self.environment.as_ref().ok_or_else(|| anyhow!("no runtime"))?;
        memory::reset_high_water()?;
        let is_watched = memory::forget_touched(Process::This).is_ok();
        let begun = Instant::now();
        let read = || files::read(&model.path, MOST_BYTES);
        let bytes = model
            .from_bytes
            .then(read)
            .transpose()
            .with_context(|| format!("cannot read {}", model.path.display()))?;
        let settings = &self.job.settings;
        let open = || session::open_model(environment, model, settings, bytes.as_deref());
        let (first, outputs) = open()?;
        let mut sessions = vec![first];
        for _ in 1..self.job.sharing.sessions() {
            sessions.push(open()?.0);
        }
        let session = Sessions::new(sessions, &self.gate);
        let seconds = begun.elapsed().into();
        let peak = memory::resident()?.high_water;
        // Weights are read once while they are loaded, and can be dropped then.
        let touched = touched_files().filter(|_| is_watched).map(|touched| touched.code());
        memory::small_pages_of_data();
        let open = Model {
            name: model.name.clone(),
            session,
            inputs: model.inputs.clone(),
            outputs,
            bytes,
        };
        Ok((open, LoadedModel { seconds, peak, after: mark()?, touched }))
    }

    /// Of every session of each model; none where it is not loaded.
    fn arenas(&self) -> anyhow::Result<Vec<Vec<ArenaStats>>> {
        let sessions = |model: &Option<Arc<Model>>| {
            let arena = |s: &SharedSession| s.arena().map_err(|e| anyhow!("{}", e.message()));
            model.iter().flat_map(|m| m.session.all()).map(arena).collect()
        };
        self.pipeline.models.iter().map(sessions).collect()
    }

    /// Serves single requests of every kind that can be served until the sessions of this number
    /// have settled. The sessions of smaller numbers are kept busy meanwhile, so that the requests
    /// get these.
    fn warm_sessions(&mut self, number: u32) -> anyhow::Result<()> {
        let gate = self.gate.clone();
        let _busy: Vec<_> = (0..number).map(|_| gate.enter()).collect();
        for kind in self.pipeline.served_kinds() {
            let one: Arc<[usize]> = Arc::new([kind]);
            for _ in 0..WARM_UP_REQUESTS {
                let begun = Instant::now();
                self.block(&one, 1)?;
                self.kind_seconds[kind] = begun.elapsed().as_secs_f64();
            }
        }
        Ok(())
    }

    /// The kind of each request of a wave. A request of one number is of the same kind each time,
    /// as far as the shares allow: its thread has the heap for it.
    fn kinds(&self, concurrency: u32, kinds: Kinds) -> Arc<[usize]> {
        match kinds {
            Kinds::Only(kind) => std::iter::repeat_n(kind, concurrency as usize).collect(),
            Kinds::Mixed => {
                let shares: Vec<f64> = self.job.kinds.iter().map(|k| k.share).collect();
                let counts = mix::whole_requests(&shares, concurrency);
                let each = |(kind, &count)| std::iter::repeat_n(kind, count as usize);
                counts.iter().enumerate().flat_map(each).collect()
            }
        }
    }

    /// Waves of whole requests that start together and then run as they do in a service.
    fn block(&mut self, kinds: &Arc<[usize]>, waves: u32) -> anyhow::Result<()> {
        let barrier = Barrier::new(kinds.len());
        let (pipeline, kinds) = (Arc::clone(&self.pipeline), Arc::clone(kinds));
        self.crew.together(kinds.len(), move |index| {
            let mut result = Ok(());
            for _ in 0..waves {
                barrier.wait();
                if result.is_ok() {
                    result = pipeline.serve(index, kinds[index]).map(drop);
                }
            }
            result
        })
    }

    /// What the waves before this have touched of code, and one more wave of data.
    fn touched(&mut self, kinds: &Arc<[usize]>) -> anyhow::Result<Option<TouchedSample>> {
        let Some(before) = touched_files() else { return Ok(None) };
        memory::forget_touched(Process::This)?;
        self.block(kinds, 1)?;
        let data = touched_files().map_or_else(|| before.data(), |touched| touched.data());
        Ok(Some(TouchedSample { code: before.code(), data }))
    }

    fn stage_sample(&self, stage: Stage, readings: &[Reading]) -> StageSample {
        let arena = match stage {
            Stage::Infer(i) => self.arena_per_run.get(i).copied().unwrap_or_default(),
            _ => Bytes::ZERO,
        };
        StageSample {
            name: self.pipeline.stage_name(stage),
            ram: readings.iter().map(|r| r.0).max().unwrap_or_default() + arena,
            cpu: Seconds::new(median(readings.iter().map(|r| r.1))),
            wall: Seconds::new(median(readings.iter().map(|r| r.2))),
        }
    }

    fn waves_per_block(&self, kinds: &[usize]) -> u32 {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let seconds: f64 = kinds.iter().filter_map(|&k| self.kind_seconds.get(k)).sum();
        #[expect(clippy::cast_precision_loss, reason = "a small number of cores")]
        let wave = seconds / kinds.len().min(cores).max(1) as f64;
        (1..MAX_WAVES).find(|&n| wave * f64::from(n) >= BLOCK_SECONDS).unwrap_or(MAX_WAVES)
    }
}

impl Subject for Service {
    fn load(&mut self) -> anyhow::Result<Loaded> {
        self.program = taken(self.job.program_bytes);
        let start = mark()?;
        self.environment = Some(session::open_runtime(&self.job.library)?);
        let runtime = mark()?;
        let models = self.load_models(false)?;
        Ok(Loaded { start, runtime, models })
    }

    fn load_lazy(&mut self) -> anyhow::Result<Vec<LoadedModel>> {
        self.load_models(true)
    }

    fn warm_up(&mut self) -> anyhow::Result<Warm> {
        let before = self.arenas()?;
        self.kind_seconds.resize(self.job.kinds.len(), 0.0);
        for number in 0..self.job.sharing.sessions() {
            self.warm_sessions(number)?;
        }
        self.find_crests()?;
        let first = self.kind_seconds.iter().copied().find(|s| *s > 0.0).unwrap_or_default();
        let request_seconds = Seconds::new(first);
        let arenas = self.arenas()?;
        self.arena_per_run =
            arenas.iter().zip(&before).map(|(now, idle)| most_of_a_run(now, idle)).collect();
        let all = || arenas.iter().flatten();
        let arena = self.job.settings.arena.then(|| ArenaSample {
            in_use: all().map(|a| a.in_use).sum(),
            per_run: self.arena_per_run.iter().copied().sum(),
            max_in_use: all().map(|a| a.max_in_use).sum(),
        });
        Ok(Warm { after: mark()?, request_seconds, arena, heap: counting::heap_in_use() })
    }

    fn stages(&mut self, budget: Seconds, kind: usize) -> anyhow::Result<Vec<StageSample>> {
        let (send, samples) = mpsc::channel();
        let pipeline = Arc::clone(&self.pipeline);
        self.crew.together(1, move |_| {
            let samples = stage_samples(&pipeline, budget, kind)?;
            send.send(samples).map_err(|_| anyhow!("nobody waits for the stages"))
        })?;
        Ok(self
            .pipeline
            .stages_of(kind)
            .iter()
            .zip(samples.recv()?)
            .map(|(stage, samples)| self.stage_sample(*stage, &samples))
            .collect())
    }

    fn waves(
        &mut self,
        concurrency: u32,
        max_blocks: u32,
        kinds: Kinds,
    ) -> anyhow::Result<WaveSample> {
        let kinds = self.kinds(concurrency, kinds);
        memory::reset_high_water()?;
        for wave in 0..HELD_WAVES {
            self.staged_wave(&kinds, wave)?;
        }
        let mut marks = vec![memory::resident()?.high_water];
        let is_watched = memory::forget_touched(Process::This).is_ok();
        let waves = self.waves_per_block(&kinds);
        let (mut wall, mut cpu) = (0.0, 0.0);
        let mut blocks = 0;
        let flat = loop {
            let (begun, clock) = (Instant::now(), memory::process_cpu());
            self.block(&kinds, waves)?;
            wall += begun.elapsed().as_secs_f64();
            cpu += memory::process_cpu().get() - clock.get();
            blocks += 1;
            marks.push(memory::resident()?.high_water);
            let flat = is_flat(&marks);
            if blocks >= max_blocks || (flat && marks.len() > FLAT_BLOCKS) {
                break flat;
            }
        };
        let peak = memory::resident()?.high_water;
        let touched = if is_watched { self.touched(&kinds)? } else { None };
        Ok(WaveSample {
            peak,
            after: mark()?,
            flat,
            requests: concurrency * waves * blocks,
            wall: Seconds::new(wall),
            cpu: Seconds::new(cpu),
            touched,
        })
    }

    fn cold_burst(&mut self, concurrency: u32) -> anyhow::Result<WaveSample> {
        let kinds = self.kinds(concurrency, Kinds::Mixed);
        memory::reset_high_water()?;
        let (begun, clock) = (Instant::now(), memory::process_cpu());
        self.staged_wave(&kinds, 0)?;
        Ok(WaveSample {
            peak: memory::resident()?.high_water,
            after: mark()?,
            flat: false,
            requests: concurrency,
            wall: begun.elapsed().into(),
            cpu: Seconds::new(memory::process_cpu().get() - clock.get()),
            touched: None,
        })
    }

    fn drive(&mut self, load: Load) -> anyhow::Result<Vec<Answered>> {
        let pipeline = Arc::clone(&self.pipeline);
        let shares: Vec<f64> = self.job.kinds.iter().map(|k| k.share).collect();
        drive(&mut self.crew, load, &shares, move |index, kind| {
            pipeline.serve(index, kind).map(drop)
        })
    }

    fn idle(&mut self) -> anyhow::Result<Mark> {
        mark()
    }
}

/// Height of the Rust side, CPU time and elapsed time of one stage.
type Reading = (Bytes, f64, f64);

/// Takes requests through the stages, one after the other, for about `budget` at the most.
fn stage_samples(
    pipeline: &Pipeline,
    budget: Seconds,
    kind: usize,
) -> anyhow::Result<Vec<Vec<Reading>>> {
    let stages = pipeline.stages_of(kind);
    let mut samples = vec![Vec::with_capacity(MAX_LOOPS); stages.len()];
    let begun = Instant::now();
    let is_time = || begun.elapsed().as_secs_f64() < budget.get();
    while samples[0].len() < MIN_LOOPS || is_time() && samples[0].len() < MAX_LOOPS {
        let mut request = Request::of_kind(kind);
        for (stage, samples) in stages.iter().zip(&mut samples) {
            counting::reset_peak();
            let live = counting::live();
            let (cpu, wall) = (memory::process_cpu(), Instant::now());
            pipeline.step(*stage, 0, &mut request)?;
            let wall = wall.elapsed().as_secs_f64();
            let cpu = memory::process_cpu().get() - cpu.get();
            samples.push((counting::peak().saturating_sub(live), cpu, wall));
        }
    }
    Ok(samples)
}

/// Memory in which every page is another one.
fn taken(bytes: Bytes) -> Vec<u8> {
    let mut taken = vec![0; usize::try_from(bytes.get()).unwrap_or(usize::MAX)];
    for (page, first) in (1_u64..).zip(taken.chunks_mut(4096)) {
        let (number, _) = first.split_at_mut(first.len().min(8));
        number.copy_from_slice(&page.to_ne_bytes()[..number.len()]);
    }
    taken
}

fn touched_files() -> Option<Touched> {
    memory::touched(Process::This).ok()
}

/// The most that one run asked of the arena of a model's session.
fn most_of_a_run(now: &[ArenaStats], idle: &[ArenaStats]) -> Bytes {
    let runs = now.iter().zip(idle).map(|(now, idle)| now.max_in_use.saturating_sub(idle.in_use));
    runs.max().unwrap_or_default()
}

fn mark() -> anyhow::Result<Mark> {
    let resident = memory::resident()?;
    Ok(Mark { total: resident.total, file: resident.file, kernel: memory::kernel_share(&resident) })
}

/// Whether the last [`FLAT_BLOCKS`] blocks raised the mark by less than [`FLAT`], or as many as there
/// were; the first mark is the one before them.
fn is_flat(marks: &[Bytes]) -> bool {
    let [.., now] = marks else { return false };
    let before = marks[marks.len().saturating_sub(FLAT_BLOCKS + 1)];
    marks.len() > 1 && now.as_f64() <= before.as_f64() * (1.0 + FLAT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_means_that_the_last_three_blocks_did_not_raise_the_mark() {
        let marks = |mib: &[u64]| mib.iter().map(|&m| Bytes::mib(m)).collect::<Vec<_>>();
        assert!(!is_flat(&marks(&[])) && !is_flat(&marks(&[100])), "no block was made");
        assert!(is_flat(&marks(&[100, 100])), "one block that raised nothing");
        assert!(!is_flat(&marks(&[100, 101])));
        assert!(is_flat(&marks(&[1000, 1000, 1000, 1004])));
        assert!(!is_flat(&marks(&[1000, 1000, 1000, 1006])));
        assert!(is_flat(&marks(&[500, 1000, 1000, 1000, 1000])));
    }
}
