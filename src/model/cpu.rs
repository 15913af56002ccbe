//! What CPUs give: requests a second, time of a request, requests in flight that are of use.
//!
//! Two numbers carry it all: the CPU time of a request, and how long one takes alone. What follows
//! are laws that hold whatever the arrivals are, and one rule of thumb, which is said to be one.

use super::queue::Server;
use super::queue::sharing::InFlight;
use super::ram::MAX_CONCURRENCY;
use crate::units::{Cpus, Rate, Seconds, Source, Span};

/// The kernel's period for CPU quotas, `cpu.cfs_period_us` as container engines leave it.
const PERIOD: f64 = 0.1;

/// The least CPU time that is believed, in seconds: the kernel's account of it is in microseconds,
/// and a request that costs nothing would be answered infinitely often.
const LEAST: f64 = 1e-6;

/// What a doubling of CPUs beyond those that were measured on may lose more than those did: assumed.
const LEAST_LOSS: f64 = 0.05;

/// The least share of the rate of so many CPUs that twice as many are taken to keep of each: half, or more
/// CPUs would be said to answer less.
const LEAST_KEPT: f64 = 0.5;

/// Requests in flight beyond the best that are still of use, as a factor.
const USEFUL: f64 = 2.5;

/// CPU cost of a request and the laws that follow from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CpuModel {
    cpu: Span<Seconds>,
    wall: Span<Seconds>,
    /// For others than the CPU, seconds.
    wait: f64,
    /// Whether it holds its place meanwhile.
    waits_in_place: bool,
    /// Whether its CPU time spreads evenly over all CPUs.
    is_parallel: bool,
    turns: Option<Turns>,
    scaling: Option<Scaling>,
}

/// What was seen of one machine when more of its CPUs were busy.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Scaling {
    cores: f64,
    /// Requests a second on all of them, as a share of as many times what one core did.
    efficiency: f64,
}

/// A part of each request that only so many are in at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Turns {
    at_once: u32,
    seconds: f64,
    /// The part is all of the request, whatever it waits for.
    is_whole: bool,
}

impl Turns {
    /// CPUs that requests of so much CPU time keep busy.
    fn busy(&self, cpu: Span<Seconds>) -> f64 {
        f64::from(self.at_once) * cpu.typical().get().max(LEAST) / self.seconds
    }
}

impl CpuModel {
    /// From the CPU time of all threads a request under load, and the elapsed time of one alone on
    /// an idle machine.
    pub const fn new(cpu: Span<Seconds>, wall: Span<Seconds>) -> Self {
        let (turns, scaling) = (None, None);
        Self { cpu, wall, wait: 0.0, waits_in_place: true, is_parallel: false, turns, scaling }
    }

    /// The same of requests whose CPU time spreads evenly over all CPUs: an assumption.
    #[must_use]
    pub fn parallel(self) -> Self {
        Self { is_parallel: true, ..self }
    }

    /// The same of requests that wait for somebody else for so long, and do not hold their place while
    /// they do: no slot of an admission limit, and none of what the models need.
    #[must_use]
    pub fn waiting_outside(self, wait: Seconds) -> Self {
        Self { wait: wait.get(), waits_in_place: false, ..self }
    }

    /// The same of requests that wait for so long and hold what they hold.
    #[must_use]
    pub fn waiting_in_place(self, wait: Seconds) -> Self {
        Self { wait: wait.get(), waits_in_place: true, ..self }
    }

    /// The same where `cores` CPUs together, 1 or more, were seen to do `efficiency` times as much as so many
    /// times one does. CPUs of one core that are two for the kernel (hyper-threads), caches and the
    /// way to the memory are shared: 0.6 to 1 are usual.
    #[must_use]
    pub fn scaling(self, cores: u32, efficiency: f64) -> Self {
        let efficiency = efficiency.clamp(f64::MIN_POSITIVE, 1.0);
        Self { scaling: Some(Scaling { cores: f64::from(cores.max(1)), efficiency }), ..self }
    }

    /// The same where at most `at_once` requests, 1 or more, are in a part that takes each of them
    /// `seconds`: the models of a service with as many sessions of each.
    #[must_use]
    pub fn with_turns(self, at_once: u32, seconds: Seconds) -> Self {
        let seconds = seconds.get();
        let is_whole = seconds >= self.wall.typical().get();
        let turns = Turns { at_once: at_once.max(1), seconds, is_whole };
        Self { turns: Some(turns).filter(|t| t.seconds > 0.0), ..self }
    }

