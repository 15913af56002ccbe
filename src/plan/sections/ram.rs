//! RAM by requests in flight: the tables, the line behind them, and its picture.

use super::memory::source_word;
use crate::plan::book::{Maker, exact};
use crate::plan::figure::{Form, Shown, Value};
use crate::plan::page::{
    Block, Chart, Mark, Phrase, Plot, Row, RowKind, Section, Series, Table, says,
};
use crate::plan::{RamRow, State, StateCurve};
use crate::units::{Source, Span};

/// The models of a state, for headings.
pub(super) fn models(state: &StateCurve) -> Phrase {
    Phrase::Joined(" + ", state.models.iter().map(Phrase::from).collect())
}

/// `ram`.
pub(super) fn ram(maker: &mut Maker<'_>) -> Option<Section> {
    let mut blocks = Vec::new();
    let states = maker.states();
    for state in states {
        let rows = match (state.state, &maker.plan.mix) {
            (State::Eager, Some(mix)) if states.len() > 1 => &mix.eager_rows,
            _ => &maker.plan.ram.rows,
        };
        blocks.push(Block::Table(table(maker, state, rows)));
    }
    blocks.push(Block::Paragraph(says!("ram-constant", base = maker.base(maker.last()))));
    blocks.push(Block::Paragraph(line(maker)));
    if maker.plan.topology.knee() > 1 {
        let (id, n) = match maker.plan.topology {
            crate::footprint::Topology::Workers(..) => ("knee-workers", maker.plan.topology.knee()),
            _ => ("knee-sessions", maker.plan.topology.knee()),
        };
        blocks.push(Block::Paragraph(Phrase::says(id, [("n", n.into())])));
    }
    blocks.push(Block::Paragraph(limit(maker)));
    blocks.push(Block::Chart(chart(maker)));
    Some(Section { id: "ram", blocks })
}

fn table(maker: &mut Maker<'_>, state: &StateCurve, rows: &[RamRow]) -> Table {
    let title = if maker.states().len() > 1 {
        says!("ram-title-of", models = models(state))
    } else if maker.plan.footprint.as_ref().is_some_and(|f| f.live.is_some()) {
        says!("ram-title-live")
    } else {
        says!("ram-title")
    };
    let mut table = Table::new(
        title,
        &[
            "#column-requests",
            "#column-base",
            "#column-buffers",
            "#column-typical",
            "#column-need",
            "column-remark",
            "column-source",
        ],
    );
    if state.state == State::AfterLazy {
        let before = maker.ram(maker.first(), 0);
        table.row(
            RowKind::Plain,
            [
                0.into(),
                before.base.into(),
                before.buffers.into(),
                before.total.into(),
                "–".into(),
                says!("remark-before-late"),
                Phrase::word(source_word(Source::Declared)),
            ],
        );
    }
    for row in rows {
        let ram = maker.ram(state, row.concurrency);
        let need = maker.figures.put(
            format!("ram.rows.{}.{}.need_bytes", state.state.name(), row.concurrency),
            Value::Bytes(exact(row.need, row.total.source())),
            "the largest of total (high end), height of loading and cold burst, and the kernel's share",
            &[("total", &ram.total.form(Form::High))],
        );
        let need = match row.fits {
            None => need.into(),
            Some(true) => Phrase::Joined(" ", vec![need.into(), "✔".into()]),
            Some(false) => Phrase::Joined(" ", vec![need.into(), "✘".into()]),
        };
        let asked = row.concurrency == maker.plan.design_concurrency
            && maker.plan.question.concurrency.is_some();
        table.rows.push(Row {
            kind: if asked { RowKind::Asked } else { RowKind::Plain },
            cells: vec![
                row.concurrency.into(),
                ram.base.into(),
                ram.buffers.into(),
                ram.total.into(),
                need,
                remark(maker, state, row.concurrency),
                Phrase::word(source_word(row.total.source())),
            ],
        });
    }
    table
}

