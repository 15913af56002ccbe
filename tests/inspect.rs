//! `inspect` through the whole program, on models of a few hundred bytes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use assert_cmd::Command;
use tempfile::TempDir;

/// A field of a message, by its number in `onnx.proto`: bytes, or an integer.
fn bytes(number: u8, content: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    prost::encode_length_delimiter(content.len(), &mut field).unwrap();
    [field, content.to_vec()].concat()
}

fn integer(number: u8, value: u64) -> Vec<u8> {
    let mut field = vec![number << 3];
    prost::encoding::encode_varint(value, &mut field);
    field
}

/// `ValueInfoProto`: a name, an element type, and sizes or names of dimensions.
fn port(name: &str, element: u64, dims: &[&str]) -> Vec<u8> {
    let dim = |text: &&str| match text.parse() {
        Ok(size) => bytes(1, &integer(1, size)),
        Err(_) => bytes(1, &bytes(2, text.as_bytes())),
    };
    let shape: Vec<u8> = dims.iter().flat_map(dim).collect();
    let tensor = bytes(1, &[integer(1, element), bytes(2, &shape)].concat());
    [bytes(1, name.as_bytes()), bytes(2, &tensor)].concat()
}

/// `NodeProto`.
fn node(domain: &str, op_type: &str, inputs: &[&str], output: &str) -> Vec<u8> {
    let inputs: Vec<u8> = inputs.iter().flat_map(|i| bytes(1, i.as_bytes())).collect();
    let rest = [bytes(4, op_type.as_bytes()), bytes(7, domain.as_bytes())];
    bytes(1, &[inputs, bytes(2, output.as_bytes()), rest.concat()].concat())
}

/// `TensorProto` of 32-bit floats, as an initializer.
fn weight(name: &str, dims: &[u64], raw: usize, rest: &[u8]) -> Vec<u8> {
    let dims: Vec<u8> = dims.iter().flat_map(|&d| integer(1, d)).collect();
    let raw = if raw > 0 { bytes(9, &vec![0; raw]) } else { vec![] };
    let head = [dims, integer(2, 1), bytes(8, name.as_bytes()), raw].concat();
    bytes(5, &[head, rest.to_vec()].concat())
}

/// `ModelProto`.
fn model(graph: &[Vec<u8>]) -> Vec<u8> {
    let opset = bytes(8, &integer(2, 17));
    [integer(1, 8), bytes(2, b"exporter"), bytes(7, &graph.concat()), opset].concat()
}

/// Words and a picture to one number.
fn captions() -> Vec<u8> {
    model(&[
        node("", "Gather", &["words", "input_ids"], "a"),
        node("", "Mul", &["a", "attention_mask"], "b"),
        node("", "Conv", &["pixel_values", "kernel"], "c"),
        node("", "Relu", &["c"], "d"),
        node("", "Relu", &["d"], "e"),
        node("com.microsoft", "Gelu", &["e"], "f"),
        node("", "MatMul", &["b", "matrix"], "y"),
        weight("words", &[100, 4], 1600, &[]),
        weight("kernel", &[2, 3, 3, 3], 216, &[]),
        weight("matrix", &[4, 4], 64, &[]),
        bytes(11, &port("input_ids", 7, &["batch", "sequence"])),
        bytes(11, &port("attention_mask", 7, &["batch", "sequence"])),
        bytes(11, &port("pixel_values", 1, &["batch", "3", "height", "width"])),
        bytes(11, &port("matrix", 1, &["4", "4"])),
        bytes(12, &port("y", 1, &["batch", "4"])),
    ])
}

/// Text as input, another library's operator, and weights that are not there.
fn unfit() -> Vec<u8> {
    let entry = |key: &str, value: &str| {
        bytes(13, &[bytes(1, key.as_bytes()), bytes(2, value.as_bytes())].concat())
    };
    let at = |location: &str| [entry("location", location), integer(14, 1)].concat();
    model(&[
        node("ai.onnx.contrib", "BertTokenizer", &["text"], "a"),
        node("", "MatMul", &["a", "w"], "y"),
        weight("w", &[4, 4], 0, &at("unfit.onnx.data")),
        weight("v", &[4, 4], 0, &at("../v.bin")),
        bytes(11, &port("text", 8, &["batch"])),
        bytes(12, &port("y", 1, &["batch", "4"])),
    ])
}

/// Runs `inspect` on the model under the name, in a folder of its own; returns its code, answer and
/// messages.
fn inspect(name: &str, model: &[u8], columns: u16, arguments: &[&str]) -> (i32, String, String) {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join(name), model).unwrap();
    let output = Command::cargo_bin("mediscope-size")
        .unwrap()
        .args(["inspect", name])
        .args(arguments)
        .current_dir(folder.path())
        .env("LC_ALL", "C")
        .env("SOURCE_DATE_EPOCH", "1767052800")
        .env("COLUMNS", columns.to_string())
        .output()
        .unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something was written");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn answered(name: &str, model: &[u8], columns: u16, arguments: &[&str]) -> String {
    let (code, answer, messages) = inspect(name, model, columns, arguments);
    assert_eq!((code, messages.as_str()), (0, ""));
    assert!(!answer.contains('\u{1b}'), "a pipe gets no colours");
    answer
}

#[test]
fn a_model_that_can_be_sized() {
    insta::assert_snapshot!("captions_80", answered("captions.onnx", &captions(), 80, &[]));
    insta::assert_snapshot!("captions_120", answered("captions.onnx", &captions(), 120, &[]));
    let json = answered("captions.onnx", &captions(), 80, &["--format", "json"]);
    insta::assert_snapshot!("captions_json", json);
}

#[test]
fn a_model_that_cannot_be_sized() {
    insta::assert_snapshot!("unfit", answered("unfit.onnx", &unfit(), 80, &[]));
}

#[test]
fn no_line_but_the_command_is_wider_than_the_terminal() {
    let name = "a model with a long name, and blanks in it.onnx";
    for line in answered(name, &captions(), 80, &[]).lines() {
        assert!(line.chars().count() <= 80 || line.contains("--model"), "{line}");
    }
}

#[test]
fn the_command_that_is_printed_is_understood() {
    use clap::Parser;
    let json = answered("captions.onnx", &captions(), 80, &["--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let command = value["command"].as_str().unwrap();
    let one_shape: Vec<&str> = command.split(' ').take(6).collect();
    mediscope_size::cli::Cli::try_parse_from(&one_shape).unwrap();
}

#[test]
fn a_file_that_is_no_model_is_refused() {
    let (code, answer, message) = inspect("page.onnx", b"<!DOCTYPE html>", 80, &[]);
    assert_eq!((code, answer.as_str()), (2, ""));
    assert!(message.starts_with("error: page.onnx is not an ONNX model"), "{message}");
}
