//! Variants of a service side by side, for a person at a terminal.

mod json;
#[cfg(test)]
mod tests;

use std::fmt::Write;

use comfy_table::{ColumnConstraint, Table, Width};

use super::sentences::Sentences;
use super::tables::{DIM, Layout, cells_of_lines, grid as table, heading, listed, titled, wrap};
use crate::plan::variants::{Choice, Difference, Row, Tip, Variants, name_of};
use crate::units::{Bytes, Rate};

pub use json::variants_json;

/// The table, what each variant saves, and what should be known. Contains colours; whoever prints
/// it strips them where they do not belong.
pub fn variants_text(variants: &Variants, layout: Layout) -> String {
    let sections = [
        header(variants, layout),
        rows(variants, layout),
        listed("What each changes", &tips(variants), layout),
        listed("Not measured", &missing(variants), layout),
        listed("Notes", &notes(&variants.rows), layout),
    ];
    let mut text = sections.into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join("\n");
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn header(variants: &Variants, layout: Layout) -> String {
    let Some(first) = variants.rows.first() else { return String::new() };
    let environment = &first.environment;
    let facts = format!(
        "{} variants, each measured by itself with ONNX Runtime {} on {} ({} cores).",
        variants.rows.len(),
        environment.onnxruntime,
        environment.cpu_model,
        environment.cores,
    );
    format!("{}{DIM}{}{DIM:#}\n", heading(&variants.title), wrap(&facts, layout, 0))
}

fn rows(variants: &Variants, layout: Layout) -> String {
    let n = variants.concurrency;
    let ram = format!("RAM at {n}");
    let question = &variants.question;
    let mut header =
        vec!["Variant", "Base", "Buffer", "Load peak", ram.as_str(), "Up to", "CPU", "Req/s"];
    header.extend(question.ram.map(|_| "Holds"));
    let mut table = table(layout, &header);
    let mut lines: Vec<Vec<String>> = variants.rows.iter().map(row_cells).collect();
    for line in &lines {
        table.add_row(cells_of_lines(line.iter().cloned()));
    }
    lines.push(header.iter().map(|heading| (*heading).to_owned()).collect());
    keep_words_whole(&mut table, &lines);
    let mut out = titled(&format!("Variants with {n} in flight"), &table);
    let rate = match question.cpus {
        Some(cpus) => format!("requests a second on {cpus}"),
        None => "requests a second in the largest waves here".to_owned(),
    };
    let box_words = question.ram.map_or_else(String::new, |ram| {
        format!("; Holds: requests at once in {ram}, ✔ where {n} fit")
    });
    let legend = format!(
        "RAM at {n}: the limit that {n} in flight need, the largest of loading, a cold burst and \
         base + N × buffer; Up to: its high end, which decides; CPU: time a request; Req/s: {rate}\
         {box_words}."
    );
    let _ = writeln!(out, "{}", wrap(&legend, layout, 0));
    out
}

/// A name, a number or a heading that is broken in the middle of a word cannot be read.
fn keep_words_whole(table: &mut Table, lines: &[Vec<String>]) {
    let longest = |column: usize| {
        let words = lines.iter().filter_map(|line| line.get(column)).flat_map(|t| t.split(' '));
        words.map(|word| word.chars().count()).max().unwrap_or(0)
    };
    for (index, column) in table.column_iter_mut().enumerate().skip(1) {
        let padded = u16::try_from(longest(index)).unwrap_or(u16::MAX).saturating_add(2);
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(padded)));
    }
    if let Some(names) = table.column_mut(0) {
        names.set_constraint(ColumnConstraint::ContentWidth);
    }
}

fn row_cells(row: &Row) -> Vec<String> {
    let mut texts = vec![
        row.name.replace(", ", "\n"),
        row.base.typical().to_string(),
        format!("{:.1}", row.buffer.typical()),
        row.load_peak.typical().to_string(),
        row.ram.typical().to_string(),
        row.ram.high().to_string(),
        row.cpu.typical().to_string(),
        row.throughput.map_or_else(|| "–".to_owned(), |r| rate(r.typical())),
    ];
    texts.extend(row.max_concurrency.map(|capacity| {
        let mark = if row.fits == Some(true) { "✔" } else { "✘" };
        format!("{} {mark}", capacity.low)
    }));
    texts
}

/// The unit stands in the heading.
fn rate(rate: Rate) -> String {
    rate.to_string().trim_end_matches("/s").to_owned()
}

fn tips(variants: &Variants) -> Vec<String> {
    let mut lines: Vec<String> = variants.tips.iter().map(|tip| sentence(variants, tip)).collect();
    if variants.tips.iter().any(|tip| tip.ram.is_noise() || tip.cpu.is_noise()) {
        lines.push(NOISE.to_owned());
    }
    lines
}

