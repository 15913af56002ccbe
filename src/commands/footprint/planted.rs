//! `--synthetic`: what is known of a machine and a model that are not there.

use super::{Obtained, Request};
use crate::commands::synthetic;
use crate::footprint::{Count, Environment, ImageRecord, PLANTED_CPU};
use crate::measure::assemble::{Facts, ModelFacts};
use crate::measure::cache::KeyParts;
use crate::measure::interrupt::Interrupt;
use crate::measure::protocol::Job;
use crate::units::Bytes;

/// Of the planted machine.
const CORES: u16 = 2;

impl Request<'_> {
    /// Measures planted costs, as they are written in `text`.
    pub(super) fn obtain_planted(
        &self,
        text: &str,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Obtained> {
        let job = synthetic::changed(synthetic::parse(text)?, &self.profile);
        let (facts, parts) = self.planted(text);
        let key = parts.key()?;
        match self.kept(&key) {
            Some(obtained) => {
                self.compared(obtained, || Ok(Job::Synthetic(job)), &key, parts, interrupt)
            }
            None => self.measure(Job::Synthetic(job), &facts, &key, parts, interrupt),
        }
    }

    /// What is recorded of the machine and the model, and what they are kept under.
    pub(super) fn planted(&self, text: &str) -> (Facts, KeyParts) {
        let environment = Environment {
            cpu_model: PLANTED_CPU.into(),
            cores: u32::from(CORES),
            kernel: "none".into(),
            onnxruntime: "none".into(),
            library_sha256: None,
            conditions: Vec::new(),
            tool: KeyParts::tool_version(),
            settings: self.profile.settings.clone(),
            default_threads: match self.profile.settings.threads {
                Count::Default => Some(CORES),
                Count::Given(_) => None,
            },
            cpu_score: None,
        };
        let size = synthetic::image(&self.profile);
        let (width, height) = size.dimensions();
        let image = ImageRecord {
            origin: "planted".into(),
            encoded_bytes: Bytes::new(500_000),
            width,
            height,
            heatmap_edge: None,
        };
        let input = format!("{size}, batch {}", self.profile.request.batch.get());
        let bytes = synthetic::parse(text).map_or(Bytes::ZERO, |job| job.base);
        let model = ModelFacts {
            name: "planted".into(),
            synthetic: true,
            lazy: false,
            from_bytes: false,
            file_bytes: bytes,
            weight_bytes: bytes,
            sha256: text.to_owned(),
            inputs: vec![input.clone()],
            step: None,
        };
        let facts = Facts {
            topology: self.profile.topology,
            environment,
            image: Some(image),
            models: vec![model],
            kinds: self.kinds(),
            assumed: Vec::new(),
            assumed_values: Vec::new(),
        };
        let images = vec![text.to_owned(), input];
        let parts = self.key_parts(&facts.environment, Vec::new(), images);
        (facts, parts)
    }
}
