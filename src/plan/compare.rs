//! Two plans side by side: what the move from one to the other changes.

use super::Plan;
use super::book::exact;
use super::figure::{Figures, Form, Shown, Value};
use super::page::{Bar, Block, Chart, Phrase, Plot, RowKind, Section, Table, says};
use crate::units::{Bytes, Money, Source, Span};

/// The section that puts `from` beside `to`, whose figures it adds to `figures`.
pub fn compare(from: &Plan, to: &Plan, figures: &mut Figures) -> Section {
    let mut table = Table::new(Phrase::blank(), &["column-part"]);
    let name = |plan: &Plan| super::page::Column { title: plan.name.clone().into(), numeric: true };
    table.columns.extend([
        name(from),
        name(to),
        super::page::Column { title: Phrase::word("column-change"), numeric: true },
    ]);
    for (label, key, get) in rows(to) {
        let (Some(a), Some(b)) = (get(from), get(to)) else { continue };
        let a = whole(a);
        let before = figures.put(format!("compare.{key}.from"), a, "of the first profile", &[]);
        let after = figures.put(format!("compare.{key}.to"), b, "of the second profile", &[]);
        let change = change(figures, key, &before, &after);
        table.row(RowKind::Plain, [label, before.into(), after.into(), change]);
    }
    let offers: Vec<Choice> = vec![
        (says!("compare-least"), |plan| plan.market.minimum),
        (says!("compare-best"), |plan| plan.market.recommended),
    ];
    for (label, get) in offers {
        let box_of = |plan: &Plan| match get(plan) {
            Some(i) => Shown::plain(Value::Box(plan.market.offers[i].ram)).into(),
            None => Phrase::from("–"),
        };
        table.row(RowKind::Plain, [label, box_of(from), box_of(to), Phrase::blank()]);
    }
    if let (Some(a), Some(b)) = (price(from), price(to)) {
        let before =
            figures.put_range("compare.price.from", a, "the smallest box with comfort", &[]);
        let after = figures.put_range("compare.price.to", b, "the smallest box with comfort", &[]);
        let change = change(figures, "price", &before, &after);
        table.row(RowKind::Plain, [says!("compare-price"), before.into(), after.into(), change]);
    }
    table.row(
        RowKind::Plain,
        [says!("compare-sources"), source(from.source), source(to.source), Phrase::blank()],
    );
    Section {
        id: "compare",
        blocks: vec![
            Block::Table(table),
            Block::Paragraph(says!(
                "compare-note",
                from = from.title.clone(),
                to = to.title.clone()
            )),
            Block::Chart(chart(from, to)),
        ],
    }
}

/// Bytes in whole MiB: two authors may count in different megabytes, and digits behind the point would
/// only seem exact.
fn whole(value: Value) -> Value {
    let rounded = |b: Bytes| {
        if b < Bytes::mib(10) {
            b
        } else {
            Bytes::from_f64(b.as_mib().round() * Bytes::MIB.as_f64())
        }
    };
    match value {
        Value::Bytes(span) if span.source() >= Source::Declared => Value::Bytes(span.map(rounded)),
        other => other,
    }
}

fn source(source: Source) -> Phrase {
    Phrase::word(match source {
        Source::Measured => "source-measured",
        Source::Fitted => "source-fitted",
        Source::Extrapolated => "source-extrapolated",
        Source::Declared => "source-declared",
        Source::Assumed => "source-assumed",
    })
}

/// A line about a box that is sold: its label, and which of a plan's it is.
type Choice = (Phrase, fn(&Plan) -> Option<usize>);

/// A line: its label, the name of its figures, and the value in a plan.
type Line = (Phrase, &'static str, fn(&Plan) -> Option<Value>);

fn rows(plan: &Plan) -> Vec<Line> {
    let mut rows: Vec<Line> = vec![
        (says!("compare-base"), "base_bytes", |p| Some(Value::Bytes(p.ram.base))),
        (says!("compare-each"), "buffer_bytes", |p| Some(Value::Bytes(p.ram.buffer))),
        (says!("compare-ten"), "ten_bytes", |p| {
            Some(Value::Bytes(p.states.last()?.curve.total(10)))
        }),
    ];
    if let Some(ram) = plan.question.ram {
        let ram = Shown::plain(Value::Box(ram));
        rows.push((says!("compare-holds", ram = ram), "holds", |p| {
            let holds = p.ram.max_concurrency?;
            Some(Value::Count(Span::around(
                f64::from(holds.low),
                f64::from(holds.low),
                f64::from(holds.low),
                p.source,
            )))
        }));
    }
    rows.push((says!("compare-cpu"), "cpu_seconds", |p| {
        Some(Value::Seconds(p.cpu.seconds_per_request))
    }));
    rows.push((says!("compare-alone"), "alone_seconds", |p| {
        Some(Value::Seconds(p.cpu.seconds_alone))
    }));
    if let Some(cpus) = plan.question.cpus {
        let cpus = Shown::plain(Value::Cpus(cpus));
        rows.push((says!("compare-rate", cpus = cpus), "throughput_rps", |p| {
            Some(Value::Rate(p.cpu.answers?.throughput))
        }));
    }
    rows
}

fn price(plan: &Plan) -> Option<Value> {
    let offer = &plan.market.offers[plan.market.recommended?];
    let source = if plan.market.declared { Source::Declared } else { Source::Assumed };
    let price: Span<Money> = offer.tier.price.as_ref()?.span();
    Some(Value::Money(price.with_source(source)))
}

/// How many percent more or less.
fn change(figures: &mut Figures, key: &str, before: &Shown, after: &Shown) -> Phrase {
    let (a, b) = (before.value.ends()[1], after.value.ends()[1]);
    if a == 0.0 {
        return Phrase::blank();
    }
    let share = Value::Share(exact(b / a - 1.0, before.value.source().max(after.value.source())));
    figures
        .put_as(
            format!("compare.{key}.change"),
            share,
            Form::Signed,
            "to / from − 1",
            &[("from", before), ("to", after)],
        )
        .into()
}

fn chart(from: &Plan, to: &Plan) -> Chart {
    let bars = [from, to]
        .into_iter()
        .filter_map(|plan| {
            let curve = &plan.states.last()?.curve;
            let (base, total) =
                (curve.total(0).typical().as_f64(), curve.total(10).typical().as_f64());
            Some(Bar {
                name: plan.name.clone().into(),
                value: Shown::plain(Value::Bytes(curve.total(10))).into(),
                parts: vec![(says!("column-base"), base), (says!("column-buffers"), total - base)],
                status: None,
            })
        })
        .collect();
    Chart { id: "compare", plot: Plot::Bars { axis: "axis-ram", is_ram: true, bars } }
}
