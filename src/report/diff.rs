//! Two footprints side by side, for people and as the contract `mediscope-size/diff/1`.

use std::fmt::{Display, Write};

use serde::Serialize;

use super::check::{changed, size};
use super::json::span::S;
use super::markdown::escaped;
use super::tables::{
    DIM, JOINT, Layout, cells, grid, heading, keep_words, titled, whole, wrap_whole,
};
use crate::plan::diff::{Diff, Row};
use crate::units::{Bytes, Span};

/// One table of the comparison.
struct Sheet {
    title: &'static str,
    header: [&'static str; 4],
    rows: Vec<Vec<String>>,
}

const NOISE: &str =
    "±: what two measurements of the same service differ by; a change within it is none.";

/// Tables of both.
/// Contains colours; whoever prints it strips them where they do not belong.
pub fn diff_text(diff: &Diff, layout: Layout) -> String {
    let [from, to] = &diff.names;
    let mut out = heading(&format!("{from} → {to}"));
    for text in other_terms(diff) {
        let _ = writeln!(out, "{}", wrap_whole(&text, layout, 0));
    }
    let [costs, rest @ ..] = sheets(diff);
    let _ = write!(out, "\n{}", table(costs, layout));
    let _ = writeln!(out, "{DIM}{}{DIM:#}", wrap_whole(NOISE, layout, 0));
    for sheet in rest.into_iter().filter(|sheet| !sheet.rows.is_empty()) {
        let _ = write!(out, "\n{}", table(sheet, layout));
    }
    out
}

/// The same for a comment on a pull request.
pub fn diff_markdown(diff: &Diff) -> String {
    let [from, to] = &diff.names;
    let mut out = format!("### {} → {}\n", escaped(from), escaped(to));
    for text in other_terms(diff) {
        let _ = writeln!(out, "\n{}", escaped(&text));
    }
    for sheet in sheets(diff).into_iter().filter(|sheet| !sheet.rows.is_empty()) {
        let _ = writeln!(out, "\n**{}**\n", sheet.title);
        let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
        let _ = writeln!(out, "{}", line(sheet.header.map(str::to_owned).to_vec()));
        let _ = writeln!(out, "| --- | --: | --: | --: |");
        for row in sheet.rows {
            let _ = writeln!(out, "{}", line(row.iter().map(|text| escaped(text)).collect()));
        }
    }
    let _ = writeln!(out, "\n{NOISE}");
    out
}

fn other_terms(diff: &Diff) -> impl Iterator<Item = String> {
    diff.different.iter().map(|different| {
        let (what, then, now) = (&different.what, &different.then, &different.now);
        format!("Not on the same terms: another {what} ({then}, then {now}).")
    })
}

/// Costs, stages, boxes.
fn sheets(diff: &Diff) -> [Sheet; 3] {
    let mut costs: Vec<Vec<String>> = diff.memory.iter().map(cells_of).collect();
    costs.push(cells_of(&diff.cpu));
    let said = |bytes: Option<Bytes>| bytes.map_or("–".to_owned(), size);
    let stages = diff.stages.iter().map(|pair| {
        vec![pair.name.clone(), said(pair.bytes[0]), said(pair.bytes[1]), step(pair.bytes)]
    });
    let boxes = diff.boxes.iter().map(|(ram, [a, b])| {
        let change = i64::from(b.low) - i64::from(a.low);
        let change = if change == 0 { "–".to_owned() } else { format!("{change:+}") };
        vec![size(*ram), fits(a.low), fits(b.low), change]
    });
    let sheet = |title, first, rows| Sheet { title, header: [first, "From", "To", "Change"], rows };
    [
        sheet("Costs", "", costs),
        sheet("RAM of a request, by stage", "Stage", stages.collect()),
        sheet("Requests in flight that a box holds", "Box", boxes.collect()),
    ]
}

const DOES_NOT_FIT: &str = "does not fit";

/// The verdict on a box: how many in flight it holds, if it holds one.
fn fits(n: u32) -> String {
    if n == 0 { DOES_NOT_FIT.to_owned() } else { format!("fits {n}") }
}

fn step(bytes: [Option<Bytes>; 2]) -> String {
    match bytes {
        [Some(a), Some(b)] if a > b => format!("−{}", a.saturating_sub(b)),
        [Some(a), Some(b)] if b > a => format!("+{}", b.saturating_sub(a)),
        [Some(_), Some(_)] => "–".to_owned(),
        [None, _] => "new".to_owned(),
        [_, None] => "gone".to_owned(),
    }
}

fn cells_of<T: Copy + PartialOrd + Display>(row: &Row<T>) -> Vec<String> {
    let change = changed(row.change, row.noise);
    let change = if row.is_real() { change } else { format!("({change})") };
    vec![row.name.to_owned(), interval(&row.from), interval(&row.to), change]
}

fn interval<T: Copy + PartialOrd + Display>(span: &Span<T>) -> String {
    let [low, typical, high] = [span.low(), span.typical(), span.high()].map(|v| v.to_string());
    if low == high { typical } else { format!("{typical} ({low}–{high})") }
}

fn table(Sheet { title, header, rows }: Sheet, layout: Layout) -> String {
    let mut table = grid(layout, &header);
    for row in &rows {
        table.add_row(cells(row.iter().map(|cell| whole(cell))));
    }
    let rows = rows.into_iter().map(|row| row.iter().map(|cell| whole(cell)).collect());
    keep_words(&mut table, &header, rows, layout);
    titled(title, &table).replace(JOINT, " ")
}

#[derive(Debug, Serialize)]
struct Contract<'a> {
    schema: &'static str,
    from: &'a str,
    to: &'a str,
    different: Vec<String>,
    ram: Vec<Quantity<u64>>,
    cpu: Quantity<f64>,
    stages: Vec<Stage<'a>>,
    boxes: Vec<Box>,
}

