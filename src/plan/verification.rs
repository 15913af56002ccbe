//! The plan against the kernel: what was promised, what was seen, and whether it held.

mod load;

pub use load::{Came, Driven, Loads, error};

use super::Plan;
use crate::footprint::{Ending, Observation, Temper, Topology};
use crate::units::{Bytes, Cpus, Seconds, Span};

/// A trial that takes longer than this many times its time without a limit did not hold: the
/// kernel was busy dropping and reading pages.
pub const THRASHED: f64 = 1.5;

/// More are not tried at once: threads, not memory, would be what is tested.
pub const MOST: u32 = 1024;

/// Major faults beyond those without a limit, as a share and a number, that do not yet slow a
/// trial down: the pages of a library are read once either way.
const NOISE_SHARE: f64 = 0.2;
const NOISE_FAULTS: f64 = 50.0;

/// What the plan says of a number of requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Promise {
    /// Requests in flight.
    pub concurrency: u32,
    /// The limit in which they run undisturbed; its high end is what is promised.
    pub limit: Span<Bytes>,
    /// The limit below which the kernel kills.
    pub kill_limit: Span<Bytes>,
    /// Anonymous memory with so many, on a warm service and after a restart.
    pub anonymous: [Span<Bytes>; 2],
    /// The limit that one request needs, high end.
    pub one: Bytes,
}

/// How a trial ended, judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// All was answered in time.
    Held,
    /// It was not killed, and took too long.
    Thrashed,
    /// The kernel killed it.
    Killed,
}

/// One trial.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tried {
    /// How requests came.
    pub temper: Temper,
    /// How many at once.
    pub concurrency: u32,
    /// In which limit.
    pub limit: Bytes,
    /// What was seen.
    pub observation: Observation,
    /// What the same took with the same CPUs and without a limit.
    pub unlimited: Seconds,
    /// The judgement.
    pub outcome: Outcome,
}

/// Where trials turn over, along requests or along limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found<T> {
    /// The last with which it came through; `None` where it never did. Between the two limits at which
    /// a service is killed for certain and comes through for certain the kernel may kill it or let
    /// it crawl for as long as there is a page of a file to drop: what did not end is counted with
    /// what was killed.
    pub survived: Option<T>,
    /// The first with which it was killed or did not end; `None` where neither happened, up to the
    /// last that was tried.
    pub killed: Option<T>,
    /// The last with which it held.
    pub held: Option<T>,
    /// What the plan says of the kill line.
    pub predicted_kill: T,
    /// What the plan promises.
    pub planned: T,
    /// (predicted − observed) / observed, of the kill line in bytes; `None` where it was not found.
    pub error: Option<f64>,
}

/// A service that was kept busy for a while.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Soak {
    /// For how long.
    pub time: Seconds,
    /// Requests that were answered.
    pub requests: u64,
    /// Whether the kernel killed it, or it got stuck, before the time was over.
    pub killed: bool,
    /// What became of its memory; `None` where it was over too soon to tell.
    pub trend: Option<Trend>,
}

/// What became of the memory of a service that was kept busy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// Anonymous bytes after the first tenth of the time, and at the end.
    pub held: (Bytes, Bytes),
    /// What is added an hour, with its 95 % interval, bytes; it may be below 0.
    pub growth: (f64, f64, f64),
    /// When the limit is reached at that rate; `None` where it is not known to grow, or by less than
    /// can be told, or was reached.
    pub full_after: Option<Seconds>,
}

/// All that was tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Verification {
    /// The profile's name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// How requests share sessions.
    pub topology: Topology,
    /// RAM of the box.
    pub ram: Bytes,
    /// CPUs of the box.
    pub cpus: Option<Cpus>,
    /// The version of the kernel's interface, 1 or 2.
    pub version: u32,
    /// The most requests that the plan promises for the box; 0 where it promises none.
    pub planned: u32,
    /// Of the requests that were tried.
    pub promise: Promise,
    /// Requests that each warm trial answered first, so that all was there that they leave behind; 0 where
    /// they leave nothing.
    pub accumulated_over: u64,
    /// The trials of the promise.
    pub trials: Vec<Tried>,
    /// The largest number of requests for the box, if it was searched for.
    pub most: Option<Found<u32>>,
    /// The smallest limit for the requests, if it was searched for.
    pub least: Option<Found<Bytes>>,
    /// The trials of these searches, in their order.
    pub searched: Vec<Tried>,
    /// A service that was kept busy, if that was asked for.
    pub soak: Option<Soak>,
    /// Loads that were driven, if that was asked for.
    pub loads: Loads,
}

