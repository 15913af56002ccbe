//! RAM against requests in flight where somebody has said what each part costs.

use super::mix::whole_requests;
use super::ram::{Capacity, MAX_CONCURRENCY, largest};
use crate::units::{Bytes, Span};

/// `RAM(N) = base + N × buffer`, of declared parts. Of several kinds of requests, N is split in
/// whole ones by their shares.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredRam {
    base: Span<Bytes>,
    buffer: Span<Bytes>,
    kinds: Vec<(f64, Bytes)>,
}

impl DeclaredRam {
    /// From what all requests share, what each adds, and the share and the typical buffer of each
    /// kind of requests (none where they are alike), the most frequent first. No kind is outside of what
    /// a request adds.
    pub fn new(base: Span<Bytes>, buffer: Span<Bytes>, kinds: Vec<(f64, Bytes)>) -> Self {
        let (mut low, mut high) = (buffer.low(), buffer.high());
        for (_, bytes) in &kinds {
            low = low.min(*bytes);
            high = high.max(*bytes);
        }
        let buffer = Span::around(low, buffer.typical(), high, buffer.source());
        Self { base, buffer, kinds }
    }

    /// What all requests share.
    pub const fn base(&self) -> Span<Bytes> {
        self.base
    }

    /// What each adds, whatever its kind.
    pub const fn buffer(&self) -> Span<Bytes> {
        self.buffer
    }

    /// What each adds in the mean of the kinds.
    pub fn mean_buffer(&self) -> Span<Bytes> {
        if self.kinds.is_empty() {
            return self.buffer;
        }
        let mean = self.kinds.iter().map(|(share, bytes)| share * bytes.as_f64()).sum();
        Span::around(
            self.buffer.low(),
            Bytes::from_f64(mean),
            self.buffer.high(),
            self.buffer.source(),
        )
    }

    /// How many of `n` requests are of each kind.
    pub fn split(&self, n: u32) -> Vec<u32> {
        let shares: Vec<f64> = self.kinds.iter().map(|(share, _)| *share).collect();
        if shares.is_empty() { vec![n] } else { whole_requests(&shares, n) }
    }

    /// What `n` requests add: typically by their kinds, at the ends as if all were alike.
    pub fn buffers(&self, n: u32) -> Span<Bytes> {
        let alike = self.buffer.map(|bytes| bytes * u64::from(n));
        if self.kinds.is_empty() {
            return alike;
        }
        let split = self.split(n);
        let typical = split.iter().zip(&self.kinds).map(|(n, (_, b))| *b * u64::from(*n)).sum();
        Span::around(alike.low(), typical, alike.high(), alike.source())
    }

    /// Base and buffers.
    pub fn total(&self, n: u32) -> Span<Bytes> {
        self.base.zip(&self.buffers(n), |a, b| a + b)
    }

    /// The most requests in flight that fit `limit`.
    pub fn max_concurrency(&self, limit: Bytes) -> Capacity {
        // The ends are of requests that are all alike: only what is expected splits them.
        let alike = |end: fn(&Span<Bytes>) -> Bytes| {
            largest(|n| end(&self.base) + end(&self.buffer) * u64::from(n) <= limit)
        };
        let (low, high) = (alike(Span::high), alike(Span::low));
        let typical =
            if self.kinds.is_empty() { alike(Span::typical) } else { self.largest_mix(limit) };
        Capacity { low, typical: typical.max(low), high: high.max(typical) }
    }
}

impl DeclaredRam {
    /// The most requests of the mix. Among thousands one more may take a little less, because the split
    /// is rounded there: those next to the place where it turns over are tried, too.
    fn largest_mix(&self, limit: Bytes) -> u32 {
        let fits = |n: u32| self.total(n).typical() <= limit;
        let mut n = largest(fits);
        while n < MAX_CONCURRENCY && fits(n + 1) {
            n += 1;
        }
        n
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Source;

    fn exact(mib: u64) -> Span<Bytes> {
        Span::exact(Bytes::mib(mib), Source::Declared)
    }

    #[test]
    fn a_mix_is_split_in_whole_requests() {
        let kinds = vec![(0.8, Bytes::mib(12)), (0.2, Bytes::mib(18))];
        let ram = DeclaredRam::new(exact(147), exact(15), kinds);
        assert_eq!(ram.split(5), [4, 1]);
        assert_eq!(ram.total(1).typical(), Bytes::mib(159));
        assert_eq!(ram.total(5).typical(), Bytes::mib(213));
        assert_eq!(ram.total(100).typical(), Bytes::mib(1467));
        assert_eq!(ram.mean_buffer().typical(), Bytes::from_f64(13.2 * 1_048_576.0));
    }

    proptest::proptest! {
        #[test]
        fn the_largest_mix_fits_and_one_more_does_not(limit in 1u64..20_000, share in 0.01..0.99f64, a in 1u64..90, b in 1u64..90) {
            let kinds = vec![(share, Bytes::mib(a)), (1.0 - share, Bytes::mib(b))];
            let ram = DeclaredRam::new(exact(147), exact(15), kinds);
            let n = ram.largest_mix(Bytes::mib(limit));
            proptest::prop_assert!(n == 0 || ram.total(n).typical() <= Bytes::mib(limit));
            proptest::prop_assert!(ram.total(n + 1).typical() > Bytes::mib(limit));
        }
    }

    #[test]
    fn capacity_is_rounded_down_and_decided_by_high_costs() {
        let buffer =
            Span::around(Bytes::mib(230), Bytes::mib(295), Bytes::mib(360), Source::Declared);
        let ram = DeclaredRam::new(exact(900), buffer, Vec::new());
        let holds = ram.max_concurrency(Bytes::mib(2000));
        assert_eq!((holds.low, holds.typical, holds.high), (3, 3, 4));
        assert_eq!(ram.max_concurrency(Bytes::mib(1000)).high, 0);
    }
}
