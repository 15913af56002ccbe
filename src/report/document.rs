//! A report in one language, ready to be laid out: words, and the order in which they come.
//!
//! Every format is made from this, so that none of them says what another does not. Texts hold no
//! markup and no escapes: whoever writes a format adds its own.

pub use crate::plan::page::Mark;

/// How good something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// As it should be.
    Good,
    /// It works, with little to spare.
    Fair,
    /// It does not work.
    Bad,
    /// Neither: nothing was asked, or nothing is known.
    Neutral,
}

/// The whole report.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// A language tag, as `en`.
    pub language: &'static str,
    /// What was sized.
    pub title: String,
    /// How it was measured, or who declared it, in a sentence or two.
    pub about: String,
    /// The parts, in order.
    pub sections: Vec<Section>,
    /// What the numbers in brackets point at, from 1 on.
    pub footnotes: Vec<String>,
    /// The word above them.
    pub footnotes_title: String,
    /// The last line, if any: when the report was made and when it should be made again.
    pub closing: Vec<String>,
}

/// A part that can be asked for by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// As in `--section`: lower case, no blanks.
    pub id: &'static str,
    /// Its heading.
    pub title: String,
    /// What it holds.
    pub blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A heading below that of the section.
    Heading(String),
    /// Sentences.
    Paragraph(String),
    /// The answer to a question, at a glance.
    Verdict {
        /// How good it is.
        mood: Mood,
        /// In a few words.
        text: String,
    },
    /// Rows and columns.
    Table(Table),
    /// Sums and what they are made of.
    Tree(Tree),
    /// Names and values, nested: a configuration.
    Facts(Facts),
    /// One thing a line.
    List(Vec<Item>),
    /// To be copied and run. Each of its lines is one that can be shown as it is.
    Code {
        /// As a code host names it: `python`, `bash`.
        language: &'static str,
        /// Lines.
        text: String,
    },
    /// A picture.
    Chart(Chart),
}

/// Rows and columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// What it shows; empty where the section's heading says it.
    pub title: String,
    /// From left to right.
    pub columns: Vec<Column>,
    /// From top to bottom.
    pub rows: Vec<Row>,
    /// Whether a terminal draws it without lines.
    pub is_compact: bool,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its heading.
    pub title: String,
    /// Whether it holds numbers, which line up at their right end.
    pub numeric: bool,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// One text a column. Of a group, the first is its heading and the others are empty.
    pub cells: Vec<String>,
    /// What the row is.
    pub kind: RowKind,
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

/// A sum and what it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// What is summed.
    pub title: String,
    /// Its parts, the total last.
    pub leaves: Vec<Leaf>,
}

/// A line of a tree or of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// What it is.
    pub name: String,
    /// How much.
    pub value: String,
    /// A remark; may be empty.
    pub note: String,
    /// Whether it is the sum of the others.
    pub total: bool,
}

/// Names and values: the configuration of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Of what; may be empty.
    pub title: String,
    /// Groups of lines, each with its name (which may be empty).
    pub groups: Vec<(String, Vec<Leaf>)>,
}

/// A line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// `Neutral` for a plain bullet.
    pub mood: Mood,
    /// What it says.
    pub text: String,
}

/// A picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// A word without blanks, unique in the document.
    pub id: &'static str,
    /// What it shows, in words.
    pub title: String,
    /// What it is made of.
    pub plot: Plot,
}

/// What a picture is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Plot {
    /// Curves and points over a common axis.
    Lines {
        /// Below.
        x: Axis,
        /// At the left.
        y: Axis,
        /// From back to front.
        series: Vec<Series>,
    },
    /// One bar a line, each of one part or of several end to end.
    Bars {
        /// What is measured.
        axis: Axis,
        /// From top to bottom.
        bars: Vec<Bar>,
    },
}

/// An axis, from 0 or from its least value to its largest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axis {
    /// What it measures, with its unit: numbers along it are plain.
    pub title: String,
    /// Whether it grows by factors instead of by steps.
    pub logarithmic: bool,
}

/// A curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What it is.
    pub name: String,
    /// How it is drawn.
    pub mark: Mark,
    /// In the units of the axes, ascending in x.
    pub points: Vec<(f64, f64)>,
}

/// A bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// What it is.
    pub name: String,
    /// The number at its end.
    pub value: String,
    /// Its parts, end to end, in the unit of the axis; each with a name (which may be empty).
    pub parts: Vec<(String, f64)>,
    /// How good it is.
    pub mood: Mood,
}
