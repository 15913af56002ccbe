//! Any model, any input: one tiny model for each kind of input is measured for real, so that ONNX
//! Runtime itself says whether the tensors have the right type, the right shape and legal values.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::onnx::{
    self, BFLOAT16, BOOL, DOUBLE, FLOAT, FLOAT16, INT8, INT32, INT64, Model, STRING, UINT8, echo,
    model, node, value, weight, with,
};
use common::{real, real_cache, real_json};
use serde_json::Value;
use tempfile::TempDir;

/// The footprint of a model that must be measured.
fn measured(made: &Model, arguments: &[&str]) -> Value {
    measured_within("100ms", made, arguments)
}

/// The same with more time, for what is compared: on a busy machine runs overlap only now and then.
fn measured_within(budget: &str, made: &Model, arguments: &[&str]) -> Value {
    let folder = TempDir::new().unwrap();
    let path = onnx::write(folder.path(), made);
    let asked = ["measure", "--model", &path, "--max-time", budget];
    let footprint = real_json(&[&asked, arguments].concat());
    let points = footprint.pointer("/ram/points").unwrap().as_array().unwrap();
    assert!(points.len() >= 9, "{points:?}");
    footprint
}

/// What is said of a model that must be refused.
fn refused(made: &Model, arguments: &[&str]) -> String {
    let folder = TempDir::new().unwrap();
    let path = onnx::write(folder.path(), made);
    let asked = ["measure", "--model", &path, "--max-time", "100ms", "--quiet"];
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
    let kinds = [FLOAT, UINT8, INT8, INT32, INT64, BOOL, FLOAT16, DOUBLE, BFLOAT16];
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
    let asked = ["--model", &path, "--max-time", "100ms", "--remeasure", "--ram", "1G", "--full"];
    let output = real(&asked);
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
    let asked = ["--model", &path, "--input", &first, "--max-time", "100ms", "--ram", "1G"];
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
    let asked = ["measure", "--model", &path, "--max-time", "100ms"];
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

/// Makes as many numbers as its input says, and adds them up.
fn as_many_as(kind: i32, dims: &[&str]) -> Model {
    model(
        vec![
            with(node("Cast", &["length"], "shape"), "to", INT64.into()),
            node("ConstantOfShape", &["shape"], "numbers"),
            node("Relu", &["numbers"], "more"),
            node("ReduceSum", &["more"], "y"),
        ],
        vec![value("length", kind, dims)],
        vec![value("y", FLOAT, &["a"])],
        Vec::new(),
    )
}

/// What one more request takes, MiB.
fn buffer(footprint: &Value) -> f64 {
    footprint.pointer("/ram/buffer_bytes/typical").unwrap().as_f64().unwrap() / 1_048_576.0
}

/// A number decides what a run costs: it is given, or assumed and said to be.
#[test]
fn a_length_that_nobody_gave_is_said_and_one_that_is_given_is_fed() {
    let made = as_many_as(INT32, &["1"]);
    let assumed = measured(&made, &[]);
    assert_eq!(assumed["assumed"], serde_json::json!(["length = 1"]));
    assert!(buffer(&assumed) < 1.0, "{}", buffer(&assumed));
    let given = measured_within("3s", &made, &["--input", "length=4000000"]);
    assert_eq!(given["assumed"], serde_json::json!([]));
    // Two tensors of four million 32-bit floats, made one from the other in place or not.
    let tensor = 4e6 * 4.0 / 1_048_576.0;
    let takes = buffer(&given);
    assert!((tensor * 0.92..tensor * 2.0 * 1.08).contains(&takes), "{takes} of {tensor}");
    let list = measured_within("3s", &as_many_as(INT64, &["2"]), &["--input", "length=1000,4000"]);
    assert!((takes / buffer(&list) - 1.0).abs() < 0.08, "{takes} {}", buffer(&list));
    let random = measured(&as_many_as(INT64, &["n"]), &["--input", "length=@random:2"]);
    assert!(buffer(&random) < 1.0, "0 and 1 are drawn: {}", buffer(&random));
    let folder = TempDir::new().unwrap();
    let path = onnx::write(folder.path(), &made);
    let profile = folder.path().join("p.yaml");
    fs::write(
        &profile,
        "name: p\nmodels:\n  m:\n    path: m.onnx\n    inputs: {length: {value: 4000000}}\n",
    )
    .unwrap();
    let profiled =
        real_json(&["measure", "--profile", profile.to_str().unwrap(), "--max-time", "3s"]);
    assert!((takes / buffer(&profiled) - 1.0).abs() < 0.08);
    let text = real(&["--model", &path, "--max-time", "100ms", "--ram", "1G", "--full"]).stdout;
    let text = String::from_utf8(text).unwrap();
    let verdict = text.split("── Where the memory goes").next().unwrap();
    assert!(verdict.contains("Assumed, as nobody gave them: length = 1."), "{verdict}");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("with --input NAME=VALUE"), "{text}");
    for (input, reason) in [
        ("length=0.5", "int32, which cannot hold 0.5"),
        ("length=3000000000", "int32, which cannot hold 3000000000"),
        ("length=1,2", "contradicts the model"),
        ("length=@random:x", "has no shape"),
    ] {
        let message = refused(&made, &["--input", input]);
        assert!(message.contains(reason), "{input}: {message}");
    }
}

