//! What a finding says, in the words that all formats share.

use crate::plan::Scope;
use crate::plan::check::{Checked, Doubt, Ended, Finding, Grown, Outcome, Reading, Remedy};
use crate::service::Limit;
use crate::units::{Seconds, Span};

/// `352 MiB (339 MiB to 361 MiB), at most 512 MiB`.
pub fn sentence(finding: &Finding) -> String {
    let limit = limit(&finding.rule.limit);
    match (&finding.reading, finding.killed) {
        (None, at) => format!("{}, {limit}", killed(at.unwrap_or(0))),
        (Some(reading), None) => format!("{}, {limit}", value(reading)),
        (Some(reading), Some(at)) => format!("{}, {limit}; {}", value(reading), killed(at)),
    }
}

fn killed(concurrency: u32) -> String {
    match concurrency {
        0 => "killed by the kernel while the models were loaded".to_owned(),
        n => format!("killed by the kernel with {n} in flight"),
    }
}

fn value(reading: &Reading) -> String {
    match reading {
        Reading::Bytes(span) => interval(span),
        Reading::Seconds(span) => interval(span),
        Reading::Rate(span) => interval(span),
        Reading::Growth(parts) => {
            let told = |g: &Grown| format!("{} {}", g.part.name(), change(g));
            parts.iter().map(told).collect::<Vec<_>>().join(", ")
        }
    }
}

/// `+4.1 % ± 1.2 %`.
pub fn change(grown: &Grown) -> String {
    changed(grown.change, grown.noise)
}

/// The same of two shares.
pub fn changed(change: f64, noise: f64) -> String {
    // Less than is shown has no sign.
    let percent = (change * 1000.0).round() / 10.0 + 0.0;
    format!("{percent:+.1} % ± {:.1} %", noise * 100.0)
}

/// `352 MiB (339 MiB to 361 MiB)`, or the value alone where it is exact.
fn interval<T: Copy + PartialOrd + std::fmt::Display>(span: &Span<T>) -> String {
    let [low, typical, high] = [span.low(), span.typical(), span.high()].map(|v| v.to_string());
    if low == high { typical } else { format!("{typical} ({low} to {high})") }
}

/// `at most 512 MiB`.
pub fn limit(limit: &Limit) -> String {
    match limit {
        Limit::Ram { most, .. } | Limit::Buffer(most) | Limit::LoadPeak(most) => {
            format!("at most {most}")
        }
        Limit::ModelFile(most) => format!("at most {most}"),
        Limit::CpuSeconds(most) => format!("at most {most}"),
        Limit::Rps { least, .. } => format!("at least {least}"),
        Limit::Growth(most) => format!("at most +{most}"),
    }
}

/// By how much it is over, or what would decide; nothing where it is kept.
pub fn remark(finding: &Finding, budget: Seconds) -> Option<String> {
    match finding.outcome {
        Outcome::Within => None,
        Outcome::Over => over(finding),
        Outcome::Undecided(Doubt::Longer(times)) => {
            let longer = Seconds::new((budget.get() * times).ceil());
            Some(format!(
                "The interval straddles the limit: measure {times:.1} × as long to decide, --budget {:.0}s.",
                longer.get()
            ))
        }
        Outcome::Undecided(Doubt::Declared) => Some(
            "The declared range straddles the limit: declare it more closely, or measure the service."
                .to_owned(),
        ),
        Outcome::Undecided(Doubt::TooClose) => Some(
            "The interval straddles the limit, and processes differ by about the distance to it: \
             measuring longer would not decide. Leave more room, or say --strict to count it as over."
                .to_owned(),
        ),
    }
}

fn over(finding: &Finding) -> Option<String> {
    let share = |value: f64, limit: f64| (value / limit - 1.0) * 100.0;
    let (typical, limit) = match (finding.reading.as_ref()?, finding.rule.limit) {
        (
            Reading::Bytes(span),
            Limit::Ram { most, .. }
            | Limit::Buffer(most)
            | Limit::LoadPeak(most)
            | Limit::ModelFile(most),
        ) => (span.typical().as_f64(), most.as_f64()),
        (Reading::Seconds(span), Limit::CpuSeconds(most)) => (span.typical().get(), most.get()),
        (Reading::Rate(span), Limit::Rps { least, .. }) => {
            let below = -share(span.typical().get(), least.get());
            return Some(format!("{below:.1} % below the limit."));
        }
        _ => return None,
    };
    let above = share(typical, limit);
    (above > 0.0).then(|| format!("{above:.1} % over the limit."))
}

/// Where the bytes are, what changed, what would keep the rule.
pub fn why(finding: &Finding) -> Vec<String> {
    let mut lines = Vec::new();
    for (scope, whose) in
        [(Scope::Shared, "Shared by all requests"), (Scope::Request, "Each request")]
    {
        let parts: Vec<String> = finding
            .why
            .parts
            .iter()
            .filter(|part| part.scope == scope)
            .map(|part| format!("{} {}", part.name, part.bytes.typical()))
            .collect();
        if !parts.is_empty() {
            lines.push(format!("{whose}: {}.", parts.join(", ")));
        }
    }
    let changes: Vec<String> = finding
        .why
        .changes
        .iter()
        .map(|change| format!("{} {} → {}", change.name, change.then, change.now))
        .collect();
    if !changes.is_empty() {
        lines.push(format!("Since the baseline: {}.", changes.join(", ")));
    }
    if finding.outcome.ended() != Ended::Within {
        lines.extend(finding.why.remedies.iter().map(remedy));
    }
    lines
}

/// What would keep the rule, as a sentence.
pub fn remedy(remedy: &Remedy) -> String {
    match remedy {
        Remedy::Admit(n) => format!("It would be kept with at most {n} in flight."),
        Remedy::WarmUp => "It would be kept by a service that is warmed up before it gets traffic \
                           (--warmed): the burst after a restart takes most."
            .to_owned(),
        Remedy::Topology(topology, bytes) => {
            format!("It would be kept by --topology {topology}: {bytes}.")
        }
        Remedy::Limit(bytes) => format!("A limit of {bytes} would be kept as it is."),
        Remedy::LoadPeak(bytes) => format!(
            "Loading takes {bytes}, more than serving: keep weights in a file of their own, so that \
             they are mapped and not copied, or load models one after the other."
        ),
        Remedy::Stage(name, bytes) => {
            format!(
                "Of each request `{name}` takes most, {bytes}: a smaller input or model there counts first."
            )
        }
    }
}

/// `2 within, 1 over, 0 undecided`.
pub fn summary(checked: &Checked) -> String {
    let count = |ended| checked.findings.iter().filter(|f| f.outcome.ended() == ended).count();
    let told = format!(
        "{} within, {} over, {} undecided",
        count(Ended::Within),
        count(Ended::Over),
        count(Ended::Undecided)
    );
    if checked.strict && count(Ended::Undecided) > 0 {
        format!("{told}, which --strict counts as over")
    } else {
        told
    }
}
