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
        Self { cpu, wall, wait: 0.0, waits_in_place: true, turns: None, scaling: None }
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
        Server { cpus: cpus.get().min(cores), cores, limit, waits_in_place: self.waits_in_place }
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
        let within = self.within(cpus);
        if typical >= 1.0 && low >= 1.0 {
            return within;
        }
        let times = |rate: Rate, factor: f64| Rate::per_second(rate.get() * factor);
        Span::around(
            times(within.low(), low),
            times(within.typical(), typical),
            within.high(),
            Source::Extrapolated.max(within.source()),
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
        ((kept * (1.0 - LEAST_LOSS)).powf(doublings), kept.powf(doublings))
    }

    fn within(&self, cpus: Cpus) -> Span<Rate> {
        let most = self.turns.map_or(f64::INFINITY, |t| f64::from(t.at_once) / t.seconds);
        self.cpu.map(|d| Rate::per_second((cpus.get() / d.get().max(LEAST)).min(most)))
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
        let (work, wall) = (self.cpu.typical().get(), self.wall.typical().get());
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn model(cpu: f64, wall: f64) -> CpuModel {
        let exact = |s| Span::exact(Seconds::new(s), Source::Measured);
        let wait = Seconds::new((wall - cpu).max(0.0));
        CpuModel::new(exact(cpu), exact(wall)).waiting_in_place(wait)
    }

    fn cpus(n: f64) -> Cpus {
        Cpus::new(n).unwrap()
    }

    /// 30 ms of work at 130 millicores takes 204 ms; 300 ms on one thread of two CPUs 300 ms.
    #[test]
    fn quotas_stretch_a_request() {
        assert!((under_quota(0.030, 1.0, 0.13) - 0.204).abs() < 1e-9);
        assert!((model(0.3, 0.3).seconds_alone(cpus(2.0)).get() - 0.3).abs() < 1e-9);
        assert!((model(0.04, 0.04).seconds_alone(cpus(0.5)).get() - 0.04).abs() < 1e-9);
    }

    #[test]
    fn forty_milliseconds_are_twenty_five_a_second() {
        let model = model(0.04, 0.04);
        assert!((model.throughput(cpus(1.0)).typical().get() - 25.0).abs() < 1e-9);
        assert!((model.throughput(cpus(4.0)).typical().get() - 100.0).abs() < 1e-9);
        assert_eq!(model.best_concurrency(cpus(1.0)), (1, 2));
        assert_eq!(model.best_concurrency(cpus(4.0)), (4, 8));
        assert_eq!(model.max_useful_concurrency(cpus(4.0)), 20);
        assert!((model.seconds_at(cpus(4.0), 20).get() - 0.2).abs() < 1e-9);
    }

    #[test]
    fn a_request_that_waits_half_its_time_wants_twice_as_many_in_flight() {
        assert_eq!(model(0.04, 0.08).best_concurrency(cpus(2.0)).0, 4);
    }

    /// 30 of 40 ms in the models, one request at a time: 33 a second at most, on 1.33 CPUs.
    #[test]
    fn a_lock_around_the_models_bounds_what_more_cpus_give() {
        let serial = model(0.04, 0.04).with_turns(1, Seconds::new(0.03));
        assert!((serial.throughput(cpus(1.0)).typical().get() - 25.0).abs() < 1e-9);
        assert!((serial.throughput(cpus(4.0)).typical().get() - 1.0 / 0.03).abs() < 1e-9);
        assert_eq!(serial.best_concurrency(cpus(4.0)), (2, 4));
        assert!((serial.seconds_at(cpus(4.0), 10).get() - 0.3).abs() < 1e-9);
        let pool = model(0.04, 0.04).with_turns(4, Seconds::new(0.03));
        assert_eq!(pool.throughput(cpus(4.0)), model(0.04, 0.04).throughput(cpus(4.0)));
    }

    #[test]
    fn noise_and_rounding_add_no_request() {
        let exact = |s| Span::exact(Seconds::new(s), Source::Measured);
        let noisy = CpuModel::new(exact(0.04), exact(0.09));
        assert_eq!(noisy.best_concurrency(cpus(1.0)), (1, 2), "nobody was waited for");
        // 0.07 / 0.01 is 7.000000000000001.
        assert_eq!(model(0.01, 0.07).best_concurrency(cpus(1.0)), (7, 8));
        // Work of exactly two quotas waits once.
        assert!((under_quota(0.012, 1.0, 0.06) - (0.012 + 0.094)).abs() < 1e-9);
    }

    /// A request on two threads: 40 ms of CPU time in 20 ms.
    #[test]
    fn threads_of_one_request_spend_the_quota_faster() {
        let model = model(0.04, 0.02);
        assert!((model.seconds_alone(cpus(2.0)).get() - 0.02).abs() < 1e-9);
        // 20 ms a period: two threads use it in 10 ms and wait for 90.
        assert!((model.seconds_alone(cpus(0.2)).get() - 0.11).abs() < 1e-9);
    }

    #[test]
    fn waiting_for_others_is_not_stretched() {
        let alone = model(0.03, 0.13).seconds_alone(cpus(0.13)).get();
        assert!((alone - 0.304).abs() < 1e-9, "{alone}");
    }

    /// 40 ms of work and two seconds elsewhere: two slots keep a CPU busy, with 52 in flight.
    #[test]
    fn waiting_elsewhere_needs_no_slot() {
        let exact = |s| Span::exact(Seconds::new(s), Source::Declared);
        let outside = CpuModel::new(exact(0.04), exact(2.04)).waiting_outside(Seconds::new(2.0));
        assert_eq!(outside.best_running(cpus(1.0)), 2);
        assert_eq!(outside.best_concurrency(cpus(1.0)), (51, 52));
        assert_eq!(model(0.04, 2.04).best_running(cpus(1.0)), 52);
        assert!(!outside.server(cpus(1.0), 1.0, None).waits_in_place);
    }

    /// Two hyper-threads that do 1.2 times what one does: four lose as much again.
    #[test]
    fn beyond_the_measured_cpus_what_they_lost_goes_on() {
        let measured = model(0.1, 0.1).scaling(2, 0.6);
        assert_eq!(measured.throughput(cpus(2.0)), model(0.1, 0.1).throughput(cpus(2.0)));
        let four = measured.throughput(cpus(4.0));
        assert!((four.typical().get() - 40.0 * 0.6).abs() < 1e-9);
        assert!((four.low().get() - 40.0 * 0.6 * 0.95).abs() < 1e-9);
        assert!((four.high().get() - 40.0).abs() < 1e-9);
        assert_eq!(four.source(), Source::Extrapolated);
        let one = model(0.1, 0.1).scaling(1, 1.0).throughput(cpus(4.0));
        assert!((one.low().get() - 40.0 * 0.95f64.powi(2)).abs() < 1e-9);
    }

    /// One request at a time that mostly waits: a station with one server, not a CPU.
    #[test]
    fn a_whole_turn_is_a_place_and_not_a_cpu() {
        let blocking = model(0.03, 0.13).with_turns(1, Seconds::new(0.13));
        let server = blocking.server(cpus(2.0), 2.0, Some(8));
        assert_eq!((server.cpus, server.cores, server.limit), (2.0, 2.0, Some(1)));
        let rate = Rate::per_second(5.0);
        let in_flight = blocking.in_flight(rate, 0.03, &server).unwrap();
        assert!((in_flight.mean() - 0.65 / 0.35).abs() < 1e-6, "{}", in_flight.mean());
        assert_eq!(blocking.in_flight(Rate::per_second(8.0), 0.03, &server), None);
        // A lock around part of it bounds the CPUs that can be busy.
        let serial = model(0.04, 0.04).with_turns(1, Seconds::new(0.03));
        let server = serial.server(cpus(4.0), 4.0, None);
        assert!((server.cpus - 4.0 / 3.0).abs() < 1e-9 && !server.has_quota(), "{server:?}");
    }

    #[test]
    fn a_request_that_costs_nothing_has_answers_too() {
        let free = model(0.0, 0.04);
        assert!(free.throughput(cpus(4096.0)).high().get().is_finite());
        let (low, high) = free.best_concurrency(cpus(4096.0));
        assert!(low <= high && high <= free.max_useful_concurrency(cpus(4096.0)));
        assert_eq!(model(0.04, 0.0).best_concurrency(cpus(2.0)), (2, 4));
        assert_eq!(model(0.0, 0.0).seconds_at(cpus(1.0), 8), Seconds::ZERO);
    }

    #[test]
    fn the_worse_source_is_told() {
        let span = |source| Span::exact(Seconds::new(0.04), source);
        let mixed = CpuModel::new(span(Source::Measured), span(Source::Declared));
        assert_eq!(mixed.source(), Source::Declared);
    }

    proptest! {
        #[test]
        fn more_cpus_never_give_less(cpu in 0.0001..10.0f64, wait in 0.0..5.0f64, a in 0.01..64.0f64, more in 0.0..64.0f64) {
            let model = model(cpu, cpu + wait);
            let (few, many) = (cpus(a), cpus(a + more));
            prop_assert!(model.throughput(few).low() <= model.throughput(many).low());
            prop_assert!(model.best_concurrency(few) <= model.best_concurrency(many));
            prop_assert!(model.max_useful_concurrency(few) <= model.max_useful_concurrency(many));
            prop_assert!(model.seconds_at(few, 8) >= model.seconds_at(many, 8));
            let (low, high) = model.best_concurrency(few);
            prop_assert!(low <= high && high <= model.max_useful_concurrency(few));
        }
    }
}
