//! What is obtained, answered: the plan, and what only the profile knows of it.

use super::Request;
use crate::footprint::Footprint;
use crate::plan::{Plan, Question, Warning, plan};
use crate::profile::{Profile, RequestImage, embedded};
use crate::service::Service;

/// A footprint and where it comes from.
#[derive(Debug)]
pub struct Obtained {
    /// The service.
    pub profile: Profile,
    /// What it costs.
    pub footprint: Footprint,
    /// Where that comes from, in words.
    pub provenance: String,
    /// Whether the user stopped the measurement.
    pub interrupted: bool,
    /// Whether the profile brought it along, so that no longer measurement replaces it by itself.
    pub is_brought: bool,
    /// What must be said of what the profile brought along.
    pub said: Option<String>,
}

impl Request<'_> {
    /// What a person says of the service.
    pub const fn service(&self) -> &Service {
        &self.profile.service
    }
}

impl Obtained {
    /// The answer to `question`.
    ///
    /// # Errors
    /// Where the footprint has too few points for a line.
    pub fn plan(&self, question: &Question) -> anyhow::Result<Plan> {
        let profile = &self.profile;
        let mut plan = plan(&profile.name, profile.title(), &self.footprint, question)?;
        plan.warnings.extend(self.warnings());
        Ok(plan)
    }

    /// What the profile knows and its footprint does not.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if let Some(RequestImage::OneOf(sizes)) = &self.profile.request.image
            && self.footprint.image.is_some()
        {
            warnings.push(Warning::LargestImage { sizes: sizes.clone() });
        }
        // The embedded ones are of services that are this program and their models.
        let is_alone = self.footprint.program.is_none() && !self.profile.models.is_empty();
        if is_alone && embedded(&self.profile.name).is_none() {
            warnings.push(Warning::ModelAlone);
        }
        warnings
    }
}
