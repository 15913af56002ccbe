//! Requests that are not all alike, and models that are loaded late.

use crate::model::mix::{at_most, whole_requests};
use crate::units::{Bytes, Source, Span};

/// What requests of other kinds add to a line that was measured on the first kind.
///
/// `RAM(N) = base + late + n₁ × buffer₁ + n₂ × buffer₂ + …`, with N split in whole requests. Kinds
/// that run after each other in the same process do not share what they retain: an arena of a
/// session keeps the most that it ever needed at once. So the high end reckons with the most of
/// each kind that are in flight together at some time, which is more than N in all.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    shares: Vec<f64>,
    others: Vec<Span<Bytes>>,
    late: Option<Late>,
}

/// What models that are loaded late add.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Late {
    /// What stays.
    pub resident: Bytes,
    /// What loading takes at its height.
    pub load_extra: Bytes,
}

impl Mixture {
    /// The first kind has `first` of the requests, each other kind its share and what each request
    /// of it adds. Shares are scaled to sum to 1.
    pub fn new(first: f64, others: &[(f64, Span<Bytes>)], late: Option<Late>) -> Self {
        let sum: f64 = first + others.iter().map(|(share, _)| share).sum::<f64>();
        let shares = std::iter::once(first).chain(others.iter().map(|(share, _)| *share));
        Self {
            shares: shares.map(|share| share / sum).collect(),
            others: others.iter().map(|(_, buffer)| *buffer).collect(),
            late,
        }
    }

    /// What stays of models that are loaded late.
    pub fn late(&self) -> Bytes {
        self.late.map_or(Bytes::ZERO, |late| late.resident)
    }

    /// How far loading late rises above what is held before.
    pub(super) fn late_loading(&self) -> Option<Bytes> {
        self.late.map(|late| late.load_extra)
    }

    /// The mean of what a request adds, of which the first kind adds `first`.
    pub(super) fn buffer(&self, first: &Span<Bytes>) -> Span<Bytes> {
        let kinds = std::iter::once(first).chain(&self.others);
        let mean = |end: fn(&Span<Bytes>) -> Bytes| {
            let terms = self.shares.iter().zip(kinds.clone());
            Bytes::from_f64(terms.map(|(share, kind)| share * end(kind).as_f64()).sum())
        };
        Span::around(mean(Span::low), mean(Span::typical), mean(Span::high), first.source())
    }

    /// Bytes with `n` requests in flight, where `line` tells those of the first kind alone.
    pub(super) fn total(&self, n: u32, line: impl Fn(u32) -> Span<Bytes>) -> Span<Bytes> {
        let whole = whole_requests(&self.shares, n);
        let most: Vec<u32> = self.shares.iter().map(|&share| at_most(share, n)).collect();
        let others = |counts: &[u32], end: fn(&Span<Bytes>) -> Bytes| -> Bytes {
            let kinds = self.others.iter().zip(&counts[1..]);
            self.late() + kinds.map(|(kind, &count)| end(kind) * u64::from(count)).sum()
        };
        let (mean, high) = (line(whole[0]), line(most[0]));
        let source = if n == 0 { mean.source() } else { high.source().max(Source::Fitted) };
        Span::around(
            mean.low() + others(&whole, Span::low),
            mean.typical() + others(&whole, Span::typical),
            high.high() + others(&most, Span::high),
            source,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(mib: u64) -> Span<Bytes> {
        Span::exact(Bytes::mib(mib), Source::Fitted)
    }

    fn line(n: u32) -> Span<Bytes> {
        exact(300 + 10 * u64::from(n))
    }

    #[test]
    fn whole_requests_of_each_kind_are_added() {
        let mixture = Mixture::new(0.8, &[(0.2, exact(50))], None);
        assert_eq!(mixture.total(0, line).typical(), Bytes::mib(300));
        assert_eq!(mixture.total(1, line).typical(), Bytes::mib(310));
        // 8 of the first kind and 2 of the other.
        assert_eq!(mixture.total(10, line).typical(), Bytes::mib(300 + 80 + 100));
        assert_eq!(mixture.buffer(&exact(10)).typical(), Bytes::mib(18));
    }

    #[test]
    fn the_high_end_reckons_with_more_of_each_kind() {
        let mixture = Mixture::new(0.8, &[(0.2, exact(50))], None);
        // All ten of the first kind at one time, six of the other at another.
        assert_eq!(mixture.total(10, line).high(), Bytes::mib(300 + 100 + 300));
        for n in 0..200 {
            let (few, many) = (mixture.total(n, line), mixture.total(n + 1, line));
            assert!(few.typical() <= many.typical() && few.high() <= many.high(), "{n}");
        }
    }

    #[test]
    fn what_is_loaded_late_stays() {
        let late = Late { resident: Bytes::mib(90), load_extra: Bytes::mib(200) };
        let mixture = Mixture::new(8.0, &[(2.0, exact(50))], Some(late));
        assert_eq!(mixture.total(0, line).typical(), Bytes::mib(390));
        assert_eq!(mixture.late_loading(), Some(Bytes::mib(200)));
    }
}
