//! Whether a model can be sized, what for its inputs, and what it takes to load: a judgement of
//! what the file says, without running it.

mod kind;
mod load;
mod related;
mod step;

use std::collections::HashMap;
use std::fmt;

use super::info::{Dim, ExternalFile, ExternalState, ModelInfo, Port};
pub use kind::{InputKind, Layout, words};
pub use load::LoadEstimate;
use related::Known;

/// The judgement over a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sizing {
    /// Why the tool cannot run it; empty where it can be sized.
    pub obstacles: Vec<Obstacle>,
    /// What a request will carry, in the order of [`ModelInfo::inputs`].
    pub inputs: Vec<SizedInput>,
    /// Sizes that were given and do not go together, in words; mostly none.
    pub contradictions: Vec<String>,
}

/// What a request will carry for one input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SizedInput {
    /// The name of the input.
    pub name: String,
    /// What it is probably for.
    pub kind: InputKind,
    /// A shape that agrees with the file, with a guess for every dimension that is open; `None`
    /// where not even the number of dimensions is declared, or it cannot be made.
    pub shape: Option<Vec<u64>>,
    /// The dimensions that the file leaves open. Empty too where there is no shape.
    pub open: Vec<OpenDimension>,
}

/// A dimension that the file leaves to the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenDimension {
    /// Its place in the shape, from 0.
    pub axis: usize,
    /// The name in the file; all dimensions of one name are equal.
    pub name: Option<String>,
    /// A usual size: a guess of this tool, not of the file.
    pub assumed: u64,
    /// Whether it is no guess, as it follows from the sizes of other dimensions.
    pub follows: bool,
}

/// Why a model cannot be sized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// There is no text to feed that would be like a user's.
    TextInput {
        /// The name of the input.
        input: String,
    },
    /// A value that no shape describes, or of a type that cannot be made.
    UnmadeInput {
        /// The name of the input.
        input: String,
        /// What it is.
        element: String,
    },
    /// Operators that are in no build of ONNX Runtime by itself.
    UnknownDomain {
        /// Their domain.
        domain: String,
        /// Their names, in alphabetical order.
        operators: Vec<String>,
    },
    /// Weights that are not where the model says.
    ExternalData(ExternalFile),
}

/// Domains whose operators are registered in a plain build of ONNX Runtime 1.31 (`constants.h` of
/// its sources); the empty one is `ai.onnx`.
const DOMAINS: &[&str] = &[
    "",
    "ai.onnx",
    "ai.onnx.ml",
    "ai.onnx.preview",
    "ai.onnx.preview.training",
    "com.microsoft",
    "com.microsoft.nchwc",
    "com.microsoft.experimental",
    "com.ms.internal.nhwc",
];

/// Height and width of an image where the file leaves them open: what detectors are exported with.
const USUAL_EDGE: u64 = 640;
/// Tokens of a text where the file leaves them open.
const USUAL_TOKENS: u64 = 128;
/// Samples of sound where the file leaves them open: one second at 16 kHz.
const USUAL_SAMPLES: u64 = 16_000;

impl Sizing {
    /// Judges a model of which nothing else is known.
    pub fn of(info: &ModelInfo) -> Self {
        Self::given(info, HashMap::new(), 1)
    }

    /// Judges a model whose dimensions of these names have these sizes, and whose open first
    /// dimensions are this large.
    pub fn given(info: &ModelInfo, sizes: HashMap<String, u64>, batch: u64) -> Self {
        let mut known = Known::new(sizes, batch, &info.inputs);
        let inputs: Vec<SizedInput> =
            info.inputs.iter().map(|input| SizedInput::of(input, &mut known)).collect();
        let contradictions = known.contradictions(&info.inputs);
        Self { obstacles: obstacles(info), inputs, contradictions }
    }

    /// Whether the tool can run the model.
    pub fn can_be_sized(&self) -> bool {
        self.obstacles.is_empty()
    }
}

impl SizedInput {
    /// Whether the shape is known from the file, but for dimensions of 1: those are the batch of
    /// one request.
    pub fn is_complete(&self) -> bool {
        self.shape.is_some() && self.open.iter().all(|open| open.axis == 0 && open.assumed == 1)
    }

    fn of(input: &Port, known: &mut Known) -> Self {
        let kind = InputKind::of(input);
        let dims = input.dims.as_deref().filter(|_| kind.can_be_made());
        let mut open = Vec::new();
        let shape = dims.map(|dims| {
            let size = |(axis, dim): (usize, &Dim)| {
                let name = match dim {
                    Dim::Fixed(size) => return size.unsigned_abs(),
                    Dim::Named(name) => Some(name.clone()),
                    Dim::Unknown => None,
                };
                let is_last = axis > 0 && axis + 1 == dims.len();
                let reach = known.attended.filter(|_| {
                    kind == InputKind::Mask && name.is_none() && is_last && dims.len() == 2
                });
                let assumed = reach.unwrap_or_else(|| known.size(kind, axis, name.as_deref()));
                let follows = reach.is_some()
                    || name.as_ref().is_some_and(|name| known.follow.contains(name));
                open.push(OpenDimension { axis, name, assumed, follows });
                assumed
            };
            dims.iter().enumerate().map(size).collect()
        });
        Self { name: input.name.clone(), kind, shape, open }
    }
}

