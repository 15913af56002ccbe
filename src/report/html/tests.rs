mod charts;
mod sample;

use super::{html, linked};
use crate::report::document::{
    Axis, Bar, Block, Chart, Column, Document, Facts, Item, Leaf, Mark, Mood, Plot, Row, RowKind,
    Section, Series, Table, Tree,
};

/// What must never arrive in a page as it is.
const HOSTILE: &str = "<script>alert('1')</script> & \"q\" [1] </title></style></svg> {{ title }}";

fn count(page: &str, part: &str) -> usize {
    page.matches(part).count()
}

/// One of each block, and in each text the same mischief.
fn hostile() -> Document {
    let text = || HOSTILE.to_owned();
    let leaf = |total| Leaf { name: text(), value: text(), note: text(), total };
    let axis = || Axis { title: text(), logarithmic: false };
    let series = |mark| Series { name: text(), mark, points: vec![(0.0, 1.0), (1.0, 2.0)] };
    let table = Table {
        is_compact: false,
        title: text(),
        columns: vec![
            Column { title: text(), numeric: false },
            Column { title: text(), numeric: true },
        ],
        rows: [RowKind::Plain, RowKind::Group, RowKind::Total, RowKind::Asked]
            .map(|kind| Row { cells: vec![text(); 3], kind })
            .to_vec(),
    };
    let lines = Plot::Lines {
        x: axis(),
        y: axis(),
        series: [Mark::Line, Mark::Bound, Mark::Points, Mark::Limit].map(series).to_vec(),
    };
    let bars = Plot::Bars {
        axis: axis(),
        bars: vec![Bar {
            name: text(),
            value: text(),
            parts: vec![(text(), 1.0), (text(), 2.0)],
            mood: Mood::Fair,
        }],
    };
    let blocks = vec![
        Block::Heading(text()),
        Block::Paragraph(text()),
        Block::Verdict { mood: Mood::Bad, text: text() },
        Block::Table(table),
        Block::Tree(Tree { title: text(), leaves: vec![leaf(false), leaf(true)] }),
        Block::Facts(Facts { title: text(), groups: vec![(text(), vec![leaf(false)])] }),
        Block::List(vec![Item { mood: Mood::Good, text: text() }]),
        Block::Code { language: "bash", text: text() },
        Block::Chart(Chart { id: "lines", title: text(), plot: lines }),
        Block::Chart(Chart { id: "bars", title: text(), plot: bars }),
    ];
    Document {
        language: "en",
        title: text(),
        about: text(),
        sections: vec![Section { id: "all", title: text(), blocks }],
        footnotes: vec![text()],
        footnotes_title: text(),
        closing: vec![text()],
    }
}

#[test]
fn no_text_becomes_markup() {
    let page = html(&hostile()).unwrap();
    assert_eq!(count(&page, "<script"), 0);
    // The page's own, and nothing of the texts.
    for (part, most) in [("</title></style", 0), ("</style>", 1), ("alert('1')</", 0)] {
        assert_eq!(count(&page, part), most, "{part}");
    }
    assert!(page.contains("&lt;script&gt;") && page.contains("{{ title }}"));
    let (opened, closed) = (count(&page, "<svg"), count(&page, "</svg>"));
    assert_eq!(opened, closed);
}

/// Every tag that opens also closes, in order: a browser would repair it, and put it elsewhere.
#[test]
fn tags_are_nested() {
    for document in [hostile(), sample::document()] {
        let page = html(&document).unwrap();
        let mut open: Vec<String> = Vec::new();
        for tag in page.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
            let name = tag.trim_start_matches('/').split([' ', '/', '\n']).next().unwrap();
            if tag.starts_with('/') {
                assert_eq!(open.pop().as_deref(), Some(name), "after {tag}");
            } else if !(tag.ends_with('/') || ["!DOCTYPE", "meta"].contains(&name)) {
                open.push(name.to_owned());
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }
}

#[test]
fn a_page_needs_nothing_else() {
    for document in [hostile(), sample::document()] {
        let page = html(&document).unwrap();
        for part in ["http", "src=", "url(", "@import", "<link", "<script", "//"] {
            assert_eq!(count(&page, part), 0, "{part}");
        }
    }
}

#[test]
fn each_section_is_an_anchor_once() {
    let document = sample::document();
    let page = html(&document).unwrap();
    for section in &document.sections {
        assert_eq!(count(&page, &format!(" id=\"{}\"", section.id)), 1);
        assert_eq!(count(&page, &format!(" href=\"#{}\"", section.id)), 1);
    }
    let ids: Vec<&str> =
        page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let unique: std::collections::BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len());
    // Whatever points somewhere arrives.
    for target in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(ids.contains(&target), "{target}");
    }
    for list in ["aria-labelledby=\"", "aria-describedby=\""] {
        for target in page.split(list).skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(ids.contains(&target), "{target}");
        }
    }
}

