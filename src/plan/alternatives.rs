//! What the same service costs in other topologies: from runs of one and two sessions or workers
//! where there are any, else as far as can be told from one process, which is then assumed.

use super::build::Models;
use super::{Alternative, Question, TopologyCheck};
use crate::footprint::{Copies, Footprint, Inside, Point, Sharing, Topology, TopologyRun};
use crate::model::{CpuModel, PoolModel, Trial, WorkersModel, sample};
use crate::units::{Bytes, Rate, Seconds, Source, Span};

/// The topologies that are compared, where they can be told. Four is what `gunicorn --workers 4`
/// and its kin start.
const COMPARED: [Topology; 6] = [
    Topology::Shared,
    Topology::Serial,
    Topology::Pool(Copies::TWO),
    Topology::Pool(Copies::FOUR),
    Topology::Workers(Copies::TWO, Inside::Shared),
    Topology::Workers(Copies::FOUR, Inside::Shared),
];

/// The topology that is derived where no other was run.
const DERIVED: Topology = Topology::Workers(Copies::FOUR, Inside::Shared);

/// What runs of several topologies tell apart.
pub(super) struct Costs {
    pub pool: Option<PoolModel>,
    pub workers: Option<WorkersModel>,
}

/// A topology's points, whether they check what others predict, and the heap in use.
type Points<'a> = (Topology, &'a [Point], bool, Option<Bytes>);

impl Costs {
    /// From all that was run.
    pub fn of(footprint: &Footprint) -> Self {
        if footprint.live.is_some() {
            // Its processes were all in one measurement, and how else it could run is its own affair.
            return Self { pool: None, workers: None };
        }
        Self::from(&everything(footprint).collect::<Vec<_>>())
    }

    /// From all but the checks.
    fn unchecked(footprint: &Footprint) -> Self {
        Self::from(
            &everything(footprint).filter(|(_, _, is_check, _)| !is_check).collect::<Vec<_>>(),
        )
    }

    fn from(all: &[Points<'_>]) -> Self {
        let pool = trials(
            all,
            |p| p.peak_bytes,
            |topology| {
                let exclusive = matches!(topology.sharing(), Sharing::Exclusive(_));
                exclusive && topology.processes() == 1
            },
        );
        let shared = |topology: Topology| topology.sharing() == Sharing::Shared;
        let workers = trials(all, |p| p.anon_bytes, shared);
        let files = all
            .iter()
            .filter(|(topology, ..)| shared(*topology))
            .flat_map(|(_, points, ..)| points.iter().map(|p| p.file_bytes.as_f64()));
        // One worker says nothing of what two share.
        let workers = workers.iter().any(|t| t.copies > 1).then_some(workers);
        Self {
            pool: PoolModel::fit(&pool).ok(),
            workers: workers.and_then(|workers| {
                WorkersModel::fit(&workers, Bytes::from_f64(sample::median(files))).ok()
            }),
        }
    }

    /// Bytes with `n` requests in flight, where the runs tell.
    fn total(&self, topology: Topology, n: u32) -> Option<Span<Bytes>> {
        match topology.sharing() {
            Sharing::Exclusive(_) if topology.processes() == 1 => {
                Some(self.pool.as_ref()?.total(topology.copies(), n))
            }
            Sharing::Exclusive(_) => None,
            Sharing::Shared => Some(self.workers.as_ref()?.total(topology.processes(), n)),
        }
    }
}

/// The footprint's own points, and those of each run.
fn everything(footprint: &Footprint) -> impl Iterator<Item = Points<'_>> {
    let own = (footprint.topology, footprint.points.as_slice(), false, footprint.heap_bytes);
    let runs =
        footprint.runs.iter().map(|r| (r.topology, r.points.as_slice(), is_check(r), r.heap_bytes));
    std::iter::once(own).chain(runs)
}

fn is_check(run: &TopologyRun) -> bool {
    run.points.iter().all(|p| p.held_out)
}

/// The peaks of each process, or group of workers, of some topologies.
fn trials(
    all: &[Points<'_>],
    bytes: fn(&Point) -> Bytes,
    is_wanted: impl Fn(Topology) -> bool,
) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (topology, points, _, heap) in all.iter().filter(|(topology, ..)| is_wanted(*topology)) {
        let mut children: Vec<u32> = points.iter().map(|p| p.repeat).collect();
        children.sort_unstable();
        children.dedup();
        trials.extend(children.into_iter().map(|child| {
            Trial {
                copies: topology.copies(),
                heap: *heap,
                peaks: points
                    .iter()
                    .filter(|p| p.repeat == child)
                    .map(|p| (p.concurrency, bytes(p)))
                    .collect(),
            }
        }));
    }
    trials
}

