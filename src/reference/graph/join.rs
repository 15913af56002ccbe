//! Layers of networks that branch: joining, cutting, growing maps, constants.

use super::{
    ATTRIBUTE_STRING, AttributeProto, Conv, Feature, Graph, NodeProto, TENSOR_FLOAT, TensorProto,
    bound, int, ints,
};

impl Graph {
    /// `x × sigmoid(x)`, in the two nodes that exporters write (Elfwing et al., "Sigmoid-weighted
    /// linear units for neural network function approximation in reinforcement learning", 2017).
    pub fn silu(&mut self, name: &str, input: &Feature) -> Feature {
        let gate = self.node("Sigmoid", &format!("{name}.gate"), &[&input.name], vec![]);
        let output = self.node("Mul", name, &[&input.name, &gate], vec![]);
        Feature { name: output, ..*input }
    }

    /// A convolution that no normalisation follows, with a bias of its own.
    pub fn plain_conv(&mut self, name: &str, input: &Feature, conv: Conv) -> Feature {
        let output = self.conv(name, input, conv);
        self.folded_channels -= u64::from(conv.channels);
        output
    }

    /// Twice the side, learned: a transposed convolution of kernel 2 and stride 2.
    pub fn conv_transpose(&mut self, name: &str, input: &Feature, gain: f64) -> Feature {
        let channels = input.channels;
        let weight = self.weight(name, &[channels, channels, 2, 2], bound(gain, channels));
        let bias = self.bias(name, channels);
        let attributes = vec![ints("kernel_shape", &[2; 2]), ints("strides", &[2; 2])];
        let output = self.node("ConvTranspose", name, &[&input.name, &weight, &bias], attributes);
        Feature { name: output, channels, side: input.side * 2 }
    }

    /// Twice the side, each value four times.
    pub fn upsample(&mut self, name: &str, input: &Feature) -> Feature {
        let scales = self.floats(&format!("{name}.scales"), &[4], &[1.0, 1.0, 2.0, 2.0]);
        let attributes = vec![
            text("coordinate_transformation_mode", "asymmetric"),
            text("mode", "nearest"),
            text("nearest_mode", "floor"),
        ];
        let output = self.node("Resize", name, &[&input.name, "", &scales], attributes);
        Feature { name: output, side: input.side * 2, ..*input }
    }

    /// Maps of one side, one after the other.
    pub fn join(&mut self, name: &str, maps: &[&Feature]) -> Feature {
        let names: Vec<&str> = maps.iter().map(|m| m.name.as_str()).collect();
        let output = self.concat(name, &names, 1);
        let channels = maps.iter().map(|m| m.channels).sum();
        Feature { name: output, channels, side: maps.first().map_or(0, |m| m.side) }
    }

    /// The first and the second half of the channels.
    pub fn halves(&mut self, name: &str, input: &Feature) -> [Feature; 2] {
        let channels = input.channels / 2;
        let names = self.split(name, &input.name, &[channels; 2], 1);
        let mut halves = names.into_iter().map(|name| Feature { name, channels, side: input.side });
        [(); 2].map(|()| halves.next().unwrap_or_else(|| input.clone()))
    }

    /// Values one after the other along an axis.
    pub fn concat(&mut self, name: &str, values: &[&str], axis: i64) -> String {
        self.node("Concat", name, values, vec![int("axis", axis)])
    }

    /// Parts of these lengths along an axis.
    pub fn split(&mut self, name: &str, input: &str, lengths: &[u32], axis: i64) -> Vec<String> {
        let lengths_name = self.shape(&format!("{name}.lengths"), lengths);
        let outputs: Vec<String> = (0..lengths.len()).map(|i| format!("{name}.{i}")).collect();
        self.nodes.push(NodeProto {
            input: vec![input.to_owned(), lengths_name],
            output: outputs.clone(),
            name: Some(name.to_owned()),
            op_type: Some("Split".to_owned()),
            attribute: vec![int("axis", axis)],
        });
        outputs
    }

    /// A node of one output, of two inputs or one.
    pub fn compute(&mut self, operator: &str, name: &str, inputs: &[&str]) -> String {
        self.node(operator, name, inputs, vec![])
    }

    /// The softmax along an axis.
    pub fn softmax(&mut self, name: &str, input: &str, axis: i64) -> String {
        self.node("Softmax", name, &[input], vec![int("axis", axis)])
    }

    /// Axes in another order.
    pub fn transpose(&mut self, name: &str, input: &str, order: &[u32]) -> String {
        self.node("Transpose", name, &[input], vec![ints("perm", order)])
    }

    /// A constant, which is no weight.
    pub fn floats(&mut self, name: &str, dims: &[u32], values: &[f32]) -> String {
        let value = TensorProto {
            dims: dims.iter().map(|&d| d.into()).collect(),
            data_type: Some(TENSOR_FLOAT),
            float_data: values.to_vec(),
            ..TensorProto::default()
        };
        self.constant(name, value)
    }

    /// A 1 × 1 convolution of one output channel whose weights are these, which no training
    /// changes. They are published with the parameters.
    pub fn fixed_conv(&mut self, name: &str, input: &str, weights: &[f32]) -> String {
        let channels = u32::try_from(weights.len()).unwrap_or(u32::MAX);
        let weight = self.floats(&format!("{name}.weight"), &[1, channels, 1, 1], weights);
        self.fixed_parameters += u64::from(channels);
        let attributes = vec![ints("kernel_shape", &[1; 2])];
        self.node("Conv", name, &[input, &weight], attributes)
    }
}

fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        s: Some(value.as_bytes().to_vec()),
        r#type: Some(ATTRIBUTE_STRING),
        ..AttributeProto::default()
    }
}
