//! The answer for a person at a terminal: the verdict first, then the tables behind it, then how
//! far they can be trusted.

mod mix;
mod topologies;

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

use super::words;
use crate::footprint::{Environment, Settings};
use crate::plan::{Component, CpuAnswers, HeldOut, Overall, Plan, RamRow, Scope};
use crate::units::{Bytes, Span};

/// How the text is laid out.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Columns of the terminal.
    pub width: u16,
}

/// Where the numbers come from that the plan was made of, in words.
#[derive(Debug, Clone)]
pub struct Provenance {
    /// The footprint.
    pub footprint: String,
    /// The box, where it was found and not given.
    pub found_box: Option<String>,
}

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();

/// The whole report. Contains colours; whoever prints it strips them where they do not belong.
pub fn text(plan: &Plan, provenance: &Provenance, layout: Layout) -> String {
    let sections = [
        header(plan, provenance, layout),
        verdict(plan, provenance, layout),
        ram(plan, layout),
        boxes(plan, layout),
        mix::mix(plan, layout),
        memory(plan, layout),
        cpu(plan, layout),
        trust(plan, layout),
        topologies::topologies(plan, layout),
        also(plan, layout),
        notes(plan, layout),
    ];
    let mut text = sections.into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join("\n");
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn header(plan: &Plan, provenance: &Provenance, layout: Layout) -> String {
    let environment = &plan.footprint.environment;
    let threads = environment.threads();
    let image = plan.footprint.image.as_ref().map_or(String::new(), |image| {
        format!("; request image {}×{} ({})", image.width, image.height, image.origin)
    });
    let models = plan.footprint.models.len();
    let settings = settings(environment);
    let facts = format!(
        "{} model{}, topology {}, {threads} thread{} a run{settings}{image}. ONNX Runtime {} on {} ({} cores). {}.",
        models,
        plural(models),
        plan.topology,
        plural(usize::from(threads)),
        environment.onnxruntime,
        environment.cpu_model,
        environment.cores,
        provenance.footprint,
    );
    format!("{BOLD}{}{BOLD:#}\n{DIM}{}{DIM:#}\n", plan.title, wrap(&facts, layout, 0))
}

/// The session settings that are not this tool's own, beside the threads.
fn settings(environment: &Environment) -> String {
    let own = Settings { threads: environment.settings.threads, ..Settings::default() };
    let others: Vec<String> =
        environment.settings.beside(&own).map(|change| change.to_string()).collect();
    if others.is_empty() { String::new() } else { format!(", {}", others.join(", ")) }
}

fn verdict(plan: &Plan, provenance: &Provenance, layout: Layout) -> String {
    let (mark, colour, word) = match plan.verdict.overall {
        Overall::Fits => ("✔", AnsiColor::Green, "FITS"),
        Overall::Tight => ("!", AnsiColor::Yellow, "TIGHT"),
        Overall::DoesNotFit => ("✘", AnsiColor::Red, "DOES NOT FIT"),
        Overall::Unknown => ("·", AnsiColor::Blue, "NO BOX ASKED ABOUT"),
    };
    let style = colour.on_default().bold();
    let question = &plan.question;
    let the_box: Vec<String> =
        [question.ram.map(|ram| format!("{ram} RAM")), question.cpus.map(|cpus| cpus.to_string())]
            .into_iter()
            .flatten()
            .collect();
    let mut out = String::new();
    if the_box.is_empty() {
        let asked = match (&plan.upgrade, question.concurrency) {
            (Some(upgrade), Some(n)) => {
                format!("{n} at once need a box of {}", upgrade.comfortable)
            }
            _ => word.to_owned(),
        };
        let _ = writeln!(out, "{style}{mark} {asked}{style:#}");
    } else {
        let _ = writeln!(out, "{style}{mark} {word}{style:#} in {}", the_box.join(", "));
    }
    if let Some(found) = &provenance.found_box {
        let _ = writeln!(out, "  • {}", wrap(found, layout, 4));
    }
    for reason in &plan.verdict.reasons {
        let _ = writeln!(out, "  • {}", wrap(&words::reason(reason), layout, 4));
    }
    if let Some(upgrade) = &plan.upgrade {
        let _ = writeln!(out, "  • {}", wrap(&words::upgrade(upgrade), layout, 4));
    }
    out
}

fn ram(plan: &Plan, layout: Layout) -> String {
    let ram = &plan.ram;
    let formula = format!(
        "RAM = base + N × buffer = {} + N × {:.1}   (95 %: {} to {}; {:.1} to {:.1})",
        ram.base.typical(),
        ram.buffer.typical(),
        ram.base.low(),
        ram.base.high(),
        ram.buffer.low(),
        ram.buffer.high(),
    );
    let mut out = ram_table("RAM by requests in flight", &ram.rows, layout);
    let _ = writeln!(out, "{}", wrap(&formula, layout, 0));
    if let Some(sentence) = words::from_the_knee_on(plan.topology) {
        let _ = writeln!(out, "{}", wrap(&sentence, layout, 0));
    }
    let _ = writeln!(
        out,
        "{}",
        wrap(
            &format!(
                "Loading peaks at {}. Limit for {} in flight: {} to run undisturbed; under {} the kernel kills.",
                ram.load_peak.high(),
                plan.design_concurrency,
                ram.limit.high(),
                ram.kill_limit.typical(),
            ),
            layout,
            0
        )
    );
    out
}

fn ram_table(title: &str, rows: &[RamRow], layout: Layout) -> String {
    let mut table = table(
        layout,
        &["Requests", "Base", "Buffers", "Typical", "Limit needed", "Fits", "Source"],
    );
    for row in rows {
        table.add_row(cells([
            row.concurrency.to_string(),
            row.base.to_string(),
            row.buffers.to_string(),
            row.total.typical().to_string(),
            row.need.to_string(),
            row.fits.map_or("–", |fits| if fits { "yes" } else { "no" }).to_owned(),
            row.total.source().to_string(),
        ]));
    }
    titled(title, &table)
}

fn boxes(plan: &Plan, layout: Layout) -> String {
    let mut table = table(layout, &["RAM", "Requests at once", "Typically up to", ""]);
    for row in &plan.ram.boxes {
        let remark = match (row.asked, row.max_concurrency.low) {
            (true, 0) => "◀ this box: not even one",
            (true, _) => "◀ this box",
            (false, 0) => "not even one",
            (false, _) => "",
        };
        table.add_row(cells([
            row.ram.to_string(),
            row.max_concurrency.low.to_string(),
            row.max_concurrency.typical.to_string(),
            remark.to_owned(),
        ]));
    }
    titled("What a box holds", &table)
}

fn memory(plan: &Plan, layout: Layout) -> String {
    let mut table = table(layout, &["Part", "RAM", "Range", "Source"]);
    for (scope, heading) in [
        (Scope::Shared, "shared by all requests"),
        (Scope::Request, "each request, stage by stage"),
    ] {
        table.add_row(vec![Cell::new(heading)]);
        for Component { name, bytes, .. } in plan.ram.components.iter().filter(|c| c.scope == scope)
        {
            let spread = if bytes.low() == bytes.high() { "–".into() } else { range(bytes) };
            table.add_row(cells([
                format!("  {name}"),
                bytes.typical().to_string(),
                spread,
                bytes.source().to_string(),
            ]));
        }
    }
    titled("Where the memory goes", &table)
}

fn cpu(plan: &Plan, layout: Layout) -> String {
    let mut stages = table(layout, &["Stage", "CPU time", "Share"]);
    let total: f64 = plan.footprint.stages.iter().map(|s| s.cpu.typical().get()).sum();
    for stage in &plan.footprint.stages {
        let cpu = stage.cpu.typical();
        stages.add_row(cells([
            stage.name.clone(),
            cpu.to_string(),
            format!("{:.0} %", 100.0 * cpu.get() / total.max(f64::MIN_POSITIVE)),
        ]));
    }
    let mut out = titled("CPU of one request", &stages);
    let cost = &plan.cpu.seconds_per_request;
    let _ = writeln!(
        out,
        "{} CPU time a request under load (95 %: {} to {}), {} alone.",
        cost.typical(),
        cost.low(),
        cost.high(),
        plan.cpu.seconds_alone.typical(),
    );
    if let Some(answers) = &plan.cpu.answers {
        let _ = writeln!(out, "{}", wrap(&cpu_sentence(answers), layout, 0));
    }
    out
}

fn cpu_sentence(a: &CpuAnswers) -> String {
    format!(
        "On {}: {} (95 %: {} to {}); a lone request takes {}. Best with {} to {} in flight; beyond {} (assumed: two and a half times that) they only queue ({} each).",
        a.cpus,
        a.throughput.typical(),
        a.throughput.low(),
        a.throughput.high(),
        a.response_alone,
        a.best_concurrency.0,
        a.best_concurrency.1,
        a.max_useful_concurrency,
        a.response_at_useful,
    )
}

fn trust(plan: &Plan, layout: Layout) -> String {
    let fit = &plan.ram.fit;
    let measured: Vec<String> = fit.measured.iter().map(u32::to_string).collect();
    let mut text = format!(
        "{BOLD}How far to trust it{BOLD:#}\nMeasured at N = {} in {} processes, R² = {:.4}. ",
        measured.join(", "),
        fit.children,
        fit.r_squared,
    );
    if fit.children == 1 {
        text.push_str("One process does not show how others differ: that is assumed. ");
    }
    if let Some(held_out) = &fit.held_out {
        text.push_str(&prediction(held_out));
    }
    if let Some(arena) = plan.footprint.arena {
        let _ = write!(
            text,
            "One run asks the arenas for {:.1} at the most, whether it touches all of that or not; \
             waves with all runs held under way together reached {:.1} a request, everything \
             included, and that is what the verdict uses. ",
            arena.per_run_bytes,
            plan.ram.buffer.typical(),
        );
    }
    let _ = write!(text, "{} stays allocated after the largest wave.", plan.ram.retained);
    format!("{}\n", wrap(&text, layout, 0))
}

fn prediction(held_out: &HeldOut) -> String {
    let HeldOut { concurrency, predicted, observed, error, increment_error } = held_out;
    let verdict = if held_out.is_inside() {
        "inside the interval"
    } else {
        "outside the interval, so the ranges here may be too narrow"
    };
    format!(
        "From the smaller N alone, N = {concurrency} was predicted at {:.1} (95 %: {:.1} to {:.1}); other processes took {observed:.1}, {verdict}: {:+.1} % of the total, {:+.1} % of the increment. ",
        predicted.typical(),
        predicted.low(),
        predicted.high(),
        error * 100.0,
        increment_error * 100.0,
    )
}

fn also(plan: &Plan, layout: Layout) -> String {
    let mut lines = Vec::new();
    if let Some(saves) = plan.ram.warm_up_saves.filter(|_| !plan.question.warmed) {
        lines.push(words::warm_up(saves, plan.design_concurrency));
    }
    listed("Instead", &lines, layout)
}

fn notes(plan: &Plan, layout: Layout) -> String {
    let lines: Vec<String> = plan.warnings.iter().map(|w| words::warning(w).1).collect();
    listed("Notes", &lines, layout)
}

pub(super) fn listed(title: &str, lines: &[String], layout: Layout) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let mut out = format!("{BOLD}{title}{BOLD:#}\n");
    for line in lines {
        let _ = writeln!(out, "  • {}", wrap(line, layout, 4));
    }
    out
}

pub(super) fn titled(title: &str, table: &Table) -> String {
    format!("{BOLD}{title}{BOLD:#}\n{table}\n")
}

pub(super) fn table(layout: Layout, header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED.with_rounded_corners())
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(layout.width)
        .set_header(cells(header.iter().map(|h| (*h).to_owned())));
    table
}

/// Words to the left, numbers to the right.
pub(super) fn cells(texts: impl IntoIterator<Item = String>) -> Vec<Cell> {
    texts
        .into_iter()
        .enumerate()
        .map(|(column, text)| {
            let number = text.starts_with(|c: char| c.is_ascii_digit());
            let cell = Cell::new(text);
            if number && column < 6 { cell.set_alignment(CellAlignment::Right) } else { cell }
        })
        .collect()
}

fn range(span: &Span<Bytes>) -> String {
    format!("{} to {}", span.low(), span.high())
}

pub(super) const fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}

/// Breaks lines at the terminal's width; later lines are indented.
pub(super) fn wrap(text: &str, layout: Layout, indent: usize) -> String {
    let width = usize::from(layout.width).max(40).saturating_sub(indent);
    textwrap::wrap(text, width).join(&format!("\n{}", " ".repeat(indent)))
}
