//! A discrete-event simulation of requests that share CPUs.
//!
//! Requests are admitted in the order of their arrival, at most `limit` at a time. Those that
//! are admitted first use the CPU and then wait for others than the CPU, if they do. Those on the CPU share it
//! equally, none with more than one core, as the kernel's fair scheduler lets them. A quota is spent
//! in periods: once it is used up nobody runs until the next period begins (CFS bandwidth
//! control, Documentation/scheduler/sched-bwc.rst); a service that was idle begins with a full one.
//!
//! Equal shares make virtual time do: one clock of the work that each running request has received,
//! and a request is done when that clock has advanced by what it asked for. Each event costs a few
//! operations on a heap, however many are in flight; and periods of a quota in which nobody comes,
//! leaves or is done are all alike and are passed at once, so that the time that a simulation takes
//! depends on the number of requests and not on how small the quota is.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// The kernel's period for CPU quotas as container engines leave it, seconds.
const PERIOD: f64 = 0.1;

/// Work and quota that are left because floating-point numbers are no real ones, seconds.
const ROUNDING: f64 = 1e-9;

/// Requests that take longer than this under a quota, in the mean and in seconds, are played as if the
/// quota was spent evenly: a period is a hundred-thousandth of them at the most. It also bounds the clock,
/// which stands so low that a period is always some time on it.
const LONG: f64 = 1e4;

/// What serves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Server {
    /// CPU-seconds a second, above 0: a quota where there are more cores.
    pub cpus: f64,
    /// Requests that can run at the same moment at full speed, 1 or more, above `cpus` where these
    /// are a quota.
    pub cores: f64,
    /// Requests that are admitted at once; `None` for all.
    pub limit: Option<u32>,
    /// Requests that may wait for a place, in an open system; the next one is refused. `None` for all.
    pub queue: Option<u32>,
    /// Whether who waits for others than the CPU holds its place; else the next is admitted meanwhile.
    pub waits_in_place: bool,
}

impl Server {
    /// So many CPUs of a machine with as many, for all who come.
    pub const fn of(cpus: f64) -> Self {
        Self { cpus, cores: cpus, limit: None, queue: None, waits_in_place: true }
    }

    /// How long nobody runs, at the longest, because the quota of a period was spent on all cores at
    /// once, seconds.
    pub fn longest_stall(&self) -> f64 {
        if self.has_quota() { PERIOD * (1.0 - self.cpus / self.cores) } else { 0.0 }
    }

    /// Whether there is a quota at all.
    pub fn has_quota(&self) -> bool {
        self.cpus < self.cores
    }
}

/// What one request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Work {
    /// CPU-seconds.
    pub cpu: f64,
    /// Seconds for others than the CPU, after it.
    pub wait: f64,
}

/// Where requests come from.
#[derive(Debug, Clone, Copy)]
pub enum Arrivals<'a> {
    /// At these times, ascending, whatever becomes of the earlier ones.
    Open(&'a [f64]),
    /// From so many users, each of whom asks again as soon as an answer is there.
    Closed(u32),
}

/// When a request was where.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Served {
    /// It came.
    pub arrived: f64,
    /// It was admitted.
    pub begun: f64,
    /// It was answered.
    pub ended: f64,
}

impl Served {
    /// From the arrival to the answer, seconds.
    pub fn latency(&self) -> f64 {
        self.ended - self.arrived
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Played {
    /// One for each piece of work, in its order; of one that was refused all moments are the same.
    pub served: Vec<Served>,
    /// Requests that were refused.
    pub refused: usize,
    /// Arrivals, ends and turns of the quota.
    pub events: u64,
}

/// A moment and a request, in order.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Due(f64, usize);

impl Eq for Due {}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0).then(self.1.cmp(&other.1))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Plays all of `work` in order: the n-th piece is the n-th request that comes.
pub fn simulate(work: &[Work], arrivals: Arrivals<'_>, server: &Server) -> Played {
    let mut play = Play::new(work, arrivals, server);
    while play.step() {}
    play.played
}

struct Play<'a> {
    work: &'a [Work],
    arrivals: Arrivals<'a>,
    server: Server,
    /// When the clock was set to 0 the last time: whenever nobody was there. A clock that went on would
    /// lose its digits over the years.
    epoch: f64,
    now: f64,
    /// The next request that has not come yet.
    next: usize,
    /// Of a closed system: requests that may come now.
    ready: u32,
    queue: VecDeque<usize>,
    admitted: u32,
    /// By the virtual time at which they are done.
    running: BinaryHeap<Reverse<Due>>,
    virtual_now: f64,
    /// By the time at which they are done.
    waiting: BinaryHeap<Reverse<Due>>,
    /// Where there is a quota: what is left of it, and when it is full again.
    quota: Option<(f64, f64)>,
    played: Played,
}