/// One step of a decoder: what came before, and now, under one mask. `Add` fails where the mask is
/// not as long as both.
fn step(total: &str, past: &str, now: &str) -> Model {
    let axes =
        weight("axes", INT64, &[2], [1_i64, 3].iter().flat_map(|a| a.to_le_bytes()).collect());
    model(
        vec![
            with(node("Cast", &["input_ids"], "ids"), "to", FLOAT.into()),
            node("Unsqueeze", &["ids", "axes"], "keys"),
            with(node("Concat", &["past_key_values.0.key", "keys"], "present.0.key"), "axis", 2),
            with(node("Cast", &["attention_mask"], "mask"), "to", FLOAT.into()),
            node("Unsqueeze", &["mask", "axes"], "masks"),
            node("Add", &["present.0.key", "masks"], "y"),
        ],
        vec![
            value("attention_mask", INT64, &["batch", total]),
            value("input_ids", INT64, &["batch", now]),
            value("past_key_values.0.key", FLOAT, &["batch", "1", past, "1"]),
        ],
        vec![
            value("y", FLOAT, &["batch", "1", total, "1"]),
            value("present.0.key", FLOAT, &["batch", "1", total, "1"]),
        ],
        vec![axes],
    )
}

/// The command of an inspection runs, or there is none and it is said what has to be given.
#[test]
fn every_command_that_an_inspection_prints_runs() {
    let odd = ["-x", "it's", "a=b", "$HOME x", "x\ny"];
    let odd: Vec<_> = odd.iter().map(|name| (*name, FLOAT, &["1", "n"][..])).collect();
    let made = [
        step("past_sequence_length + sequence_length", "past_sequence_length", "sequence_length"),
        step("total_sequence_length", "past_sequence_length", "sequence_length"),
        step("attention_length", "cached", "length"),
        step("?", "?", "?"),
        step("past + 1", "past", "1"),
        echo(&odd),
        echo(&odd[..1]),
        echo(&[("image", FLOAT, &["?", "3", "h", "w"]), ("size", INT64, &["?", "2"])]),
        echo(&[("x", FLOAT, &["0", "n"]), ("max_length", INT32, &["1"])]),
        text_model(9),
    ];
    for made in &made {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("-my models")).unwrap();
        onnx::write(&folder.path().join("-my models"), made);
        let run = |command: &str| {
            // What cannot be typed is quoted as bash, zsh and ksh read it.
            let output = std::process::Command::new("bash")
                .args(["-c", command])
                .current_dir(folder.path())
                .env("PATH", {
                    let program = assert_cmd::cargo::cargo_bin!("mediscope-size").parent().unwrap();
                    format!("{}:{}", program.display(), std::env::var("PATH").unwrap())
                })
                .env("MEDISCOPE_SIZE_CACHE", real_cache())
                .output()
                .unwrap();
            let message = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.success(), "{command}: {message}");
            serde_json::from_slice::<Value>(&output.stdout).unwrap()
        };
        let inspection = run("mediscope-size inspect --format json --quiet -- '-my models/m.onnx'");
        let command = inspection["command"].as_str().unwrap_or_else(|| panic!("{inspection}"));
        run(&format!("{command} --max-time 100ms --format json --quiet"));
    }
    // A shape that is not declared has to be given, and there is no command without it.
    let mut made = echo(&[("x", FLOAT, &["1", "n"])]);
    let input = &mut made.graph.as_mut().unwrap().input[0];
    input.kind.as_mut().unwrap().tensor.as_mut().unwrap().shape = None;
    let folder = TempDir::new().unwrap();
    let inspection = real_json(&["inspect", &onnx::write(folder.path(), &made)]);
    assert!(inspection["command"].is_null(), "{inspection}");
    assert!(inspection["asks"].as_str().unwrap().contains("--shape x="), "{inspection}");
    measured(&made, &["--shape", "x=1x7"]);
}

