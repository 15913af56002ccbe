use proptest::prelude::*;

use super::super::chart::label::{BOLD, width, wrap};
use super::super::chart::scale::{Scale, spoken};
use super::super::chart::{Figure, figure};
use super::super::words::Words;
use super::sample;
use crate::report::document::{Axis, Bar, Chart, Mark, Mood, Plot, Series};

fn english() -> &'static Words {
    Words::of("en")
}

fn labels(logarithmic: bool, values: &[f64], most: i32, language: &str) -> Vec<String> {
    let scale = Scale::new(logarithmic, values, most, Words::of(language));
    scale.ticks.into_iter().map(|tick| tick.label).collect()
}

#[test]
fn steps_are_round() {
    for (values, most, expected) in [
        (&[0.0, 7.3][..], 5, &["0", "2", "4", "6", "8"][..]),
        (&[8.0], 4, &["0", "2", "4", "6", "8"]),
        (&[0.3], 5, &["0.0", "0.1", "0.2", "0.3"]),
        (&[-3.0, 4.0], 4, &["−4", "−2", "0", "2", "4"]),
        (&[20_000.0], 2, &["0", "10\u{202f}000", "20\u{202f}000"]),
        (&[2000.0], 2, &["0", "1000", "2000"]),
        (&[3e8], 2, &["0", "2·10⁸", "4·10⁸"]),
        (&[1.5e7], 3, &["0", "5·10⁶", "10⁷", "1.5·10⁷"]),
        (&[2e-7], 2, &["0", "10⁻⁷", "2·10⁻⁷"]),
        (&[], 2, &["0.0", "0.5", "1.0"]),
        (&[0.0, 0.0], 1, &["0", "1"]),
        (&[f64::NAN, 4.0, f64::INFINITY], 2, &["0", "2", "4"]),
        (&[f64::MAX, f64::MIN], 1, &["0", "1"]),
        (&[f64::MIN_POSITIVE], 1, &["0", "1"]),
    ] {
        assert_eq!(labels(false, values, most, "en"), expected, "{values:?}");
    }
    assert_eq!(labels(false, &[1.0], 2, "es"), ["0,0", "0,5", "1,0"]);
    assert_eq!(labels(false, &[1.5e7], 3, "es-ES")[3], "1,5·10⁷");
}

#[test]
fn factors_are_powers() {
    for (values, most, expected) in [
        (&[1.0, 64.0][..], 6, &["1", "2", "4", "8", "16", "32", "64"][..]),
        (&[1.0, 64.0], 3, &["1", "4", "16", "64"]),
        (&[0.3, 3.0], 8, &["0.25", "0.5", "1", "2", "4"]),
        (&[3.0, 20_500.0], 8, &["1", "10", "100", "1000", "10\u{202f}000", "100\u{202f}000"]),
        (&[5.0], 8, &["4", "8"]),
        (&[4.0], 8, &["2", "4", "8"]),
        (&[1e-9, 1e9], 3, &["10⁻⁹", "10⁻³", "10³", "10⁹"]),
        (&[0.0, -1.0, f64::NAN], 8, &["1", "2", "4", "8", "16"]),
    ] {
        assert_eq!(labels(true, values, most, "en"), expected, "{values:?}");
    }
    assert_eq!(labels(true, &[0.3, 1.0], 8, "es"), ["0,25", "0,5", "1"]);
}

/// What a reader hears is as long as what a reader wants to hear.
#[test]
fn spoken_numbers_are_short() {
    for (value, said) in [
        (0.0, "0"),
        (7.3, "7.3"),
        (1234.5, "1234"),
        (0.05, "0.05"),
        (-2.5, "−2.5"),
        (100.0, "100"),
        (1.5e9, "1.5·10⁹"),
        (2e-9, "2·10⁻⁹"),
        (-1e300, "−10³⁰⁰"),
    ] {
        assert_eq!(spoken(value, english()), said);
    }
    assert_eq!(spoken(7.3, Words::of("es")), "7,3");
}

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        -10.0..1e4,
        prop_oneof![Just(0.0), Just(1.0), Just(f64::NAN), Just(f64::INFINITY), Just(f64::MAX)],
    ]
}

/// Whether a number is 1, 2 or 5 times a power of ten.
fn is_round(step: f64) -> bool {
    let digit = step / 10f64.powf(step.log10().floor());
    [1.0, 2.0, 5.0, 10.0].iter().any(|round| (digit / round - 1.0).abs() < 1e-6)
}

fn any_series() -> impl Strategy<Value = Series> {
    let marks =
        prop_oneof![Just(Mark::Line), Just(Mark::Bound), Just(Mark::Points), Just(Mark::Limit)];
    let points = prop::collection::vec((any_number(), any_number()), 0..6);
    (".{0,80}", marks, points).prop_map(|(name, mark, points)| Series { name, mark, points })
}

