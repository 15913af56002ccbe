//! The files of messages that a translator edits: no language lacks one, and none is there that the
//! program does not say.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use mediscope_size::plan::SECTIONS;

const LANGUAGES: [&str; 2] = ["en", "es"];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn file(language: &str) -> String {
    fs::read_to_string(source().join(format!("report/messages/{language}.ftl"))).unwrap()
}

/// The names of a language's messages and of the places in each.
fn messages(language: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut current = String::new();
    for line in file(language).lines().filter(|l| !l.starts_with('#')) {
        if let Some((name, _)) = line.split_once(" =").filter(|_| !line.starts_with(' ')) {
            name.clone_into(&mut current);
            assert!(found.insert(current.clone(), BTreeSet::new()).is_none(), "{name} is twice");
        }
        for place in line.split('$').skip(1) {
            let end = place.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let place = &place[..end.unwrap_or(place.len())];
            // A dollar sign before a number is money.
            if !place.is_empty() {
                found.entry(current.clone()).or_default().insert(place.to_owned());
            }
        }
    }
    found
}

#[test]
fn no_language_lacks_a_message_or_a_place_in_one() {
    let english = messages("en");
    assert!(english.len() > 300, "{}", english.len());
    for language in LANGUAGES {
        let own = messages(language);
        let lacks: Vec<_> = english.keys().filter(|k| !own.contains_key(*k)).collect();
        let more: Vec<_> = own.keys().filter(|k| !english.contains_key(*k)).collect();
        assert!(lacks.is_empty() && more.is_empty(), "{language}: lacks {lacks:?}, has {more:?}");
        for (name, places) in &english {
            assert_eq!(&own[name], places, "{language}: {name}");
        }
    }
}

fn program() -> String {
    let mut text = String::new();
    let mut folders = vec![source()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                text += &fs::read_to_string(path).unwrap();
            }
        }
    }
    text
}

#[test]
fn messages_and_the_program_name_the_same() {
    let (program, english, known) = (program(), file("en"), messages("en"));
    for section in SECTIONS {
        assert!(known.contains_key(&format!("section-{section}")), "section-{section}");
    }
    let is_said = |name: &str| {
        name.starts_with("section-")
            || name.starts_with("chart-")
            || english.contains(&format!("{{ {name} }}"))
            || program.contains(&format!("\"{name}\""))
            || program.contains(&format!("\"#{name}\""))
    };
    let unused: Vec<_> = known.keys().filter(|name| !is_said(name)).collect();
    assert!(unused.is_empty(), "nobody says {unused:?}");
    let is_name =
        |id: &str| id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let says = program.split("says!(").skip(1).filter_map(|rest| {
        rest.trim_start().strip_prefix('"')?.split('"').next().filter(|id| is_name(id))
    });
    // The example in the documentation of the macro.
    let missing: BTreeSet<_> =
        says.filter(|id| *id != "ram-holds" && !known.contains_key(*id)).collect();
    assert!(missing.is_empty(), "nobody wrote {missing:?}");
}
