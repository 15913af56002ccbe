//! Several processes against one, and other topologies.

use super::ram::models;
use crate::plan::book::{Maker, exact};
use crate::plan::figure::{Form, Shown, Value};
use crate::plan::finding::Status;
use crate::plan::page::{Block, Leaf, Phrase, RowKind, Section, Table, says};
use crate::plan::{Alternative, StateCurve};
use crate::units::{Bytes, Rate, Source, Span};

/// `workers`.
#[expect(clippy::too_many_lines, reason = "one table after the other, each number used once")]
pub(super) fn workers(maker: &mut Maker<'_>) -> Option<Section> {
    let declared = maker.subject.service.workers.clone();
    let (count, n) = declared.as_ref().map_or((4, 20), |w| (w.count.max(1), w.concurrency.max(1)));
    let cpus = declared.as_ref().and_then(|w| w.cpus).or(maker.plan.question.cpus);
    let last = maker.last();
    let one = maker.flat(last, n);
    let rate = cpus.map(|cpus| maker.cpus(cpus).rate);
    let single = maker.figures.put(
        "workers.single.total_bytes",
        one.total.value,
        "base + N × buffer",
        &[("base", &one.base), ("buffers", &one.buffers)],
    );
    let single_rate = rate.as_ref().map(|r| {
        maker.figures.put(
            "workers.single.throughput_rps",
            r.value,
            "CPUs / CPU time",
            &[("CPU time", r)],
        )
    });
    let multi_rate = rate.as_ref().map(|r| {
        maker.figures.put(
            "workers.several.throughput_rps",
            r.value,
            "CPUs / CPU time: the same CPUs",
            &[("CPU time", r)],
        )
    });
    let mut left = vec![
        Leaf::new(says!("workers-shared"), one.base.clone()).note(models(last)),
        Leaf::new(says!("tree-requests", n = n), one.buffers.clone()),
        Leaf::new(says!("tree-total"), single.clone()).total(),
    ];
    if let (Some(rate), Some(cpus)) = (&single_rate, cpus) {
        left.push(
            Leaf::new(says!("column-rps"), rate.clone()).note(Shown::plain(Value::Cpus(cpus))),
        );
    }
    let each_n = f64::from(n) / f64::from(count);
    let (Value::Bytes(base), Value::Bytes(buffer)) =
        (one.base.value, Value::Bytes(last.curve.buffer()))
    else {
        return None;
    };
    let buffers = buffer.map(|b| Bytes::from_f64(b.as_f64() * each_n));
    let share = Shown::plain(Value::Count(exact(each_n, Source::Declared)));
    let own = maker.figures.put(
        "workers.each.buffers_bytes",
        Value::Bytes(buffers),
        "N / workers × buffer",
        &[("N / workers", &share), ("buffer", &buffer_shown(last))],
    );
    let each = base.zip(&buffers, |a, b| a + b);
    let each_shown = maker.figures.put(
        "workers.each.total_bytes",
        Value::Bytes(each),
        "base + N / workers × buffer",
        &[("base", &one.base), ("buffers", &own)],
    );
    let several = each.map(|b| b * u64::from(count));
    let total = maker.figures.put(
        "workers.several.total_bytes",
        Value::Bytes(several),
        "workers × each",
        &[("workers", &Shown::plain(Value::count(count))), ("each", &each_shown)],
    );
    let mut right: Vec<Leaf> = (1..=count.min(8))
        .map(|i| {
            Leaf::new(says!("workers-worker", i = i), each_shown.clone()).note(says!(
                "base-and-buffers",
                base = one.base.clone(),
                buffers = own.clone()
            ))
        })
        .collect();
    right.push(Leaf::new(says!("tree-total"), total.clone()).total());
    if let (Some(rate), Some(cpus)) = (&multi_rate, cpus) {
        right.push(
            Leaf::new(says!("column-rps"), rate.clone()).note(Shown::plain(Value::Cpus(cpus))),
        );
    }
    let waste = several.typical().saturating_sub(one.total.bytes_typical());
    let wasted = maker.figures.put(
        "workers.waste_bytes",
        Value::Bytes(exact(waste, several.source())),
        "several − single = (workers − 1) × base",
        &[("several", &total), ("single", &single)],
    );
    let closed = maker.figures.put(
        "workers.waste_closed_bytes",
        Value::Bytes(base.map(|b| b * u64::from(count - 1))),
        "(workers − 1) × base",
        &[("workers", &Shown::plain(Value::count(count))), ("base", &one.base)],
    );
    let percent = maker.figures.put(
        "workers.waste_share",
        Value::Share(exact(
            waste.as_f64() / one.total.bytes_typical().as_f64().max(1.0),
            several.source(),
        )),
        "waste / single",
        &[("waste", &wasted), ("single", &single)],
    );
    let mut blocks = vec![
        Block::Tree(says!("workers-single"), left),
        Block::Tree(says!("workers-several", count = count, n = n), right),
        Block::Verdict(
            Status::Insufficient,
            says!("workers-waste", bytes = wasted, share = percent, closed = closed),
        ),
        Block::Paragraph(says!("workers-nothing")),
    ];
    if maker.plan.footprint.is_some() {
        blocks.push(Block::Paragraph(says!("workers-measured")));
    }
    Some(Section { id: "workers", blocks })
}

