//! `inspect`: what an ONNX file says about itself, and whether it can be sized.

use std::path::Path;

use super::Exit;
use super::printer::Printer;
use crate::cli::{GlobalArgs, InspectArgs, Plain};
use crate::reference::{
    self, Dim, ExternalFile, ExternalState, ModelInfo, OperatorCount, Port, SizedInput, Sizing,
};
use crate::report;
use crate::report::inspection::{
    Dimension, External, Input, Inspection, Load, Obstacle, Operator, Opset, Output, Weights,
};
use crate::text::shell_word;
use crate::units::Bytes;

/// Runs the verb.
pub fn run(args: &InspectArgs, global: &GlobalArgs, printer: &Printer) -> anyhow::Result<Exit> {
    let info = reference::inspect(&args.model)?;
    let inspection = inspection(&args.model, &info);
    printer.answer(&match global.plain().map_err(anyhow::Error::msg)? {
        Plain::Text => report::inspection_text(&inspection, Printer::layout()),
        Plain::Json => report::inspection_json(&inspection)?,
    })?;
    Ok(Exit::Answered)
}

fn inspection(path: &Path, info: &ModelInfo) -> Inspection {
    let sizing = Sizing::of(info);
    let load = info.load_estimate();
    let weights = info.weights.iter().map(|w| Weights {
        element_type: w.element.to_string(),
        elements: w.elements,
        bytes: Bytes::new(w.bytes),
    });
    Inspection {
        path: path.display().to_string(),
        file_bytes: Bytes::new(info.file_bytes),
        producer: Some(info.producer.clone()).filter(|producer| !producer.is_empty()),
        ir_version: info.ir_version,
        opsets: info.opsets.iter().map(opset).collect(),
        inputs: info.inputs.iter().zip(&sizing.inputs).map(input).collect(),
        overridable_inputs: info.overridable_inputs().to_vec(),
        outputs: info.outputs.iter().map(output).collect(),
        node_count: info.node_count,
        operators: info.operators.iter().map(operator).collect(),
        parameters: info.parameters,
        weight_bytes: Bytes::new(info.weight_bytes),
        weights: weights.collect(),
        constant_bytes: Bytes::new(info.constant_bytes),
        external_files: info.external_files.iter().map(external).collect(),
        load: Load { resident_bytes: load.resident, peak_bytes: load.peak },
        can_be_sized: sizing.can_be_sized(),
        obstacles: sizing
            .obstacles
            .iter()
            .map(|o| Obstacle { code: o.code(), text: o.to_string() })
            .collect(),
        command: sizing.can_be_sized().then(|| command(path, &sizing)),
    }
}

/// The name of a domain: the standard one is written as nothing in files.
fn domain(name: &str) -> String {
    if name.is_empty() { "ai.onnx".to_owned() } else { name.to_owned() }
}

fn opset((name, version): &(String, i64)) -> Opset {
    Opset { domain: domain(name), version: *version }
}

fn operator(operator: &OperatorCount) -> Operator {
    Operator {
        domain: domain(&operator.domain),
        op_type: operator.op_type.clone(),
        count: operator.count,
        local: operator.is_local,
    }
}

fn input((port, sized): (&Port, &SizedInput)) -> Input {
    Input {
        name: port.name.clone(),
        element_type: port.element.to_string(),
        dims: dims(port),
        index_below: port.index_below,
        kind: sized.kind.name(),
        feeds: sized.kind.to_string(),
        assumed_shape: sized.shape.clone(),
    }
}

fn output(port: &Port) -> Output {
    Output { name: port.name.clone(), element_type: port.element.to_string(), dims: dims(port) }
}

fn dims(port: &Port) -> Option<Vec<Dimension>> {
    let dimension = |dim: &Dim| match dim {
        Dim::Fixed(size) => Dimension::Fixed(*size),
        Dim::Named(name) => Dimension::Named(name.clone()),
        Dim::Unknown => Dimension::Unknown,
    };
    port.dims.as_ref().map(|dims| dims.iter().map(dimension).collect())
}

fn external(file: &ExternalFile) -> External {
    let found = match file.state {
        ExternalState::Present { bytes } | ExternalState::TooShort { bytes } => Some(bytes),
        _ => None,
    };
    External {
        location: file.location.clone(),
        path: file.path.display().to_string(),
        needed_bytes: Bytes::new(file.needed_bytes),
        found_bytes: found.map(Bytes::new),
        state: file.state.name(),
    }
}

/// What to type to measure the model: shapes are named where the file leaves more open than the
/// batch.
fn command(path: &Path, sizing: &Sizing) -> String {
    let mut command =
        format!("mediscope-size measure --model {}", shell_word(&path.to_string_lossy()));
    for input in sizing.inputs.iter().filter(|input| !input.is_complete()) {
        let dims = match &input.shape {
            Some(dims) => dims.iter().map(u64::to_string).collect::<Vec<_>>().join("x"),
            None => "DIMS".to_owned(),
        };
        let name =
            if sizing.inputs.len() == 1 { String::new() } else { format!("{}=", input.name) };
        command.push_str(" --shape ");
        command.push_str(&shell_word(&format!("{name}{dims}")));
    }
    command
}
