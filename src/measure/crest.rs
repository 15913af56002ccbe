//! When in a stage a request holds the most.
//!
//! Requests that are to be caught together are best caught where each is at its highest. So a lone
//! request is watched once from another thread, and the time of its crest noted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::units::Bytes;

/// Held bytes of at least this share of the most belong to the crest.
const NEAR_THE_MOST: f64 = 0.95;

/// How far into the crest: what was allocated at its begin has been written to by then, and a run
/// that is a little faster is not over yet.
const INTO: f64 = 0.5;

/// A stage that was seen fewer times than this is too short to say when.
const MIN_READINGS: usize = 5;

/// Between two readings at the least.
const PAUSE: Duration = Duration::from_micros(50);

/// When a stage holds the most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crest {
    /// After the stage has begun.
    pub at: Duration,
    /// The whole stage, of a request alone.
    pub alone: Duration,
}

/// What was held, from the begin of a stage to its end.
#[derive(Debug, Default)]
pub struct Curve {
    readings: Vec<(Instant, Bytes)>,
}

impl Curve {
    /// Room for as many readings as there may be: what the watcher takes meanwhile is seen, too.
    pub fn new() -> Self {
        Self { readings: Vec::with_capacity(4096) }
    }

    /// Reads until `is_over`, every hundredth of `expected`.
    pub fn watch(
        &mut self,
        is_over: &AtomicBool,
        expected: Duration,
        held: impl Fn() -> anyhow::Result<Bytes>,
    ) -> anyhow::Result<()> {
        let pause = PAUSE.max(expected / 100);
        while !is_over.load(Ordering::Acquire) && self.readings.len() < self.readings.capacity() {
            self.readings.push((Instant::now(), held()?));
            thread::sleep(pause);
        }
        Ok(())
    }

    /// The crest of what happened from `begun` for `alone`; `None` where that was too short.
    ///
    /// Where the most was held more than once, the last time counts: nothing is given back to the
    /// system in between, and more has been written to.
    pub fn crest(&self, begun: Instant, alone: Duration) -> Option<Crest> {
        let within = |(at, _): &&(Instant, Bytes)| *at >= begun && *at <= begun + alone;
        let readings: Vec<_> = self.readings.iter().filter(within).collect();
        if readings.len() < MIN_READINGS {
            return None;
        }
        let least = readings.iter().map(|(_, held)| held.as_f64()).fold(f64::INFINITY, f64::min);
        let most = readings.iter().map(|(_, held)| held.as_f64()).fold(0.0, f64::max);
        let high = |held: Bytes| held.as_f64() - least >= NEAR_THE_MOST * (most - least);
        let to = readings.iter().rposition(|(_, held)| high(*held))?;
        let from = readings[..to].iter().rposition(|(_, held)| !high(*held)).map_or(0, |i| i + 1);
        let crest = readings[to].0.duration_since(readings[from].0);
        let at = readings[from].0.duration_since(begun) + crest.mul_f64(INTO);
        Some(Crest { at, alone })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reading a millisecond.
    fn curve(begun: Instant, mib: &[u64]) -> Curve {
        let reading = |(i, &m): (u64, &u64)| (begun + Duration::from_millis(i), Bytes::mib(m));
        Curve { readings: (0..).zip(mib).map(reading).collect() }
    }

    fn crest(mib: &[u64], from: u64, millis: u64) -> Option<Crest> {
        let begun = Instant::now();
        let ms = Duration::from_millis;
        curve(begun, mib).crest(begun + ms(from), ms(millis))
    }

    #[test]
    fn in_the_middle_of_where_the_most_is_held() {
        let ms = Duration::from_millis;
        let flat = crest(&[50, 50, 50, 50, 50, 50], 0, 5).unwrap();
        assert_eq!(flat, Crest { at: Duration::from_micros(2500), alone: ms(5) });
        let hill = crest(&[50, 60, 100, 100, 100, 100, 100, 100, 60, 50], 0, 9).unwrap();
        assert_eq!(hill.at, Duration::from_micros(4500));
        let peak = crest(&[50, 60, 100, 60, 60, 60, 60, 60, 60, 50], 0, 9).unwrap();
        assert_eq!(peak.at, ms(2));
    }

    #[test]
    fn of_two_crests_the_last() {
        let twice = crest(&[50, 100, 60, 60, 100, 60], 0, 5).unwrap();
        assert_eq!(twice.at, Duration::from_millis(4));
    }

    #[test]
    fn what_came_before_is_another_stage() {
        let second = crest(&[90, 99, 99, 10, 20, 30, 20, 10, 10], 3, 5).unwrap();
        assert_eq!(second.at, Duration::from_millis(2));
        assert_eq!(crest(&[10, 20, 30, 20, 10, 10], 3, 3), None);
    }
}
