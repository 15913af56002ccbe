//! What a time budget buys: which children measure which concurrencies. No I/O; numbers in,
//! schedule out.
//!
//! The minimum is never skipped: three children at N = 1, 2, 4, one cold burst, and one child that
//! checks the fit at a concurrency that it was not made from. The check comes right after the first
//! ladder, so that a measurement that is stopped early is a validated one. The budget then buys, in
//! this order: a larger held-out N, more cold bursts, more checks, waves until the peak is flat, a
//! larger N, more repeats.

use crate::units::Seconds;

/// Children that measure the ladder, and children that check the fit.
pub const CHILDREN: u32 = 3;

/// The concurrency at which the fit is checked: twice the largest that it is ever made from.
pub const HELD_OUT: u32 = 16;

/// The same where there is no time for more: twice the largest of the shortest ladder.
const LEAST_HELD_OUT: u32 = 8;

/// Cold bursts where there is time: what first requests take in a new process is a matter of the order
/// in which they allocate, and one burst says nothing of how much the next may differ.
pub const BURSTS: usize = 3;

/// The largest concurrency that the fit is made from before it is checked.
pub const FIT_UP_TO: u32 = 8;

/// Blocks of waves after which a mark that still grows is taken as it is.
const MANY_BLOCKS: u32 = 12;
/// Blocks that a flat mark takes at the least.
const FEW_BLOCKS: u32 = 4;
/// Shortest block of waves, seconds: short requests meet often enough to overlap.
pub const BLOCK_SECONDS: f64 = 0.04;

/// Waves in which all are held in `Run`: one may stop a run where it holds a lock that others wait
/// for, and then not all are under way.
pub const HELD_WAVES: u32 = 2;

/// Of the CPUs, the share that requests which come at random keep busy: each mostly finds a CPU, and
/// caches that something else has used since.
pub const HALF_BUSY: f64 = 0.5;

/// How fast the subject is on this machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// From the start of a child to the end of its warm-up.
    pub start_seconds: f64,
    /// One request alone.
    pub request_seconds: f64,
    /// CPUs of this machine.
    pub cores: f64,
}

/// What one child does after it is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Errand {
    /// Stages, then the rising concurrencies that the fit is made from; then what is lazy is
    /// loaded. All requests are of the most frequent kind.
    Ladder,
    /// The same for another kind of request, of which there are two or more; 1 is the second.
    Kind(usize),
    /// A burst on a service that was not warmed up, of mixed requests.
    Cold,
    /// The held-out concurrency, of the most frequent kind.
    Check,
    /// The held-out concurrency, of mixed requests.
    Mix,
    /// A concurrency beyond all others, for what is left of the budget.
    Far(u32),
}

impl Errand {
    /// Whether its waves are of the most frequent kind, on a warm service in which nothing lazy is
    /// loaded.
    pub const fn is_of_the_first_kind(self) -> bool {
        matches!(self, Self::Ladder | Self::Check | Self::Far(_))
    }
}

/// What is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Kinds of requests, 1 or more.
    pub kinds: usize,
    /// Rising concurrencies of each ladder child.
    pub ladder: Vec<u32>,
    /// Bursts on services that were not warmed up, each in a process of its own: 1 or more.
    pub bursts: usize,
    /// Processes that check the fit: 1 or more.
    pub checks: usize,
    /// The concurrency of the checks, and of the cold bursts.
    pub held_out: u32,
    /// Blocks of waves at the most, on the ladder.
    pub max_blocks: u32,
    /// The same for the larger concurrencies, where a wave takes longest.
    pub max_check_blocks: u32,
    /// Time for the stages in each ladder child.
    pub stages: Seconds,
    /// Time for requests that come at random, in each child that has them; 0 for none.
    pub at_random: Seconds,
}

impl Schedule {
    /// What is measured however small the budget.
    pub fn minimum(kinds: usize) -> Self {
        Self {
            kinds,
            ladder: vec![1, 2, 4],
            bursts: 1,
            checks: 1,
            held_out: LEAST_HELD_OUT,
            max_blocks: 1,
            max_check_blocks: 1,
            stages: Seconds::new(0.1),
            at_random: Seconds::ZERO,
        }
    }

    /// The most that fits `budget`, in the order of what is worth most.
    pub fn within(budget: Seconds, pace: &Pace, kinds: usize) -> Self {
        let mut best = Self::minimum(kinds);
        let upgrades: [fn(&mut Self); 11] = [
            |s| s.held_out = HELD_OUT,
            |s| s.bursts = BURSTS,
            |s| s.checks = CHILDREN as usize,
            |s| s.max_blocks = FEW_BLOCKS,
            |s| s.max_check_blocks = FEW_BLOCKS,
            |s| s.at_random = Seconds::new(0.4),
            |s| s.ladder = vec![1, 2, 4, FIT_UP_TO],
            |s| s.stages = Seconds::new(0.3),
            |s| s.at_random = Seconds::new(1.0),
            |s| s.max_blocks = MANY_BLOCKS,
            |s| s.max_check_blocks = MANY_BLOCKS,
        ];
        for upgrade in upgrades {
            let mut better = best.clone();
            upgrade(&mut better);
            if better.expected(pace).get() > budget.get() {
                break;
            }
            best = better;
        }
        best
    }

