//! From a profile to what a child can run: every input is checked, then every file is put in its
//! place. Checking writes nothing, so that bad input and a cached answer leave no trace.

mod error;
mod inputs;
mod kind;
mod words;

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::TempDir;

pub use error::InputError;

pub use self::inputs::Fed;
use self::words::in_words;
use super::assemble::ModelFacts;
use super::cache::{Cache, Kind, ModelKey, sha256_of, sha256_of_text, write_atomically};
use super::images::{self, Candidate};
use super::protocol::{Content, Fit, ImageContent, InputJob, ModelJob, Scaling};
use crate::footprint::ImageRecord;
use crate::footprint::Load;
use crate::footprint::checked::made_one_line;
use crate::profile::{Inputs, Model, ModelSource, Profile, RequestImage};
use crate::reference::{
    Architecture, ElementType, ExternalFile, LoadEstimate, ModelInfo, Reference, inspect,
};
use crate::units::{Bytes, Megapixels, Source, Span};

/// A service whose inputs were checked.
#[derive(Debug)]
pub struct Checked {
    models: Vec<CheckedModel>,
    images: Images,
    /// Longest edge of the heatmap.
    pub heatmap_edge: u32,
}

/// The images of the requests.
#[derive(Debug)]
enum Images {
    /// One that is generated.
    Generated(Megapixels),
    /// Files, the largest first.
    Found(Vec<Candidate>),
}

#[derive(Debug)]
struct CheckedModel {
    source: ModelSource,
    facts: ModelFacts,
    fed: Fed,
    is_ort_format: bool,
    load: LoadEstimate,
}

/// Files in their places, for as long as this lives.
#[derive(Debug)]
pub struct Placed {
    /// The models, in order.
    pub models: Vec<ModelJob>,
    /// The images, largest first.
    pub images: Vec<PathBuf>,
    /// What the record says of the image, where a model takes one.
    pub image: Option<ImageRecord>,
    /// Where files went if the cache could not take them.
    temporary: Option<TempDir>,
}

impl Placed {
    /// Whether files were put beside the cache, for this run only.
    pub fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }
}

/// Checks all inputs of a profile.
///
/// # Errors
/// [`InputError`] says what is wrong with which file.
pub fn check(cache: &Cache, profile: &Profile) -> Result<Checked, InputError> {
    let models = profile
        .models
        .as_slice()
        .iter()
        .map(|m| check_model(cache, m, profile.request.batch.get()))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Checked {
        models,
        images: images_of(profile.request.image.as_ref())?,
        heatmap_edge: profile.request.heatmap_edge.pixels(),
    })
}

/// Where users may send several sizes, a box must hold the largest.
fn images_of(image: Option<&RequestImage>) -> Result<Images, InputError> {
    Ok(match image {
        None => Images::Generated(Megapixels::TWO),
        Some(RequestImage::Generated(size)) => Images::Generated(*size),
        Some(RequestImage::Files(path)) => Images::Found(images::find(path)?),
        Some(RequestImage::OneOf(sizes)) => {
            Images::Generated(sizes.iter().copied().max().unwrap_or(Megapixels::TWO))
        }
    })
}

/// What a model is fed with where nothing is given.
///
/// # Errors
/// Where something has to be.
pub fn fed_by_default(path: &Path, info: &ModelInfo) -> Result<Fed, InputError> {
    inputs::settle(path, info, &Inputs::default(), 1)
}

fn check_model(cache: &Cache, model: &Model, batch: u32) -> Result<CheckedModel, InputError> {
    let name = model.name.clone();
    match &model.source {
        ModelSource::Reference(_) if batch > 1 => Err(InputError::ReferenceBatch { model: name }),
        ModelSource::Reference(reference) => Ok(CheckedModel {
            source: model.source.clone(),
            facts: ModelFacts {
                name,
                synthetic: true,
                lazy: model.load == Load::Lazy,
                from_bytes: model.from_bytes,
                file_bytes: Bytes::new(reference.file_bytes()),
                weight_bytes: Bytes::new(reference.parameters() * 4),
                sha256: reference.file_name(),
                inputs: vec!["the image".to_owned()],
                step: None,
            },
            fed: fed_reference(reference),
            is_ort_format: false,
            load: LoadEstimate {
                resident: Span::exact(Bytes::new(reference.file_bytes()), Source::Assumed),
                peak: Span::exact(Bytes::new(2 * reference.file_bytes()), Source::Assumed),
            },
        }),
        ModelSource::File(path) => {
            let info = inspect(path)?;
            let fed = inputs::settle(path, &info, &model.inputs, batch)?;
            let unreadable = |reason| InputError::Unreadable { path: path.clone(), reason };
            Ok(CheckedModel {
                source: model.source.clone(),
                facts: ModelFacts {
                    name,
                    synthetic: false,
                    lazy: model.load == Load::Lazy,
                    from_bytes: model.from_bytes,
                    file_bytes: Bytes::new(path.metadata().map_err(unreadable)?.len()),
                    weight_bytes: Bytes::new(info.weight_bytes),
                    sha256: sha256_of_all(cache, path, &info.external_files)?,
                    inputs: in_words(cache, &fed.inputs)?,
                    step: info.step().map(str::to_owned),
                },
                fed,
                is_ort_format: info.is_ort_format,
                load: info.load_estimate(),
            })
        }
    }
}

