use proptest::prelude::*;

use super::axis::{label, ticks};
use super::html;
use crate::report::document::{
    Axis, Bar, Block, Chart, Column, Document, Facts, Item, Leaf, Mark, Mood, Plot, Row, RowKind,
    Section, Series, Table, Tree,
};

/// Text that would break a page that does not escape it.
const HOSTILE: &str = "<script>alert('1')</script> & \"[1]\" [7]";

fn leaf(total: bool) -> Leaf {
    Leaf { name: HOSTILE.into(), value: "1 MB [1]".into(), note: HOSTILE.into(), total }
}

/// Every kind of block, with hostile texts and numbers.
fn everything() -> Document {
    let axis = || Axis { title: HOSTILE.into(), logarithmic: false };
    let series = |mark, points| Series { name: HOSTILE.into(), mark, points };
    let lines = Plot::Lines {
        x: axis(),
        y: axis(),
        series: vec![
            series(Mark::Line, vec![(0.0, 10.0), (10.0, 1500.0)]),
            series(Mark::Bound, vec![(0.0, f64::NAN), (10.0, f64::INFINITY)]),
            series(Mark::Points, vec![(5.0, 700.0)]),
            series(Mark::Limit, Vec::new()),
        ],
    };
    let bars = Plot::Bars {
        axis: axis(),
        bars: vec![
            Bar {
                name: HOSTILE.repeat(4),
                value: "1".into(),
                parts: vec![("a".into(), 3.0), ("b".into(), f64::NAN)],
                mood: Mood::Good,
            },
            Bar {
                name: String::new(),
                value: String::new(),
                parts: Vec::new(),
                mood: Mood::Neutral,
            },
        ],
    };
    let nothing = Plot::Bars { axis: axis(), bars: Vec::new() };
    let chart = |id, plot| Block::Chart(Chart { id, title: HOSTILE.into(), plot });
    let blocks = vec![
        Block::Heading(HOSTILE.into()),
        Block::Paragraph(HOSTILE.into()),
        Block::Verdict { mood: Mood::Bad, text: HOSTILE.into() },
        Block::Table(Table {
            title: HOSTILE.into(),
            columns: vec![
                Column { title: HOSTILE.into(), numeric: false },
                Column { title: "N".into(), numeric: true },
            ],
            rows: [RowKind::Plain, RowKind::Group, RowKind::Total, RowKind::Asked]
                .map(|kind| Row { cells: vec![HOSTILE.into(), "12".into()], kind })
                .into(),
        }),
        Block::Tree(Tree { title: HOSTILE.into(), leaves: vec![leaf(false), leaf(true)] }),
        Block::Facts(Facts {
            title: HOSTILE.into(),
            groups: vec![(HOSTILE.into(), vec![leaf(false)])],
        }),
        Block::List(vec![Item { mood: Mood::Fair, text: HOSTILE.into() }]),
        Block::Code { language: "python", text: HOSTILE.into() },
        chart("one", lines),
        chart("two", bars),
        chart("three", nothing),
    ];
    Document {
        language: "es",
        title: HOSTILE.into(),
        about: HOSTILE.into(),
        sections: vec![
            Section { id: "first", title: HOSTILE.into(), blocks },
            Section { id: "second", title: "2".into(), blocks: Vec::new() },
        ],
        footnotes: vec![HOSTILE.into()],
        footnotes_title: HOSTILE.into(),
        closing: vec![HOSTILE.into()],
    }
}

#[test]
fn no_text_becomes_markup_and_nothing_is_loaded() {
    let page = html(&everything()).unwrap();
    assert!(!page.contains("<script"), "{page}");
    for reference in ["http:", "https:", "src=", "url(", "@import", "<link"] {
        assert!(!page.contains(reference), "{reference}");
    }
    assert!(!page.contains("NaN") && !page.contains("inf\"") && !page.contains("inf,"));
    assert!(page.starts_with("<!doctype html>\n<html lang=\"es\">"));
}

#[test]
fn sections_and_footnotes_are_anchors_once() {
    let page = html(&everything()).unwrap();
    for id in ["first", "second", "note-1"] {
        assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
        assert!(page.contains(&format!("href=\"#{id}\"")), "{id}");
    }
    assert!(!page.contains("#note-7"));
}

#[test]
fn ticks_are_round() {
    assert_eq!(ticks(1024.0, 6), [0.0, 200.0, 400.0, 600.0, 800.0, 1000.0, 1200.0]);
    assert_eq!(ticks(0.0, 6), [0.0]);
    assert_eq!(ticks(f64::NAN, 6), [0.0]);
    assert_eq!(label(0.5, 0.5, "es"), "0,5");
    assert_eq!(label(200.0, 200.0, "en"), "200");
}

proptest! {
    #[test]
    fn ticks_reach_the_end_and_are_not_too_many(most in 1e-6..1e12f64, wanted in 2u32..12) {
        let ticks = ticks(most, wanted);
        prop_assert!(ticks.len() <= wanted as usize + 2);
        prop_assert!(*ticks.last().unwrap() >= most * (1.0 - 1e-6));
        prop_assert!(ticks.windows(2).all(|w| w[0] < w[1]));
    }
}
