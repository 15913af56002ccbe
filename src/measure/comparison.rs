//! The same service in other topologies: which trials tell their costs apart, and running them.
//!
//! One and two sessions, or workers, are measured, and four of them are predicted; the check then
//! runs four. What a topology has in common with the one that was measured already is not
//! measured again: a lock and a pool of one are the same thing, as are one worker and `shared`.

use super::assemble;
use super::campaign::ChildRecord;
use super::child::{Bounds, ChildError};
use super::group::Group;
use super::interrupt::Interrupt;
use super::protocol::{Command, Job, Kinds, Reply};
use super::schedule::{BLOCK_SECONDS, Errand, HELD_OUT};
use crate::footprint::{Copies, Footprint, Inside, Killed, Sharing, Topology, TopologyRun};
use crate::units::{Bytes, Seconds};

/// Children of each topology that a prediction is made from: with fewer, one that loading left
/// in an unusual state decides.
const CHILDREN: usize = 3;
/// The same where the budget does not allow more.
const FEW_CHILDREN: usize = 2;
/// Children that check a prediction.
const CHECKS: usize = 3;
/// The same where the budget does not allow more.
const FEW_CHECKS: usize = 1;

/// Blocks of waves at the most.
const BLOCKS: u32 = 4;

/// No trial may take more than this share of the RAM that is free.
const ROOM: f64 = 0.8;

/// Waves of the children that predictions are made from.
const LADDER: [u32; 4] = [1, 2, 4, 8];

/// A family of topologies that can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// One `Run` at a time.
    Serial,
    /// Sessions, one request in each.
    Pool,
    /// Processes.
    Workers,
}

/// One topology to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// Which.
    pub topology: Topology,
    /// Requests in flight, wave after wave.
    pub waves: Vec<u32>,
    /// Processes, or groups of workers, one after the other.
    pub children: usize,
    /// Whether it checks what is predicted from the others.
    pub is_check: bool,
}

/// How a comparison ended.
#[derive(Debug)]
pub enum Compared {
    /// All trials are done.
    Complete,
    /// The user stopped it.
    Interrupted,
    /// A child could not do its work.
    Failed(anyhow::Error),
}

/// Trials to be run of one service.
pub struct Comparison<'a> {
    /// What is measured, in each process.
    pub job: &'a Job,
    /// What the service costs in the topology that was measured.
    pub footprint: &'a Footprint,
    /// How long it may take.
    pub budget: Seconds,
    /// RAM that is free; 0 where that is not known.
    pub available: Bytes,
    /// Asked for an end.
    pub interrupt: &'a Interrupt,
    /// Told before each child: what is measured.
    pub tell: &'a dyn Fn(&str),
}

/// What makes two topologies one: processes, and what happens in each.
fn kind(topology: Topology) -> (u32, Sharing) {
    (topology.processes(), topology.sharing())
}

