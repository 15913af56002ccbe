//! Requests that come as they do in a service, and not all at once.
//!
//! Open: at times that were drawn before, whatever becomes of the earlier requests (Poisson
//! arrivals). A request's time runs from when it was to come, not from when somebody found the time
//! to send it: a driver that waits for a slow answer would leave out just the requests that
//! the slow one delayed (coordinated omission). Closed: each of some users asks again as soon as it
//! has its answer.
//!
//! Requests are admitted in their order, as many at once as there are threads to serve them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::crew::Crew;
use super::memory;
use crate::model::queue::poisson;
use crate::units::Rate;

/// How requests come.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Arrivals {
    /// At random, so many a second on average.
    Open(Rate),
    /// From so many users without a pause.
    Closed(u32),
}

/// A load to be driven.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// How requests come.
    pub arrivals: Arrivals,
    /// How many in all.
    pub requests: u32,
    /// How many are admitted at once, 1 or more.
    pub limit: u32,
    /// Of the times and the kinds.
    pub seed: u64,
}

/// One request; seconds since the first could come.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    /// When it was to come.
    pub arrived: f64,
    /// When it was admitted.
    pub begun: f64,
    /// When its answer was there.
    pub ended: f64,
    /// CPU time of its thread since the request before it, and its share of that of the arrivals.
    pub cpu: f64,
    /// For what it waited that is not the CPU while it was served: locks, disks, others on the network.
    pub waited: f64,
}

/// Where requests wait for a thread.
#[derive(Default)]
struct Desk {
    state: Mutex<State>,
    came: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<(f64, usize)>,
    /// No more will come.
    is_closed: bool,
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, arrived: f64, kind: usize) {
        self.lock().queue.push_back((arrived, kind));
        self.came.notify_one();
    }

    /// The next request, once one is there; `None` where none will come.
    fn next(&self) -> Option<(f64, usize)> {
        let mut state = self.lock();
        loop {
            match state.queue.pop_front() {
                Some(request) => return Some(request),
                None if state.is_closed => return None,
                None => state = self.came.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

/// Closes the desk when it is dropped, so that nobody waits for a driver that is gone.
struct Closing<'a>(&'a Desk);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.came.notify_all();
    }
}

/// Drives `load` on the threads of `crew`; `serve` is given a thread's number and the kind of the
/// request, drawn by `shares`. What was answered, in order of arrival.
///
/// # Errors
/// The first of the requests.
pub fn drive(
    crew: &mut Crew,
    load: Load,
    shares: &[f64],
    serve: impl Fn(usize, usize) -> anyhow::Result<()> + Send + Sync + 'static,
) -> anyhow::Result<Vec<Answered>> {
    let mut random = fastrand::Rng::with_seed(load.seed);
    let kinds: Vec<usize> = (0..load.requests).map(|_| drawn(&mut random, shares)).collect();
    let (servers, times) = match load.arrivals {
        Arrivals::Open(rate) => {
            (load.limit, poisson(rate.get(), load.requests as usize, &mut random))
        }
        Arrivals::Closed(users) => (users, Vec::new()),
    };
    let servers = servers.max(1) as usize;
    let (desk, next) = (Desk::default(), AtomicUsize::new(0));
    let all = Arc::new(Mutex::new(Vec::with_capacity(kinds.len())));
    let answered = Arc::clone(&all);
    let sending = Arc::new(Mutex::new(0.0));
    let sent = Arc::clone(&sending);
    let begun = Instant::now();
    let is_open = !times.is_empty();
    crew.together(servers + usize::from(is_open), move |index| {
        if index == servers {
            let _closing = Closing(&desk);
            let before = memory::thread_cpu().get();
            come(&desk, begun, &times, &kinds);
            let cpu = memory::thread_cpu().get() - before;
            *sent.lock().unwrap_or_else(PoisonError::into_inner) = cpu;
            return Ok(());
        }
        let another = || {
            if is_open {
                return desk.next();
            }
            let kind = kinds.get(next.fetch_add(1, Ordering::Relaxed))?;
            Some((begun.elapsed().as_secs_f64(), *kind))
        };
        let turn = memory::Turn::of_this_thread();
        let mut before = memory::thread_cpu().get();
        while let Some((arrived, kind)) = another() {
            let start = begun.elapsed().as_secs_f64();
            let (cpu, queued) = (memory::thread_cpu().get(), turn.queued());
            serve(index, kind)?;
            let ended = begun.elapsed().as_secs_f64();
            let (now, left) = (memory::thread_cpu().get(), turn.queued());
            // Unknown is as if it had waited for nothing else.
            let waited = queued.zip(left).map_or(0.0, |(from, to)| {
                (ended - start - (now - cpu) - (to.get() - from.get())).max(0.0)
            });
            let one = Answered { arrived, begun: start, ended, cpu: now - before, waited };
            before = now;
            answered.lock().unwrap_or_else(PoisonError::into_inner).push(one);
        }
        Ok(())
    })?;
    let mut answered = std::mem::take(&mut *all.lock().unwrap_or_else(PoisonError::into_inner));
    answered.sort_by(|a: &Answered, b| a.arrived.total_cmp(&b.arrived));
    let sent =
        *sending.lock().unwrap_or_else(PoisonError::into_inner) / f64::from(load.requests.max(1));
    for one in &mut answered {
        one.cpu += sent;
    }
    Ok(answered)
}

