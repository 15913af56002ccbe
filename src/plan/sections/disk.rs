//! What the service stores.

use crate::plan::book::{Maker, exact};
use crate::plan::figure::{Form, Shown, Value};
use crate::plan::finding::Status;
use crate::plan::page::{Block, Phrase, RowKind, Section, Table, says};
use crate::service::{Named, Place, Quantity, Stored};
use crate::units::{Bytes, Convention, Size, Source, Span};

/// What is recommended where nobody says: from twice to three times what is stored.
const RECOMMENDED: (f64, f64) = (2.0, 3.0);

/// Room to grow where nobody says: a quarter of what is stored.
const GROWTH: f64 = 0.25;

/// What is stored, and what is recommended.
pub(in crate::plan) struct Disk {
    pub total: Shown,
    pub recommended: Shown,
}

/// A size on disk: decimal unless it is marked.
fn size(quantity: &Quantity<Size>) -> Span<Bytes> {
    quantity.bytes(Convention::Decimal)
}

impl Maker<'_> {
    /// Names and sizes of the models' files, of those that have one.
    fn files(&self) -> Vec<(String, Span<Bytes>)> {
        if let Some(costs) = self.subject.declared {
            let models = costs.models.iter();
            return models
                .filter_map(|(name, m)| Some((name.to_owned(), size(m.file.as_ref()?))))
                .collect();
        }
        let models = self.plan.footprint.iter().flat_map(|f| &f.models);
        models.map(|m| (m.name.clone(), exact(m.file_bytes, Source::Measured))).collect()
    }

    /// The sums of everything that is stored; `None` where nothing is known.
    pub fn disk(&mut self) -> Option<Disk> {
        let parts = self.parts()?;
        let stored = parts
            .iter()
            .fold(exact(Bytes::ZERO, Source::Measured), |a, (_, s)| a.zip(&s.span, |a, b| a + b));
        let storage = self.subject.service.storage.clone().unwrap_or_default();
        let growth = storage.growth.as_ref().map_or_else(
            || stored.map(|b| Bytes::from_f64(b.as_f64() * GROWTH)).with_source(Source::Assumed),
            size,
        );
        let growth_shown = self.figures.put_as(
            "storage.growth_bytes",
            Value::Volume(growth),
            Form::High,
            "as declared, else a quarter of what is stored (assumed)",
            &[],
        );
        let total = stored.zip(&growth, |a, b| a + b);
        let total_shown = self.figures.put_as(
            "storage.total_bytes",
            Value::Volume(total),
            Form::High,
            "sum of the parts and the room to grow",
            &[("growth", &growth_shown)],
        );
        let (low, high) =
            storage.recommended.as_ref().map_or(RECOMMENDED, |q| (q.low().0, q.high().0));
        let times = |factor: f64| Bytes::from_f64(total.high().as_f64() * factor);
        let recommended =
            Span::around(times(low), times(f64::midpoint(low, high)), times(high), Source::Assumed);
        let factor =
            Shown::plain(Value::Count(Span::around(low, low, high, Source::Assumed))).range();
        let recommended = self.figures.put_range(
            "storage.recommended_bytes",
            Value::Volume(recommended),
            "total × factor",
            &[("total", &total_shown), ("factor", &factor)],
        );
        Some(Disk { total: total_shown, recommended })
    }

    fn parts(&mut self) -> Option<Vec<(&'static str, Sum)>> {
        let files = self.files();
        let storage = self.subject.service.storage.clone();
        if files.is_empty() && storage.is_none() {
            return None;
        }
        let storage = storage.unwrap_or_default();
        let all = |stored: &Named<Stored>| -> Vec<(String, Option<Span<Bytes>>)> {
            stored
                .iter()
                .map(|(name, stored)| {
                    (
                        name.to_owned(),
                        match &stored.0 {
                            Place::Local(quantity) => Some(size(quantity)),
                            Place::Remote => None,
                        },
                    )
                })
                .collect()
        };
        let models = files.into_iter().map(|(name, span)| (name, Some(span))).collect();
        Some(vec![
            ("models", Sum::of(models)),
            ("application", Sum::of(all(&storage.application))),
            ("dependencies", Sum::of(all(&storage.dependencies))),
            ("system", Sum::of(all(&storage.system))),
            ("user", Sum::of(all(&storage.user))),
        ])
    }
}

