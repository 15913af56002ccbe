//! One pass over the fields of a model, keeping what `inspect` reports.
//!
//! Field numbers are those of `onnx.proto`. What grows with the weights is only counted; what is
//! kept grows with the nodes and the names of values, of which there are at most [`MOST_NODES`].

mod flat;
mod node;
mod tensor;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{Read, Seek};

use prost::Message;

use super::element::ElementType;
use super::flow::{Flow, Origin};
use super::onnx::{OperatorSetIdProto, StringStringEntryProto, ValueInfoProto};
use super::wire::{Fault, Value, Wire, short};
pub(super) use flat::{OrtWalk, is_ort_format};
use node::Node;
pub(super) use tensor::Known;
use tensor::{EXTERNAL, LONGEST_SHAPE, MOST_KEPT, Tensor};

/// Graphs inside graphs (branches, loop bodies) that are followed.
const DEEPEST: u32 = 32;

/// Nodes, and as many graphs and names of values, that are read: several times what the largest
/// published models have, so that a hostile file cannot fill the memory.
const MOST_NODES: u64 = 1 << 19;

/// Inputs of the model, and as many outputs, operands of a node, local functions and external files.
const MOST_LISTED: usize = 1 << 16;

/// Dimensions of an input or an output.
const MOST_DIMENSIONS: usize = 64;

/// Operator sets, and ten times as many kinds of operators.
const MOST_OPSETS: usize = 1000;

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
    /// Domain and name of operators, and how many nodes are of them.
    pub operators: HashMap<(String, String), u64>,
    /// Domain and name of local functions.
    pub functions: HashSet<(String, String)>,
    pub parameters: u64,
    pub weight_bytes: u64,
    /// Bytes of the largest stored tensor.
    pub largest_bytes: u64,
    /// Elements and bytes of the stored tensors.
    pub weights: HashMap<ElementType, (u64, u64)>,
    pub attribute_bytes: u64,
    /// Locations of external files, and the end of the last tensor in each.
    pub external: BTreeMap<String, u64>,
    /// Nodes of the main graph.
    pub node_count: u64,
    pub flow: Flow,
    /// Nodes of all graphs.
    nodes: u64,
    /// Names of values that are kept.
    names: u64,
}

/// Where a node is.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// The number of its graph in the flow.
    graph: usize,
    /// Graphs around its graph; 0 for the main one.
    depth: u32,
}

