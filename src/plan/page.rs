//! What a report says and in which order, in no language yet: sentences are named, not written, and
//! quantities are not yet text.

use super::figure::Shown;
use super::finding::Status;

/// A sentence, a word or a number.
#[derive(Debug, Clone, PartialEq)]
pub enum Phrase {
    /// From the user: names are the same in every language.
    Verbatim(String),
    /// From the catalogue of messages.
    Says(Says),
    /// A quantity.
    Shows(Shown),
    /// Several, one after the other, with this between them.
    Joined(&'static str, Vec<Phrase>),
}

/// A message of the catalogue, with what its places hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Says {
    /// Its name there.
    pub id: &'static str,
    /// By the names of the places.
    pub places: Vec<(&'static str, Phrase)>,
}

impl Phrase {
    /// Nothing.
    pub const fn blank() -> Self {
        Self::Verbatim(String::new())
    }

    /// A message without places.
    pub const fn word(id: &'static str) -> Self {
        Self::Says(Says { id, places: Vec::new() })
    }

    /// A message.
    pub fn says<const N: usize>(id: &'static str, places: [(&'static str, Self); N]) -> Self {
        Self::Says(Says { id, places: places.into() })
    }
}

impl From<&Shown> for Phrase {
    fn from(shown: &Shown) -> Self {
        Self::Shows(shown.clone())
    }
}

impl From<Shown> for Phrase {
    fn from(shown: Shown) -> Self {
        Self::Shows(shown)
    }
}

impl From<&str> for Phrase {
    fn from(text: &str) -> Self {
        Self::Verbatim(text.to_owned())
    }
}

impl From<String> for Phrase {
    fn from(text: String) -> Self {
        Self::Verbatim(text)
    }
}

impl From<u32> for Phrase {
    fn from(number: u32) -> Self {
        Self::Shows(Shown::plain(super::figure::Value::count(number)))
    }
}

/// A part of the report that can be asked for by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// As in `--section`; its heading is the message `section-<id>`.
    pub id: &'static str,
    /// What it holds.
    pub blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A heading below that of the section.
    Heading(Phrase),
    /// Sentences.
    Paragraph(Phrase),
    /// The answer to a question, at a glance.
    Verdict(Status, Phrase),
    /// Rows and columns.
    Table(Table),
    /// A sum and what it is made of.
    Tree(Phrase, Vec<Leaf>),
    /// A configuration: its name, then named groups of lines.
    Facts(Phrase, Vec<(Phrase, Vec<Leaf>)>),
    /// One thing a line.
    List(Vec<(Option<Status>, Phrase)>),
    /// To be copied and run; lines.
    Code(&'static str, Vec<Phrase>),
    /// A picture.
    Chart(Chart),
}

/// Rows and columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// What it shows; blank where the section's heading says it.
    pub title: Phrase,
    /// Messages.
    pub columns: Vec<Column>,
    /// From top to bottom.
    pub rows: Vec<Row>,
    /// Whether a terminal draws it without lines.
    pub is_compact: bool,
}

/// A column: the message of its heading, and whether it holds numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its heading.
    pub title: Phrase,
    /// Whether it holds numbers.
    pub numeric: bool,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What it is.
    pub kind: RowKind,
    /// One a column.
    pub cells: Vec<Phrase>,
}

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// One among others.
    Plain,
    /// The heading of those that follow.
    Group,
    /// The sum of those before.
    Total,
    /// The one that was asked about.
    Asked,
}

/// A line of a tree or of a configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// What it is.
    pub name: Phrase,
    /// How much.
    pub value: Phrase,
    /// A remark.
    pub note: Phrase,
    /// Whether it is the sum of the others.
    pub total: bool,
}

impl Leaf {
    /// A line without a remark.
    pub fn new(name: impl Into<Phrase>, value: impl Into<Phrase>) -> Self {
        Self { name: name.into(), value: value.into(), note: Phrase::blank(), total: false }
    }

    /// With a remark.
    #[must_use]
    pub fn note(self, note: impl Into<Phrase>) -> Self {
        Self { note: note.into(), ..self }
    }

    /// As the sum of the others.
    #[must_use]
    pub fn total(self) -> Self {
        Self { total: true, ..self }
    }
}

impl Table {
    /// An empty table. A column whose name begins with `#` holds numbers.
    pub fn new(title: Phrase, columns: &[&'static str]) -> Self {
        let column = |name: &&'static str| {
            let (name, numeric) = name.strip_prefix('#').map_or((*name, false), |n| (n, true));
            Column { title: Phrase::word(name), numeric }
        };
        let columns = columns.iter().map(column).collect();
        Self { title, columns, rows: Vec::new(), is_compact: false }
    }

    /// The same, drawn without lines.
    #[must_use]
    pub fn compact(self) -> Self {
        Self { is_compact: true, ..self }
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, kind: RowKind, cells: [Phrase; N]) {
        self.rows.push(Row { kind, cells: cells.into() });
    }

    /// Adds a heading of the rows that follow.
    pub fn group(&mut self, name: impl Into<Phrase>) {
        let mut cells = vec![Phrase::blank(); self.columns.len()];
        if let Some(first) = cells.first_mut() {
            *first = name.into();
        }
        self.rows.push(Row { kind: RowKind::Group, cells });
    }
}

/// A picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// A word; its title is the message `chart-<id>`.
    pub id: &'static str,
    /// What it is made of.
    pub plot: Plot,
}

/// What a picture is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Plot {
    /// Curves and points.
    Lines {
        /// The message of the axis below.
        x: &'static str,
        /// Of the axis at the left, with a place `unit` for that of RAM.
        y: &'static str,
        /// Bytes on the axis at the left are counted in M.
        y_is_ram: bool,
        /// From back to front.
        series: Vec<Series>,
    },
    /// One bar a line.
    Bars {
        /// The message of the axis.
        axis: &'static str,
        /// Values are bytes, counted in M.
        is_ram: bool,
        /// From top to bottom.
        bars: Vec<Bar>,
    },
}

/// A curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What it is.
    pub name: Phrase,
    /// How it is drawn.
    pub mark: Mark,
    /// Ascending in x.
    pub points: Vec<(f64, f64)>,
}

/// How a curve is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A line.
    Line,
    /// A lighter line.
    Bound,
    /// Points alone.
    Points,
    /// A level line that must not be crossed.
    Limit,
}

/// A bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// What it is.
    pub name: Phrase,
    /// The number at its end.
    pub value: Phrase,
    /// Its parts, end to end.
    pub parts: Vec<(Phrase, f64)>,
    /// How good it is, if it is judged.
    pub status: Option<Status>,
}

/// A message with its places: `says!("ram-holds", n = shown)`.
macro_rules! says {
    ($id:literal $(, $place:ident = $value:expr)* $(,)?) => {
        $crate::plan::page::Phrase::Says($crate::plan::page::Says {
            id: $id,
            places: vec![$((stringify!($place), $crate::plan::page::Phrase::from($value))),*],
        })
    };
}
pub(crate) use says;
