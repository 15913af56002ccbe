//! Waves in which all requests hold the most of each stage at the same time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::anyhow;

use super::Service;
use crate::measure::crest::{Crest, Curve};
use crate::measure::pipeline::{Pipeline, Request, Stage};
use crate::measure::{counting, hold};
use crate::units::Bytes;

/// Lone requests that are watched for this long, so that there is a median.
const WATCHED_SECONDS: f64 = 0.3;
/// And no more than this many.
const MOST_WATCHED: usize = 5;

/// By how much of the time to its crest the next wave stops a request before it.
const EARLIER: f64 = 0.15;

/// When each stage of each kind of request holds the most, where that is known.
#[derive(Debug, Default)]
pub struct Crests(Vec<(usize, Stage, Crest)>);

impl Crests {
    /// The same, each earlier by this share of its time.
    fn earlier(&self, share: f64) -> Self {
        let sooner = |crest: Crest| Crest { at: crest.at.mul_f64(1.0 - share), ..crest };
        Self(self.0.iter().map(|&(kind, stage, crest)| (kind, stage, sooner(crest))).collect())
    }

    /// Of a stage of a kind of request.
    pub fn of(&self, kind: usize, stage: Stage) -> Option<Crest> {
        let found = self.0.iter().find(|(k, s, _)| (*k, *s) == (kind, stage));
        found.map(|(_, _, crest)| *crest)
    }

    /// Whether requests of a kind are stopped in this stage. A run always is, at its begin where
    /// nothing better is known: the arena is made there.
    fn stops(&self, pipeline: &Pipeline, kind: usize, stage: Stage) -> bool {
        match stage {
            Stage::Infer(place) => pipeline.runs(kind, place),
            _ => self.of(kind, stage).is_some(),
        }
    }

    /// What the leader of a wave announces before each stage.
    fn expect(
        &self,
        pipeline: &Pipeline,
        stage: Stage,
        kinds: &[usize],
        most_in_run: Option<u32>,
    ) -> anyhow::Result<()> {
        let stopped = kinds.iter().filter(|&&kind| self.stops(pipeline, kind, stage)).count();
        let most = match stage {
            Stage::Infer(_) => most_in_run.map_or(usize::MAX, |most| most as usize),
            _ => usize::MAX,
        };
        let alone = kinds.iter().filter_map(|&kind| self.of(kind, stage)).map(|c| c.alone).max();
        hold::expect(stopped.min(most), alone.unwrap_or_default())
            .map_err(|e| anyhow!("a request cannot be stopped: {e}"))
    }
}

impl Service {
    /// One wave in which all requests reach each stage together, and are held in it until all are
    /// where they hold the most: the most that N requests can hold at once. See [`hold`]. Of several
    /// waves each is a little earlier than the one before, for runs that are over sooner than those
    /// that were watched.
    pub(super) fn staged_wave(&mut self, kinds: &Arc<[usize]>, wave: u32) -> anyhow::Result<()> {
        let barrier = Barrier::new(kinds.len());
        let (pipeline, kinds) = (Arc::clone(&self.pipeline), Arc::clone(kinds));
        let crests = self.crests.earlier(EARLIER * f64::from(wave));
        let most_in_run = self.job.sharing.most_in_run();
        self.crew.together(kinds.len(), move |index| {
            let mut request = Request::of_kind(kinds[index]).held_at(&crests);
            let mut result = Ok(());
            for stage in pipeline.stages() {
                // A request that failed still waits, or the others would wait for ever.
                if barrier.wait().is_leader() {
                    let announced = crests.expect(&pipeline, stage, &kinds, most_in_run);
                    result = result.and(announced);
                }
                barrier.wait();
                if result.is_ok() {
                    result = pipeline.step(stage, index, &mut request);
                }
            }
            barrier.wait();
            result
        })
    }

    /// Watches lone requests of every kind that can be served.
    pub(super) fn find_crests(&mut self) -> anyhow::Result<()> {
        let mut crests = Vec::new();
        for kind in self.pipeline.served_kinds() {
            let expected = self.kind_seconds.get(kind).copied().unwrap_or_default();
            let begun = Instant::now();
            let mut seen: Vec<Vec<(Stage, Crest)>> = Vec::new();
            while seen.len() < MOST_WATCHED
                && (seen.is_empty() || begun.elapsed().as_secs_f64() < WATCHED_SECONDS)
            {
                seen.push(self.watch_one(kind, Duration::from_secs_f64(expected))?);
            }
            for stage in self.pipeline.stages_of(kind) {
                let of_it = seen.iter().flatten().filter(|(s, _)| *s == stage);
                if let Some(crest) = middle(of_it.map(|(_, crest)| *crest).collect()) {
                    crests.push((kind, stage, crest));
                }
            }
        }
        self.crests = Arc::new(Crests(crests));
        Ok(())
    }

    /// One request through all stages, and what was held meanwhile.
    fn watch_one(
        &mut self,
        kind: usize,
        expected: Duration,
    ) -> anyhow::Result<Vec<(Stage, Crest)>> {
        let pipeline = Arc::clone(&self.pipeline);
        let is_over = AtomicBool::new(false);
        let begins = Barrier::new(2);
        let told = Arc::new(Mutex::new((Vec::new(), Curve::default())));
        let teller = Arc::clone(&told);
        let has_arena = self.job.settings.arena;
        self.crew.together(2, move |index| {
            let tell = || teller.lock().unwrap_or_else(PoisonError::into_inner);
            if index == 1 {
                let mut curve = Curve::new();
                begins.wait();
                curve.watch(&is_over, expected, || held_now(&pipeline, has_arena))?;
                tell().1 = curve;
                return Ok(());
            }
            begins.wait();
            let times = times_of_stages(&pipeline, kind);
            is_over.store(true, Ordering::Release);
            tell().0 = times?;
            Ok(())
        })?;
        let told = told.lock().unwrap_or_else(PoisonError::into_inner);
        let crest = |&(stage, begun, alone)| Some((stage, told.1.crest(begun, alone)?));
        Ok(told.0.iter().filter_map(crest).collect())
    }
}

/// Begin and length of each stage of one request.
fn times_of_stages(
    pipeline: &Pipeline,
    kind: usize,
) -> anyhow::Result<Vec<(Stage, Instant, Duration)>> {
    let mut request = Request::of_kind(kind);
    let timed = |stage| {
        let begun = Instant::now();
        pipeline.step(stage, 0, &mut request)?;
        Ok((stage, begun, begun.elapsed()))
    };
    pipeline.stages_of(kind).into_iter().map(timed).collect()
}

/// What the Rust side and the runs hold.
fn held_now(pipeline: &Pipeline, has_arena: bool) -> anyhow::Result<Bytes> {
    if !has_arena {
        return Ok(counting::heap_in_use().unwrap_or_else(counting::live));
    }
    let mut held = counting::live();
    for session in pipeline.models.iter().flatten().flat_map(|model| model.session.all()) {
        held += session.arena().map_err(|e| anyhow!("{}", e.message()))?.in_use;
    }
    Ok(held)
}

/// The one in the middle by the share of the stage at which it is.
fn middle(mut crests: Vec<Crest>) -> Option<Crest> {
    let share = |c: &Crest| c.at.as_secs_f64() / c.alone.as_secs_f64();
    crests.sort_by(|a, b| share(a).total_cmp(&share(b)));
    crests.get(crests.len() / 2).copied()
}