/// An attribute: what of it `Node` keeps.
#[derive(Debug, Default)]
struct Attribute {
    name: String,
    integer: i64,
    /// `None` where there are more than a shape has.
    integers: Option<Vec<i64>>,
    tensor: Option<Tensor>,
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
                    self.graph(end, None, 0)?;
                }
                (8, Value::Until(end)) => {
                    let set: OperatorSetIdProto = self.message(end)?;
                    short(set.domain.as_ref())?;
                    self.found.opset(set.domain.unwrap_or_default(), set.version.unwrap_or(0))?;
                }
                (25, Value::Until(end)) => self.function(end)?,
                (_, value) => self.wire.skip(value)?,
            }
        }
        Ok(())
    }

    /// `GraphProto`; `depth` is 0 for the main one.
    fn graph(&mut self, end: u64, outer: Option<usize>, depth: u32) -> Result<(), Fault> {
        if depth > DEEPEST {
            return Err(Fault::Malformed("its graphs are nested too deeply"));
        }
        let place = Place { graph: self.found.enter(outer)?, depth };
        while let Some(field) = self.wire.field(end)? {
            match field {
                (1, Value::Until(end)) => {
                    self.found.node_count += u64::from(depth == 0);
                    self.node(end, place)?;
                }
                (5, Value::Until(end)) => self.initializer(end, place)?,
                (15, Value::Until(end)) => self.sparse(end, place)?,
                (11, Value::Until(end)) => self.input(end, place)?,
                (12, Value::Until(end)) if depth == 0 => {
                    let output = self.port(end)?;
                    self.found.output(output)?;
                }
                (_, value) => self.wire.skip(value)?,
            }
        }
        Ok(())
    }

    /// The declaration of an input or an output.
    fn port(&mut self, end: u64) -> Result<ValueInfoProto, Fault> {
        let port: ValueInfoProto = self.message(end)?;
        short(port.name.as_ref())?;
        let tensor = port.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
        let dims = tensor.and_then(|t| t.shape.as_ref()).map_or(&[][..], |shape| &shape.dim);
        has_dimensions(dims.len())?;
        dims.iter().try_for_each(|dim| short(dim.dim_param.as_ref()))?;
        Ok(port)
    }

    /// `FunctionProto`: a graph whose operands are named when it is called.
    fn function(&mut self, end: u64) -> Result<(), Fault> {
        let place = Place { graph: self.found.enter(None)?, depth: 1 };
        let (mut domain, mut name) = (String::new(), String::new());
        while let Some(field) = self.wire.field(end)? {
            match field {
                (1, Value::Until(end)) => name = self.wire.lossy(end)?,
                (7, Value::Until(end)) => self.node(end, place)?,
                (10, Value::Until(end)) => domain = self.wire.lossy(end)?,
                (_, value) => self.wire.skip(value)?,
            }
        }
        fits(self.found.functions.len(), MOST_LISTED, "it has too many local functions")?;
        self.found.functions.insert((domain, name));
        Ok(())
    }

    /// An input of a graph. Only those of the main one are the model's.
    fn input(&mut self, end: u64, place: Place) -> Result<(), Fault> {
        let input = self.port(end)?;
        let origin = if place.depth == 0 { Origin::Input } else { Origin::Opaque };
        self.found.define(place.graph, input.name.clone().unwrap_or_default(), origin)?;
        if place.depth == 0 {
            self.found.own_input(input)?;
        }
        Ok(())
    }

    /// `NodeProto`.
    fn node(&mut self, end: u64, place: Place) -> Result<(), Fault> {
        self.found.begin_node()?;
        let mut node = Node::default();
        while let Some(field) = self.wire.field(end)? {
            fits(
                node.inputs.len().max(node.outputs.len()),
                MOST_LISTED,
                "a node has too many operands",
            )?;
            match field {
                (1, Value::Until(end)) => node.inputs.push(self.wire.lossy(end)?),
                (2, Value::Until(end)) => node.outputs.push(self.wire.lossy(end)?),
                (4, Value::Until(end)) => node.op_type = self.wire.lossy(end)?,
                (5, Value::Until(end)) => {
                    let attribute = self.attribute(end, place)?;
                    node.take(attribute);
                }
                (7, Value::Until(end)) => node.domain = self.wire.lossy(end)?,
                (_, value) => self.wire.skip(value)?,
            }
        }
        self.found.end_node(node, place)
    }

    /// `AttributeProto`: tensors of constants, lists, and graphs of branches and loops.
    fn attribute(&mut self, end: u64, place: Place) -> Result<Attribute, Fault> {
        let mut attribute = Attribute { integers: Some(Vec::new()), ..Attribute::default() };
        let mut listed = 0_u64;
        while let Some(field) = self.wire.field(end)? {
            match field {
                (1, Value::Until(end)) => attribute.name = self.wire.lossy(end)?,
                (3, Value::Varint(value)) => attribute.integer = value.cast_signed(),
                (5 | 10, Value::Until(end)) => {
                    let tensor = self.tensor(end)?;
                    self.found.count(&tensor)?;
                    attribute.tensor = Some(tensor);
                }
                (22 | 23, Value::Until(end)) => self.sparse(end, place)?,
                (6 | 11, Value::Until(end)) => {
                    self.graph(end, Some(place.graph), place.depth + 1)?;
                }
                (7, Value::Fixed(width)) => listed += width,
                (8, Value::Varint(value)) => {
                    attribute.integer_of_list(value);
                    listed += size_of::<i64>() as u64;
                }
                (8, Value::Until(end)) if self.wire.left(end) <= LONGEST_SHAPE => {
                    while self.wire.left(end) > 0 {
                        attribute.integer_of_list(self.wire.varint(end)?);
                        listed += size_of::<i64>() as u64;
                    }
                }
                // Long packed numbers, and texts one by one.
                (7..=9, value @ Value::Until(end)) => {
                    attribute.integers = None;
                    listed += self.wire.left(end);
                    self.wire.skip(value)?;
                }
                (_, value) => self.wire.skip(value)?,
            }
        }
        self.found.attribute_bytes = self.found.attribute_bytes.saturating_add(listed);
        Ok(attribute)
    }

    /// `SparseTensorProto`: the values carry the name, the indices only take room.
    fn sparse(&mut self, end: u64, place: Place) -> Result<(), Fault> {
        while let Some(field) = self.wire.field(end)? {
            match field {
                (1 | 2, Value::Until(end)) => self.initializer(end, place)?,
                (_, value) => self.wire.skip(value)?,
            }
        }
        Ok(())
    }

    fn initializer(&mut self, end: u64, place: Place) -> Result<(), Fault> {
        let tensor = self.tensor(end)?;
        self.found.store(tensor, place)
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
                (7, Value::Varint(value)) => {
                    tensor.listed = tensor.listed.saturating_add(1);
                    tensor.integer(value);
                }
                (7, Value::Until(end)) if self.wire.left(end) <= LONGEST_SHAPE => {
                    tensor.listed = tensor.listed.saturating_add(self.wire.left(end));
                    while self.wire.left(end) > 0 {
                        tensor.integer(self.wire.varint(end)?);
                    }
                }
                (4 | 5 | 7 | 10 | 11, value) => {
                    tensor.listed = tensor.listed.saturating_add(self.width(value));
                    self.wire.skip(value)?;
                }
                (8, Value::Until(end)) => tensor.name = self.wire.text(end)?,
                (9, value @ Value::Until(end)) => {
                    tensor.raw = Some(self.wire.left(end));
                    match self.wire.left(end) {
                        0..=LONGEST_SHAPE => tensor.short = self.wire.bytes(end)?,
                        _ => self.wire.skip(value)?,
                    }
                }
                (13, Value::Until(end)) => self.external(end, &mut tensor)?,
                (14, Value::Varint(location)) => tensor.external = location == EXTERNAL,
                (_, value) => self.wire.skip(value)?,
            }
        }
        Ok(tensor)
    }

    /// Bytes that the numbers of a field take, at least.
    fn width(&self, value: Value) -> u64 {
        match value {
            Value::Varint(_) => 1,
            Value::Fixed(width) => width,
            Value::Until(end) => self.wire.left(end),
        }
    }

    /// One entry of `TensorProto.external_data`.
    fn external(&mut self, end: u64, tensor: &mut Tensor) -> Result<(), Fault> {
        let entry: StringStringEntryProto = self.message(end)?;
        short(entry.value.as_ref())?;
        let value = entry.value.unwrap_or_default();
        match entry.key.as_deref() {
            Some("location") => tensor.location = value,
            Some("offset") => tensor.offset = value,
            Some("length") => tensor.length = value,
            _ => {}
        }
        Ok(())
    }

    /// A small message, whole.
    fn message<M: Message + Default>(&mut self, end: u64) -> Result<M, Fault> {
        M::decode(self.wire.bytes(end)?.as_slice())
            .map_err(|_| Fault::Malformed("an input, an output or an operator set is damaged"))
    }
}

