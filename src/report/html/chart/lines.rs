//! Curves, points and limits over two axes.

use svg::node::Node;
use svg::node::element::Path;

use super::super::words::Words;
use super::frame::{
    Area, GAP, WIDTH, level_axis, level_scale, line, nothing, upright_title, widest,
};
use super::label::{BOLD, FONT, LEADING, px, text, titled, to_f64, width, wrap};
use super::scale::{Scale, is_drawable, spoken};
use super::{COLOURS, Drawing, entry, slot};
use crate::report::document::{Axis, Mark, Series};

/// Of the place where curves are drawn.
const HEIGHT: f64 = 260.0;
/// At the right of it, where a moved name is tied to its line.
const LEADERS: f64 = 18.0;
/// Between a limit and its name.
const ABOVE: f64 = 4.0;

/// Draws curves over axes.
pub fn draw(x: &Axis, y: &Axis, series: &[Series], words: &Words) -> Drawing {
    let on_both = |(a, b): (f64, f64)| {
        is_drawable(a)
            && is_drawable(b)
            && (!x.logarithmic || a > 0.0)
            && (!y.logarithmic || b > 0.0)
    };
    let points = |one: &Series| -> Vec<(f64, f64)> {
        one.points.iter().copied().filter(|p| on_both(*p)).collect()
    };
    let is_curve = |one: &&Series| one.mark != Mark::Limit;
    let along: Vec<f64> = series.iter().filter(is_curve).flat_map(points).map(|p| p.0).collect();
    let mut up: Vec<f64> = series.iter().filter(is_curve).flat_map(points).map(|p| p.1).collect();
    let limits: Vec<(&str, f64)> = series.iter().filter_map(|one| limit(one, y)).collect();
    let is_empty = along.is_empty();
    up.extend(limits.iter().map(|(_, value)| *value));

    let upright = Scale::new(y.logarithmic, &up, 6, words);
    let mut shapes: Vec<Box<dyn Node>> = Vec::new();
    let below_title = upright_title(&mut shapes, &y.title);
    let left = widest(&upright.ticks) + GAP;
    let level = level_scale(x, &along, WIDTH - left - 4.0 * GAP, words);
    let half = |tick: Option<&super::scale::Tick>| tick.map_or(0.0, |t| width(&t.label) / 2.0);
    let left = left.max(half(level.ticks.first()));
    let right = WIDTH - half(level.ticks.last()).max(LEADERS + 2.0);
    // Names of limits are placed first, as they may need room above everything else.
    let flat = Area { left, right, top: 0.0, bottom: HEIGHT };
    let names = place(&limits, &flat, &upright);
    let above = names.iter().map(|name| FONT - name.baseline).fold(FONT / 2.0, f64::max);
    let top = below_title + above;
    let area = Area { top, bottom: top + HEIGHT, ..flat };

    for tick in &upright.ticks {
        let Some(share) = upright.at(tick.value) else { continue };
        let at = area.y(share);
        shapes.push(Box::new(line(area.left, at, area.right, at, "grid")));
        let number = text(area.left - GAP, at + FONT * 0.35, "tick", &tick.label);
        shapes.push(Box::new(number.set("text-anchor", "end")));
    }
    let height = level_axis(&mut shapes, &area, &level, x, false);
    if is_empty && limits.is_empty() {
        nothing(&mut shapes, &area, words);
    }
    let mut drawing = Drawing { height, shapes, legend: Vec::new(), words: Vec::new() };
    drawing.words.extend([&y.title, &x.title].map(|title| format!("{title}.")));
    let mut known = Vec::new();
    for one in series.iter().filter(is_curve) {
        curve(&mut drawing, one, slot(&mut known, &one.name), &area, &level, &upright, words);
    }
    for (name, value) in &limits {
        drawing.words.push(format!("{name}: {}.", spoken(*value, words)));
    }
    for name in &names {
        name.draw_line(&mut drawing, &area);
    }
    for (at, name) in names.iter().enumerate() {
        name.draw_words(&mut drawing, &area, at);
    }
    drawing
}

/// The name and height of a limit that can be drawn.
fn limit<'a>(series: &'a Series, axis: &Axis) -> Option<(&'a str, f64)> {
    let can = |value: &f64| is_drawable(*value) && (!axis.logarithmic || *value > 0.0);
    let level = series.points.iter().map(|point| point.1).find(can)?;
    (series.mark == Mark::Limit).then_some((series.name.as_str(), level))
}

