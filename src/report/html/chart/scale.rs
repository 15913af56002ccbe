//! From numbers to lengths, and the round numbers that are written along an axis.

use super::super::words::Words;

/// A larger number is no measurement, and its sums would overflow.
const LARGEST: f64 = 1e300;
/// A smaller one is drawn as 0, and its steps would vanish.
const SMALLEST: f64 = 1e-300;
/// Quotients that should be whole are this far from it at most.
const ROUNDING: f64 = 1e-9;

/// Whether a number can be drawn at all.
pub fn is_drawable(value: f64) -> bool {
    value.is_finite() && value.abs() <= LARGEST
}

/// A number written along an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Where.
    pub value: f64,
    /// As it is written.
    pub label: String,
}

/// An axis that knows its ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    /// Its least number.
    pub low: f64,
    /// Its largest.
    pub high: f64,
    /// Whether it grows by factors.
    pub logarithmic: bool,
    /// At least two, ascending, and evenly spaced.
    pub ticks: Vec<Tick>,
}

impl Scale {
    /// An axis that holds all of the numbers which can be drawn on it, with about `most` steps.
    pub fn new(logarithmic: bool, values: &[f64], most: i32, words: &Words) -> Self {
        let drawable = values.iter().copied().filter(|v| is_drawable(*v));
        let most = most.max(1);
        if logarithmic {
            Self::by_factors(drawable.filter(|v| *v >= SMALLEST), most, words)
        } else {
            Self::by_steps(drawable, most, words)
        }
    }

    /// Where a number is, from 0 at the least to 1 at the largest; none where it is on no axis.
    pub fn at(&self, value: f64) -> Option<f64> {
        // The first and the last tick may be a little beyond the numbers that are drawn.
        if !value.is_finite() || (self.logarithmic && value <= 0.0) {
            return None;
        }
        let share = if self.logarithmic {
            (value.log10() - self.low.log10()) / (self.high.log10() - self.low.log10())
        } else {
            (value - self.low) / (self.high - self.low)
        };
        Some(share.clamp(0.0, 1.0))
    }

    fn by_steps(values: impl Iterator<Item = f64>, most: i32, words: &Words) -> Self {
        let (mut low, mut high) = values.fold((0.0_f64, 0.0_f64), |(l, h), v| (l.min(v), h.max(v)));
        if high - low < SMALLEST {
            (low, high) = (0.0, 1.0);
        }
        let (digit, power) = step(high - low, most);
        let length = decimal(digit, power);
        let first = whole((low / length + ROUNDING).floor());
        let last = whole((high / length - ROUNDING).ceil());
        let last = last.max(first + 1);
        let counts: Vec<i32> = (first..=last).map(|n| n * digit).collect();
        let is_plain = power >= -4
            && counts.iter().all(|n| decimal(*n, power).abs() < 10f64.powi(PLAIN_POWERS));
        let ticks: Vec<Tick> = counts
            .into_iter()
            .map(|n| Tick {
                value: decimal(n, power),
                label: if is_plain {
                    plain(decimal(n, power), power, words.decimal)
                } else {
                    scientific(n, power, words.decimal)
                },
            })
            .collect();
        Self {
            low: decimal(first * digit, power),
            high: decimal(last * digit, power),
            logarithmic: false,
            ticks,
        }
    }

    fn by_factors(values: impl Iterator<Item = f64>, most: i32, words: &Words) -> Self {
        let ends = values.fold(None, |ends: Option<(f64, f64)>, v| {
            Some(ends.map_or((v, v), |(l, h)| (l.min(v), h.max(v))))
        });
        let (low, high) = ends.unwrap_or((1.0, 10.0));
        // Powers of ten say too little about counts as 1 to 64.
        let is_binary = low >= 0.25 && high <= 1e6 && high / low <= 256.0;
        let base: f64 = if is_binary { 2.0 } else { 10.0 };
        let logarithm = |v: f64| if is_binary { v.log2() } else { v.log10() };
        let mut first = whole((logarithm(low) + ROUNDING).floor());
        let mut last = whole((logarithm(high) - ROUNDING).ceil());
        if last <= first {
            (first, last) = (first - 1, first + 1);
        }
        let stride = (last - first + most - 1) / most;
        let powers: Vec<i32> =
            (0..=most).map(|n| first + n * stride).take_while(|p| *p <= last).collect();
        let is_plain = powers.iter().all(|p| (-4..PLAIN_POWERS).contains(p));
        let ticks: Vec<Tick> = powers
            .into_iter()
            .map(|power| Tick {
                value: if is_binary { base.powi(power) } else { decimal(1, power) },
                label: if is_binary {
                    plain(base.powi(power), power, words.decimal)
                } else if is_plain {
                    plain(decimal(1, power), power, words.decimal)
                } else {
                    scientific(1, power, words.decimal)
                },
            })
            .collect();
        let end = |power| if is_binary { base.powi(power) } else { decimal(1, power) };
        Self { low: end(first), high: end(last), logarithmic: true, ticks }
    }
}

