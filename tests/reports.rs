//! Every number that two reports state, against the figures of the profiles that declare the same
//! services: what follows is printed as they print it, what does not is right here and footnoted.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;

use common::Place;
use serde::Deserialize;
use serde_json::Value;

/// A number of a report.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    profile: String,
    line: u32,
    kind: String,
    status: String,
    printed: f64,
    #[serde(default)]
    tolerance: f64,
    right: Option<f64>,
    figure: String,
    #[serde(default = "typical")]
    end: String,
    #[serde(default = "plain")]
    unit: String,
    choice: Option<String>,
}

fn typical() -> String {
    "typical".to_owned()
}

fn plain() -> String {
    "1".to_owned()
}

/// What the program says of one profile.
struct Answers {
    figures: BTreeMap<String, Value>,
    findings: Vec<Value>,
    statuses: BTreeMap<String, String>,
    /// Bytes of a megabyte.
    mega: f64,
    report: String,
}

impl Answers {
    fn of(place: &Place, profile: &str, mega: f64) -> Self {
        let json = |arguments: &[&str]| -> Value {
            let ran = place.run(&[arguments, &["--format", "json"]].concat());
            serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"))
        };
        let all = json(&["--profile", profile, "--explain", "all"]);
        let figures = all.as_array().unwrap().iter();
        let report = json(&["--profile", profile]);
        let statuses = report["verdict"]["by_resource"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            figures: figures.map(|f| (text(&f["key"]), f.clone())).collect(),
            findings: json(&["lint", profile])["findings"].as_array().unwrap().clone(),
            statuses: statuses.map(|s| (text(&s["resource"]), text(&s["answer"]))).collect(),
            mega,
            report: place.run(&["--profile", profile, "--section", "all", "--lang", "en"]).stdout,
        }
    }

    fn figure(&self, case: &Case) -> &Value {
        self.figures.get(&case.figure).unwrap_or_else(|| panic!("no figure for {case:?}"))
    }

    fn value(&self, case: &Case) -> f64 {
        let value = self.figure(case)[&case.end].as_f64().unwrap();
        match case.unit.as_str() {
            "1" => value,
            "%" => value * 100.0,
            "MB" => value / self.mega,
            "GB" => value / 1e9,
            "GB1000" => value / self.mega / 1000.0,
            "GB1024" => value / self.mega / 1024.0,
            unit => panic!("{unit}"),
        }
    }

    /// Statements about the figure that the program says do not follow.
    fn notes<'a>(&'a self, case: &'a Case) -> impl Iterator<Item = &'a str> {
        let of = self.findings.iter().filter(|f| f["key"] == case.figure.as_str());
        of.map(|f| f["stated"].as_str().unwrap())
    }
}

fn is_near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance + 1e-6 * b.abs().max(1.0)
}

/// The numbers in a text, without what groups their thousands.
fn numbers(text: &str) -> Vec<f64> {
    let text = text.replace(',', "");
    text.split(|c: char| !c.is_ascii_digit() && c != '.').filter_map(|n| n.parse().ok()).collect()
}

fn check(case: &Case, answers: &Answers) {
    if let Some(resource) = case.figure.strip_prefix("status.") {
        let grade = match answers.statuses[resource].as_str() {
            "does_not_fit" => 0.0,
            "tight" => 1.0,
            "fits" => 2.0,
            other => panic!("{other}"),
        };
        assert_eq!(grade, case.printed, "{case:?}");
        return;
    }
    let value = answers.value(case);
    let text = answers.figure(case)["text"].as_str().unwrap();
    match (case.choice.as_deref(), case.status.as_str()) {
        // Printed twice in the report: both are held against one figure.
        (Some("note"), "exact") => assert!(value.is_finite(), "{case:?}"),
        (Some("note"), _) => assert!(answers.notes(case).count() > 0, "{case:?}"),
        (Some(_), _) => assert!(value.is_finite(), "{case:?}"),
        (None, "exact") => {
            assert!(is_near(value, case.printed, 0.0), "{value} for {case:?}");
            let as_printed =
                |n: &f64| is_near(*n, case.printed, 0.0) || is_near(*n * 1000.0, case.printed, 0.0);
            assert!(numbers(text).iter().any(as_printed), "`{text}` for {case:?}");
            assert!(answers.report.contains(text), "`{text}` is not in the report: {case:?}");
        }
        (None, "rounded") => {
            assert!(is_near(value, case.printed, case.tolerance), "{value} for {case:?}");
            let digits = case.printed.to_string();
            let decimals = digits.split_once('.').map_or(0, |(_, rest)| rest.len());
            let rounding = 0.5 * 10f64.powi(-i32::try_from(decimals).unwrap());
            if (value - case.printed).abs() > rounding + 1e-9 {
                let noted = answers.notes(case).count() > 0 || is_a_part_of_a_total(case);
                assert!(noted, "no footnote for {value}: {case:?}");
            }
        }
        (None, "inconsistent") => {
            let right = case.right.unwrap();
            assert!(is_near(value, right, 0.005 * right.abs()), "{value} for {case:?}");
            let names_it =
                |stated: &str| numbers(stated).iter().any(|n| is_near(*n, case.printed, 0.0));
            assert!(answers.notes(case).any(names_it), "no footnote names what {case:?} prints");
        }
        other => panic!("{other:?}"),
    }
}