/// What an open dimension is usually given.
fn usual(kind: InputKind, axis: usize, name: &str, batch: u64) -> u64 {
    let words = kind::words(name);
    let says = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    if says(&["batch", "batchsize", "bs", "n"]) {
        return batch;
    }
    match kind {
        InputKind::Image { layout, channels } => match (axis, layout) {
            (0, _) => batch,
            (1, Layout::Nchw) | (3, Layout::Nhwc) => channels.into(),
            _ => USUAL_EDGE,
        },
        _ if says(&["sequence", "seq", "length", "len", "tokens", "past", "time"]) => USUAL_TOKENS,
        _ if axis == 0 => batch,
        InputKind::Audio => USUAL_SAMPLES,
        // The batch of a state stands after its layers.
        InputKind::State => batch,
        _ => USUAL_TOKENS,
    }
}

fn obstacles(info: &ModelInfo) -> Vec<Obstacle> {
    let inputs = info.inputs.iter().filter_map(|input| {
        let (kind, name) = (InputKind::of(input), input.name.clone());
        match kind {
            InputKind::Text => Some(Obstacle::TextInput { input: name }),
            _ if kind.can_be_made() => None,
            _ => Some(Obstacle::UnmadeInput { input: name, element: input.element.to_string() }),
        }
    });
    let is_found = |file: &&ExternalFile| matches!(file.state, ExternalState::Present { .. });
    let missing = info.external_files.iter().filter(|file| !is_found(file));
    inputs
        .chain(unknown_domains(info))
        .chain(missing.map(|file| Obstacle::ExternalData(file.clone())))
        .collect()
}

/// Operators that somebody else has to bring, by domain.
fn unknown_domains(info: &ModelInfo) -> Vec<Obstacle> {
    let mut unknown = std::collections::BTreeMap::<&str, Vec<String>>::new();
    let is_known = |domain: &str| DOMAINS.contains(&domain);
    for operator in info.operators.iter().filter(|o| !o.is_local && !is_known(&o.domain)) {
        unknown.entry(&operator.domain).or_default().push(operator.op_type.clone());
    }
    let obstacle = |(domain, mut operators): (&str, Vec<String>)| {
        operators.sort();
        Obstacle::UnknownDomain { domain: domain.to_owned(), operators }
    };
    unknown.into_iter().map(obstacle).collect()
}

impl Obstacle {
    /// One word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TextInput { .. } => "text_input",
            Self::UnmadeInput { .. } => "unmade_input",
            Self::UnknownDomain { .. } => "unknown_domain",
            Self::ExternalData(_) => "external_data",
        }
    }
}

impl fmt::Display for Obstacle {
    /// What is in the way, and what to do about it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TextInput { input } => write!(
                f,
                "input `{input}` is text, which cannot be made up: export the model without the \
                 part that reads text, from token ids or features on"
            ),
            Self::UnmadeInput { input, element } => write!(
                f,
                "input `{input}` is of the type {element}, which this tool cannot make: export \
                 the model with dense tensors of common numbers as inputs"
            ),
            Self::UnknownDomain { domain, operators } => write!(
                f,
                "ONNX Runtime has no operators of the domain {domain} by itself ({}): export the \
                 model with standard operators",
                operators.join(", ")
            ),
            Self::ExternalData(file) => external(f, file),
        }
    }
}

fn external(f: &mut fmt::Formatter<'_>, file: &ExternalFile) -> fmt::Result {
    let ExternalFile { location, path, needed_bytes: needed, state } = file;
    let path = path.display();
    match state {
        ExternalState::Missing => {
            write!(f, "its weights are in {path}, which does not exist: put the file there")
        }
        ExternalState::NotAFile => {
            write!(f, "its weights are in {path}, which is not a regular file: put the file there")
        }
        ExternalState::TooShort { bytes } => write!(
            f,
            "its weights need {needed} bytes of {path}, which has {bytes}: copy or download it \
             again"
        ),
        ExternalState::Outside => write!(
            f,
            "it asks for weights in `{location}`, which is not in its own folder, and ONNX Runtime \
             refuses that: put the file beside the model and save the model with that location"
        ),
        ExternalState::Present { .. } => write!(f, "its weights are in {path}"),
    }
}

#[cfg(test)]
mod tests;
