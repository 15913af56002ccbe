//! A budget held against what was measured: each rule is within, over, or not to be told yet.
//!
//! The whole interval counts. Where all of it is on one side of the limit the rule is decided; where
//! it straddles the limit it is not, and what would decide is said.

mod growth;
mod why;

use super::{Plan, PlanError, Question};
use crate::footprint::Footprint;
use crate::service::{Limit, Rule};
use crate::units::{Bytes, Rate, Seconds, Source, Span};

pub use growth::{Difference, Grown, Part, Side, comparable, differences, grown};
pub use why::{Change, Remedy, Why, why};

/// What a rule is held against.
pub struct Evidence<'a> {
    /// The service's name.
    pub service: &'a str,
    /// What was measured; `None` where costs are declared.
    pub footprint: Option<&'a Footprint>,
    /// What it was, with which growth is compared.
    pub baseline: Option<&'a Footprint>,
    /// Whether the service is warmed up before it gets traffic.
    pub warmed: bool,
    /// Whether the footprint came with the profile, so that it is measured again only if asked.
    pub is_brought: bool,
    /// The RAM that there was for the measurement, where it was made here.
    pub room: Option<Bytes>,
    /// Answers a question about the service.
    pub ask: &'a dyn Fn(&Question) -> Result<Plan, PlanError>,
}

/// A value and what it may be.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// Memory or a file.
    Bytes(Span<Bytes>),
    /// CPU time.
    Seconds(Span<Seconds>),
    /// Requests a second.
    Rate(Span<Rate>),
    /// What has grown, the worst first; one at least.
    Growth(Vec<Grown>),
}

/// How a rule ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome {
    /// Kept.
    Within,
    /// Broken.
    Over,
    /// The interval straddles the limit.
    Undecided(Doubt),
}

/// What would decide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Doubt {
    /// Measuring so many times as long.
    Longer(f64),
    /// Nothing of the kind: processes differ by more than the distance to the limit.
    TooClose,
    /// Saying it more closely: the interval is what somebody declared.
    Declared,
    /// Measuring at all: there is no value, and the finding says why.
    Trouble,
}

/// What it took to measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effort {
    /// How long it was given.
    pub budget: Seconds,
    /// Whether it came with the profile, so that it is measured again only if asked.
    pub is_brought: bool,
}

/// A rule that was held.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Whose.
    pub service: String,
    /// Which.
    pub rule: Rule,
    /// How it ends.
    pub outcome: Outcome,
    /// What was found; `None` where the measurement was killed before there was anything.
    pub reading: Option<Reading>,
    /// The kernel ended the measurement with so many requests in flight; 0 while loading.
    pub killed: Option<u32>,
    /// Why there is no value, where there is none and the kernel did not end the measurement.
    pub trouble: Option<String>,
    /// What it took to measure, if that is known.
    pub effort: Option<Effort>,
    /// Where the bytes are and what to do.
    pub why: Why,
}

/// A whole budget that was held.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// In the order of the budget.
    pub findings: Vec<Finding>,
    /// Whether what is undecided counts as broken.
    pub strict: bool,
    /// What the reader should know, in words.
    pub notes: Vec<String>,
}

/// How a budget ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every rule is kept.
    Within,
    /// One is broken at least.
    Over,
    /// None is broken, and one is not to be told yet.
    Undecided,
}

impl Ended {
    /// As it is written in the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Within => "within",
            Self::Over => "over",
            Self::Undecided => "undecided",
        }
    }
}

impl Outcome {
    /// The rule's part in how the budget ends.
    pub const fn ended(&self) -> Ended {
        match self {
            Self::Within => Ended::Within,
            Self::Over => Ended::Over,
            Self::Undecided(_) => Ended::Undecided,
        }
    }
}

impl Checked {
    /// How the whole ends.
    pub fn ended(&self) -> Ended {
        let any = |ended| self.findings.iter().any(|f| f.outcome.ended() == ended);
        match () {
            () if any(Ended::Over) => Ended::Over,
            () if any(Ended::Undecided) && self.strict => Ended::Over,
            () if any(Ended::Undecided) => Ended::Undecided,
            () => Ended::Within,
        }
    }
}

/// Why a rule has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// No plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// No baseline.
    #[error(
        "the rule `{0}` compares with a baseline, and there is none: name one with --baseline, or write it with --update-baseline"
    )]
    NoBaseline(String),
    /// No model file.
    #[error("the rule `{0}` is about files of models, and this service has none that are known")]
    NoFiles(String),
    /// Not the same.
    #[error(transparent)]
    Different(#[from] Difference),
}

