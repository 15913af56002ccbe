//! `--synthetic`: what is known of a machine and a model that are not there.

use super::{Obtained, Request};
use crate::commands::synthetic;
use crate::footprint::{Count, Environment, ImageRecord};
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
        let job = synthetic::parse(text)?;
        let environment = Environment {
            cpu_model: "planted".into(),
            cores: u32::from(CORES),
            kernel: "none".into(),
            onnxruntime: "none".into(),
            tool: KeyParts::tool_version(),
            settings: self.profile.settings.clone(),
            default_threads: match self.profile.settings.threads {
                Count::Default => Some(CORES),
                Count::Given(_) => None,
            },
        };
        let image = ImageRecord {
            origin: "planted".into(),
            encoded_bytes: Bytes::new(500_000),
            width: 1632,
            height: 1224,
        };
        let model = ModelFacts {
            name: "planted".into(),
            synthetic: true,
            lazy: false,
            file_bytes: job.base,
            weight_bytes: job.base,
            sha256: text.to_owned(),
        };
        let topology = self.profile.topology;
        let facts = Facts {
            topology,
            environment,
            image: Some(image),
            models: vec![model],
            kinds: self.kinds(),
            assumed: Vec::new(),
        };
        let parts = self.key_parts(&facts.environment, "planted", Vec::new(), vec![text.into()]);
        let key = parts.key()?;
        match self.kept(&key) {
            Some(obtained) => {
                self.compared(obtained, || Ok(Job::Synthetic(job)), &key, parts, interrupt)
            }
            None => self.measure(Job::Synthetic(job), &facts, &key, parts, interrupt),
        }
    }
}
