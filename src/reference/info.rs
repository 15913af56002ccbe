//! What an ONNX file says about itself, as plain data.

use std::fmt;
use std::path::PathBuf;

use super::element::ElementType;

/// What an ONNX file says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelInfo {
    /// Size of the file in bytes, without external files.
    pub file_bytes: u64,
    /// Whether the file is in ONNX Runtime's own format (`.ort`) and not in ONNX.
    pub is_ort_format: bool,
    /// Version of the file format, at most [`NEWEST_IR`](super::NEWEST_IR).
    pub ir_version: i64,
    /// The program that wrote the file; empty where it does not say.
    pub producer: String,
    /// Operator sets: domain (empty for `ai.onnx`) and version.
    pub opsets: Vec<(String, i64)>,
    /// What a caller must give, in the file's order, without what initializers already fill.
    pub inputs: Vec<Port>,
    /// Inputs that an initializer fills, in the file's order. From [`IR_WITH_OVERRIDES`] on a
    /// caller may give them all the same, so ONNX Runtime cannot take them for constants: see
    /// [`overridable_inputs`](ModelInfo::overridable_inputs).
    pub defaulted_inputs: Vec<String>,
    /// What a caller can ask for, in the file's order.
    pub outputs: Vec<Port>,
    /// Operators of the main graph, of nested graphs and of local functions (each body once), the
    /// most frequent first.
    pub operators: Vec<OperatorCount>,
    /// Elements of the stored tensors, in initializers and constants, nested graphs included.
    /// Single numbers, 64-bit integers, booleans and texts are not counted: they are shapes and
    /// indices, not weights.
    pub parameters: u64,
    /// Bytes of all stored tensors, wherever they are stored.
    pub weight_bytes: u64,
    /// The stored tensors by what they are made of, the largest first. Their bytes add up to
    /// [`weight_bytes`](ModelInfo::weight_bytes).
    pub weights: Vec<TypeWeights>,
    /// Bytes of lists of numbers and texts that operators carry themselves: the trees of a forest,
    /// vocabularies, and small settings.
    pub attribute_bytes: u64,
    /// Bytes that the graph holds once it is loaded: stored tensors, lists of operators, and the
    /// results of `ConstantOfShape` where the file itself holds the shape.
    pub constant_bytes: u64,
    /// Bytes of the largest of these constants.
    pub largest_constant_bytes: u64,
    /// Bytes of the constants that convolutions multiply by, part of
    /// [`constant_bytes`](ModelInfo::constant_bytes).
    pub convolution_bytes: u64,
    /// Bytes of the constants that matrix products and recurrent layers multiply by, part of
    /// [`constant_bytes`](ModelInfo::constant_bytes).
    pub product_bytes: u64,
    /// Some weights are in files beside this one, which must be kept together with it.
    pub external_data: bool,
    /// Those files, by location.
    pub external_files: Vec<ExternalFile>,
    /// Nodes of the main graph.
    pub node_count: u64,
}

/// From this version of the format on, an initializer that is listed among the inputs is a default
/// that a caller may replace; before it, the format demanded that all are listed and they are
/// constants (`onnx.proto`, `Version.IR_VERSION_2019_1_22`).
pub const IR_WITH_OVERRIDES: i64 = 4;

impl ModelInfo {
    /// Inputs with a default that a caller may replace. Operators that depend on them cannot be
    /// computed when the model is loaded, which costs RAM and time in every request.
    pub fn overridable_inputs(&self) -> &[String] {
        if self.ir_version >= IR_WITH_OVERRIDES { &self.defaulted_inputs } else { &[] }
    }
}

/// How often an operator occurs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorCount {
    /// Its domain; empty for `ai.onnx`.
    pub domain: String,
    /// Its name, such as `Conv`.
    pub op_type: String,
    /// Nodes, at least 1.
    pub count: u64,
    /// The file brings its definition as a local function, so that no runtime has to know it.
    pub is_local: bool,
}

/// What is stored of one element type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeWeights {
    /// What the elements are.
    pub element: ElementType,
    /// How many there are, single numbers and indices included.
    pub elements: u64,
    /// Bytes that they take as they are stored.
    pub bytes: u64,
}

/// A file beside the model that holds weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalFile {
    /// Where it is, as the model says it: relative to the model's folder.
    pub location: String,
    /// The same, from where the tool runs.
    pub path: PathBuf,
    /// Bytes that it must hold: the end of the last tensor in it.
    pub needed_bytes: u64,
    /// What is there.
    pub state: ExternalState,
}

/// What is found where a model says that its weights are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExternalState {
    /// A file that is long enough.
    Present {
        /// Its size in bytes.
        bytes: u64,
    },
    /// Nothing that can be read.
    Missing,
    /// A folder or a device.
    NotAFile,
    /// A file that ends before its last tensor does.
    TooShort {
        /// Its size in bytes.
        bytes: u64,
    },
    /// The path is absolute, empty, or leads out of the model's folder, through `..` or a symbolic
    /// link. ONNX Runtime refuses it, so that a model cannot read other files of its host.
    Outside,
}

impl ExternalState {
    /// One word for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Present { .. } => "present",
            Self::Missing => "missing",
            Self::NotAFile => "not_a_file",
            Self::TooShort { .. } => "too_short",
            Self::Outside => "outside",
        }
    }
}

/// An input or an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name, by which it is fed or fetched.
    pub name: String,
    /// What its elements are.
    pub element: ElementType,
    /// Its shape; `None` where not even the number of dimensions is declared, and an empty list for
    /// a single number.
    pub dims: Option<Vec<Dim>>,
    /// For an input whose values select rows of a stored table (token and category numbers):
    /// values must be below this, the number of rows of the smallest such table. ONNX Runtime fails
    /// on others. `None` where the file shows no such table.
    pub index_below: Option<u64>,
}

/// One dimension of a shape.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Dim {
    /// Always this many; not negative.
    Fixed(i64),
    /// Chosen by the caller; all dimensions of one name are equal.
    Named(String),
    /// Chosen by the caller.
    Unknown,
}

impl fmt::Display for Dim {
    /// The number, the name, or `?`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(size) => write!(f, "{size}"),
            Self::Named(name) => f.write_str(name),
            Self::Unknown => f.write_str("?"),
        }
    }
}