impl Verification {
    /// The worst of the trials.
    pub fn outcome(&self) -> Option<Outcome> {
        self.trials.iter().map(|t| t.outcome).max()
    }

    /// Whether the plan is refuted: what it promised, or what was asked to be tried, did not hold.
    /// A plan that promises nothing is not refuted by one request that does not fit.
    pub fn is_refuted(&self) -> bool {
        let promised_nothing = self.planned == 0 && self.promise.concurrency == 1;
        let was_killed = self.soak.is_some_and(|soak| soak.killed);
        was_killed
            || self.loads.killed.is_some()
            || !promised_nothing && self.outcome() != Some(Outcome::Held)
    }
}

/// What the plan says of `n` requests; `None` where its costs are declared.
pub fn promise(plan: &Plan, n: u32) -> Option<Promise> {
    let cold = !plan.question.warmed;
    let curve = &plan.states.last()?.curve;
    let charge = plan.charge.as_ref()?;
    let warm = charge.anonymous.total(n);
    Some(Promise {
        concurrency: n,
        limit: curve.limit(n, cold),
        kill_limit: charge.oom_threshold(curve, n, cold),
        anonymous: [warm, charge.anonymous.cold(n).unwrap_or(warm)],
        one: curve.limit(1, cold).high(),
    })
}

impl Promise {
    /// (predicted − observed) / observed, of the anonymous memory of a trial in which all were
    /// answered; `None` of one that did not get there.
    pub fn error(&self, tried: &Tried) -> Option<f64> {
        let [warm, cold] = &self.anonymous;
        let predicted = match tried.temper {
            Temper::Warm => warm,
            Temper::Cold => cold,
        };
        let is_of_these = tried.concurrency == self.concurrency;
        let (seen, _) = tried.observation.highest.filter(|_| is_of_these)?;
        (came_through(&tried.observation) && seen > Bytes::ZERO)
            .then(|| predicted.typical().as_f64() / seen.as_f64() - 1.0)
    }
}

/// Whether all was answered, however late.
pub fn came_through(seen: &Observation) -> bool {
    seen.ending == Ending::Finished
}

/// The judgement of an observation, against one without a limit.
pub fn outcome(seen: &Observation, unlimited: Seconds) -> Outcome {
    match seen.ending {
        Ending::Killed(_) => Outcome::Killed,
        Ending::Late(_) => Outcome::Thrashed,
        Ending::Finished if seen.wall.get() > THRASHED * unlimited.get() => Outcome::Thrashed,
        Ending::Finished => Outcome::Held,
    }
}

/// Whether a trial was slow for another reason than memory: it read no more pages than without a
/// limit. On a machine that others use too that happens, and it is to be tried again.
pub fn is_noise(seen: &Observation, unlimited: &Observation) -> bool {
    let faults = |o: &Observation| o.counters.major_faults.map(as_f64);
    match (seen.ending, faults(seen), faults(unlimited)) {
        (Ending::Finished | Ending::Late(_), Some(seen), Some(before)) => {
            seen <= before * (1.0 + NOISE_SHARE) + NOISE_FAULTS
        }
        _ => false,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count of faults")]
fn as_f64(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::footprint::{Counters, Phase};

    fn seen(ending: Ending, wall: f64, major_faults: Option<u64>) -> Observation {
        let counters = Counters { major_faults, ..Counters::default() };
        Observation { ending, wall: Seconds::new(wall), counters, highest: None }
    }

    #[test]
    fn only_what_is_answered_in_time_holds() {
        let judged = |ending, wall| outcome(&seen(ending, wall, None), Seconds::new(2.0));
        assert_eq!(judged(Ending::Finished, 3.0), Outcome::Held);
        assert_eq!(judged(Ending::Finished, 3.01), Outcome::Thrashed);
        assert_eq!(judged(Ending::Late(Phase::Serving), 1.0), Outcome::Thrashed);
        assert_eq!(judged(Ending::Killed(Phase::Loading), 0.1), Outcome::Killed);
    }

    #[test]
    fn slow_without_reading_pages_is_the_machine_and_not_the_limit() {
        let before = seen(Ending::Finished, 2.0, Some(100));
        let slow = |faults| is_noise(&seen(Ending::Finished, 9.0, faults), &before);
        assert!(slow(Some(160)));
        assert!(!slow(Some(2000)));
        assert!(!slow(None), "not known is no excuse");
        assert!(!is_noise(&seen(Ending::Killed(Phase::Serving), 9.0, Some(0)), &before));
    }
}