#[test]
fn one_step_of_many_is_said_not_to_be_a_request() {
    let folder = TempDir::new().unwrap();
    let path = onnx::write(folder.path(), &step("total", "past_length", "length"));
    let text = real(&["--model", &path, "--max-time", "100ms", "--ram", "1G", "--full"]).stdout;
    let text = String::from_utf8(text).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    let short = "One run of m is one step of a request that takes many (past_key_values.0.key).";
    assert!(text.contains(short), "{text}");
    assert!(text.contains("multiply times by the steps of a request"), "{text}");
    // The mask follows from the other two, and is no guess of its own.
    let assumed = "length = 128; past_key_values.0.key: past_length = 128.";
    assert!(text.contains(assumed) && !text.contains("total = "), "{text}");
    let short = ["--shape", "attention_mask=1x9", "--shape", "input_ids=1x2"];
    let fed = measured(&step("past_length + length", "past_length", "length"), &short);
    assert_eq!(fed["assumed"], serde_json::json!([]), "what is left of the mask came before");
    let wrong = [&short[..], &["--shape", "past_key_values.0.key=1x1x3x1"]].concat();
    let message = refused(&step("past_length + length", "past_length", "length"), &wrong);
    assert!(message.contains("past_length + length is 3 + 2 = 5"), "{message}");
}

/// Written by ONNX Runtime 1.31: ids look up a table of three rows, a matrix, and a branch.
#[test]
fn a_file_in_the_runtimes_own_format_is_inspected_and_measured_whatever_its_name() {
    let words = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/models/words.ort");
    let folder = TempDir::new().unwrap();
    let other = folder.path().join("words.onnx");
    fs::copy(words, &other).unwrap();
    for path in [words, other.to_str().unwrap()] {
        let inspection = real_json(&["inspect", path]);
        assert_eq!(inspection["format"], "ort");
        assert_eq!(inspection["inputs"][0]["index_below"], 3, "the rows of the table");
        assert_eq!(inspection["weights"][0]["elements"], 3 * 4 + 4 * 4);
        let operators = inspection["operators"].as_array().unwrap();
        let nested = operators.iter().any(|o| o["op_type"] == "Tanh");
        assert!(nested && inspection["node_count"] == 3, "{operators:?}");
        let asked = ["measure", "--model", path, "--max-time", "100ms", "--shape", "input_ids=1x5"];
        assert_eq!(stages(&real_json(&asked))[1], "infer words");
    }
    // Cut anywhere, it is refused and not followed out of the file.
    let whole = fs::read(words).unwrap();
    for length in (8..whole.len()).step_by(97) {
        fs::write(&other, &whole[..length]).unwrap();
        let output = real(&["inspect", other.to_str().unwrap()]);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{length}: {message}");
        assert!(message.contains("cut short") || message.contains("damaged"), "{message}");
    }
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

/// A session that is made from bytes has a second copy of the file beside it, for as long as it lives.
#[test]
fn a_model_that_is_loaded_from_bytes_takes_its_file_once_more() {
    let folder = TempDir::new().unwrap();
    // 32 MiB, of which the requests read a row.
    let path = onnx::write(folder.path(), &text_model(4 << 20));
    let size = fs::metadata(&path).unwrap().len();
    let base = |load: &str| {
        let profile = folder.path().join(format!("{load}.yaml"));
        fs::write(
            &profile,
            format!("name: {load}\nmodels:\n  m: {{path: {path}, load: {load}}}\n"),
        )
        .unwrap();
        let profile = profile.to_str().unwrap();
        let footprint = real_json(&["measure", "--profile", profile, "--max-time", "100ms"]);
        footprint.pointer("/ram/base_bytes/typical").unwrap().as_f64().unwrap()
    };
    let (file, bytes) = (base("eager"), base("bytes"));
    let more = (bytes - file) / f64::from(u32::try_from(size).unwrap());
    assert!((more - 1.0).abs() < 0.08, "{file} {bytes} {size}");
}