fn any_bar() -> impl Strategy<Value = Bar> {
    let parts = prop::collection::vec((".{0,8}", any_number()), 0..4);
    (".{0,80}", ".{0,40}", parts).prop_map(|(name, value, parts)| Bar {
        name,
        value,
        parts,
        mood: Mood::Fair,
    })
}

fn axis(title: &str, logarithmic: bool) -> Axis {
    Axis { title: title.into(), logarithmic }
}

fn draw(plot: Plot) -> Figure {
    figure(&Chart { id: "c", title: "T".into(), plot }, english())
}

/// The value of each such attribute. A text may read like one, so only tags are looked at.
fn attributes<'a>(svg: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!(" {name}=\"");
    let tags = svg.split('<').skip(1).filter_map(|rest| rest.split('>').next());
    tags.flat_map(|tag| tag.split(start.as_str()).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

/// No word reaches out of the picture.
fn assert_words_fit(svg: &str, most: f64) {
    for text in svg.split("<text ").skip(1) {
        let (tag, rest) = text.split_once('>').unwrap();
        let words = rest.split('<').next().unwrap().trim();
        let words = words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let is_bold = ["\"value", "\"limit-name"].iter().any(|class| tag.contains(class));
        let wide = width(&words) * if is_bold { BOLD } else { 1.0 };
        let tag = format!("<text {tag}");
        let x: f64 = attributes(&tag, "x")[0].parse().unwrap();
        let start = match attributes(&tag, "text-anchor").first() {
            Some(&"middle") => x - wide / 2.0,
            Some(&"end") => x - wide,
            _ => x,
        };
        assert!(start >= -0.1 && start + wide <= most + 0.1, "{start} + {wide}: {words}");
    }
}

/// Every place in a picture is a number inside of it.
fn assert_drawn(svg: &str) {
    let size: Vec<f64> =
        attributes(svg, "viewBox")[0].split(' ').map(|n| n.parse().unwrap()).collect();
    assert_words_fit(svg, size[2]);
    for (names, most) in
        [(["x", "x1", "x2", "width"], size[2]), (["y", "y1", "y2", "height"], size[3])]
    {
        for name in names {
            for value in attributes(svg, name) {
                let value: f64 = value.parse().unwrap();
                assert!((0.0..=most).contains(&value), "{name} is {value} of {most}");
            }
        }
    }
    for path in attributes(svg, "d") {
        let is_number = |word: &&str| word.parse::<f64>().is_ok_and(f64::is_finite);
        let mut words = path.split(|c: char| c.is_ascii_alphabetic() || c == ' ');
        assert!(words.all(|word| word.is_empty() || is_number(&word)), "{path}");
    }
}

#[test]
fn a_text_that_reads_like_an_attribute_is_none() {
    let title = "¡\u{b}x=\"0";
    let plot = Plot::Bars { axis: axis(title, false), bars: Vec::new() };
    assert_drawn(&draw(plot).svg);
}

proptest! {
    #[test]
    fn steps_hold_all_numbers(
        values in prop::collection::vec(any_number(), 0..6),
        most in 1..12,
    ) {
        let scale = Scale::new(false, &values, most, english());
        let ticks: Vec<f64> = scale.ticks.iter().map(|tick| tick.value).collect();
        prop_assert!((2..=14).contains(&ticks.len()), "{:?}", ticks);
        prop_assert_eq!((ticks[0], *ticks.last().unwrap()), (scale.low, scale.high));
        let step = ticks[1] - ticks[0];
        prop_assert!(is_round(step), "{}", step);
        for pair in ticks.windows(2) {
            prop_assert!(((pair[1] - pair[0]) / step - 1.0).abs() < 1e-6);
        }
        let slack = step * 1e-6;
        for value in values.iter().filter(|v| v.abs() <= 1e300) {
            prop_assert!(scale.low - slack <= *value && *value <= scale.high + slack);
            prop_assert!((0.0..=1.0).contains(&scale.at(*value).unwrap()));
        }
    }

    #[test]
    fn factors_hold_all_numbers(
        values in prop::collection::vec(any_number(), 0..6),
        most in 1..12,
    ) {
        let scale = Scale::new(true, &values, most, english());
        let ticks: Vec<f64> = scale.ticks.iter().map(|tick| tick.value).collect();
        prop_assert!((2..=13).contains(&ticks.len()), "{:?}", ticks);
        prop_assert!(ticks.iter().all(|tick| scale.at(*tick).is_some()));
        let factor = ticks[1].log10() - ticks[0].log10();
        for pair in ticks.windows(2) {
            prop_assert!((pair[1].log10() - pair[0].log10() - factor).abs() < 1e-6);
        }
        for value in values.iter().filter(|v| **v >= 1e-300 && **v <= 1e300) {
            prop_assert!(scale.low * (1.0 - 1e-6) <= *value && *value <= scale.high * (1.0 + 1e-6));
        }
        prop_assert_eq!(scale.at(0.0), None);
    }

    #[test]
    fn no_two_labels_are_the_same(values in prop::collection::vec(any_number(), 0..6), log: bool) {
        let labels = labels(log, &values, 6, "en");
        let unique: std::collections::BTreeSet<&String> = labels.iter().collect();
        prop_assert_eq!(unique.len(), labels.len(), "{:?}", labels);
    }

    #[test]
    fn lines_of_text_fit(text in ".{0,200}", room in 30.0..600.0, most in 1_usize..4) {
        let wrapped = wrap(&text, room, most);
        prop_assert!(wrapped.lines.len() <= most);
        prop_assert!(wrapped.lines.iter().all(|line| width(line) <= room));
        if !wrapped.cut {
            let letters = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(letters(&wrapped.lines.concat()), letters(&text));
        }
    }

    #[test]
    fn curves_are_drawn_where_numbers_are(
        series in prop::collection::vec(any_series(), 0..5),
        title in ".{0,120}",
        log: (bool, bool),
    ) {
        assert_drawn(&draw(Plot::Lines { x: axis(&title, log.0), y: axis(&title, log.1), series }).svg);
    }

    #[test]
    fn bars_are_drawn_where_numbers_are(
        bars in prop::collection::vec(any_bar(), 0..5),
        title in ".{0,120}",
        log: bool,
    ) {
        assert_drawn(&draw(Plot::Bars { axis: axis(&title, log), bars }).svg);
    }
}

/// Names of limits are a line of text apart, and no limit crosses one out.
#[test]
fn names_of_limits_can_be_read() {
    let limit = |value: f64| Series {
        name: format!("Limit {value}"),
        mark: Mark::Limit,
        points: vec![(0.0, value)],
    };
    for values in
        [&[10.0, 10.1, 9.9, 9.5, 3.0, 0.0][..], &[10.0; 5], &[0.1, 0.0, 20.0], &[10.0, 9.3, 8.6]]
    {
        let series = values.iter().copied().map(limit).collect();
        let svg = draw(Plot::Lines { x: axis("x", false), y: axis("y", false), series }).svg;
        assert_drawn(&svg);
        let of = |class: &str, name: &str| -> Vec<f64> {
            svg.lines()
                .filter(|line| line.contains(&format!("class=\"{class}\"")))
                .map(|line| attributes(line, name)[0].parse().unwrap())
                .collect()
        };
        let (mut names, lines) = (of("limit-name", "y"), of("limit", "y1"));
        assert_eq!((names.len(), lines.len()), (values.len(), values.len()));
        for name in &names {
            let crossed = lines.iter().any(|y| *y > name - 11.0 && *y < name + 2.0);
            assert!(!crossed, "{name} in {lines:?}");
        }
        names.sort_by(f64::total_cmp);
        assert!(names.windows(2).all(|pair| pair[1] - pair[0] >= 12.0), "{names:?}");
    }
}

#[test]
fn a_hole_in_a_curve_is_not_bridged() {
    let points = vec![
        (0.0, 1.0),
        (1.0, 2.0),
        (2.0, f64::NAN),
        (3.0, 3.0),
        (4.0, 4.0),
        (5.0, f64::INFINITY),
        (6.0, 1.0),
    ];
    let series = vec![Series { name: "a".into(), mark: Mark::Line, points }];
    let svg = draw(Plot::Lines { x: axis("x", false), y: axis("y", false), series }).svg;
    assert_eq!(svg.matches("class=\"line c0 d0\"").count(), 2);
    assert_eq!(svg.matches("class=\"dot c0\"").count(), 1, "a point without neighbours is a point");
}

#[test]
fn a_picture_of_nothing_says_so() {
    for plot in [
        Plot::Bars { axis: axis("x", false), bars: vec![] },
        Plot::Lines { x: axis("x", true), y: axis("y", true), series: vec![] },
    ] {
        let chart = Chart { id: "c", title: "T".into(), plot };
        assert!(figure(&chart, english()).svg.contains("No data"));
        assert!(figure(&chart, Words::of("es")).svg.contains("Sin datos"));
    }
}

#[test]
fn a_legend_names_each_colour_once() {
    let names = |chart: &Chart| -> Vec<String> {
        figure(chart, english()).legend.into_iter().map(|entry| entry.name).collect()
    };
    assert_eq!(names(&sample::parts()), ["Weights", "Runtime", "Buffers"]);
    let curves = ["Fitted line", "Lower bound, 95 %", "Upper bound, 95 %", "Measured"];
    assert_eq!(names(&sample::curves()), curves);
}

#[test]
fn a_picture_is_said_in_words() {
    let svg = figure(&sample::parts(), english()).svg;
    assert!(svg.contains("role=\"img\"") && svg.contains("1 process: 2.7 GiB of 8 GiB."));
    let svg = figure(&sample::curves(), english()).svg;
    assert!(svg.contains("Measured: 1.2 – 7.3.") && svg.contains("Box: 8."));
}
