//! One request, stage by stage, on real bytes: what an image-classification service does between
//! the socket and the answer.
//!
//! A request holds what a handler holds: the body and the decoded image until it is answered, the
//! tensor while models run, the outputs and heatmaps until they are encoded.

mod fill;
mod findings;
mod heatmap;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, anyhow};
use image::RgbImage;

use self::fill::Carried;
use self::findings::Finding;
use super::crest::Crest;
use super::protocol::{Content, InputJob, KindJob};
use super::service::Crests;
use super::sessions::Sessions;
use super::tensor::Tensor;
use super::{hold, images, npy};
use crate::files;

/// A step of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The body arrives in a buffer of its own.
    Receive,
    /// Encoded bytes to pixels.
    Decode,
    /// What was carried to tensors of the types and shapes that the models take.
    Preprocess,
    /// The model of this number runs.
    Infer(usize),
    /// The best boxes of what was found.
    Boxes,
    /// Their outlines, in the size of the image.
    Masks,
    /// Class activation maps over the image, as PNG.
    Heatmap,
    /// The answer as JSON, with images in base64.
    Respond,
}

/// One model, opened, and where it stands in the request.
#[derive(Debug)]
pub struct Model {
    /// The profile's name for it.
    pub name: String,
    /// Open, each lent as the topology says.
    pub session: Sessions,
    /// What it is fed with, in the order in which the session takes it.
    pub inputs: Vec<InputJob>,
    /// Names of its outputs, in order.
    pub outputs: Vec<String>,
    /// The file, where the session was made of a copy in memory: services keep that.
    #[expect(dead_code, reason = "it takes memory, as in a service")]
    pub bytes: Option<Vec<u8>>,
}

/// The service: what all requests share.
#[derive(Debug)]
pub struct Pipeline {
    /// In the order in which they run; `None` until one is loaded.
    pub models: Vec<Option<Arc<Model>>>,
    /// The kinds of requests, the most frequent first.
    pub kinds: Vec<KindJob>,
    /// Encoded images, largest first, that requests carry in turn.
    pub images: Vec<PathBuf>,
    /// Longest edge of the answered heatmap.
    pub heatmap_edge: u32,
    /// Requests whose values were made up so far.
    pub served: AtomicU64,
}

