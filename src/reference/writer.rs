//! A reference model as the bytes of an ONNX file, streamed.
//!
//! Protocol buffers leave the order of fields free, so the small part of the model is encoded in
//! memory, the graph's length is computed, and each weight follows as it is made. The file, 102 MB
//! for ResNet-50, is never held: writing takes some tens of kilobytes.

use std::io::{self, Write};

use prost::Message;

use super::architecture::Architecture;
use super::graph::{Graph, Weight};
use super::onnx::{GraphProto, ModelProto, OperatorSetIdProto, StringStringEntryProto};
use super::weights::SplitMix64;

/// Version of what is written. A cached file is found by it, so every change of the bytes raises it.
pub const WRITER_VERSION: u32 = 1;

/// The most classes that a reference model may have.
pub const MAX_CLASSES: u32 = 100_000;

/// ONNX format and operators that every runtime of the last years reads without a remark.
const IR_VERSION: i64 = 8;
const OPSET: i64 = 17;

/// Keys of length-delimited fields: the field number and wire type 2.
const MODEL_GRAPH: u8 = 7 << 3 | 2;
const GRAPH_INITIALIZER: u8 = 5 << 3 | 2;
const TENSOR_RAW_DATA: u8 = 9 << 3 | 2;

/// A count of classes that no file is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} classes: a reference model has from 1 to {MAX_CLASSES} classes")]
pub struct ClassesOutOfRange(pub u32);

/// A model to be written: an architecture, how many classes it tells apart, and a seed. Two equal
/// references are two equal files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reference {
    architecture: Architecture,
    classes: u32,
    seed: u64,
}

impl Reference {
    /// Chooses what to write.
    ///
    /// # Errors
    /// Where `classes` is not in 1..=[`MAX_CLASSES`].
    pub fn new(
        architecture: Architecture,
        classes: u32,
        seed: u64,
    ) -> Result<Self, ClassesOutOfRange> {
        if (1..=MAX_CLASSES).contains(&classes) {
            Ok(Self { architecture, classes, seed })
        } else {
            Err(ClassesOutOfRange(classes))
        }
    }

    /// Which network.
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// How many classes the logits have.
    pub fn classes(&self) -> u32 {
        self.classes
    }

    /// Where the weights start from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Height and width of the input image, in pixels.
    pub fn input_size(&self) -> u32 {
        self.architecture.input_size()
    }

    /// The name of its one input.
    pub const fn input_name(&self) -> &'static str {
        self.architecture.input_name()
    }

    /// Values in the weights: published parameters, less one per folded channel.
    pub fn parameters(&self) -> u64 {
        self.graph().parameters()
    }

    /// Exact size of the file, in bytes, without writing it.
    pub fn file_bytes(&self) -> u64 {
        let graph = self.graph();
        let (head, body) = (self.model().encoded_len(), graph_bytes(&graph));
        (head + delimited(body)) as u64
    }

    /// A name that differs whenever the bytes do, such as `resnet50-c2-s1-v1.onnx`.
    pub fn file_name(&self) -> String {
        let Self { architecture, classes, seed } = self;
        format!("{architecture}-c{classes}-s{seed}-v{WRITER_VERSION}.onnx")
    }

    /// Writes the file. Weights go out in pieces of some kilobytes; small pieces come between them,
    /// so a file is best given inside a [`std::io::BufWriter`].
    ///
    /// # Errors
    /// Where `out` fails.
    pub fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        let graph = self.graph();
        let mut head = self.model().encode_to_vec();
        key(MODEL_GRAPH, graph_bytes(&graph), &mut head)?;
        out.write_all(&head)?;
        out.write_all(&small_part(&graph).encode_to_vec())?;
        let mut random = SplitMix64::new(self.seed);
        graph.weights.iter().try_for_each(|weight| write_weight(weight, &mut random, out))
    }

    fn graph(&self) -> Graph {
        self.architecture.graph(self.classes)
    }

    /// All of the model but its graph.
    fn model(&self) -> ModelProto {
        let entry = |key: &str, value: String| StringStringEntryProto {
            key: Some(key.to_owned()),
            value: Some(value),
        };
        let doc = format!(
            "{}, {} classes. The weights are synthetic (seed {}): for measuring memory and time, \
             not for predictions.",
            self.architecture, self.classes, self.seed
        );
        ModelProto {
            ir_version: Some(IR_VERSION),
            producer_name: Some("mediscope-size".to_owned()),
            producer_version: Some(WRITER_VERSION.to_string()),
            doc_string: Some(doc),
            opset_import: vec![OperatorSetIdProto {
                domain: Some(String::new()),
                version: Some(OPSET),
            }],
            metadata_props: vec![
                entry("weights", "synthetic".to_owned()),
                entry("seed", self.seed.to_string()),
            ],
        }
    }
}

