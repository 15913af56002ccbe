//! How a number was made.

use std::fmt::Write;

use anyhow::bail;
use serde::Serialize;

use super::answer::Answer;
use crate::plan::figure::{Figure, Shown};
use crate::report::Plain;
use crate::text::line;

/// What stands behind the figure `key`, or behind a key of the JSON report; of `all`, the names of
/// all figures with their values.
///
/// # Errors
/// Where there is no such key, with those that are like it.
pub fn explain(found: &Answer, key: &str, as_json: bool) -> anyhow::Result<String> {
    let figures = &found.book.figures;
    let plain = Plain::new(found.book.units);
    if key == "all" {
        let all: Vec<Explained<'_>> =
            figures.iter().map(|(key, figure)| Explained::of(key, figure, &plain)).collect();
        if as_json {
            return Ok(format!("{}\n", serde_json::to_string_pretty(&all)?));
        }
        return Ok(all.iter().fold(String::new(), |mut out, e| {
            let _ = writeln!(out, "{}  {}", line(e.key), e.text);
            out
        }));
    }
    if let Some(figure) = figures.get(key) {
        let explained = Explained::of(key, figure, &plain);
        return if as_json {
            Ok(format!("{}\n", serde_json::to_string_pretty(&explained)?))
        } else {
            Ok(told(&explained, found))
        };
    }
    // Keys of the JSON report that are no figures: what the schema says of them.
    if let Some(text) = of_the_contract(found, key)? {
        return Ok(text);
    }
    let last = key.rsplit('.').next().unwrap_or(key);
    let like: Vec<&str> =
        figures.iter().map(|(k, _)| k).filter(|k| k.contains(last)).take(8).collect();
    let help = if like.is_empty() {
        "--explain all lists them".to_owned()
    } else {
        format!("there is {}", like.join(", "))
    };
    bail!("there is no figure `{key}`: {help}")
}

#[derive(Debug, Serialize)]
struct Explained<'a> {
    key: &'a str,
    text: String,
    unit: &'static str,
    low: f64,
    typical: f64,
    high: f64,
    source: &'static str,
    formula: &'static str,
    inputs: Vec<Input<'a>>,
}

#[derive(Debug, Serialize)]
struct Input<'a> {
    symbol: &'static str,
    text: String,
    source: &'static str,
    key: Option<&'a str>,
}

impl<'a> Explained<'a> {
    fn of(key: &'a str, figure: &'a Figure, plain: &Plain) -> Self {
        let [low, typical, high] = figure.shown.value.ends();
        Self {
            key,
            text: plain.text(&figure.shown),
            unit: figure.shown.value.unit(),
            low,
            typical,
            high,
            source: figure.shown.value.source().name(),
            formula: figure.formula,
            inputs: figure
                .inputs
                .iter()
                .map(|(symbol, shown)| input(symbol, shown, plain))
                .collect(),
        }
    }
}

fn input<'a>(symbol: &'static str, shown: &'a Shown, plain: &Plain) -> Input<'a> {
    Input {
        symbol,
        text: plain.text(shown),
        source: shown.value.source().name(),
        key: shown.key.as_deref(),
    }
}

fn told(explained: &Explained<'_>, found: &Answer) -> String {
    let mut out = format!(
        "{} = {}  ({})\n  = {}\n",
        line(explained.key),
        explained.text,
        explained.source,
        explained.formula
    );
    for input in &explained.inputs {
        let key = input.key.map_or(String::new(), |key| format!("  [{}]", line(key)));
        let _ = writeln!(out, "    {} = {}  ({}){key}", input.symbol, input.text, input.source);
    }
    for note in found.book.notes.iter().filter(|n| n.key == explained.key) {
        let at = note.stated.at.as_deref().map_or(String::new(), |at| format!(" ({at})"));
        let stated = format!("{}{at}", note.stated.value);
        let _ = writeln!(out, "  stated otherwise: {}", line(&stated));
    }
    out
}

/// What the schema says of a key, and its value here.
fn of_the_contract(found: &Answer, key: &str) -> anyhow::Result<Option<String>> {
    let value: serde_json::Value = serde_json::from_str(&crate::report::json(&found.assessment)?)?;
    let pointer = format!("/{}", key.replace('.', "/"));
    let Some(value) = value.pointer(&pointer) else { return Ok(None) };
    let mut out = format!("{key} = {}\n", serde_json::to_string(value)?);
    if let Some(description) = described(key) {
        let _ = writeln!(out, "  {description}");
    }
    let like: Vec<&str> =
        found.book.figures.iter().map(|(k, _)| k).filter(|k| k.starts_with(key)).take(8).collect();
    if !like.is_empty() {
        let _ = writeln!(out, "  made of {}", like.join(", "));
    }
    Ok(Some(out))
}

/// What a reference in a schema stands for.
fn meant<'a>(
    schema: &'a serde_json::Value,
    mut at: &'a serde_json::Value,
) -> Option<&'a serde_json::Value> {
    while let Some(reference) = at.get("$ref").and_then(|r| r.as_str()) {
        at = schema.pointer(reference.strip_prefix('#')?)?;
    }
    Some(at)
}

/// The description of a key in the schema of the report.
fn described(key: &str) -> Option<String> {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../schemas/report-2.schema.json")).ok()?;
    let mut at = &schema;
    for part in key.split('.') {
        at = meant(&schema, at)?;
        // What may be null stands beside it.
        let shapes = at.get("anyOf").and_then(|any| any.as_array()).into_iter().flatten();
        at = std::iter::once(at).chain(shapes).find_map(|shape| {
            let shape = meant(&schema, shape)?;
            if part.parse::<usize>().is_ok() {
                shape.get("items")
            } else {
                shape.get("properties")?.get(part)
            }
        })?;
    }
    if at.get("description").is_none() {
        let reference = at.get("$ref")?.as_str()?;
        at = schema.pointer(reference.strip_prefix('#')?)?;
    }
    Some(at.get("description")?.as_str()?.to_owned())
}