/// Things that are stored, and how much they are together.
struct Sum {
    items: Vec<(String, Option<Span<Bytes>>)>,
    span: Span<Bytes>,
}

impl Sum {
    fn of(items: Vec<(String, Option<Span<Bytes>>)>) -> Self {
        let nothing = exact(Bytes::ZERO, Source::Measured);
        let span =
            items.iter().filter_map(|(_, s)| *s).fold(nothing, |a, b| a.zip(&b, |a, b| a + b));
        Self { items, span }
    }
}

/// `storage`.
pub(super) fn storage(maker: &mut Maker<'_>) -> Option<Section> {
    let parts = maker.parts()?;
    let mut table = Table::new(Phrase::blank(), &["column-part", "#column-size", "column-source"]);
    let mut sums = Table::new(says!("storage-sums"), &["column-part", "#column-size"]);
    let mut core: Span<Bytes> = exact(Bytes::ZERO, Source::Measured);
    for (id, sum) in &parts {
        if sum.items.is_empty() {
            continue;
        }
        table.group(Phrase::word(heading(id)));
        for (name, span) in &sum.items {
            let Some(span) = span else {
                table.row(
                    RowKind::Plain,
                    [name.clone().into(), says!("storage-remote"), Phrase::word("source-declared")],
                );
                continue;
            };
            let shown = maker.figures.put_range(
                format!("storage.{id}.{name}"),
                Value::Volume(*span),
                "as declared, or of the file",
                &[],
            );
            table.row(
                RowKind::Plain,
                [
                    name.clone().into(),
                    shown.into(),
                    Phrase::word(super::memory::source_word(span.source())),
                ],
            );
        }
        let shown = maker.figures.put_as(
            format!("storage.{id}_bytes"),
            Value::Volume(sum.span),
            Form::High,
            "sum, high end",
            &[],
        );
        table.row(RowKind::Total, [says!("storage-sum"), shown.clone().into(), Phrase::blank()]);
        if matches!(*id, "models" | "application") {
            core = core.zip(&sum.span, |a, b| a + b);
        } else {
            sums.row(RowKind::Plain, [Phrase::word(heading(id)), shown.into()]);
        }
    }
    let core = maker.figures.put_as(
        "storage.core_bytes",
        Value::Volume(core),
        Form::High,
        "models and application",
        &[],
    );
    sums.rows.insert(
        0,
        crate::plan::page::Row {
            kind: RowKind::Plain,
            cells: vec![says!("storage-core"), core.into()],
        },
    );
    let Disk { total, recommended } = maker.disk()?;
    if let Some(growth) = maker.figures.get("storage.growth_bytes").map(|f| f.shown.clone()) {
        sums.row(RowKind::Plain, [says!("storage-growth"), growth.into()]);
    }
    sums.row(RowKind::Total, [says!("tree-total"), total.form(Form::Giga).into()]);
    sums.row(
        RowKind::Plain,
        [says!("storage-recommended"), recommended.form(Form::GigaRange).into()],
    );
    let mut blocks = vec![Block::Table(table), Block::Table(sums)];
    if maker.subject.service.storage.is_none() {
        blocks.push(Block::Paragraph(says!("storage-undeclared")));
    }
    if let Some(disk) = maker.plan.question.disk {
        let status = disk_status(disk, &total, &recommended);
        blocks.push(Block::Verdict(
            status,
            says!(
                "verdict-storage",
                has = Shown::plain(Value::Volume(exact(disk, Source::Declared))),
                status = status.phrase()
            ),
        ));
    }
    Some(Section { id: "storage", blocks })
}

/// The sum must fit; the upper end of what is recommended is more than enough.
pub(in crate::plan) fn disk_status(disk: Bytes, total: &Shown, recommended: &Shown) -> Status {
    let has = disk.as_f64();
    let ([_, _, need], [least, _, most]) = (total.value.ends(), recommended.value.ends());
    if has < need {
        Status::Insufficient
    } else if has < least {
        Status::Marginal
    } else if has < most * 2.0 {
        Status::Sufficient
    } else {
        Status::Excellent
    }
}

fn heading(id: &str) -> &'static str {
    match id {
        "models" => "storage-models",
        "application" => "storage-application",
        "dependencies" => "storage-dependencies",
        "system" => "storage-system",
        _ => "storage-user",
    }
}
