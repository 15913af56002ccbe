//! The verdict, resource by resource, and what follows from it.

use super::ram::models;
use crate::plan::book::{Maker, exact};
use crate::plan::figure::{Form, Shown, Value};
use crate::plan::finding::{Amount, Overall, Reason, Resource, Status};
use crate::plan::page::{Block, Leaf, Phrase, RowKind, Section, Table, says};
use crate::plan::warning::Warning;
use crate::units::{Bytes, Convention, Rate, Source, Span};

/// `summary`.
pub(super) fn summary(maker: &mut Maker<'_>) -> Option<Section> {
    let mut blocks = vec![overall(maker)];
    let mut reasons: Vec<(Option<Status>, Phrase)> =
        maker.plan.verdict.reasons.iter().map(|r| (None, reason(r))).collect();
    reasons.extend(upgrade(maker).map(|phrase| (None, phrase)));
    let limits = maker.plan.warnings.iter().filter_map(beside);
    reasons.extend(limits.map(|phrase| (Some(Status::Marginal), phrase)));
    if !reasons.is_empty() {
        blocks.push(Block::List(reasons));
    }
    if !maker.plan.verdict.by_resource.is_empty() {
        blocks.push(Block::Table(resources(maker)));
        blocks.push(Block::Paragraph(advice(maker)));
    }
    blocks.push(facts(maker));
    Some(Section { id: "summary", blocks })
}

