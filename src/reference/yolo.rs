//! `YOLOv8` with instance segmentation, as its exporter writes it: boxes in pixels, class scores and
//! mask coefficients of all anchors in one output, mask prototypes in the other.
//!
//! There is no paper; the shape is that of Ultralytics' `yolov8-seg.yaml` and of the modules that it
//! names (Conv, C2f, SPPF, Proto, Segment). Normalisation is folded into the convolutions.

use super::graph::{Conv, Feature, Graph};

/// Height and width of the input image, in pixels.
pub(super) const INPUT_SIZE: u32 = 640;

/// Mask prototypes, and coefficients of each anchor.
pub(super) const MASKS: u32 = 32;

/// Steps in which the distance to each side of a box is told.
const STEPS: u32 = 16;

/// Pixels between anchors, a level each.
const STRIDES: [u32; 3] = [8, 16, 32];

/// Gain of a convolution that a `SiLU` follows: it leaves 0.356 of a signal's power.
const ACTIVATED: f64 = 2.8;
/// Gain of one that nothing follows.
const LINEAR: f64 = 1.0;
/// Gain of the last one before a sum with its own input.
const DAMPED: f64 = 0.2;

/// What differs between sizes of the network.
#[derive(Debug)]
pub(super) struct Shape {
    /// Channels after each halving of the side, [`scaled`](Shape) already.
    widths: [u32; 5],
    /// Bottlenecks in the blocks where the file says 3, and where it says 6.
    depths: [u32; 2],
    /// Channels inside of the prototypes' branch.
    prototypes: u32,
}

/// Width × 0.5, depth × 0.33.
pub(super) const SMALL: Shape =
    Shape { widths: [32, 64, 128, 256, 512], depths: [1, 2], prototypes: 128 };
/// Width × 0.75 of at most 768, depth × 0.67.
pub(super) const MEDIUM: Shape =
    Shape { widths: [48, 96, 192, 384, 576], depths: [2, 4], prototypes: 192 };

/// Draws the network for `classes` classes.
pub(super) fn draw(shape: &Shape, classes: u32) -> Graph {
    let mut graph = Graph::default();
    let image = graph.image("images", 3, INPUT_SIZE);
    let mut drawing = Drawing { graph: &mut graph };
    let levels = drawing.body(shape, &image);
    drawing.head(shape, &levels, classes);
    graph
}

struct Drawing<'a> {
    graph: &'a mut Graph,
}

