//! From a book to a document: sentences and quantities become text in one language, and what others
//! state differently gets a footnote.

use std::collections::BTreeMap;
use std::fmt::Write;

use fluent_bundle::FluentValue;

use super::catalogue::{Catalogue, Language};
use super::document::{
    Axis, Bar, Block, Chart, Column, Document, Facts, Item, Leaf, Mood, Plot, Row, RowKind,
    Section, Series, Table, Tree,
};
use super::values::Style;
use crate::plan::figure::{Form, Shown, Value};
use crate::plan::page::{self, Phrase};
use crate::plan::{Book, Note, Status};
use crate::text;
use crate::units::Convention;

/// What stands above and below the sections, in no language yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// What was sized.
    pub title: String,
    /// How it was measured, or that it was declared.
    pub about: Phrase,
    /// Lines at the end.
    pub closing: Vec<Phrase>,
}

/// The sections of `book` that are named in `wanted`, in the book's order.
pub fn document(book: &Book, frame: &Frame, wanted: &[&str], language: Language) -> Document {
    let mut writer = Writer::new(book, language);
    let about = writer.phrase(&frame.about);
    let sections = book.sections.iter().filter(|s| wanted.contains(&s.id));
    let sections = sections.map(|section| writer.section(section)).collect();
    let closing = frame.closing.iter().map(|line| writer.phrase(line)).collect();
    Document {
        language: language.tag(),
        title: frame.title.clone(),
        about,
        sections,
        footnotes: writer.footnotes(),
        footnotes_title: writer.catalogue.word("footnotes"),
        closing,
    }
}

/// The verdict of `book` in one line, with a line break at its end.
pub fn one_line(book: &Book, language: Language) -> String {
    let mut writer = Writer::new(book, language);
    let blocks = book.sections.iter().flat_map(|section| &section.blocks);
    let verdict = blocks.into_iter().find_map(|block| match block {
        page::Block::Verdict(_, phrase) => Some(writer.phrase(phrase)),
        _ => None,
    });
    verdict.unwrap_or_default() + "\n"
}

