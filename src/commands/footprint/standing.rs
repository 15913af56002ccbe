//! What is known of a measurement before it is made.

use super::Request;
use crate::commands::{runtime, synthetic};
use crate::measure::host::HostBox;
use crate::measure::interrupt::Interrupt;
use crate::measure::prepare::check;
use crate::measure::runtime::Surroundings;
use crate::units::Seconds;

/// What is known of a measurement before it is made.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// Whether it was made before.
    pub is_kept: bool,
    /// Whether any model is fed with the request's image.
    pub takes_an_image: bool,
}

impl Request<'_> {
    /// The same request, which measures even if the profile has a footprint: that may be of
    /// another machine, and could not be compared with what is measured here.
    #[must_use]
    pub fn without_footprint(mut self) -> Self {
        self.profile.footprint = None;
        self
    }

    /// How long measuring may take.
    pub const fn budget(&self) -> Seconds {
        self.budget
    }

    /// Checks all inputs, and looks for a kept footprint. Writes and downloads nothing.
    ///
    /// # Errors
    /// Where an input cannot be used.
    pub fn standing(&self, interrupt: &Interrupt) -> anyhow::Result<Standing> {
        if let Some(text) = &self.args.synthetic {
            synthetic::parse(text)?;
            let (_, parts) = self.planted(text);
            let is_kept = self.kept(&parts.key()?).is_some();
            return Ok(Standing { is_kept, takes_an_image: true });
        }
        let checked = check(&self.cache, &self.profile)?;
        let host = HostBox::this()?;
        let surroundings = Surroundings::of_process(self.cache.root());
        let is_kept = match runtime::find(&surroundings, self.printer, interrupt) {
            Some(runtime) => {
                let (_, key) = self.real_key(&checked, &host, &runtime)?;
                self.kept(&key).is_some()
            }
            None => false,
        };
        Ok(Standing { is_kept, takes_an_image: checked.takes_an_image() })
    }
}
