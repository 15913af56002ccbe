//! Requests that come as they do in a service, for the CPU time that they take then: each finds the
//! caches as others left them, and a thread that has to be woken.

use super::{Campaign, ChildRecord};
use crate::measure::drive::{Arrivals, Load};
use crate::measure::protocol::Job;
use crate::measure::schedule::{Errand, HALF_BUSY, Schedule};
use crate::units::Rate;

/// Requests that come at random, at the most: what is noted of them is kept in memory.
const MOST_AT_RANDOM: f64 = 2000.0;

impl Campaign<'_> {
    /// Requests that come at random, where this child is to have some. No more at once than were in
    /// flight before, so that it takes no memory that was not seen; planted costs have no caches.
    pub(super) fn at_random(
        &self,
        errand: Errand,
        schedule: &Schedule,
        record: &ChildRecord,
    ) -> Option<Load> {
        let is_real = matches!(self.job, Job::Service(_)) && self.topology.processes() == 1;
        let seconds = schedule.at_random.get();
        if !is_real || !schedule.is_at_random(errand) || seconds <= 0.0 {
            return None;
        }
        let in_run = self.topology.sharing().most_in_run().map_or(f64::INFINITY, f64::from);
        let rate = HALF_BUSY * self.cores.min(in_run) / record.warm?.request_seconds.get();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let requests = (rate * seconds).clamp(4.0, MOST_AT_RANDOM) as u32;
        Some(Load {
            arrivals: Arrivals::Open(Rate::per_second(rate)),
            requests,
            limit: record.waves.iter().map(|(n, _)| *n).max()?,
            seed: u64::from(record.child),
        })
    }
}
