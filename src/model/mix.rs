//! Requests of several kinds in flight together: how many of each.

use std::cell::RefCell;
use std::collections::HashMap;

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use statrs::distribution::{Binomial, DiscreteCDF};

/// How sure it is that no more requests of one kind are in flight than planned for: at a thousand
/// looks, one sees more.
const SURE: f64 = 0.999;

/// Splits `n` requests into whole ones by `shares`, which sum to 1: each next request goes to the
/// kind that has the least for its share, by the method of Webster and Sainte-Laguë.
///
/// Unlike rounding by largest remainders it never takes a request from a kind when `n` grows
/// (Balinski & Young, Fair Representation, 1982), so more requests never need less memory.
pub fn whole_requests(shares: &[f64], n: u32) -> Vec<u32> {
    let mut counts = vec![0_u32; shares.len()];
    // Far beyond any table the remainder of a request does not matter.
    let whole = n.saturating_sub(EXACT);
    if whole > 0 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a u32 fits one"
        )]
        for (count, share) in counts.iter_mut().zip(shares) {
            *count = (f64::from(whole) * share).floor() as u32;
        }
    }
    let given: u32 = counts.iter().sum();
    let claim = |kind: usize, count: u32| {
        let size = shares[kind] / (2.0 * f64::from(count) + 1.0);
        Claim { size, kind: Reverse(kind) }
    };
    let mut claims: BinaryHeap<Claim> =
        counts.iter().enumerate().map(|(kind, &count)| claim(kind, count)).collect();
    for _ in given..n {
        let Some(mut first) = claims.peek_mut() else { break };
        let Reverse(kind) = first.kind;
        counts[kind] += 1;
        *first = claim(kind, counts[kind]);
    }
    counts
}

/// A kind's claim to the next request; of equal ones that of the first kind counts.
#[derive(PartialEq)]
struct Claim {
    size: f64,
    kind: Reverse<usize>,
}

impl Eq for Claim {}

impl Ord for Claim {
    fn cmp(&self, other: &Self) -> Ordering {
        self.size.total_cmp(&other.size).then(self.kind.cmp(&other.kind))
    }
}

impl PartialOrd for Claim {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Up to here every request is handed out one by one.
const EXACT: u32 = 2000;

/// The most of `n` requests that are of a kind with this share: more are in one of a thousand
/// draws. The upper quantile of the binomial distribution.
pub fn at_most(share: f64, n: u32) -> u32 {
    if share >= 1.0 {
        return n;
    }
    KNOWN.with_borrow_mut(|known| {
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        *known.entry((share.to_bits(), n)).or_insert_with(|| quantile(share, n))
    })
}

thread_local! {
    /// Quantiles that were asked for, by share and number: one of many requests takes a millisecond.
    static KNOWN: RefCell<HashMap<(u64, u32), u32>> = RefCell::default();
}

/// More of them are forgotten.
const MOST_KNOWN: usize = 10_000;

fn quantile(share: f64, n: u32) -> u32 {
    let quantile = Binomial::new(share.clamp(0.0, 1.0), u64::from(n)).map(|b| b.inverse_cdf(SURE));
    quantile.ok().and_then(|q| u32::try_from(q).ok()).unwrap_or(n).min(n)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_mix_is_split_in_whole_requests() {
        assert_eq!(whole_requests(&[0.8, 0.2], 10), [8, 2]);
        assert_eq!(whole_requests(&[0.8, 0.2], 16), [13, 3]);
        assert_eq!(whole_requests(&[0.8, 0.2], 1), [1, 0]);
        assert_eq!(whole_requests(&[1.0], 7), [7]);
        assert_eq!(whole_requests(&[0.5, 0.3, 0.2], 0), [0, 0, 0]);
        // By hand: at a divisor of 957 the quotients 9.47, 7.50, 5.50, 3.47 and 1.24 round to these.
        let populations = [9061.0, 7179.0, 5259.0, 3319.0, 1182.0];
        let shares = populations.map(|p: f64| p / 26_000.0);
        assert_eq!(whole_requests(&shares, 26), [9, 8, 5, 3, 1]);
    }

    /// Sums of `comb(n, k) * p**k * (1 - p)**(n - k)` in Python reach 0.999 at these k.
    #[test]
    fn more_of_a_kind_than_its_share_are_reckoned_with() {
        assert_eq!(at_most(0.2, 10), 6);
        assert_eq!(at_most(0.2, 100), 33);
        assert_eq!(at_most(0.8, 10), 10);
        assert_eq!(at_most(1.0, 10), 10);
        assert_eq!(at_most(0.2, 0), 0);
    }

    proptest! {
        #[test]
        fn no_kind_loses_a_request_when_one_more_comes(
            a in 0.01..1.0f64, b in 0.01..1.0f64, c in 0.01..1.0f64, n in 0u32..5000,
        ) {
            let sum = a + b + c;
            let shares = [a / sum, b / sum, c / sum];
            let (few, many) = (whole_requests(&shares, n), whole_requests(&shares, n + 1));
            prop_assert_eq!(few.iter().sum::<u32>(), n);
            // Beyond the exact part a kind may lose one to rounding.
            let slack = u32::from(n >= EXACT);
            prop_assert!(few.iter().zip(&many).all(|(f, m)| *f <= *m + slack), "{:?} {:?}", few, many);
            for (share, count) in shares.iter().zip(&few) {
                prop_assert!((share * f64::from(n) - f64::from(*count)).abs() <= 2.0);
                prop_assert!(at_most(*share, n) <= at_most(*share, n + 1));
            }
        }
    }
}
