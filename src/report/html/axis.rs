//! Round numbers along an axis, and room for them.

use std::fmt::Write;

use super::escaped;

/// The width of a picture in its own units.
pub(super) const WIDTH: f64 = 720.0;

/// Places for about `wanted` ticks from 0 to at least `most`: a step is 1, 2 or 5 times a power of
/// ten. Ascending; 0 is the first. One tick where there is nothing to divide.
pub(in crate::report) fn ticks(most: f64, wanted: u32) -> Vec<f64> {
    if !(most.is_finite() && most > 0.0) {
        return vec![0.0];
    }
    let rough = most / f64::from(wanted.max(1));
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|times| times * power)
        .find(|step| most / step <= f64::from(wanted) + 1e-9)
        .unwrap_or(10.0 * power);
    let count = (most / step - 1e-9).ceil().max(1.0);
    let mut ticks = Vec::new();
    let mut index = 0.0;
    while index <= count {
        ticks.push(index * step);
        index += 1.0;
    }
    ticks
}

/// A number as it stands beside a tick, with as many digits as its neighbours need.
pub(super) fn label(value: f64, step: f64, language: &str) -> String {
    let digits =
        if step >= 1.0 || step <= 0.0 { 0.0 } else { (-step.log10()).ceil().clamp(0.0, 6.0) };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 6")]
    let text = format!("{value:.*}", digits as usize);
    if language == "es" { text.replace('.', ",") } else { text }
}

/// How wide a text of 12 px is, about: the letters of wide sans-serifs are about two thirds of their height.
pub(super) fn width_of(text: &str) -> f64 {
    let signs = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    f64::from(signs) * 7.7
}

/// At most so many signs, the rest told in a title.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return escaped(text);
    }
    let short: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…<title>{}</title>", escaped(short.trim_end()), escaped(text))
}

/// A legend below a picture, wrapped: its markup and its height.
pub(super) fn legend(entries: &[(String, String)], top: f64) -> (String, f64) {
    let mut out = String::new();
    let (mut x, mut y) = (8.0, top + 14.0);
    for (mark, name) in entries {
        let wide = 34.0 + width_of(name).min(WIDTH - 60.0);
        if x + wide > WIDTH && x > 8.0 {
            (x, y) = (8.0, y + 20.0);
        }
        let _ = write!(
            out,
            "<g transform=\"translate({x:.1} {y:.1})\">{mark}<text x=\"26\" y=\"4\">{}</text></g>",
            shortened(name, 96)
        );
        x += wide;
    }
    let height = if entries.is_empty() { 0.0 } else { y - top + 10.0 };
    (out, height)
}
