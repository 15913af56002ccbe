//! Requests that wait: how long they take at a rate, and how many are in flight at once.
//!
//! Three ways to the same answers. [`erlang`] has the closed forms of M/M/c. [`sharing`] has the
//! number in flight where all are admitted at once and share the CPUs, which is exact whatever the
//! service times are. [`simulate`] plays any arrivals against any service times, with a limit on
//! requests at once and a CPU quota; the other two are its oracle in tests.

pub mod erlang;
pub mod sharing;
mod simulation;
#[cfg(test)]
mod tests;

pub use simulation::{Arrivals, Played, Served, Server, Work, simulate};

/// The value below which a share of the values lie, 0 to 1: the nearest rank (the smallest value
/// with at least that share at or below it). 0 where there are none. Sorts them.
pub fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank among values that are in memory"
    )]
    let rank = (share * values.len() as f64).ceil() as usize;
    values.get(rank.clamp(1, values.len().max(1)) - 1).copied().unwrap_or(0.0)
}