impl<'a> Play<'a> {
    fn new(work: &'a [Work], arrivals: Arrivals<'a>, server: &Server) -> Self {
        let mut server = *server;
        #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
        let mean = work.iter().map(|work| work.cpu).sum::<f64>() / work.len().max(1) as f64;
        if mean / server.cpus > LONG {
            server.cores = server.cpus;
        }
        let quota = server.has_quota().then_some((server.cpus * PERIOD, f64::NEG_INFINITY));
        let nobody = Served { arrived: 0.0, begun: 0.0, ended: 0.0 };
        Self {
            work,
            arrivals,
            server,
            epoch: 0.0,
            now: 0.0,
            next: 0,
            ready: match arrivals {
                Arrivals::Open(_) => 0,
                Arrivals::Closed(users) => users,
            },
            queue: VecDeque::new(),
            admitted: 0,
            running: BinaryHeap::new(),
            virtual_now: 0.0,
            waiting: BinaryHeap::new(),
            quota,
            played: Played { served: vec![nobody; work.len()], ..Played::default() },
        }
    }

    /// What each running request gets a second.
    fn speed(&self) -> f64 {
        if self.running.is_empty() || self.quota.is_some_and(|(left, _)| left <= ROUNDING) {
            return 0.0;
        }
        (self.server.cores / self.count()).min(1.0)
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    fn count(&self) -> f64 {
        self.running.len() as f64
    }

    /// Passes all whole periods at once in which only the quota is spent. The last of them is left to
    /// [`Play::step`], which knows what ends in it.
    fn skip_periods(&mut self) {
        let Some((left, full)) = self.quota.filter(|_| !self.running.is_empty()) else { return };
        let quota = self.server.cpus * PERIOD;
        let has_just_begun = left >= quota && (full - PERIOD - self.now).abs() <= ROUNDING;
        let Some(Reverse(first)) = self.running.peek().filter(|_| has_just_begun) else { return };
        // Either the quota is spent in each period, or the cores never spend it.
        let work = quota.min(PERIOD * self.count().min(self.server.cores)) / self.count();
        let until_done = (first.0 - self.virtual_now) / work;
        let back = self.waiting.peek().map(|Reverse(due)| due.0);
        let next = self.arrival().into_iter().chain(back).fold(f64::INFINITY, f64::min);
        let periods = (until_done.min((next - self.now) / PERIOD) - 1.0).floor();
        if periods >= 1.0 {
            self.virtual_now += periods * work;
            self.now += periods * PERIOD;
            self.quota = Some((quota, self.now + PERIOD));
        }
    }

    /// Sets the clock to 0 where nobody is there, at the next arrival.
    fn reset_clock(&mut self) {
        if let Arrivals::Open(times) = self.arrivals
            && self.running.is_empty()
            && self.waiting.is_empty()
            && let Some(time) = times.get(self.next)
            && *time > self.epoch + self.now
        {
            if let Some((_, full)) = &mut self.quota {
                *full -= time - self.epoch;
            }
            (self.epoch, self.now) = (*time, 0.0);
        }
    }

    /// To the next event; false where there is none.
    fn step(&mut self) -> bool {
        self.reset_clock();
        self.skip_periods();
        let speed = self.speed();
        let arrival = self.arrival();
        let done = self.running.peek().and_then(|Reverse(due)| {
            let left = due.0 - self.virtual_now;
            // What is done at the moment at which the quota ends is done.
            if left <= ROUNDING {
                Some(self.now)
            } else {
                (speed > 0.0).then(|| self.now + left / speed)
            }
        });
        let back = self.waiting.peek().map(|Reverse(due)| due.0);
        let quota = self.quota.filter(|_| !self.running.is_empty());
        let full = quota.map(|(_, full)| full);
        let is_spent = |(left, _)| self.now + left / (speed * self.count());
        let spent = quota.filter(|_| speed > 0.0).map(is_spent);
        let times = [arrival, done, back, full, spent];
        let Some(at) = times.into_iter().flatten().min_by(f64::total_cmp) else { return false };
        self.advance(at.max(self.now), speed);
        if let Some((left, _)) = self.quota.as_mut().filter(|_| spent == Some(at)) {
            // However little there was, and even if it was no time on the clock.
            *left = 0.0;
        }
        self.played.events += 1;
        // Ends before arrivals: who leaves makes room for who comes at the same moment.
        if done == Some(at) {
            self.finish_running();
        } else if back == Some(at) {
            if let Some(Reverse(due)) = self.waiting.pop() {
                self.leave(due.1, self.server.waits_in_place);
            }
        } else if arrival == Some(at) {
            self.arrive();
        }
        self.turn_over();
        true
    }

    fn advance(&mut self, to: f64, speed: f64) {
        let passed = to - self.now;
        self.virtual_now += passed * speed;
        let used = passed * speed * self.count();
        if let Some((left, _)) = &mut self.quota {
            *left = (*left - used).max(0.0);
        }
        self.now = to;
    }

    /// A period is over: the quota is full again.
    fn turn_over(&mut self) {
        if let Some((left, full)) = &mut self.quota
            && self.now >= *full
            && !self.running.is_empty()
        {
            *left = self.server.cpus * PERIOD;
            // After an idle time the period begins with the first that runs.
            *full = if self.now > *full + PERIOD { self.now } else { *full } + PERIOD;
        }
    }

    /// When the next request comes.
    fn arrival(&self) -> Option<f64> {
        if self.next >= self.work.len() {
            return None;
        }
        match self.arrivals {
            Arrivals::Open(times) => times.get(self.next).map(|time| time - self.epoch),
            Arrivals::Closed(_) => (self.ready > 0).then_some(self.now),
        }
    }

    /// As those count who are outside.
    fn time(&self) -> f64 {
        self.epoch + self.now
    }

    fn arrive(&mut self) {
        let request = self.next;
        self.next += 1;
        self.ready = self.ready.saturating_sub(1);
        if self.is_full() {
            let now = self.time();
            self.played.served[request] = Served { arrived: now, begun: now, ended: now };
            self.played.refused += 1;
            return;
        }
        self.played.served[request].arrived = self.time();
        self.queue.push_back(request);
        self.admit();
    }

    /// Whether there is neither a place nor room to wait for one. Users who were refused would ask
    /// again at the same moment for ever, so a closed system refuses nobody.
    fn is_full(&self) -> bool {
        let is_open = matches!(self.arrivals, Arrivals::Open(_));
        let is_taken = !self.has_a_place();
        let waiting = self.queue.len();
        is_open && is_taken && self.server.queue.is_some_and(|most| waiting >= most as usize)
    }

    fn has_a_place(&self) -> bool {
        self.server.limit.is_none_or(|limit| self.admitted < limit.max(1))
    }

    fn admit(&mut self) {
        while self.has_a_place() {
            let Some(request) = self.queue.pop_front() else { return };
            self.admitted += 1;
            self.played.served[request].begun = self.time();
            if self.running.is_empty() {
                // The clock need not remember the past, and stays exact.
                self.virtual_now = 0.0;
            }
            let due = self.virtual_now + self.work[request].cpu.max(0.0);
            self.running.push(Reverse(Due(due, request)));
        }
    }

    fn finish_running(&mut self) {
        let Some(Reverse(due)) = self.running.pop() else { return };
        self.virtual_now = self.virtual_now.max(due.0);
        let wait = self.work[due.1].wait;
        if wait <= 0.0 {
            return self.leave(due.1, true);
        }
        self.waiting.push(Reverse(Due(self.now + wait, due.1)));
        if !self.server.waits_in_place {
            self.admitted -= 1;
            self.admit();
        }
    }

    fn leave(&mut self, request: usize, from_a_place: bool) {
        self.played.served[request].ended = self.time();
        self.admitted -= u32::from(from_a_place);
        self.ready += u32::from(matches!(self.arrivals, Arrivals::Closed(_)));
        self.admit();
    }
}
