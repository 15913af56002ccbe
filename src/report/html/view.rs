//! A document as the template sees it: with the pictures drawn, and the words that a page adds.

use serde::Serialize;

use super::chart::{Entry, figure};
use super::words::{Words, class, symbol};
use crate::report::document::{
    Axis, Bar, Block, Chart, Document, Facts, Item, Leaf, Mood, Plot, Row, RowKind, Series, Table,
    Tree,
};
use crate::text::line;

/// What `page.html` is filled with.
#[derive(Serialize)]
pub struct Page<'a> {
    language: &'a str,
    title: &'a str,
    about: &'a str,
    contents: &'a str,
    sections: Vec<SectionView<'a>>,
    footnotes_title: &'a str,
    footnotes: &'a [String],
    closing: &'a [String],
}

#[derive(Serialize)]
struct SectionView<'a> {
    id: &'a str,
    title: &'a str,
    blocks: Vec<BlockView<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum BlockView<'a> {
    Heading { text: &'a str },
    Paragraph { text: &'a str },
    Verdict { badge: Badge, text: &'a str },
    Table { title: &'a str, columns: Vec<ColumnView<'a>>, rows: Vec<RowView<'a>> },
    Tree { title: &'a str, leaves: Vec<LeafView<'a>> },
    Facts { title: &'a str, groups: Vec<GroupView<'a>> },
    List { items: Vec<ItemView<'a>> },
    Code { language: &'a str, text: &'a str },
    Chart { id: &'a str, title: &'a str, svg: String, legend: Vec<Entry> },
}

/// A mood as a sign, a word and a colour.
#[derive(Serialize)]
struct Badge {
    class: &'static str,
    symbol: &'static str,
    word: &'static str,
}

#[derive(Serialize)]
struct ColumnView<'a> {
    title: &'a str,
    numeric: bool,
}

#[derive(Serialize)]
struct RowView<'a> {
    class: &'static str,
    group: bool,
    /// How many columns the heading of a group spans.
    span: usize,
    cells: Vec<CellView<'a>>,
}

#[derive(Serialize)]
struct CellView<'a> {
    text: &'a str,
    numeric: bool,
}

#[derive(Serialize)]
struct LeafView<'a> {
    name: &'a str,
    value: &'a str,
    note: &'a str,
    total: bool,
}

#[derive(Serialize)]
struct GroupView<'a> {
    name: &'a str,
    leaves: Vec<LeafView<'a>>,
}

#[derive(Serialize)]
struct ItemView<'a> {
    plain: bool,
    badge: Badge,
    text: &'a str,
}

/// All that the template may ask for.
pub fn page(document: &Document) -> Page<'_> {
    let words = Words::of(document.language);
    Page {
        language: document.language,
        title: &document.title,
        about: &document.about,
        contents: words.contents,
        sections: document
            .sections
            .iter()
            .map(|section| SectionView {
                id: section.id,
                title: &section.title,
                blocks: section.blocks.iter().map(|one| block(one, words)).collect(),
            })
            .collect(),
        footnotes_title: &document.footnotes_title,
        footnotes: &document.footnotes,
        closing: &document.closing,
    }
}

fn block<'a>(block: &'a Block, words: &Words) -> BlockView<'a> {
    match block {
        Block::Heading(text) => BlockView::Heading { text },
        Block::Paragraph(text) => BlockView::Paragraph { text },
        Block::Verdict { mood, text } => BlockView::Verdict { badge: badge(*mood, words), text },
        Block::Table(one) => table(one),
        Block::Tree(Tree { title, leaves: parts }) => {
            BlockView::Tree { title, leaves: leaves(parts) }
        }
        Block::Facts(Facts { title, groups }) => BlockView::Facts {
            title,
            groups: groups
                .iter()
                .map(|(name, parts)| GroupView { name, leaves: leaves(parts) })
                .collect(),
        },
        Block::List(items) => {
            BlockView::List { items: items.iter().map(|one| item(one, words)).collect() }
        }
        Block::Code { language, text } => BlockView::Code { language, text },
        Block::Chart(chart) => {
            // Before it is laid out, because what is not plain gets longer.
            let figure = figure(&plain(chart), words);
            let (svg, legend) = (figure.svg, figure.legend);
            BlockView::Chart { id: chart.id, title: &chart.title, svg, legend }
        }
    }
}

/// The chart with texts that can be shown as they are.
fn plain(chart: &Chart) -> Chart {
    let text = |text: &String| line(text).into_owned();
    let axis = |axis: &Axis| Axis { title: text(&axis.title), ..axis.clone() };
    let plot = match &chart.plot {
        Plot::Lines { x, y, series } => {
            let one = |s: &Series| Series { name: text(&s.name), ..s.clone() };
            Plot::Lines { x: axis(x), y: axis(y), series: series.iter().map(one).collect() }
        }
        Plot::Bars { axis: below, bars } => {
            let parts = |bar: &Bar| {
                bar.parts.iter().map(|(name, size)| (text(name), *size)).collect::<Vec<_>>()
            };
            let one = |bar: &Bar| Bar {
                name: text(&bar.name),
                value: text(&bar.value),
                parts: parts(bar),
                mood: bar.mood,
            };
            Plot::Bars { axis: axis(below), bars: bars.iter().map(one).collect() }
        }
    };
    Chart { title: text(&chart.title), plot, ..*chart }
}

fn badge(mood: Mood, words: &Words) -> Badge {
    Badge { class: class(mood), symbol: symbol(mood), word: words.mood(mood) }
}

fn item<'a>(item: &'a Item, words: &Words) -> ItemView<'a> {
    ItemView { plain: item.mood == Mood::Neutral, badge: badge(item.mood, words), text: &item.text }
}

fn leaves(leaves: &[Leaf]) -> Vec<LeafView<'_>> {
    leaves
        .iter()
        .map(|leaf| LeafView {
            name: &leaf.name,
            value: &leaf.value,
            note: &leaf.note,
            total: leaf.total,
        })
        .collect()
}

fn table(table: &Table) -> BlockView<'_> {
    BlockView::Table {
        title: &table.title,
        columns: table
            .columns
            .iter()
            .map(|column| ColumnView { title: &column.title, numeric: column.numeric })
            .collect(),
        rows: table.rows.iter().map(|one| row(one, table)).collect(),
    }
}

fn row<'a>(row: &'a Row, table: &Table) -> RowView<'a> {
    let columns = table.columns.len().max(1);
    let cell = |at: usize| CellView {
        text: row.cells.get(at).map_or("", String::as_str),
        numeric: table.columns.get(at).is_some_and(|column| column.numeric),
    };
    let class = match row.kind {
        RowKind::Plain => "plain",
        RowKind::Group => "group",
        RowKind::Total => "total",
        RowKind::Asked => "asked",
    };
    // A cell without a column is still something that somebody wrote.
    let cells = (0..columns.max(row.cells.len())).map(cell).collect();
    RowView { class, group: row.kind == RowKind::Group, span: columns, cells }
}