const NOISE: &str = "Within the noise means that the 95 % intervals of the two overlap, or that \
                     less than 1 % lies between them: a larger --max-time narrows the intervals.";

/// What another variant saves and costs, in a sentence.
pub(super) fn sentence(variants: &Variants, tip: &Tip) -> String {
    let name = variants.rows.get(tip.row).map_or_else(String::new, |row| subject(row, tip));
    let n = variants.concurrency;
    let requests = if n == 1 { "request" } else { "requests" };
    let verbs = if tip.is_input { ["takes", "takes"] } else { ["saves", "costs"] };
    let (ram, cpu) = (&tip.ram, &tip.cpu);
    let mut text = match (ram.is_noise(), cpu.is_noise()) {
        (true, true) => format!(
            "{name} makes no difference beyond the noise ({} at {n} {requests} in flight, {} CPU \
             time).",
            signed_bytes(ram),
            signed_percent(cpu),
        ),
        (false, true) => format!(
            "{name} {} at {n} {requests} in flight; CPU time differs within the noise ({}).",
            ram_words(ram, verbs, tip.is_input),
            signed_percent(cpu),
        ),
        (true, false) => format!(
            "{name} {}; RAM at {n} {requests} in flight differs within the noise ({}).",
            cpu_words(cpu, verbs, tip.is_input),
            signed_bytes(ram),
        ),
        (false, false) => format!(
            "{name} {} at {n} {requests} in flight and {}.",
            ram_words(ram, verbs, tip.is_input),
            // One verb is enough for two amounts.
            cpu_words(cpu, verbs, tip.is_input).trim_start_matches("takes "),
        ),
    };
    if let Some((before, after)) = tip.holds {
        let _ = write!(text, " The box holds {after} at once instead of {before}");
        text.push_str(if tip.makes_it_fit { ", so it fits." } else { "." });
    }
    text
}

/// What saves or costs: of a setting that is compared at its own input, the setting alone.
fn subject(row: &Row, tip: &Tip) -> String {
    let (inputs, settings): (Vec<Choice>, Vec<Choice>) =
        row.choices.iter().cloned().partition(|choice| choice.is_input);
    if tip.is_input || inputs.is_empty() {
        return row.name.clone();
    }
    format!("With {}, {}", name_of(&inputs), name_of(&settings))
}

fn ram_words(ram: &Difference, [saves, costs]: [&str; 2], is_input: bool) -> String {
    let bytes = Bytes::from_f64(ram.typical.abs());
    let more = match (is_input, ram.typical < 0.0) {
        (false, _) => "",
        (true, true) => " less",
        (true, false) => " more",
    };
    format!("{} {bytes}{more}", if ram.typical < 0.0 { saves } else { costs })
}

fn cpu_words(cpu: &Difference, [saves, costs]: [&str; 2], is_input: bool) -> String {
    let percent = (100.0 * cpu.share).abs();
    let more = match (is_input, cpu.typical < 0.0) {
        (false, _) => "",
        (true, true) => "less ",
        (true, false) => "more ",
    };
    format!("{} {percent:.0} % {more}CPU time", if cpu.typical < 0.0 { saves } else { costs })
}

fn signed_bytes(difference: &Difference) -> String {
    let sign = if difference.typical < 0.0 { "−" } else { "+" };
    format!("{sign}{}", Bytes::from_f64(difference.typical.abs()))
}

fn signed_percent(difference: &Difference) -> String {
    let sign = if difference.typical < 0.0 { "−" } else { "+" };
    format!("{sign}{:.1} %", (100.0 * difference.share).abs())
}

fn missing(variants: &Variants) -> Vec<String> {
    variants.missing.iter().map(|m| format!("{}: {}", m.name, m.reason)).collect()
}

/// What should be known of all variants once, and of some of them with their names.
fn notes(rows: &[Row]) -> Vec<String> {
    let mut sentences = Sentences::new();
    let mut found: Vec<(String, Vec<&str>)> = Vec::new();
    for row in rows {
        for text in row.warnings.iter().map(|w| sentences.warning(w)) {
            match found.iter_mut().find(|(known, _)| *known == text) {
                Some((_, names)) => names.push(&row.name),
                None => found.push((text, vec![&row.name])),
            }
        }
    }
    let all = rows.len();
    found
        .into_iter()
        .map(|(text, names)| match names.len() {
            n if n == all => text,
            _ => format!("{}: {text}", names.join("; ")),
        })
        .collect()
}
