//! `inspect`: what an ONNX file says about itself, and whether it can be sized.

use std::path::Path;

use super::Exit;
use super::printer::Printer;
use crate::cli::{GlobalArgs, InspectArgs, Plain};
use crate::measure::prepare::fed_by_default;
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
    super::service::is_of_onnx(&args.model)?;
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
    let fed = sizing.can_be_sized().then(|| fed_by_default(path, info));
    let assumed_values = match &fed {
        Some(Ok(fed)) => fed.assumed_values.clone(),
        _ => Vec::new(),
    };
    let weights = info.weights.iter().map(|w| Weights {
        element_type: w.element.to_string(),
        elements: w.elements,
        bytes: Bytes::new(w.bytes),
    });
    Inspection {
        path: path.display().to_string(),
        format: if info.is_ort_format { "ort" } else { "onnx" },
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
        step: info.step().map(str::to_owned),
        assumed_values,
        command: matches!(fed, Some(Ok(_))).then(|| command(path, info, &sizing)),
        asks: fed.and_then(Result::err).map(|error| error.to_string()),
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
fn command(path: &Path, info: &ModelInfo, sizing: &Sizing) -> String {
    let mut command = "mediscope-size measure".to_owned();
    let mut option = |name: &str, value: &str| {
        // What begins like an option is read as one.
        let between = if value.starts_with('-') { "=" } else { " " };
        command += &[" ", name, between, &shell_word(value)].concat();
    };
    option("--model", &path.to_string_lossy());
    for (port, input) in info.inputs.iter().zip(&sizing.inputs) {
        let dims = input.shape.iter().flatten();
        let dims = dims.map(u64::to_string).collect::<Vec<_>>().join("x");
        // A shape with a 0 cannot be typed, and is assumed all the same.
        let is_typed = port.dims.iter().flatten().all(|dim| *dim != Dim::Fixed(0));
        if !input.is_complete() && is_typed {
            let is_only = sizing.inputs.len() == 1;
            let name = if is_only { String::new() } else { format!("{}=", input.name) };
            option("--shape", &format!("{name}{dims}"));
        }
    }
    command
}
