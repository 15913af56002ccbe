//! A document for a person at a terminal.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use textplots::{Chart as Canvas, Plot as _, Shape};

use super::document::{
    Block, Chart, Document, Facts, Leaf, Mark, Mood, Plot, Row, RowKind, Section, Table, Tree,
};
use super::steps::steps;
use super::tables::{BOLD, DIM, Layout, Lines, cells_of, columns, grid, heading, keep_words, wrap};
use crate::text;

/// The document as text. Contains colours; whoever prints it strips them where they do not belong.
pub fn terminal(document: &Document, layout: Layout) -> String {
    let mut parts = vec![header(document, layout)];
    parts.extend(document.sections.iter().map(|section| rendered(section, layout)));
    if !document.footnotes.is_empty() {
        parts.push(footnotes(document, layout));
    }
    if !document.closing.is_empty() {
        let lines = document.closing.iter().map(|line| wrap(line, layout, 0));
        parts.push(format!("{DIM}{}{DIM:#}\n", lines.collect::<Vec<_>>().join("\n")));
    }
    let mut text = parts.join("\n");
    text.truncate(text.trim_end().len());
    text.push('\n');
    match layout.lines {
        Lines::Unicode => text,
        Lines::Ascii => ascii(&text),
    }
}

fn header(document: &Document, layout: Layout) -> String {
    format!(
        "{BOLD}{}{BOLD:#}\n{DIM}{}{DIM:#}\n",
        wrap(&document.title, layout, 0),
        wrap(&document.about, layout, 0)
    )
}

const HEADING: Style = AnsiColor::Cyan.on_default().bold();

fn rendered(section: &Section, layout: Layout) -> String {
    let rule =
        "─".repeat(usize::from(layout.width).saturating_sub(section.title.chars().count() + 4));
    let mut text = format!("{HEADING}── {} {rule}{HEADING:#}\n", section.title);
    let mut before_is_heading = true;
    for block in &section.blocks {
        let shown = shown(block, layout);
        if shown.is_empty() {
            continue;
        }
        // Sentences and lists follow each other closely; what has a shape of its own stands apart.
        let is_flow = matches!(block, Block::Paragraph(_) | Block::List(_) | Block::Verdict { .. });
        if !(is_flow || before_is_heading) {
            text.push('\n');
        }
        before_is_heading = matches!(block, Block::Heading(_));
        text.push_str(&shown);
    }
    text
}

fn shown(block: &Block, layout: Layout) -> String {
    match block {
        Block::Heading(title) => format!("{BOLD}{}{BOLD:#}\n", wrap(title, layout, 0)),
        Block::Paragraph(text) => format!("{}\n", wrap(text, layout, 0)),
        Block::Verdict { mood, text } => {
            let (style, mark) = marked(*mood);
            format!("{style}{mark} {}{style:#}\n", wrap(text, layout, 2))
        }
        Block::Table(table) => self::table(table, layout),
        Block::Tree(tree) => self::tree(tree, layout),
        Block::Facts(facts) => self::facts(facts, layout),
        Block::List(items) => items.iter().fold(String::new(), |mut out, item| {
            let (style, mark) = match item.mood {
                Mood::Neutral => (Style::new(), "•"),
                mood => marked(mood),
            };
            let _ = writeln!(out, "  {style}{mark}{style:#} {}", wrap(&item.text, layout, 4));
            out
        }),
        Block::Code { text, .. } => text.lines().fold(String::new(), |mut out, line| {
            let _ = writeln!(out, "{}", format!("    {line}").trim_end());
            out
        }),
        Block::Chart(chart) => plot(chart, layout),
    }
}

fn marked(mood: Mood) -> (Style, &'static str) {
    match mood {
        Mood::Good => (AnsiColor::Green.on_default().bold(), "✔"),
        Mood::Fair => (AnsiColor::Yellow.on_default().bold(), "!"),
        Mood::Bad => (AnsiColor::Red.on_default().bold(), "✘"),
        Mood::Neutral => (AnsiColor::Blue.on_default().bold(), "·"),
    }
}

/// Lines without blanks at their ends.
fn trimmed(text: &str) -> String {
    text.lines().fold(String::new(), |mut out, line| {
        let _ = writeln!(out, "{}", line.trim_end());
        out
    })
}

fn table(table: &Table, layout: Layout) -> String {
    // What is longer in ASCII must be so before columns are made for it.
    let plain = |text: &str| match layout.lines {
        Lines::Unicode => text.to_owned(),
        Lines::Ascii => ascii(text),
    };
    let titles: Vec<String> = table.columns.iter().map(|c| plain(&c.title)).collect();
    let header: Vec<&str> = titles.iter().map(String::as_str).collect();
    let grouped = table.rows.iter().any(|row| row.kind == RowKind::Group);
    let rows: Vec<Vec<String>> = table
        .rows
        .iter()
        .map(|row| indented(row, grouped).iter().map(|cell| plain(cell)).collect())
        .collect();
    let mut drawn = if table.is_compact { columns(layout, &header) } else { grid(layout, &header) };
    for row in &rows {
        drawn.add_row(cells_of(row, &table.columns));
    }
    keep_words(&mut drawn, &header, rows.into_iter(), layout);
    let title = if table.title.is_empty() { String::new() } else { heading(&table.title) };
    if table.is_compact {
        return title + &trimmed(&drawn.to_string());
    }
    format!("{title}{drawn}\n")
}

/// What belongs to a group stands a little to the right of its heading.
fn indented(row: &Row, grouped: bool) -> Vec<String> {
    let mut cells = row.cells.clone();
    if let Some(first) = cells.first_mut().filter(|_| grouped && row.kind == RowKind::Plain) {
        *first = format!("  {first}");
    }
    cells
}

