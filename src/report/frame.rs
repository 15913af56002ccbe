//! What stands above and below the sections.

use super::compose::Frame;
use crate::footprint::{Environment, Settings};
use crate::plan::page::{Phrase, says};
use crate::plan::{Plan, Subject};

/// Where the numbers come from that the plan was made of, in words.
#[derive(Debug, Clone)]
pub struct Provenance {
    /// The footprint.
    pub footprint: String,
    /// The box, where it was found and not given.
    pub found_box: Option<String>,
}

/// The frame of `plan`.
pub fn frame(plan: &Plan, subject: &Subject<'_>, provenance: &Provenance) -> Frame {
    let mut closing = Vec::new();
    if let Some(found) = &provenance.found_box {
        closing.push(says!("found-box", what = found.clone()));
    }
    let project = subject.service.project.as_ref();
    if let Some(date) = project.and_then(|p| p.date.as_deref()).or(subject.today) {
        closing.push(says!("closing-date", date = date));
    }
    if let Some(review) = project.and_then(|p| p.review.as_deref()) {
        closing.push(says!("closing-review", review = review));
    }
    Frame { title: plan.title.clone(), about: about(plan, provenance), closing }
}

fn about(plan: &Plan, provenance: &Provenance) -> Phrase {
    let Some(footprint) = &plan.footprint else {
        return says!("about-declared", name = plan.name.clone());
    };
    let environment = &footprint.environment;
    let image = footprint.image.as_ref().map_or_else(Phrase::blank, |image| {
        let size = format!("{}×{}", image.width, image.height);
        says!("about-image", size = size, origin = image.origin.clone())
    });
    if let Some(live) = &footprint.live {
        return says!(
            "about-live",
            target = live.target.clone(),
            topology = plan.topology.to_string(),
            cpu = environment.cpu_model.clone(),
            cores = environment.cores,
            footprint = provenance.footprint.clone(),
        );
    }
    says!(
        "about-measured",
        models = u32::try_from(footprint.models.len()).unwrap_or(u32::MAX),
        topology = plan.topology.to_string(),
        threads = u32::from(environment.threads()),
        settings = settings(environment),
        image = image,
        runtime = environment.onnxruntime.clone(),
        cpu = environment.cpu_model.clone(),
        cores = environment.cores,
        footprint = provenance.footprint.clone(),
    )
}

/// What nearly every Linux has, and nobody needs to be told.
const USUAL: &str = "transparent huge pages: madvise";

/// The session settings that are not this tool's own, beside the threads, and what else is unusual where it
/// was measured.
fn settings(environment: &Environment) -> String {
    let own = Settings { threads: environment.settings.threads, ..Settings::default() };
    let changes = environment.settings.beside(&own).map(|change| change.to_string());
    let conditions =
        environment.conditions.iter().filter(|condition| **condition != USUAL).cloned();
    let others: Vec<String> = changes.chain(conditions).collect();
    if others.is_empty() { String::new() } else { format!(", {}", others.join(", ")) }
}
