//! Where the memory goes: what all requests share, and what each brings.

use crate::footprint::{Load, ProgramMemory};
use crate::plan::book::{Maker, exact};
use crate::plan::components::{ACCUMULATED, SERVER};
use crate::plan::figure::{Form, Shown, Value};
use crate::plan::page::{Bar, Block, Chart, Phrase, Plot, Row, RowKind, Section, Table, says};
use crate::plan::{Component, Scope, State};
use crate::service::Costs;
use crate::units::{Bytes, Source, Span};

/// `memory`.
pub(super) fn memory(maker: &mut Maker<'_>) -> Option<Section> {
    let mut table = Table::new(
        Phrase::blank(),
        &["column-part", "#column-ram", "#column-range", "column-remark", "column-source"],
    );
    match maker.subject.declared {
        Some(costs) => declared(maker, costs, &mut table),
        None => measured(maker, &mut table),
    }
    let chart = Block::Chart(chart(maker));
    let mut blocks = vec![Block::Table(table)];
    if maker.plan.footprint.is_some() {
        blocks.push(Block::Paragraph(says!("memory-stages")));
    }
    blocks.push(chart);
    Some(Section { id: "memory", blocks })
}

fn row(kind: RowKind, name: Phrase, shown: &Shown, note: Phrase) -> Row {
    let [low, _, high] = shown.value.ends();
    let range =
        if low == high { Phrase::from("–") } else { Phrase::from(shown.form(Form::Range)) };
    let source = Phrase::word(source_word(shown.value.source()));
    Row { kind, cells: vec![name, shown.form(Form::Typical).into(), range, note, source] }
}

/// The word for a source in the catalogue.
pub(super) const fn source_word(source: Source) -> &'static str {
    match source {
        Source::Measured => "source-measured",
        Source::Fitted => "source-fitted",
        Source::Extrapolated => "source-extrapolated",
        Source::Declared => "source-declared",
        Source::Assumed => "source-assumed",
    }
}

fn sum(spans: &[Span<Bytes>]) -> Span<Bytes> {
    let nothing = exact(Bytes::ZERO, Source::Measured);
    spans.iter().fold(nothing, |a, b| a.zip(b, |a, b| a + b))
}

/// The parts as they were declared, with sums; and where a total was declared too, that.
fn declared(maker: &mut Maker<'_>, costs: &Costs, table: &mut Table) {
    let convention = maker.subject.convention();
    let bytes = |size: &crate::service::Quantity<crate::units::Size>| size.bytes(convention);
    table.group(says!("memory-shared"));
    let mut runtime = Vec::new();
    for (name, size) in costs.shared.parts.iter() {
        let span = bytes(size);
        runtime.push(span);
        let shown = part(maker, name, span);
        table.rows.push(row(RowKind::Plain, name.into(), &shown, Phrase::blank()));
    }
    if runtime.len() > 1 {
        let value = Value::Bytes(sum(&runtime));
        let shown =
            maker.figures.put_range("memory.runtime_bytes", value, "sum of the shared parts", &[]);
        table.rows.push(row(RowKind::Total, says!("memory-runtime"), &shown, Phrase::blank()));
    }
    let mut models = Vec::new();
    let (mut eager, mut late) = (Vec::new(), Vec::new());
    for (name, model) in costs.models.iter() {
        let Some(size) = &model.resident else { continue };
        let span = bytes(size);
        models.push(span);
        let (list, note) = match model.load {
            Load::Eager => (&mut eager, Phrase::blank()),
            Load::Lazy => (&mut late, says!("tag-lazy")),
        };
        list.push(span);
        let shown = part(maker, name, span);
        let file = model.file.as_ref().map(|file| bytes(file).typical());
        let note = match file.filter(|file| *file > Bytes::ZERO) {
            Some(file) => times_the_file(maker, name, &shown, file),
            None => note,
        };
        table.rows.push(row(RowKind::Plain, says!("memory-model", name = name), &shown, note));
    }
    if let Some(size) = &costs.shared.model_cache {
        let span = bytes(size);
        models.push(span);
        eager.push(span);
        let shown = part(maker, "model-cache", span);
        table.rows.push(row(RowKind::Plain, says!("memory-cache"), &shown, Phrase::blank()));
    }
    if models.len() > 1 {
        let value = Value::Bytes(sum(&models));
        let shown = maker.figures.put(
            "memory.models_bytes",
            value,
            "sum of the models and their cache",
            &[],
        );
        table.rows.push(row(RowKind::Total, says!("memory-models"), &shown, Phrase::blank()));
    }
    let mut all = [runtime, eager].concat();
    for state in maker.states() {
        if state.state == State::AfterLazy {
            all.extend(&late);
        }
        let value = Value::Bytes(sum(&all));
        let name = state.state.name();
        let key = format!("memory.sum.{name}");
        let shown = maker.figures.put_range(key, value, "sum of the parts", &[]);
        if costs.shared.total.is_some() {
            table.rows.push(row(RowKind::Plain, says!("memory-sum"), &shown, Phrase::blank()));
        }
        totals(maker, state, table);
    }
    requests(maker, costs, table);
}

