//! Texts of others in all that is shown: whatever stands in a name, a path, a message or the output of a
//! service, a terminal gets no escape sequence, a pipeline no command, a spreadsheet no formula, and a
//! reader of a format finds as many cells, elements and values as without it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::net::TcpListener;

use common::onnx::{self, Graph, Model, Opset};
use common::{Place, Ran};
use mediscope_size::report::document::{
    Block, Column, Document, Facts, Item, Leaf, Mood, Row, RowKind, Section, Table, Tree,
};
use mediscope_size::report::{self, Layout, Lines};
use mediscope_size::text::{Form, guarded};
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::Value;

/// What has been used against others, and what surrounds it.
const PARTS: &[&str] = &[
    "::error::x",
    "\n::stop-commands::t",
    "\r\n  ::set-env name=A::b",
    "##[error]x",
    "##vso[task.complete]",
    "\t",
    "\u{1b}[31m",
    "\u{1b}]0;title\u{7}",
    "\u{9b}2J",
    "\u{7f}",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{feff}",
    "\u{fdd0}",
    "\u{e0041}",
    "=1+1",
    "@SUM(A1)",
    "+cmd|' /C calc'!A0",
    "-1",
    "＝1",
    "@octocat",
    "me@example.com",
    "#12",
    "GH-1",
    "!3",
    "https://a.b/c",
    "www.a.b",
    "![x](y)",
    "<script>alert(1)</script>",
    "</td></table>",
    "<!-- -->",
    "]]>",
    "&amp;",
    "```",
    "`",
    "|",
    "*",
    "_",
    "~",
    "\\",
    "\\u{1b}",
    "[9]",
    "\"",
    "'",
    ",",
    ";",
    "- ",
    "1. ",
    "/close",
    " ",
    "name",
    "año",
];

fn any_text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        8 => proptest::sample::select(PARTS).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(part, 1..6)
        .prop_map(|parts| parts.concat())
        .prop_filter("names are not blank", |text| !text.trim().is_empty())
}

/// Characters that no output has, as the Unicode standard and ECMA-48 list them.
fn is_forbidden(c: char) -> bool {
    matches!(c,
        '\0'..='\u{9}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fdd0}'..='\u{fdef}' | '\u{e0000}'..='\u{e0fff}')
        || u32::from(c) & 0xfffe == 0xfffe
}

/// That nobody who reads the text takes a part of it for more than a text.
fn assert_harmless(text: &str, what: &str) {
    let plain = anstream::adapter::strip_str(text).to_string();
    for line in plain.split('\n') {
        let forbidden = line.chars().find(|c| is_forbidden(*c));
        assert_eq!(forbidden, None, "{what}: {line:?}");
        let is_own = ["::error ", "::warning ", "::notice "].iter().any(|c| line.starts_with(c));
        assert!(is_own || !line.trim_start().starts_with("::"), "{what}: {line:?}");
        for command in ["##[", "##vso[", "##teamcity["] {
            assert!(!line.contains(command), "{what}: {line:?}");
        }
    }
}