/// Turns phrases into text.
pub(super) struct Writer<'a> {
    pub(super) catalogue: Catalogue,
    style: Style,
    /// Statements that do not follow, by the figure.
    notes: BTreeMap<&'a str, Vec<&'a Note>>,
    /// Those that are footnotes so far.
    used: Vec<&'a Note>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(book: &'a Book, language: Language) -> Self {
        let mut notes: BTreeMap<&str, Vec<&Note>> = BTreeMap::new();
        for note in book.notes.iter().filter(|n| n.computed.is_some()) {
            notes.entry(&note.key).or_default().push(note);
        }
        Self {
            catalogue: Catalogue::of(language),
            style: Style { language, units: book.units },
            notes,
            used: Vec::new(),
        }
    }

    /// For sentences by themselves.
    pub(super) fn plain(language: Language) -> Writer<'static> {
        Writer {
            catalogue: Catalogue::of(language),
            style: Style { language, units: None },
            notes: BTreeMap::new(),
            used: Vec::new(),
        }
    }

    /// A quantity without footnotes.
    pub(super) fn value(&self, shown: &Shown) -> String {
        self.style.text(shown)
    }

    /// A quantity with the marks of its footnotes.
    fn shown(&mut self, shown: &Shown) -> String {
        let mut text = self.value(shown);
        let notes = shown.key.as_deref().and_then(|key| self.notes.get(key)).cloned();
        for note in notes.unwrap_or_default() {
            let number = match self.used.iter().position(|n| *n == note) {
                Some(index) => index + 1,
                None => {
                    self.used.push(note);
                    self.used.len()
                }
            };
            let _ = write!(text, " [{number}]");
        }
        text
    }

    pub(super) fn phrase(&mut self, phrase: &Phrase) -> String {
        match phrase {
            Phrase::Verbatim(text) => text.clone(),
            Phrase::Shows(shown) => self.shown(shown),
            Phrase::Joined(between, phrases) => {
                let texts = phrases.iter().map(|p| self.phrase(p));
                texts.filter(|t| !t.is_empty()).collect::<Vec<_>>().join(between)
            }
            Phrase::Says(says) => {
                let places: Vec<(&str, FluentValue<'_>)> =
                    says.places.iter().map(|(name, phrase)| (*name, self.place(phrase))).collect();
                self.catalogue.say(says.id, &places)
            }
        }
    }

    /// A whole number chooses between singular and plural; everything else is text.
    fn place(&mut self, phrase: &Phrase) -> FluentValue<'static> {
        if let Phrase::Shows(shown @ Shown { value: Value::Count(span), form: Form::Typical, .. }) =
            phrase
        {
            let n = span.typical();
            let is_plain = shown.key.as_deref().is_none_or(|key| !self.notes.contains_key(key));
            if n.fract() == 0.0 && n < 10_000.0 && is_plain {
                return FluentValue::from(n);
            }
        }
        FluentValue::from(self.phrase(phrase))
    }

    fn footnotes(&self) -> Vec<String> {
        self.used.iter().map(|note| self.footnote(note)).collect()
    }

    /// What was stated, where, and what follows instead.
    pub(super) fn footnote(&self, note: &Note) -> String {
        let at = note.stated.at.clone().unwrap_or_default();
        let computed = note.computed.as_ref().map(|shown| self.value(shown)).unwrap_or_default();
        let id = if at.is_empty() { "note-stated" } else { "note-stated-at" };
        self.catalogue.say(
            id,
            &[
                ("stated", FluentValue::from(note.stated.value.clone())),
                ("at", FluentValue::from(at)),
                ("computed", FluentValue::from(computed)),
                ("key", FluentValue::from(note.key.clone())),
            ],
        )
    }

    fn section(&mut self, section: &page::Section) -> Section {
        Section {
            id: section.id,
            title: self.catalogue.word(&format!("section-{}", section.id)),
            blocks: section.blocks.iter().map(|block| self.block(block)).collect(),
        }
    }

    fn block(&mut self, block: &page::Block) -> Block {
        match block {
            page::Block::Heading(phrase) => Block::Heading(self.phrase(phrase)),
            page::Block::Paragraph(phrase) => Block::Paragraph(self.phrase(phrase)),
            page::Block::Verdict(status, phrase) => {
                Block::Verdict { mood: mood(*status), text: self.phrase(phrase) }
            }
            page::Block::Table(table) => Block::Table(self.table(table)),
            page::Block::Tree(title, leaves) => Block::Tree(Tree {
                title: self.phrase(title),
                leaves: leaves.iter().map(|leaf| self.leaf(leaf)).collect(),
            }),
            page::Block::Facts(title, groups) => Block::Facts(Facts {
                title: self.phrase(title),
                groups: groups
                    .iter()
                    .map(|(name, leaves)| {
                        (self.phrase(name), leaves.iter().map(|leaf| self.leaf(leaf)).collect())
                    })
                    .collect(),
            }),
            page::Block::List(items) => Block::List(
                items
                    .iter()
                    .map(|(status, phrase)| Item {
                        mood: status.map_or(Mood::Neutral, mood),
                        text: self.phrase(phrase),
                    })
                    .collect(),
            ),
            page::Block::Code(language, lines) => {
                // Formats lay code out in lines as it is, so a name in it is made one here.
                let lines: Vec<String> =
                    lines.iter().map(|line| text::line(&self.phrase(line)).into_owned()).collect();
                Block::Code { language, text: lines.join("\n") }
            }
            page::Block::Chart(chart) => Block::Chart(self.chart(chart)),
        }
    }

    fn leaf(&mut self, leaf: &page::Leaf) -> Leaf {
        Leaf {
            name: self.phrase(&leaf.name),
            value: self.phrase(&leaf.value),
            note: self.phrase(&leaf.note),
            total: leaf.total,
        }
    }

    fn table(&mut self, table: &page::Table) -> Table {
        Table {
            title: self.phrase(&table.title),
            columns: table
                .columns
                .iter()
                .map(|c| Column { title: self.phrase(&c.title), numeric: c.numeric })
                .collect(),
            rows: table
                .rows
                .iter()
                .map(|row| Row {
                    kind: match row.kind {
                        page::RowKind::Plain => RowKind::Plain,
                        page::RowKind::Group => RowKind::Group,
                        page::RowKind::Total => RowKind::Total,
                        page::RowKind::Asked => RowKind::Asked,
                    },
                    cells: row.cells.iter().map(|cell| self.phrase(cell)).collect(),
                })
                .collect(),
            is_compact: table.is_compact,
        }
    }

    /// The axis of RAM is counted in the author's M.
    fn axis(&self, id: &str, is_ram: bool) -> (Axis, f64) {
        let (unit, factor) = match self.style.units.filter(|_| is_ram) {
            Some(units) => ("MB", units.boxes.mega().as_f64()),
            None if is_ram => ("MiB", Convention::Binary.mega().as_f64()),
            None => ("", 1.0),
        };
        let title = self.catalogue.say(id, &[("unit", FluentValue::from(unit))]);
        (Axis { title, logarithmic: false }, factor)
    }

    fn chart(&mut self, chart: &page::Chart) -> Chart {
        let plot = match &chart.plot {
            page::Plot::Lines { x, y, y_is_ram, series } => {
                let (x, _) = self.axis(x, false);
                let (y, factor) = self.axis(y, *y_is_ram);
                let series = series
                    .iter()
                    .map(|s| Series {
                        name: self.phrase(&s.name),
                        mark: s.mark,
                        points: s.points.iter().map(|(x, y)| (*x, y / factor)).collect(),
                    })
                    .collect();
                Plot::Lines { x, y, series }
            }
            page::Plot::Bars { axis, is_ram, bars } => {
                let (axis, factor) = self.axis(axis, *is_ram);
                let bars = bars
                    .iter()
                    .map(|bar| Bar {
                        name: self.phrase(&bar.name),
                        value: self.phrase(&bar.value),
                        parts: bar
                            .parts
                            .iter()
                            .map(|(name, size)| (self.phrase(name), size / factor))
                            .collect(),
                        mood: bar.status.map_or(Mood::Neutral, mood),
                    })
                    .collect();
                Plot::Bars { axis, bars }
            }
        };
        let title = self.catalogue.word(&format!("chart-{}", chart.id));
        Chart { id: chart.id, title, plot }
    }
}

const fn mood(status: Status) -> Mood {
    match status {
        Status::Unknown => Mood::Neutral,
        Status::Excellent | Status::Sufficient => Mood::Good,
        Status::Marginal => Mood::Fair,
        Status::Insufficient => Mood::Bad,
    }
}