/// Nodes, inputs and outputs.
fn small_part(graph: &Graph) -> GraphProto {
    GraphProto {
        node: graph.nodes.clone(),
        name: Some("reference".to_owned()),
        input: graph.inputs.clone(),
        output: graph.outputs.clone(),
    }
}

fn write_weight(weight: &Weight, random: &mut SplitMix64, out: &mut impl Write) -> io::Result<()> {
    let mut head = Vec::new();
    key(GRAPH_INITIALIZER, weight_bytes(weight), &mut head)?;
    weight.head().encode(&mut head)?;
    key(TENSOR_RAW_DATA, value_bytes(weight), &mut head)?;
    out.write_all(&head)?;
    random.write_uniform(out, weight.elements(), weight.bound)
}

/// Appends the key and the length of a field of `length` bytes.
fn key(key: u8, length: usize, out: &mut Vec<u8>) -> io::Result<()> {
    out.push(key);
    Ok(prost::encode_length_delimiter(length, out)?)
}

/// Size of the graph message.
fn graph_bytes(graph: &Graph) -> usize {
    let weights: usize = graph.weights.iter().map(|w| delimited(weight_bytes(w))).sum();
    small_part(graph).encoded_len() + weights
}

/// Size of a weight's message.
fn weight_bytes(weight: &Weight) -> usize {
    weight.head().encoded_len() + delimited(value_bytes(weight))
}

/// Size of a weight's values.
fn value_bytes(weight: &Weight) -> usize {
    weight.elements() * size_of::<f32>()
}

/// A field of `length` bytes with its one-byte key and its length.
fn delimited(length: usize) -> usize {
    1 + prost::length_delimiter_len(length) + length
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    fn reference(architecture: Architecture, classes: u32, seed: u64) -> Reference {
        Reference::new(architecture, classes, seed).unwrap()
    }

    /// Hands each piece that is written to a function, and keeps none.
    struct Each<F>(F);

    impl<F: FnMut(&[u8])> Write for Each<F> {
        fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
            self.0(piece);
            Ok(piece.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The first eight bytes of the SHA-256 of the file.
    fn digest(reference: Reference) -> u64 {
        let mut hash = Sha256::new();
        reference.write_to(&mut Each(|piece: &[u8]| hash.update(piece))).unwrap();
        u64::from_be_bytes(hash.finalize()[..8].try_into().unwrap())
    }

    #[test]
    fn the_size_is_known_before_it_is_written() {
        for architecture in Architecture::ALL {
            for classes in [1, 2, 127, 1000] {
                let reference = reference(architecture, classes, 1);
                let mut bytes = 0;
                reference.write_to(&mut Each(|piece: &[u8]| bytes += piece.len() as u64)).unwrap();
                assert_eq!(bytes, reference.file_bytes(), "{}", reference.file_name());
                assert!(bytes > 4 * reference.parameters());
            }
        }
    }

    /// If this fails on purpose, raise [`WRITER_VERSION`] with it: cached files are found by it.
    #[test]
    fn the_bytes_of_this_writer_version_do_not_change() {
        assert_eq!(WRITER_VERSION, 1);
        assert_eq!(digest(reference(Architecture::ResNet18, 2, 1)), 0xdf3b_ad23_2724_f0d2);
    }

    #[test]
    fn the_seed_decides_the_bytes() {
        let one = digest(reference(Architecture::ResNet18, 3, 1));
        assert_eq!(one, digest(reference(Architecture::ResNet18, 3, 1)));
        assert_ne!(one, digest(reference(Architecture::ResNet18, 3, 2)));
    }

    #[test]
    fn a_class_costs_a_row_and_a_bias() {
        let count = |classes| reference(Architecture::ResNet50, classes, 1).parameters();
        assert_eq!(count(1000), 25_530_472);
        assert_eq!(count(1000) - count(2), 998 * 2049);
        assert_eq!(count(MAX_CLASSES) - count(1), 99_999 * 2049);
    }

    #[test]
    fn the_name_says_all_that_decides_the_bytes() {
        assert_eq!(reference(Architecture::ResNet50, 2, 1).file_name(), "resnet50-c2-s1-v1.onnx");
    }

    #[test]
    fn class_counts_out_of_range_are_refused() {
        for classes in [0, MAX_CLASSES + 1, u32::MAX] {
            let error = Reference::new(Architecture::ResNet18, classes, 1).unwrap_err();
            assert_eq!(error, ClassesOutOfRange(classes));
            assert!(error.to_string().ends_with("from 1 to 100000 classes"), "{error}");
        }
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let mut small = vec![0; 70_000];
        let error = reference(Architecture::ResNet18, 2, 1).write_to(&mut small.as_mut_slice());
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::WriteZero);
    }
}