/// Every kind of block but pictures, with these texts in turn.
fn document(texts: &[String]) -> Document {
    let mut turn = texts.iter().cycle();
    let mut text = || turn.next().unwrap().clone();
    let leaf = |text: &mut dyn FnMut() -> String, total| Leaf {
        name: text(),
        value: text(),
        note: text(),
        total,
    };
    let columns = [false, true, false].map(|numeric| Column { title: text(), numeric }).to_vec();
    let rows = [RowKind::Plain, RowKind::Total, RowKind::Asked]
        .map(|kind| Row { cells: vec![text(), text(), text()], kind })
        .to_vec();
    let blocks = vec![
        Block::Heading(text()),
        Block::Paragraph(text()),
        Block::Verdict { mood: Mood::Bad, text: text() },
        Block::Table(Table { title: text(), columns, rows, is_compact: false }),
        Block::Tree(Tree {
            title: text(),
            leaves: vec![leaf(&mut text, false), leaf(&mut text, true)],
        }),
        Block::Facts(Facts { title: text(), groups: vec![(text(), vec![leaf(&mut text, false)])] }),
        Block::List(vec![
            Item { mood: Mood::Good, text: text() },
            Item { mood: Mood::Neutral, text: text() },
        ]),
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

/// What a reader of Markdown finds: what begins and ends, without the words.
fn elements(markdown: &str) -> Vec<String> {
    let mut words = String::new();
    let mut found = Vec::new();
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match event {
            Event::Start(tag) => {
                assert!(
                    !matches!(tag, Tag::Link { .. } | Tag::Image { .. } | Tag::HtmlBlock),
                    "{tag:?}"
                );
                found.push(format!("{:?}", tag.to_end()));
            }
            Event::Html(html) | Event::InlineHtml(html) => panic!("{html} in {markdown}"),
            Event::Text(text) => words.push_str(&text),
            Event::Code(_) => words.push('\u{0}'),
            _ => words.push('\n'),
        }
    }
    // What code hosts link to although it is no markup.
    let follows = |sign: char, next: fn(char) -> bool| {
        words.split(sign).skip(1).any(|rest| rest.starts_with(next))
    };
    assert!(!words.contains("://") && !words.contains("www.a"), "{words}");
    assert!(!follows('@', char::is_alphanumeric), "{words}");
    assert!(
        !follows('#', |c| c.is_ascii_digit()) && !follows('!', |c| c.is_ascii_digit()),
        "{words}"
    );
    found
}

fn cells(csv: &str) -> Vec<Vec<String>> {
    let reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(csv.as_bytes());
    reader.into_records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).map(|tag| tag.split(['>', ' ', '\n']).next().unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn no_text_is_more_than_a_text_in_a_report(texts in proptest::collection::vec(any_text(), 1..8)) {
        let (hostile, benign) = (document(&texts), document(&["x".to_owned()]));
        for lines in [Lines::Unicode, Lines::Ascii] {
            let text = report::terminal(&hostile, Layout { width: 80, lines });
            assert_harmless(&guarded(&text, Form::Page), "text");
        }
        let of = |document| {
            let markdown = guarded(&report::markdown(document), Form::Page).into_owned();
            let csv = guarded(&report::csv(document).unwrap(), Form::Page).into_owned();
            let html = guarded(&report::html(document).unwrap(), Form::Html).into_owned();
            (markdown, csv, html)
        };
        let ((markdown, csv, html), (its_markdown, its_csv, its_html)) = (of(&hostile), of(&benign));
        for (text, what) in [(&markdown, "markdown"), (&csv, "csv"), (&html, "html")] {
            assert_harmless(text, what);
        }
        prop_assert_eq!(elements(&markdown), elements(&its_markdown), "{}", markdown);
        prop_assert_eq!(tags(&html), tags(&its_html));
        let (rows, its_rows) = (cells(&csv), cells(&its_csv));
        let shape = |rows: &[Vec<String>]| rows.iter().map(Vec::len).collect::<Vec<_>>();
        prop_assert_eq!(shape(&rows), shape(&its_rows));
        for cell in rows.concat() {
            let begins = |c: char| "=+-@＝＋－＠".contains(c);
            let is_number = cell.starts_with(['+', '-'])
                && cell[1..].starts_with(|c: char| c.is_ascii_digit())
                && !cell[1..].contains(|c: char| "=|!(:+*/&^<>'\"@-".contains(c));
            prop_assert!(!cell.trim_start().starts_with(begins) || is_number, "{}", cell);
        }
    }

    /// Two texts that differ look different, and none hides what it is.
    #[test]
    fn texts_that_differ_look_different(a in any_text(), b in any_text()) {
        let shown = [&a, &b].map(|text| mediscope_size::text::line(text).into_owned());
        prop_assert_eq!(shown[0] == shown[1], a == b);
    }
}

const NASTY: &str = "x\n::error::in\u{1b}[31m\u{7}\u{202e}\u{9b}<b>|`=@octocat ##[error]y";

fn assert_ran_harmless(ran: &Ran, what: &str) {
    assert_harmless(&ran.stdout, &format!("{what}, standard output"));
    assert_harmless(&ran.stderr, &format!("{what}, standard error"));
    // Not a terminal, and the tool's own colours are gone.
    assert!(!ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}'), "{what}: {ran:?}");
}

/// A model whose every name is hostile.
fn nasty_model() -> Model {
    let output = format!("{NASTY}2");
    Model {
        ir_version: 8,
        opset_import: vec![
            Opset { domain: String::new(), version: 17 },
            Opset { domain: NASTY.to_owned(), version: 1 },
        ],
        graph: Some(Graph {
            node: vec![onnx::node("Identity", &[NASTY], &output)],
            name: NASTY.to_owned(),
            initializer: Vec::new(),
            input: vec![onnx::value(NASTY, onnx::FLOAT, &[NASTY])],
            output: vec![onnx::value(&output, onnx::FLOAT, &[NASTY])],
        }),
    }
}

#[test]
fn names_in_a_model_and_of_its_file_are_shown_and_not_obeyed() {
    use prost::Message;
    let place = Place::new();
    let file = format!("{}.onnx", NASTY.replace('/', ""));
    fs::write(place.file(&file), nasty_model().encode_to_vec()).unwrap();
    let text = place.run(&["inspect", &file]);
    assert_eq!(text.code, Some(0), "{text:?}");
    assert_ran_harmless(&text, "inspect");
    assert!(text.stdout.contains(r"x\u{a}::error::in\u{1b}[31m"), "{}", text.stdout);
    let json = place.run(&["inspect", &file, "--format", "json"]);
    assert_ran_harmless(&json, "inspect --format json");
    let found: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(found["inputs"][0]["name"], NASTY);
    let written = place.run(&["init", "--model", &file, "-o", "p.yaml"]);
    assert_ran_harmless(&written, "init");
    assert_eq!(written.code, Some(0), "{written:?}");
    assert_ran_harmless(
        &place.run(&["--profile", "p.yaml", "--ram", "1G", "--dry-run"]),
        "dry run",
    );
    // A command to copy is what a shell reads as that file, and nothing else.
    let quoted = place.file("a;touch b;.onnx");
    fs::copy(place.file(&file), &quoted).unwrap();
    let shown = place.run(&["inspect", "a;touch b;.onnx", "--format", "json"]);
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    if let Some(command) = shown["command"].as_str() {
        assert!(command.contains("'a;touch b;.onnx'"), "{command}");
    }
}

#[test]
fn what_was_typed_is_repeated_and_not_obeyed() {
    let place = Place::new();
    let option = format!("--ra{NASTY}");
    for arguments in [
        &[option.as_str()][..],
        &[NASTY],
        &["--ram", NASTY],
        &["--profile", NASTY],
        &["inspect", NASTY],
        &["check", NASTY],
        &["check", "--model", NASTY, "--max-buffer", "1M", "--format", "github"],
        &["diff", NASTY, NASTY],
        &["--section", NASTY, "--ram", "1G"],
        &["-o", NASTY, "--ram", "1G"],
        &["cache", "--cache-dir", NASTY],
        &["runtime", "--cache-dir", NASTY],
        &["measure", "--url", NASTY, "--pid", "1"],
        &["measure", "--url", "http://127.0.0.1:1/", "--", NASTY],
    ] {
        assert_ran_harmless(&place.run(arguments), &format!("{arguments:?}"));
    }
}

/// In a profile and a budget, whose names are texts of one line but may be hostile otherwise.
#[test]
fn names_in_a_budget_arrive_in_every_format_as_they_are() {
    let place = Place::new();
    let name = "@octocat \u{202e}::x ##[error]=1|<b>]]>&`\u{200b}";
    let yaml = serde_json::to_string(name).unwrap();
    let profile = fs::read_to_string("profiles/qreader-pytorch.yaml").unwrap();
    let profile = profile
        .replacen("name: qreader-pytorch", &format!("name: {yaml}"), 1)
        .replace("    small: {", &format!("    {yaml}: {{"))
        .replace("  - name: low", &format!("  - name: {yaml}"));
    fs::write(place.file("p.yaml"), profile).unwrap();
    let budget = format!(
        "services:\n  {yaml}:\n    profile: p.yaml\n    rules:\n      - {{name: {yaml}, reason: {yaml}, max_buffer: 1M}}\n      - {{max_ram: 64G, concurrency: 1}}\n"
    );
    fs::write(place.file("budget.yaml"), budget).unwrap();
    for format in ["text", "markdown", "github", "junit", "sarif", "gitlab", "json"] {
        let ran = place.run(&["check", "--why", "--format", format]);
        assert_eq!(ran.code, Some(1), "{format}: {ran:?}");
        assert_ran_harmless(&ran, format);
        match format {
            "junit" => {
                let report = quick_junit::Report::deserialize_from_str(&ran.stdout).unwrap();
                let cases: Vec<_> = report.test_suites.iter().flat_map(|s| &s.test_cases).collect();
                assert_eq!((report.test_suites.len(), cases.len()), (1, 2), "{}", ran.stdout);
                assert_eq!(cases[0].name.as_str(), mediscope_size::text::line(name));
            }
            "json" => {
                let found: Value = serde_json::from_str(&ran.stdout).unwrap();
                assert_eq!(found["rules"][0]["name"], name);
            }
            "sarif" => {
                let found: Value = serde_json::from_str(&ran.stdout).unwrap();
                assert_eq!(found["runs"][0]["results"].as_array().unwrap().len(), 1);
            }
            "gitlab" => {
                let found: Value = serde_json::from_str(&ran.stdout).unwrap();
                assert_eq!(found.as_array().unwrap().len(), 1);
            }
            "github" => {
                let commands: Vec<&str> =
                    ran.stdout.lines().filter(|l| l.starts_with("::")).collect();
                assert_eq!(commands.len(), 1, "{}", ran.stdout);
            }
            _ => {}
        }
    }
    for format in ["text", "markdown", "csv", "html", "json"] {
        let ran =
            place.run(&["--profile", "p.yaml", "--ram", "1G", "--cpus", "1", "--format", format]);
        assert_eq!(ran.code, Some(0), "{format}: {ran:?}");
        assert_ran_harmless(&ran, format);
        // To a stream by its name, too.
        let file = format!("{format}.out");
        let to = ["--profile", "p.yaml", "--ram", "1G", "--format", format, "-q", "-o", &file];
        assert_eq!(place.run(&to).code, Some(0));
        assert_harmless(&fs::read_to_string(place.file(&file)).unwrap(), format);
    }
    let broken = format!("name: x\nmodels: [\u{202e}\u{1b}[31m ::error::x {NASTY}\n");
    fs::write(place.file("broken.yaml"), broken).unwrap();
    assert_ran_harmless(&place.run(&["--profile", "broken.yaml"]), "a place in a file");
}

#[test]
fn the_output_of_a_service_is_quoted_and_not_obeyed() {
    let place = Place::new();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/");
    let script = r"printf '::stop-commands::t\n\033[31mred\033]0;t\007\n##[error]x\r\n  ::error::y\n' >&2; exit 3";
    for format in ["text", "json"] {
        let ran =
            place.run(&["measure", "--url", &url, "--format", format, "--", "sh", "-c", script]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert_ran_harmless(&ran, "the output of a service");
        let said = if format == "json" {
            let error: Value = serde_json::from_str(&ran.stderr).unwrap();
            error["error"]["message"].as_str().unwrap().to_owned()
        } else {
            ran.stderr.clone()
        };
        let quoted: Vec<&str> = said.lines().skip(1).collect();
        assert_eq!(quoted.len(), 4, "{}", ran.stderr);
        assert!(quoted.iter().all(|line| line.starts_with("  | ")), "{}", ran.stderr);
        assert_eq!(quoted[0], "  | ::stop-commands::t");
    }
}
