//! What is observed under a load: the real service, or a synthetic one with planted costs.

use super::drive::{Answered, Load};
use super::protocol::{Kinds, Loaded, LoadedModel, Mark, StageSample, Warm, WaveSample};
use crate::units::Seconds;

/// Something that serves requests in this process. Calls come in the order of the methods; waves
/// and stages may repeat.
pub trait Subject {
    /// Loads the runtime and the models.
    ///
    /// # Errors
    /// Where one cannot be opened.
    fn load(&mut self) -> anyhow::Result<Loaded>;

    /// Loads the lazy models.
    ///
    /// # Errors
    /// Where one cannot be opened.
    fn load_lazy(&mut self) -> anyhow::Result<Vec<LoadedModel>>;

    /// Serves single requests of every kind that can be served until the runtime has settled.
    ///
    /// # Errors
    /// Where a request fails.
    fn warm_up(&mut self) -> anyhow::Result<Warm>;

    /// Measures each stage of a request of this kind alone for about `budget`.
    ///
    /// # Errors
    /// Where a request fails.
    fn stages(&mut self, budget: Seconds, kind: usize) -> anyhow::Result<Vec<StageSample>>;

    /// Puts `concurrency` requests of `kinds` in flight together, again and again until the high-water mark
    /// is flat or `max_blocks` blocks are done.
    ///
    /// # Errors
    /// Where a request fails.
    fn waves(
        &mut self,
        concurrency: u32,
        max_blocks: u32,
        kinds: Kinds,
    ) -> anyhow::Result<WaveSample>;

    /// Puts `concurrency` first requests in flight together on a service that was not warmed up.
    ///
    /// # Errors
    /// Where a request fails.
    fn cold_burst(&mut self, concurrency: u32) -> anyhow::Result<WaveSample>;

    /// Serves requests as they come.
    ///
    /// # Errors
    /// Where a request fails.
    fn drive(&mut self, load: Load) -> anyhow::Result<Vec<Answered>>;

    /// What is held when nothing runs.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn idle(&mut self) -> anyhow::Result<Mark>;
}