    /// The same with this many requests more in flight throughout.
    #[must_use]
    pub fn shifted(mut self, more: u32) -> Self {
        self.ladder.iter_mut().chain([&mut self.held_out]).for_each(|n| *n += more);
        self
    }

    /// The children in the order in which they run: one of each first, as the check says whether
    /// the fit can be trusted and the cold burst decides verdicts; repeats, which only narrow
    /// intervals, come last.
    pub fn errands(&self) -> Vec<Errand> {
        let mut errands = vec![Errand::Ladder, Errand::Check, Errand::Cold];
        errands.extend([Errand::Ladder; CHILDREN as usize - 1]);
        for kind in 1..self.kinds {
            errands.extend([Errand::Kind(kind); CHILDREN as usize]);
        }
        if self.kinds > 1 {
            errands.extend(vec![Errand::Mix; self.checks]);
        }
        errands.extend(vec![Errand::Check; self.checks.saturating_sub(1)]);
        errands.extend(vec![Errand::Cold; self.bursts.saturating_sub(1)]);
        errands
    }

    /// Whether a child of this errand ends with requests that come at random: of all kinds, so that
    /// all models must be loaded.
    pub const fn is_at_random(&self, errand: Errand) -> bool {
        match errand {
            Errand::Ladder => self.kinds == 1,
            Errand::Mix => true,
            _ => false,
        }
    }

    /// How long it takes, as far as can be known before.
    pub fn expected(&self, pace: &Pace) -> Seconds {
        self.errands()
            .iter()
            .map(|e| self.child_seconds(*e, pace))
            .fold(Seconds::ZERO, |a, b| a + b)
    }

    /// How long one child takes.
    pub fn child_seconds(&self, errand: Errand, pace: &Pace) -> Seconds {
        let wave = |n: u32| {
            let n = f64::from(n);
            (pace.request_seconds * n / n.min(pace.cores)).max(0.001)
        };
        // A mark is mostly flat when it can first be known to be.
        let waves = |n: u32, blocks: u32| {
            let blocks = f64::from(blocks.min(FEW_BLOCKS)) * wave(n).max(BLOCK_SECONDS);
            f64::from(HELD_WAVES) * wave(n) + blocks
        };
        let at_random = if self.is_at_random(errand) { self.at_random.get() } else { 0.0 };
        let work = match errand {
            Errand::Ladder | Errand::Kind(_) => {
                let ladder = self.ladder.iter().map(|&n| waves(n, self.max_blocks));
                self.stages.get() + at_random + ladder.sum::<f64>()
            }
            Errand::Cold => wave(self.held_out),
            Errand::Check | Errand::Mix => at_random + waves(self.held_out, self.max_check_blocks),
            Errand::Far(n) => waves(n, self.max_check_blocks),
        };
        Seconds::new(pace.start_seconds + work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESNET: Pace = Pace { start_seconds: 0.7, request_seconds: 0.06, cores: 2.0 };

    #[test]
    fn the_minimum_is_never_skipped() {
        let slow = Pace { start_seconds: 30.0, request_seconds: 5.0, cores: 1.0 };
        let schedule = Schedule::within(Seconds::new(1.0), &slow, 1);
        assert_eq!(schedule, Schedule::minimum(1));
        let [ladder, check, cold] = [Errand::Ladder, Errand::Check, Errand::Cold];
        assert_eq!(schedule.errands(), [ladder, check, cold, ladder, ladder]);
        assert!(schedule.held_out > *schedule.ladder.last().unwrap());
    }

    #[test]
    fn each_kind_of_request_has_its_children() {
        let schedule = Schedule { checks: 3, ..Schedule::minimum(3) };
        let count = |e: Errand| schedule.errands().iter().filter(|f| **f == e).count();
        let errands =
            [Errand::Ladder, Errand::Kind(1), Errand::Kind(2), Errand::Check, Errand::Mix];
        assert_eq!(errands.map(count), [3; 5]);
        assert_eq!(count(Errand::Cold), 1);
    }

    #[test]
    fn the_budget_buys_a_far_check_first() {
        let minimum = Schedule::minimum(1).expected(&RESNET).get();
        let mut seen = Vec::new();
        for tenths in 0..600 {
            let schedule = Schedule::within(Seconds::new(f64::from(tenths) / 10.0), &RESNET, 1);
            assert!(schedule.expected(&RESNET).get() <= (f64::from(tenths) / 10.0).max(minimum));
            // Whatever the budget, the check comes before any repeat.
            assert_eq!(schedule.errands()[..2], [Errand::Ladder, Errand::Check]);
            if seen.last() != Some(&schedule) {
                seen.push(schedule);
            }
        }
        assert_eq!(seen[0], Schedule::minimum(1));
        for schedule in &seen[1..] {
            assert_eq!(schedule.held_out, 16, "{schedule:?}");
            // What decides verdicts comes before what only narrows an interval.
            assert!(schedule.bursts == 3 || schedule.checks == 1, "{schedule:?}");
            assert!(schedule.checks == 3 || schedule.max_blocks == 1, "{schedule:?}");
            assert!(!schedule.ladder.contains(&8) || schedule.max_blocks > 1, "{schedule:?}");
        }
        let last = seen.last().unwrap();
        assert!(last.ladder.contains(&8) && last.max_check_blocks == MANY_BLOCKS, "{last:?}");
    }
}
