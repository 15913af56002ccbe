//! Any model, any input: one tiny model for each kind of input is measured for real, so that ONNX
//! Runtime itself says whether the tensors have the right type, the right shape and legal values.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::onnx::{
    self, BOOL, DOUBLE, FLOAT, FLOAT16, INT8, INT32, INT64, Model, STRING, UINT8, echo, model,
    node, value, weight, with,
};
use common::{real, real_json};
use serde_json::Value;
use tempfile::TempDir;

/// The footprint of a model that must be measured.
fn measured(made: &Model, arguments: &[&str]) -> Value {
    let folder = TempDir::new().unwrap();
    let path = onnx::write(folder.path(), made);
    let asked = ["measure", "--model", &path, "--budget", "100ms"];
    let footprint = real_json(&[&asked, arguments].concat());
    let points = footprint.pointer("/ram/points").unwrap().as_array().unwrap();
    assert!(points.len() >= 9, "{points:?}");
    footprint
}

/// What is said of a model that must be refused.
fn refused(made: &Model, arguments: &[&str]) -> String {
    let folder = TempDir::new().unwrap();
    let path = onnx::write(folder.path(), made);
    let asked = ["measure", "--model", &path, "--budget", "100ms", "--quiet"];
    let output = real(&[&asked, arguments].concat());
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(output.stdout.is_empty());
    message
}

fn stages(footprint: &Value) -> Vec<String> {
    let stages = footprint.pointer("/stages").unwrap().as_array().unwrap();
    stages.iter().map(|s| s["name"].as_str().unwrap().to_owned()).collect()
}

const OF_AN_IMAGE: [&str; 5] = ["receive", "decode", "preprocess", "infer m", "respond"];

#[test]
fn images_are_fed_in_any_layout_type_and_number_of_channels() {
    let inputs: [(i32, &[&str]); 5] = [
        (FLOAT, &["1", "3", "32", "32"]),
        (FLOAT16, &["1", "1", "32", "32"]),
        (UINT8, &["1", "32", "32", "3"]),
        (FLOAT, &["batch", "height", "width", "1"]),
        (DOUBLE, &["4", "3", "16", "24"]),
    ];
    for (kind, dims) in inputs {
        let given: &[&str] = if dims[0] == "batch" { &["--shape", "1x24x24x1"] } else { &[] };
        assert_eq!(stages(&measured(&echo(&[("image", kind, dims)]), given)), OF_AN_IMAGE);
    }
}

#[test]
fn numbers_of_every_type_are_fed() {
    let dims: &[&str] = &["1", "5"];
    let kinds = [FLOAT, UINT8, INT8, INT32, INT64, BOOL, FLOAT16, DOUBLE];
    let names: Vec<String> = kinds.iter().map(|k| format!("x{k}")).collect();
    let inputs: Vec<_> = names.iter().zip(kinds).map(|(n, k)| (n.as_str(), k, dims)).collect();
    assert_eq!(stages(&measured(&echo(&inputs), &[])), ["preprocess", "infer m", "respond"]);
}

/// An encoder's front: ids look up a table, a mask multiplies what they find.
fn text_model(rows: i64) -> Model {
    let table = weight("table", FLOAT, &[rows, 2], vec![0; usize::try_from(rows * 8).unwrap()]);
    model(
        vec![
            node("Gather", &["table", "input_ids"], "found"),
            with(node("Cast", &["attention_mask"], "mask"), "to", 1),
            node("ReduceSum", &["mask"], "sum"),
            node("Mul", &["found", "sum"], "y"),
        ],
        vec![
            value("input_ids", INT64, &["batch", "sequence"]),
            value("attention_mask", INT64, &["batch", "sequence"]),
        ],
        vec![value("y", FLOAT, &["batch", "sequence", "2"])],
        vec![table],
    )
}

#[test]
fn ids_are_below_the_rows_of_their_table_and_shapes_that_are_open_are_assumed() {
    let folder = TempDir::new().unwrap();
    let path = onnx::write(folder.path(), &text_model(3));
    let output = real(&["--model", &path, "--budget", "100ms", "--remeasure", "--ram", "1G"]);
    let text = String::from_utf8(output.stdout).unwrap().replace("\n    ", " ");
    assert!(output.status.success(), "{text}");
    assert!(text.contains("assumed: input_ids: sequence = 128."), "{text}");
}

