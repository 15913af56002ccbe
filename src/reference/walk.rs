//! One pass over the fields of a model, keeping what `inspect` reports.
//!
//! Field numbers are those of `onnx.proto`. What grows with the weights is only counted; names of
//! initializers are kept, because older exporters list them among the inputs too.

use std::collections::HashSet;
use std::io::{Read, Seek};

use prost::Message;

use super::element::ElementType;
use super::onnx::{OperatorSetIdProto, ValueInfoProto};
use super::wire::{Fault, Value, Wire};

/// Graphs inside graphs (branches, loop bodies) that are followed.
const DEEPEST: u32 = 32;

/// `TensorProto.DataLocation` of values in another file.
const EXTERNAL: u64 = 1;

/// What was found so far; also after a fault.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub ir_version: Option<i64>,
    pub producer: String,
    pub opsets: Vec<(String, i64)>,
    pub has_graph: bool,
    /// Names of the initializers of the main graph.
    pub initializers: HashSet<String>,
    pub inputs: Vec<ValueInfoProto>,
    pub outputs: Vec<ValueInfoProto>,
    pub parameters: u64,
    pub weight_bytes: u64,
    pub external_data: bool,
    pub node_count: u64,
}

/// A stored tensor, without its values.
#[derive(Debug)]
struct Tensor {
    name: String,
    /// The product of the dimensions; `None` where it is no number of elements.
    elements: Option<u64>,
    scalar: bool,
    element: ElementType,
    /// Bytes of `raw_data`, if there is any.
    raw: Option<u64>,
    /// Bytes of `string_data`.
    text: u64,
    external: bool,
}

/// Walks a model of which `found` remembers what matters.
#[derive(Debug)]
pub(super) struct Walk<R> {
    wire: Wire<R>,
    pub found: Found,
}

impl<R: Read + Seek> Walk<R> {
    pub fn new(reader: R, length: u64) -> Self {
        Self { wire: Wire::new(reader, length), found: Found::default() }
    }

    /// `ModelProto`.
    pub fn model(&mut self) -> Result<(), Fault> {
        let end = self.wire.length();
        while let Some(field) = self.wire.field(end)? {
            match field {
                (1, Value::Varint(version)) => self.found.ir_version = Some(version.cast_signed()),
                (2, Value::Until(end)) => self.found.producer = self.wire.text(end)?,
                (7, Value::Until(end)) => {
                    self.found.has_graph = true;
                    self.graph(end, 0)?;
                }
                (8, Value::Until(end)) => {
                    let set: OperatorSetIdProto = self.message(end)?;
                    let (domain, version) = (set.domain, set.version);
                    self.found.opsets.push((domain.unwrap_or_default(), version.unwrap_or(0)));
                }
                (_, value) => self.wire.skip(value)?,
            }
        }
        Ok(())
    }

    /// `GraphProto`; `depth` is 0 for the main one.
    fn graph(&mut self, end: u64, depth: u32) -> Result<(), Fault> {
        if depth > DEEPEST {
            return Err(Fault::Malformed("its graphs are nested too deeply"));
        }
        while let Some(field) = self.wire.field(end)? {
            match field {
                (1, Value::Until(end)) => {
                    self.found.node_count += u64::from(depth == 0);
                    self.node(end, depth)?;
                }
                (5, Value::Until(end)) => self.initializer(end, depth)?,
                (15, Value::Until(end)) => self.sparse(end, depth)?,
                (11, Value::Until(end)) if depth == 0 => {
                    let input = self.message(end)?;
                    self.found.inputs.push(input);
                }
                (12, Value::Until(end)) if depth == 0 => {
                    let output = self.message(end)?;
                    self.found.outputs.push(output);
                }
                (_, value) => self.wire.skip(value)?,
            }
        }
        Ok(())
    }

    /// `NodeProto`: only its attributes can hold weights.
    fn node(&mut self, end: u64, depth: u32) -> Result<(), Fault> {
        while let Some(field) = self.wire.field(end)? {
            match field {
                (5, Value::Until(end)) => self.attribute(end, depth)?,
                (_, value) => self.wire.skip(value)?,
            }
        }
        Ok(())
    }