fn buffer_shown(state: &StateCurve) -> Shown {
    Shown::plain(Value::Bytes(state.curve.buffer()))
}

impl Shown {
    /// The typical number of bytes; 0 of what is no number of bytes.
    pub fn bytes_typical(&self) -> Bytes {
        match self.value {
            Value::Bytes(span) | Value::Volume(span) => span.typical(),
            Value::Box(bytes) => bytes,
            _ => Bytes::ZERO,
        }
    }
}

/// `topologies`.
pub(super) fn topologies(maker: &mut Maker<'_>) -> Option<Section> {
    let plan = maker.plan;
    let first = plan.alternatives.first()?;
    let rate_column = if plan.question.cpus.is_some() { "#column-rps" } else { "#column-rps-here" };
    let mut table = Table::new(
        says!("topologies-title", n = plan.design_concurrency),
        &[
            "column-topology",
            "#column-typical",
            "#column-up-to",
            "#column-times",
            rate_column,
            "column-source",
            "column-checked",
        ],
    );
    let own = first.instead_of;
    let largest =
        plan.footprint.as_ref().and_then(|f| f.throughput.iter().max_by_key(|t| t.concurrency));
    let own_rate = match plan.cpu.answers {
        Some(answers) => Some(answers.throughput),
        None => largest.map(|t| exact(t.rps, Source::Measured)),
    };
    let mut row = |kind,
                   name: String,
                   total: &Span<Bytes>,
                   rate: Option<Span<Rate>>,
                   checked: Phrase| {
        let times = total.high().as_f64() / own.high().as_f64().max(1.0);
        let shown = maker.figures.put(
            format!("topologies.{name}.total_bytes"),
            Value::Bytes(*total),
            "RAM of the topology",
            &[],
        );
        let source = Phrase::word(super::memory::source_word(total.source()));
        table.row(
            kind,
            [
                name.into(),
                shown.clone().into(),
                shown.form(Form::High).into(),
                Shown::plain(Value::Count(exact((times * 10.0).round() / 10.0, total.source())))
                    .into(),
                rate.map_or_else(|| "–".into(), |r| Shown::plain(Value::Rate(r)).into()),
                source,
                checked,
            ],
        );
    };
    row(RowKind::Asked, plan.topology.to_string(), &own, own_rate, "–".into());
    for Alternative { topology, total, throughput, check, .. } in &plan.alternatives {
        let checked = check.as_ref().map_or_else(
            || "–".into(),
            |c| {
                says!(
                    "topologies-checked",
                    n = c.concurrency,
                    predicted = Shown::plain(Value::Bytes(c.predicted)),
                    observed = Shown::plain(Value::Bytes(exact(c.observed, Source::Measured))),
                    error = Shown::plain(Value::Share(exact(c.error, Source::Measured)))
                        .form(Form::Signed),
                )
            },
        );
        row(RowKind::Plain, topology.clone(), total, *throughput, checked);
    }
    Some(Section { id: "topologies", blocks: vec![Block::Table(table)] })
}
