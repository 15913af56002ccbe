//! Markdown, for a comment or the summary of a job: short where all is well.

use std::fmt::Write;

use minijinja::HtmlEscape;

use super::{mark, words};
use crate::plan::check::{Checked, Ended};
use crate::report::markdown::{escaped, paragraph};
use crate::text::line;

/// A table of the rules, and where the bytes are of those that are not kept.
pub fn check_markdown(checked: &Checked) -> String {
    let verdict = match checked.ended() {
        Ended::Within => "within its budget",
        Ended::Over => "over its budget",
        Ended::Undecided => "not decided",
    };
    let mut out = format!(
        "### Memory: {verdict}\n\n| | rule | measured | limit |\n| --- | --- | --- | --- |\n"
    );
    for finding in &checked.findings {
        let (value, limit) = words::told(finding);
        let _ = writeln!(
            out,
            "| {} | {}: {} | {} | {limit} |",
            mark(finding.outcome.ended()),
            escaped(&finding.service),
            escaped(&finding.rule.name),
            escaped(&value)
        );
    }
    for finding in checked.findings.iter().filter(|f| f.outcome.ended() != Ended::Within) {
        let lines: Vec<String> = words::remark(finding)
            .into_iter()
            .chain(words::reason(finding))
            .chain(words::why(finding))
            .collect();
        if lines.is_empty() {
            continue;
        }
        let _ = writeln!(
            out,
            "\n<details><summary><code>{}: {}</code></summary>\n",
            // HTML, in which markdown is none; and code, in which names call nobody.
            HtmlEscape(&line(&finding.service)),
            HtmlEscape(&line(&finding.rule.name))
        );
        for text in lines {
            let _ = writeln!(out, "- {}", paragraph(&text));
        }
        let _ = writeln!(out, "\n</details>");
    }
    let _ = writeln!(out, "\n{}", words::summary(checked));
    for note in &checked.notes {
        let _ = writeln!(out, "\n{}", paragraph(note));
    }
    out
}