/// What is kept, in either format, within what a model may have.
impl Found {
    fn opset(&mut self, domain: String, version: i64) -> Result<(), Fault> {
        fits(self.opsets.len(), MOST_OPSETS, "it names too many operator sets")?;
        self.opsets.push((domain, version));
        Ok(())
    }

    /// The number of a new graph inside `outer`.
    fn enter(&mut self, outer: Option<usize>) -> Result<usize, Fault> {
        let graph = self.flow.open(outer);
        if graph as u64 > MOST_NODES {
            return Err(Fault::Malformed("it has more than half a million graphs"));
        }
        Ok(graph)
    }

    /// Says what a name means in a graph.
    fn define(&mut self, graph: usize, name: String, origin: Origin) -> Result<(), Fault> {
        self.named(u64::from(!name.is_empty()))?;
        self.flow.define(graph, name, origin);
        Ok(())
    }

    /// Counts names of values that are kept.
    fn named(&mut self, names: u64) -> Result<(), Fault> {
        self.names += names;
        if self.names > MOST_NODES {
            return Err(Fault::Malformed("it names more than half a million values"));
        }
        Ok(())
    }

    /// An input of the model itself.
    fn own_input(&mut self, input: ValueInfoProto) -> Result<(), Fault> {
        fits(self.inputs.len(), MOST_LISTED, "it has too many inputs")?;
        self.inputs.push(input);
        Ok(())
    }

