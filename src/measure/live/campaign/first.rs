//! The first requests, one after the other: is it asked as it expects, and what does the very first take?

use std::time::Instant;

use super::DYING;
use super::drive::row;
use crate::footprint::{During, Failure, Level, PeaksBy, Round};
use crate::measure::live::LiveError;
use crate::measure::live::client::{Client, Fault};
use crate::measure::live::load::{Crowd, Outcome};
use crate::measure::live::tree::CpuClock;
use crate::measure::live::usage::Usage;
use crate::measure::live::watch::Watch;
use crate::units::Seconds;

/// Lone requests until they are answered as later ones are.
const LONE: usize = 3;

/// What the first requests showed.
pub(super) struct First {
    /// Those that were answered.
    pub answers: Vec<Answer>,
    /// What was the end of it.
    pub failed: Option<Failed>,
    /// How long it was asked in vain before.
    pub waited: Seconds,
}

/// What one of the first answers took, with no other request in flight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// The peak of memory.
    pub peak: Level,
    /// CPU time of the service.
    pub cpu: Seconds,
    /// From when it was asked to the last byte.
    pub latency: Seconds,
}

/// So many in flight that were not all answered.
pub(super) struct Failed {
    pub concurrency: u32,
    pub outcome: Outcome,
}

impl Failed {
    /// A row of the table for it, and how it failed: the errors alone, without what became of the
    /// service.
    pub fn told(&self, start: u32, level: Level, phase: During) -> (Round, Failure) {
        let row = row(self.concurrency, start, 0, level, &self.outcome);
        let what = row.errors_told();
        (row, Failure { concurrency: self.concurrency, start, phase, what })
    }
}

/// A few lone requests. Nothing is in flight beside them, so that a service at rest is as it was found:
/// which of its processes answer, the rounds tell.
pub(super) fn requests(
    usage: &Usage,
    watch: &Watch,
    crowd: &mut Crowd,
    patience: Option<Instant>,
    mut before: impl FnMut() -> bool,
) -> Result<First, LiveError> {
    let (mut answers, mut waited) = (Vec::new(), Seconds::ZERO);
    let over = |answers, waited, outcome| {
        let failed = Some(Failed { concurrency: 1, outcome });
        Ok(First { answers, failed, waited })
    };
    for number in 0..LONE {
        let mut by = PeaksBy::Looks;
        let mut clock = CpuClock::read(&[]);
        let mut reset = || {
            by = if usage.reset_marks() { PeaksBy::Marks } else { PeaksBy::Looks };
            let _ = watch.take();
            clock = CpuClock::read(&usage.root.ids().unwrap_or_default());
        };
        reset();
        let outcome = if number == 0 {
            let again = || {
                let is_there = before();
                reset();
                is_there
            };
            let (outcome, in_vain) = crowd.first_wave(1, patience, again)?;
            waited = in_vain;
            outcome
        } else {
            crowd.wave(1)?
        };
        if let Some((fault, _)) = outcome.faults.first_key_value() {
            std::thread::sleep(DYING);
            // Where it is still there, it is more likely asked wrongly than broken.
            if number == 0 && usage.root.ids().is_ok() {
                let asked = patience.map(|_| waited);
                return Err(LiveError::NoAnswer(explained(fault, crowd.client(), asked)));
            }
            return over(answers, waited, outcome);
        }
        let cpu = CpuClock::read(&usage.root.ids().unwrap_or_default()).since(&clock);
        match usage.standing() {
            Ok(standing) => {
                let peak = usage.peak(&standing, &watch.take(), by);
                answers.push(Answer { peak, cpu, latency: outcome.longest() });
            }
            Err(error) if error.is_end() => return over(answers, waited, outcome),
            Err(error) => return Err(error),
        }
    }
    Ok(First { answers, failed: None, waited })
}

/// What a lone request that fails may mean; `asked` is how long it was asked again after its port was
/// open, where that says that a service can be asked.
fn explained(fault: &Fault, client: &Client, asked: Option<Seconds>) -> String {
    let what = match fault {
        Fault::Refused => "nobody listens at the address".to_owned(),
        Fault::Reset => "the connection ended without an answer".to_owned(),
        Fault::Status(code) => format!("it answers with status {code}"),
        Fault::Timeout => {
            let patience = Seconds::from(client.timeout());
            return format!("no answer within {patience}; --timeout waits longer");
        }
        Fault::Other(what) if what.contains("certificate") => {
            return format!(
                "{what}; --ca names the certificates (PEM) of who signed the service's own"
            );
        }
        Fault::Other(what) => return what.clone(),
    };
    match (fault, asked) {
        (Fault::Status(300..400), _) => {
            format!("{what}, and redirects are not followed: name the address that it leads to")
        }
        (fault, Some(asked)) if fault.is_not_yet() => format!(
            "{what}, also {asked} after its port was open: --ready names what says that it can be \
             asked (an address that answers with success, another port, a text of its output), and \
             --start-timeout waits longer"
        ),
        (Fault::Status(425 | 429 | 503), None) => {
            format!("{what}: it is not ready, or has too much to do")
        }
        (Fault::Status(_), _) => format!(
            "{what}: is the request what it expects? See --method, --header, --body, --form and --json"
        ),
        _ => what,
    }
}
