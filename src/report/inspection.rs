//! What an ONNX file says about itself, for a reader and in the contract
//! `mediscope-size/inspect/1`.
//!
//! The types are the contract: whoever reads files fills them in, and both formats are made from
//! them. Keys are written in this order, every key is always there, and what is not known is null.
//! `schemas/inspect-1.schema.json` says the same to programs.

#[cfg(test)]
mod tests;
mod text;

use serde::{Serialize, Serializer};

use super::json::span::S;
use crate::units::{Bytes, Span};
pub use text::inspection_text;

/// The name of the contract. A change that a reader could notice gets another number.
const SCHEMA: &str = "mediscope-size/inspect/1";

/// An ONNX file, as it is without running it.
#[derive(Debug, Clone, Serialize)]
pub struct Inspection {
    /// Where the file is, as it was typed.
    pub path: String,
    /// `onnx`, or `ort` for ONNX Runtime's own format.
    pub format: &'static str,
    /// Its size, without external files.
    pub file_bytes: Bytes,
    /// The program that wrote it, where it says so.
    pub producer: Option<String>,
    /// Version of the file format.
    pub ir_version: i64,
    /// Operator sets that it asks for.
    pub opsets: Vec<Opset>,
    /// What a request gives.
    pub inputs: Vec<Input>,
    /// Inputs with a default that a request may replace.
    pub overridable_inputs: Vec<String>,
    /// What a request can ask for.
    pub outputs: Vec<Output>,
    /// Nodes of the main graph.
    pub node_count: u64,
    /// Operators by number of nodes, nested graphs and local functions included.
    pub operators: Vec<Operator>,
    /// Elements that can have been learned.
    pub parameters: u64,
    /// Bytes of stored tensors.
    pub weight_bytes: Bytes,
    /// The same by element type.
    pub weights: Vec<Weights>,
    /// Bytes that the graph holds once it is loaded.
    pub constant_bytes: Bytes,
    /// Files with weights beside this one.
    pub external_files: Vec<External>,
    /// RAM of a process that loads it.
    pub load: Load,
    /// Whether this tool can measure it.
    pub can_be_sized: bool,
    /// Why not, if not.
    pub obstacles: Vec<Obstacle>,
    /// The input or output that shows that one run is one step of a request that takes many.
    pub step: Option<String>,
    /// Lengths, counts and other numbers that a measurement assumes where nobody gives them.
    pub assumed_values: Vec<String>,
    /// What to type to measure it, where it can be measured.
    pub command: Option<String>,
    /// What has to be given before it can be measured, in words.
    pub asks: Option<String>,
}

/// An operator set.
#[derive(Debug, Clone, Serialize)]
pub struct Opset {
    /// `ai.onnx` for the standard operators.
    pub domain: String,
    /// Its version.
    pub version: i64,
}

/// An input.
#[derive(Debug, Clone, Serialize)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// What its elements are.
    pub element_type: String,
    /// Its shape; `None` where the number of dimensions is open.
    pub dims: Option<Vec<Dimension>>,
    /// Values must be below this, where the file shows it.
    pub index_below: Option<u64>,
    /// What it is taken for, as a word of the contract.
    pub kind: &'static str,
    /// The same in words.
    pub feeds: String,
    /// The shape with a guess for each open dimension.
    pub assumed_shape: Option<Vec<u64>>,
}

/// An output.
#[derive(Debug, Clone, Serialize)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// What its elements are.
    pub element_type: String,
    /// Its shape; `None` where the number of dimensions is open.
    pub dims: Option<Vec<Dimension>>,
}

/// A dimension: a number, a name, or null.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Dimension {
    /// Always this many.
    Fixed(i64),
    /// Open, and equal to all of this name.
    Named(String),
    /// Open.
    Unknown,
}

/// An operator and how often it occurs.
#[derive(Debug, Clone, Serialize)]
pub struct Operator {
    /// `ai.onnx` for the standard operators.
    pub domain: String,
    /// Its name.
    pub op_type: String,
    /// Nodes.
    pub count: u64,
    /// Whether the file defines it.
    pub local: bool,
}

/// Stored tensors of one element type.
#[derive(Debug, Clone, Serialize)]
pub struct Weights {
    /// What the elements are.
    pub element_type: String,
    /// How many.
    pub elements: u64,
    /// Bytes.
    pub bytes: Bytes,
}

/// A file with weights.
#[derive(Debug, Clone, Serialize)]
pub struct External {
    /// Where it is, as the model says.
    pub location: String,
    /// Where that is from here.
    pub path: String,
    /// Bytes that the model reads of it.
    pub needed_bytes: Bytes,
    /// Its size, where there is such a file.
    pub found_bytes: Option<Bytes>,
    /// `present`, `missing`, `not_a_file`, `too_short` or `outside`.
    pub state: &'static str,
}

/// RAM of a process with ONNX Runtime and this model, before any request.
#[derive(Debug, Clone, Serialize)]
pub struct Load {
    /// Held after loading.
    #[serde(serialize_with = "span")]
    pub resident_bytes: Span<Bytes>,
    /// The most while loading.
    #[serde(serialize_with = "span")]
    pub peak_bytes: Span<Bytes>,
}

/// Why it cannot be sized.
#[derive(Debug, Clone, Serialize)]
pub struct Obstacle {
    /// A word of the contract.
    pub code: &'static str,
    /// What is in the way and what to do.
    pub text: String,
}

/// The inspection as JSON for programs: indented, with a line break at the end.
///
/// # Errors
/// Where it cannot be serialised, which no inspection is known to cause.
pub fn inspection_json(inspection: &Inspection) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Contract<'a> {
        schema: &'static str,
        #[serde(flatten)]
        inspection: &'a Inspection,
    }
    let mut text = serde_json::to_string_pretty(&Contract { schema: SCHEMA, inspection })?;
    text.push('\n');
    Ok(text)
}

fn span<Out: Serializer>(span: &Span<Bytes>, serializer: Out) -> Result<Out::Ok, Out::Error> {
    S::from(span).serialize(serializer)
}
