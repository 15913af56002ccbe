//! Large models: networks of the size of VGG-19 and ViT-B/16, written here with the layers that
//! their papers give (Simonyan & Zisserman 2014, table 1 E; Dosovitskiy et al. 2020, table 1), are
//! measured within bounds; what this machine cannot hold is refused before it is loaded.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::onnx::{self, FLOAT, INT64, Model, Node, Tensor, node, value, weight, with, with_list};
use common::{real, real_json};
use serde_json::Value;
use tempfile::TempDir;

/// A graph that grows a layer at a time. All weights are zero: what a dense layer costs does not
/// depend on its numbers.
#[derive(Default)]
struct Network {
    nodes: Vec<Node>,
    weights: Vec<Tensor>,
    last: String,
}

impl Network {
    fn starting_at(input: &str) -> Self {
        Self { last: input.to_owned(), ..Self::default() }
    }

    fn weight(&mut self, dims: &[i64]) -> String {
        let name = format!("w{}", self.weights.len());
        let bytes = usize::try_from(dims.iter().product::<i64>() * 4).unwrap();
        self.weights.push(weight(&name, FLOAT, dims, vec![0; bytes]));
        name
    }

    fn numbers(&mut self, numbers: &[i64]) -> String {
        let name = format!("w{}", self.weights.len());
        let raw = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
        self.weights.push(weight(&name, INT64, &[i64::try_from(numbers.len()).unwrap()], raw));
        name
    }

    /// A node on the given values; its output is the last value.
    fn of(&mut self, op: &str, inputs: &[&str], change: impl Fn(Node) -> Node) -> String {
        self.last = format!("v{}", self.nodes.len());
        self.nodes.push(change(node(op, inputs, &self.last)));
        self.last.clone()
    }

    /// A node on the last value and on weights.
    fn then(&mut self, op: &str, weights: &[&str], change: impl Fn(Node) -> Node) -> String {
        let last = self.last.clone();
        self.of(op, &[&[last.as_str()], weights].concat(), change)
    }

    fn dense(&mut self, from: i64, to: i64) -> String {
        let (w, b) = (self.weight(&[from, to]), self.weight(&[to]));
        self.then("MatMul", &[&w], |n| n);
        self.then("Add", &[&b], |n| n)
    }

    fn normalised(&mut self, width: i64) -> String {
        let (scale, bias) = (self.weight(&[width]), self.weight(&[width]));
        self.then("LayerNormalization", &[&scale, &bias], |n| with(n, "axis", -1))
    }

    fn parameters(&self) -> i64 {
        let floats = self.weights.iter().filter(|w| w.data_type == FLOAT);
        floats.map(|w| w.dims.iter().product::<i64>()).sum()
    }

    fn finish(mut self) -> Model {
        self.nodes.last_mut().unwrap().output = vec!["scores".to_owned()];
        let input = value("image", FLOAT, &["1", "3", "224", "224"]);
        onnx::model(
            self.nodes,
            vec![input],
            vec![value("scores", FLOAT, &["1", "1000"])],
            self.weights,
        )
    }
}

fn vgg19() -> Network {
    let mut net = Network::starting_at("image");
    let mut from = 3;
    for (count, to) in [(2, 64), (2, 128), (4, 256), (4, 512), (4, 512)] {
        for _ in 0..count {
            let (w, b) = (net.weight(&[to, from, 3, 3]), net.weight(&[to]));
            net.then("Conv", &[&w, &b], |n| with_list(n, "pads", &[1, 1, 1, 1]));
            net.then("Relu", &[], |n| n);
            from = to;
        }
        net.then("MaxPool", &[], |n| {
            with_list(with_list(n, "kernel_shape", &[2, 2]), "strides", &[2, 2])
        });
    }
    net.then("Flatten", &[], |n| n);
    for (from, to) in [(512 * 7 * 7, 4096), (4096, 4096), (4096, 1000)] {
        let (w, b) = (net.weight(&[to, from]), net.weight(&[to]));
        net.then("Gemm", &[&w, &b], |n| with(n, "transB", 1));
        if to != 1000 {
            net.then("Relu", &[], |n| n);
        }
    }
    net
}

const WIDTH: i64 = 768;
const HEADS: i64 = 12;

/// 12 layers, 196 patches of 16 × 16 and the class token.
fn vit_b16() -> Network {
    let mut net = Network::starting_at("image");
    let (w, b) = (net.weight(&[WIDTH, 3, 16, 16]), net.weight(&[WIDTH]));
    net.then("Conv", &[&w, &b], |n| with_list(n, "strides", &[16, 16]));
    let flat = net.numbers(&[1, WIDTH, 196]);
    net.then("Reshape", &[&flat], |n| n);
    let patches = net.then("Transpose", &[], |n| with_list(n, "perm", &[0, 2, 1]));
    let class = net.weight(&[1, 1, WIDTH]);
    net.of("Concat", &[&class, &patches], |n| with(n, "axis", 1));
    let position = net.weight(&[1, 197, WIDTH]);
    let mut stream = net.then("Add", &[&position], |n| n);
    for _ in 0..12 {
        stream = block(&mut net, &stream);
    }
    net.normalised(WIDTH);
    let first = net.numbers(&[0]);
    net.then("Gather", &[&first], |n| with(n, "axis", 1));
    let row = net.numbers(&[1, WIDTH]);
    net.then("Reshape", &[&row], |n| n);
    net.dense(WIDTH, 1000);
    net
}