fn overall(maker: &Maker<'_>) -> Block {
    let plan = maker.plan;
    let the_box: Vec<Phrase> = [
        plan.question.ram.map(|ram| says!("box-ram", ram = Shown::plain(Value::Box(ram)))),
        plan.question.cpus.map(|cpus| Shown::plain(Value::Cpus(cpus)).into()),
        plan.question.disk.map(|disk| {
            says!("box-disk", disk = Shown::plain(Value::Volume(exact(disk, Source::Declared))))
        }),
        plan.question.bandwidth.map(|b| {
            says!("a-month", amount = Shown::plain(Value::Volume(exact(b, Source::Declared))))
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    let the_box_is_empty = the_box.is_empty();
    let the_box = Phrase::Joined(", ", the_box);
    let (status, id) = match plan.verdict.overall {
        Overall::Fits => (Status::Excellent, "overall-fits"),
        Overall::Tight => (Status::Marginal, "overall-tight"),
        Overall::DoesNotFit => (Status::Insufficient, "overall-does-not-fit"),
        Overall::Unknown if plan.warnings.contains(&Warning::NotTheService) => {
            return Block::Verdict(Status::Unknown, says!("overall-not-the-service"));
        }
        // It was asked about, and what it takes is not known well enough.
        Overall::Unknown if !the_box_is_empty => (Status::Unknown, "overall-not-known"),
        Overall::Unknown => {
            let asked = match (&plan.upgrade, plan.question.concurrency) {
                (Some(upgrade), Some(n)) => says!(
                    "overall-needs",
                    n = n,
                    ram = Shown::plain(Value::Box(upgrade.comfortable))
                ),
                _ => says!("overall-unknown"),
            };
            return Block::Verdict(Status::Unknown, asked);
        }
    };
    Block::Verdict(status, Phrase::says(id, [("box", the_box)]))
}

/// Why the verdict is what it is.
pub fn reason(reason: &Reason) -> Phrase {
    let ram = |bytes: Bytes| Shown::plain(Value::Bytes(exact(bytes, Source::Fitted)));
    let of = |bytes: Bytes| Shown::plain(Value::Box(bytes));
    match *reason {
        // Less than a megabyte apart both would read alike.
        Reason::RamNeed { concurrency, need, has }
            if need > has && need.saturating_sub(has) < Bytes::MIB =>
        {
            let (need, has) = (ram(need).form(Form::Exact), of(has).form(Form::Exact));
            says!("reason-ram-short", n = concurrency, need = need, has = has)
        }
        Reason::RamNeed { concurrency, need, has } if need > has => {
            says!("reason-ram-short", n = concurrency, need = ram(need), has = of(has))
        }
        Reason::RamNeed { concurrency, need, has } => {
            let share = Shown::plain(Value::Share(exact(
                need.as_f64() / has.as_f64().max(1.0),
                Source::Fitted,
            )));
            says!(
                "reason-ram-need",
                n = concurrency,
                need = ram(need),
                has = of(has),
                share = share
            )
        }
        Reason::LoadPeak { peak, has } => {
            says!("reason-load-peak", peak = ram(peak), has = of(has))
        }
        Reason::RamHolds(holds) => match (holds.low, holds.typical) {
            (0, 0) => says!("reason-holds-none"),
            (0, typical) => says!("reason-holds-typically", typical = typical),
            (low, typical) if low == typical => says!("reason-holds", n = low),
            (low, typical) => says!("reason-holds-range", n = low, typical = typical),
        },
        Reason::RamBinds { holds, useful } => says!("reason-ram-binds", n = holds, useful = useful),
        Reason::CpuBinds { holds, useful } => says!("reason-cpu-binds", n = holds, useful = useful),
        Reason::QuotaBelowOne { alone } => {
            says!("reason-quota", time = Shown::plain(Value::Seconds(exact(alone, Source::Fitted))))
        }
    }
}

/// In short, what limits the verdict itself: that something it rests on is assumed, or left out.
fn beside(warning: &Warning) -> Option<Phrase> {
    Some(match warning {
        Warning::AssumedShape(what) | Warning::AssumedValue(what) => {
            says!("beside-assumed", what = what.join("; "))
        }
        Warning::OneStep { model, port } => {
            says!("beside-one-step", model = model.clone(), port = port.clone())
        }
        Warning::ModelAlone => says!("beside-model-alone"),
        Warning::NotChecked => says!("summary-not-checked"),
        _ => return None,
    })
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

fn upgrade(maker: &Maker<'_>) -> Option<Phrase> {
    let upgrade = maker.plan.upgrade?;
    let size = |bytes: Bytes| Shown::plain(Value::Box(bytes));
    let flag = flag(upgrade.comfortable, maker.plan.question.convention);
    Some(if upgrade.least == upgrade.comfortable {
        says!("upgrade-enough", n = upgrade.concurrency, ram = size(upgrade.least), flag = flag)
    } else {
        says!(
            "upgrade-least",
            n = upgrade.concurrency,
            least = size(upgrade.least),
            ram = size(upgrade.comfortable),
            flag = flag
        )
    })
}

/// The word for a resource in the catalogue.
const fn word(resource: Resource) -> &'static str {
    match resource {
        Resource::Ram => "resource-ram",
        Resource::Cpu => "resource-cpu",
        Resource::Disk => "resource-disk",
        Resource::Bandwidth => "resource-bandwidth",
    }
}

fn amount(amount: Amount) -> Shown {
    Shown::plain(match amount {
        Amount::Ram(bytes) => Value::Box(bytes),
        Amount::Cpus(cpus) => Value::Cpus(cpus),
        Amount::Volume(bytes) => Value::Volume(exact(bytes, Source::Declared)),
    })
}

fn resources(maker: &mut Maker<'_>) -> Table {
    let mut table = Table::new(
        Phrase::blank(),
        &[
            "column-resource",
            "#column-current",
            "#column-minimum",
            "#column-recommended",
            "column-status",
        ],
    );
    for verdict in &maker.plan.verdict.by_resource {
        let name = verdict.resource.name();
        let mut put = |what: &str, amount: Shown| {
            maker.figures.put(
                format!("summary.{name}.{what}"),
                amount.value,
                "the box, the need or the smallest box that is sold and does",
                &[],
            )
        };
        let minimum = put("minimum", amount(verdict.minimum));
        let recommended = put("recommended", amount(verdict.recommended));
        let current = put("current", amount(verdict.current));
        let unknown = verdict.status == Status::Unknown;
        let or_dash = |shown: Shown| if unknown { "–".into() } else { Phrase::from(shown) };
        table.row(
            RowKind::Plain,
            [
                Phrase::word(word(verdict.resource)),
                current.into(),
                or_dash(minimum),
                or_dash(recommended),
                says!(
                    "status-marked",
                    status = verdict.status.phrase(),
                    mark = mark(verdict.status)
                ),
            ],
        );
    }
    table
}

/// A sign beside the word.
fn mark(status: Status) -> &'static str {
    match status {
        Status::Unknown => "·",
        Status::Excellent | Status::Sufficient => "✔",
        Status::Marginal => "!",
        Status::Insufficient => "✘",
    }
}

/// What to change, resource by resource.
fn advice(maker: &Maker<'_>) -> Phrase {
    let changes: Vec<Phrase> = maker
        .plan
        .verdict
        .by_resource
        .iter()
        .filter(|v| matches!(v.status, Status::Insufficient | Status::Marginal))
        .map(|v| {
            let id =
                if v.status == Status::Insufficient { "advice-raise" } else { "advice-consider" };
            Phrase::says(
                id,
                [
                    ("resource", Phrase::word(word(v.resource))),
                    ("minimum", amount(v.minimum).into()),
                    ("recommended", amount(v.recommended).into()),
                ],
            )
        })
        .collect();
    if changes.is_empty() { says!("advice-none") } else { Phrase::Joined(" ", changes) }
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
