//! Charts as SVG inside a page: shapes and words here, every colour in the style sheet, so that a
//! dark screen and a printer each get their own.

mod bars;
mod frame;
pub mod label;
mod lines;
pub mod scale;

use serde::Serialize;
use svg::node::element::{Description, Element};
use svg::node::{Node, Value};

use super::words::Words;
use crate::report::document::{Chart, Plot};

/// How many colours the style sheet has before they come again.
const COLOURS: usize = 8;

/// A picture, and what its colours mean. The legend is not in the SVG: a page breaks lines better.
#[derive(Serialize)]
pub struct Figure {
    /// The picture: markup.
    pub svg: String,
    /// Below it.
    pub legend: Vec<Entry>,
}

/// A line of a legend.
#[derive(Serialize, Clone, PartialEq, Eq)]
pub struct Entry {
    /// A small picture of the mark: markup.
    pub swatch: String,
    /// What it stands for.
    pub name: String,
}

/// A picture before it has a name: its height, its shapes, its legend, and what it says in words.
struct Drawing {
    height: f64,
    shapes: Vec<Box<dyn Node>>,
    legend: Vec<Entry>,
    words: Vec<String>,
}

/// Draws a chart.
pub fn figure(chart: &Chart, words: &Words) -> Figure {
    let drawing = match &chart.plot {
        Plot::Lines { x, y, series } => lines::draw(x, y, series, words),
        Plot::Bars { axis, bars } => bars::draw(axis, bars, words),
    };
    let (title, description) =
        (format!("chart-{}-title", chart.id), format!("chart-{}-words", chart.id));
    let mut said = Description::new().set("id", description.as_str());
    said.append(label::content(&drawing.words.join(" ")));
    let mut svg = picture(frame::WIDTH, drawing.height);
    svg.assign("class", "chart");
    svg.assign("role", "img");
    svg.assign("aria-labelledby", title.as_str());
    svg.assign("aria-describedby", description.as_str());
    svg.append(label::title(&chart.title).set("id", title));
    svg.append(said);
    for shape in drawing.shapes {
        svg.append(shape);
    }
    Figure { svg: svg.to_string(), legend: drawing.legend }
}

/// An empty picture. Inside HTML it needs no name space, and thus no address.
fn picture(width: f64, height: f64) -> Element {
    let mut svg = Element::new("svg");
    svg.assign("viewBox", Value::from((0.0, 0.0, label::px(width), label::px(height))));
    svg
}

/// A line of a legend with its mark.
fn entry(name: &str, shapes: Vec<Box<dyn Node>>) -> Entry {
    let mut svg = picture(24.0, 12.0);
    svg.assign("class", "swatch");
    svg.assign("aria-hidden", "true");
    for shape in shapes {
        svg.append(shape);
    }
    Entry { swatch: svg.to_string(), name: name.to_owned() }
}

/// The number of a name among the names before it, which is the number of its colour.
fn slot<'a>(names: &mut Vec<&'a str>, name: &'a str) -> usize {
    names.iter().position(|known| *known == name).unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    })
}
