//! SARIF 2.1.0, for code scanning: OASIS standard "Static Analysis Results Interchange Format".
//! Its own types: of the standard's some hundred, a dozen fields are needed.

use serde::Serialize;

use super::gitlab::{fingerprint, place};
use super::words;
use crate::plan::check::{Checked, Ended, Finding};
use crate::text;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json";

/// What each rule is, in the order in which they are listed.
const RULES: [(&str, &str); 7] = [
    ("max_ram", "The limit that so many requests in flight need"),
    ("max_buffer", "The RAM that each request in flight adds"),
    ("max_load_peak", "The height of RAM while models are loaded"),
    ("max_cpu_seconds", "The CPU time of a request"),
    ("min_rps", "The requests a second that a box serves"),
    ("max_model_file", "The size of a model file"),
    ("max_growth", "The growth of RAM since a baseline"),
];

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Debug, Serialize)]
struct Run<'a> {
    tool: Tool,
    invocations: [Invocation; 1],
    results: Vec<Found<'a>>,
}

/// That the tool ran, and what the reader should know of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Debug, Serialize)]
struct Notification {
    level: &'static str,
    message: Text,
}

#[derive(Debug, Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Debug, Serialize)]
struct Driver {
    name: &'static str,
    version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    short_description: Text,
}

#[derive(Debug, Serialize)]
struct Text {
    text: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Found<'a> {
    rule_id: &'a str,
    level: &'static str,
    message: Text,
    locations: [Place; 1],
    partial_fingerprints: Fingerprints,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    physical_location: Physical,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Debug, Serialize)]
struct Artifact {
    uri: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
}

#[derive(Debug, Serialize)]
struct Fingerprints {
    #[serde(rename = "rule/v1")]
    rule: String,
}

/// A result for each rule that is not kept.
///
/// # Errors
/// Where it cannot be written as JSON.
pub fn check_sarif(checked: &Checked) -> Result<String, serde_json::Error> {
    let rules = RULES
        .iter()
        .map(|(id, text)| Rule { id, short_description: Text { text: (*text).to_owned() } });
    let results = checked
        .findings
        .iter()
        .enumerate()
        .filter(|(_, finding)| finding.outcome.ended() != Ended::Within)
        .map(|(nth, finding)| found(finding, nth, checked))
        .collect();
    let driver = Driver {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        rules: rules.collect(),
    };
    let notes = checked.notes.iter();
    let invocation = Invocation {
        execution_successful: checked.findings.iter().all(|f| f.trouble.is_none()),
        tool_execution_notifications: notes
            .map(|note| Notification {
                level: "note",
                message: Text { text: text::line(note).into_owned() },
            })
            .collect(),
    };
    let run = Run { tool: Tool { driver }, invocations: [invocation], results };
    let log = Log { schema: SCHEMA, version: "2.1.0", runs: [run] };
    Ok(format!("{}\n", serde_json::to_string_pretty(&log)?))
}

fn found<'a>(finding: &'a Finding, nth: usize, checked: &Checked) -> Found<'a> {
    let (file, line) = place(finding);
    let said = [format!("{}: {}", finding.service, finding.rule.name), words::sentence(finding)];
    let more = words::remark(finding).into_iter().chain(words::reason(finding));
    let said: Vec<String> = said.into_iter().chain(more).collect();
    let text = said.iter().map(|s| s.trim_end_matches('.')).collect::<Vec<_>>().join(". ");
    Found {
        rule_id: finding.rule.limit.key(),
        level: match finding.outcome.ended() {
            Ended::Undecided if !checked.strict => "warning",
            _ => "error",
        },
        message: Text { text: text::line(&text).into_owned() },
        locations: [Place {
            physical_location: Physical {
                artifact_location: Artifact { uri: uri(&file) },
                region: Region { start_line: line },
            },
        }],
        partial_fingerprints: Fingerprints { rule: fingerprint(checked, nth) },
    }
}

/// A path as a relative reference: RFC 3986 leaves no blanks and no signs that begin other parts.
fn uri(path: &str) -> String {
    path.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
