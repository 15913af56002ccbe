//! Requests of several kinds: what each costs, the service before its late models are loaded, and
//! how well the kinds by themselves predict them together.

use std::fmt::Write;

use super::{cells, ram_table, table, titled, wrap};
use crate::plan::{MixPlan, Plan};
use crate::report::text::Layout;

/// Empty where all requests are alike.
pub(super) fn mix(plan: &Plan, layout: Layout) -> String {
    let Some(mix) = &plan.mix else { return String::new() };
    let mut kinds = table(layout, &["Request", "Share", "RAM each", "95 %", "CPU time"]);
    for kind in &mix.kinds {
        kinds.add_row(cells([
            kind.name.clone(),
            kind.share.to_string(),
            kind.buffer.typical().to_string(),
            format!("{} to {}", kind.buffer.low(), kind.buffer.high()),
            kind.cpu.typical().to_string(),
        ]));
    }
    let mut text = titled("Kinds of requests", &kinds);
    let _ = writeln!(text, "{}", wrap(&explained(mix), layout, 0));
    if let Some(base) = &mix.eager_base {
        let late = mix.late.join(", ");
        text.push('\n');
        text.push_str(&ram_table(
            &format!("RAM by requests in flight before {late} is loaded"),
            &mix.eager_rows,
            layout,
        ));
        let grows = plan.ram.base.typical().saturating_sub(base.typical());
        let all = format!(
            "Before {late} is loaded the base is {}; loading it adds {grows} that stay. All other \
             tables are of the service after that.",
            base.typical()
        );
        let _ = writeln!(text, "{}", wrap(&all, layout, 0));
    }
    text
}

fn explained(mix: &MixPlan) -> String {
    let text = "Requests in flight are split in whole ones by their shares. What decides reckons \
                with more of each kind than that, as one moment in a thousand sees, and with what \
                each kind's sessions keep of it.";
    let Some(check) = &mix.check else { return text.to_owned() };
    let together: Vec<String> = check
        .requests
        .iter()
        .zip(&mix.kinds)
        .map(|(n, kind)| format!("{n} {}", kind.name))
        .collect();
    format!(
        "{text} From each kind by itself, {} together were predicted at {:.1}; other processes took \
         {:.1}: {:+.1} %.",
        together.join(" and "),
        check.predicted.typical(),
        check.observed,
        check.error * 100.0
    )
}