impl Comparison<'_> {
    /// The trials that these families need and `footprint` does not have yet: as many children as
    /// the budget allows.
    pub fn trials(&self, families: &[Family]) -> Vec<Trial> {
        let all = self.with_children(families, CHILDREN, CHECKS);
        if self.expected(&all) <= self.budget {
            return all;
        }
        self.with_children(families, FEW_CHILDREN, FEW_CHECKS)
    }

    fn with_children(&self, families: &[Family], children: usize, checks: usize) -> Vec<Trial> {
        let mut trials: Vec<Trial> = Vec::new();
        let known = |topology| {
            let own = [self.footprint.topology];
            let run = self.footprint.runs.iter().map(|r| r.topology);
            own.into_iter().chain(run).any(|t| kind(t) == kind(topology))
        };
        let mut add = |topology: Topology, waves: Vec<u32>, is_check: bool| {
            if !known(topology) && !trials.iter().any(|t| kind(t.topology) == kind(topology)) {
                let children = if is_check { checks } else { children };
                trials.push(Trial { topology, waves, children, is_check });
            }
        };
        let ladder = |least: u32| LADDER.map(|n| n * least).to_vec();
        for family in families {
            match family {
                Family::Serial => add(Topology::Serial, ladder(1), false),
                Family::Pool => {
                    add(Topology::Pool(Copies::ONE), ladder(1), false);
                    add(Topology::Pool(Copies::TWO), ladder(1), false);
                    add(Topology::Pool(Copies::FOUR), vec![HELD_OUT], true);
                }
                Family::Workers => {
                    add(Topology::Shared, ladder(1), false);
                    add(Topology::Workers(Copies::TWO, Inside::Shared), ladder(2), false);
                    add(Topology::Workers(Copies::FOUR, Inside::Shared), vec![HELD_OUT], true);
                }
            }
        }
        // What predicts comes before what is predicted.
        trials.sort_by_key(|t| t.is_check);
        trials
    }

    /// How long these trials take, as far as can be known before.
    pub fn expected(&self, trials: &[Trial]) -> Seconds {
        let seconds = trials.iter().map(|t| self.child_seconds(t) * count(t.children)).sum();
        Seconds::new(seconds)
    }

    fn child_seconds(&self, trial: &Trial) -> f64 {
        let footprint = self.footprint;
        let cores = f64::from(footprint.environment.cores).max(1.0);
        let loading: f64 = footprint.models.iter().map(|m| m.load_seconds.get()).sum();
        let own = f64::from(footprint.topology.copies());
        let request = footprint.wall_seconds.typical().get();
        let copies = f64::from(trial.topology.copies());
        let processes = f64::from(trial.topology.processes());
        let at_once = processes.min(cores);
        let in_run = trial.topology.sharing().most_in_run().map_or(cores, f64::from) * processes;
        let wave =
            |n: &u32| (request * f64::from(*n) / f64::from(*n).min(cores).min(in_run)).max(0.001);
        let block = |n: &u32| wave(n) + f64::from(BLOCKS) * wave(n).max(BLOCK_SECONDS);
        let start = copies * (loading / own + 3.0 * request) / at_once;
        start + trial.waves.iter().map(block).sum::<f64>()
    }

    /// Whether there is RAM for a trial: as many copies of the warm service as it has, and its
    /// requests.
    pub fn has_room(&self, trial: &Trial) -> bool {
        let footprint = self.footprint;
        let peak = footprint.points.iter().max_by_key(|p| p.concurrency);
        let warm = footprint.marks.warm_bytes;
        let request = peak.map_or(0.0, |p| {
            p.peak_bytes.saturating_sub(warm).as_f64() / f64::from(p.concurrency.max(1))
        });
        let most = trial.waves.iter().copied().max().unwrap_or(0);
        let own = f64::from(footprint.topology.copies());
        let need =
            warm.as_f64() / own * f64::from(trial.topology.copies()) + request * f64::from(most);
        self.available == Bytes::ZERO || need <= self.available.as_f64() * ROOM
    }

    /// Runs the trials one after the other and adds what each gave to `runs`. A child that is
    /// killed is a result: what was measured before it counts.
    pub fn run(&self, trials: &[Trial], runs: &mut Vec<TopologyRun>) -> Compared {
        for trial in trials {
            let mut children = Vec::new();
            while children.len() < trial.children {
                let (number, of) = (children.len() + 1, trial.children);
                (self.tell)(&format!("{}, {number} of {of}", trial.topology));
                match self.child(trial, children.len()) {
                    Ok(child) => {
                        let killed = child.killed.is_some();
                        children.push(child);
                        if killed {
                            break;
                        }
                    }
                    Err(ChildError::Interrupted) => return Compared::Interrupted,
                    Err(ChildError::Killed { signal }) => {
                        runs.push(assemble::killed_while_loading(trial.topology, signal));
                        break;
                    }
                    Err(error) => return Compared::Failed(error.into()),
                }
            }
            if !children.is_empty() {
                runs.push(assemble::run(trial.topology, &children));
            }
        }
        Compared::Complete
    }

    fn child(&self, trial: &Trial, index: usize) -> Result<ChildRecord, ChildError> {
        let job = self.job.clone().in_topology(trial.topology);
        let number = u32::try_from(index).unwrap_or(u32::MAX);
        let processes = trial.topology.processes();
        let bounds = Bounds::of_time(self.budget, Seconds::new(self.child_seconds(trial)));
        let mut group = Group::start(&job, processes, number, bounds, self.interrupt)?;
        let Reply::Loaded(loaded) = group.ask(Command::Load)? else { return Err(confused()) };
        let Reply::Warm(warm) = group.ask(Command::WarmUp)? else { return Err(confused()) };
        let mut record = ChildRecord {
            errand: if trial.is_check { Errand::Check } else { Errand::Ladder },
            child: number,
            loaded,
            warm: Some(warm),
            stages: Vec::new(),
            waves: Vec::new(),
            at_random: Vec::new(),
            idle: None,
            lazy: None,
            no_room: None,
            killed: None,
        };
        for &concurrency in &trial.waves {
            match group.ask(Command::Waves { concurrency, max_blocks: BLOCKS, kinds: Kinds::Mixed })
            {
                Ok(Reply::Waves(wave)) => record.waves.push((concurrency, wave)),
                Ok(_) => return Err(confused()),
                Err(ChildError::Killed { signal }) => {
                    record.killed = Some(Killed { concurrency, signal });
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(record)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a handful of children")]
const fn count(n: usize) -> f64 {
    n as f64
}

fn confused() -> ChildError {
    ChildError::Failed("the measured process gave a reply that does not match the command".into())
}