/// What identifies a model: its file, and the files beside it that hold its weights.
fn sha256_of_all(
    cache: &Cache,
    path: &Path,
    beside: &[ExternalFile],
) -> Result<String, InputError> {
    let hash = |path: &Path| {
        sha256_of(cache, path)
            .map_err(|reason| InputError::Unreadable { path: path.to_owned(), reason })
    };
    let own = hash(path)?;
    if beside.is_empty() {
        return Ok(own);
    }
    let hashes: Result<Vec<_>, _> = beside.iter().map(|file| hash(&file.path)).collect();
    Ok(sha256_of_text(&format!("{own} {}", hashes?.join(" "))))
}

/// A reference model takes one image.
fn fed_reference(reference: &Reference) -> Fed {
    let edge = reference.input_size() as usize;
    let (scaling, fit) = match reference.architecture() {
        Architecture::ResNet18 | Architecture::ResNet50 => (Scaling::ImageNet, Fit::Stretch),
        Architecture::YoloV8SSeg | Architecture::YoloV8MSeg => (Scaling::Unit, Fit::Letterbox),
    };
    let content = ImageContent { channels_last: false, scaling, fit };
    let input = InputJob {
        name: reference.input_name().to_owned(),
        element: ElementType::Float32,
        shape: vec![1, 3, edge, edge],
        content: Content::Image(content),
    };
    Fed { inputs: vec![input], assumed: Vec::new(), assumed_values: Vec::new() }
}

impl Checked {
    /// What identifies the models.
    pub fn model_keys(&self) -> Vec<ModelKey> {
        self.models
            .iter()
            .map(|m| ModelKey {
                content: m.facts.sha256.clone(),
                inputs: m.fed.inputs.clone(),
                fed: m.facts.inputs.clone(),
                lazy: m.facts.lazy,
                from_bytes: m.facts.from_bytes,
            })
            .collect()
    }

    /// The request's image, where a model takes one; of one that is generated, the encoded size is
    /// not known before it is there, and 0.
    pub fn image(&self) -> Option<ImageRecord> {
        let record = match &self.images {
            Images::Found(found) => record_of(found),
            Images::Generated(size) => {
                recorded(GENERATED.to_owned(), Bytes::ZERO, size.dimensions())
            }
        };
        self.takes_an_image().then(|| self.with_heatmaps(record))
    }

    fn with_heatmaps(&self, image: ImageRecord) -> ImageRecord {
        ImageRecord { heatmap_edge: Some(self.heatmap_edge), ..image }
    }

    /// Whether any model is fed with the request's image.
    pub fn takes_an_image(&self) -> bool {
        let mut inputs = self.models.iter().flat_map(|m| &m.fed.inputs);
        inputs.any(|i| matches!(i.content, Content::Image(_)))
    }

    /// The most that loading takes, as far as the files show it: the models are loaded one after
    /// the other. An estimate.
    pub fn load_estimate(&self) -> Bytes {
        let (mut before, mut most) = (Bytes::ZERO, Bytes::ZERO);
        for model in &self.models {
            most = most.max(before + model.load.peak.typical());
            before += model.load.resident.typical();
        }
        most
    }

    /// Dimensions that nobody gave, in words, a model at a time.
    pub fn assumed(&self) -> Vec<String> {
        self.models.iter().flat_map(|m| m.fed.assumed.iter().cloned()).collect()
    }

    /// Numbers that inputs are fed with and nobody gave, in words, a model at a time.
    pub fn assumed_values(&self) -> Vec<String> {
        self.models.iter().flat_map(|m| m.fed.assumed_values.iter().cloned()).collect()
    }

    /// What identifies the images.
    ///
    /// # Errors
    /// Where one cannot be read.
    pub fn image_keys(&self, cache: &Cache) -> Result<Vec<String>, InputError> {
        if !self.takes_an_image() {
            return Ok(Vec::new());
        }
        let found = match &self.images {
            Images::Generated(size) => return Ok(vec![images::generated_name(*size)]),
            Images::Found(found) => found,
        };
        found
            .iter()
            .map(|c| {
                sha256_of(cache, &c.path)
                    .map_err(|reason| InputError::Unreadable { path: c.path.clone(), reason })
            })
            .collect()
    }

    /// What is known of the models.
    pub fn facts(&self) -> Vec<ModelFacts> {
        self.models.iter().map(|m| m.facts.clone()).collect()
    }

