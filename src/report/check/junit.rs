//! `JUnit` XML: a suite for each service, a case for each rule.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::words;
use crate::plan::check::{Checked, Ended, Finding};
use crate::text::line;

/// What is over is a failure; what is undecided an error, as of a test that could not be made.
///
/// # Errors
/// Where it cannot be written as XML.
pub fn check_junit(checked: &Checked) -> Result<String, quick_junit::SerializeError> {
    let mut report = Report::new(env!("CARGO_PKG_NAME"));
    let mut services: Vec<&str> = Vec::new();
    for finding in &checked.findings {
        if !services.contains(&finding.service.as_str()) {
            services.push(&finding.service);
        }
    }
    for service in services {
        let mut suite = TestSuite::new(line(service));
        let own = checked.findings.iter().filter(|finding| finding.service == service);
        suite.add_test_cases(own.map(|finding| case(finding, checked)));
        report.add_test_suite(suite);
    }
    if let (Some(first), false) = (report.test_suites.first_mut(), checked.notes.is_empty()) {
        first.set_system_out(several(&checked.notes));
    }
    // The schema has this attribute on a suite, and not on all of them together, where it comes first.
    Ok(report.to_string()?.replacen(" skipped=\"0\"", "", 1))
}

/// Texts of others, a line each. XML has no way to write most control characters, and would lose them.
fn several(texts: &[String]) -> String {
    texts.iter().map(|text| line(text)).collect::<Vec<_>>().join("\n")
}

fn case(finding: &Finding, checked: &Checked) -> TestCase {
    let mut status = match finding.outcome.ended() {
        Ended::Within => TestCaseStatus::success(),
        Ended::Undecided if !checked.strict => TestCaseStatus::non_success(NonSuccessKind::Error),
        _ => TestCaseStatus::non_success(NonSuccessKind::Failure),
    };
    if finding.outcome.ended() != Ended::Within {
        let place = finding.rule.line.as_ref();
        let mut lines: Vec<String> =
            place.map(|line| format!("{}:{}", line.file, line.number)).into_iter().collect();
        lines.extend(words::remark(finding));
        lines.extend(words::reason(finding));
        lines.extend(words::why(finding));
        status.set_message(line(&words::sentence(finding)));
        status.set_type(finding.rule.limit.key());
        status.set_description(several(&lines));
    }
    let mut case = TestCase::new(line(&finding.rule.name), status);
    case.set_classname(line(&finding.service));
    if finding.outcome.ended() == Ended::Within {
        case.set_system_out(line(&words::sentence(finding)));
    }
    case
}
