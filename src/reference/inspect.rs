//! What a user's ONNX file says about itself, without its weights.
//!
//! Inputs, operator sets and sizes are wanted before a model is opened: to make tensors of the
//! right shape, and to refuse a file with a better reason than the runtime would give. Weights are
//! passed over, so that a file of two gigabytes is inspected in milliseconds. Every file is taken
//! to be hostile: nothing it says is trusted before it is checked.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::element::ElementType;
use super::onnx::{DimensionProto, ValueInfoProto};
use super::walk::{Found, Walk};
use super::wire::Fault;

/// The newest version of the operator set `ai.onnx` that ONNX Runtime 1.31 opens.
pub const NEWEST_OPSET: i64 = 26;

/// The newest version of the file format that ONNX Runtime 1.31 opens.
pub const NEWEST_IR: i64 = 13;

/// From this version of the format on, a model must name its operator sets.
const IR_WITH_OPSETS: i64 = 3;

/// What an ONNX file says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelInfo {
    /// Version of the file format, at most [`NEWEST_IR`].
    pub ir_version: i64,
    /// The program that wrote the file; empty where it does not say.
    pub producer: String,
    /// Operator sets: domain (empty for `ai.onnx`) and version.
    pub opsets: Vec<(String, i64)>,
    /// What a caller must give, in the file's order, without what initializers already fill.
    pub inputs: Vec<Port>,
    /// What a caller can ask for, in the file's order.
    pub outputs: Vec<Port>,
    /// Elements of the stored tensors, in initializers and constants, nested graphs included.
    /// Single numbers, 64-bit integers, booleans and texts are not counted: they are shapes and
    /// indices, not weights.
    pub parameters: u64,
    /// Bytes of all stored tensors, wherever they are stored.
    pub weight_bytes: u64,
    /// Some weights are in files beside this one, which must be kept together with it.
    pub external_data: bool,
    /// Nodes of the main graph.
    pub node_count: u64,
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
    /// What indices must be below, where the graph shows it.
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

/// Why a file cannot be measured.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// There is nothing at the path.
    #[error("{} does not exist: check the path to the model", path.display())]
    Missing {
        /// What was asked for.
        path: PathBuf,
    },
    /// A folder is at the path.
    #[error("{} is a folder: give the path of the .onnx file in it", path.display())]
    Folder {
        /// What was asked for.
        path: PathBuf,
    },
    /// A pipe or a device is at the path.
    #[error("{} is not a regular file: save the model to a file and give its path", path.display())]
    NotAFile {
        /// What was asked for.
        path: PathBuf,
    },
    /// The file has no bytes.
    #[error("{} is empty: download or export the model again", path.display())]
    Empty {
        /// What was asked for.
        path: PathBuf,
    },
    /// The system does not let the file be read.
    #[error("{} cannot be read: check its permissions and its disk", path.display())]
    Unreadable {
        /// What was asked for.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The bytes are not those of a model.
    #[error(
        "{} is not an ONNX model: {reason}. Give the file that an exporter wrote; a Git LFS pointer \
         or a saved web page may lie in its place",
        path.display()
    )]
    NotOnnx {
        /// What was asked for.
        path: PathBuf,
        /// What is wrong with it, as a clause.
        reason: &'static str,
    },
    /// The file begins as a model and then contradicts itself.
    #[error("{} is damaged: {reason}. Download, copy or export it again", path.display())]
    Damaged {
        /// What was asked for.
        path: PathBuf,
        /// What is wrong with it, as a clause.
        reason: &'static str,
    },
    /// The file begins as a model and ends too early.
    #[error(
        "{} is cut short, by {missing} bytes or more: download, copy or export it again",
        path.display()
    )]
    Truncated {
        /// What was asked for.
        path: PathBuf,
        /// Bytes between the end of the file and the end of the field it stops in.
        missing: u64,
    },
    /// The model uses operators that are newer than the runtime.
    #[error(
        "{} uses operators of opset {version}, and ONNX Runtime 1.31 knows them up to opset \
         {NEWEST_OPSET}: export it again with opset {NEWEST_OPSET} or lower",
        path.display()
    )]
    OpsetTooNew {
        /// What was asked for.
        path: PathBuf,
        /// The version of `ai.onnx` that the file states.
        version: i64,
    },
    /// The file format is newer than the runtime.
    #[error(
        "{} is written in version {version} of the ONNX format (IR), and ONNX Runtime 1.31 reads up \
         to {NEWEST_IR}: export it again for IR version {NEWEST_IR} or lower",
        path.display()
    )]
    FormatTooNew {
        /// What was asked for.
        path: PathBuf,
        /// The version that the file states.
        version: i64,
    },
}