    /// Files that would have to be written first, with their sizes.
    pub fn to_be_written(&self, cache: &Cache) -> Vec<(PathBuf, Bytes)> {
        let references = self.models.iter().filter_map(|m| match &m.source {
            ModelSource::Reference(r) => {
                let path = cache.folder(Kind::Models).join(r.file_name());
                Some((path, Bytes::new(r.file_bytes())))
            }
            ModelSource::File(_) => None,
        });
        let mut files: Vec<_> = references.filter(|(path, _)| !path.exists()).collect();
        files.dedup();
        files
    }

    /// Puts every file in its place: in the cache, or where that cannot be written, in a temporary
    /// folder for this run.
    ///
    /// # Errors
    /// Where nothing can be placed at all.
    pub fn place(&self, cache: &Cache, tell: &dyn Fn(&str)) -> anyhow::Result<Placed> {
        let mut place = Placing { cache, temporary: None };
        let mut models = Vec::new();
        for model in &self.models {
            let path = match &model.source {
                ModelSource::File(path) => path.clone(),
                ModelSource::Reference(reference) => place.reference(reference, tell)?,
            };
            let inputs = model.fed.inputs.clone();
            let name = model.facts.name.clone();
            models.push(ModelJob {
                name,
                path,
                is_ort_format: model.is_ort_format,
                inputs,
                lazy: model.facts.lazy,
                from_bytes: model.facts.from_bytes,
            });
        }
        let (paths, image) = match &self.images {
            _ if !self.takes_an_image() => (Vec::new(), None),
            Images::Found(found) => {
                (found.iter().map(|c| c.path.clone()).collect(), Some(record_of(found)))
            }
            Images::Generated(size) => {
                let (paths, image) = place.generated_image(*size, tell)?;
                (paths, Some(image))
            }
        };
        let image = image.map(|image| self.with_heatmaps(image));
        Ok(Placed { models, images: paths, image, temporary: place.temporary })
    }
}

/// Where an image comes from that nobody gave.
const GENERATED: &str = "generated";

fn record_of(found: &[Candidate]) -> ImageRecord {
    let first = found.first();
    let name = first
        .and_then(|c| c.path.file_name())
        .map(|n| made_one_line(&n.to_string_lossy()))
        .unwrap_or_default();
    let others = found.len().saturating_sub(1);
    recorded(
        if others > 0 { format!("{name}, the largest of {}", others + 1) } else { name },
        found.iter().map(|c| c.encoded).max().unwrap_or_default(),
        first.map_or((0, 0), |c| (c.width, c.height)),
    )
}

fn recorded(origin: String, encoded_bytes: Bytes, (width, height): (u32, u32)) -> ImageRecord {
    ImageRecord { origin, encoded_bytes, width, height, heatmap_edge: None }
}

struct Placing<'a> {
    cache: &'a Cache,
    temporary: Option<TempDir>,
}

impl Placing<'_> {
    fn reference(&mut self, reference: &Reference, tell: &dyn Fn(&str)) -> anyhow::Result<PathBuf> {
        let size = Bytes::new(reference.file_bytes());
        self.file(Kind::Models, &reference.file_name(), size, &mut |mut out| {
            tell(&format!("writing {} ({size})", reference.file_name()));
            reference.write_to(&mut out)
        })
    }

    fn generated_image(
        &mut self,
        size: Megapixels,
        tell: &dyn Fn(&str),
    ) -> anyhow::Result<(Vec<PathBuf>, ImageRecord)> {
        let name = format!("{}.jpg", images::generated_name(size));
        let kept = self.cache.folder(Kind::Images).join(&name);
        let path = if kept.is_file() {
            kept
        } else {
            tell(&format!("generating the request image, {size}"));
            let jpeg = images::generate(size).context("cannot generate the request image")?;
            let encoded = Bytes::new(jpeg.len() as u64);
            self.file(Kind::Images, &name, encoded, &mut |out| out.write_all(&jpeg))?
        };
        let encoded = Bytes::new(path.metadata()?.len());
        let image = recorded(GENERATED.to_owned(), encoded, size.dimensions());
        Ok((vec![path], image))
    }

    /// A file of the cache, written if it is not there with the right size.
    fn file(
        &mut self,
        kind: Kind,
        name: &str,
        size: Bytes,
        fill: &mut dyn FnMut(&mut dyn io::Write) -> io::Result<()>,
    ) -> anyhow::Result<PathBuf> {
        let kept = self.cache.folder(kind).join(name);
        if kept.metadata().is_ok_and(|m| m.len() == size.get()) {
            return Ok(kept);
        }
        let in_cache = self.cache.write(&kept, |out| fill(out));
        let Err(reason) = in_cache else { return Ok(kept) };
        let folder = match &self.temporary {
            Some(folder) => folder.path(),
            None => self.temporary.insert(TempDir::with_prefix("mediscope-size-")?).path(),
        };
        let beside = folder.join(name);
        write_atomically(&beside, |out| fill(out)).with_context(|| {
            format!(
                "cannot place {name} ({size}): neither in {} ({reason}) nor in {}; \
                 free some space or name another folder with --cache-dir",
                kept.display(),
                folder.display()
            )
        })?;
        Ok(beside)
    }
}
