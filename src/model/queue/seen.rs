//! What is seen of requests that were served, for real or in a simulation.

use super::{Served, not_exceeded};

/// Latencies, rate and number in flight.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Answers a second, from the first arrival to the last answer.
    pub rate: f64,
    /// Latencies at 50, 95 and 99 %, seconds from the arrival to the answer.
    pub latency: [f64; 3],
    /// The share of the time with n in flight, waiting or served, by n.
    pub in_flight: Vec<f64>,
}

/// What is seen of these; all zero where there are none.
pub fn seen(served: &[Served]) -> Seen {
    let mut latencies: Vec<f64> = served.iter().map(Served::latency).collect();
    let first = served.iter().map(|s| s.arrived).fold(f64::INFINITY, f64::min);
    let last = served.iter().map(|s| s.ended).fold(0.0, f64::max);
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    let count = served.len() as f64;
    Seen {
        rate: if last > first { count / (last - first) } else { 0.0 },
        latency: [0.5, 0.95, 0.99].map(|share| percentile(&mut latencies, share)),
        in_flight: in_flight(served),
    }
}

impl Seen {
    /// The mean number in flight.
    pub fn mean_in_flight(&self) -> f64 {
        (0..).zip(&self.in_flight).map(|(n, share)| f64::from(n) * share).sum()
    }

    /// The number in flight that is not exceeded for this share of the time.
    pub fn percentile(&self, share: f64) -> u32 {
        not_exceeded(&self.in_flight, share)
    }

    /// The share of the time with more than `n` in flight.
    pub fn more_than(&self, n: usize) -> f64 {
        self.in_flight.iter().skip(n + 1).rev().sum()
    }

    /// How far two distributions of the number in flight are apart: half the sum of the differences
    /// (total variation), 0 for the same to 1 for nothing in common.
    pub fn distance(&self, other: &Self) -> f64 {
        let longest = self.in_flight.len().max(other.in_flight.len());
        let at = |of: &Self, n: usize| of.in_flight.get(n).copied().unwrap_or(0.0);
        (0..longest).map(|n| (at(self, n) - at(other, n)).abs()).sum::<f64>() / 2.0
    }
}

fn in_flight(served: &[Served]) -> Vec<f64> {
    let mut turns: Vec<(f64, bool)> =
        served.iter().flat_map(|s| [(s.arrived, true), (s.ended, false)]).collect();
    // Who leaves at a moment leaves before who comes.
    turns.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let (mut shares, mut flying, mut before): (Vec<f64>, usize, _) = (Vec::new(), 0, None);
    let mut total = 0.0;
    for (at, comes) in turns {
        if let Some(before) = before {
            if shares.len() <= flying {
                shares.resize(flying + 1, 0.0);
            }
            shares[flying] += at - before;
            total += at - before;
        }
        before = Some(at);
        flying = if comes { flying + 1 } else { flying.saturating_sub(1) };
    }
    if total > 0.0 {
        for share in &mut shares {
            *share /= total;
        }
    }
    shares
}

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
