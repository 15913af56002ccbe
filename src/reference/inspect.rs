//! What a user's ONNX file says about itself, without its weights.
//!
//! Inputs, operator sets and sizes are wanted before a model is opened: to make tensors of the
//! right shape, and to refuse a file with a better reason than the runtime would give. Weights are
//! passed over, so that a file of two gigabytes is inspected in milliseconds. Every file is taken
//! to be hostile: nothing it says is trusted before it is checked.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::element::ElementType;
use super::external;
use super::flow::{Filled, Flow};
use super::info::{Dim, IR_WITH_OVERRIDES, ModelInfo, OperatorCount, Port, TypeWeights};
use super::onnx::{DimensionProto, TypeProto, ValueInfoProto};
use super::walk::{Found, OrtWalk, Walk, is_ort_format};
use super::wire::Fault;
use crate::files::{self, Unfit};

/// The newest version of the operator set `ai.onnx` that ONNX Runtime 1.31 opens.
pub const NEWEST_OPSET: i64 = 26;

/// The newest version of the file format that ONNX Runtime 1.31 opens.
pub const NEWEST_IR: i64 = 13;

/// From this version of the format on, a model must name its operator sets.
const IR_WITH_OPSETS: i64 = 3;

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

/// Reads what the model at `path` says about itself, an ONNX file or one in ONNX Runtime's own format.
/// Memory and time do not grow with the weights.
///
/// # Errors
/// Where there is no such file, it is not a whole ONNX model, or it is newer than ONNX Runtime 1.31.
pub fn inspect(path: &Path) -> Result<ModelInfo, InspectError> {
    let (file, length) = open(path)?;
    let unreadable = |source| InspectError::Unreadable { path: path.to_owned(), source };
    let is_ort_format = is_ort_format(&file).map_err(unreadable)?;
    let (walked, found) = if is_ort_format {
        let mut walk = OrtWalk::new(&file, length);
        (walk.model(), walk.found)
    } else {
        let mut walk = Walk::new(file, length);
        (walk.model(), walk.found)
    };
    match walked {
        Ok(()) => Ok(ModelInfo { is_ort_format, ..describe(path, length, found)? }),
        Err(fault) => Err(refuse(path, &found, is_ort_format, fault)),
    }
}

/// The file and its length in bytes.
fn open(path: &Path) -> Result<(File, u64), InspectError> {
    match files::open(path) {
        Ok((_, 0)) => Err(InspectError::Empty { path: path.to_owned() }),
        Ok(opened) => Ok(opened),
        Err(source) => Err(refused(path.to_owned(), source)),
    }
}

fn refused(path: PathBuf, source: io::Error) -> InspectError {
    match Unfit::of(&source) {
        Some(_) if path.is_dir() => InspectError::Folder { path },
        Some(_) => InspectError::NotAFile { path },
        None if source.kind() == io::ErrorKind::NotFound => InspectError::Missing { path },
        None => InspectError::Unreadable { path, source },
    }
}

/// A fault as an answer. Any bytes can look like a field that is too long, so a file counts as cut
/// short or damaged only after it has said that it is a model.
fn refuse(path: &Path, found: &Found, is_ort_format: bool, fault: Fault) -> InspectError {
    let path = path.to_owned();
    match fault {
        Fault::Io(source) => InspectError::Unreadable { path, source },
        _ if found.ir_version.is_none() && !is_ort_format => {
            InspectError::NotOnnx { path, reason: "it does not begin like one" }
        }
        Fault::PastTheEnd(missing) => InspectError::Truncated { path, missing },
        Fault::Malformed(reason) => InspectError::Damaged { path, reason },
    }
}

