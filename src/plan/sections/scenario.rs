//! RAM by requests in flight as trees, the formula with examples, and the kinds of requests.

use super::ram::models;
use crate::plan::book::{Maker, count, exact};
use crate::plan::figure::{Form, Shown, Value};
use crate::plan::page::{Block, Leaf, Phrase, RowKind, Section, Table, says};
use crate::plan::{State, StateCurve};
use crate::units::Source;

/// Requests in flight of the trees.
const TREES: [u32; 3] = [1, 10, 100];
/// Of the worked examples.
const EXAMPLES: [u32; 4] = [10, 20, 50, 100];

/// `scenario`.
pub(super) fn scenario(maker: &mut Maker<'_>) -> Option<Section> {
    let mut blocks = Vec::new();
    let states = maker.states();
    for (index, state) in states.iter().enumerate() {
        let heading = if states.len() > 1 {
            says!("scenario-of", n = u32::try_from(index + 1).unwrap_or(1), models = models(state))
        } else if maker.plan.footprint.as_ref().is_some_and(|f| f.live.is_some()) {
            says!("scenario-live")
        } else {
            says!("scenario-one")
        };
        blocks.push(Block::Heading(heading));
        let recommended = index == 0 && states.len() > 1;
        if recommended {
            blocks.push(Block::Paragraph(says!("scenario-recommended")));
        }
        blocks.extend(idle(maker, state));
        for n in TREES {
            blocks.push(tree(maker, state, n));
        }
    }
    let (base, buffer) = (maker.base(maker.first()), maker.mean_buffer(maker.last()));
    blocks.push(Block::Paragraph(says!("scenario-linear", base = base, buffer = buffer)));
    Some(Section { id: "scenario", blocks })
}

/// The process before it has served, and after late models are loaded.
fn idle(maker: &mut Maker<'_>, state: &StateCurve) -> Vec<Block> {
    let mut trees = Vec::new();
    if state.state == State::AfterLazy {
        let before = maker.base(maker.first());
        let leaf = Leaf::new(models(maker.first()), before).note(says!("tree-idle"));
        trees.push(Block::Tree(says!("tree-before-late"), vec![leaf]));
    }
    let title =
        if state.state == State::AfterLazy { says!("tree-after-late") } else { says!("tree-base") };
    let leaf = Leaf::new(models(state), maker.base(state)).note(says!("tree-idle"));
    trees.push(Block::Tree(title, vec![leaf]));
    trees
}

fn tree(maker: &mut Maker<'_>, state: &StateCurve, n: u32) -> Block {
    let ram = maker.ram(state, n);
    let mut leaves = vec![Leaf::new(says!("tree-base-line"), ram.base.clone())];
    let kinds = kinds(maker, state, n);
    if kinds.is_empty() {
        let each = maker.mean_buffer(state);
        leaves.push(Leaf::new(says!("tree-requests", n = n), ram.buffers.clone()).note(says!(
            "n-times",
            n = n,
            each = each
        )));
    } else {
        leaves.extend(kinds);
    }
    let [_, total, _] = ram.total.value.ends();
    // Without units of the author's own, gigabytes are shown as such already.
    let note = if total >= maker.megas(1000).as_f64() && maker.subject.service.units.is_some() {
        let giga = maker.figures.put_as(
            format!("ram.rows.{}.{n}.total_giga", state.state.name()),
            ram.total.value,
            Form::Giga,
            "total in the next larger unit",
            &[("total", &ram.total)],
        );
        says!("about", value = giga)
    } else {
        Phrase::blank()
    };
    leaves.push(Leaf::new(says!("tree-total"), ram.total).note(note).total());
    Block::Tree(says!("tree-n", n = n), leaves)
}

