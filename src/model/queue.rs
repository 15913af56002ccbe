//! Requests that wait: how long they take at a rate, and how many are in flight at once.
//!
//! Three ways to the same answers. [`erlang`] has the closed forms of M/M/c. [`sharing`] has the
//! number in flight where all are admitted at once and share the CPUs, which is exact whatever the
//! service times are. [`simulate`] plays any arrivals against any service times, with a limit on
//! requests at once and a CPU quota; the other two are its oracle in tests.

mod demand;
pub mod erlang;
mod seen;
pub mod sharing;
mod simulation;
#[cfg(test)]
mod tests;

pub use demand::Demand;
pub use seen::{Seen, percentile, seen};
pub use simulation::{Arrivals, Played, Served, Server, Work, simulate};

/// The times of so many Poisson arrivals at `rate` a second, seconds. Whoever draws service times
/// too draws them from the same generator: those of neighbouring seeds are not independent.
pub fn poisson(rate: f64, count: usize, random: &mut fastrand::Rng) -> Vec<f64> {
    let mut now = 0.0;
    let mut next = || {
        now -= (1.0 - random.f64()).ln() / rate;
        now
    };
    (0..count).map(|_| next()).collect()
}

/// The number that is not exceeded for this share of the time, of one whose chances are these, by
/// number.
fn not_exceeded(chances: &[f64], share: f64) -> u32 {
    let mut seen = 0.0;
    for (n, chance) in (0..).zip(chances) {
        seen += chance;
        if seen >= share {
            return n;
        }
    }
    u32::try_from(chances.len()).unwrap_or(u32::MAX)
}