impl Drawing<'_> {
    /// Backbone and neck; the numbers in names are those of the layers in the file.
    fn body(&mut self, shape: &Shape, image: &Feature) -> [Feature; 3] {
        let [w1, w2, w3, w4, w5] = shape.widths;
        let [few, many] = shape.depths;
        let x = self.conv("model.0", image, w1, 3, 2);
        let x = self.conv("model.1", &x, w2, 3, 2);
        let x = self.c2f("model.2", &x, w2, few, true);
        let x = self.conv("model.3", &x, w3, 3, 2);
        let p3 = self.c2f("model.4", &x, w3, many, true);
        let x = self.conv("model.5", &p3, w4, 3, 2);
        let p4 = self.c2f("model.6", &x, w4, many, true);
        let x = self.conv("model.7", &p4, w5, 3, 2);
        let x = self.c2f("model.8", &x, w5, few, true);
        let p5 = self.sppf("model.9", &x);

        let up = self.graph.upsample("model.10", &p5);
        let x = self.graph.join("model.11", &[&up, &p4]);
        let n4 = self.c2f("model.12", &x, w4, few, false);
        let up = self.graph.upsample("model.13", &n4);
        let x = self.graph.join("model.14", &[&up, &p3]);
        let small = self.c2f("model.15", &x, w3, few, false);
        let down = self.conv("model.16", &small, w3, 3, 2);
        let x = self.graph.join("model.17", &[&down, &n4]);
        let middle = self.c2f("model.18", &x, w4, few, false);
        let down = self.conv("model.19", &middle, w4, 3, 2);
        let x = self.graph.join("model.20", &[&down, &p5]);
        let large = self.c2f("model.21", &x, w5, few, false);
        [small, middle, large]
    }

    /// Boxes, scores and coefficients of each level, then the prototypes of the finest.
    fn head(&mut self, shape: &Shape, levels: &[Feature; 3], classes: u32) {
        let finest = levels[0].channels;
        let box_width = (finest / 4).max(4 * STEPS);
        let class_width = finest.max(classes.min(100));
        let mask_width = (finest / 4).max(MASKS);
        let (mut found, mut coefficients) = (Vec::new(), Vec::new());
        for (i, level) in levels.iter().enumerate() {
            let sides = self.branch(&format!("model.22.cv2.{i}"), level, box_width, 4 * STEPS);
            let scores = self.branch(&format!("model.22.cv3.{i}"), level, class_width, classes);
            let masks = self.branch(&format!("model.22.cv4.{i}"), level, mask_width, MASKS);
            let both = self.graph.join(&format!("model.22.level{i}"), &[&sides, &scores]);
            found.push(self.flat(&both));
            coefficients.push(self.flat(&masks));
        }
        let all = self.along_anchors("model.22.found", &found);
        let masks = self.along_anchors("model.22.coefficients", &coefficients);
        let parts = self.graph.split("model.22.parts", &all, &[4 * STEPS, classes], 1);
        let boxes = self.boxes(&parts[0]);
        let scores = self.graph.compute("Sigmoid", "model.22.scores", &[&parts[1]]);
        let boxes_and_scores = self.graph.concat("model.22.boxes_scores", &[&boxes, &scores], 1);
        self.graph.concat("output0", &[&boxes_and_scores, &masks], 1);
        self.graph.output("output0", &[1, 4 + classes + MASKS, anchors()]);
        self.prototypes(shape, &levels[0]);
    }

    fn prototypes(&mut self, shape: &Shape, finest: &Feature) {
        let x = self.conv("model.22.proto.cv1", finest, shape.prototypes, 3, 1);
        let x = self.graph.conv_transpose("model.22.proto.upsample", &x, LINEAR);
        let x = self.conv("model.22.proto.cv2", &x, shape.prototypes, 3, 1);
        let conv = Conv { channels: MASKS, kernel: 1, stride: 1, gain: ACTIVATED };
        let x = self.graph.conv("model.22.proto.cv3.conv", &x, conv);
        let masks = self.graph.silu("output1", &x);
        self.graph.output("output1", &[1, MASKS, masks.side, masks.side]);
    }

    /// Distances to the four sides, each the mean of a distribution over [`STEPS`] steps (Li et
    /// al., "Generalized focal loss", 2020, equation 5), to middle, width and height in pixels.
    fn boxes(&mut self, sides: &str) -> String {
        let graph = &mut *self.graph;
        let steps = graph.reshape("model.22.dfl.view", sides, &[1, 4, STEPS, anchors()]);
        let steps = graph.transpose("model.22.dfl.transpose", &steps, &[0, 2, 1, 3]);
        let steps = graph.softmax("model.22.dfl.softmax", &steps, 1);
        let numbers: Vec<f32> = (0..16u8).map(f32::from).collect();
        let mean = graph.fixed_conv("model.22.dfl.conv", &steps, &numbers);
        let distances = graph.reshape("model.22.dfl.distances", &mean, &[1, 4, anchors()]);
        let ends = graph.split("model.22.dfl.ends", &distances, &[2, 2], 1);
        let (places, strides) = anchor_grid();
        let middles = graph.floats("model.22.anchors", &[1, 2, anchors()], &places);
        let strides = graph.floats("model.22.strides", &[1, anchors()], &strides);
        let two = graph.floats("model.22.two", &[], &[2.0]);
        let from = graph.compute("Sub", "model.22.from", &[&middles, &ends[0]]);
        let to = graph.compute("Add", "model.22.to", &[&middles, &ends[1]]);
        let sum = graph.compute("Add", "model.22.sum", &[&from, &to]);
        let middle = graph.compute("Div", "model.22.middle", &[&sum, &two]);
        let size = graph.compute("Sub", "model.22.size", &[&to, &from]);
        let boxes = graph.concat("model.22.boxes", &[&middle, &size], 1);
        graph.compute("Mul", "model.22.pixels", &[&boxes, &strides])
    }

    /// Two convolutions of 3 × 3 and a plain one of 1 × 1.
    fn branch(&mut self, name: &str, input: &Feature, width: u32, channels: u32) -> Feature {
        let x = self.conv(&format!("{name}.0"), input, width, 3, 1);
        let x = self.conv(&format!("{name}.1"), &x, width, 3, 1);
        let conv = Conv { channels, kernel: 1, stride: 1, gain: LINEAR };
        self.graph.plain_conv(&format!("{name}.2"), &x, conv)
    }

    /// `[1, channels, side × side]`.
    fn flat(&mut self, map: &Feature) -> String {
        let dims = [1, map.channels, map.side * map.side];
        self.graph.reshape(&format!("{}.flat", map.name), &map.name, &dims)
    }

    fn along_anchors(&mut self, name: &str, levels: &[String]) -> String {
        let levels: Vec<&str> = levels.iter().map(String::as_str).collect();
        self.graph.concat(name, &levels, 2)
    }

    /// Spatial pyramid pooling: three windows of 5 × 5, each over the one before.
    fn sppf(&mut self, name: &str, input: &Feature) -> Feature {
        let x = self.conv(&format!("{name}.cv1"), input, input.channels / 2, 1, 1);
        let a = self.graph.max_pool(&format!("{name}.m.0"), &x, 5, 1);
        let b = self.graph.max_pool(&format!("{name}.m.1"), &a, 5, 1);
        let c = self.graph.max_pool(&format!("{name}.m.2"), &b, 5, 1);
        let all = self.graph.join(&format!("{name}.concat"), &[&x, &a, &b, &c]);
        self.conv(&format!("{name}.cv2"), &all, input.channels, 1, 1)
    }

    /// One half passes, the other goes through `depth` bottlenecks, and all that they made is
    /// joined.
    fn c2f(
        &mut self,
        name: &str,
        input: &Feature,
        channels: u32,
        depth: u32,
        shortcut: bool,
    ) -> Feature {
        let x = self.conv(&format!("{name}.cv1"), input, channels, 1, 1);
        let [passed, mut last] = self.graph.halves(&format!("{name}.split"), &x);
        let mut made = vec![passed, last.clone()];
        for i in 0..depth {
            last = self.bottleneck(&format!("{name}.m.{i}"), &last, shortcut);
            made.push(last.clone());
        }
        let all = self.graph.join(&format!("{name}.concat"), &made.iter().collect::<Vec<_>>());
        self.conv(&format!("{name}.cv2"), &all, channels, 1, 1)
    }

    fn bottleneck(&mut self, name: &str, input: &Feature, shortcut: bool) -> Feature {
        let x = self.conv(&format!("{name}.cv1"), input, input.channels, 3, 1);
        let gain = if shortcut { DAMPED } else { ACTIVATED };
        let conv = Conv { channels: input.channels, kernel: 3, stride: 1, gain };
        let x = self.graph.conv(&format!("{name}.cv2.conv"), &x, conv);
        let x = self.graph.silu(&format!("{name}.cv2"), &x);
        if shortcut { self.graph.add(&format!("{name}.add"), input, &x) } else { x }
    }

    /// Convolution and `SiLU`.
    fn conv(
        &mut self,
        name: &str,
        input: &Feature,
        channels: u32,
        kernel: u32,
        stride: u32,
    ) -> Feature {
        let conv = Conv { channels, kernel, stride, gain: ACTIVATED };
        let x = self.graph.conv(&format!("{name}.conv"), input, conv);
        self.graph.silu(name, &x)
    }
}

