//! A graph while it is drawn: nodes, and weights that are described but not yet made.
//!
//! The layers that architectures are built from are methods here; each returns what it produced,
//! so that drawing a network reads like its paper. Weights stay descriptions (a name, a shape, a
//! spread) until `writer` streams them.

mod join;

use super::onnx::{
    ATTRIBUTE_INT, ATTRIBUTE_INTS, ATTRIBUTE_STRING, ATTRIBUTE_TENSOR, AttributeProto, NodeProto,
    TENSOR_FLOAT, TENSOR_INT64, TensorProto, ValueInfoProto,
};
use super::weights::bound;

/// Spread of biases: small beside activations of about one, as after folding a normalisation.
const BIAS_BOUND: f32 = 0.1;

/// A weight to be written: one initializer.
#[derive(Debug, Clone)]
pub(super) struct Weight {
    pub name: String,
    pub dims: Vec<u32>,
    /// Values are uniform in `-bound..bound`.
    pub bound: f32,
}

impl Weight {
    /// How many values it has.
    pub fn elements(&self) -> usize {
        self.dims.iter().map(|&d| d as usize).product()
    }

    /// The message without its values.
    pub fn head(&self) -> TensorProto {
        TensorProto {
            dims: self.dims.iter().map(|&d| d.into()).collect(),
            data_type: Some(TENSOR_FLOAT),
            name: Some(self.name.clone()),
            ..TensorProto::default()
        }
    }
}

/// A square feature map `[1, channels, side, side]` that a node produced.
#[derive(Debug, Clone)]
pub(super) struct Feature {
    pub name: String,
    pub channels: u32,
    pub side: u32,
}

/// One convolution, padded so that a stride of 1 keeps the side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conv {
    pub channels: u32,
    /// Side of the kernel, odd.
    pub kernel: u32,
    pub stride: u32,
    /// Variance of the weights times the fan-in: see [`bound`].
    pub gain: f64,
}

/// A network: what is computed and what it needs.
#[derive(Debug, Clone, Default)]
pub(super) struct Graph {
    pub nodes: Vec<NodeProto>,
    pub weights: Vec<Weight>,
    pub inputs: Vec<ValueInfoProto>,
    pub outputs: Vec<ValueInfoProto>,
    folded_channels: u64,
    fixed_parameters: u64,
}

impl Graph {
    /// Values in all weights.
    pub fn parameters(&self) -> u64 {
        self.weights.iter().map(|w| w.elements() as u64).sum()
    }

    /// Channels whose normalisation is folded into a convolution, each one parameter fewer than
    /// published.
    #[cfg(test)]
    pub fn folded_channels(&self) -> u64 {
        self.folded_channels
    }

    /// Values that are published with the parameters though no training changes them: constants
    /// here.
    #[cfg(test)]
    pub fn fixed_parameters(&self) -> u64 {
        self.fixed_parameters
    }

    /// An image `[1, channels, side, side]` that the caller gives.
    pub fn image(&mut self, name: &str, channels: u32, side: u32) -> Feature {
        self.inputs.push(ValueInfoProto::float(name, &[1, channels, side, side]));
        Feature { name: name.to_owned(), channels, side }
    }

    /// Declares that the value called `name` is a result.
    pub fn output(&mut self, name: &str, dims: &[u32]) {
        self.outputs.push(ValueInfoProto::float(name, dims));
    }

    /// A convolution with a bias, into which the normalisation that follows it is folded.
    pub fn conv(&mut self, name: &str, input: &Feature, conv: Conv) -> Feature {
        let Conv { channels, kernel, stride, gain } = conv;
        let pad = kernel / 2;
        let fan_in = input.channels * kernel * kernel;
        let weight =
            self.weight(name, &[channels, input.channels, kernel, kernel], bound(gain, fan_in));
        let bias = self.bias(name, channels);
        self.folded_channels += u64::from(channels);
        let attributes = vec![
            ints("kernel_shape", &[kernel; 2]),
            ints("pads", &[pad; 4]),
            ints("strides", &[stride; 2]),
        ];
        let output = self.node("Conv", name, &[&input.name, &weight, &bias], attributes);
        Feature { name: output, channels, side: strided(input.side, kernel, stride) }
    }

    /// `max(0, x)`.
    pub fn relu(&mut self, name: &str, input: &Feature) -> Feature {
        let output = self.node("Relu", name, &[&input.name], vec![]);
        Feature { name: output, ..*input }
    }

    /// The largest of each window, padded like [`Graph::conv`].
    pub fn max_pool(&mut self, name: &str, input: &Feature, kernel: u32, stride: u32) -> Feature {
        let attributes = vec![
            ints("kernel_shape", &[kernel; 2]),
            ints("pads", &[kernel / 2; 4]),
            ints("strides", &[stride; 2]),
        ];
        let output = self.node("MaxPool", name, &[&input.name], attributes);
        Feature { name: output, side: strided(input.side, kernel, stride), ..*input }
    }