/// Beyond this many times as long nobody measures.
const LONGEST: f64 = 16.0;

/// Closer to the limit than this share of it, processes differ by more, however many were measured.
const SPREAD: f64 = 0.02;

/// Holds one rule.
///
/// # Errors
/// Where there is nothing to hold it against.
pub fn held(rule: &Rule, evidence: &Evidence<'_>) -> Result<Finding, CheckError> {
    let killed = evidence.footprint.and_then(|f| f.killed);
    let question = question(&rule.limit, evidence.warmed);
    let plan = (evidence.ask)(&question)?;
    let (reading, mut outcome) = read(rule, &plan, evidence)?;
    // What was killed before it reached what is asked is known to need more than there was.
    let reached = killed
        .map(|k| k.concurrency)
        .filter(|n| is_over_when_killed(&rule.limit, *n, evidence.room));
    if reached.is_some() {
        outcome = Outcome::Over;
    }
    let why = why(&rule.limit, &plan, &reading, evidence)?;
    Ok(Finding {
        outcome,
        reading: Some(reading),
        killed: reached,
        effort: evidence
            .footprint
            .and_then(|f| f.budget_seconds)
            .map(|budget| Effort { budget, is_brought: evidence.is_brought }),
        why,
        ..without_a_value(rule, evidence.service)
    })
}

fn without_a_value(rule: &Rule, service: &str) -> Finding {
    Finding {
        service: service.to_owned(),
        rule: rule.clone(),
        outcome: Outcome::Undecided(Doubt::Trouble),
        reading: None,
        killed: None,
        trouble: None,
        effort: None,
        why: Why::default(),
    }
}

/// A rule of a service that could not be measured, and why.
pub fn in_trouble(rule: &Rule, service: &str, trouble: &str) -> Finding {
    Finding { trouble: Some(trouble.to_owned()), ..without_a_value(rule, service) }
}

/// A rule about the files of models, which are known without a measurement; `None` of other rules.
pub fn of_files(rule: &Rule, service: &str, files: &[(String, Bytes)]) -> Option<Finding> {
    let Limit::ModelFile(most) = rule.limit else { return None };
    let largest = Span::exact(files.iter().map(|(_, bytes)| *bytes).max()?, Source::Measured);
    Some(Finding {
        outcome: at_most(&largest.map(Bytes::as_f64), most.as_f64()),
        reading: Some(Reading::Bytes(largest)),
        why: why::of_files(most, files.to_vec()),
        ..without_a_value(rule, service)
    })
}

/// Whether a rule is broken by a service that was killed with so many in flight, 0 while loading, in
/// so much RAM, where that is known: by then it needed more than there was, so more than the rule
/// allows only where there was as much.
fn is_over_when_killed(limit: &Limit, concurrency: u32, room: Option<Bytes>) -> bool {
    let had = |most: Bytes| room.is_none_or(|room| room >= most);
    match *limit {
        Limit::Ram { concurrency: asked, most } => concurrency <= asked && had(most),
        Limit::LoadPeak(most) => concurrency == 0 && had(most),
        Limit::Buffer(_)
        | Limit::Growth(_)
        | Limit::CpuSeconds(_)
        | Limit::Rps { .. }
        | Limit::ModelFile(_) => false,
    }
}

/// A rule of a service that the kernel ended while it was measured, in so much RAM, before there was a
/// number: over where that tells, else not to be told.
pub fn killed(rule: &Rule, service: &str, concurrency: u32, room: Option<Bytes>) -> Finding {
    if is_over_when_killed(&rule.limit, concurrency, room) {
        return Finding {
            outcome: Outcome::Over,
            killed: Some(concurrency),
            ..without_a_value(rule, service)
        };
    }
    let when = match concurrency {
        0 => "while the models were loaded".to_owned(),
        n => format!("with {n} in flight"),
    };
    let of = room.map(|room| format!(" in {room} of RAM")).unwrap_or_default();
    let trouble = format!("the kernel ended the measurement {when}{of}, before this was measured");
    Finding { killed: Some(concurrency), ..in_trouble(rule, service, &trouble) }
}

fn question(limit: &Limit, warmed: bool) -> Question {
    let asked = Question { warmed, ..Question::default() };
    match limit {
        Limit::Ram { concurrency, .. } => Question { concurrency: Some(*concurrency), ..asked },
        Limit::Rps { cpus, .. } => Question { cpus: Some(*cpus), ..asked },
        _ => asked,
    }
}

