//! Trials that are judged: each beside the same one without a limit.

use std::collections::HashMap;

use anyhow::bail;

use super::{BOTH, ended};
use crate::commands::printer::Printer;
use crate::footprint::{Ending, Observation, Temper};
use crate::measure::control_group::Limits;
use crate::measure::trial::Trials;
use crate::plan::verification::{Outcome, THRASHED, Tried, came_through, is_noise, outcome};
use crate::units::{Bytes, Cpus, Seconds};

/// How often a trial is made that was slow for another reason than memory.
const TRIES: u32 = 3;

/// A trial is given up when it has taken this many times as long as without a limit, and at least
/// this long more: what is not killed by then crawls, and may do so for hours.
const PATIENCE: f64 = 2.0 * THRASHED;
const LEAST_PATIENCE: f64 = 10.0;

/// What became of a service, warm and cold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// All was answered, however late.
    pub came_through: bool,
    /// All was answered in time.
    pub held: bool,
}

/// See the module.
pub struct Bench<'a> {
    /// The service.
    pub trials: Trials<'a>,
    cpus: Option<Cpus>,
    printer: &'a Printer,
    with_cold: bool,
    unlimited: HashMap<(u32, Temper), Observation>,
    count: u32,
    /// All that was judged, in its order.
    pub judged: Vec<Tried>,
}

impl<'a> Bench<'a> {
    pub fn new(
        trials: Trials<'a>,
        cpus: Option<Cpus>,
        printer: &'a Printer,
        with_cold: bool,
    ) -> Self {
        Self {
            trials,
            cpus,
            printer,
            with_cold,
            unlimited: HashMap::new(),
            count: 0,
            judged: Vec::new(),
        }
    }

    /// How requests come in turn.
    pub fn tempers(&self) -> &'static [Temper] {
        if self.with_cold { &BOTH } else { &BOTH[..1] }
    }

    /// The CPUs of the box, and this limit.
    pub fn limits(&self, ram: Option<Bytes>) -> Limits {
        Limits { ram, cpus: self.cpus }
    }

    /// One trial and its judgement.
    pub fn judge(&mut self, n: u32, temper: Temper, limit: Bytes) -> anyhow::Result<Tried> {
        let mut unlimited = self.unlimited(n, temper)?;
        for last in 1..=TRIES {
            self.say(n, temper, Some(limit));
            let patience = self.patience(n, temper, Seconds::ZERO)?;
            let limits = self.limits(Some(limit));
            let observation = self.trials.run(n, temper, limits, Some(patience)).map_err(ended)?;
            let outcome = outcome(&observation, unlimited.wall);
            let tried = Tried {
                temper,
                concurrency: n,
                limit,
                observation,
                unlimited: unlimited.wall,
                outcome,
            };
            if outcome != Outcome::Thrashed || last == TRIES || !is_noise(&observation, &unlimited)
            {
                self.judged.push(tried);
                return Ok(tried);
            }
            // The machine has become slower: what it takes without a limit is measured again.
            self.unlimited.remove(&(n, temper));
            unlimited = self.unlimited(n, temper)?;
        }
        unreachable!("the last try is returned")
    }

    /// How long it is waited for `n` requests, and for what takes so long `then`.
    pub fn patience(&mut self, n: u32, temper: Temper, then: Seconds) -> anyhow::Result<Seconds> {
        let expected = self.unlimited(n, temper)?.wall.get() + then.get();
        Ok(Seconds::new((expected * PATIENCE).max(expected + LEAST_PATIENCE)))
    }

    /// Whether all tempers came through, and whether all held; the rest is not tried once one did not
    /// come through.
    pub fn fate(&mut self, n: u32, limit: Bytes) -> anyhow::Result<Fate> {
        let mut fate = Fate { came_through: true, held: true };
        for temper in self.tempers() {
            let tried = self.judge(n, *temper, limit)?;
            fate.held &= tried.outcome == Outcome::Held;
            fate.came_through &= came_through(&tried.observation);
            if !fate.came_through {
                break;
            }
        }
        Ok(fate)
    }

    /// What it takes with the CPUs of the box and all the memory there is.
    fn unlimited(&mut self, n: u32, temper: Temper) -> anyhow::Result<Observation> {
        if let Some(known) = self.unlimited.get(&(n, temper)) {
            return Ok(*known);
        }
        self.say(n, temper, None);
        let limits = self.limits(None);
        let seen = self.trials.run(n, temper, limits, None).map_err(ended)?;
        if seen.ending != Ending::Finished {
            bail!(
                "{n} at once could not be tried: without a limit of memory they were not all answered in \
                 the time that a request may take (--timeout)"
            );
        }
        self.unlimited.insert((n, temper), seen);
        Ok(seen)
    }

    fn say(&mut self, n: u32, temper: Temper, limit: Option<Bytes>) {
        self.count += 1;
        let how = match temper {
            Temper::Warm => "warm",
            Temper::Cold => "cold burst",
        };
        let limit = limit.map_or_else(|| "no limit".to_owned(), |limit| limit.to_string());
        self.printer.info(&format!("trial {}: {n} at once, {how}, {limit}", self.count));
    }
}
