//! The level at rest, again and again while requests are answered: does it rise for ever?

use std::time::{Duration, Instant};

use super::drive::{Driver, row};
use super::what_failed;
use crate::footprint::{During, Failure, Level, Round};
use crate::measure::live::LiveError;
use crate::measure::live::load::Outcome;
use crate::measure::live::tree::Root;
use crate::model::live::FEWEST_LEVELS;
use crate::units::Seconds;

/// Looks at the level, at least for a line and its two halves.
const BLOCKS: usize = 16;
/// Requests in flight meanwhile, at the most: what leaks does so whatever their number.
const USERS: u32 = 4;
/// Requests of a block, at the least, and what that is for a service that has no time for it.
const LEAST: f64 = 8.0;
const LEAST_OF_SLOW: f64 = 2.0;
/// Blocks that are made even where they take longer than they should, by so much.
const PATIENCE: f64 = 1.5;
/// A level is read when nothing has been in flight for so long.
const REST: Duration = Duration::from_millis(30);

/// What was seen of the level.
#[derive(Default)]
pub(super) struct Rested {
    /// Requests answered so far, and anonymous bytes at rest.
    pub levels: Vec<(f64, f64)>,
    /// All of it, as a round.
    pub round: Option<Round>,
    /// The load that it could not stand.
    pub failure: Option<Failure>,
    /// An end was asked for; what was seen until then is too little.
    pub is_stopped: bool,
}

impl Driver<'_> {
    /// Looks again and again, for so long.
    pub fn rested(&mut self, rounds: &[Round], time: Seconds) -> Result<Rested, LiveError> {
        match self.levels(rounds, time) {
            Err(LiveError::Interrupted) => Ok(Rested { is_stopped: true, ..Rested::default() }),
            rested => rested,
        }
    }

    fn levels(&mut self, rounds: &[Round], time: Seconds) -> Result<Rested, LiveError> {
        let mut rested = Rested::default();
        let Some(most) = rounds.iter().map(|r| r.concurrency).max() else { return Ok(rested) };
        let most = USERS.min(most);
        let rate = rounds.iter().filter(|r| r.concurrency <= most).map(|r| r.throughput.get());
        let rate = rate.fold(0.0, f64::max);
        #[expect(clippy::cast_precision_loss, reason = "a handful of blocks")]
        let [of_all, of_fewest] = [BLOCKS, FEWEST_LEVELS].map(|n| rate * time.get() / n as f64);
        let each = of_all.max(LEAST.min(of_fewest)).max(LEAST_OF_SLOW);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let users = most.min(each.clamp(1.0, LEAST) as u32);
        // A service that is too slow for all blocks gets as many as there is time for.
        let until = Instant::now() + Duration::from_secs_f64(time.get() * PATIENCE);
        let mut all = None::<Outcome>;
        let (mut peak, mut before) = (Level::default(), self.answered);
        for _ in 0..BLOCKS {
            self.usage.reset_marks();
            let _ = self.watch.take();
            let outcome = match self.without_a_pause(users, each) {
                // What was seen until then may be enough.
                Err(LiveError::NoRoom(_)) => break,
                outcome => outcome?,
            };
            let all = match &mut all {
                Some(all) => {
                    all.add(&outcome);
                    &*all
                }
                none => none.insert(outcome),
            };
            let blocks = Round { control: true, ..row(users, self.start, before, peak, all) };
            let failed = |root: &Root| {
                let what = what_failed(root, &blocks.errors_told());
                Failure { concurrency: users, start: self.start, phase: During::Growth, what }
            };
            if !blocks.stood() {
                rested.failure = Some(failed(&self.usage.root));
                break;
            }
            std::thread::sleep(REST);
            let level = match self.usage.standing() {
                Ok(standing) => {
                    let now = self.usage.peak(&standing, &self.watch.take(), self.peaks_by);
                    if now.total() > peak.total() {
                        (peak, before) = (now, self.answered);
                    }
                    standing.lasting()
                }
                Err(error) if error.is_end() => {
                    rested.failure = Some(failed(&self.usage.root));
                    break;
                }
                Err(error) => return Err(error),
            };
            self.read(level);
            #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
            rested.levels.push((self.answered as f64, level.as_f64()));
            rested.round = Some(Round { before, peak, ..blocks });
            if Instant::now() > until {
                break;
            }
        }
        Ok(rested)
    }
}
