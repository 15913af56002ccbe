//! Residual networks in their `ImageNet` form (He et al., "Deep residual learning for image
//! recognition", 2015, table 1), with a class activation map beside the logits.
//!
//! Normalisation is folded into the convolutions, as exporters leave it for inference. In the
//! 50-layer network the stride sits in the 3 × 3 convolution ("version 1.5"), which is what
//! today's libraries ship.

use super::graph::{Conv, Feature, Graph};

/// Height and width of the input image, in pixels.
pub(super) const INPUT_SIZE: u32 = 224;

/// Gain of a convolution that a `ReLU` follows.
const RECTIFIED: f64 = 2.0;
/// Gain of the projection on a shortcut, which nothing rectifies.
const LINEAR: f64 = 1.0;
/// Gain of the last convolution of a branch: without normalisation each sum adds the branch's power
/// to the shortcut's, and sixteen sums at full gain would grow it beyond all use.
const DAMPED: f64 = 0.2;

/// The last output channels of a bottleneck block, per inner channel.
const EXPANSION: u32 = 4;

/// What differs between residual networks.
#[derive(Debug)]
pub(super) struct Shape {
    /// Blocks in each of the four stages.
    blocks: [u32; 4],
    /// Three convolutions a block (1, 3, 1) instead of two (3, 3).
    bottleneck: bool,
}

pub(super) const RESNET18: Shape = Shape { blocks: [2, 2, 2, 2], bottleneck: false };
pub(super) const RESNET50: Shape = Shape { blocks: [3, 4, 6, 3], bottleneck: true };

/// Draws the network for `classes` classes.
pub(super) fn draw(shape: &Shape, classes: u32) -> Graph {
    let mut graph = Graph::default();
    let image = graph.image("input", 3, INPUT_SIZE);
    let stem = Conv { channels: 64, kernel: 7, stride: 2, gain: RECTIFIED };
    let x = conv_relu(&mut graph, "conv1", &image, stem);
    let mut x = graph.max_pool("maxpool", &x, 3, 2);
    let mut width = 64;
    for (stage, &blocks) in (1..).zip(&shape.blocks) {
        for index in 0..blocks {
            let stride = if stage > 1 && index == 0 { 2 } else { 1 };
            x = block(&mut graph, shape, &format!("layer{stage}.{index}"), &x, width, stride);
        }
        width *= 2;
    }
    let class_weight = graph.classifier("fc", &x, classes);
    graph.activation_map(&x, &class_weight);
    graph
}

/// One residual block: branch plus shortcut, then `ReLU`.
fn block(
    graph: &mut Graph,
    shape: &Shape,
    name: &str,
    input: &Feature,
    width: u32,
    stride: u32,
) -> Feature {
    let branch = if shape.bottleneck {
        bottleneck(graph, name, input, width, stride)
    } else {
        basic(graph, name, input, width, stride)
    };
    let shortcut = if branch.channels == input.channels && stride == 1 {
        input.clone()
    } else {
        let conv = Conv { channels: branch.channels, kernel: 1, stride, gain: LINEAR };
        graph.conv(&format!("{name}.downsample"), input, conv)
    };
    let sum = graph.add(&format!("{name}.add"), &branch, &shortcut);
    graph.relu(&format!("{name}.relu"), &sum)
}

/// 3 × 3 with the stride, 3 × 3.
fn basic(graph: &mut Graph, name: &str, input: &Feature, channels: u32, stride: u32) -> Feature {
    let first = Conv { channels, kernel: 3, stride, gain: RECTIFIED };
    let last = Conv { channels, kernel: 3, stride: 1, gain: DAMPED };
    let x = conv_relu(graph, &format!("{name}.conv1"), input, first);
    graph.conv(&format!("{name}.conv2"), &x, last)
}

/// 1 × 1 down, 3 × 3 with the stride, 1 × 1 up.
fn bottleneck(graph: &mut Graph, name: &str, input: &Feature, width: u32, stride: u32) -> Feature {
    let down = Conv { channels: width, kernel: 1, stride: 1, gain: RECTIFIED };
    let middle = Conv { channels: width, kernel: 3, stride, gain: RECTIFIED };
    let up = Conv { channels: width * EXPANSION, kernel: 1, stride: 1, gain: DAMPED };
    let x = conv_relu(graph, &format!("{name}.conv1"), input, down);
    let x = conv_relu(graph, &format!("{name}.conv2"), &x, middle);
    graph.conv(&format!("{name}.conv3"), &x, up)
}

fn conv_relu(graph: &mut Graph, name: &str, input: &Feature, conv: Conv) -> Feature {
    let x = graph.conv(name, input, conv);
    graph.relu(&format!("{name}.relu"), &x)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published sizes less one parameter per folded channel.
    #[test]
    fn a_thousand_classes_have_the_published_size() {
        let (small, large) = (draw(&RESNET18, 1000), draw(&RESNET50, 1000));
        assert_eq!((small.folded_channels(), small.parameters()), (4_800, 11_684_712));
        assert_eq!((large.folded_channels(), large.parameters()), (26_560, 25_530_472));
    }

    #[test]
    fn convolutions_are_counted_by_the_name() {
        for (shape, layers) in [(&RESNET18, 18), (&RESNET50, 50)] {
            let graph = draw(shape, 10);
            let weighted = |n: &&super::super::onnx::NodeProto| {
                let name = n.name.as_deref().unwrap_or_default();
                matches!(n.op_type.as_deref(), Some("Conv" | "Gemm"))
                    && !name.contains("downsample")
            };
            assert_eq!(graph.nodes.iter().filter(weighted).count(), layers);
        }
    }

    #[test]
    fn the_class_weight_is_stored_once_and_used_twice() {
        let graph = draw(&RESNET18, 10);
        let stored = graph.weights.iter().filter(|w| w.dims == [10, 512]).count();
        let used = graph.nodes.iter().filter(|n| n.input.iter().any(|i| i == "fc.weight")).count();
        assert_eq!((stored, used), (1, 2));
    }

    #[test]
    fn every_value_is_made_before_it_is_used() {
        let graph = draw(&RESNET50, 10);
        let mut made: Vec<&str> = vec!["input"];
        made.extend(graph.weights.iter().map(|w| w.name.as_str()));
        for node in &graph.nodes {
            for input in &node.input {
                assert!(made.contains(&input.as_str()), "{input} of {:?}", node.name);
            }
            made.extend(node.output.iter().map(String::as_str));
        }
        made.sort_unstable();
        assert!(made.windows(2).all(|pair| pair[0] != pair[1]), "names repeat");
    }
}
