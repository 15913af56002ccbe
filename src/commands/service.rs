//! The service that the options name: a profile, or one model with what is given of its inputs.

use std::path::{PathBuf, absolute};

use anyhow::Context;

use crate::cli::{ImageArg, ServiceArgs};
use crate::footprint::checked::made_one_line;
use crate::footprint::{Settings, Topology};
use crate::profile::{
    Batch, DEFAULT_PROFILE, Given, Input, Inputs, ModelSource, Models, Profile, RequestImage,
    RequestSpec, Shape,
};
use crate::service::Service;

/// The profile that the options name.
///
/// # Errors
/// Where it cannot be read, or a shape or an input is mistyped.
pub fn profile(args: &ServiceArgs) -> anyhow::Result<Profile> {
    let mut profile = named(args)?;
    profile.topology = args.topology.unwrap_or(profile.topology);
    profile.request.batch = args.batch.and_then(Batch::new).unwrap_or(profile.request.batch);
    args.settings.apply(&mut profile.settings);
    if let Some(image) = &args.image {
        profile.request.image = Some(match image {
            ImageArg::Generated(size) => RequestImage::Generated(*size),
            // A profile that is written elsewhere still names it.
            ImageArg::Files(path) => RequestImage::Files(absolute(path)?),
        });
    }
    Ok(profile)
}

fn named(args: &ServiceArgs) -> anyhow::Result<Profile> {
    let Some(path) = &args.model else {
        return Ok(Profile::find(args.profile.as_deref().unwrap_or(DEFAULT_PROFILE))?);
    };
    let name =
        path.file_stem().map_or_else(|| "model".into(), |s| made_one_line(&s.to_string_lossy()));
    Ok(Profile {
        models: Models::one(name.clone(), ModelSource::File(path.clone()), inputs(args)?),
        name,
        title: None,
        topology: Topology::Shared,
        request: RequestSpec::default(),
        declared: None,
        live: None,
        settings: Settings::default(),
        service: Service::default(),
        footprint: None,
    })
}

fn inputs(args: &ServiceArgs) -> anyhow::Result<Inputs> {
    let mut inputs = Inputs::default();
    let shapes = args.shape.iter().map(|text| shape_of(text));
    let files = args.input.iter().map(|text| file_of(text));
    for input in shapes.chain(files) {
        inputs.add(input?).map_err(anyhow::Error::msg)?;
    }
    Ok(inputs)
}

/// `1x3x224x224` or `images=1x3x224x224`. A name may hold any sign, an `=` too.
fn shape_of(text: &str) -> anyhow::Result<Input> {
    let (name, dims) = match text.rsplit_once('=') {
        Some((name, dims)) => (Some(name.to_owned()), dims),
        None => (None, text),
    };
    let wrong = || {
        format!(
            "`{text}` is not a shape: write dimensions as in --shape 1x3x224x224, or --shape ids=1x128"
        )
    };
    let dims: Result<Vec<i64>, _> = dims.split(['x', '×', ',']).map(|d| d.trim().parse()).collect();
    let shape = Shape::try_from(dims.ok().with_context(wrong)?).ok().with_context(wrong)?;
    Ok(Input { name, given: Given::Shape(shape) })
}

/// `ids=ids.npy`.
fn file_of(text: &str) -> anyhow::Result<Input> {
    let (name, file) = text
        .split_once('=')
        .filter(|(name, file)| !name.is_empty() && !file.is_empty())
        .with_context(|| {
            format!("`{text}` names no input and file: write them as in --input ids=ids.npy")
        })?;
    Ok(Input { name: Some(name.to_owned()), given: Given::File(PathBuf::from(file)) })
}
