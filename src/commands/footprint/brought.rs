//! The footprint that a profile brings along: whether it answers what is asked, and whether it was
//! measured of what is there now.

use anyhow::Context;

use super::{Request, runtime};
use crate::footprint::{Footprint, ImageRecord, MixRecord, ModelRecord};
use crate::measure::assemble::ModelFacts;
use crate::measure::interrupt::Interrupt;
use crate::measure::prepare::{InputError, check};
use crate::measure::runtime::Surroundings;
use crate::profile::Kind;
use crate::units::{Bytes, Share};

/// What a profile brings along.
#[derive(Debug, Default)]
pub struct Brought<'a> {
    /// It, where it is taken.
    pub footprint: Option<&'a Footprint>,
    /// What must be said of it.
    pub said: Option<String>,
}

impl Request<'_> {
    /// The same request, for which only what is there now counts: a footprint of anything else is
    /// measured anew.
    #[must_use]
    pub const fn of_what_is_there(mut self) -> Self {
        self.of_what_is_there = true;
        self
    }

    /// The files of the models and their sizes, which are known without a measurement; none where
    /// one of them cannot be used.
    pub fn files(&self) -> Vec<(String, Bytes)> {
        let facts = match &self.args.synthetic {
            Some(text) => self.planted(text).0.models,
            None => check(&self.cache, &self.profile).map(|c| c.facts()).unwrap_or_default(),
        };
        facts.into_iter().map(|fact| (fact.name, fact.file_bytes)).collect()
    }

    /// What the profile brings along. Reads the models' files, to know whether they are the same.
    ///
    /// # Errors
    /// Where only what is there counts, and that cannot be told.
    pub(super) fn brought(&self, interrupt: &Interrupt) -> anyhow::Result<Brought<'_>> {
        let Some(footprint) = self.answering() else { return Ok(Brought::default()) };
        if self.profile.live.is_some() {
            return Ok(Brought { footprint: Some(footprint), said: None });
        }
        Ok(match self.changed_since(footprint) {
            Ok(None) => Brought {
                footprint: Some(footprint),
                said: self.of_another_library(footprint, interrupt),
            },
            Ok(Some(what)) if self.of_what_is_there => Brought {
                footprint: None,
                said: Some(format!(
                    "The footprint in the profile `{}` is not of what is there now, so that is measured: {what}.",
                    self.profile.name
                )),
            },
            Ok(Some(what)) => Brought {
                footprint: Some(footprint),
                said: Some(format!(
                    "the footprint in the profile is not of what is there now: {what}; --remeasure measures that"
                )),
            },
            Err(error) if self.of_what_is_there => {
                return Err(error).context(format!(
                    "whether the footprint in the profile `{}` is of what is there now cannot be told: \
                     put the file where the profile says, or correct its path there",
                    self.profile.name
                ));
            }
            Err(error) => Brought {
                footprint: Some(footprint),
                said: Some(format!(
                    "whether the footprint in the profile is of the models that are there cannot be told \
                     ({error}): it is taken as it is"
                )),
            },
        })
    }

    /// Where only what is there counts: that this machine has another ONNX Runtime than was measured
    /// with. Which one the service will have is for the reader to know, so nothing is measured anew.
    fn of_another_library(&self, footprint: &Footprint, interrupt: &Interrupt) -> Option<String> {
        if !self.of_what_is_there || footprint.environment.is_planted() {
            return None;
        }
        let surroundings = Surroundings::of_process(self.cache.root());
        let here = runtime::find(&surroundings, self.printer, interrupt)?.version;
        let then = &footprint.environment.onnxruntime;
        (*then != here).then(|| {
            format!(
                "The footprint in the profile `{}` was measured with ONNX Runtime {then}, and {here} is \
                 here: --remeasure measures with that.",
                self.profile.name
            )
        })
    }

    /// The footprint of the profile, where it answers what is asked.
    fn answering(&self) -> Option<&Footprint> {
        let args = self.args;
        if args.remeasure || args.image.is_some() || args.batch.is_some() {
            return None;
        }
        // What this machine would add to a footprint of another one could not be compared with it.
        if self.profile.live.is_some() {
            return self.profile.footprint.as_ref();
        }
        self.profile.footprint.as_ref().filter(|footprint| {
            footprint.topology == self.profile.topology
                && (args.settings.is_empty()
                    || footprint.environment.settings == self.profile.settings)
                && (self.families.is_empty() || !footprint.runs.is_empty())
        })
    }

    /// In what the service is another one than was measured, in words; the first thing that is.
    fn changed_since(&self, footprint: &Footprint) -> Result<Option<String>, InputError> {
        let (then, now) = (&footprint.environment.settings, &self.profile.settings);
        if then != now {
            let told = now.beside(then).map(|c| c.to_string()).collect::<Vec<_>>().join(", ");
            return Ok(Some(format!("its settings are others ({told})")));
        }
        if footprint.environment.is_planted() {
            let (facts, _) = self.planted(self.args.synthetic.as_deref().unwrap_or_default());
            let mut facts = facts.models;
            if self.args.synthetic.is_none()
                && let (Some(fact), Some(record)) = (facts.first_mut(), footprint.models.first())
            {
                fact.sha256.clone_from(&record.sha256);
            }
            return Ok(of_models(&footprint.models, &facts));
        }
        if self.args.synthetic.is_some() {
            return Ok(None);
        }
        let checked = check(&self.cache, &self.profile)?;
        Ok(of_models(&footprint.models, &checked.facts())
            .or_else(|| of_kinds(footprint.mix.as_ref(), self.profile.models.kinds()))
            .or_else(|| of_image(footprint.image.as_ref(), checked.image().as_ref())))
    }
}