fn read(
    rule: &Rule,
    plan: &Plan,
    evidence: &Evidence<'_>,
) -> Result<(Reading, Outcome), CheckError> {
    let bytes = |span: Span<Bytes>, most: Bytes| {
        (Reading::Bytes(span), at_most(&span.map(Bytes::as_f64), most.as_f64()))
    };
    Ok(match rule.limit {
        Limit::Ram { most, .. } => bytes(plan.ram.limit, most),
        Limit::Buffer(most) => bytes(plan.ram.buffer, most),
        Limit::LoadPeak(most) => bytes(plan.ram.load_peak, most),
        Limit::CpuSeconds(most) => {
            let span = plan.cpu.seconds_per_request;
            (Reading::Seconds(span), at_most(&span.map(Seconds::get), most.get()))
        }
        Limit::Rps { least, .. } => {
            let answers = plan.cpu.answers.ok_or(PlanError::NoTime)?;
            let span = answers.throughput;
            (Reading::Rate(span), at_least(&span.map(Rate::get), least.get()))
        }
        Limit::ModelFile(most) => {
            let files = why::files(evidence.footprint);
            let (_, largest) =
                files.first().ok_or_else(|| CheckError::NoFiles(rule.name.clone()))?;
            bytes(Span::exact(*largest, Source::Measured), most)
        }
        Limit::Growth(most) => {
            let (Some(now), Some(then)) = (evidence.footprint, evidence.baseline) else {
                return Err(CheckError::NoBaseline(rule.name.clone()));
            };
            comparable(then, now)?;
            let before = before(then, plan, evidence.warmed)?;
            let sides = [Side { footprint: then, plan: &before }, Side { footprint: now, plan }];
            let parts = grown(sides[0], sides[1]);
            let outcome = growth::outcome(&parts, most.get());
            (Reading::Growth(parts), outcome)
        }
    })
}

/// The plan of the baseline, asked as this one was.
fn before(then: &Footprint, now: &Plan, warmed: bool) -> Result<Plan, PlanError> {
    super::plan(&now.name, &now.title, then, &Question { warmed, ..now.question })
}

/// A value that must not be more.
fn at_most(value: &Span<f64>, limit: f64) -> Outcome {
    match () {
        () if value.high() <= limit => Outcome::Within,
        () if value.low() > limit => Outcome::Over,
        () => Outcome::Undecided(doubt(value, limit)),
    }
}

/// A value that must not be less.
fn at_least(value: &Span<f64>, limit: f64) -> Outcome {
    match () {
        () if value.low() >= limit => Outcome::Within,
        () if value.high() < limit => Outcome::Over,
        () => Outcome::Undecided(doubt(value, limit)),
    }
}

/// An interval narrows with the root of the processes that were measured.
fn doubt(value: &Span<f64>, limit: f64) -> Doubt {
    if value.source() == Source::Declared {
        return Doubt::Declared;
    }
    let distance = (limit - value.typical()).abs();
    let half = if limit > value.typical() {
        value.high() - value.typical()
    } else {
        value.typical() - value.low()
    };
    let times = (half / distance).powi(2);
    if distance <= SPREAD * limit || !(1.0..=LONGEST).contains(&times) {
        Doubt::TooClose
    } else {
        Doubt::Longer(times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(low: f64, typical: f64, high: f64) -> Span<f64> {
        Span::around(low, typical, high, Source::Fitted)
    }

    #[test]
    fn the_whole_interval_decides() {
        assert_eq!(at_most(&span(90.0, 95.0, 100.0), 100.0), Outcome::Within);
        assert_eq!(at_most(&span(101.0, 105.0, 110.0), 100.0), Outcome::Over);
        assert_eq!(at_least(&span(100.0, 105.0, 110.0), 100.0), Outcome::Within);
        assert_eq!(at_least(&span(80.0, 90.0, 99.0), 100.0), Outcome::Over);
    }

    #[test]
    fn what_straddles_the_limit_says_what_would_decide() {
        // Half of 20 must become 10: four times the processes.
        let longer = at_most(&span(70.0, 90.0, 110.0), 100.0);
        assert_eq!(longer, Outcome::Undecided(Doubt::Longer(4.0)));
        let close = at_most(&span(95.0, 99.0, 103.0), 100.0);
        assert_eq!(close, Outcome::Undecided(Doubt::TooClose));
        let hopeless = at_least(&span(10.0, 105.0, 200.0), 100.0);
        assert_eq!(hopeless, Outcome::Undecided(Doubt::TooClose));
    }
}
