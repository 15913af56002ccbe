//! Bursts on a service that was just started.

use super::drive;
use super::group::Boxes;
use super::{Campaign, LEAST, STARTS, not_again, what_failed};
use crate::footprint::{During, Failure, Level};
use crate::measure::live::LiveError;
use crate::measure::live::client::Client;
use crate::measure::live::load::Crowd;
use crate::measure::schedule::BURSTS;

/// What the bursts showed.
#[derive(Debug, Default)]
pub(super) struct Bursts {
    /// Requests in flight of each, and its height.
    pub seen: Vec<(u32, Level)>,
    /// How one failed, which ends them.
    pub failure: Option<Failure>,
    /// The user asked for an end.
    pub is_stopped: bool,
}

impl Campaign<'_> {
    /// Bursts of `n`, each on a new start, which takes `one` seconds: a first one if it fits into what
    /// is `left`, more if the other starts fit besides.
    pub(super) fn bursts(
        &self,
        n: u32,
        one: f64,
        left: &dyn Fn() -> f64,
        boxes: &mut Boxes<'_>,
    ) -> Bursts {
        let mut bursts = Bursts::default();
        let others = f64::from(STARTS - 1) * (one * 2.0 + LEAST);
        while bursts.seen.len() < BURSTS {
            let reserve = if bursts.seen.is_empty() { 0.0 } else { others };
            if left() <= one * 1.5 + reserve {
                break;
            }
            match self.burst(n, boxes) {
                Ok(Ok(burst)) => bursts.seen.push(burst),
                Ok(Err(failure)) => bursts.failure = Some(failure),
                // What is there is an answer.
                Err(LiveError::Interrupted) => bursts.is_stopped = true,
                Err(error) => bursts.failure = Some(not_again(&error, 1)),
            }
            if bursts.failure.is_some() || bursts.is_stopped {
                break;
            }
        }
        bursts
    }

    /// A wave on a service that was just started: its height, or how it failed.
    fn burst(
        &self,
        n: u32,
        boxes: &mut Boxes<'_>,
    ) -> Result<Result<(u32, Level), Failure>, LiveError> {
        (self.tell)(&format!("a cold burst of {n}"));
        let subject = self.subject(boxes)?;
        let mut crowd = Crowd::new(Client::new(self.live)?, self.interrupt);
        subject.root.reset_marks();
        let outcome = crowd.wave(n)?;
        match subject.root.standing() {
            Ok(standing) if outcome.failed() == 0 => Ok(Ok((n, standing.peak()))),
            Err(error) if !error.is_end() => Err(error),
            _ => {
                let row = drive::row(n, 1, 0, Level::default(), &outcome);
                let what = what_failed(&subject.root, &row.errors_told());
                Ok(Err(Failure { concurrency: n, start: 1, phase: During::ColdBurst, what }))
            }
        }
    }
}