/// Sums whose stated total is noted at another figure of the same sum.
fn is_a_part_of_a_total(case: &Case) -> bool {
    matches!(
        case.id.as_str(),
        // 95 against 92 is noted at the sum before the late model.
        "es.shared.hybrid.sum"
            // Declared together with the other end, which is within its rounding.
            | "es.perreq.hi"
    )
}

#[test]
fn every_number_of_the_reports_is_answered() {
    let place = Place::new();
    let cases: Vec<Case> = serde_yaml::from_str(include_str!("data/reports.yaml")).unwrap();
    assert_eq!(cases.len(), 261);
    let answers = BTreeMap::from([
        ("qreader-pytorch", Answers::of(&place, "qreader-pytorch", 1_048_576.0)),
        ("mediscope-pytorch", Answers::of(&place, "mediscope-pytorch", 1e6)),
    ]);
    let mut counts: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for case in &cases {
        check(case, &answers[case.profile.as_str()]);
        assert!(case.line > 0);
        *counts.entry((&case.kind, &case.status)).or_default() += 1;
    }
    assert_eq!(counts[&("arith", "exact")], 127);
    assert_eq!(counts[&("contradiction", "inconsistent")], 36);
}

/// A quantity in a line of YAML: where it begins and ends.
fn quantities(text: &str) -> Vec<(usize, usize)> {
    let end = text.find("\nstated:").unwrap_or(text.len());
    let mut found = Vec::new();
    let mut at = 0;
    for line in text[..end].split_inclusive('\n') {
        let code = line.split(" #").next().unwrap().trim_end();
        let is_prose = ["title:", "version:", "date:", "purpose:", "review:", "loader:", "script:"];
        if !line.starts_with('#') && !is_prose.iter().any(|key| line.contains(key)) {
            let mut from = 0;
            while let Some(colon) = code[from..].find(": ").map(|i| from + i + 2) {
                let value = &code[colon..];
                let length = value.find([',', '}']).unwrap_or(value.len());
                let word = value[..length].trim_start_matches(['~', '$', '{']);
                let skipped = value[..length].len() - word.len();
                if word.starts_with(|c: char| c.is_ascii_digit()) {
                    found.push((at + colon + skipped, at + colon + skipped + word.len()));
                }
                from = colon;
            }
        }
        at += line.len();
    }
    found
}

/// Every number in a quantity, halved; whole where `whole` says so.
fn halved(quantity: &str, whole: bool) -> String {
    let mut out = String::new();
    let mut number = String::new();
    let flush = |number: &mut String, out: &mut String| {
        if let Ok(n) = number.parse::<f64>() {
            let half = if whole { (n / 2.0).ceil() } else { n / 2.0 };
            out.push_str(&half.to_string());
        }
        number.clear();
    };
    for c in quantity.chars() {
        if c.is_ascii_digit() || c == '.' {
            number.push(c);
        } else {
            flush(&mut number, &mut out);
            out.push(c);
        }
    }
    flush(&mut number, &mut out);
    out
}

/// Nothing is canned: whatever number of a profile is halved, some printed number moves.
#[test]
fn a_changed_profile_changes_what_is_printed() {
    let place = Place::new();
    let mut random = fastrand::Rng::with_seed(20_251_230);
    for (name, text) in [
        ("qreader", include_str!("../profiles/qreader-pytorch.yaml")),
        ("mediscope", include_str!("../profiles/mediscope-pytorch.yaml")),
    ] {
        let path = place.file(&format!("{name}.yaml"));
        let printed = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let ran = place.run(&[
                "--profile",
                path.to_str().unwrap(),
                "--section",
                "all",
                "--format",
                "markdown",
                "--lang",
                "en",
            ]);
            (ran.code == Some(0)).then_some(ran.stdout)
        };
        let before = printed(text).unwrap();
        let mut all = quantities(text);
        assert!(all.len() > 25, "{name}: {all:?}");
        random.shuffle(&mut all);
        for (from, to) in all.into_iter().take(24) {
            let changed = [false, true].iter().find_map(|whole| {
                let half = halved(&text[from..to], *whole);
                let other = format!("{}{half}{}", &text[..from], &text[to..]);
                printed(&other).map(|report| (half, report))
            });
            let (half, after) = changed.unwrap_or_else(|| panic!("{name}: {}", &text[from..to]));
            if half != text[from..to] {
                let line = text[..from].lines().count();
                let moved = before != after;
                assert!(moved, "{name}, line {line}: {} to {half}", &text[from..to]);
            }
        }
    }
}