fn part(maker: &mut Maker<'_>, name: &str, span: Span<Bytes>) -> Shown {
    maker.figures.put(format!("memory.parts.{name}"), Value::Bytes(span), "as declared", &[])
}

/// How many times its file a model takes in RAM.
fn times_the_file(maker: &mut Maker<'_>, name: &str, resident: &Shown, file: Bytes) -> Phrase {
    let [_, ram, _] = resident.value.ends();
    let on_disk = Shown::plain(Value::Bytes(exact(file, Source::Declared)));
    let times = maker.figures.put(
        format!("memory.times_file.{name}"),
        Value::Count(exact((ram / file.as_f64() * 10.0).round() / 10.0, Source::Declared)),
        "resident / file",
        &[("resident", resident), ("file", &on_disk)],
    );
    says!("memory-times-file", times = times, file = on_disk)
}

/// The base in a state.
fn totals(maker: &mut Maker<'_>, state: &crate::plan::StateCurve, table: &mut Table) {
    let base = maker.base(state);
    let models = Phrase::Joined(" + ", state.models.iter().map(Phrase::from).collect());
    let note = if models == Phrase::Joined(" + ", Vec::new()) { Phrase::blank() } else { models };
    table.rows.push(row(RowKind::Total, says!("memory-total"), &base, note));
}

fn requests(maker: &mut Maker<'_>, costs: &Costs, table: &mut Table) {
    let convention = maker.subject.convention();
    table.group(says!("memory-request"));
    let mut stages = Vec::new();
    for (name, stage) in costs.request.stages.iter() {
        let Some(size) = &stage.ram else { continue };
        let span = size.bytes(convention);
        stages.push(span);
        let key = format!("memory.request.{name}");
        let shown = maker.figures.put(key, Value::Bytes(span), "as declared", &[]);
        let note = stage.note.as_deref().map_or_else(Phrase::blank, Phrase::from);
        table.rows.push(row(RowKind::Plain, name.into(), &shown, note));
    }
    if !stages.is_empty() {
        let value = Value::Bytes(sum(&stages));
        let shown = maker.figures.put_range("memory.request.sum", value, "sum of the stages", &[]);
        table.rows.push(row(RowKind::Total, says!("memory-each"), &shown, Phrase::blank()));
    }
    if let Some(size) = &costs.request.buffer {
        let value = Value::Bytes(size.bytes(convention));
        let shown = maker.figures.put("memory.request.typical", value, "as declared", &[]);
        table.rows.push(row(RowKind::Total, says!("memory-typical"), &shown, Phrase::blank()));
    }
}