/// Anchors on all levels, 8400.
fn anchors() -> u32 {
    STRIDES.iter().map(|s| (INPUT_SIZE / s).pow(2)).sum()
}

/// Middles of the anchors in strides, all x before all y; and the stride of each, in pixels.
fn anchor_grid() -> (Vec<f32>, Vec<f32>) {
    let (mut xs, mut ys, mut strides) = (Vec::new(), Vec::new(), Vec::new());
    for stride in STRIDES {
        let side = u16::try_from(INPUT_SIZE / stride).unwrap_or(u16::MAX);
        for y in 0..side {
            for x in 0..side {
                xs.push(f32::from(x) + 0.5);
                ys.push(f32::from(y) + 0.5);
                strides.push(f32::from(u16::try_from(stride).unwrap_or(u16::MAX)));
            }
        }
    }
    xs.append(&mut ys);
    (xs, strides)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `ultralytics` prints of the fused model, which counts the 16 numbers that its training
    /// leaves alone: "YOLOv8s-seg summary (fused): … 11,779,987 parameters" of a model of one class
    /// and 11,810,560 of 80; "YOLOv8m-seg summary (fused): … 27,268,704 parameters" of 80.
    #[test]
    fn fused_sizes_are_those_that_ultralytics_prints() {
        let fused = |shape, classes| {
            let graph = draw(shape, classes);
            graph.parameters() + graph.fixed_parameters()
        };
        assert_eq!(fused(&SMALL, 80), 11_810_560);
        assert_eq!(fused(&SMALL, 1), 11_779_987);
        assert_eq!(fused(&MEDIUM, 80), 27_268_704);
    }

    #[test]
    fn outputs_have_the_published_shapes() {
        let dims = |classes| {
            let outputs = draw(&SMALL, classes).outputs;
            let tensor = |o: &super::super::onnx::ValueInfoProto| {
                let tensor = o.r#type.clone().unwrap().tensor_type.unwrap();
                tensor.shape.unwrap().dim.iter().map(|d| d.dim_value.unwrap()).collect::<Vec<_>>()
            };
            outputs.iter().map(tensor).collect::<Vec<_>>()
        };
        assert_eq!(dims(80), [vec![1, 116, 8400], vec![1, 32, 160, 160]]);
        assert_eq!(dims(1), [vec![1, 37, 8400], vec![1, 32, 160, 160]]);
    }

    #[test]
    fn anchors_are_in_the_middle_of_their_squares() {
        let (places, strides) = anchor_grid();
        assert_eq!((places.len(), strides.len()), (16_800, 8_400));
        assert_eq!((places[0], places[8_400], strides[0]), (0.5, 0.5, 8.0));
        assert_eq!((places[79], places[80], places[8_480]), (79.5, 0.5, 1.5));
        assert_eq!((places[8_399], places[16_799], strides[8_399]), (19.5, 19.5, 32.0));
    }
}
