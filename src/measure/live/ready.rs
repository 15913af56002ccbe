//! A service whose port is open is not always ready: it may answer that it is not (503), or end the
//! connection. It is then asked again until it answers otherwise, or its time is up.

use std::thread;
use std::time::{Duration, Instant};

use super::LiveError;
use super::client::Fault;
use super::load::{Crowd, Outcome};
use crate::units::Seconds;

/// Between two tries, at first and at the most.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

impl Fault {
    /// Whether a service that is about to be ready may answer like this: nobody accepts, the
    /// connection is ended, or a status says "later" (425 Too Early, 429 Too Many Requests, 503
    /// Service Unavailable: RFC 8470, RFC 6585, RFC 9110).
    pub const fn is_not_yet(&self) -> bool {
        matches!(self, Self::Refused | Self::Reset | Self::Status(425 | 429 | 503))
    }
}

impl Crowd {
    /// The first `n` requests to a service that was just started, at the same moment; again while
    /// they are answered as by one that is not ready, until then. `before` is done before each further
    /// try, and ends it where it says that the service is gone. With how long it was asked in vain.
    ///
    /// # Errors
    /// As [`Crowd::wave`].
    pub fn first_wave(
        &mut self,
        n: u32,
        until: Option<Instant>,
        mut before: impl FnMut() -> bool,
    ) -> Result<(Outcome, Seconds), LiveError> {
        let (begun, mut pause) = (Instant::now(), FIRST_PAUSE);
        let mut waited = Duration::ZERO;
        loop {
            let outcome = self.wave(n)?;
            // Some that are answered, at the first try, are of one that has too much to do.
            let is_ready = outcome.answered() > 0 && waited.is_zero();
            let says_later = outcome.failed() > 0 && outcome.faults.keys().all(Fault::is_not_yet);
            let is_early = says_later && !is_ready;
            if !is_early || until.is_none_or(|until| Instant::now() + pause > until) {
                return Ok((outcome, waited.into()));
            }
            thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
            if !before() {
                return Ok((outcome, waited.into()));
            }
            waited = begun.elapsed();
        }
    }
}