    /// `AttributeProto`: tensors of constants, and graphs of branches and loops.
    fn attribute(&mut self, end: u64, depth: u32) -> Result<(), Fault> {
        while let Some(field) = self.wire.field(end)? {
            match field {
                (5 | 10, Value::Until(end)) => {
                    let tensor = self.tensor(end)?;
                    self.count(&tensor)?;
                }
                (6 | 11, Value::Until(end)) => self.graph(end, depth + 1)?,
                (_, value) => self.wire.skip(value)?,
            }
        }
        Ok(())
    }

    /// `SparseTensorProto`: the values carry the name, the indices only take room.
    fn sparse(&mut self, end: u64, depth: u32) -> Result<(), Fault> {
        while let Some(field) = self.wire.field(end)? {
            match field {
                (1 | 2, Value::Until(end)) => self.initializer(end, depth)?,
                (_, value) => self.wire.skip(value)?,
            }
        }
        Ok(())
    }

    fn initializer(&mut self, end: u64, depth: u32) -> Result<(), Fault> {
        let tensor = self.tensor(end)?;
        self.count(&tensor)?;
        if depth == 0 && !tensor.name.is_empty() {
            self.found.initializers.insert(tensor.name);
        }
        Ok(())
    }

    /// `TensorProto`, its values passed over.
    fn tensor(&mut self, end: u64) -> Result<Tensor, Fault> {
        let mut tensor = Tensor::new();
        while let Some(field) = self.wire.field(end)? {
            match field {
                (1, Value::Varint(dim)) => tensor.dim(dim),
                (1, Value::Until(end)) => {
                    while self.wire.left(end) > 0 {
                        tensor.dim(self.wire.varint(end)?);
                    }
                }
                (2, Value::Varint(code)) => tensor.element = element(code),
                (6, value @ Value::Until(end)) => {
                    tensor.text = tensor.text.saturating_add(self.wire.left(end));
                    self.wire.skip(value)?;
                }
                (8, Value::Until(end)) => tensor.name = self.wire.text(end)?,
                (9, value @ Value::Until(end)) => {
                    tensor.raw = Some(self.wire.left(end));
                    self.wire.skip(value)?;
                }
                (14, Value::Varint(location)) => tensor.external = location == EXTERNAL,
                (_, value) => self.wire.skip(value)?,
            }
        }
        Ok(tensor)
    }

    fn count(&mut self, tensor: &Tensor) -> Result<(), Fault> {
        let found = &mut self.found;
        found.parameters = found.parameters.saturating_add(tensor.parameters()?);
        found.weight_bytes = found.weight_bytes.saturating_add(tensor.bytes()?);
        found.external_data |= tensor.external;
        Ok(())
    }

    /// A small message, whole.
    fn message<M: Message + Default>(&mut self, end: u64) -> Result<M, Fault> {
        M::decode(self.wire.bytes(end)?.as_slice())
            .map_err(|_| Fault::Malformed("an input, an output or an operator set is damaged"))
    }
}

impl Tensor {
    fn new() -> Self {
        Self {
            name: String::new(),
            elements: Some(1),
            scalar: true,
            element: ElementType::Other(0),
            raw: None,
            text: 0,
            external: false,
        }
    }

    fn dim(&mut self, dim: u64) {
        self.scalar = false;
        let dim = u64::try_from(dim.cast_signed()).ok();
        self.elements =
            self.elements.zip(dim).and_then(|(elements, dim)| elements.checked_mul(dim));
    }

    fn elements(&self) -> Result<u64, Fault> {
        self.elements.ok_or(Fault::Malformed("the shape of a weight is impossible"))
    }

    /// Elements, where they can have been learned: shapes, indices, masks, texts and single
    /// numbers are part of the graph.
    fn parameters(&self) -> Result<u64, Fault> {
        let elements = self.elements()?;
        let structural = self.scalar
            || matches!(self.element, ElementType::Int64 | ElementType::Bool | ElementType::String);
        Ok(if structural { 0 } else { elements })
    }

    fn bytes(&self) -> Result<u64, Fault> {
        match (self.element.bytes(self.elements()?), self.raw) {
            (Some(due), Some(raw)) if due != raw => {
                Err(Fault::Malformed("the values of a weight do not fill its shape"))
            }
            (Some(due), _) => Ok(due),
            (None, raw) => Ok(raw.unwrap_or(0).saturating_add(self.text)),
        }
    }
}

fn element(code: u64) -> ElementType {
    ElementType::from_code(i32::try_from(code.cast_signed()).unwrap_or(i32::MAX))
}
