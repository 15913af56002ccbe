//! An inspection for a person: whether it can be sized and how, then what is in the file.

use std::fmt::Write;

use anstyle::AnsiColor;

use super::super::tables::{
    BOLD, DIM, Layout, cells, grid as table, heading, listed, plural, titled, wrap,
};
use super::{Dimension, Input, Inspection};

/// Rows of a table before the rest is only counted.
const MOST_ROWS: usize = 12;

/// The inspection as text. Contains colours; whoever prints it strips them where they do not
/// belong.
pub fn inspection_text(inspection: &Inspection, layout: Layout) -> String {
    let sections = [
        header(inspection, layout),
        verdict(inspection, layout),
        inputs(inspection, layout),
        outputs(inspection, layout),
        weights(inspection, layout),
        external_files(inspection, layout),
        operators(inspection, layout),
        listed("Notes", &notes(inspection), layout),
    ];
    sections.into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join("\n")
}

fn header(it: &Inspection, layout: Layout) -> String {
    let opsets: Vec<String> =
        it.opsets.iter().map(|set| format!("{} {}", set.domain, set.version)).collect();
    let producer = it.producer.as_ref().map_or(String::new(), |p| format!(", written by {p}"));
    let facts = format!(
        "{}{producer}. {} (IR) {}, operator set{} {}. Read without running it.",
        it.file_bytes,
        if it.format == "ort" { "ONNX Runtime's own format, of ONNX" } else { "ONNX format" },
        it.ir_version,
        plural(opsets.len()),
        opsets.join(", "),
    );
    format!("{}{DIM}{}{DIM:#}\n", heading(&it.path), wrap(&facts, layout, 0))
}

fn verdict(it: &Inspection, layout: Layout) -> String {
    let (mark, colour, word) = if it.can_be_sized {
        ("✔", AnsiColor::Green, "CAN BE SIZED")
    } else {
        ("✘", AnsiColor::Red, "CANNOT BE SIZED")
    };
    let style = colour.on_default().bold();
    let mut out = format!("{style}{mark} {word}{style:#}\n");
    for obstacle in &it.obstacles {
        let _ = writeln!(out, "  • {}", wrap(&sentence(&obstacle.text), layout, 4));
    }
    let load = &it.load;
    let estimate = format!(
        "A process with it takes about {} of RAM, ONNX Runtime included, and {} while loading \
         ({}, from the file alone: {} to {}, and {} while loading). Each request adds to that; how \
         much, only measuring tells.",
        load.resident_bytes.typical(),
        load.peak_bytes.typical(),
        load.resident_bytes.source(),
        load.resident_bytes.low(),
        load.resident_bytes.high(),
        load.peak_bytes.high(),
    );
    let _ = writeln!(out, "  • {}", wrap(&estimate, layout, 4));
    if let Some(command) = &it.command {
        // Never wrapped, so that it can be copied.
        let _ = writeln!(out, "  • To measure it:\n\n    {BOLD}{command}{BOLD:#}");
    }
    if let Some(asks) = &it.asks {
        let _ = writeln!(out, "  • {}", wrap(&sentence(asks), layout, 4));
    }
    out
}

fn inputs(it: &Inspection, layout: Layout) -> String {
    if it.inputs.is_empty() {
        return format!("{BOLD}Inputs{BOLD:#}\nNone: every request computes the same.\n");
    }
    let mut rows = table(layout, &["Input", "Type", "Shape", "Taken for", "Measured with"]);
    for input in it.inputs.iter().take(MOST_ROWS) {
        let assumed = match (&input.assumed_shape, is_open(input)) {
            (Some(dims), true) => joined(dims, "x"),
            (Some(_), false) => "as declared".to_owned(),
            (None, _) => "–".to_owned(),
        };
        rows.add_row(cells([
            input.name.clone(),
            input.element_type.clone(),
            shape(input.dims.as_deref()),
            input.feeds.clone(),
            assumed,
        ]));
    }
    let mut out = titled("Inputs", &rows);
    out += &more(it.inputs.len(), "input");
    if it.inputs.iter().any(|input| input.assumed_shape.is_some() && is_open(input)) {
        let text = "Names and question marks are sizes that the file leaves open. A batch of 1 is \
                    what one request is; the others are usual sizes, assumed: put those of your \
                    requests in their place with --shape.";
        let _ = writeln!(out, "{}", wrap(text, layout, 0));
    }
    out
}

fn outputs(it: &Inspection, layout: Layout) -> String {
    let mut rows = table(layout, &["Output", "Type", "Shape"]);
    for output in it.outputs.iter().take(MOST_ROWS) {
        rows.add_row(cells([
            output.name.clone(),
            output.element_type.clone(),
            shape(output.dims.as_deref()),
        ]));
    }
    titled("Outputs", &rows) + &more(it.outputs.len(), "output")
}

fn weights(it: &Inspection, layout: Layout) -> String {
    if it.weights.is_empty() {
        let text = format!("No tensors are stored; the graph makes {}.", it.constant_bytes);
        return format!("{BOLD}Weights{BOLD:#}\n{}\n", wrap(&text, layout, 0));
    }
    let mut rows = table(layout, &["Stored as", "Elements", "Size"]);
    for weights in &it.weights {
        rows.add_row(cells([
            weights.element_type.clone(),
            grouped(weights.elements),
            weights.bytes.to_string(),
        ]));
    }
    let mut text = format!(
        "{} parameters; {} of stored tensors, {} in memory with what operators hold and make \
         themselves.",
        grouped(it.parameters),
        it.weight_bytes,
        it.constant_bytes
    );
    if it.constant_bytes.to_string() == it.weight_bytes.to_string() {
        text = format!("{} parameters; {}.", grouped(it.parameters), it.weight_bytes);
    }
    format!("{}{}\n", titled("Weights", &rows), wrap(&text, layout, 0))
}