/// What one request holds.
#[derive(Debug, Default)]
pub struct Request<'a> {
    /// Which kind of request it is.
    kind: usize,
    /// Where in each stage it is stopped until all of the wave are there, if it is.
    held_at: Option<&'a Crests>,
    body: Vec<u8>,
    files: Vec<(&'a Path, Vec<u8>)>,
    image: Option<RgbImage>,
    tensors: Vec<(&'a InputJob, Tensor)>,
    findings: Vec<Finding>,
    answer: String,
}

impl<'a> Request<'a> {
    /// A request that has not arrived yet.
    pub fn of_kind(kind: usize) -> Self {
        Self { kind, ..Self::default() }
    }

    /// The same, stopped where each stage holds the most until all of the wave are there: see
    /// [`hold`].
    pub fn held_at(self, crests: &'a Crests) -> Self {
        Self { held_at: Some(crests), ..self }
    }

    fn crest(&self, stage: Stage) -> Option<Crest> {
        self.held_at?.of(self.kind, stage)
    }
}

impl Pipeline {
    /// The stages of all kinds of requests, in order; a request passes over those of models that
    /// its kind does not run.
    pub fn stages(&self) -> Vec<Stage> {
        let mut stages = Vec::new();
        if self.takes_an_image() || self.takes_files() {
            stages.push(Stage::Receive);
        }
        if self.takes_an_image() {
            stages.push(Stage::Decode);
        }
        stages.push(Stage::Preprocess);
        stages.extend(self.loaded().map(|(place, _)| Stage::Infer(place)));
        if self.takes_an_image() && self.loaded().any(|(_, m)| m.has_segments()) {
            stages.extend([Stage::Boxes, Stage::Masks]);
        }
        if self.takes_an_image() && self.loaded().any(|(_, m)| m.has_map()) {
            stages.push(Stage::Heatmap);
        }
        stages.push(Stage::Respond);
        stages
    }

    /// The stages that a kind of request goes through.
    pub fn stages_of(&self, kind: usize) -> Vec<Stage> {
        let any = |is: fn(&Model) -> bool| {
            self.loaded().any(|(place, model)| self.runs(kind, place) && is(model))
        };
        let passes = |stage: &Stage| match stage {
            Stage::Infer(place) => self.runs(kind, *place),
            Stage::Boxes | Stage::Masks => any(Model::has_segments),
            Stage::Heatmap => any(Model::has_map),
            _ => true,
        };
        self.stages().into_iter().filter(passes).collect()
    }

    /// The model at this place, if it is loaded.
    fn model(&self, place: usize) -> Option<&Model> {
        self.models.get(place)?.as_deref()
    }

    fn loaded(&self) -> impl Iterator<Item = (usize, &Model)> {
        self.models.iter().enumerate().filter_map(|(i, model)| Some((i, model.as_deref()?)))
    }

    /// The kinds whose models are all loaded.
    pub fn served_kinds(&self) -> Vec<usize> {
        let loaded = |kind: &KindJob| kind.models.iter().all(|&m| self.model(m).is_some());
        (0..self.kinds.len()).filter(|&k| loaded(&self.kinds[k])).collect()
    }

    /// The name under which a stage is reported.
    pub fn stage_name(&self, stage: Stage) -> String {
        match stage {
            Stage::Receive => "receive".into(),
            Stage::Decode => "decode".into(),
            Stage::Preprocess => "preprocess".into(),
            Stage::Infer(i) => match self.model(i) {
                Some(model) => format!("infer {}", model.name),
                None => format!("infer {i}"),
            },
            Stage::Boxes => "boxes".into(),
            Stage::Masks => "masks".into(),
            Stage::Heatmap => "heatmap".into(),
            Stage::Respond => "respond".into(),
        }
    }

    /// Takes `request`, the one of number `index` in its wave, through one stage.
    ///
    /// # Errors
    /// Where the image cannot be read or ONNX Runtime fails.
    pub fn step<'a>(
        &'a self,
        stage: Stage,
        index: usize,
        request: &mut Request<'a>,
    ) -> anyhow::Result<()> {
        match request.crest(stage).filter(|_| !matches!(stage, Stage::Infer(_))) {
            Some(crest) => hold::inside(crest.at, || self.work(stage, index, request)),
            None => self.work(stage, index, request),
        }
    }

    fn work<'a>(
        &'a self,
        stage: Stage,
        index: usize,
        request: &mut Request<'a>,
    ) -> anyhow::Result<()> {
        match stage {
            Stage::Receive => self.receive(index, request),
            Stage::Decode => {
                request.image = Some(images::decode(&request.body)?);
                Ok(())
            }
            Stage::Preprocess => self.preprocess(request),
            Stage::Infer(i) if self.runs(request.kind, i) => self.infer(i, request),
            Stage::Infer(_) => Ok(()),
            Stage::Boxes => {
                Self::boxes(request);
                Ok(())
            }
            Stage::Masks => self.masks(request),
            Stage::Heatmap => self.heatmap(request),
            Stage::Respond => self.respond(request),
        }
    }

    /// Serves one whole request and returns the length of its answer.
    ///
    /// # Errors
    /// As [`Pipeline::step`].
    pub fn serve(&self, index: usize, kind: usize) -> anyhow::Result<usize> {
        let mut request = Request::of_kind(kind);
        for stage in self.stages() {
            self.step(stage, index, &mut request)?;
        }
        Ok(request.answer.len())
    }

    /// Whether requests of a kind run the model at this place.
    pub fn runs(&self, kind: usize, model: usize) -> bool {
        self.kinds.get(kind).is_some_and(|kind| kind.models.contains(&model))
    }

    /// The inputs of the models that a kind of request runs.
    fn inputs(&self, kind: usize) -> impl Iterator<Item = &InputJob> {
        let models = self.loaded().filter(move |(i, _)| self.runs(kind, *i));
        models.flat_map(|(_, m)| &m.inputs)
    }

    fn takes_an_image(&self) -> bool {
        let mut inputs = self.loaded().flat_map(|(_, m)| &m.inputs);
        inputs.any(|i| matches!(i.content, Content::Image(_)))
    }

    fn takes_files(&self) -> bool {
        let mut inputs = self.loaded().flat_map(|(_, m)| &m.inputs);
        inputs.any(|i| matches!(i.content, Content::File(_)))
    }

    /// The body comes from files and not from a socket: fresh buffers of the same sizes, and the
    /// files' pages belong to the kernel's cache, not to this process.
    fn receive<'a>(&'a self, index: usize, request: &mut Request<'a>) -> anyhow::Result<()> {
        let read = |path: &Path, most| {
            files::read(path, most).with_context(|| format!("cannot read {}", path.display()))
        };
        if self.takes_an_image() {
            let image = &self.images[index % self.images.len()];
            request.body = read(image, images::MOST_BYTES)?;
        }
        for input in self.inputs(request.kind) {
            if let Content::File(path) = &input.content
                && !request.files.iter().any(|(p, _)| p == path)
            {
                request.files.push((path, read(path, npy::MOST_BYTES)?));
            }
        }
        Ok(())
    }

    /// Inputs that take the same thing in the same way share a tensor.
    fn preprocess<'a>(&'a self, request: &mut Request<'a>) -> anyhow::Result<()> {
        let seed = self.served.fetch_add(1, Ordering::Relaxed);
        for input in self.inputs(request.kind) {
            if !request.tensors.iter().any(|(made, _)| made.takes_the_same(input)) {
                let carried =
                    Carried { image: request.image.as_ref(), files: &request.files, seed };
                request.tensors.push((input, fill::tensor(input, carried)?));
            }
        }
        Ok(())
    }

    fn infer(&self, index: usize, request: &mut Request<'_>) -> anyhow::Result<()> {
        let model = self.model(index).context("the model is not loaded")?;
        let tensors = model
            .inputs
            .iter()
            .map(|input| {
                let mut made = request.tensors.iter();
                let found = made.find(|(made, _)| made.takes_the_same(input));
                found.map(|(_, tensor)| tensor).context("no tensor was prepared")
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        let session = model.session.enter();
        let run = || session.run(&tensors);
        let values = if request.held_at.is_some() {
            // The first run of a service that is not warm is stopped as it begins.
            let at = request.crest(Stage::Infer(index)).map_or(Duration::ZERO, |crest| crest.at);
            hold::inside(at, run)
        } else {
            run()
        };
        let values =
            values.map_err(|e| anyhow!("the model {} failed: {}", model.name, e.message()))?;
        request.findings.push(Finding::new(index, model, &values));
        if self.kinds.get(request.kind).and_then(|kind| kind.models.last()) == Some(&index) {
            request.tensors = Vec::new();
        }
        Ok(())
    }
}