#[derive(Debug, Serialize)]
struct Quantity<T> {
    name: &'static str,
    from: S<T>,
    to: S<T>,
    change: f64,
    noise: f64,
}

#[derive(Debug, Serialize)]
struct Stage<'a> {
    name: &'a str,
    from_bytes: Option<u64>,
    to_bytes: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Box {
    ram_bytes: u64,
    from_max_concurrency: u32,
    to_max_concurrency: u32,
    from_verdict: &'static str,
    to_verdict: &'static str,
}

const fn verdict(n: u32) -> &'static str {
    if n == 0 { "does_not_fit" } else { "fits" }
}

/// Both as one JSON value.
///
/// # Errors
/// Where it cannot be written as JSON.
pub fn diff_json(diff: &Diff) -> Result<String, serde_json::Error> {
    fn quantity<T, U>(row: &Row<T>) -> Quantity<U>
    where
        T: Copy + PartialOrd,
        S<U>: for<'a> From<&'a Span<T>>,
    {
        Quantity {
            name: row.name,
            from: (&row.from).into(),
            to: (&row.to).into(),
            change: row.change,
            noise: row.noise,
        }
    }
    let contract = Contract {
        schema: "mediscope-size/diff/1",
        from: &diff.names[0],
        to: &diff.names[1],
        different: diff
            .different
            .iter()
            .map(|d| format!("{}: {}, then {}", d.what, d.then, d.now))
            .collect(),
        ram: diff.memory.iter().map(quantity).collect(),
        cpu: quantity(&diff.cpu),
        stages: diff
            .stages
            .iter()
            .map(|pair| Stage {
                name: &pair.name,
                from_bytes: pair.bytes[0].map(Bytes::get),
                to_bytes: pair.bytes[1].map(Bytes::get),
            })
            .collect(),
        boxes: diff
            .boxes
            .iter()
            .map(|(ram, [a, b])| Box {
                ram_bytes: ram.get(),
                from_max_concurrency: a.low,
                to_max_concurrency: b.low,
                from_verdict: verdict(a.low),
                to_verdict: verdict(b.low),
            })
            .collect(),
    };
    Ok(format!("{}\n", serde_json::to_string_pretty(&contract)?))
}