fn external_files(it: &Inspection, layout: Layout) -> String {
    if it.external_files.is_empty() {
        return String::new();
    }
    let mut rows = table(layout, &["File with weights", "Needed", "Found", "State"]);
    for file in it.external_files.iter().take(MOST_ROWS) {
        rows.add_row(cells([
            file.path.clone(),
            file.needed_bytes.to_string(),
            file.found_bytes.map_or("–".to_owned(), |bytes| bytes.to_string()),
            file.state.replace('_', " "),
        ]));
    }
    titled("Kept beside the model", &rows) + &more(it.external_files.len(), "file")
}

fn operators(it: &Inspection, layout: Layout) -> String {
    let mut rows = table(layout, &["Operator", "Nodes", "Operator", "Nodes", "Operator", "Nodes"]);
    let shown = it.operators.iter().take(MOST_ROWS);
    let mut texts: Vec<String> = shown
        .flat_map(|operator| {
            let domain = match operator.domain.as_str() {
                "ai.onnx" => String::new(),
                domain => format!("{domain}."),
            };
            [format!("{domain}{}", operator.op_type), grouped(operator.count)]
        })
        .collect();
    // Read down the columns, as the order is.
    let height = texts.len().div_ceil(6);
    texts.resize(6 * height, String::new());
    for row in 0..height {
        let column = |column: usize| {
            let at = 2 * (column * height + row);
            [texts[at].clone(), texts[at + 1].clone()]
        };
        rows.add_row(cells((0..3).flat_map(column)));
    }
    let rest = it.operators.get(MOST_ROWS..).unwrap_or_default();
    let mut out = titled("Operators, most frequent first, nested graphs included", &rows);
    if !rest.is_empty() {
        let nodes: u64 = rest.iter().map(|operator| operator.count).sum();
        let text = format!(
            "and {} more kind{} in {} node{}.",
            rest.len(),
            plural(rest.len()),
            grouped(nodes),
            if nodes == 1 { "" } else { "s" },
        );
        let _ = writeln!(out, "{}", wrap(&text, layout, 0));
    }
    out
}

fn notes(it: &Inspection) -> Vec<String> {
    let mut notes = Vec::new();
    let local: Vec<&str> =
        it.operators.iter().filter(|o| o.local).map(|o| o.op_type.as_str()).collect();
    if !local.is_empty() {
        notes.push(format!(
            "The file defines {} itself, as local functions; ONNX Runtime expands each where it is \
             used.",
            local.join(", ")
        ));
    }
    if it.format == "ort" {
        notes.push(
            "The file is in ONNX Runtime's own format: its graph was optimised when it was written, \
             so the level of optimisation changes little, and operators may be those of the machine \
             that wrote it."
                .to_owned(),
        );
    }
    if let Some(port) = &it.step {
        notes.push(format!(
            "One run is one step, as {port} shows, and a request takes many: count them for times \
             and rates, and give the longest shapes."
        ));
    }
    if !it.assumed_values.is_empty() {
        notes.push(format!(
            "Lengths, counts and sizes can decide what a run costs. These are assumed: {}; give those \
             of your requests, as in --input NAME=448.",
            it.assumed_values.join("; ")
        ));
    }
    if !it.overridable_inputs.is_empty() {
        let names = &it.overridable_inputs;
        notes.push(format!(
            "{} input{} ({}{}) {} a stored default that a request may replace, so ONNX Runtime \
             cannot compute in advance what depends on {}: that costs RAM and time. Listed among \
             the inputs only because an old exporter did so? Save the file without them there.",
            names.len(),
            plural(names.len()),
            names.iter().take(3).cloned().collect::<Vec<_>>().join(", "),
            if names.len() > 3 { ", …" } else { "" },
            if names.len() == 1 { "has" } else { "have" },
            if names.len() == 1 { "it" } else { "them" },
        ));
    }
    if !it.external_files.is_empty() {
        notes.push("Keep the model and the files with its weights together.".to_owned());
    }
    notes
}

/// A clause as a sentence.
fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    let first = letters.next().map(char::to_uppercase);
    format!("{}{}.", first.into_iter().flatten().collect::<String>(), letters.as_str())
}

fn is_open(input: &Input) -> bool {
    input.dims.iter().flatten().any(|dim| !matches!(dim, Dimension::Fixed(_)))
}

/// `1 x 3 x 224 x 224`, with blanks so that a table can break it.
fn shape(dims: Option<&[Dimension]>) -> String {
    match dims {
        None => "any".to_owned(),
        Some([]) => "single".to_owned(),
        Some(dims) => joined(dims, " x "),
    }
}

fn joined<T: ToString>(items: &[T], between: &str) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}

fn more(all: usize, what: &str) -> String {
    match all.saturating_sub(MOST_ROWS) {
        0 => String::new(),
        rest => format!("and {rest} more {what}{}.\n", plural(rest)),
    }
}

/// A whole number with blanks between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push('\u{a0}');
        }
        out.push(digit);
    }
    out
}

impl std::fmt::Display for Dimension {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fixed(size) => write!(f, "{size}"),
            Self::Named(name) => f.write_str(name),
            Self::Unknown => f.write_str("?"),
        }
    }
}