/// How many of `n` requests are of each kind, and what they add; nothing where all are alike.
fn kinds(maker: &mut Maker<'_>, state: &StateCurve, n: u32) -> Vec<Leaf> {
    let Some(mix) = &maker.plan.mix else { return Vec::new() };
    if state.state == State::Eager && maker.states().len() > 1 {
        return Vec::new();
    }
    let shares: Vec<f64> = mix.kinds.iter().map(|k| k.share.get()).collect();
    let split = crate::model::mix::whole_requests(&shares, n);
    mix.kinds
        .iter()
        .zip(split)
        .map(|(kind, k)| {
            let key = format!("scenario.{}.{n}.{}", state.state.name(), kind.name);
            let all = Shown::plain(Value::count(n));
            let share = Shown::plain(Value::Share(exact(kind.share.get(), Source::Declared)));
            let requests = maker.figures.put(
                format!("{key}.requests"),
                count(f64::from(k), Source::Declared),
                "N × share, in whole requests",
                &[("N", &all), ("share", &share)],
            );
            let each = maker.figures.put(
                format!("ram.request_kinds.{}.buffer_bytes", kind.name),
                Value::Bytes(kind.buffer),
                "what each request of this kind adds",
                &[],
            );
            let bytes = maker.figures.put(
                format!("{key}.bytes"),
                Value::Bytes(kind.buffer.map(|b| b * u64::from(k))),
                "requests × buffer",
                &[("requests", &requests), ("buffer", &each)],
            );
            Leaf::new(says!("tree-kind", n = requests, name = kind.name.clone()), bytes)
                .note(says!("times", n = k, each = each))
        })
        .collect()
}

/// `formula`.
pub(super) fn formula(maker: &mut Maker<'_>) -> Option<Section> {
    let mut definitions = Vec::new();
    for state in maker.states() {
        definitions.push(Leaf::new(says!("formula-base"), maker.base(state)).note(models(state)));
    }
    definitions.push(Leaf::new(says!("formula-n"), Phrase::from("N")));
    let last = maker.last();
    let (buffer, mean) = (maker.buffer(last), maker.mean_buffer(last));
    definitions.push(Leaf::new(says!("formula-buffer"), buffer.clone()));
    if buffer.value != mean.value {
        definitions.push(Leaf::new(says!("formula-mean"), mean));
    }
    let examples = EXAMPLES
        .iter()
        .map(|&n| {
            let ram = maker.flat(last, n);
            Leaf::new(says!("requests", n = n), ram.total).note(says!(
                "formula-example",
                base = ram.base,
                n = n,
                buffer = maker.buffer(last)
            ))
        })
        .collect();
    Some(Section {
        id: "formula",
        blocks: vec![
            Block::Paragraph(says!("formula-line")),
            Block::Tree(says!("formula-where"), definitions),
            Block::Tree(says!("formula-examples"), examples),
        ],
    })
}

/// `mix`.
pub(super) fn mix(maker: &mut Maker<'_>) -> Option<Section> {
    let mix = maker.plan.mix.as_ref()?;
    let mut table = Table::new(
        Phrase::blank(),
        &[
            "column-request",
            "#column-share",
            "#column-ram-each",
            "#column-range",
            "#column-cpu-time",
        ],
    );
    for kind in &mix.kinds {
        let each = maker.figures.put(
            format!("ram.request_kinds.{}.buffer_bytes", kind.name),
            Value::Bytes(kind.buffer),
            "what each request of this kind adds",
            &[],
        );
        let cpu = maker.figures.put(
            format!("ram.request_kinds.{}.cpu_seconds", kind.name),
            Value::Seconds(kind.cpu),
            "CPU time of one request of this kind",
            &[],
        );
        let share = Shown::plain(Value::Share(exact(kind.share.get(), Source::Declared)));
        table.row(
            RowKind::Plain,
            [
                kind.name.clone().into(),
                share.into(),
                each.clone().into(),
                each.range().into(),
                cpu.into(),
            ],
        );
    }
    let mut blocks = vec![Block::Table(table), Block::Paragraph(says!("mix-split"))];
    if let Some(check) = &mix.check {
        let together = check
            .requests
            .iter()
            .zip(&mix.kinds)
            .map(|(n, kind)| says!("tree-kind", n = *n, name = kind.name.clone()))
            .collect();
        blocks.push(Block::Paragraph(says!(
            "mix-check",
            together = Phrase::Joined(" + ", together),
            predicted = Shown::plain(Value::Bytes(check.predicted)),
            observed = Shown::plain(Value::Bytes(exact(check.observed, Source::Measured))),
            error =
                Shown::plain(Value::Share(exact(check.error, Source::Measured))).form(Form::Signed),
        )));
    }
    if maker.states().len() > 1 {
        let late = Phrase::Joined(", ", mix.late.iter().map(Phrase::from).collect());
        let (before, after) = (maker.base(maker.first()), maker.base(maker.last()));
        blocks.push(Block::Paragraph(says!(
            "mix-late",
            models = late,
            before = before,
            after = after
        )));
    }
    Some(Section { id: "mix", blocks })
}