    fn output(&mut self, output: ValueInfoProto) -> Result<(), Fault> {
        fits(self.outputs.len(), MOST_LISTED, "it has too many outputs")?;
        self.outputs.push(output);
        Ok(())
    }

    fn begin_node(&mut self) -> Result<(), Fault> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(Fault::Malformed("it has more than half a million nodes"));
        }
        Ok(())
    }

    fn end_node(&mut self, node: Node, place: Place) -> Result<(), Fault> {
        self.named(node.outputs.len() as u64)?;
        node.tell(&mut self.flow, place.graph)?;
        fits(self.operators.len(), 10 * MOST_OPSETS, "it has too many kinds of operators")?;
        *self.operators.entry((node.domain, node.op_type)).or_default() += 1;
        Ok(())
    }

    /// Keeps an initializer.
    fn store(&mut self, tensor: Tensor, place: Place) -> Result<(), Fault> {
        self.count(&tensor)?;
        let known = Origin::Constant(tensor.known()?);
        self.define(place.graph, tensor.name.clone(), known)?;
        if place.depth == 0 && !tensor.name.is_empty() {
            self.initializers.insert(tensor.name);
        }
        Ok(())
    }

    fn count(&mut self, tensor: &Tensor) -> Result<(), Fault> {
        let (elements, bytes) = (tensor.elements()?, tensor.bytes()?);
        self.parameters = self.parameters.saturating_add(tensor.parameters()?);
        self.weight_bytes = self.weight_bytes.saturating_add(bytes);
        self.largest_bytes = self.largest_bytes.max(bytes);
        let of_type = self.weights.entry(tensor.element).or_default();
        of_type.0 = of_type.0.saturating_add(elements);
        of_type.1 = of_type.1.saturating_add(bytes);
        if tensor.external {
            fits(self.external.len(), MOST_LISTED, "its weights are in too many files")?;
            let needed = self.external.entry(tensor.location.clone()).or_default();
            *needed = (*needed).max(tensor.external_end()?);
        }
        Ok(())
    }
}

impl Attribute {
    fn integer_of_list(&mut self, value: u64) {
        self.integers = self.integers.take().filter(|list| list.len() < MOST_KEPT);
        if let Some(list) = &mut self.integers {
            list.push(value.cast_signed());
        }
    }
}

impl Node {
    /// Keeps what the operators of interest say in their attributes.
    fn take(&mut self, attribute: Attribute) {
        match attribute.name.as_str() {
            "axis" => self.axis = Some(attribute.integer),
            "gather_axis" => self.gather_axis = Some(attribute.integer),
            "value" => self.value = attribute.tensor,
            "value_ints" => self.integers = attribute.integers,
            _ => {}
        }
    }
}

fn has_dimensions(count: usize) -> Result<(), Fault> {
    if count > MOST_DIMENSIONS {
        return Err(Fault::Malformed("an input or an output has more than 64 dimensions"));
    }
    Ok(())
}

/// That one more has room in a list.
fn fits(length: usize, most: usize, fault: &'static str) -> Result<(), Fault> {
    if length < most { Ok(()) } else { Err(Fault::Malformed(fault)) }
}

fn element(code: u64) -> ElementType {
    ElementType::from_code(i32::try_from(code.cast_signed()).unwrap_or(i32::MAX))
}
