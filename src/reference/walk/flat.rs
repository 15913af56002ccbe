//! The same walk over a file in ONNX Runtime's own format (`.ort`), a `FlatBuffer`.
//!
//! Slots of tables are those of `onnxruntime/core/flatbuffers/schema/ort.fbs`, the layout that of
//! `FlatBuffers` (flatbuffers.dev/internals): a table begins with the way back to its list of
//! offsets, and everything else is an offset ahead. Offsets may point anywhere and to the same place
//! many times, so each is checked against the file, and all that is read is counted.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::super::onnx::{
    DimensionProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use super::super::wire::Fault;
use super::node::Node;
use super::tensor::Tensor;
use super::{
    Attribute, DEEPEST, Found, LONGEST_SHAPE, MOST_NODES, Origin, Place, element, has_dimensions,
};

/// Where the file says what it is, and what it says.
const MARK: (u64, &[u8; 4]) = (4, b"ORTM");

/// The longest name that is read, in bytes.
const LONGEST_NAME: u64 = 1 << 16;

/// Names are written once and pointed to from many places: this much may be read in all, and the
/// file this many times over.
const MOST_READ: u64 = 256 << 20;
const TIMES_READ: u64 = 8;

/// Parts of one kind in a graph.
const MOST_PARTS: u64 = 4 * MOST_NODES;

/// The part of the file that is kept for the next look.
const BLOCK: u64 = 4096;
const BLOCKS: usize = 256;

