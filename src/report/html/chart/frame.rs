//! What both kinds of chart have: a place to draw in, an axis below it, and words around it.

use svg::node::Node;
use svg::node::element::{Line, Rectangle};

use super::super::words::Words;
use super::label::{FONT, LEADING, px, text, to_f64, width, wrap};
use super::scale::{Scale, Tick};
use crate::report::document::Axis;

/// Of every picture, in its own unit. The page shows it at about this size.
pub const WIDTH: f64 = 640.0;
/// Between things that must not touch.
pub const GAP: f64 = 8.0;
/// From the axis below down to its numbers: clear of the lowest number of the axis at the left,
/// which they would meet in the corner.
const BELOW: f64 = GAP + FONT;

/// Where the data is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Area {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

impl Area {
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    pub fn x(&self, share: f64) -> f64 {
        self.left + share * self.width()
    }

    pub fn y(&self, share: f64) -> f64 {
        self.bottom - share * (self.bottom - self.top)
    }
}

/// The axis below with as many ticks as have room for their labels.
pub fn level_scale(axis: &Axis, values: &[f64], room: f64, words: &Words) -> Scale {
    let scale = |most| Scale::new(axis.logarithmic, values, most, words);
    let fits = |scale: &Scale| {
        let shares: Vec<f64> = scale.ticks.iter().filter_map(|t| scale.at(t.value)).collect();
        let step = shares.windows(2).map(|w| w[1] - w[0]).fold(1.0, f64::min) * room;
        widest(&scale.ticks) + 2.0 * GAP <= step
    };
    [8, 6, 5, 4, 3, 2].into_iter().map(scale).find(fits).unwrap_or_else(|| scale(1))
}

/// The room that the longest of the labels takes.
pub fn widest(ticks: &[Tick]) -> f64 {
    ticks.iter().map(|tick| width(&tick.label)).fold(0.0, f64::max)
}

/// The lines, numbers and title of the axis below an area; returns where the picture ends.
pub fn level_axis(
    shapes: &mut Vec<Box<dyn Node>>,
    area: &Area,
    scale: &Scale,
    axis: &Axis,
    has_grid: bool,
) -> f64 {
    for tick in &scale.ticks {
        let Some(share) = scale.at(tick.value) else { continue };
        let x = area.x(share);
        let top = if has_grid { area.top } else { area.bottom };
        shapes.push(Box::new(line(x, top, x, area.bottom + 4.0, "grid")));
        // Above the axis the grid is faint; the notch below is what the number belongs to.
        let number = text(x, area.bottom + BELOW, "tick", &tick.label).set("text-anchor", "middle");
        shapes.push(Box::new(number));
    }
    shapes.push(Box::new(line(area.left, area.bottom, area.right, area.bottom, "axis")));
    let mut y = area.bottom + BELOW;
    for words in wrap(&axis.title, WIDTH - 2.0 * GAP, 3).lines {
        y += LEADING + 2.0;
        // Below the middle of the axis, but never out of the picture.
        let half = width(&words) / 2.0;
        let least = half.min(WIDTH / 2.0);
        let middle = area.x(0.5).clamp(least, WIDTH - least);
        let title = text(middle, y, "name", &words).set("text-anchor", "middle");
        shapes.push(Box::new(title));
    }
    y + GAP
}

/// The title of the axis at the left: above it, where it can be read without turning the head.
pub fn upright_title(shapes: &mut Vec<Box<dyn Node>>, title: &str) -> f64 {
    let lines = wrap(title, WIDTH - 2.0 * GAP, 3).lines;
    for (at, words) in lines.iter().enumerate() {
        let y = FONT + to_f64(at) * LEADING;
        shapes.push(Box::new(text(0.0, y, "name", words)));
    }
    if lines.is_empty() { GAP } else { to_f64(lines.len()) * LEADING + GAP }
}

/// In the middle of an area which has nothing to show.
pub fn nothing(shapes: &mut Vec<Box<dyn Node>>, area: &Area, words: &Words) {
    let y = f64::midpoint(area.top, area.bottom);
    let said = text(area.x(0.5), y, "name", words.no_data).set("text-anchor", "middle");
    shapes.push(Box::new(said));
}

/// A straight line.
pub fn line(x1: f64, y1: f64, x2: f64, y2: f64, class: &str) -> Line {
    Line::new()
        .set("x1", px(x1))
        .set("y1", px(y1))
        .set("x2", px(x2))
        .set("y2", px(y2))
        .set("class", class)
}

/// A box.
pub fn rectangle(x: f64, y: f64, width: f64, height: f64, class: &str) -> Rectangle {
    Rectangle::new()
        .set("x", px(x))
        .set("y", px(y))
        .set("width", px(width.max(0.0)))
        .set("height", px(height.max(0.0)))
        .set("class", class)
}
