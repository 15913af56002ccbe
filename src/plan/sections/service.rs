//! The service: how it is deployed, what it loads, what it costs.

use super::ram::models;
use crate::plan::book::{Maker, exact};
use crate::plan::figure::{Form, Shown, Value};
use crate::plan::finding::Status;
use crate::plan::page::{Block, Leaf, Phrase, Section, says};
use crate::units::{Bytes, Convention, Rate, Source, Span};

/// `service`.
pub(super) fn service(maker: &mut Maker<'_>) -> Option<Section> {
    Some(Section { id: "service", blocks: vec![facts(maker)] })
}

/// A size of a box as it is typed by whoever counts so.
pub(super) fn flag(ram: Bytes, convention: Convention) -> String {
    let mega = convention.mega().get();
    let giga = mega * u64::from(convention.megas_a_giga());
    match ram.get() {
        b if b % giga == 0 => format!("{}G", b / giga),
        b if b % mega == 0 => format!("{}M", b / mega),
        b => b.to_string(),
    }
}

/// A sign beside the word.
pub(super) const fn mark(status: Status) -> &'static str {
    match status {
        Status::Unknown => "·",
        Status::Excellent | Status::Sufficient => "✔",
        Status::Marginal => "!",
        Status::Insufficient => "✘",
    }
}

/// How it is deployed, what it loads, what it costs, what is safe.
fn facts(maker: &mut Maker<'_>) -> Block {
    let mut groups = Vec::new();
    let project = maker.subject.service.project.clone().unwrap_or_default();
    let mut deployment = Vec::new();
    for (id, text) in [
        ("fact-version", project.version),
        ("fact-date", project.date),
        ("fact-purpose", project.purpose),
        ("fact-script", project.script),
    ] {
        if let Some(text) = text {
            deployment.push(Leaf::new(Phrase::word(id), text));
        }
    }
    if let Some(kind) = maker.subject.service.target.as_ref().and_then(|t| t.disk_kind.clone()) {
        deployment.push(Leaf::new(says!("resource-disk"), kind));
    }
    deployment.push(Leaf::new(says!("fact-topology"), maker.plan.topology.to_string()));
    groups.push((says!("fact-deployment"), deployment));

    let first = maker.first();
    let mut loaded = vec![Leaf::new(models(first), says!("fact-always")).note(maker.base(first))];
    if maker.states().len() > 1 {
        let (before, after) = (maker.base(first), maker.base(maker.last()));
        let more = after.bytes_typical().saturating_sub(before.bytes_typical());
        let late = maker.plan.mix.as_ref().map_or_else(Phrase::blank, |mix| {
            Phrase::Joined(", ", mix.late.iter().map(Phrase::from).collect())
        });
        let more = maker.figures.put(
            "summary.late_bytes",
            Value::Bytes(exact(more, after.value.source())),
            "base after − base before",
            &[("after", &after), ("before", &before)],
        );
        loaded.push(Leaf::new(late, says!("fact-late")).note(more));
    }
    // What is measured from outside does not tell its models.
    let is_live = maker.plan.footprint.as_ref().is_some_and(|f| f.live.is_some());
    if !is_live {
        groups.push((says!("fact-models"), loaded));
    }

    let mut ram = Vec::new();
    for state in maker.states() {
        let name = if is_live {
            says!("fact-base-alone")
        } else {
            says!("fact-base", models = models(state))
        };
        ram.push(Leaf::new(name, maker.base(state)));
    }
    let last = maker.last();
    let (buffer, mean) = (maker.buffer(last), maker.mean_buffer(last));
    ram.push(Leaf::new(says!("fact-each"), buffer.clone()).note(buffer.range()));
    if buffer.value.ends()[1] != mean.value.ends()[1] {
        ram.push(Leaf::new(says!("formula-mean"), mean));
    }
    groups.push((says!("fact-ram"), ram));
    groups.extend(limits(maker));
    Block::Facts(says!("fact-title"), groups)
}

/// How much of what the CPUs could give in theory a service reaches, where it was not measured: an
/// assumption.
const EFFICIENCY: f64 = 0.8;

fn limits(maker: &mut Maker<'_>) -> Option<(Phrase, Vec<Leaf>)> {
    let ram = maker.plan.question.ram?;
    let state = maker.last();
    let (_, holds) = maker.holds(state, ram);
    let mut lines = vec![Leaf::new(says!("fact-most"), holds)];
    let Some(cpus) = maker.plan.question.cpus else {
        return Some((says!("fact-limits", ram = Shown::plain(Value::Box(ram))), lines));
    };
    let given = maker.cpus(cpus);
    let low = f64::from(maker.plan.ram.max_concurrency.map_or(0, |c| c.low));
    let [least, _, most] = given.useful.value.ends();
    let safe = maker.figures.put_range(
        "summary.recommended_concurrency",
        Value::Count(Span::around(least.min(low), least.min(low), most.min(low), Source::Assumed)),
        "what is useful on the CPUs, as far as RAM surely holds it",
        &[("useful", &given.useful)],
    );
    lines.push(Leaf::new(says!("fact-recommended"), safe));
    let Value::Rate(rate) = given.rate.value else { return None };
    let value = if maker.plan.footprint.is_some() {
        rate
    } else {
        let low = Rate::per_second(rate.low().get() * EFFICIENCY);
        Span::around(low, rate.typical(), rate.high(), Source::Assumed)
    };
    let rate = maker.figures.put_range(
        "summary.throughput_rps",
        Value::Rate(value),
        "CPUs / CPU time, and 80 % of it (assumed)",
        &[("rate", &given.rate.form(Form::Typical))],
    );
    lines.push(Leaf::new(says!("column-rps"), rate));
    Some((says!("fact-limits", ram = Shown::plain(Value::Box(ram))), lines))
}
