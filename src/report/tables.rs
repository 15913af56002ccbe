//! Tables and lines in a terminal: what all text reports share.

use anstyle::Style;
use comfy_table::presets::{ASCII_FULL_CONDENSED, NOTHING, UTF8_FULL_CONDENSED};
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, Width};

use super::document::Column;
use crate::text::line;

/// How the text is laid out.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Columns of the terminal.
    pub width: u16,
    /// What lines and marks are drawn with.
    pub lines: Lines,
}

/// What lines and marks are drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lines {
    /// Box-drawing characters.
    #[default]
    Unicode,
    /// Nothing but ASCII, words included.
    Ascii,
}

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();

/// An empty table with these headings.
pub(super) fn grid(layout: Layout, header: &[&str]) -> Table {
    let mut table = Table::new();
    let style = match layout.lines {
        Lines::Unicode => UTF8_FULL_CONDENSED.with_rounded_corners(),
        Lines::Ascii => ASCII_FULL_CONDENSED,
    };
    table
        .load_style(style)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(layout.width)
        .set_header(header.iter().map(|h| Cell::new(line(h))));
    table
}

/// An empty table with these headings and without lines.
pub(super) fn columns(layout: Layout, header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(layout.width)
        .set_header(header.iter().map(|h| Cell::new(line(h))));
    table
}

/// The cells of a row: words to the left, numbers to the right.
pub(super) fn cells_of(texts: &[String], columns: &[Column]) -> Vec<Cell> {
    texts
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let cell = cell(&line(text));
            let numeric = columns.get(index).is_some_and(|c| c.numeric);
            if numeric { cell.set_alignment(CellAlignment::Right) } else { cell }
        })
        .collect()
}

/// Characters of a cell that are shown.
const MOST_OF_A_CELL: usize = 400;

/// A cell; of a text of pages the begin, because breaking a long word takes time that grows with the
/// square of its length.
fn cell(text: &str) -> Cell {
    match text.char_indices().nth(MOST_OF_A_CELL) {
        Some((end, _)) => Cell::new(format!("{}…", &text[..end])),
        None => Cell::new(text),
    }
}

/// Keeps words whole where there is room for the longest of each column.
pub(super) fn keep_words(
    table: &mut Table,
    header: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
    layout: Layout,
) {
    let longest = |text: &str| {
        let words = text.split([' ', '\n']).map(|word| textwrap::core::display_width(&line(word)));
        words.max().unwrap_or(0)
    };
    let mut widths: Vec<usize> = header.iter().map(|h| longest(h)).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(&row) {
            *width = (*width).max(longest(cell));
        }
    }
    // A border and a blank at each side.
    let needed: usize = widths.iter().map(|w| w + 3).sum::<usize>() + 1;
    if needed > usize::from(layout.width) {
        return;
    }
    for (column, width) in table.column_iter_mut().zip(widths) {
        let width = u16::try_from(width + 2).unwrap_or(u16::MAX);
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
    }
}

/// Cells whose kind is told by how they begin.
pub(super) fn cells(texts: impl IntoIterator<Item = String>) -> Vec<Cell> {
    cells_of_lines(texts.into_iter().map(|text| line(&text).into_owned()))
}

/// The same of texts of ours, with line breaks where they say so.
pub(super) fn cells_of_lines(texts: impl IntoIterator<Item = String>) -> Vec<Cell> {
    texts
        .into_iter()
        .enumerate()
        .map(|(column, text)| {
            let number = text.starts_with(|c: char| c.is_ascii_digit());
            let cell = cell(&text);
            if number && column < 6 { cell.set_alignment(CellAlignment::Right) } else { cell }
        })
        .collect()
}

/// A line that stands out: the name of what is below.
pub(super) fn heading(text: &str) -> String {
    format!("{BOLD}{}{BOLD:#}\n", line(text))
}

/// A table below its title.
pub(super) fn titled(title: &str, table: &Table) -> String {
    format!("{}{table}\n", heading(title))
}

/// A list below its title; nothing where it is empty.
pub(super) fn listed(title: &str, lines: &[String], layout: Layout) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let lines: Vec<String> =
        lines.iter().map(|l| format!("  • {}\n", wrap(l, layout, 4))).collect();
    format!("{}{}", heading(title), lines.concat())
}

/// The ending of a plural.
pub(super) const fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}

/// [`wrap`] that keeps numbers together with their units.
pub(super) fn wrap_whole(text: &str, layout: Layout, indent: usize) -> String {
    wrap(&whole(text), layout, indent).replace(JOINT, " ")
}

/// A blank at which no line is broken, and which no text that is wrapped has.
pub(super) const JOINT: char = '\u{202f}';

/// Words that belong to the number before them.
const UNITS: [&str; 14] =
    ["KiB", "MiB", "GiB", "TiB", "KB", "MB", "GB", "%", "ms", "µs", "s", "min", "CPUs", "CPU"];

/// The text with what may not be torn apart joined: `352 MiB`, `+4.1 % ± 1.2 %`.
pub(super) fn whole(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(' ') {
        let plain = |c: char| !c.is_alphabetic() && c != '%';
        let bare = word.trim_matches(|c: char| c == ' ' || plain(c));
        let follows_a_number = out.trim_end().ends_with(|c: char| c.is_ascii_digit());
        let is_unit = UNITS.contains(&bare) && word.starts_with(|c: char| !plain(c));
        let is_between = word.trim_end() == "±" || out.trim_end().ends_with('±');
        if out.ends_with(' ') && ((is_unit && follows_a_number) || is_between) {
            out.pop();
            out.push(JOINT);
        }
        out.push_str(word);
    }
    out
}

/// Breaks lines at the terminal's width; later lines are indented.
pub(super) fn wrap(text: &str, layout: Layout, indent: usize) -> String {
    let width = usize::from(layout.width).max(40).saturating_sub(indent);
    // An option is not torn at its hyphens.
    let whole = textwrap::Options::new(width).word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::wrap(&line(text), whole).join(&format!("\n{}", " ".repeat(indent)))
}
