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
        if let Some(RequestImage::OneOf(sizes)) = &profile.request.image
            && self.footprint.image.is_some()
        {
            plan.warnings.push(Warning::LargestImage { sizes: sizes.clone() });
        }
        Ok(plan)
    }
}