#[test]
fn marks_lead_to_footnotes_that_exist() {
    let link = |n: u8| format!("<a class=\"mark\" href=\"#note-{n}\">[{n}]</a>");
    for (text, markup) in [
        ("a [1], b [2].", format!("a {}, b {}.", link(1), link(2))),
        ("[1][2]", format!("{}{}", link(1), link(2))),
        ("[[1]]", format!("[{}]", link(1))),
        ("[3] [0] [01] [+1] [] [a] [", "[3] [0] [01] [+1] [] [a] [".into()),
        ("[99999999999999999999999]", "[99999999999999999999999]".into()),
        ("ü[1]ü", format!("ü{}ü", link(1))),
        ("<b> [1", "&lt;b&gt; [1".into()),
    ] {
        assert_eq!(linked(text, 2), markup);
    }
    assert_eq!(linked("[1]", 0), "[1]");
    let page = html(&sample::document()).unwrap();
    assert!(page.contains("id=\"note-2\"") && page.contains(", [9]."));
    assert!(page.contains("names[1] &lt; 2"), "what is to be copied holds no links");
}

#[test]
fn a_mood_is_a_sign_and_a_word_in_the_language() {
    let verdict = |mood| Block::Verdict { mood, text: "t".into() };
    let blocks = [Mood::Good, Mood::Fair, Mood::Bad, Mood::Neutral].map(verdict).to_vec();
    let sections = vec![Section { id: "s", title: "S".into(), blocks }];
    let mut document = Document { sections, ..empty() };
    for (language, words) in [
        ("en", ["Good", "Tight", "Fails", "Note"]),
        ("es", ["Bien", "Justo", "Falla", "Nota"]),
        ("es-MX", ["Bien", "Justo", "Falla", "Nota"]),
        ("eo", ["Good", "Tight", "Fails", "Note"]),
    ] {
        document.language = language;
        let page = html(&document).unwrap();
        assert!(page.contains(&format!("<html lang=\"{language}\">")));
        for (sign, word) in ["✓", "!", "✗", "•"].into_iter().zip(words) {
            assert!(page.contains(&format!(">{sign}</span> {word}</span>")), "{word}");
        }
    }
}

fn empty() -> Document {
    Document {
        language: "en",
        title: String::new(),
        about: String::new(),
        sections: vec![],
        footnotes: vec![],
        footnotes_title: String::new(),
        closing: vec![],
    }
}

#[test]
fn nothing_is_a_page_too() {
    let page = html(&empty()).unwrap();
    assert!(page.ends_with("</html>\n") || page.ends_with("</html>"), "{page}");
    assert_eq!(count(&page, "<nav") + count(&page, "note-") + count(&page, "<footer"), 0);
}

#[test]
fn numbers_stand_at_the_right_and_sums_are_marked() {
    let page = html(&sample::document()).unwrap();
    assert!(page.contains("<td class=\"number\">1.3 GiB</td>"));
    assert!(page.contains("<th scope=\"rowgroup\" colspan=\"7\">Four processes</th>"));
    assert!(page.contains("<tr class=\"asked\">") && page.contains("<tr class=\"total\">"));
    // A row that is too short still has a cell for each column.
    let short = page.split("16 GiB</th>").nth(1).unwrap().split("</tr>").next().unwrap();
    assert_eq!(count(short, "<td"), 6);
}