/// What so many requests at once mean for this service on its CPUs; where none are asked about, by
/// number alone (an assumption).
fn remark(maker: &Maker<'_>, state: &StateCurve, n: u32) -> Phrase {
    let late = maker.plan.mix.as_ref().is_some_and(|mix| !mix.late.is_empty());
    if n == 0 {
        return match (state.state, late) {
            (State::AfterLazy, _) => says!("remark-after-late"),
            (State::Eager, _) => says!("remark-idle"),
        };
    }
    if let Some(answers) = &maker.plan.cpu.answers {
        let (least, best) = answers.best_concurrency;
        return if n < least {
            says!("remark-below")
        } else if n <= best {
            says!("remark-best")
        } else if n <= answers.max_useful_concurrency {
            says!("remark-useful")
        } else {
            says!("remark-queues", n = n - answers.max_useful_concurrency)
        };
    }
    match n {
        1 => says!("remark-typical"),
        2..=15 => says!("remark-times", n = n),
        16..=40 => says!("remark-high"),
        41..=80 => says!("remark-very-high"),
        _ => says!("remark-extreme"),
    }
}

fn line(maker: &mut Maker<'_>) -> Phrase {
    let ram = &maker.plan.ram;
    let base =
        maker.figures.put("ram.base_bytes", Value::Bytes(ram.base), "what all requests share", &[]);
    let buffer = maker.figures.put(
        "ram.buffer_bytes",
        Value::Bytes(ram.buffer),
        "what each request in flight adds",
        &[],
    );
    if maker.plan.footprint.is_none() {
        return says!(
            "ram-line-declared",
            base = base,
            buffer = buffer.clone(),
            buffers = buffer.range()
        );
    }
    says!(
        "ram-line",
        base = base.clone(),
        buffer = buffer.clone(),
        bases = base.range(),
        buffers = buffer.range()
    )
}

fn limit(maker: &mut Maker<'_>) -> Phrase {
    let ram = &maker.plan.ram;
    let n = maker.plan.design_concurrency;
    let count = Shown::plain(Value::count(n));
    let peak = maker.figures.put_as(
        "ram.load_peak_bytes",
        Value::Bytes(ram.load_peak),
        Form::High,
        "the height of loading",
        &[],
    );
    let limit = maker.figures.put_as(
        "ram.limit_bytes",
        Value::Bytes(ram.limit),
        Form::High,
        "the largest of loading, base + N × buffer and the cold burst, and the kernel's share",
        &[("N", &count), ("loading", &peak)],
    );
    let kill = maker.figures.put(
        "ram.kill_limit_bytes",
        Value::Bytes(ram.kill_limit),
        "the same of anonymous memory",
        &[("N", &count)],
    );
    if maker.plan.footprint.is_none() {
        return says!("ram-limit-declared", n = n, limit = limit);
    }
    says!("ram-limit", n = n, peak = peak, limit = limit, kill = kill)
}

/// Curves up to where the box, or the table, ends.
fn chart(maker: &mut Maker<'_>) -> Chart {
    let last = maker.last();
    let box_holds = maker
        .plan
        .question
        .ram
        .map(|ram| last.curve.max_concurrency(ram, !maker.plan.question.warmed).high);
    let most = box_holds.map_or(20, |n| (n + n / 4).clamp(4, 200));
    let step = (most / 40).max(1);
    let ns: Vec<u32> = (0..=most / step).map(|i| i * step).collect();
    let curve = |end: &dyn Fn(&Span<crate::units::Bytes>) -> f64, state: &StateCurve| {
        ns.iter().map(|&n| (f64::from(n), end(&state.curve.total(n)))).collect::<Vec<_>>()
    };
    let mut series = vec![Series {
        name: says!("series-high"),
        mark: Mark::Bound,
        points: curve(&|s| s.high().as_f64(), last),
    }];
    for state in maker.states() {
        let name = if maker.states().len() > 1 { models(state) } else { says!("series-typical") };
        series.push(Series {
            name,
            mark: Mark::Line,
            points: curve(&|s| s.typical().as_f64(), state),
        });
    }
    if let Some(footprint) = &maker.plan.footprint {
        let mut points: Vec<(f64, f64)> = footprint
            .points
            .iter()
            .filter(|p| p.concurrency <= most)
            .map(|p| (f64::from(p.concurrency), p.peak_bytes.as_f64()))
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        if footprint.mix.is_none() {
            series.push(Series { name: says!("series-measured"), mark: Mark::Points, points });
        }
    }
    if let Some(ram) = maker.plan.question.ram {
        let level = vec![(0.0, ram.as_f64()), (f64::from(most), ram.as_f64())];
        series.push(Series {
            name: says!("series-box", ram = Shown::plain(Value::Box(ram))),
            mark: Mark::Limit,
            points: level,
        });
    }
    Chart {
        id: "ram",
        plot: Plot::Lines { x: "axis-requests", y: "axis-ram", y_is_ram: true, series },
    }
}