#[test]
fn an_array_of_the_users_is_fed_as_it_is() {
    let folder = TempDir::new().unwrap();
    let ids = |values: &[i64]| {
        let path = folder.path().join(format!("{}.npy", values.len()));
        let header =
            format!("{{'descr': '<i8', 'fortran_order': False, 'shape': (1, {}), }}", values.len());
        let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        bytes.extend(format!("{header:<117}\n").bytes());
        bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        fs::write(&path, bytes).unwrap();
        format!("input_ids={}", path.display())
    };
    let legal = measured(&text_model(3), &["--input", &ids(&[0, 1, 2])]);
    assert_eq!(stages(&legal), ["receive", "preprocess", "infer m", "respond"]);
    // ONNX Runtime looks at the very values: 7 is no row of the table.
    let illegal = refused(&text_model(3), &["--input", &ids(&[0, 7])]);
    assert!(illegal.contains("out of data bounds"), "{illegal}");
    let unknown = refused(&text_model(3), &["--input", "ids=none.npy"]);
    assert!(unknown.contains("no input `ids`: it has `input_ids`"), "{unknown}");
    // Kept by what the array holds, wherever it lies: another one at the same path is measured.
    let path = onnx::write(folder.path(), &text_model(3));
    let first = ids(&[0, 2, 1]);
    let asked = ["--model", &path, "--input", &first, "--budget", "100ms", "--ram", "1G"];
    let said = || {
        let text = String::from_utf8(real(&asked).stdout).unwrap();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(said().contains("Measured now"));
    assert!(said().contains("Footprint from the cache"));
    ids(&[2, 1, 0]);
    assert!(said().contains("Measured now"));
}

#[test]
fn sound_comes_with_its_state_and_its_rate() {
    let sound = echo(&[
        ("input", FLOAT, &["batch", "samples"]),
        ("state", FLOAT, &["2", "batch", "128"]),
        ("sr", INT64, &[]),
    ]);
    let footprint = measured(&sound, &["--shape", "input=1x512"]);
    assert_eq!(stages(&footprint), ["preprocess", "infer m", "respond"]);
}

#[test]
fn weights_of_any_type_and_place_are_loaded() {
    let folder = TempDir::new().unwrap();
    let half = weight("half", FLOAT16, &[4], vec![0; 8]);
    let whole = weight("whole", INT8, &[4], vec![3; 4]);
    let scale = weight("scale", FLOAT, &[], 0.5_f32.to_le_bytes().to_vec());
    let beside = onnx::external("beside", FLOAT, &[4], "weights.bin");
    fs::write(folder.path().join("weights.bin"), [0; 16]).unwrap();
    let made = model(
        vec![
            with(node("Cast", &["half"], "h"), "to", 1),
            node("DequantizeLinear", &["whole", "scale"], "w"),
            node("Add", &["x", "h"], "a"),
            node("Add", &["a", "w"], "b"),
            node("Add", &["b", "beside"], "y"),
        ],
        // A weight that is an input too has a value already: nobody has to give it.
        vec![value("x", FLOAT, &["1", "4"]), value("half", FLOAT16, &["4"])],
        vec![value("y", FLOAT, &["1", "4"])],
        vec![half, whole, scale, beside],
    );
    let path = onnx::write(folder.path(), &made);
    let asked = ["measure", "--model", &path, "--budget", "100ms"];
    let first = real_json(&asked);
    assert_eq!(first.pointer("/models/0/weight_bytes").unwrap(), 8 + 4 + 4 + 16);
    // Other weights beside the same file are another model.
    fs::write(folder.path().join("weights.bin"), [1; 16]).unwrap();
    let second = real_json(&asked);
    assert_ne!(first.pointer("/models/0/sha256"), second.pointer("/models/0/sha256"));
    fs::remove_file(folder.path().join("weights.bin")).unwrap();
    let output = real(&[&asked[..], &["--quiet"]].concat());
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("weights.bin"), "{message}");
}

#[test]
fn what_cannot_be_fed_is_refused_with_the_reason() {
    let text = refused(&echo(&[("words", STRING, &["1"])]), &[]);
    assert!(text.contains("input `words` is text"), "{text}");
    let contradicts = refused(&echo(&[("x", FLOAT, &["1", "n"])]), &["--shape", "2x5"]);
    assert!(contradicts.contains("2×5 contradicts"), "{contradicts}");
    let twice = refused(&echo(&[("x", FLOAT, &["1", "n"])]), &["--shape", "1x5", "--shape", "1x6"]);
    assert!(twice.contains("given twice"), "{twice}");
}

#[test]
fn a_run_that_fails_on_shapes_that_were_assumed_says_so() {
    let made = model(
        vec![node("Add", &["a", "b"], "y")],
        vec![value("a", FLOAT, &["1", "m"]), value("b", FLOAT, &["1", "5"])],
        vec![value("y", FLOAT, &["1", "m"])],
        Vec::new(),
    );
    let message = refused(&made, &[]);
    assert!(message.contains("assumed (a: m = 128)") && message.contains("--shape"), "{message}");
    measured(&made, &["--shape", "a=1x5"]);
}

/// Numbers in the shapes of a network that finds things with their outlines: what it outputs goes
/// through suppression and masks, in the request's own image.
#[test]
fn boxes_and_masks_follow_a_network_that_outputs_them() {
    let shape = |name: &str, dims: &[i64]| {
        let raw = dims.iter().flat_map(|d| d.to_le_bytes()).collect();
        weight(name, INT64, &[i64::try_from(dims.len()).unwrap()], raw)
    };
    let (found, prototypes) = (37 * 84, 32 * 16 * 16);
    let split = onnx::Node {
        output: ["found", "prototypes", "rest"].map(str::to_owned).to_vec(),
        ..with(node("Split", &["flat", "lengths"], "found"), "axis", 1)
    };
    let made = model(
        vec![
            with(node("Flatten", &["images"], "flat"), "axis", 1),
            split,
            node("Reshape", &["found", "found_shape"], "output0"),
            node("Reshape", &["prototypes", "prototypes_shape"], "output1"),
        ],
        vec![value("images", FLOAT, &["1", "3", "64", "64"])],
        vec![
            value("output0", FLOAT, &["1", "37", "84"]),
            value("output1", FLOAT, &["1", "32", "16", "16"]),
        ],
        vec![
            shape("lengths", &[found, prototypes, 3 * 64 * 64 - found - prototypes]),
            shape("found_shape", &[1, 37, 84]),
            shape("prototypes_shape", &[1, 32, 16, 16]),
        ],
    );
    let footprint = measured(&made, &["--image", "0.1mp"]);
    let names = ["receive", "decode", "preprocess", "infer m", "boxes", "masks", "respond"];
    assert_eq!(stages(&footprint), names);
    // A mask of each of the ten best boxes, a byte for each pixel of 0.1 megapixels.
    let masks = &footprint["stages"].as_array().unwrap()[5];
    assert!(masks["ram_bytes"]["typical"].as_f64().unwrap() > 0.09e6, "{masks}");
}