/// The parts that the marks of a measurement tell apart.
fn measured(maker: &mut Maker<'_>, table: &mut Table) {
    let plan = maker.plan;
    table.group(says!("memory-shared"));
    let lazy = |name: &str| {
        let models = plan.footprint.iter().flat_map(|f| &f.models);
        models.into_iter().any(|m| m.lazy && name == format!("model {}", m.name))
    };
    let parts = || plan.ram.components.iter();
    for Component { name, bytes, .. } in parts().filter(|c| c.scope == Scope::Shared) {
        let key = format!("memory.parts.{name}");
        let shown = maker.figures.put(key, Value::Bytes(*bytes), "difference of marks", &[]);
        let program = plan.footprint.as_ref().and_then(|f| f.program.as_ref());
        let note = match program.filter(|_| name.starts_with(SERVER)) {
            Some(record) => imports(&record.memory),
            None if lazy(name) => says!("tag-lazy"),
            None => Phrase::blank(),
        };
        table.rows.push(row(RowKind::Plain, part_name(name), &shown, note));
    }
    for state in maker.states() {
        totals(maker, state, table);
    }
    if parts().any(|c| c.scope == Scope::Request) {
        table.group(says!("memory-request-stages"));
    }
    for Component { name, bytes, .. } in parts().filter(|c| c.scope == Scope::Request) {
        let key = format!("memory.request.{name}");
        let shown =
            maker.figures.put(key, Value::Bytes(*bytes), "high-water mark of the stage", &[]);
        table.rows.push(row(RowKind::Plain, name.into(), &shown, Phrase::blank()));
    }
    let last = maker.last();
    let each = maker.mean_buffer(last);
    table.rows.push(row(RowKind::Total, says!("memory-each"), &each, Phrase::blank()));
}

/// What a server process was measured with, and without.
fn imports(memory: &ProgramMemory) -> Phrase {
    let imported = (!memory.imported.is_empty()).then(|| memory.imported.join(", ").into());
    let missing = (!memory.missing.is_empty())
        .then(|| says!("part-not-installed", what = memory.missing.join(", ")));
    Phrase::Joined("; ", imported.into_iter().chain(missing).collect())
}

/// The names that the tool itself gives parts, in the reader's language.
fn part_name(name: &str) -> Phrase {
    match name {
        "program" => says!("part-program"),
        "service before its first request" => says!("part-service"),
        "kept by the first requests" => says!("part-kept"),
        "kernel: page tables, stacks" => says!("part-kernel"),
        _ => match (name.strip_prefix("model "), name.strip_prefix(ACCUMULATED)) {
            (Some(model), _) => says!("memory-model", name = model),
            (None, Some(rest)) => {
                let n = rest.split(' ').next().unwrap_or_default().to_owned();
                says!("part-accumulated", n = n)
            }
            (None, None) => match name.strip_prefix(SERVER) {
                Some(program) => says!("part-server", program = program),
                None => name.into(),
            },
        },
    }
}

/// One bar for what is shared, one for what ten requests add.
fn chart(maker: &mut Maker<'_>) -> Chart {
    let parts = |scope: Scope| -> Vec<(Phrase, f64)> {
        let of = maker.plan.ram.components.iter().filter(move |c| c.scope == scope);
        of.map(|c| (part_name(&c.name), c.bytes.typical().as_f64())).collect()
    };
    let shared = parts(Scope::Shared);
    let last = maker.last();
    let ten = maker.ram(last, 10);
    let [_, buffers, _] = ten.buffers.value.ends();
    let base = ten.base;
    let bars = vec![
        Bar { name: says!("memory-shared"), value: base.into(), parts: shared, status: None },
        Bar {
            name: says!("requests", n = 10),
            value: ten.buffers.into(),
            parts: vec![(says!("column-buffers"), buffers)],
            status: None,
        },
    ];
    Chart { id: "memory", plot: Plot::Bars { axis: "axis-ram", is_ram: true, bars } }
}
