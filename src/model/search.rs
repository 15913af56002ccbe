//! Where something turns over, found by trying: as few trials as halving takes.

/// A search for the place on a line of whole numbers at which an answer changes: `low` before it,
/// `high` from it on. Trials are noisy near it, so what is found is a bracket and not a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Search {
    low: Option<u64>,
    high: Option<u64>,
    least: u64,
    most: u64,
    stride: u64,
}

/// On which side of the place a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Before it.
    Low,
    /// At it or beyond.
    High,
}

impl Search {
    /// Between `least` and `most`, both of which may be tried; the first strides away from what is
    /// guessed are `stride`, at least 1, and double.
    pub fn new(least: u64, most: u64, stride: u64) -> Self {
        Self { low: None, high: None, least, most: most.max(least), stride: stride.max(1) }
    }

    /// What a trial said of `at`.
    pub fn learn(&mut self, at: u64, side: Side) {
        let bound = match side {
            Side::Low => &mut self.low,
            Side::High => &mut self.high,
        };
        *bound = Some(match (side, *bound) {
            (Side::Low, Some(known)) => known.max(at),
            (Side::High, Some(known)) => known.min(at),
            (_, None) => at,
        });
        // Where two trials contradict each other, the later is believed.
        if let (Some(low), Some(high)) = (self.low, self.high)
            && low >= high
        {
            match side {
                Side::Low => self.high = None,
                Side::High => self.low = None,
            }
        }
    }

    /// What to try next, first of all `guess`; `None` where the bracket is no wider than
    /// `resolution`, or the end of what may be tried is reached.
    pub fn next(&mut self, guess: u64, resolution: u64) -> Option<u64> {
        match (self.low, self.high) {
            (None, None) => Some(guess.clamp(self.least, self.most)),
            (Some(low), Some(high)) => (high - low > resolution.max(1)).then(|| low.midpoint(high)),
            (Some(low), None) => {
                let next = low.saturating_add(self.step()).min(self.most);
                (next > low).then_some(next)
            }
            (None, Some(high)) => {
                let next = high.saturating_sub(self.step()).max(self.least);
                (next < high).then_some(next)
            }
        }
    }

    /// The largest number known to be before the place, and the smallest known not to be.
    pub const fn bracket(&self) -> (Option<u64>, Option<u64>) {
        (self.low, self.high)
    }

    fn step(&mut self) -> u64 {
        let step = self.stride;
        self.stride = self.stride.saturating_mul(2);
        step
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Searches for the first number that is at `place` or beyond; what was found, and the trials.
    fn found(place: u64, guess: u64, least: u64, most: u64) -> ((Option<u64>, Option<u64>), u32) {
        let mut search = Search::new(least, most, 2);
        let mut trials = 0;
        while let Some(at) = search.next(guess, 1) {
            assert!((least..=most).contains(&at));
            trials += 1;
            search.learn(at, if at < place { Side::Low } else { Side::High });
        }
        (search.bracket(), trials)
    }

    #[test]
    fn a_place_beyond_the_ends_is_a_bound_and_no_place() {
        assert_eq!(found(1000, 20, 1, 64).0, (Some(64), None));
        assert_eq!(found(0, 20, 1, 64).0, (None, Some(1)));
        assert_eq!(found(5, 5, 5, 5), ((None, Some(5)), 1));
    }

    #[test]
    fn the_later_of_two_trials_that_contradict_each_other_is_believed() {
        let mut search = Search::new(1, 100, 1);
        search.learn(50, Side::High);
        search.learn(60, Side::Low);
        assert_eq!(search.bracket(), (Some(60), None));
        assert_eq!(search.next(1, 1), Some(61));
    }

    proptest! {
        #[test]
        fn the_place_is_found_in_few_trials(place in 2u64..900, guess in 1u64..1000) {
            let (bracket, trials) = found(place, guess, 1, 1000);
            prop_assert_eq!(bracket, (Some(place - 1), Some(place)));
            // Doubling strides and halving: twice the logarithm of the distance, and a little.
            let distance = place.abs_diff(guess) + 2;
            prop_assert!(trials <= 2 * distance.ilog2() + 6);
        }
    }
}
