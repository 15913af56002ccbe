//! From a profile to what a child can run: every input is checked, then every file is put in its
//! place. Checking writes nothing, so that bad input and a cached answer leave no trace.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::TempDir;

use super::assemble::ModelFacts;
use super::cache::{Cache, Kind, ModelKey, sha256_of, write_atomically};
use super::images::{self, Candidate, ImageError};
use super::protocol::ModelJob;
use crate::footprint::ImageRecord;
use crate::footprint::checked::made_one_line;
use crate::profile::{Model, ModelSource, Profile, Shape};
use crate::reference::{Dim, ElementType, InspectError, Reference, inspect};
use crate::units::Bytes;

/// Why a service cannot be measured.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The model's file.
    #[error(transparent)]
    Model(#[from] InspectError),
    /// An image.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// A file cannot be hashed.
    #[error("cannot read {path}: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// The model is not an image classifier.
    #[error(
        "{path}: {what}; this version sizes models that take one image as float32, \
         batch × 3 × height × width"
    )]
    NotAnImageModel {
        /// The model.
        path: PathBuf,
        /// What it takes instead.
        what: String,
    },
    /// A dimension is open.
    #[error(
        "{path}: the input `{input}` has the shape {declared} and leaves it open; \
         give one, as in --shape 1x3x224x224, or `shape:` in a profile"
    )]
    OpenShape {
        /// The model.
        path: PathBuf,
        /// The input.
        input: String,
        /// As the model declares it.
        declared: String,
    },
    /// The shape that was given is not the model's.
    #[error(
        "{path}: the shape {given} contradicts the model, whose input `{input}` is {declared}; \
         leave it out, or give one that matches"
    )]
    ShapeContradicts {
        /// The model.
        path: PathBuf,
        /// The input.
        input: String,
        /// As the model declares it.
        declared: String,
        /// As the user gave it.
        given: String,
    },
}

/// A service whose inputs were checked.
#[derive(Debug)]
pub struct Checked {
    models: Vec<CheckedModel>,
    images: Option<Vec<Candidate>>,
    /// Longest edge of the heatmap.
    pub heatmap_edge: u32,
}

#[derive(Debug)]
struct CheckedModel {
    source: ModelSource,
    facts: ModelFacts,
    shape: [usize; 4],
}

/// Files in their places, for as long as this lives.
#[derive(Debug)]
pub struct Placed {
    /// The models, in order.
    pub models: Vec<ModelJob>,
    /// The images, largest first.
    pub images: Vec<PathBuf>,
    /// What the record says of the image.
    pub image: ImageRecord,
    /// Where files went if the cache could not take them.
    temporary: Option<TempDir>,
}

impl Placed {
    /// Whether files were put beside the cache, for this run only.
    pub fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }
}

/// Checks all inputs of a profile. `image` overrides the profile's.
///
/// # Errors
/// [`InputError`] says what is wrong with which file.
pub fn check(
    cache: &Cache,
    profile: &Profile,
    image: Option<&Path>,
) -> Result<Checked, InputError> {
    let models = profile
        .models
        .as_slice()
        .iter()
        .map(|m| check_model(cache, m))
        .collect::<Result<Vec<_>, _>>()?;
    let image = image.or(profile.request.image.as_deref());
    Ok(Checked {
        models,
        images: image.map(images::find).transpose()?,
        heatmap_edge: profile.request.heatmap_edge.pixels(),
    })
}

fn check_model(cache: &Cache, model: &Model) -> Result<CheckedModel, InputError> {
    let name = model.name.clone();
    match &model.source {
        ModelSource::Reference(reference) => {
            let edge = reference.input_size() as usize;
            Ok(CheckedModel {
                source: model.source.clone(),
                facts: ModelFacts {
                    name,
                    synthetic: true,
                    file_bytes: Bytes::new(reference.file_bytes()),
                    weight_bytes: Bytes::new(reference.parameters() * 4),
                    sha256: reference.file_name(),
                },
                shape: [1, 3, edge, edge],
            })
        }
        ModelSource::File(path) => {
            let info = inspect(path)?;
            let given = model.shape.as_ref().map(Shape::dims);
            let shape = input_shape(path, &info, given)?;
            let unreadable = |reason| InputError::Unreadable { path: path.clone(), reason };
            Ok(CheckedModel {
                source: model.source.clone(),
                facts: ModelFacts {
                    name,
                    synthetic: false,
                    file_bytes: Bytes::new(path.metadata().map_err(unreadable)?.len()),
                    weight_bytes: Bytes::new(info.weight_bytes),
                    sha256: sha256_of(cache, path).map_err(unreadable)?,
                },
                shape,
            })
        }
    }
}