/// Which requests there are, and how many of each.
fn of_kinds(then: Option<&MixRecord>, now: &[Kind]) -> Option<String> {
    if then.is_none() && now.len() < 2 {
        return None;
    }
    let one = |name: &str, share: Share| format!("{name} {share}");
    let then = then.map_or(vec!["all alike".to_owned()], |mix| {
        let others = mix.others.iter().map(|kind| one(&kind.name, kind.share));
        [one(&mix.first, mix.first_share)].into_iter().chain(others).collect()
    });
    let now: Vec<String> = now.iter().map(|kind| one(&kind.name, kind.share)).collect();
    let (then, now) = (then.join(", "), now.join(", "));
    (then != now).then(|| format!("its requests are {now}, and were {then}"))
}

fn of_models(then: &[ModelRecord], now: &[ModelFacts]) -> Option<String> {
    if let Some(gone) = then.iter().find(|m| now.iter().all(|fact| fact.name != m.name)) {
        return Some(format!("the model `{}` is not part of it any more", gone.name));
    }
    now.iter().find_map(|fact| {
        let name = &fact.name;
        let Some(record) = then.iter().find(|m| m.name == *name) else {
            return Some(format!("the model `{name}` is new"));
        };
        if record.sha256 != fact.sha256 {
            return Some(format!("the model `{name}` has changed"));
        }
        // A record that does not say is of an older one of these tools, or of planted costs.
        let is_fed_alike = record.inputs.is_empty() || record.inputs == fact.inputs;
        match () {
            () if !is_fed_alike => Some(format!(
                "the model `{name}` is fed with {}, and was with {}",
                fact.inputs.join(", "),
                record.inputs.join(", ")
            )),
            () if record.lazy != fact.lazy => {
                Some(format!("the model `{name}` is loaded at another time"))
            }
            () if record.from_bytes != fact.from_bytes => {
                Some(format!("the model `{name}` is loaded in another way"))
            }
            () => None,
        }
    })
}

fn of_image(then: Option<&ImageRecord>, now: Option<&ImageRecord>) -> Option<String> {
    let (then, now) = (then?, now?);
    if let (Some(before), Some(after)) = (then.heatmap_edge, now.heatmap_edge)
        && before != after
    {
        return Some(format!("heatmaps are {after} pixels across, and were {before}"));
    }
    let is_same = then.origin == now.origin
        && (then.width, then.height) == (now.width, now.height)
        // How large a generated one becomes is known when it is there.
        && (then.encoded_bytes == now.encoded_bytes || now.encoded_bytes.get() == 0);
    (!is_same).then(|| format!("requests carry another image ({now}, and was {then})"))
}
