//! GitLab's code-quality report: a list of issues at the lines of files.
//! Source: "Code Quality report format", GitLab's documentation: description, check name, fingerprint,
//! location and severity are required.

use std::fmt::Write;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::words;
use crate::plan::check::{Checked, Ended, Finding};
use crate::text::line;

#[derive(Debug, Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Debug, Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Debug, Serialize)]
struct Lines {
    begin: u32,
}

/// An issue for each rule that is not kept.
///
/// # Errors
/// Where it cannot be written as JSON.
pub fn check_gitlab(checked: &Checked) -> Result<String, serde_json::Error> {
    let issues = checked
        .findings
        .iter()
        .enumerate()
        .filter(|(_, finding)| finding.outcome.ended() != Ended::Within)
        .map(|(nth, _)| issue(checked, nth));
    let first = checked.findings.first();
    let notes = checked.notes.iter().zip(first.into_iter().cycle());
    let notes = notes.map(|(note, finding)| noted(note, finding));
    let all: Vec<Issue<'_>> = issues.chain(notes).collect();
    Ok(format!("{}\n", serde_json::to_string_pretty(&all)?))
}

/// What the reader should know has no line of its own: that of the first rule.
fn noted<'a>(note: &str, finding: &Finding) -> Issue<'a> {
    let (path, begin) = place(finding);
    Issue {
        description: line(note).into_owned(),
        check_name: "note",
        fingerprint: digest(note),
        severity: "info",
        location: Location { path, lines: Lines { begin } },
    }
}

fn issue(checked: &Checked, nth: usize) -> Issue<'_> {
    let finding = &checked.findings[nth];
    let (path, begin) = place(finding);
    Issue {
        description: [
            Some(format!(
                "{}, {}: {}",
                finding.service,
                finding.rule.name,
                words::sentence(finding)
            )),
            words::reason(finding),
        ]
        .into_iter()
        .flatten()
        .map(|text| line(&text).into_owned())
        .collect::<Vec<_>>()
        .join(". "),
        check_name: finding.rule.limit.key(),
        fingerprint: fingerprint(checked, nth),
        severity: match finding.outcome.ended() {
            Ended::Undecided if !checked.strict => "minor",
            _ => "major",
        },
        location: Location { path, lines: Lines { begin } },
    }
}

/// The file and the line of a rule: both formats want one. What was typed has the service's name.
pub(super) fn place(finding: &Finding) -> (String, u32) {
    match &finding.rule.line {
        Some(line) => (line.file.trim_start_matches("./").to_owned(), line.number.max(1)),
        None => (finding.service.clone(), 1),
    }
}

/// The same for the same rule of the same service, whatever its value: so it is one finding that
/// comes and goes. Rules that are alike in that are told apart by their order.
pub(super) fn fingerprint(checked: &Checked, nth: usize) -> String {
    let key = |finding: &Finding| {
        format!("{}\n{}\n{}", finding.service, finding.rule.limit.key(), finding.rule.name)
    };
    let own = key(&checked.findings[nth]);
    match checked.findings[..nth].iter().filter(|before| key(before) == own).count() {
        0 => digest(&own),
        before => digest(&format!("{own}\n{before}")),
    }
}

fn digest(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(16).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
