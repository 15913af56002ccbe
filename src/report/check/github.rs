//! Workflow commands of GitHub Actions, which become annotations at the lines of files.
//! Source: "Workflow commands for GitHub Actions", GitHub's documentation.

use std::fmt::Write;

use super::words;
use crate::plan::check::{Checked, Ended, Finding};
use crate::service::Line;
use crate::text::line;

/// A command for each rule that is not kept, then the summary.
pub fn check_github(checked: &Checked) -> String {
    let mut out = String::new();
    for finding in &checked.findings {
        let level = match finding.outcome.ended() {
            Ended::Within => continue,
            Ended::Over => "error",
            Ended::Undecided if checked.strict => "error",
            Ended::Undecided => "warning",
        };
        let _ = writeln!(out, "::{level} {}::{}", properties(finding), message(finding));
    }
    for note in &checked.notes {
        let _ = writeln!(out, "::notice title=memory budget::{}", data(note));
    }
    let _ = writeln!(out, "{}", words::summary(checked));
    out
}

/// The command for what keeps the rules from being held at all, such as a budget that cannot be read,
/// and where it stands, if that is known.
pub fn check_github_error(line: Option<&Line>, trouble: &str) -> String {
    let title = property("memory budget");
    let place = line.map(|line| format!("file={},line={},", property(&line.file), line.number));
    format!("::error {}title={title}::{}\n", place.unwrap_or_default(), data(trouble))
}

fn properties(finding: &Finding) -> String {
    let title = format!("{}: {}", finding.service, finding.rule.name);
    let title = format!("title={}", property(&title));
    match &finding.rule.line {
        Some(line) => format!("file={},line={},{title}", property(&line.file), line.number),
        None => title,
    }
}

/// The message of a command: what is found, a line each.
fn message(finding: &Finding) -> String {
    let more = words::remark(finding).into_iter().chain(words::reason(finding));
    let lines = std::iter::once(words::sentence(finding)).chain(more).chain(words::why(finding));
    lines.map(|line| data(&line)).collect::<Vec<_>>().join("%0A")
}

/// A line of the message of a command.
fn data(text: &str) -> String {
    line(text).replace('%', "%25")
}

/// A property of a command, where a comma or a colon would end it, too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
