//! Users that ask together, and users that ask again as soon as they have an answer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use ureq::Agent;

use super::LiveError;
use super::client::{Client, Fault};
use super::headroom::Headroom;
use crate::measure::crew::Crew;
use crate::measure::drive::{self, Answered, Load};
use crate::measure::interrupt::Interrupt;
use crate::measure::memory;
use crate::measure::threads;
use crate::units::Seconds;

/// How often it is looked whether somebody asked for an end.
const POLL: Duration = Duration::from_millis(20);
/// How often it is looked whether enough memory is free.
const CHECK: Duration = Duration::from_millis(100);

/// Latencies are kept to a thousandth, from a microsecond to an hour.
const LONGEST: u64 = 3_600_000_000;

/// What became of some requests.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Latencies of those with an answer of success, microseconds.
    pub latencies: Histogram<u32>,
    /// The others, by kind.
    pub faults: BTreeMap<Fault, u64>,
    /// From the first to the last.
    pub wall: Seconds,
    /// CPU time of this process meanwhile.
    pub driver_cpu: Seconds,
    /// How long its threads waited for their turn on a CPU, all of them together.
    pub driver_queued: Seconds,
}

impl Outcome {
    fn new() -> Self {
        // Bounds that are constants are in order.
        #[expect(clippy::expect_used, reason = "constant arguments")]
        let latencies = Histogram::new_with_bounds(1, LONGEST, 3).expect("constant bounds");
        let (wall, driver_cpu, driver_queued) = (Seconds::ZERO, Seconds::ZERO, Seconds::ZERO);
        Self { latencies, faults: BTreeMap::new(), wall, driver_cpu, driver_queued }
    }

    /// Requests that were answered with success.
    pub fn answered(&self) -> u64 {
        self.latencies.len()
    }

    /// Requests that were not.
    pub fn failed(&self) -> u64 {
        self.faults.values().sum()
    }

    /// The latency that this share of the answers does not exceed.
    pub fn latency(&self, share: f64) -> Seconds {
        micros(self.latencies.value_at_quantile(share))
    }

    /// The longest latency.
    pub fn longest(&self) -> Seconds {
        micros(if self.latencies.is_empty() { 0 } else { self.latencies.max() })
    }

    /// Adds what became of others.
    pub fn add(&mut self, other: &Self) {
        // Both have the same bounds.
        let _ = self.latencies.add(&other.latencies);
        for (fault, count) in &other.faults {
            *self.faults.entry(fault.clone()).or_default() += count;
        }
        self.wall = self.wall + other.wall;
        self.driver_cpu = self.driver_cpu + other.driver_cpu;
        self.driver_queued = self.driver_queued + other.driver_queued;
    }