/// Puts requests on the desk when they are to come.
fn come(desk: &Desk, begun: Instant, times: &[f64], kinds: &[usize]) {
    for (at, kind) in times.iter().zip(kinds) {
        let left = Duration::from_secs_f64(*at).saturating_sub(begun.elapsed());
        if !left.is_zero() {
            thread::sleep(left);
        }
        desk.put(*at, *kind);
    }
}

/// A kind, as often as its share says.
fn drawn(random: &mut fastrand::Rng, shares: &[f64]) -> usize {
    let mut left = random.f64();
    for (kind, share) in shares.iter().enumerate() {
        left -= share;
        if left < 0.0 {
            return kind;
        }
    }
    shares.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn driven(load: Load, pause: f64) -> Vec<Answered> {
        let pause = Duration::from_secs_f64(pause);
        let mut crew = Crew::new();
        drive(&mut crew, load, &[1.0], move |_, _| {
            thread::sleep(pause);
            Ok(())
        })
        .unwrap()
    }

    /// A request that waits for a thread has waited since it was to come.
    #[test]
    fn time_runs_from_when_a_request_was_to_come() {
        let arrivals = Arrivals::Open(Rate::per_second(1000.0));
        let load = Load { arrivals, requests: 40, limit: 1, seed: 1 };
        let seen = driven(load, 0.005);
        assert_eq!(seen.len(), 40);
        // All came within about 40 ms and were served in turn, 5 ms each.
        let last = seen.last().unwrap();
        assert!(last.arrived < 0.1 && last.ended >= 0.2, "{last:?}");
        assert!(seen.windows(2).all(|w| w[1].begun >= w[0].ended - 1e-3), "one at a time");
    }

    #[test]
    fn users_ask_again_when_they_have_their_answer() {
        let load = Load { arrivals: Arrivals::Closed(4), requests: 40, limit: 4, seed: 1 };
        let seen = driven(load, 0.005);
        assert_eq!(seen.len(), 40);
        let at = |t: f64| seen.iter().filter(|a| a.begun <= t && t < a.ended).count();
        assert!((0..8).all(|n| at(f64::from(n) * 0.006 + 0.001) <= 4));
        assert!(seen.iter().all(|a| a.begun - a.arrived < 0.004), "nobody waits");
    }

    #[test]
    fn an_error_of_one_request_ends_the_drive() {
        let arrivals = Arrivals::Open(Rate::per_second(500.0));
        let load = Load { arrivals, requests: 20, limit: 2, seed: 1 };
        let mut crew = Crew::new();
        let error = drive(&mut crew, load, &[0.5, 0.5], |_, kind| {
            if kind == 1 { Err(anyhow::anyhow!("no")) } else { Ok(()) }
        });
        assert_eq!(error.unwrap_err().to_string(), "no");
    }

    #[test]
    fn kinds_come_as_often_as_their_shares_say() {
        let mut random = fastrand::Rng::with_seed(3);
        let drawn: Vec<usize> = (0..10_000).map(|_| drawn(&mut random, &[0.8, 0.2])).collect();
        let second = drawn.iter().filter(|k| **k == 1).count();
        assert!((1900..2100).contains(&second), "{second}");
        let times = poisson(50.0, 10_000, &mut random);
        assert!((times[9999] / 200.0 - 1.0).abs() < 0.03, "{}", times[9999]);
    }
}
