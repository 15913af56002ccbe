//! The contract `mediscope-size/check/1`.

use serde::Serialize;

use super::words;
use crate::plan::Scope;
use crate::plan::check::{Checked, Doubt, Finding, Grown, Outcome, Reading};
use crate::report::json::span::S;
use crate::service::Limit;
use crate::units::Bytes;

#[derive(Debug, Serialize)]
struct Check<'a> {
    schema: &'static str,
    outcome: &'static str,
    strict: bool,
    rules: Vec<Rule<'a>>,
    notes: &'a [String],
}

#[derive(Debug, Serialize)]
struct Rule<'a> {
    service: &'a str,
    name: &'a str,
    reason: Option<&'a str>,
    kind: &'static str,
    outcome: &'static str,
    limit: f64,
    concurrency: Option<u32>,
    cpus: Option<f64>,
    value: Option<S<f64>>,
    growth: Vec<Part>,
    killed_at: Option<u32>,
    trouble: Option<&'a str>,
    longer: Option<f64>,
    file: Option<&'a str>,
    line: Option<u32>,
    why: Why<'a>,
}

#[derive(Debug, Serialize)]
struct Part {
    name: &'static str,
    then_bytes: S<u64>,
    now_bytes: S<u64>,
    change: f64,
    noise: f64,
}

#[derive(Debug, Serialize)]
struct Why<'a> {
    parts: Vec<Component<'a>>,
    times: Vec<Time<'a>>,
    files: Vec<File<'a>>,
    changes: Vec<Change<'a>>,
    remedies: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Component<'a> {
    name: &'a str,
    scope: &'static str,
    bytes: S<u64>,
}

#[derive(Debug, Serialize)]
struct Time<'a> {
    name: &'a str,
    seconds: f64,
}

#[derive(Debug, Serialize)]
struct File<'a> {
    name: &'a str,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct Change<'a> {
    name: &'a str,
    then_bytes: u64,
    now_bytes: u64,
}

/// The whole, in the versioned schema.
///
/// # Errors
/// Where it cannot be written as JSON.
pub fn check_json(checked: &Checked) -> Result<String, serde_json::Error> {
    let check = Check {
        schema: "mediscope-size/check/1",
        outcome: checked.ended().name(),
        strict: checked.strict,
        rules: checked.findings.iter().map(rule).collect(),
        notes: &checked.notes,
    };
    Ok(format!("{}\n", serde_json::to_string_pretty(&check)?))
}

fn rule(finding: &Finding) -> Rule<'_> {
    let rule = &finding.rule;
    let (limit, concurrency, cpus) = match rule.limit {
        Limit::Ram { most, concurrency } => (most.as_f64(), Some(concurrency), None),
        Limit::Buffer(most) | Limit::LoadPeak(most) | Limit::ModelFile(most) => {
            (most.as_f64(), None, None)
        }
        Limit::CpuSeconds(most) => (most.get(), None, None),
        Limit::Rps { least, cpus } => (least.get(), None, Some(cpus.get())),
        Limit::Growth(most) => (most.get(), None, None),
    };
    let (value, growth) = match &finding.reading {
        None => (None, Vec::new()),
        Some(Reading::Bytes(span)) => (Some(S::of(span, Bytes::as_f64)), Vec::new()),
        Some(Reading::Seconds(span)) => (Some(S::from(span)), Vec::new()),
        Some(Reading::Rate(span)) => (S::rate(span), Vec::new()),
        Some(Reading::Growth(parts)) => (None, parts.iter().map(part).collect()),
    };
    Rule {
        service: &finding.service,
        name: &rule.name,
        reason: rule.reason.as_deref(),
        kind: rule.limit.key(),
        outcome: finding.outcome.ended().name(),
        limit,
        concurrency,
        cpus,
        value,
        growth,
        killed_at: finding.killed,
        trouble: finding.trouble.as_deref(),
        longer: match finding.outcome {
            Outcome::Undecided(Doubt::Longer(times)) => Some(times),
            _ => None,
        },
        file: rule.line.as_ref().map(|line| line.file.as_str()),
        line: rule.line.as_ref().map(|line| line.number),
        why: why(finding),
    }
}

fn part(grown: &Grown) -> Part {
    Part {
        name: match grown.part {
            crate::plan::check::Part::Base => "base",
            crate::plan::check::Part::Buffer => "buffer",
            crate::plan::check::Part::LoadPeak => "load_peak",
        },
        then_bytes: (&grown.then).into(),
        now_bytes: (&grown.now).into(),
        change: grown.change,
        noise: grown.noise,
    }
}

fn why(finding: &Finding) -> Why<'_> {
    Why {
        parts: finding
            .why
            .parts
            .iter()
            .map(|part| Component {
                name: &part.name,
                scope: match part.scope {
                    Scope::Shared => "shared",
                    Scope::Request => "request",
                },
                bytes: (&part.bytes).into(),
            })
            .collect(),
        times: finding
            .why
            .times
            .iter()
            .map(|(name, time)| Time { name, seconds: time.get() })
            .collect(),
        files: finding
            .why
            .files
            .iter()
            .map(|(name, bytes)| File { name, bytes: bytes.get() })
            .collect(),
        changes: finding
            .why
            .changes
            .iter()
            .map(|change| Change {
                name: &change.name,
                then_bytes: change.then.get(),
                now_bytes: change.now.get(),
            })
            .collect(),
        remedies: finding.why.remedies.iter().map(words::remedy).collect(),
    }
}
