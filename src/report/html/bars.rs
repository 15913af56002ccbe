//! Bars as SVG, each of one part or of several end to end.

use std::fmt::Write;

use super::axis::{WIDTH, label, legend, shortened, ticks, width_of};
use super::escaped;
use crate::report::document::{Axis, Bar, Chart};

const BAR: f64 = 24.0;
const GAP: f64 = 14.0;
const TOP: f64 = 8.0;

/// The bars of a chart.
pub(super) fn bars(chart: &Chart, axis: &Axis, bars: &[Bar], language: &str) -> String {
    let sum = |bar: &Bar| bar.parts.iter().map(|(_, size)| solid(*size)).sum::<f64>();
    let most = bars.iter().map(sum).fold(0.0, f64::max);
    let ticks = ticks(most, 6);
    let step = ticks.get(1).copied().unwrap_or(1.0);
    let end = ticks.last().copied().filter(|t| *t > 0.0).unwrap_or(1.0);
    let names = bars.iter().map(|b| width_of(&b.name)).fold(0.0, f64::max).min(190.0);
    let values = bars.iter().map(|b| width_of(&b.value)).fold(0.0, f64::max).min(130.0);
    let (left, right) = (names + 14.0, WIDTH - values - 16.0);
    let at = |size: f64| left + (right - left) * (size / end);
    let bottom = TOP + bars.iter().fold(0.0, |y, _| y + BAR + GAP);

    let mut out = String::new();
    for tick in &ticks {
        let x = at(*tick);
        let _ = write!(
            out,
            "<line class=\"grid\" x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\"/><text class=\"quiet\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            bottom + 16.0,
            label(*tick, step, language)
        );
    }
    let kinds = kinds(bars);
    let mut y = TOP;
    for bar in bars {
        let middle = y + BAR / 2.0 + 4.0;
        let _ = write!(
            out,
            "<text x=\"{:.1}\" y=\"{middle:.1}\" text-anchor=\"end\">{}</text>",
            left - 8.0,
            shortened(&bar.name, 26)
        );
        let mut from = 0.0;
        for (name, size) in &bar.parts {
            let size = solid(*size);
            let kind = kinds.iter().position(|k| k == name).unwrap_or(0);
            let _ = write!(
                out,
                "<g class=\"s{}\"><rect class=\"bar\" x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{BAR}\"><title>{}</title></rect></g>",
                kind % 6 + 1,
                at(from),
                (at(from + size) - at(from)).max(0.0),
                escaped(name)
            );
            from += size;
        }
        let _ = write!(
            out,
            "<text x=\"{:.1}\" y=\"{middle:.1}\">{}</text>",
            at(from) + 6.0,
            shortened(&bar.value, 20)
        );
        y += BAR + GAP;
    }
    let _ = write!(
        out,
        "<text class=\"quiet\" x=\"{right:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
        bottom + 34.0,
        shortened(&axis.title, 80)
    );
    let entries: Vec<(String, String)> = kinds
        .iter()
        .enumerate()
        .filter(|(_, name)| !name.is_empty())
        .map(|(index, name)| {
            let mark = format!("<g class=\"s{}\"><rect class=\"bar\" x=\"4\" y=\"-6\" width=\"14\" height=\"12\"/></g>", index % 6 + 1);
            (mark, name.clone())
        })
        .collect();
    let (legend, height) = legend(&entries, bottom + 42.0);
    let whole = bottom + 42.0 + height;
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {whole:.0}\" role=\"img\" aria-labelledby=\"chart-{0}\"><title id=\"chart-{0}\">{1}</title>{out}{legend}</svg>",
        chart.id,
        escaped(&chart.title)
    )
}

/// A part that is no number has no length.
const fn solid(size: f64) -> f64 {
    if size.is_finite() && size > 0.0 { size } else { 0.0 }
}

/// The names of parts, each once, in the order in which they come.
fn kinds(bars: &[Bar]) -> Vec<String> {
    let mut kinds: Vec<String> = Vec::new();
    for (name, _) in bars.iter().flat_map(|b| &b.parts) {
        if !kinds.contains(name) {
            kinds.push(name.clone());
        }
    }
    kinds
}