    /// What serves a queue of requests, `limit` of them at once: these CPUs, of a machine on which
    /// `cores` threads run at the same moment. Where only some requests are in their models at a time,
    /// no more CPUs than those keep busy; where a whole request has its turn, no more requests.
    pub fn server(&self, cpus: Cpus, cores: f64, limit: Option<u32>) -> Server {
        let whole = self.turns.filter(|t| t.is_whole).map(|t| t.at_once);
        let limit = limit.into_iter().chain(whole).min();
        let cores = match self.turns {
            Some(turns) if !turns.is_whole => turns.busy(self.cpu).min(cores),
            _ => cores,
        };
        Server {
            cpus: cpus.get().min(cores),
            cores,
            limit,
            queue: None,
            waits_in_place: self.waits_in_place,
        }
    }

    /// The number in flight at `rate` requests a second of so many CPU-seconds each in the mean, with
    /// everything admitted; `None` where that is more than can be served. A whole request that has
    /// its turn is a customer of as many servers as there are turns, whatever it waits for.
    pub fn in_flight(&self, rate: Rate, seconds: f64, server: &Server) -> Option<InFlight> {
        let wait = self.seconds_waiting().get();
        let stall = server.longest_stall();
        match self.turns.filter(|turns| turns.is_whole) {
            Some(turns) => {
                let busy = server.cpus * (seconds + wait) / seconds.max(LEAST);
                let servers = f64::from(turns.at_once).min(busy);
                InFlight::new(rate.get(), seconds + wait, 0.0, servers, stall)
            }
            None => InFlight::new(rate.get(), seconds, wait, server.cpus, stall),
        }
    }

    /// The CPUs that the service can keep busy: all, unless a part that few are in at a time ends
    /// no more requests than that. No station of m servers ends more than m a service time (the
    /// bottleneck law, Denning and Buzen 1978), `X <= m / S`, and each takes its CPU time.
    fn usable(&self, cpus: Cpus) -> f64 {
        self.turns.map_or(cpus.get(), |turns| cpus.get().min(turns.busy(self.cpu)))
    }

    /// CPU time of a request, all threads.
    pub const fn seconds_per_request(&self) -> Span<Seconds> {
        self.cpu
    }

    /// Elapsed time of a request alone on the machine that measured it.
    pub const fn wall_seconds(&self) -> Span<Seconds> {
        self.wall
    }

    /// Requests a second that busy CPUs finish: the utilisation law with utilisation 1,
    /// `X = cpus / D`, but no more than turns allow (Denning and Buzen, The Operational Analysis of Queueing Network Models,
    /// ACM Computing Surveys 10(3), 1978).
    ///
    /// Beyond the CPUs that were measured on it is extrapolated: each doubling of them is taken to lose
    /// what those that were measured lost, and at the low end [`LEAST_LOSS`] more, at the high end
    /// nothing.
    pub fn throughput(&self, cpus: Cpus) -> Span<Rate> {
        let (low, typical) = self.beyond(cpus);
        let most = self.turns.map_or(f64::INFINITY, |t| f64::from(t.at_once) / t.seconds);
        let at = |cpu: Seconds, kept: f64| {
            Rate::per_second((cpus.get() / cpu.get().max(LEAST) * kept).min(most))
        };
        // Nobody saw that many answers: it follows from what one takes.
        let source = if low < 1.0 { Source::Extrapolated } else { Source::Fitted };
        Span::around(
            at(self.cpu.high(), low),
            at(self.cpu.typical(), typical),
            at(self.cpu.low(), 1.0),
            source.max(self.cpu.source()),
        )
    }

    /// The share that is left of each CPU beyond those that were measured on, at the low end and
    /// typically.
    fn beyond(&self, cpus: Cpus) -> (f64, f64) {
        let Some(scaling) = self.scaling.filter(|s| cpus.get() > s.cores) else {
            return (1.0, 1.0);
        };
        let doublings = (cpus.get() / scaling.cores).log2();
        let measured = scaling.cores.log2();
        // A single core says nothing of how it shares.
        let kept = if measured > 0.0 { scaling.efficiency.powf(1.0 / measured) } else { 1.0 };
        let low = (kept * (1.0 - LEAST_LOSS)).max(LEAST_KEPT);
        (low.powf(doublings), kept.max(LEAST_KEPT).powf(doublings))
    }

    /// Requests in flight that keep the CPUs busy, at least and at most.
    ///
    /// At least `ceil(cpus × residence / CPU time)`, by Little's law (Little, Operations Research
    /// 9(3), 1961) at full utilisation; one more for each CPU, started or whole, covers the gap
    /// between one answer and the next request. Residence is that of a request alone but no less
    /// than its CPU time: under load no request has a second CPU to itself.
    pub fn best_concurrency(&self, cpus: Cpus) -> (u32, u32) {
        let cpu = self.cpu.typical().get().max(LEAST);
        // What one took beyond its CPU time without waiting for anybody is noise of the measuring machine.
        let stretch = (cpu + self.wait) / cpu;
        let usable = self.usable(cpus);
        let least = count(usable * stretch);
        (least, (least + count(usable)).min(MAX_CONCURRENCY))
    }