/// Reads what the ONNX file at `path` says about itself. Memory and time do not grow with the
/// weights.
///
/// # Errors
/// Where there is no such file, it is not a whole ONNX model, or it is newer than ONNX Runtime 1.31.
pub fn inspect(path: &Path) -> Result<ModelInfo, InspectError> {
    let (file, length) = open(path)?;
    let mut walk = Walk::new(file, length);
    match walk.model() {
        Ok(()) => describe(path, walk.found),
        Err(fault) => Err(refuse(path, &walk.found, fault)),
    }
}

/// The file and its length in bytes. A pipe is refused before it is opened, which could wait for
/// ever.
fn open(path: &Path) -> Result<(File, u64), InspectError> {
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => InspectError::Missing { path: path.to_owned() },
        _ => InspectError::Unreadable { path: path.to_owned(), source },
    };
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if metadata.is_file() && metadata.len() > 0 {
        return Ok((File::open(path).map_err(unreadable)?, metadata.len()));
    }
    let path = path.to_owned();
    Err(if metadata.is_dir() {
        InspectError::Folder { path }
    } else if metadata.is_file() {
        InspectError::Empty { path }
    } else {
        InspectError::NotAFile { path }
    })
}

/// A fault as an answer. Any bytes can look like a field that is too long, so a file counts as cut
/// short or damaged only after it has said that it is a model.
fn refuse(path: &Path, found: &Found, fault: Fault) -> InspectError {
    let path = path.to_owned();
    match fault {
        Fault::Io(source) => InspectError::Unreadable { path, source },
        _ if found.ir_version.is_none() => {
            InspectError::NotOnnx { path, reason: "it does not begin like one" }
        }
        Fault::PastTheEnd(missing) => InspectError::Truncated { path, missing },
        Fault::Malformed(reason) => InspectError::Damaged { path, reason },
    }
}

/// What was found, if it makes a model that can be opened.
fn describe(path: &Path, found: Found) -> Result<ModelInfo, InspectError> {
    let not_onnx = |reason| InspectError::NotOnnx { path: path.to_owned(), reason };
    let ir_version = found.ir_version.ok_or(not_onnx("it states no format version"))?;
    if !found.has_graph {
        return Err(not_onnx("it holds no graph"));
    }
    if ir_version > NEWEST_IR {
        return Err(InspectError::FormatTooNew { path: path.to_owned(), version: ir_version });
    }
    if ir_version >= IR_WITH_OPSETS && found.opsets.is_empty() {
        return Err(InspectError::Damaged {
            path: path.to_owned(),
            reason: "it names no operator set",
        });
    }
    if let Some(version) = newest_standard(&found.opsets).filter(|&v| v > NEWEST_OPSET) {
        return Err(InspectError::OpsetTooNew { path: path.to_owned(), version });
    }
    let given = |input: &ValueInfoProto| {
        !input.name.as_ref().is_some_and(|name| found.initializers.contains(name))
    };
    Ok(ModelInfo {
        ir_version,
        producer: found.producer,
        opsets: found.opsets,
        inputs: found.inputs.into_iter().filter(given).map(Port::from).collect(),
        outputs: found.outputs.into_iter().map(Port::from).collect(),
        parameters: found.parameters,
        weight_bytes: found.weight_bytes,
        external_data: found.external_data,
        node_count: found.node_count,
    })
}

/// The version of the standard operators, which have two spellings.
fn newest_standard(opsets: &[(String, i64)]) -> Option<i64> {
    let standard = opsets.iter().filter(|(domain, _)| domain.is_empty() || domain == "ai.onnx");
    standard.map(|&(_, version)| version).max()
}

impl From<ValueInfoProto> for Port {
    fn from(value: ValueInfoProto) -> Self {
        let name = value.name.unwrap_or_default();
        let Some(tensor) = value.r#type.and_then(|t| t.tensor_type) else {
            return Self { name, element: ElementType::NotATensor, dims: None, index_below: None };
        };
        let element = ElementType::from_code(tensor.elem_type.unwrap_or(0));
        let dims = tensor.shape.map(|shape| shape.dim.into_iter().map(Dim::from).collect());
        Self { name, element, dims, index_below: None }
    }
}

impl From<DimensionProto> for Dim {
    /// Some exporters write -1, an empty name or `?` for a dimension that they do not know.
    fn from(dim: DimensionProto) -> Self {
        match (dim.dim_value, dim.dim_param) {
            (Some(size), _) if size >= 0 => Self::Fixed(size),
            (_, Some(name)) if !matches!(name.trim(), "" | "?") => Self::Named(name),
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests;
