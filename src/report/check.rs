//! A budget that was held, for people, for pipelines and for code hosts.

mod github;
mod gitlab;
mod json;
mod junit;
mod markdown;
mod sarif;
mod words;

use std::fmt::Write;

use super::tables::{BOLD, DIM, Layout, wrap_whole};
use crate::plan::check::{Checked, Ended, Finding};

pub use github::{check_github, check_github_error};
pub use gitlab::check_gitlab;
pub use json::check_json;
pub use junit::check_junit;
pub use markdown::check_markdown;
pub use sarif::check_sarif;
pub(super) use words::{changed, size};

/// A line a rule, and with `why` where the bytes are of those that are not kept.
/// Contains colours; whoever prints it strips them where they do not belong.
pub fn check_text(checked: &Checked, why: bool, layout: Layout) -> String {
    let mut out = String::new();
    let width = checked.findings.iter().map(|f| label(checked, f).chars().count()).max();
    for finding in &checked.findings {
        let label = label(checked, finding);
        let pad = " ".repeat(width.unwrap_or(0) - label.chars().count());
        let line =
            format!("{} {label}{pad}  {}", mark(finding.outcome.ended()), words::sentence(finding));
        let _ = writeln!(out, "{}", wrap_whole(&line, layout, 4));
        if let Some(more) = words::remark(finding) {
            let _ = writeln!(out, "    {DIM}{}{DIM:#}", wrap_whole(&more, layout, 4));
        }
        if let Some(reason) = words::reason(finding).filter(|_| !is_kept(finding)) {
            let _ = writeln!(out, "    {DIM}{}{DIM:#}", wrap_whole(&reason, layout, 4));
        }
        // The same parts again for each rule that is kept would say nothing new.
        let is_first = checked.findings.first().is_some_and(|f| std::ptr::eq(f, finding));
        if why && (!is_kept(finding) || (is_first && checked.ended() == Ended::Within)) {
            for line in words::why(finding) {
                let _ = writeln!(out, "    • {}", wrap_whole(&line, layout, 6));
            }
        }
    }
    for note in &checked.notes {
        let _ = writeln!(out, "{DIM}{}{DIM:#}", wrap_whole(note, layout, 2));
    }
    let _ = writeln!(out, "\n{BOLD}{}{BOLD:#}", words::summary(checked));
    out
}

fn is_kept(finding: &Finding) -> bool {
    finding.outcome.ended() == Ended::Within
}

const fn mark(ended: Ended) -> &'static str {
    match ended {
        Ended::Within => "✔",
        Ended::Over => "✘",
        Ended::Undecided => "?",
    }
}

/// The rule's name, after that of its service where there are several.
fn label(checked: &Checked, finding: &Finding) -> String {
    let first = checked.findings.first().map(|f| &f.service);
    if checked.findings.iter().all(|f| Some(&f.service) == first) {
        finding.rule.name.clone()
    } else {
        format!("{}: {}", finding.service, finding.rule.name)
    }
}