fn line(out: &mut String, before: &str, leaf: &Leaf, layout: Layout) {
    let colon = if leaf.name.is_empty() || leaf.value.is_empty() { "" } else { ": " };
    let note = if leaf.note.is_empty() { String::new() } else { format!("  ({})", leaf.note) };
    let text = format!("{}{colon}{}{note}", leaf.name, leaf.value);
    let style = if leaf.total { BOLD } else { Style::new() };
    let _ =
        writeln!(out, "{before}{style}{}{style:#}", wrap(&text, layout, before.chars().count()));
}

fn tree(tree: &Tree, layout: Layout) -> String {
    let mut out = format!("{}\n", wrap(&tree.title, layout, 0));
    for (index, leaf) in tree.leaves.iter().enumerate() {
        let branch = if index + 1 == tree.leaves.len() { "└─ " } else { "├─ " };
        line(&mut out, branch, leaf, layout);
    }
    out
}

fn facts(facts: &Facts, layout: Layout) -> String {
    let mut out = String::new();
    if !facts.title.is_empty() {
        let _ = writeln!(out, "{BOLD}{}{BOLD:#}", wrap(&facts.title, layout, 0));
    }
    for (name, leaves) in &facts.groups {
        let mut indent = "  ";
        if !name.is_empty() {
            let _ = writeln!(out, "  {}", text::line(name));
            indent = "    ";
        }
        for leaf in leaves {
            line(&mut out, indent, leaf, layout);
        }
    }
    out
}

fn footnotes(document: &Document, layout: Layout) -> String {
    let mut out = heading(&document.footnotes_title);
    for (index, note) in document.footnotes.iter().enumerate() {
        let mark = format!("[{}] ", index + 1);
        let _ = writeln!(out, "{mark}{}", wrap(note, layout, mark.len()));
    }
    out
}

/// Curves in dots of braille; bars are in the tables already.
fn plot(chart: &Chart, layout: Layout) -> String {
    let Plot::Lines { x, y, series } = &chart.plot else { return String::new() };
    if chart.id != "ram" {
        return String::new();
    }
    let all = || series.iter().flat_map(|s| &s.points);
    let most_x = all().map(|p| p.0).fold(0.0, f64::max);
    let steps = steps(all().map(|p| p.1).fold(0.0, f64::max), 4);
    let most_y = steps.last().copied().unwrap_or(0.0);
    if most_x <= 0.0 || most_y <= 0.0 {
        return String::new();
    }
    let width = u32::from(layout.width.saturating_sub(14).clamp(24, 100)) * 2;
    let points = |s: &super::document::Series| -> Vec<(f32, f32)> {
        #[expect(clippy::cast_possible_truncation, reason = "a dot is coarser than any float")]
        s.points.iter().map(|p| (p.0 as f32, p.1 as f32)).collect()
    };
    let curves: Vec<(Mark, Vec<(f32, f32)>)> = series.iter().map(|s| (s.mark, points(s))).collect();
    let shapes: Vec<Shape<'_>> = curves
        .iter()
        .map(
            |(mark, points)| {
                if *mark == Mark::Points { Shape::Points(points) } else { Shape::Lines(points) }
            },
        )
        .collect();
    #[expect(clippy::cast_possible_truncation, reason = "a dot is coarser than any float")]
    let mut canvas = Canvas::new_with_y_range(width, 48, 0.0, most_x as f32, 0.0, most_y as f32);
    let mut canvas = &mut canvas;
    for shape in &shapes {
        canvas = canvas.lineplot(shape);
    }
    canvas.figures();
    let drawn = canvas.frame();
    let rows: Vec<&str> = drawn.lines().map(str::trim_end).filter(|l| !l.is_empty()).collect();
    let mut out = format!("{BOLD}{}{BOLD:#}  {DIM}{}{DIM:#}\n", chart.title, y.title);
    let whole = u32::try_from(rows.len()).unwrap_or(1).max(1);
    for (index, row) in (0..whole).zip(&rows) {
        // A tick stands beside the row that its height falls into.
        let row_of = |tick: f64| ((1.0 - tick / most_y) * f64::from(whole)).floor().max(0.0);
        let tick = steps.iter().filter(|t| **t > 0.0).find(|t| row_of(**t) == f64::from(index));
        let label = tick.map_or_else(String::new, |t| format!("{t:.0}"));
        let _ = writeln!(out, "{label:>8} │{row}");
    }
    let _ = writeln!(out, "{:>8} └{}", "0", "─".repeat((width / 2) as usize));
    let end = format!("{most_x:.0} {}", x.title);
    let _ = writeln!(out, "{:>width$}", end, width = (width / 2) as usize + 10);
    let names: Vec<&str> = series.iter().map(|s| s.name.as_str()).collect();
    let _ = writeln!(out, "{DIM}{}{DIM:#}", wrap(&names.join(" · "), layout, 0));
    out
}

/// The same in ASCII alone, for terminals and logs that know nothing else.
fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_ascii() => out.push(c),
            '✔' => out.push_str("[ok]"),
            '✘' => out.push_str("[x]"),
            '·' | '•' => out.push('*'),
            '–' | '−' | '─' => out.push('-'),
            '│' | '├' => out.push('|'),
            '└' => out.push('`'),
            '×' => out.push('x'),
            '→' => out.push_str("->"),
            '◀' => out.push('<'),
            '²' => out.push('2'),
            'Σ' => out.push_str("sum"),
            '\u{2800}' => out.push(' '),
            '\u{2801}'..='\u{28FF}' => out.push(match (c as u32 - 0x2800).count_ones() {
                0 => ' ',
                1 | 2 => '.',
                3 | 4 => ':',
                _ => '#',
            }),
            c => out.push_str(deunicode::deunicode_char(c).unwrap_or("?")),
        }
    }
    out
}