/// A curve or its points, with its lines in the legend and in the words.
fn curve(
    drawing: &mut Drawing,
    series: &Series,
    slot: usize,
    area: &Area,
    level: &Scale,
    upright: &Scale,
    words: &Words,
) {
    let at = |(x, y): &(f64, f64)| Some((area.x(level.at(*x)?), area.y(upright.at(*y)?)));
    let colour = slot % COLOURS;
    let class = match series.mark {
        Mark::Bound => format!("bound c{colour}"),
        _ => format!("line c{colour} d{}", slot % 3),
    };
    let dot = |x: f64, y: f64| Box::new(shape(slot, x, y).set("class", format!("dot c{colour}")));
    if series.mark == Mark::Points {
        for (x, y) in series.points.iter().filter_map(at) {
            drawing.shapes.push(dot(x, y));
        }
    } else {
        // A number that cannot be drawn is a hole: a line across it would be an invention.
        for part in series.points.iter().map(at).collect::<Vec<_>>().split(Option::is_none) {
            let part: Vec<(f64, f64)> = part.iter().copied().flatten().collect();
            match part.as_slice() {
                [] => {}
                [(x, y)] => drawing.shapes.push(dot(*x, *y)),
                _ => drawing
                    .shapes
                    .push(Box::new(Path::new().set("d", path(&part)).set("class", &*class))),
            }
        }
    }
    if !series.name.trim().is_empty() {
        let mark: Box<dyn Node> = match series.mark {
            Mark::Points => dot(12.0, 6.0),
            _ => Box::new(line(0.0, 6.0, 24.0, 6.0, &class)),
        };
        let entry = entry(&series.name, vec![mark]);
        if !drawing.legend.contains(&entry) {
            drawing.legend.push(entry);
        }
    }
    let drawn = || series.points.iter().filter(|p| at(p).is_some()).map(|p| p.1);
    let (least, most) = drawn().fold((f64::MAX, f64::MIN), |(l, m), v| (l.min(v), m.max(v)));
    let range = match (least, most) {
        (least, most) if least > most => words.no_data.to_owned(),
        (least, most) if least == most => spoken(least, words),
        (least, most) => format!("{} – {}", spoken(least, words), spoken(most, words)),
    };
    drawing.words.push(format!("{}: {range}.", series.name));
}

/// The outline of a line through points.
fn path(points: &[(f64, f64)]) -> String {
    let step = |(x, y): &(f64, f64)| format!("{} {}", px(*x), px(*y));
    format!("M{}", points.iter().map(step).collect::<Vec<_>>().join("L"))
}

/// A point, in a shape of its own for each series, so that colours alone need not tell them apart.
fn shape(slot: usize, x: f64, y: f64) -> Path {
    let (x, y) = (px(x), px(y));
    let outline = match slot % 4 {
        0 => "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
        1 => "m-3.6 -3.6h7.2v7.2h-7.2z",
        2 => "m0 -4.8l4.6 8.2h-9.2z",
        _ => "m0 -5l5 5l-5 5l-5 -5z",
    };
    Path::new().set("d", format!("M{x} {y}{outline}"))
}

/// The name of a limit, above its line.
struct Name<'a> {
    whole: &'a str,
    short: String,
    is_cut: bool,
    /// Of the line, below the top of the area.
    level: f64,
    /// Of the letters, below the top of the area; above it where there is no room.
    baseline: f64,
}

/// Places the names of limits from the lowest line upwards, each clear of the one below it and of
/// every line: a name that is crossed out cannot be read.
fn place<'a>(limits: &[(&'a str, f64)], area: &Area, scale: &Scale) -> Vec<Name<'a>> {
    let mut names: Vec<Name<'a>> = limits
        .iter()
        .filter_map(|(whole, value)| {
            let level = area.y(scale.at(*value)?);
            let wrapped = wrap(whole, area.width() / BOLD, 1);
            let short = wrapped.lines.into_iter().next().unwrap_or_default();
            Some(Name { whole, short, is_cut: wrapped.cut, level, baseline: level - ABOVE })
        })
        .collect();
    names.sort_by(|a, b| b.level.total_cmp(&a.level));
    let levels: Vec<f64> = names.iter().map(|name| name.level).collect();
    let mut free = f64::INFINITY;
    for name in names.iter_mut().filter(|name| !name.short.is_empty()) {
        name.baseline = name.baseline.min(free);
        // The lines come from the lowest upwards, so that a moved name meets the next one.
        for level in &levels {
            if *level > name.baseline - FONT && *level < name.baseline + ABOVE {
                name.baseline = level - ABOVE;
            }
        }
        free = name.baseline - LEADING;
    }
    names
}

impl Name<'_> {
    fn draw_line(&self, drawing: &mut Drawing, area: &Area) {
        let level = area.top + self.level;
        drawing.shapes.push(Box::new(line(area.left, level, area.right, level, "limit")));
    }

    fn draw_words(&self, drawing: &mut Drawing, area: &Area, at: usize) {
        if self.short.is_empty() {
            return;
        }
        let (level, baseline) = (area.top + self.level, area.top + self.baseline);
        let words = text(area.right, baseline, "limit-name", &self.short).set("text-anchor", "end");
        let words = if self.is_cut { titled(words, self.whole) } else { words };
        drawing.shapes.push(Box::new(words));
        if self.level - self.baseline > LEADING / 2.0 {
            let y = px(baseline - FONT * 0.35);
            // Neighbours each turn at a place of their own, or they would look like one.
            let out = LEADERS - 3.0 - 4.0 * to_f64(at % 3);
            let (x, out) = (px(area.right + 3.0), px(area.right + out));
            let leader = format!("M{x} {y}H{out}V{}H{x}", px(level));
            drawing.shapes.push(Box::new(Path::new().set("d", leader).set("class", "leader")));
        }
        if self.is_cut {
            let mark = line(0.0, 6.0, 24.0, 6.0, "limit");
            drawing.legend.push(entry(self.whole, vec![Box::new(mark)]));
        }
    }
}
