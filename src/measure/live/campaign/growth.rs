//! The level at rest, again and again while requests are answered: does it rise for ever?

use std::time::{Duration, Instant};

use super::drive::Driver;
use crate::footprint::Round;
use crate::measure::live::LiveError;
use crate::units::Seconds;

/// Looks at the level, at least for a line and its two halves.
const BLOCKS: usize = 16;
/// Requests in flight meanwhile, at the most: what leaks does so whatever their number.
const USERS: u32 = 4;
/// Requests of a block, at the least.
const LEAST: f64 = 8.0;
/// A level is read when nothing has been in flight for so long.
const REST: Duration = Duration::from_millis(30);

impl Driver<'_> {
    /// Requests answered so far, and anonymous bytes at rest.
    pub fn levels(
        &mut self,
        rounds: &[Round],
        time: Seconds,
    ) -> Result<Vec<(f64, f64)>, LiveError> {
        let mut levels = Vec::new();
        let Some(last) = rounds.last() else { return Ok(levels) };
        let users = USERS.min(last.concurrency);
        let rate = rounds.iter().filter(|r| r.concurrency <= users).map(|r| r.throughput.get());
        let rate = rate.fold(0.0, f64::max);
        #[expect(clippy::cast_precision_loss, reason = "a handful of blocks")]
        let each = (rate * time.get() / BLOCKS as f64).max(LEAST);
        // A service that is too slow for all blocks gets as many as there is time for.
        let until = Instant::now() + Duration::from_secs_f64(time.get() * 2.0);
        for _ in 0..BLOCKS {
            let outcome = self.without_a_pause(users, each)?;
            if outcome.failed() > 0 || Instant::now() > until {
                break;
            }
            std::thread::sleep(REST);
            let level = self.root.standing()?.level.anon_bytes.as_f64();
            #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
            levels.push((self.answered as f64, level));
        }
        Ok(levels)
    }
}