/// The shape of the one input, from the model and from the user, if they agree.
fn input_shape(
    path: &Path,
    info: &crate::reference::ModelInfo,
    given: Option<&[usize]>,
) -> Result<[usize; 4], InputError> {
    let not_an_image = |what: String| InputError::NotAnImageModel { path: path.to_owned(), what };
    let [input] = info.inputs.as_slice() else {
        return Err(not_an_image(format!("it has {} inputs", info.inputs.len())));
    };
    if input.element != ElementType::Float32 {
        return Err(not_an_image(format!("its input `{}` is {}", input.name, input.element)));
    }
    let dims = input.dims.clone().unwrap_or_else(|| vec![Dim::Unknown; 4]);
    let declared = times(dims.iter());
    if let Some(given) = given {
        let agrees = given.len() == dims.len()
            && given.iter().zip(&dims).all(|(&g, d)| match d {
                Dim::Fixed(fixed) => i64::try_from(g) == Ok(*fixed),
                Dim::Named(_) | Dim::Unknown => true,
            });
        if !agrees {
            return Err(InputError::ShapeContradicts {
                path: path.to_owned(),
                input: input.name.clone(),
                declared,
                given: times(given),
            });
        }
    }
    let known: Option<Vec<usize>> = match given {
        Some(given) => Some(given.to_vec()),
        None => known_dims(&dims),
    };
    let Some(known) = known else {
        return Err(InputError::OpenShape {
            path: path.to_owned(),
            input: input.name.clone(),
            declared,
        });
    };
    match <[usize; 4]>::try_from(known) {
        Ok(shape @ [1, 3, _, _]) => Ok(shape),
        _ => Err(not_an_image(format!("its input `{}` has the shape {declared}", input.name))),
    }
}

/// An open first dimension is the batch, and one request is a batch of one; any other that is open
/// has to be given.
fn known_dims(dims: &[Dim]) -> Option<Vec<usize>> {
    dims.iter()
        .enumerate()
        .map(|(index, dim)| match dim {
            Dim::Fixed(n) => usize::try_from(*n).ok().filter(|n| *n > 0),
            Dim::Named(_) | Dim::Unknown => (index == 0).then_some(1),
        })
        .collect()
}

fn times<T: ToString>(dims: impl IntoIterator<Item = T>) -> String {
    dims.into_iter().map(|d| d.to_string()).collect::<Vec<_>>().join("×")
}

impl Checked {
    /// What identifies the models.
    pub fn model_keys(&self) -> Vec<ModelKey> {
        self.models
            .iter()
            .map(|m| ModelKey { content: m.facts.sha256.clone(), shape: m.shape.to_vec() })
            .collect()
    }

    /// What identifies the images.
    ///
    /// # Errors
    /// Where one cannot be read.
    pub fn image_keys(&self, cache: &Cache) -> Result<Vec<String>, InputError> {
        let Some(found) = &self.images else {
            return Ok(vec![format!("generated-v{}", images::GENERATED_VERSION)]);
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
            models.push(ModelJob { name: model.facts.name.clone(), path, shape: model.shape });
        }
        let (paths, image) = match &self.images {
            Some(found) => (found.iter().map(|c| c.path.clone()).collect(), record_of(found)),
            None => place.generated_image(tell)?,
        };
        Ok(Placed { models, images: paths, image, temporary: place.temporary })
    }
}

fn record_of(found: &[Candidate]) -> ImageRecord {
    let first = found.first();
    let name = first
        .and_then(|c| c.path.file_name())
        .map(|n| made_one_line(&n.to_string_lossy()))
        .unwrap_or_default();
    ImageRecord {
        origin: if found.len() > 1 {
            format!("{name}, the largest of {}", found.len())
        } else {
            name
        },
        encoded_bytes: found.iter().map(|c| c.encoded).max().unwrap_or_default(),
        width: first.map_or(0, |c| c.width),
        height: first.map_or(0, |c| c.height),
    }
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
        tell: &dyn Fn(&str),
    ) -> anyhow::Result<(Vec<PathBuf>, ImageRecord)> {
        let name = format!("generated-v{}.jpg", images::GENERATED_VERSION);
        let kept = self.cache.folder(Kind::Images).join(&name);
        let path = if kept.is_file() {
            kept
        } else {
            tell("generating the request image");
            let jpeg = images::generate().context("cannot generate the request image")?;
            let size = Bytes::new(jpeg.len() as u64);
            self.file(Kind::Images, &name, size, &mut |out| out.write_all(&jpeg))?
        };
        let (width, height) = images::GENERATED;
        let encoded_bytes = Bytes::new(path.metadata()?.len());
        let image = ImageRecord { origin: "generated".into(), encoded_bytes, width, height };
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
        let in_cache = write_atomically(&kept, |out| fill(out));
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
