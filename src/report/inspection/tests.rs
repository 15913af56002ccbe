//! The contract and its schema, held together; and words that only some files get.

use super::*;
use crate::report::json::contract::{assert_strict, assert_valid, notation, validator};
use crate::report::{Layout, Lines};
use crate::units::Source;

const SCHEMA: &str = include_str!("../../../schemas/inspect-1.schema.json");

/// The contract's keys in order.
const CONTRACT: &str =
    "{schema,path,format,file_bytes,producer,ir_version,opsets[{domain,version}],
    inputs[{name,element_type,dims[],index_below,kind,feeds,assumed_shape[]}],
    overridable_inputs[],outputs[{name,element_type,dims[]}],
    node_count,operators[{domain,op_type,count,local}],
    parameters,weight_bytes,weights[{element_type,elements,bytes}],constant_bytes,
    external_files[{location,path,needed_bytes,found_bytes,state}],
    load{resident_bytes S,peak_bytes S},can_be_sized,obstacles[{code,text}],
    step,assumed_values[],command,asks}";

/// A file with something of everything.
fn planted() -> Inspection {
    let dims = vec![Dimension::Unknown, Dimension::Fixed(3), Dimension::Named("h".to_owned())];
    let span = |mib| Span::exact(Bytes::mib(mib), Source::Assumed);
    Inspection {
        path: "m.onnx".to_owned(),
        format: "ort",
        file_bytes: Bytes::new(1),
        producer: None,
        ir_version: 8,
        opsets: vec![Opset { domain: "ai.onnx".to_owned(), version: 17 }],
        inputs: vec![Input {
            name: "x".to_owned(),
            element_type: "float32".to_owned(),
            dims: Some(dims.clone()),
            index_below: None,
            kind: "features",
            feeds: "numbers".to_owned(),
            assumed_shape: Some(vec![1, 3, 128]),
        }],
        overridable_inputs: vec!["scale".to_owned()],
        outputs: vec![Output {
            name: "y".to_owned(),
            element_type: "float32".to_owned(),
            dims: Some(dims),
        }],
        node_count: 2,
        operators: vec![Operator {
            domain: "mine".to_owned(),
            op_type: "Twice".to_owned(),
            count: 2,
            local: true,
        }],
        parameters: 1234,
        weight_bytes: Bytes::mib(2),
        weights: vec![Weights {
            element_type: "float16".to_owned(),
            elements: 1_234_567,
            bytes: Bytes::mib(2),
        }],
        constant_bytes: Bytes::mib(2),
        external_files: vec![External {
            location: "w".to_owned(),
            path: "w".to_owned(),
            needed_bytes: Bytes::mib(2),
            found_bytes: None,
            state: "missing",
        }],
        load: Load { resident_bytes: span(30), peak_bytes: span(32) },
        can_be_sized: false,
        obstacles: vec![Obstacle { code: "external_data", text: "its weights".to_owned() }],
        step: Some("past.0.key".to_owned()),
        assumed_values: vec!["max_length = 1".to_owned()],
        command: None,
        asks: Some("the input `x` declares no shape".to_owned()),
    }
}

/// The least that a file can say.
fn bare() -> Inspection {
    Inspection {
        opsets: vec![],
        inputs: vec![],
        overridable_inputs: vec![],
        outputs: vec![],
        operators: vec![],
        weights: vec![],
        external_files: vec![],
        can_be_sized: true,
        obstacles: vec![],
        format: "onnx",
        step: None,
        assumed_values: vec![],
        command: Some("mediscope-size measure --model m.onnx".to_owned()),
        asks: None,
        ..planted()
    }
}

#[test]
fn every_key_of_the_contract_is_there_in_its_order() {
    let expected = CONTRACT.lines().map(str::trim).collect::<String>();
    // Lists of single values print no braces.
    let found = notation(&inspection_json(&planted()).unwrap());
    assert_eq!(found, expected);
}

#[test]
fn the_schema_accepts_every_inspection_and_knows_all_keys() {
    let validator = validator(SCHEMA);
    for inspection in [planted(), bare()] {
        assert_valid(&validator, &inspection_json(&inspection).unwrap());
    }
    assert_strict(&validator, &inspection_json(&planted()).unwrap());
}

#[test]
fn a_file_that_says_nothing_is_printed() {
    let text = inspection_text(&bare(), Layout { width: 80, lines: Lines::Unicode });
    assert!(text.contains("CAN BE SIZED") && text.contains("None: every request"), "{text}");
    assert!(!text.contains("Notes") && !text.contains("Kept beside"), "{text}");
}

#[test]
fn a_shape_that_has_to_be_given_is_asked_for() {
    let mut inspection = Inspection { can_be_sized: true, ..planted() };
    inspection.inputs[0].dims = None;
    inspection.inputs[0].assumed_shape = None;
    let text = inspection_text(&inspection, Layout { width: 200, lines: Lines::Unicode });
    assert!(text.contains("The input `x` declares no shape."), "{text}");
    assert!(text.contains("any") && !text.contains("To measure it"), "{text}");
}

#[test]
fn what_costs_or_misleads_is_noted() {
    let text = inspection_text(&planted(), Layout { width: 400, lines: Lines::Unicode });
    assert!(text.contains("1 input (scale) has a stored default"), "{text}");
    assert!(text.contains("defines Twice itself"), "{text}");
    assert!(text.contains("Keep the model and the files"), "{text}");
    assert!(text.contains("ONNX Runtime's own format"), "{text}");
    assert!(text.contains("One run is one step, as past.0.key shows"), "{text}");
    assert!(text.contains("These are assumed: max_length = 1"), "{text}");
}
