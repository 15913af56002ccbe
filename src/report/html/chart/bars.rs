//! Bars, one a line: names at the left, numbers at their ends.

use svg::node::Node;

use super::super::words::{Words, class, symbol};
use super::frame::{Area, GAP, WIDTH, level_axis, level_scale, line, nothing, rectangle};
use super::label::{BOLD, FONT, LEADING, text, title, titled, to_f64, width, wrap};
use super::scale::{Scale, is_drawable};
use super::{COLOURS, Drawing, Entry, entry, slot};
use crate::report::document::{Axis, Bar, Mood};

/// Of a bar.
const THICKNESS: f64 = 16.0;
/// What names and numbers may take of the width, so that bars keep some.
const NAMES: f64 = 0.34 * WIDTH;
const NUMBERS: f64 = 0.32 * WIDTH;

/// Draws bars over an axis.
pub fn draw(axis: &Axis, bars: &[Bar], words: &Words) -> Drawing {
    let is_split = bars.iter().any(|bar| bar.parts.len() > 1);
    let names: Vec<_> = bars.iter().map(|bar| wrap(&bar.name, NAMES, 3)).collect();
    let numbers: Vec<_> = bars.iter().map(|bar| wrap(&number(bar), NUMBERS / BOLD, 1)).collect();
    let widest = |wrapped: &[super::label::Wrapped]| {
        wrapped.iter().flat_map(|w| &w.lines).map(|l| width(l)).fold(0.0, f64::max)
    };
    let heights: Vec<f64> =
        names.iter().map(|name| THICKNESS.max(to_f64(name.lines.len()) * LEADING) + GAP).collect();
    let mut area = Area {
        left: widest(&names).max(2.0 * GAP) + GAP,
        right: WIDTH - (BOLD * widest(&numbers)).max(2.0 * GAP) - GAP,
        top: GAP,
        bottom: GAP + heights.iter().sum::<f64>().max(4.0 * GAP),
    };
    let scale = level_scale(axis, &ends(axis, bars), area.width(), words);
    // The last number of the axis reaches beyond it by half of its width.
    let beyond = scale.ticks.last().map_or(0.0, |tick| width(&tick.label) / 2.0);
    area.right = area.right.min(WIDTH - beyond);
    area.left = area.left.max(scale.ticks.first().map_or(0.0, |tick| width(&tick.label) / 2.0));
    let mut shapes: Vec<Box<dyn Node>> = Vec::new();
    let height = level_axis(&mut shapes, &area, &scale, axis, true);
    if bars.is_empty() {
        nothing(&mut shapes, &area, words);
    }
    let mut known = Vec::new();
    let mut legend = Vec::new();
    let mut top = area.top;
    for (((bar, name), number), height) in bars.iter().zip(&names).zip(&numbers).zip(&heights) {
        let middle = top + height / 2.0;
        let first = middle - LEADING * (to_f64(name.lines.len()) - 1.0) / 2.0 + FONT * 0.35;
        for (at, words) in name.lines.iter().enumerate() {
            let line = text(area.left - GAP, first + to_f64(at) * LEADING, "name", words)
                .set("text-anchor", "end");
            let line = if name.cut { titled(line, &bar.name) } else { line };
            shapes.push(Box::new(line));
        }
        let end = if is_split {
            split(&mut shapes, &mut known, &mut legend, bar, &area, &scale, middle)
        } else {
            whole(&mut shapes, bar, &area, &scale, middle)
        };
        if let Some(words) = number.lines.first() {
            let class = format!("value {}", class(bar.mood));
            let line = text(end + GAP / 2.0, middle + FONT * 0.35, &class, words);
            let line = if number.cut { titled(line, &bar.value) } else { line };
            shapes.push(Box::new(line));
        }
        top += height;
    }
    shapes.push(Box::new(line(area.left, area.top, area.left, area.bottom, "axis")));
    let said = bars.iter().map(|bar| format!("{}: {}.", bar.name, bar.value));
    Drawing { height, shapes, legend, words: said.collect() }
}

/// The number at the end of a bar, after the sign of how good it is.
fn number(bar: &Bar) -> String {
    match bar.mood {
        Mood::Neutral => bar.value.clone(),
        mood => format!("{} {}", symbol(mood), bar.value),
    }
}

/// Lengths that can be drawn: nothing is shorter than nothing.
fn lengths(bar: &Bar) -> impl Iterator<Item = (&str, f64)> {
    bar.parts
        .iter()
        .filter(|(_, length)| is_drawable(*length) && *length > 0.0)
        .map(|(name, length)| (name.as_str(), *length))
}

/// The numbers that the axis must hold.
fn ends(axis: &Axis, bars: &[Bar]) -> Vec<f64> {
    let mut ends: Vec<f64> = bars
        .iter()
        .map(|bar| lengths(bar).map(|(_, l)| l).sum())
        .filter(|end| *end > 0.0)
        .collect();
    if axis.logarithmic {
        // The first bars begin somewhere: below the least of all ends, or it would have no length.
        let least = bars.iter().filter_map(|bar| lengths(bar).next()).map(|(_, l)| l);
        let least = least.fold(f64::INFINITY, f64::min);
        ends.push(least / 2.0);
    }
    ends
}

/// A bar in the colour of its mood; returns where it ends.
fn whole(
    shapes: &mut Vec<Box<dyn Node>>,
    bar: &Bar,
    area: &Area,
    scale: &Scale,
    middle: f64,
) -> f64 {
    let total = lengths(bar).map(|(_, length)| length).sum();
    let end = scale.at(total).map_or(area.left, |share| area.x(share));
    let class = format!("bar {}", class(bar.mood));
    let y = middle - THICKNESS / 2.0;
    shapes.push(Box::new(rectangle(area.left, y, end - area.left, THICKNESS, &class)));
    end
}

/// A bar of parts, each in the colour of its name; returns where it ends.
fn split<'a>(
    shapes: &mut Vec<Box<dyn Node>>,
    known: &mut Vec<&'a str>,
    legend: &mut Vec<Entry>,
    bar: &'a Bar,
    area: &Area,
    scale: &Scale,
    middle: f64,
) -> f64 {
    let (mut sum, mut start) = (0.0, area.left);
    for (name, length) in lengths(bar) {
        sum += length;
        let Some(share) = scale.at(sum) else { break };
        let end = area.x(share);
        let before = known.len();
        let slot = slot(known, name);
        let class = format!("bar part c{}", slot % COLOURS);
        if slot == before && !name.trim().is_empty() {
            legend.push(entry(name, vec![Box::new(rectangle(4.0, 0.0, 16.0, 12.0, &class))]));
        }
        let y = middle - THICKNESS / 2.0;
        let part = rectangle(start, y, end - start, THICKNESS, &class).add(title(name));
        shapes.push(Box::new(part));
        start = end;
    }
    start
}