    fn note(&mut self, took: Duration, result: Result<(), Fault>) {
        match result {
            Ok(()) => {
                self.latencies
                    .saturating_record(u64::try_from(took.as_micros()).unwrap_or(LONGEST));
            }
            Err(fault) => *self.faults.entry(fault).or_default() += 1,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a time")]
fn micros(value: u64) -> Seconds {
    Seconds::new(value as f64 / 1e6)
}

/// Which of the payloads of one kind come next: each is sent once before any is sent again.
struct Cursor {
    payloads: usize,
    /// The next that was not sent before.
    new: AtomicUsize,
    again: AtomicUsize,
}

impl Cursor {
    /// Of so many; of any number where each is another.
    fn of(payloads: Option<usize>) -> Self {
        let payloads = payloads.unwrap_or(usize::MAX).max(1);
        Self { payloads, new: AtomicUsize::new(0), again: AtomicUsize::new(0) }
    }

    /// The next, a new one as long as there are more of those than `reserve`.
    fn next(&self, reserve: usize) -> usize {
        let is_new = |n: usize| (n < self.payloads - reserve).then_some(n + 1);
        match self.new.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_new) {
            Ok(new) => new,
            Err(sent) => self.again.fetch_add(1, Ordering::Relaxed) % sent.max(1),
        }
    }
}

/// Users of one service.
pub struct Crowd {
    client: Arc<Client>,
    crew: Crew,
    /// Each with a connection of its own.
    users: Arc<Vec<Agent>>,
    keeps_connections: bool,
    turn: Arc<AtomicUsize>,
    cursors: Arc<Vec<Cursor>>,
    interrupt: Interrupt,
    /// Nobody is to ask any more.
    is_over: Arc<AtomicBool>,
    /// When waiting for answers ends, if it does.
    pub until: Option<Instant>,
    /// What must stay free.
    pub headroom: Option<Arc<Headroom>>,
    /// Whether [`Crowd::drive`] leaves half of the payloads for waves that were not sent before, whose
    /// peaks are to be those of requests that nobody has answered yet.
    pub keeps_payloads: bool,
}

impl Crowd {
    /// Nobody asks yet.
    pub fn new(client: Client, interrupt: &Interrupt) -> Self {
        let cursors = client.payloads().into_iter().map(Cursor::of).collect();
        Self {
            client: Arc::new(client),
            crew: Crew::new(),
            users: Arc::default(),
            keeps_connections: true,
            turn: Arc::default(),
            cursors: Arc::new(cursors),
            interrupt: interrupt.clone(),
            is_over: Arc::default(),
            until: None,
            headroom: None,
            keeps_payloads: true,
        }
    }

    /// How many payloads were sent so far, each counted once.
    pub fn different(&self) -> u64 {
        let sent = self.cursors.iter().map(|cursor| cursor.new.load(Ordering::Relaxed));
        u64::try_from(sent.sum::<usize>()).unwrap_or(u64::MAX)
    }

    /// Whether every payload was sent at least once.
    pub fn has_sent_all(&self) -> bool {
        self.cursors.iter().all(|c| c.new.load(Ordering::Relaxed) >= c.payloads)
    }

    /// Whether a user keeps its connection. With several processes behind one address a new one
    /// for each request lets each of them come in for its turn.
    pub fn keep_connections(&mut self, keep: bool) {
        if self.keeps_connections != keep {
            self.keeps_connections = keep;
            self.users = Arc::default();
        }
    }

    /// The kinds of requests and their shares.
    pub fn client(&self) -> &Client {
        &self.client
    }

    fn hire(&mut self, number: usize) {
        if self.users.len() < number {
            let all = (0..number).map(|_| self.client.user(self.keeps_connections)).collect();
            self.users = Arc::new(all);
        }
    }

    /// `n` requests at the same moment. Kinds take turns, the shares decide how often.
    ///
    /// # Errors
    /// Where the system starts no more threads, or the user asked for an end.
    pub fn wave(&mut self, n: u32) -> Result<Outcome, LiveError> {
        let n = n.max(1) as usize;
        self.hire(n);
        let (users, client) = (Arc::clone(&self.users), Arc::clone(&self.client));
        let first = self.turn.fetch_add(n, Ordering::Relaxed);
        let cursors = Arc::clone(&self.cursors);
        let barrier = Barrier::new(n);
        let outcome = Arc::new(Mutex::new(Outcome::new()));
        let noted = Arc::clone(&outcome);
        let (outcome, ()) = self.measured(&outcome, move |crew| {
            crew.together(n, move |index| {
                let kind = kind_of_turn(client.shares(), first + index);
                let payload = cursors[kind].next(0);
                barrier.wait();
                let begun = Instant::now();
                let result = client.send(&users[index], kind, payload, first + index);
                noted.lock().unwrap_or_else(PoisonError::into_inner).note(begun.elapsed(), result);
                Ok(())
            })
        })?;
        Ok(outcome)
    }

    /// Requests as `load` has them come; latencies run from when each was to come. The answers in
    /// order of their arrival, too. Once as many as there are users were not answered in time, the rest
    /// is not asked any more: of a service that hangs that is known then.
    ///
    /// # Errors
    /// As [`Crowd::wave`].
    pub fn drive(&mut self, load: Load) -> Result<(Outcome, Vec<Answered>), LiveError> {
        let threads = match load.arrivals {
            drive::Arrivals::Open(_) => load.limit,
            drive::Arrivals::Closed(users) => users,
        };
        self.hire(threads.max(1) as usize);
        let (users, client) = (Arc::clone(&self.users), Arc::clone(&self.client));
        let (cursors, interrupt) = (Arc::clone(&self.cursors), self.interrupt.clone());
        let turns = Arc::clone(&self.turn);
        let (is_over, keeps) = (Arc::clone(&self.is_over), self.keeps_payloads);
        let shares = self.client.shares().to_vec();
        let outcome = Arc::new(Mutex::new(Outcome::new()));
        let noted = Arc::clone(&outcome);
        let (late, most_late) = (AtomicUsize::new(0), threads.max(1) as usize);
        self.measured(&outcome, move |crew| {
            drive::drive(crew, load, &shares, move |index, kind| {
                if interrupt.is_set() || is_over.load(Ordering::Relaxed) {
                    anyhow::bail!("interrupted");
                }
                if late.load(Ordering::Relaxed) >= most_late {
                    return Ok(());
                }
                let cursor = &cursors[kind];
                let turn = turns.fetch_add(1, Ordering::Relaxed);
                let payload = cursor.next(if keeps { cursor.payloads / 2 } else { 0 });
                let begun = Instant::now();
                let result = client.send(&users[index], kind, payload, turn);
                if matches!(result, Err(Fault::Timeout)) {
                    late.fetch_add(1, Ordering::Relaxed);
                }
                noted.lock().unwrap_or_else(PoisonError::into_inner).note(begun.elapsed(), result);
                Ok(())
            })
        })
    }

    /// Once too little is free, nobody asks any more.
    fn check_headroom(&self) -> Result<(), LiveError> {
        let checked = self.headroom.as_ref().map_or(Ok(()), |headroom| headroom.check());
        if checked.is_err() {
            self.is_over.store(true, Ordering::Relaxed);
        }
        checked
    }

    /// Has `work` done by a thread that can be left behind: whoever asks for an end does not wait for
    /// answers that may never come.
    fn measured<T: Send + 'static>(
        &mut self,
        outcome: &Mutex<Outcome>,
        work: impl FnOnce(&mut Crew) -> anyhow::Result<T> + Send + 'static,
    ) -> Result<(Outcome, T), LiveError> {
        self.check_headroom()?;
        let mut checked = Instant::now();
        let queued = memory::queued_threads();
        let (begun, cpu) = (Instant::now(), memory::process_cpu());
        let mut crew = std::mem::replace(&mut self.crew, Crew::new());
        let (send, done) = mpsc::channel();
        let failed =
            |reason| LiveError::Io { what: "the load cannot be driven".to_owned(), reason };
        threads::start("load", move || {
            let result = work(&mut crew);
            let _ = send.send((crew, result));
        })
        .map_err(failed)?;
        let (crew, result) = loop {
            match done.recv_timeout(POLL) {
                Ok(done) => break done,
                Err(RecvTimeoutError::Timeout) if self.interrupt.is_set() => {
                    return Err(LiveError::Interrupted);
                }
                Err(RecvTimeoutError::Timeout)
                    if self.until.is_some_and(|until| Instant::now() > until) =>
                {
                    return Err(LiveError::Late);
                }
                Err(RecvTimeoutError::Timeout) if checked.elapsed() > CHECK => {
                    self.check_headroom()?;
                    checked = Instant::now();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(LiveError::Request("the load cannot be driven".to_owned()));
                }
            }
        };
        self.crew = crew;
        let value = result.map_err(|error| {
            // Who sends may see it before who waits.
            if self.interrupt.is_set() {
                return LiveError::Interrupted;
            }
            LiveError::Request(format!("the load cannot be driven: {error:#}"))
        })?;
        let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner).clone();
        outcome.wall = begun.elapsed().into();
        outcome.driver_cpu = Seconds::new(memory::process_cpu().get() - cpu.get());
        let waited = |(id, now): (&u32, &f64)| now - queued.get(id).copied().unwrap_or(0.0);
        let waited: f64 = memory::queued_threads().iter().map(waited).sum();
        outcome.driver_queued = Seconds::new(waited.max(0.0));
        Ok((outcome, value))
    }
}

