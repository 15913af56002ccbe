//! The same service in other topologies, side by side.

use super::{Layout, cells, table, titled};
use crate::plan::{Alternative, Plan, TopologyCheck};
use crate::units::{Bytes, Rate, Span};

/// What each topology takes and gives; nothing where none but the plan's own is known.
pub(super) fn topologies(plan: &Plan, layout: Layout) -> String {
    let Some(first) = plan.alternatives.first() else { return String::new() };
    let rate = match plan.question.cpus {
        Some(cpus) => format!("On {cpus}"),
        None => "Measured here".to_owned(),
    };
    let ram = format!("RAM at N = {}", plan.design_concurrency);
    let mut table =
        table(layout, &["Topology", &ram, "Up to", "Times", &rate, "Source", "Predicted, checked"]);
    let own = &first.instead_of;
    table.add_row(row(&format!("{} ◀", plan.topology), own, own, own_rate(plan).as_ref(), None));
    for Alternative { topology, total, throughput, check, .. } in &plan.alternatives {
        table.add_row(row(topology, total, own, throughput.as_ref(), check.as_ref()));
    }
    titled("Other topologies", &table)
}

fn row(
    topology: &str,
    total: &Span<Bytes>,
    own: &Span<Bytes>,
    rate: Option<&Span<Rate>>,
    check: Option<&TopologyCheck>,
) -> Vec<comfy_table::Cell> {
    let times = total.high().as_f64() / own.high().as_f64().max(1.0);
    cells([
        topology.to_owned(),
        total.typical().to_string(),
        total.high().to_string(),
        format!("{times:.1}"),
        rate.map_or_else(|| "–".to_owned(), |r| r.typical().to_string()),
        total.source().to_string(),
        check.map_or_else(|| "–".to_owned(), checked),
    ])
}

fn checked(check: &TopologyCheck) -> String {
    format!(
        "at {}: {} for {} ({:+.1} %)",
        check.concurrency,
        check.predicted.typical(),
        check.observed,
        100.0 * check.error
    )
}

/// On the CPUs that were asked about, else what the largest waves reached.
fn own_rate(plan: &Plan) -> Option<Span<Rate>> {
    match plan.cpu.answers {
        Some(answers) => Some(answers.throughput),
        None => {
            let largest = plan.footprint.throughput.iter().max_by_key(|t| t.concurrency)?;
            Some(Span::exact(largest.rps, crate::units::Source::Measured))
        }
    }
}
