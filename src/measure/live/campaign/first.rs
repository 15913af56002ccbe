//! The first requests: is it asked as it expects, and which of its processes answer?

use std::time::{Duration, Instant};

use super::drive::row;
use super::{DYING, count};
use crate::footprint::{During, Failure, Level, Round};
use crate::measure::live::LiveError;
use crate::measure::live::client::{Client, Fault};
use crate::measure::live::load::{Crowd, Outcome};
use crate::measure::live::tree::{CpuClock, Root};
use crate::units::Seconds;

/// A process that answers moves its clock by this share of the busiest one's.
const WORKS: f64 = 0.2;

/// Of the time that there is, what finding out which processes answer may take, at the most.
const FOR_WORKERS: f64 = 0.15;

/// What the first requests showed.
pub(super) struct First {
    /// Processes that answer.
    pub workers: u32,
    /// What was the end of it.
    pub failed: Option<Failed>,
    /// What was not answered while it went on.
    pub unanswered: Option<Failed>,
    /// How long it was asked in vain before.
    pub waited: Seconds,
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

/// Lone requests until they are answered as later ones are, then enough for each process to
/// have answered some; how many did.
pub(super) fn requests(
    root: &Root,
    crowd: &mut Crowd,
    (time, up_to): (Seconds, u32),
    patience: Option<Instant>,
    before: impl FnMut() -> bool,
) -> Result<First, LiveError> {
    const LONE: u32 = 3;
    let for_workers = Duration::from_secs_f64((time.get() * FOR_WORKERS).min(3.0));
    let (mut lone, waited) = crowd.first_wave(1, patience, before)?;
    let over = |concurrency, outcome| {
        let failed = Some(Failed { concurrency, outcome });
        Ok(First { workers: 1, failed, unanswered: None, waited })
    };
    if let Some((fault, _)) = lone.faults.first_key_value() {
        std::thread::sleep(DYING);
        // Where it is still there, it is more likely asked wrongly than broken.
        if root.ids().is_ok() {
            let asked = patience.map(|_| waited);
            return Err(LiveError::NoAnswer(explained(fault, crowd.client(), asked)));
        }
    }
    for _ in 1..LONE {
        if lone.failed() == 0 {
            lone.add(&crowd.wave(1)?);
        }
    }
    let ids = match root.ids() {
        Ok(ids) if lone.failed() == 0 => ids,
        _ => return over(1, lone),
    };
    if ids.len() == 1 {
        return Ok(First { workers: 1, failed: None, unanswered: None, waited });
    }
    crowd.keep_connections(false);
    let before = CpuClock::read(&ids);
    // No more than the user allows, whatever belongs to the service.
    let (users, most) = ((count(ids.len()) * 2).min(up_to.max(1)), 40);
    let begun = Instant::now();
    let mut all = None::<Outcome>;
    for wave in 0..most {
        let outcome = crowd.wave(users)?;
        if outcome.failed() > 0 {
            std::thread::sleep(DYING);
            if root.ids().is_err() {
                return over(users, outcome);
            }
        }
        match &mut all {
            Some(all) => all.add(&outcome),
            none => *none = Some(outcome),
        }
        // Each got some by now, or requests take so long that waiting does not pay.
        if wave >= 4 && begun.elapsed() > for_workers {
            break;
        }
    }
    let now = CpuClock::read(&root.ids().unwrap_or_default());
    let workers = count(now.moved(&before, WORKS).len()).max(1);
    crowd.keep_connections(workers == 1);
    let unanswered = all.filter(|all| all.failed() > 0);
    let unanswered = unanswered.map(|outcome| Failed { concurrency: users, outcome });
    Ok(First { workers, failed: None, unanswered, waited })
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
