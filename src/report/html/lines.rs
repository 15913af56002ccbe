//! Curves and points as SVG. It is written by hand because a picture here is a dozen kinds of
//! elements with numbers in them: what libraries for SVG offer is their names.

use std::fmt::Write;

use super::axis::{WIDTH, label, legend, shortened, ticks, width_of};
use super::escaped;
use crate::report::document::{Axis, Chart, Mark, Series};

const HEIGHT: f64 = 300.0;
const TOP: f64 = 26.0;
const RIGHT: f64 = 18.0;

/// Where numbers lie in the picture.
struct Plane {
    left: f64,
    most_x: f64,
    most_y: f64,
}

impl Plane {
    fn x(&self, x: f64) -> f64 {
        self.left + (WIDTH - RIGHT - self.left) * (x / self.most_x)
    }

    fn y(&self, y: f64) -> f64 {
        TOP + (HEIGHT - TOP) * (1.0 - y / self.most_y)
    }
}

/// The curves of a chart over a common axis.
pub(super) fn lines(
    chart: &Chart,
    x: &Axis,
    y: &Axis,
    series: &[Series],
    language: &str,
) -> String {
    let finite = |s: &Series| -> Vec<(f64, f64)> {
        s.points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite()).collect()
    };
    let series: Vec<(&Series, Vec<(f64, f64)>)> = series.iter().map(|s| (s, finite(s))).collect();
    let most = |get: fn(&(f64, f64)) -> f64| {
        series.iter().flat_map(|(_, points)| points.iter().map(get)).fold(0.0, f64::max)
    };
    let (x_ticks, y_ticks) = (ticks(most(|p| p.0), 10), ticks(most(|p| p.1), 6));
    let step = |ticks: &[f64]| ticks.get(1).copied().unwrap_or(1.0);
    let labels: Vec<String> = y_ticks.iter().map(|t| label(*t, step(&y_ticks), language)).collect();
    let widest = labels.iter().map(|l| width_of(l)).fold(0.0, f64::max);
    let last = |ticks: &[f64]| ticks.last().copied().filter(|t| *t > 0.0).unwrap_or(1.0);
    let plane = Plane { left: widest + 16.0, most_x: last(&x_ticks), most_y: last(&y_ticks) };

    let mut out = String::new();
    for (tick, text) in y_ticks.iter().zip(&labels) {
        let at = plane.y(*tick);
        let _ = write!(
            out,
            "<line class=\"grid\" x1=\"{:.1}\" y1=\"{at:.1}\" x2=\"{:.1}\" y2=\"{at:.1}\"/><text class=\"quiet\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
            plane.left,
            WIDTH - RIGHT,
            plane.left - 8.0,
            at + 4.0
        );
    }
    for tick in &x_ticks {
        let at = plane.x(*tick);
        let _ = write!(
            out,
            "<line class=\"axis\" x1=\"{at:.1}\" y1=\"{HEIGHT}\" x2=\"{at:.1}\" y2=\"{:.1}\"/><text class=\"quiet\" x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            HEIGHT + 5.0,
            HEIGHT + 20.0,
            label(*tick, step(&x_ticks), language)
        );
    }
    let _ = write!(
        out,
        "<text class=\"quiet\" x=\"4\" y=\"14\">{}</text><text class=\"quiet\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
        shortened(&y.title, 90),
        WIDTH - RIGHT,
        HEIGHT + 38.0,
        shortened(&x.title, 90)
    );
    let mut entries = Vec::new();
    for (index, (series, points)) in series.iter().enumerate() {
        let colour = format!("s{}", index % 6 + 1);
        let _ = write!(out, "<g class=\"{colour}\">{}</g>", drawn(series.mark, points, &plane));
        entries.push((sample(series.mark, &colour), series.name.clone()));
    }
    let (legend, height) = legend(&entries, HEIGHT + 46.0);
    let whole = HEIGHT + 46.0 + height;
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {whole:.0}\" role=\"img\" aria-labelledby=\"chart-{0}\"><title id=\"chart-{0}\">{1}</title>{out}{legend}</svg>",
        chart.id,
        escaped(&chart.title)
    )
}

fn drawn(mark: Mark, points: &[(f64, f64)], plane: &Plane) -> String {
    let mut out = String::new();
    let dot = |(x, y): &(f64, f64)| {
        format!(
            "<circle class=\"dot\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.4\"/>",
            plane.x(*x),
            plane.y(*y)
        )
    };
    if mark == Mark::Points || points.len() == 1 {
        for point in points {
            out.push_str(&dot(point));
        }
        return out;
    }
    let path: Vec<String> =
        points.iter().map(|(x, y)| format!("{:.1},{:.1}", plane.x(*x), plane.y(*y))).collect();
    if !path.is_empty() {
        let class = class(mark);
        let _ = write!(out, "<polyline class=\"{class}\" points=\"{}\"/>", path.join(" "));
    }
    out
}

const fn class(mark: Mark) -> &'static str {
    match mark {
        Mark::Line | Mark::Points => "curve",
        Mark::Bound => "bound",
        Mark::Limit => "limit",
    }
}

/// What stands for a curve in the legend.
fn sample(mark: Mark, colour: &str) -> String {
    match mark {
        Mark::Points => format!(
            "<g class=\"{colour}\"><circle class=\"dot\" cx=\"10\" cy=\"0\" r=\"3.4\"/></g>"
        ),
        _ => format!(
            "<g class=\"{colour}\"><line class=\"{}\" x1=\"0\" y1=\"0\" x2=\"20\" y2=\"0\"/></g>",
            class(mark)
        ),
    }
}