/// The kind of the request of this turn: each comes as often as its share says, and as evenly.
fn kind_of_turn(shares: &[f64], turn: usize) -> usize {
    // A point on a circle that advances by the golden ratio fills it evenly.
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    let point = (turn as f64 * GOLDEN).fract();
    let mut sum = 0.0;
    for (kind, share) in shares.iter().enumerate() {
        sum += share;
        if point < sum {
            return kind;
        }
    }
    shares.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_payload_is_sent_once_before_any_is_sent_again() {
        let cursor = Cursor::of(Some(6));
        // Three are kept for waves.
        let driven: Vec<usize> = (0..5).map(|_| cursor.next(3)).collect();
        assert_eq!(driven, [0, 1, 2, 0, 1]);
        let waves: Vec<usize> = (0..5).map(|_| cursor.next(0)).collect();
        assert_eq!(waves, [3, 4, 5, 2, 3]);
        assert_eq!(Cursor::of(Some(1)).next(0), 0);
    }

    #[test]
    fn turns_follow_the_shares() {
        let kinds: Vec<usize> = (0..1000).map(|t| kind_of_turn(&[0.8, 0.2], t)).collect();
        let second = kinds.iter().filter(|k| **k == 1).count();
        assert!((190..=210).contains(&second), "{second}");
        assert!(kinds[..10].contains(&1), "the rare kind comes early");
        assert_eq!(kind_of_turn(&[1.0], 7), 0);
    }
}
