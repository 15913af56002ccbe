//! GitLab's code-quality report: a list of issues at the lines of files.
//! Source: "Code Quality report format", GitLab's documentation: description, check name, fingerprint,
//! location and severity are required.

use std::fmt::Write;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::words;
use crate::plan::check::{Checked, Ended, Finding};

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
    let issues: Vec<Issue<'_>> = checked
        .findings
        .iter()
        .filter(|finding| finding.outcome.ended() != Ended::Within)
        .map(|finding| issue(finding, checked.strict))
        .collect();
    Ok(format!("{}\n", serde_json::to_string_pretty(&issues)?))
}

fn issue(finding: &Finding, strict: bool) -> Issue<'_> {
    let (path, begin) = place(finding);
    Issue {
        description: format!(
            "{}, {}: {}",
            finding.service,
            finding.rule.name,
            words::sentence(finding)
        ),
        check_name: finding.rule.limit.key(),
        fingerprint: fingerprint(finding),
        severity: match finding.outcome.ended() {
            Ended::Undecided if !strict => "minor",
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
/// comes and goes.
pub(super) fn fingerprint(finding: &Finding) -> String {
    let key = format!("{}\n{}\n{}", finding.service, finding.rule.limit.key(), finding.rule.name);
    let digest = Sha256::digest(key.as_bytes());
    digest.iter().take(16).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
