//! An assessment as JSON, in the contract `mediscope-size/report/2`, which is its serialisation.

pub(super) mod span;

#[cfg(test)]
pub(super) mod contract;
#[cfg(test)]
pub(super) mod planted;

use super::sentences::Sentences;
use crate::plan::assess::Assessment;

/// The assessment as JSON for programs: indented, with a line break at the end, and with its sentences in
/// English.
///
/// # Errors
/// Where it cannot be serialised, which none is known to cause.
pub fn json(assessment: &Assessment) -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(&in_words(assessment))?;
    text.push('\n');
    Ok(text)
}

/// The same with a sentence beside each code.
fn in_words(assessment: &Assessment) -> Assessment {
    let mut sentences = Sentences::new();
    let mut assessment = assessment.clone();
    let servers = assessment.servers.iter_mut().flat_map(|server| &mut server.reasons);
    for reason in assessment.verdict.reasons.iter_mut().chain(servers) {
        reason.text = sentences.finding(&reason.code);
    }
    let doubts = assessment.verdict.confidence_reasons.iter_mut();
    for note in doubts.chain(&mut assessment.warnings) {
        note.text = sentences.warning(&note.warning);
    }
    assessment
}