/// What was found, if it makes a model that can be opened.
fn describe(path: &Path, file_bytes: u64, found: Found) -> Result<ModelInfo, InspectError> {
    let ir_version = openable(path, &found)?;
    let (defaulted, given): (Vec<_>, Vec<_>) = found.inputs.into_iter().partition(|input| {
        input.name.as_ref().is_some_and(|name| found.initializers.contains(name))
    });
    let defaulted_inputs: Vec<String> = defaulted.into_iter().filter_map(|d| d.name).collect();
    let stored = found.weight_bytes.saturating_add(found.attribute_bytes);
    let filled = filled(&found.flow, ir_version, &defaulted_inputs);
    let multiplied = found.flow.multiplied();
    let mut inputs: Vec<Port> = given.into_iter().map(Port::from).collect();
    let bounds = found.flow.index_bounds();
    for input in &mut inputs {
        input.index_below = bounds.get(input.name.as_str()).copied();
    }
    Ok(ModelInfo {
        file_bytes,
        is_ort_format: false,
        ir_version,
        producer: found.producer,
        opsets: found.opsets,
        inputs,
        defaulted_inputs,
        outputs: found.outputs.into_iter().map(Port::from).collect(),
        operators: operators(found.operators, &found.functions),
        parameters: found.parameters,
        weight_bytes: found.weight_bytes,
        weights: weights(&found.weights),
        attribute_bytes: found.attribute_bytes,
        constant_bytes: stored.saturating_add(filled.bytes),
        largest_constant_bytes: found.largest_bytes.max(filled.largest),
        convolution_bytes: multiplied.convolutions,
        product_bytes: multiplied.products,
        external_data: !found.external.is_empty(),
        external_files: found
            .external
            .into_iter()
            .map(|(location, needed)| external::find(path, location, needed))
            .collect(),
        node_count: found.node_count,
    })
}

/// The version of the file format, if ONNX Runtime opens it.
fn openable(path: &Path, found: &Found) -> Result<i64, InspectError> {
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
    Ok(ir_version)
}

/// Bytes that are filled when the model is loaded: a shape that a caller may replace is not known
/// then.
fn filled(flow: &Flow, ir_version: i64, defaulted: &[String]) -> Filled {
    let changeable = if ir_version >= IR_WITH_OVERRIDES { defaulted } else { &[] };
    flow.filled(&changeable.iter().map(String::as_str).collect())
}

/// The most frequent first; equals by name, so that the order is always the same. The two spellings
/// of the standard domain are one.
fn operators(
    found: HashMap<(String, String), u64>,
    functions: &HashSet<(String, String)>,
) -> Vec<OperatorCount> {
    let mut counts: HashMap<(String, String), OperatorCount> = HashMap::new();
    for (key, count) in found {
        let is_local = functions.contains(&key);
        let domain = if key.0 == "ai.onnx" { String::new() } else { key.0 };
        let entry = counts.entry((domain.clone(), key.1.clone())).or_insert(OperatorCount {
            domain,
            op_type: key.1,
            count: 0,
            is_local: false,
        });
        entry.count = entry.count.saturating_add(count);
        entry.is_local |= is_local;
    }
    let mut operators: Vec<OperatorCount> = counts.into_values().collect();
    operators.sort_by(|a, b| {
        (b.count.cmp(&a.count)).then_with(|| (&a.domain, &a.op_type).cmp(&(&b.domain, &b.op_type)))
    });
    operators
}

/// The largest first.
fn weights(found: &HashMap<ElementType, (u64, u64)>) -> Vec<TypeWeights> {
    let weights = |(&element, &(elements, bytes))| TypeWeights { element, elements, bytes };
    let mut weights: Vec<TypeWeights> = found.iter().map(weights).collect();
    weights.sort_by_key(|w| (std::cmp::Reverse((w.bytes, w.elements)), w.element.to_string()));
    weights
}

/// The version of the standard operators, which have two spellings.
fn newest_standard(opsets: &[(String, i64)]) -> Option<i64> {
    let standard = opsets.iter().filter(|(domain, _)| domain.is_empty() || domain == "ai.onnx");
    standard.map(|&(_, version)| version).max()
}

impl From<ValueInfoProto> for Port {
    fn from(value: ValueInfoProto) -> Self {
        let name = value.name.unwrap_or_default();
        let declared = value.r#type.unwrap_or_default();
        let Some(tensor) = declared.tensor_type else {
            return Self { name, element: kind(&declared), dims: None, index_below: None };
        };
        let element = ElementType::from_code(tensor.elem_type.unwrap_or(0));
        let dims = tensor.shape.map(|shape| shape.dim.into_iter().map(Dim::from).collect());
        Self { name, element, dims, index_below: None }
    }
}

/// What a value is that is no dense tensor.
fn kind(declared: &TypeProto) -> ElementType {
    [
        (declared.sequence_type, ElementType::Sequence),
        (declared.map_type, ElementType::Map),
        (declared.optional_type, ElementType::Optional),
        (declared.sparse_tensor_type, ElementType::SparseTensor),
    ]
    .into_iter()
    .find_map(|(is_declared, element)| is_declared.map(|()| element))
    .unwrap_or(ElementType::NotATensor)
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
