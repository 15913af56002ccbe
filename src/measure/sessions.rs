//! Which session a request may use, and when: what makes one topology of another.
//!
//! `shared` has one session and no rule, and must not have so much as a lock: that is what is
//! measured. A pool lends each session to one request at a time; the others wait, and hold what
//! they have decoded. The rule is one for all models of the process, so that no more requests are
//! in `Run` than there are sessions of a model, whichever model each is at.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::ffi::SharedSession;
use crate::footprint::Sharing;

/// Lends the numbers of sessions. One for all models of a process.
#[derive(Debug, Clone)]
pub struct Gate {
    /// `None` where any number of requests may use the one session.
    lent: Option<Arc<Lending>>,
}

#[derive(Debug)]
struct Lending {
    free: Mutex<BTreeSet<usize>>,
    returned: Condvar,
}

/// The right to use the session of one number, until it is dropped.
#[derive(Debug)]
pub struct Turn<'a> {
    number: usize,
    lending: Option<&'a Lending>,
}

impl Gate {
    /// For a process that shares its sessions in this way.
    pub fn new(sharing: Sharing) -> Self {
        let lent = sharing.most_in_run().map(|sessions| {
            let free = Mutex::new((0..sessions as usize).collect());
            Arc::new(Lending { free, returned: Condvar::new() })
        });
        Self { lent }
    }

    /// Waits for a session: the free one of the smallest number. Never waits in `shared`.
    pub fn enter(&self) -> Turn<'_> {
        let Some(lending) = self.lent.as_deref() else {
            return Turn { number: 0, lending: None };
        };
        // A request that panicked has returned its session: what is left is in order.
        let mut free = lending.free.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(number) = free.pop_first() {
                return Turn { number, lending: Some(lending) };
            }
            free = lending.returned.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(lending) = self.lending {
            lending.free.lock().unwrap_or_else(PoisonError::into_inner).insert(self.number);
            lending.returned.notify_one();
        }
    }
}

/// All sessions of one model.
#[derive(Debug)]
pub struct Sessions {
    all: Vec<SharedSession>,
    gate: Gate,
}

/// A session that may be run now.
#[derive(Debug)]
pub struct Lent<'a> {
    session: &'a SharedSession,
    _turn: Turn<'a>,
}

impl Sessions {
    /// As many sessions as the gate lends numbers.
    pub fn new(all: Vec<SharedSession>, gate: &Gate) -> Self {
        Self { all, gate: gate.clone() }
    }

    /// Waits until a request may run one, and gives it until the answer is dropped.
    pub fn enter(&self) -> Lent<'_> {
        let turn = self.gate.enter();
        Lent { session: &self.all[turn.number], _turn: turn }
    }

    /// Every one of them.
    pub fn all(&self) -> &[SharedSession] {
        &self.all
    }
}

impl Deref for Lent<'_> {
    type Target = SharedSession;

    fn deref(&self) -> &SharedSession {
        self.session
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// The most that were inside at once, of `requests` that start together, and the numbers lent.
    fn crowd(sharing: Sharing, requests: usize) -> (usize, BTreeSet<usize>) {
        let (gate, start) = (Gate::new(sharing), Barrier::new(requests));
        let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let numbers = Mutex::new(BTreeSet::new());
        thread::scope(|scope| {
            for _ in 0..requests {
                scope.spawn(|| {
                    start.wait();
                    for _ in 0..20 {
                        let turn = gate.enter();
                        numbers.lock().unwrap().insert(turn.number);
                        most.fetch_max(1 + inside.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
                        thread::sleep(Duration::from_micros(200));
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        (most.into_inner(), numbers.into_inner().unwrap())
    }

    #[test]
    fn no_more_are_in_a_session_than_it_is_for() {
        assert_eq!(crowd(Sharing::Exclusive(1), 6), (1, BTreeSet::from([0])));
        assert_eq!(crowd(Sharing::Exclusive(3), 8), (3, BTreeSet::from([0, 1, 2])));
    }

    /// Would wait for ever if one of them had to wait for another.
    #[test]
    fn shared_lets_all_in_at_once() {
        let (gate, all_inside) = (Gate::new(Sharing::Shared), Barrier::new(8));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let _turn = gate.enter();
                    all_inside.wait();
                });
            }
        });
    }

    #[test]
    fn a_session_comes_back_after_a_panic_and_the_smallest_is_lent_first() {
        let gate = Gate::new(Sharing::Exclusive(2));
        let panicked = thread::scope(|scope| {
            scope
                .spawn(|| {
                    let _turn = gate.enter();
                    panic!("on purpose");
                })
                .join()
        });
        assert!(panicked.is_err());
        let (first, second) = (gate.enter(), gate.enter());
        assert_eq!((first.number, second.number), (0, 1));
        drop(first);
        assert_eq!(gate.enter().number, 0);
    }
}