fn block(net: &mut Network, stream: &str) -> String {
    let normal = net.normalised(WIDTH);
    let heads = net.numbers(&[1, 197, HEADS, WIDTH / HEADS]);
    let head = |net: &mut Network, perm: &[i64]| {
        net.last.clone_from(&normal);
        net.dense(WIDTH, WIDTH);
        net.then("Reshape", &[&heads], |n| n);
        net.then("Transpose", &[], |n| with_list(n, "perm", perm))
    };
    let query = head(net, &[0, 2, 1, 3]);
    let key = head(net, &[0, 2, 3, 1]);
    let values = head(net, &[0, 2, 1, 3]);
    net.of("MatMul", &[&query, &key], |n| n);
    net.then("Softmax", &[], |n| with(n, "axis", -1));
    net.then("MatMul", &[&values], |n| n);
    net.then("Transpose", &[], |n| with_list(n, "perm", &[0, 2, 1, 3]));
    let flat = net.numbers(&[1, 197, WIDTH]);
    net.then("Reshape", &[&flat], |n| n);
    net.dense(WIDTH, WIDTH);
    let stream = net.then("Add", &[stream], |n| n);
    net.normalised(WIDTH);
    let inner = net.dense(WIDTH, 4 * WIDTH);
    // Opset 17 has no Gelu: its sigmoid form, which costs as much.
    net.then("Sigmoid", &[], |n| n);
    net.then("Mul", &[&inner], |n| n);
    net.dense(4 * WIDTH, WIDTH);
    net.then("Add", &[&stream], |n| n)
}

fn number(value: &Value, pointer: &str) -> f64 {
    value.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer} in {value}"))
}

fn is_measured(net: Network) {
    let weights = 4.0 * f64::from(i32::try_from(net.parameters()).unwrap());
    let folder = TempDir::new().unwrap();
    let path = onnx::write(folder.path(), &net.finish());
    let report = real_json(&[
        "size",
        "--model",
        &path,
        "--max-time",
        "1s",
        "--image",
        "0.1mp",
        "--remeasure",
        "--concurrency",
        "8",
    ]);
    let base = number(&report, "/memory/base/typical");
    assert!(base > weights && base < 2.5 * weights, "{base} for {weights} bytes of weights");
    assert!(number(&report, "/memory/load_peak/typical") > weights);
    // The interval holds more than the line, and the line costs something.
    let rows = report.pointer("/concurrency_rows").unwrap().as_array().unwrap();
    let row = rows.iter().find(|row| row["concurrency"] == 8).unwrap();
    let at = |end: &str| number(row, &format!("/memory/{end}"));
    assert!(at("low") < at("typical") && at("typical") < at("high"), "{row}");
    assert!(number(&report, "/memory/buffer/high") > 0.0);
}

/// 143,667,240 parameters is what torchvision documents for VGG-19.
#[test]
fn a_network_of_the_size_of_vgg_19_is_measured() {
    let net = vgg19();
    assert_eq!(net.parameters(), 143_667_240);
    is_measured(net);
}

/// 86,567,656 parameters is what torchvision documents for ViT-B/16.
#[test]
fn a_network_of_the_size_of_vit_b_16_is_measured() {
    let net = vit_b16();
    assert_eq!(net.parameters(), 86_567_656);
    is_measured(net);
}

/// 1 TiB of numbers that are not in the file but made when it is loaded.
#[test]
fn what_this_machine_cannot_hold_is_refused_before_it_is_loaded() {
    let mut net = Network::starting_at("x");
    let dims = net.numbers(&[1 << 19, 1 << 19]);
    let made = net.of("ConstantOfShape", &[&dims], |n| n);
    net.of("MatMul", &["x", &made], |n| n);
    net.nodes.last_mut().unwrap().output = vec!["y".to_owned()];
    let wide = "524288";
    let input = value("x", FLOAT, &["1", wide]);
    let output = value("y", FLOAT, &["1", wide]);
    let folder = TempDir::new().unwrap();
    let model = onnx::model(net.nodes, vec![input], vec![output], net.weights);
    let path = onnx::write(folder.path(), &model);
    let output = real(&["measure", "--model", &path, "--quiet"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("about 2048.03 GiB") && message.contains("--force"), "{message}");
}