    /// The same of those that hold their place: requests that wait for others elsewhere keep no CPU
    /// busy and need no slot.
    pub fn best_running(&self, cpus: Cpus) -> u32 {
        if self.waits_in_place || self.wait <= 0.0 {
            return self.best_concurrency(cpus).1;
        }
        Self { wait: 0.0, ..*self }.best_concurrency(cpus).1
    }

    /// Requests in flight beyond which only the queue grows: two and a half times what keeps the
    /// CPUs busy. The factor is a rule of thumb (source: assumed): arrivals are uneven, and some
    /// requests ready to run bridge the gaps; more of them wait longer and finish no earlier.
    pub fn max_useful_concurrency(&self, cpus: Cpus) -> u32 {
        count(f64::from(self.best_concurrency(cpus).1) * USEFUL)
    }

    /// Elapsed time of one request alone under a quota. With quota Q a period P and k busy
    /// threads, work S takes `S/k + floor((S - ε)/Q) × max(0, P - Q/k)`, starting with a full
    /// quota: it follows from the kernel's CFS bandwidth control as described in its
    /// Documentation/scheduler/sched-bwc.rst. Time spent waiting for others than the CPU is not
    /// stretched.
    pub fn seconds_alone(&self, cpus: Cpus) -> Seconds {
        self.alone(self.cpu.typical(), self.wall.typical(), cpus)
    }

    /// The same with the interval in which it is known: [`CpuModel::seconds_alone`] at both ends of the
    /// CPU time and the elapsed time.
    pub fn response(&self, cpus: Cpus) -> Span<Seconds> {
        let source = if self.is_parallel { Source::Assumed } else { self.source() };
        Span::around(
            self.alone(self.cpu.low(), self.wall.low(), cpus),
            self.seconds_alone(cpus),
            self.alone(self.cpu.high(), self.wall.high(), cpus),
            source.max(Source::Fitted),
        )
    }

    /// A request of so much CPU time that took so long on an idle machine, with a quota of `cpus`.
    fn alone(&self, work: Seconds, wall: Seconds, cpus: Cpus) -> Seconds {
        let (work, wall) = (work.get(), wall.get());
        if self.is_parallel {
            return Seconds::new((wall - work).max(0.0) + work / cpus.get());
        }
        let threads = if wall > 0.0 { (work / wall).max(1.0) } else { 1.0 };
        let waiting = (wall - work / threads).max(0.0);
        Seconds::new(waiting + under_quota(work, threads, cpus.get()))
    }

    /// What a request spends waiting for others than the CPU.
    pub fn seconds_waiting(&self) -> Seconds {
        Seconds::new(self.wait)
    }

    /// Whether it holds its place meanwhile.
    pub fn waits_in_place(&self) -> bool {
        self.waits_in_place
    }

    /// Elapsed time of each request when `n` are always in flight: the CPUs are shared, and none
    /// is faster than alone (asymptotic bounds of a closed system, Denning and Buzen 1978).
    pub fn seconds_at(&self, cpus: Cpus, n: u32) -> Seconds {
        let shared = f64::from(n) * self.cpu.typical().get() / self.usable(cpus).max(LEAST);
        Seconds::new(shared.max(self.seconds_alone(cpus).get()))
    }

    /// Where the numbers come from: the worse of the two.
    pub fn source(&self) -> Source {
        self.cpu.source().max(self.wall.source())
    }
}

/// `work` seconds on `threads` threads with a quota of `cpus`; the last two above 0.
fn under_quota(work: f64, threads: f64, cpus: f64) -> f64 {
    let quota = cpus * PERIOD;
    // Work that ends exactly as the quota does is not throttled: a nanosecond less asks for that.
    let waits = ((work - 1e-9) / quota).floor().max(0.0);
    work / threads + waits * (PERIOD - quota / threads).max(0.0)
}

/// Rounded up, from 1 to [`MAX_CONCURRENCY`].
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is clamped to a range of whole numbers above 0"
)]
fn count(value: f64) -> u32 {
    // A product of fractions that is whole but for its last bit is not rounded up.
    (value - 1e-9).ceil().clamp(1.0, f64::from(MAX_CONCURRENCY)) as u32
}

#[cfg(test)]
mod tests;
