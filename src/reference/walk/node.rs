//! A node, and what its operator says about the values around it.

use super::super::flow::{Flow, Origin};
use super::super::wire::Fault;
use super::tensor::{Known, Tensor};

/// A node without its nested graphs.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub op_type: String,
    pub domain: String,
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    /// Attributes `axis` and `gather_axis`.
    pub axis: Option<i64>,
    pub gather_axis: Option<i64>,
    /// Attribute `value` of `Constant` and `ConstantOfShape`.
    pub value: Option<Tensor>,
    /// Attribute `value_ints` of `Constant`.
    pub integers: Option<Vec<i64>>,
}

/// The domain of ONNX Runtime's own operators.
const MICROSOFT: &str = "com.microsoft";

/// Bits of an element of `ConstantOfShape` that does not say what it fills with.
const DEFAULT_FILL: u64 = 32;

impl Node {
    fn input(&self, index: usize) -> &str {
        self.inputs.get(index).map_or("", String::as_str)
    }

    /// Tells `flow` what this node of `graph` makes and reads. Operand numbers and defaults are
    /// those of `Operators.md` of ONNX and `ContribOperators.md` of ONNX Runtime.
    pub fn tell(&self, flow: &mut Flow, graph: usize) -> Result<(), Fault> {
        for output in &self.outputs {
            flow.define(graph, output.clone(), self.origin()?);
        }
        match self.op_type.as_str() {
            "Gather" | "GatherElements" => {
                flow.look_up(graph, self.input(0), self.input(1), self.axis.unwrap_or(0));
            }
            "GatherBlockQuantized" if self.domain == MICROSOFT => {
                flow.look_up(graph, self.input(0), self.input(1), self.gather_axis.unwrap_or(0));
            }
            "EmbedLayerNormalization" | "QEmbedLayerNormalization" if self.domain == MICROSOFT => {
                flow.look_up(graph, self.input(2), self.input(0), 0);
                flow.look_up(graph, self.input(4), self.input(1), 0);
                if self.op_type == "EmbedLayerNormalization" {
                    flow.look_up(graph, self.input(3), self.input(8), 0);
                }
            }
            _ => {}
        }
        for &operand in self.weights() {
            flow.multiply(graph, self.input(operand), self.op_type.contains("Conv"));
        }
        Ok(())
    }

    /// Where the results come from.
    fn origin(&self) -> Result<Origin, Fault> {
        let carried = |same_shape| Origin::Carried { from: self.input(0).to_owned(), same_shape };
        Ok(match self.op_type.as_str() {
            "Identity" | "Cast" | "CastLike" | "DequantizeLinear" => carried(true),
            "Unsqueeze" | "Squeeze" | "Reshape" | "Flatten" | "Transpose" | "Expand" | "Tile"
            | "Slice" | "Split" | "Gather" | "GatherElements" | "GatherND" => carried(false),
            "Constant" => self.constant()?.map_or(Origin::Opaque, Origin::Constant),
            "ConstantOfShape" => {
                Origin::Filled { shape: self.input(0).to_owned(), element_bits: self.fill_bits() }
            }
            _ => Origin::Opaque,
        })
    }

    fn constant(&self) -> Result<Option<Known>, Fault> {
        let listed = |values: &Vec<i64>| Known {
            dims: vec![i64::try_from(values.len()).unwrap_or(i64::MAX)],
            bytes: 8 * values.len() as u64,
            values: Some(values.clone()),
        };
        match &self.value {
            Some(tensor) => tensor.known().map(Some),
            None => Ok(self.integers.as_ref().map(listed)),
        }
    }

    fn fill_bits(&self) -> u64 {
        let bits = |tensor: &Tensor| tensor.element.bytes(8).unwrap_or(DEFAULT_FILL);
        self.value.as_ref().map_or(DEFAULT_FILL, bits)
    }

    /// Which operands are weights that the operator multiplies by.
    fn weights(&self) -> &'static [usize] {
        match self.op_type.as_str() {
            "MatMul" | "Gemm" | "Conv" | "ConvTranspose" | "MatMulInteger" | "ConvInteger" => &[1],
            "QLinearConv" | "QLinearMatMul" => &[3],
            "LSTM" | "GRU" | "RNN" => &[1, 2],
            "MatMulNBits"
            | "FusedMatMul"
            | "FusedGemm"
            | "FusedConv"
            | "Attention"
            | "QAttention"
            | "DynamicQuantizeMatMul"
            | "MatMulIntegerToFloat"
                if self.domain == MICROSOFT =>
            {
                &[1]
            }
            _ => &[],
        }
    }
}