    /// The sum of two maps of one shape.
    pub fn add(&mut self, name: &str, left: &Feature, right: &Feature) -> Feature {
        let output = self.node("Add", name, &[&left.name, &right.name], vec![]);
        Feature { name: output, ..*left }
    }

    /// Global average, then a linear layer whose result is named `logits`, `[1, classes]`. Returns
    /// the name of the layer's weight, `[classes, channels]`.
    pub fn classifier(&mut self, name: &str, features: &Feature, classes: u32) -> String {
        let pooled = self.node("GlobalAveragePool", "avgpool", &[&features.name], vec![]);
        let flat = self.node("Flatten", "flatten", &[&pooled], vec![int("axis", 1)]);
        let spread = bound(1.0, features.channels);
        let weight = self.weight(name, &[classes, features.channels], spread);
        let bias = self.bias(name, classes);
        self.node("Gemm", "logits", &[&flat, &weight, &bias], vec![int("transB", 1)]);
        self.output("logits", &[1, classes]);
        weight
    }

    /// The class activation map of the top class, named `cam`, `[1, side, side]` (Zhou et al.,
    /// "Learning deep features for discriminative localization", 2016, equation 2).
    pub fn activation_map(&mut self, features: &Feature, class_weight: &str) {
        let Feature { name, channels, side } = features;
        let axis = |a| int("axis", a);
        let top = self.node("ArgMax", "cam.top", &["logits"], vec![axis(1), int("keepdims", 0)]);
        let row = self.node("Gather", "cam.row", &[class_weight, &top], vec![axis(0)]);
        let flat = self.reshape("cam.flat", name, &[*channels, side * side]);
        let sum = self.node("MatMul", "cam.sum", &[&row, &flat], vec![]);
        self.reshape("cam", &sum, &[1, *side, *side]);
        self.output("cam", &[1, *side, *side]);
    }

    /// The same values in another shape.
    pub fn reshape(&mut self, name: &str, input: &str, dims: &[u32]) -> String {
        let shape = self.shape(&format!("{name}.shape"), dims);
        self.node("Reshape", name, &[input, &shape], vec![])
    }

    /// A node and not an initializer, so that what is counted as a weight is one.
    fn shape(&mut self, name: &str, dims: &[u32]) -> String {
        #[expect(clippy::cast_possible_wrap, reason = "a rank is a handful")]
        let rank = dims.len() as i64;
        let value = TensorProto {
            dims: vec![rank],
            data_type: Some(TENSOR_INT64),
            int64_data: dims.iter().map(|&d| d.into()).collect(),
            ..TensorProto::default()
        };
        self.constant(name, value)
    }

    fn constant(&mut self, name: &str, value: TensorProto) -> String {
        let attribute = AttributeProto {
            name: Some("value".to_owned()),
            t: Some(value),
            r#type: Some(ATTRIBUTE_TENSOR),
            ..AttributeProto::default()
        };
        self.node("Constant", name, &[], vec![attribute])
    }

    fn weight(&mut self, layer: &str, dims: &[u32], bound: f32) -> String {
        self.initializer(format!("{layer}.weight"), dims, bound)
    }

    fn bias(&mut self, layer: &str, channels: u32) -> String {
        self.initializer(format!("{layer}.bias"), &[channels], BIAS_BOUND)
    }

    fn initializer(&mut self, name: String, dims: &[u32], bound: f32) -> String {
        self.weights.push(Weight { name: name.clone(), dims: dims.to_vec(), bound });
        name
    }

    /// Appends a node whose only output has the node's name, and returns that.
    fn node(
        &mut self,
        operator: &str,
        name: &str,
        inputs: &[&str],
        attribute: Vec<AttributeProto>,
    ) -> String {
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|&i| i.to_owned()).collect(),
            output: vec![name.to_owned()],
            name: Some(name.to_owned()),
            op_type: Some(operator.to_owned()),
            attribute,
        });
        name.to_owned()
    }
}

/// Side of what a window padded by half its size leaves.
fn strided(side: u32, kernel: u32, stride: u32) -> u32 {
    (side + kernel / 2 * 2 - kernel) / stride + 1
}

fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        i: Some(value),
        r#type: Some(ATTRIBUTE_INT),
        ..AttributeProto::default()
    }
}

fn ints(name: &str, values: &[u32]) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        ints: values.iter().map(|&v| v.into()).collect(),
        r#type: Some(ATTRIBUTE_INTS),
        ..AttributeProto::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_leave_the_sides_of_the_paper() {
        assert_eq!(strided(224, 7, 2), 112);
        assert_eq!(strided(112, 3, 2), 56);
        assert_eq!(strided(56, 3, 1), 56);
        assert_eq!(strided(56, 1, 2), 28);
    }
}