/// Those that can be told, without the footprint's own.
pub(super) fn alternatives(
    footprint: &Footprint,
    models: &Models,
    costs: &Costs,
    question: &Question,
    design: u32,
) -> Vec<Alternative> {
    let own = footprint.topology;
    let is_own = |t: &Topology| (t.processes(), t.sharing()) == (own.processes(), own.sharing());
    let unchecked = Costs::unchecked(footprint);
    COMPARED
        .iter()
        .filter(|t| !is_own(t))
        .filter_map(|&topology| {
            Some(Alternative {
                topology: topology.to_string(),
                total: costs
                    .total(topology, design)
                    .or_else(|| derived(footprint, models, topology, design))?,
                instead_of: models.resident.total(design),
                throughput: throughput(footprint, topology, question),
                check: run_of(footprint, topology).and_then(|run| checked(&unchecked, run)),
            })
        })
        .collect()
}

/// Processes that share nothing but files, each as the one that was measured.
fn derived(
    footprint: &Footprint,
    models: &Models,
    topology: Topology,
    design: u32,
) -> Option<Span<Bytes>> {
    // How often a service that runs by itself can be started is not known.
    let is_live = footprint.live.is_some();
    if topology != DERIVED || footprint.topology != Topology::Shared || is_live {
        return None;
    }
    let files = footprint.points.iter().map(|p| p.file_bytes).min().unwrap_or_default();
    Some(models.resident.workers(topology.processes(), design, files))
}

fn run_of(footprint: &Footprint, topology: Topology) -> Option<&TopologyRun> {
    let kind = |t: Topology| (t.processes(), t.sharing());
    footprint.runs.iter().find(|run| kind(run.topology) == kind(topology))
}

/// Requests a second: on the CPUs that were asked about, else what the run reached where it was
/// measured.
fn throughput(
    footprint: &Footprint,
    topology: Topology,
    question: &Question,
) -> Option<Span<Rate>> {
    let run = run_of(footprint, topology);
    match question.cpus {
        Some(cpus) => {
            let cpu = run.map_or(footprint.cpu_seconds, |r| r.cpu_seconds);
            // A run that was killed at its first wave has no CPU time to tell.
            (cpu.typical() > Seconds::ZERO)
                .then(|| cpu_model(footprint, topology, cpu).throughput(cpus))
        }
        None => {
            let largest = run?.throughput.iter().max_by_key(|t| t.concurrency)?;
            Some(Span::exact(largest.rps, Source::Measured))
        }
    }
}

/// What the measuring machine did on all of its CPUs, as a share of as many times what it did on one;
/// `None` where it has one, or that was not measured.
pub(crate) fn efficiency(footprint: &Footprint) -> Option<f64> {
    let cores = footprint.environment.cores;
    let rate = |n: u32| {
        let at = footprint.throughput.iter().find(|t| t.concurrency == n);
        at.map(|t| t.rps.get()).filter(|rate| *rate > 0.0)
    };
    let all = rate(cores)? / f64::from(cores);
    (cores > 1).then_some(all / rate(1)?)
}

/// The CPU side of a topology, whose requests take so much CPU time.
pub(super) fn cpu_model(footprint: &Footprint, topology: Topology, cpu: Span<Seconds>) -> CpuModel {
    let model = CpuModel::new(cpu, footprint.wall_seconds);
    let is_free = topology.sharing().most_in_run().is_none()
        && footprint.live.as_ref().is_none_or(|live| live.at_once.is_none());
    // What waits for its turn says nothing of the CPUs.
    let efficiency = efficiency(footprint).filter(|_| is_free).unwrap_or(1.0);
    let model = model.scaling(footprint.environment.cores, efficiency);
    if let Some(live) = &footprint.live {
        // Whatever a request waits for, it is at work all the while.
        let alone = footprint.wall_seconds.typical();
        let wait = alone.get() - cpu.typical().get();
        let waits = wait > cpu.typical().get() * LEAST_WAIT;
        let model = if waits { model.waiting_in_place(Seconds::new(wait)) } else { model };
        return live.at_once.map_or(model, |most| model.with_turns(most, alone));
    }
    let Some(in_run) = topology.sharing().most_in_run() else { return model };
    let infer = footprint.stages.iter().filter(|s| s.name.starts_with("infer"));
    let seconds = infer.fold(Seconds::ZERO, |sum, stage| sum + stage.wall.typical());
    model.with_turns(in_run * topology.processes(), seconds)
}

/// Time alone and CPU time of a request that never waits differ by noise: less than this share is not
/// taken for waiting.
const LEAST_WAIT: f64 = 0.05;

/// What was predicted for a run that only checks, and what it took: the median of its children.
fn checked(unchecked: &Costs, run: &TopologyRun) -> Option<TopologyCheck> {
    let concurrency = run.points.iter().map(|p| p.concurrency).max().filter(|_| is_check(run))?;
    let predicted = unchecked.total(run.topology, concurrency)?;
    let at = run.points.iter().filter(|p| p.concurrency == concurrency);
    let observed = sample::median(at.map(|p| p.peak_bytes.as_f64()));
    Some(TopologyCheck {
        concurrency,
        predicted,
        observed: Bytes::from_f64(observed),
        error: (predicted.typical().as_f64() - observed) / observed,
    })
}
