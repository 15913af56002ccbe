//! The service that the options name: a profile, or one model with what is given of its inputs.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::cli::{ImageArg, ServiceArgs};
use crate::footprint::checked::made_one_line;
use crate::footprint::{Settings, Topology};
use crate::profile::{
    Batch, DEFAULT_PROFILE, Given, Input, Inputs, ModelSource, Models, Numbers, Profile,
    RequestImage, RequestSpec, Shape,
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
    if let Some(program) = args.program {
        if profile.models.is_empty() {
            bail!(
                "--program is the server process around measured models, and `{}` has none",
                profile.name
            );
        }
        profile.program = Some(program);
    }
    if let Some(image) = &args.image {
        profile.request.image = Some(match image {
            ImageArg::Generated(size) => RequestImage::Generated(*size),
            ImageArg::Files(path) => RequestImage::Files(path.clone()),
        });
    }
    Ok(profile)
}

fn named(args: &ServiceArgs) -> anyhow::Result<Profile> {
    let Some(path) = &args.model else {
        return Ok(Profile::find(args.profile.as_deref().unwrap_or(DEFAULT_PROFILE))?);
    };
    is_of_onnx(path)?;
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
        program: None,
        settings: Settings::default(),
        service: Service::default(),
        footprint: None,
    })
}

/// Formats of other runtimes, by the ending of a file.
const OTHERS: [(&str, &str); 9] = [
    ("pt", "PyTorch"),
    ("pth", "PyTorch"),
    ("h5", "Keras"),
    ("keras", "Keras"),
    ("tflite", "TensorFlow Lite"),
    ("pb", "TensorFlow"),
    ("gguf", "llama.cpp"),
    ("safetensors", "safetensors"),
    ("engine", "TensorRT"),
];

/// A model of another runtime cannot be run here: what can be done instead.
///
/// # Errors
/// Where the file's ending is that of one.
pub fn is_of_onnx(path: &Path) -> anyhow::Result<()> {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    if let Some((_, runtime)) = OTHERS.iter().find(|(other, _)| *other == ending) {
        bail!(
            "{} is a model of {runtime}, and ONNX models are run here. Three ways forward: export it to \
             ONNX; measure the service that runs it, with `mediscope-size measure --url \
             http://127.0.0.1:8000/predict -- COMMAND`; or declare what its parts cost, with \
             `mediscope-size init --declared`",
            path.display()
        );
    }
    Ok(())
}

fn inputs(args: &ServiceArgs) -> anyhow::Result<Inputs> {
    let mut inputs = Inputs::default();
    let shapes = args.shape.iter().map(|text| shape_of(text));
    let values = args.input.iter().map(|text| value_of(text));
    for input in shapes.chain(values) {
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
    Ok(Input { name, given: Given::Shape(dimensions(dims).with_context(wrong)?) })
}

fn dimensions(text: &str) -> Option<Shape> {
    let dims: Result<Vec<i64>, _> = text.split(['x', '×', ',']).map(|d| d.trim().parse()).collect();
    Shape::try_from(dims.ok()?).ok()
}

/// What begins random values of a shape.
const RANDOM: &str = "@random:";

/// `max_length=448`, `sizes=480,640`, `ids=@random:1x128`, else a file: `ids=ids.npy`.
fn value_of(text: &str) -> anyhow::Result<Input> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, value)| !name.is_empty() && !value.is_empty())
        .with_context(|| {
            format!(
                "`{text}` names no input and value: write them as in --input max_length=448, \
                 --input ids=@random:1x128 or --input ids=ids.npy"
            )
        })?;
    let given = match (value.strip_prefix(RANDOM), Numbers::read(value)) {
        (Some(dims), _) => Given::Random(dimensions(dims).with_context(|| {
            format!("`{text}` has no shape: write dimensions as in --input ids=@random:1x128")
        })?),
        (None, Some(numbers)) => Given::Value(numbers.map_err(anyhow::Error::msg)?),
        (None, None) => Given::File(PathBuf::from(value)),
    };
    Ok(Input { name: Some(name.to_owned()), given })
}