/// Whether the file begins as one in ONNX Runtime's own format.
pub(in super::super) fn is_ort_format(file: &File) -> io::Result<bool> {
    let mut mark = [0; 4];
    match file.read_exact_at(&mut mark, MARK.0) {
        Ok(()) => Ok(mark == *MARK.1),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// A table: where it is, and its list of offsets.
#[derive(Debug, Clone, Copy)]
struct Table {
    at: u64,
    slots: u64,
    bytes: u64,
}

/// Walks a model of which `found` remembers what matters.
#[derive(Debug)]
pub(in super::super) struct OrtWalk<'a> {
    file: &'a File,
    length: u64,
    /// Blocks of the file by their number.
    blocks: Vec<Option<(u64, Vec<u8>)>>,
    /// Bytes that were asked for.
    read: u64,
    pub found: Found,
}

impl<'a> OrtWalk<'a> {
    pub fn new(file: &'a File, length: u64) -> Self {
        let found = Found::default();
        Self { file, length, blocks: vec![None; BLOCKS], read: 0, found }
    }

    /// `InferenceSession`.
    pub fn model(&mut self) -> Result<(), Fault> {
        let root = self.follow(0)?;
        let session = self.table(root)?;
        let Some(model) = self.child(session, 1)? else {
            return Err(Fault::Malformed("it holds no model"));
        };
        self.found.ir_version = self.number(model, 0)?.map(i64::from_le_bytes);
        self.found.producer = self.text(model, 2)?;
        for set in self.tables(model, 1)? {
            let set = self.table(set)?;
            let version = self.number(set, 1)?.map_or(0, i64::from_le_bytes);
            let domain = self.text(set, 0)?;
            self.found.opset(domain, version)?;
        }
        if let Some(graph) = self.child(model, 7)? {
            self.found.has_graph = true;
            self.graph(graph, None, 0)?;
        }
        Ok(())
    }

    fn graph(&mut self, graph: Table, outer: Option<usize>, depth: u32) -> Result<(), Fault> {
        if depth > DEEPEST {
            return Err(Fault::Malformed("its graphs are nested too deeply"));
        }
        let place = Place { graph: self.found.enter(outer)?, depth };
        for tensor in self.tables(graph, 0)? {
            self.initializer(tensor, place)?;
        }
        for sparse in self.tables(graph, 7)? {
            let sparse = self.table(sparse)?;
            for part in [0, 1] {
                if let Some(tensor) = self.child(sparse, part)? {
                    self.initializer(tensor.at, place)?;
                }
            }
        }
        let (inputs, outputs) = (self.texts(graph, 5)?, self.texts(graph, 6)?);
        let origin = || if depth == 0 { Origin::Input } else { Origin::Opaque };
        for name in &inputs {
            self.found.define(place.graph, name.clone(), origin())?;
        }
        if depth == 0 {
            let mut values = std::collections::HashMap::new();
            for value in self.tables(graph, 1)? {
                let value = self.value(value)?;
                values.insert(value.name.clone().unwrap_or_default(), value);
            }
            let declared = |name: String| {
                let nothing = ValueInfoProto { name: Some(name.clone()), r#type: None };
                values.get(&name).cloned().unwrap_or(nothing)
            };
            for input in inputs {
                self.found.own_input(declared(input))?;
            }
            for output in outputs {
                self.found.output(declared(output))?;
            }
        }
        let nodes = self.tables(graph, 2)?;
        if depth == 0 {
            self.found.node_count = nodes.len() as u64;
        }
        nodes.into_iter().try_for_each(|node| self.node(node, place))
    }

    fn node(&mut self, at: u64, place: Place) -> Result<(), Fault> {
        self.found.begin_node()?;
        let table = self.table(at)?;
        let mut node = Node {
            domain: self.text(table, 2)?,
            op_type: self.text(table, 5)?,
            inputs: self.texts(table, 8)?,
            outputs: self.texts(table, 9)?,
            ..Node::default()
        };
        for attribute in self.tables(table, 10)? {
            let attribute = self.attribute(attribute, place)?;
            node.take(attribute);
        }
        self.found.end_node(node, place)
    }

    fn attribute(&mut self, at: u64, place: Place) -> Result<Attribute, Fault> {
        let table = self.table(at)?;
        let mut attribute = Attribute {
            name: self.text(table, 0)?,
            integer: self.number(table, 4)?.map_or(0, i64::from_le_bytes),
            integers: Some(Vec::new()),
            tensor: None,
        };
        let tensors: Vec<u64> = self
            .child(table, 6)?
            .into_iter()
            .map(|t| t.at)
            .chain(self.tables(table, 11)?)
            .collect();
        for tensor in tensors {
            let tensor = self.tensor(tensor)?;
            self.found.count(&tensor)?;
            attribute.tensor = Some(tensor);
        }
        let graphs: Vec<u64> = self
            .child(table, 7)?
            .into_iter()
            .map(|g| g.at)
            .chain(self.tables(table, 12)?)
            .collect();
        for graph in graphs {
            let graph = self.table(graph)?;
            self.graph(graph, Some(place.graph), place.depth + 1)?;
        }
        let floats = self.vector(table, 8, 4)?.map_or(0, |(_, count)| count * 4);
        let mut listed = floats;
        if let Some((at, count)) = self.vector(table, 9, 8)? {
            listed += count * 8;
            if count * 8 <= LONGEST_SHAPE {
                for index in 0..count {
                    attribute.integer_of_list(u64::from_le_bytes(self.word(at + index * 8)?));
                }
            } else {
                attribute.integers = None;
            }
        }
        if let Some((at, count)) = self.vector(table, 10, 4)? {
            for index in 0..count {
                let text = self.follow(at + index * 4)?;
                listed += u64::from(u32::from_le_bytes(self.word(text)?));
            }
        }
        self.found.attribute_bytes = self.found.attribute_bytes.saturating_add(listed);
        Ok(attribute)
    }

    fn initializer(&mut self, at: u64, place: Place) -> Result<(), Fault> {
        let tensor = self.tensor(at)?;
        self.found.store(tensor, place)
    }

    /// A stored tensor, its values passed over.
    fn tensor(&mut self, at: u64) -> Result<Tensor, Fault> {
        let table = self.table(at)?;
        let mut tensor = Tensor::new();
        tensor.name = self.text(table, 0)?;
        if let Some((at, count)) = self.vector(table, 2, 8)? {
            for index in 0..count {
                tensor.dim(u64::from_le_bytes(self.word(at + index * 8)?));
            }
        }
        let code = self.number(table, 3)?.map_or(0, i32::from_le_bytes);
        tensor.element = element(u64::try_from(code).unwrap_or(u64::MAX));
        if let Some((at, bytes)) = self.vector(table, 4, 1)? {
            tensor.raw = Some(bytes);
            if bytes <= LONGEST_SHAPE {
                tensor.short = self.bytes(at, bytes)?;
            }
        }
        if let Some((at, count)) = self.vector(table, 5, 4)? {
            for index in 0..count {
                let text = self.follow(at + index * 4)?;
                let bytes = u32::from_le_bytes(self.word(text)?);
                tensor.text = tensor.text.saturating_add(bytes.into());
            }
        }
        Ok(tensor)
    }

    /// `ValueInfo`, as the other format declares it.
    fn value(&mut self, at: u64) -> Result<ValueInfoProto, Fault> {
        let table = self.table(at)?;
        let name = Some(self.text(table, 0)?);
        let Some(declared) = self.child(table, 2)? else {
            return Ok(ValueInfoProto { name, r#type: None });
        };
        let kind = self.number(declared, 1)?.map_or(0, u8::from_le_bytes);
        let mut told = TypeProto::default();
        match (kind, self.child(declared, 2)?) {
            (1, Some(tensor)) => told.tensor_type = Some(self.tensor_type(tensor)?),
            (2, _) => told.sequence_type = Some(()),
            (3, _) => told.map_type = Some(()),
            _ => {}
        }
        Ok(ValueInfoProto { name, r#type: Some(told) })
    }

    fn tensor_type(&mut self, tensor: Table) -> Result<TensorTypeProto, Fault> {
        let elem_type = self.number(tensor, 0)?.map(i32::from_le_bytes);
        let Some(shape) = self.child(tensor, 1)? else {
            return Ok(TensorTypeProto { elem_type, shape: None });
        };
        let mut dim = Vec::new();
        let dimensions = self.tables(shape, 0)?;
        has_dimensions(dimensions.len())?;
        for dimension in dimensions {
            let dimension = self.table(dimension)?;
            let value = match self.child(dimension, 0)? {
                None => DimensionProto::default(),
                Some(value) => match self.number(value, 0)?.map_or(0, u8::from_le_bytes) {
                    1 => DimensionProto {
                        dim_value: Some(self.number(value, 1)?.map_or(0, i64::from_le_bytes)),
                        dim_param: None,
                    },
                    2 => DimensionProto { dim_value: None, dim_param: Some(self.text(value, 2)?) },
                    _ => DimensionProto::default(),
                },
            };
            dim.push(value);
        }
        Ok(TensorTypeProto { elem_type, shape: Some(TensorShapeProto { dim }) })
    }

    /// The table at a place.
    fn table(&mut self, at: u64) -> Result<Table, Fault> {
        let back = i32::from_le_bytes(self.word(at)?);
        let slots = at
            .checked_add_signed(-i64::from(back))
            .ok_or(Fault::Malformed("a part of it points to before its begin"))?;
        let bytes = u16::from_le_bytes(self.word(slots)?).into();
        Ok(Table { at, slots, bytes })
    }

    /// Where a field of a table is; `None` where it has its default.
    fn field(&mut self, table: Table, slot: u64) -> Result<Option<u64>, Fault> {
        let at = 4 + 2 * slot;
        if at + 2 > table.bytes {
            return Ok(None);
        }
        let offset = u16::from_le_bytes(self.word(table.slots + at)?);
        Ok((offset > 0).then(|| table.at + u64::from(offset)))
    }

    fn number<const N: usize>(
        &mut self,
        table: Table,
        slot: u64,
    ) -> Result<Option<[u8; N]>, Fault> {
        match self.field(table, slot)? {
            Some(at) => self.word(at).map(Some),
            None => Ok(None),
        }
    }

    /// Where the offset at a place leads.
    fn follow(&mut self, at: u64) -> Result<u64, Fault> {
        Ok(at + u64::from(u32::from_le_bytes(self.word(at)?)))
    }

    fn child(&mut self, table: Table, slot: u64) -> Result<Option<Table>, Fault> {
        let Some(at) = self.field(table, slot)? else { return Ok(None) };
        let at = self.follow(at)?;
        self.table(at).map(Some)
    }

    /// Where a list begins and how many it holds, each of so many bytes; all of it is in the file.
    fn vector(&mut self, table: Table, slot: u64, each: u64) -> Result<Option<(u64, u64)>, Fault> {
        let Some(at) = self.field(table, slot)? else { return Ok(None) };
        let at = self.follow(at)?;
        let count = u64::from(u32::from_le_bytes(self.word(at)?));
        let end = at + 4 + count * each;
        match end.checked_sub(self.length) {
            Some(missing @ 1..) => Err(Fault::PastTheEnd(missing)),
            _ => Ok(Some((at + 4, count))),
        }
    }

    /// Where the tables of a list are.
    fn tables(&mut self, table: Table, slot: u64) -> Result<Vec<u64>, Fault> {
        let Some((at, count)) = self.vector(table, slot, 4)? else { return Ok(Vec::new()) };
        if count > MOST_PARTS {
            return Err(Fault::Malformed("it has more parts than any model"));
        }
        (0..count).map(|index| self.follow(at + index * 4)).collect()
    }

    fn texts(&mut self, table: Table, slot: u64) -> Result<Vec<String>, Fault> {
        let places = self.tables(table, slot)?;
        places.into_iter().map(|at| self.text_at(at)).collect()
    }

    /// A text; empty where there is none.
    fn text(&mut self, table: Table, slot: u64) -> Result<String, Fault> {
        match self.field(table, slot)? {
            Some(at) => {
                let at = self.follow(at)?;
                self.text_at(at)
            }
            None => Ok(String::new()),
        }
    }

    fn text_at(&mut self, at: u64) -> Result<String, Fault> {
        let length = u64::from(u32::from_le_bytes(self.word(at)?));
        if length > LONGEST_NAME {
            return Err(Fault::Malformed("a name in it is longer than 64 KiB"));
        }
        Ok(String::from_utf8_lossy(&self.bytes(at + 4, length)?).into_owned())
    }

    fn word<const N: usize>(&mut self, at: u64) -> Result<[u8; N], Fault> {
        let mut word = [0; N];
        self.fill(at, &mut word)?;
        Ok(word)
    }

    /// Of few bytes: names and shapes.
    fn bytes(&mut self, at: u64, count: u64) -> Result<Vec<u8>, Fault> {
        let mut bytes = vec![0; usize::try_from(count).unwrap_or(0)];
        self.fill(at, &mut bytes)?;
        Ok(bytes)
    }

    /// Copies from a place of the file, a block at a time.
    fn fill(&mut self, at: u64, into: &mut [u8]) -> Result<(), Fault> {
        let end = at + into.len() as u64;
        if end > self.length {
            return Err(Fault::PastTheEnd(end - self.length));
        }
        self.read += into.len() as u64;
        if self.read > (self.length.saturating_mul(TIMES_READ).saturating_add(BLOCK)).min(MOST_READ)
        {
            return Err(Fault::Malformed("its parts point to each other again and again"));
        }
        let mut done = 0;
        while done < into.len() {
            let place = at + done as u64;
            let (number, within) = (place / BLOCK, usize::try_from(place % BLOCK).unwrap_or(0));
            let block = self.block(number)?;
            let part = block.get(within..).unwrap_or_default();
            let count = part.len().min(into.len() - done);
            if count == 0 {
                return Err(Fault::PastTheEnd(1));
            }
            into[done..done + count].copy_from_slice(&part[..count]);
            done += count;
        }
        Ok(())
    }

    fn block(&mut self, number: u64) -> Result<&[u8], Fault> {
        let slot = usize::try_from(number).unwrap_or(0) % BLOCKS;
        if self.blocks[slot].as_ref().is_none_or(|(of, _)| *of != number) {
            let begin = number * BLOCK;
            let mut bytes = vec![0; usize::try_from(BLOCK.min(self.length - begin)).unwrap_or(0)];
            self.file.read_exact_at(&mut bytes, begin)?;
            self.blocks[slot] = Some((number, bytes));
        }
        Ok(self.blocks[slot].as_ref().map_or(&[], |(_, bytes)| bytes))
    }
}
