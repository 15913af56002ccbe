//! A document as one file for a browser: nothing is loaded from elsewhere, and nothing runs.

mod axis;
mod bars;
mod lines;
#[cfg(test)]
mod tests;

use std::fmt::Write;

pub(super) use axis::ticks;
use minijinja::{AutoEscape, Environment, Value, context};

use super::document::{Block, Chart, Document, Leaf, Mood, Plot, RowKind, Section};

/// The page around the sections.
const PAGE: &str = include_str!("html/page.html");

/// The document as HTML.
///
/// # Errors
/// Where the page cannot be made of it, which no document is known to cause.
pub fn html(document: &Document) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_template("page", PAGE)?;
    let notes = document.footnotes.len();
    let sections: Vec<Value> =
        document.sections.iter().map(|s| section(s, document.language, notes)).collect();
    environment.get_template("page")?.render(context! {
        language => document.language,
        title => document.title.as_str(),
        about => document.about.as_str(),
        sections,
        footnotes_title => document.footnotes_title.as_str(),
        footnotes => document.footnotes.clone(),
        closing => document.closing.clone(),
    })
}

fn section(section: &Section, language: &str, notes: usize) -> Value {
    let blocks: Vec<Value> = section.blocks.iter().map(|b| block(b, language, notes)).collect();
    context! { id => section.id, title => section.title.as_str(), blocks }
}

fn block(block: &Block, language: &str, notes: usize) -> Value {
    let rich = |text: &str| linked(text, notes);
    match block {
        Block::Heading(text) => context! { kind => "heading", text => rich(text) },
        Block::Paragraph(text) => context! { kind => "paragraph", text => rich(text) },
        Block::Verdict { mood, text } => {
            context! { kind => "verdict", mood => word(*mood), mark => mark(*mood), text => rich(text) }
        }
        Block::Table(table) => {
            let columns: Vec<Value> = table
                .columns
                .iter()
                .map(|c| context! { title => c.title.as_str(), numeric => c.numeric })
                .collect();
            let rows: Vec<Value> = table
                .rows
                .iter()
                .map(|row| {
                    let cells: Vec<Value> = row
                        .cells
                        .iter()
                        .enumerate()
                        .map(|(index, cell)| {
                            let numeric = table.columns.get(index).is_some_and(|c| c.numeric);
                            context! { text => rich(cell), numeric }
                        })
                        .collect();
                    context! { kind => row_word(row.kind), cells }
                })
                .collect();
            context! { kind => "table", title => rich(&table.title), columns, rows }
        }
        Block::Tree(tree) => {
            let leaves: Vec<Value> = tree.leaves.iter().map(|l| leaf(l, notes)).collect();
            context! { kind => "tree", title => rich(&tree.title), leaves }
        }
        Block::Facts(facts) => {
            let groups: Vec<Value> = facts
                .groups
                .iter()
                .map(|(name, leaves)| {
                    let leaves: Vec<Value> = leaves.iter().map(|l| leaf(l, notes)).collect();
                    context! { name => rich(name), leaves }
                })
                .collect();
            context! { kind => "facts", title => rich(&facts.title), groups }
        }
        Block::List(items) => {
            let items: Vec<Value> = items
                .iter()
                .map(|item| {
                    context! { mood => word(item.mood), mark => mark(item.mood), text => rich(&item.text) }
                })
                .collect();
            context! { kind => "list", items }
        }
        Block::Code { language, text } => {
            context! { kind => "code", language => *language, text => text.as_str() }
        }
        Block::Chart(chart) => {
            context! { kind => "chart", title => chart.title.as_str(), picture => picture(chart, language) }
        }
    }
}

fn leaf(leaf: &Leaf, notes: usize) -> Value {
    context! {
        name => linked(&leaf.name, notes),
        value => linked(&leaf.value, notes),
        note => linked(&leaf.note, notes),
        total => leaf.total,
    }
}

/// The picture as SVG, which is markup already.
fn picture(chart: &Chart, language: &str) -> Value {
    let svg = match &chart.plot {
        Plot::Lines { x, y, series } => lines::lines(chart, x, y, series, language),
        Plot::Bars { axis, bars } => bars::bars(chart, axis, bars, language),
    };
    Value::from_safe_string(svg)
}

/// Text as markup in which `[n]` leads to the footnote n, if there is one.
fn linked(text: &str, notes: usize) -> Value {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('[') {
        let (before, from) = rest.split_at(start);
        out.push_str(&escaped(before));
        let number = from[1..].split_once(']').map(|(n, _)| n);
        match number.and_then(|n| n.parse::<usize>().ok()).filter(|n| (1..=notes).contains(n)) {
            Some(n) => {
                let _ = write!(out, "<sup><a href=\"#note-{n}\">{n}</a></sup>");
                rest = from.split_once(']').map_or("", |(_, after)| after);
            }
            None => {
                out.push('[');
                rest = &from[1..];
            }
        }
    }
    out.push_str(&escaped(rest));
    Value::from_safe_string(out)
}

/// Text without what would be markup.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

const fn word(mood: Mood) -> &'static str {
    match mood {
        Mood::Good => "good",
        Mood::Fair => "fair",
        Mood::Bad => "bad",
        Mood::Neutral => "neutral",
    }
}

const fn mark(mood: Mood) -> &'static str {
    match mood {
        Mood::Good => "✔",
        Mood::Fair => "!",
        Mood::Bad => "✘",
        Mood::Neutral => "•",
    }
}

const fn row_word(kind: RowKind) -> &'static str {
    match kind {
        RowKind::Plain => "plain",
        RowKind::Group => "group",
        RowKind::Total => "total",
        RowKind::Asked => "asked",
    }
}
