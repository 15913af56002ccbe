//! What is obtained, answered: the plan, and what only the profile knows of it.

use super::Obtained;
use crate::plan::{Plan, Question, Warning, plan};
use crate::profile::RequestImage;

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
        match &self.profile.request.image {
            Some(RequestImage::OneOf(sizes)) if self.footprint.image.is_some() => {
                vec![Warning::LargestImage { sizes: sizes.clone() }]
            }
            _ => Vec::new(),
        }
    }
}