/// From this power of ten on, zeros are hard to count.
const PLAIN_POWERS: i32 = 7;

/// The least of 1, 2 or 5 times a power of ten that covers the span in so many steps: its digit
/// and its power.
fn step(span: f64, most: i32) -> (i32, i32) {
    let least = span / f64::from(most);
    let power = whole(least.log10().floor());
    let fits = |digit: &i32| decimal(*digit, power) >= least * (1.0 - ROUNDING);
    [1, 2, 5].into_iter().find(fits).map_or((1, power + 1), |digit| (digit, power))
}

/// A whole number times a power of ten, without the noise of a negative power.
fn decimal(number: i32, power: i32) -> f64 {
    if power < 0 {
        f64::from(number) / 10f64.powi(-power)
    } else {
        f64::from(number) * 10f64.powi(power)
    }
}

/// A rounded number as an integer: all here are counts of steps and powers, far below the limit.
#[expect(clippy::cast_possible_truncation, reason = "a cast of floats saturates")]
fn whole(rounded: f64) -> i32 {
    rounded as i32
}

/// A number of the data, for who cannot see the picture: three digits are enough.
pub fn spoken(value: f64, words: &Words) -> String {
    if value.abs() < SMALLEST {
        return "0".into();
    }
    let power = whole(value.abs().log10().floor()) - 2;
    if (-6..PLAIN_POWERS - 2).contains(&power) {
        let written = format!("{value:.*}", usize::try_from(-power).unwrap_or(0));
        let short =
            if power < 0 { written.trim_end_matches('0').trim_end_matches('.') } else { &written };
        return short.replace('.', &words.decimal.to_string()).replace('-', "−");
    }
    let shift = 10f64.powi(power / 2);
    let digits = value / shift / 10f64.powi(power - power / 2);
    scientific(whole(digits.round()), power, words.decimal)
}

/// All digits, in groups of three where they are many.
fn plain(value: f64, power: i32, decimal: char) -> String {
    let written = format!("{value:.*}", usize::try_from(-power).unwrap_or(0));
    let (integer, fraction) = written.split_once('.').unwrap_or((&written, ""));
    let (sign, digits) = integer.strip_prefix('-').map_or(("", integer), |rest| ("−", rest));
    let mut label = sign.to_owned();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && digits.len() > 4 && (digits.len() - at) % 3 == 0 {
            // Too narrow to be taken for two numbers, and neither a point nor a comma.
            label.push('\u{202f}');
        }
        label.push(digit);
    }
    if !fraction.is_empty() {
        label.push(decimal);
        label.push_str(fraction);
    }
    label
}

/// As `1.5·10⁸`.
fn scientific(number: i32, power: i32, decimal: char) -> String {
    if number == 0 {
        return "0".into();
    }
    let digits = number.unsigned_abs().to_string();
    let power = power + i32::try_from(digits.len()).unwrap_or(1) - 1;
    let (first, rest) = digits.split_at(1);
    let rest = rest.trim_end_matches('0');
    let mut label = if number < 0 { "−".to_owned() } else { String::new() };
    if !rest.is_empty() {
        label.push_str(first);
        label.push(decimal);
        label.push_str(rest);
        label.push('·');
    } else if first != "1" {
        label.push_str(first);
        label.push('·');
    }
    label.push_str("10");
    label.extend(power.to_string().chars().map(raised));
    label
}

fn raised(digit: char) -> char {
    match digit {
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        '9' => '⁹',
        _ => '⁻',
    }
}
