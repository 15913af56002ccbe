//! What to watch, as alert rules for Prometheus.

use std::fmt::Write;

use crate::plan::Plan;
use crate::service::Service;
use crate::units::Share;

/// Alert rules for the service of `plan`: metrics as cAdvisor and the common HTTP middlewares name
/// them. Limits that nobody declared are usual ones.
pub fn prometheus(plan: &Plan, service: &Service) -> String {
    let limits = service.thresholds.clone().unwrap_or_default();
    let share = |declared: Option<Share>, usual: f64| declared.map_or(usual, Share::get);
    let name = label(&plan.name);
    let mut out = format!(
        "# Alert rules for {name}. Metrics are named as cAdvisor and HTTP middlewares do: rename them to yours.\ngroups:\n  - name: {name}\n    rules:\n"
    );
    let mut rule = |alert: &str, expr: String, minutes: u32, severity: &str, summary: String| {
        let _ = write!(
            out,
            "      - alert: {alert}\n        expr: {}\n        for: {minutes}m\n        labels:\n          severity: {severity}\n          service: {name}\n        annotations:\n          summary: {}\n",
            quoted(&expr),
            quoted(&summary),
        );
    };
    let memory = share(limits.memory, 0.8);
    let selector = format!("{{container=\"{name}\"}}");
    rule(
        "MemoryNearLimit",
        format!(
            "container_memory_working_set_bytes{selector} / container_spec_memory_limit_bytes{selector} > {memory}"
        ),
        5,
        "warning",
        format!("{name} uses more than {} of its memory limit", percent(memory)),
    );
    rule(
        "KilledForMemory",
        format!("increase(container_oom_events_total{selector}[10m]) > 0"),
        0,
        "critical",
        format!(
            "the kernel killed {name}: it needs up to {} bytes with {} in flight",
            plan.ram.limit.high().get(),
            plan.design_concurrency
        ),
    );
    for (alert, limit, window, severity) in [
        ("CpuBusy", share(limits.cpu_average, 0.7), "15m", "warning"),
        ("CpuSaturated", share(limits.cpu_peak, 0.9), "5m", "critical"),
    ] {
        rule(
            alert,
            format!(
                "sum(rate(container_cpu_usage_seconds_total{selector}[{window}])) / sum(container_spec_cpu_quota{selector} / container_spec_cpu_period{selector}) > {limit}"
            ),
            5,
            severity,
            format!("{name} uses more than {} of its CPUs", percent(limit)),
        );
    }
    if let Some(response) = &limits.response {
        let seconds = response.high().get();
        rule(
            "SlowResponses",
            format!(
                "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{{service=\"{name}\"}}[5m]))) > {seconds}"
            ),
            5,
            "warning",
            format!("one of twenty requests to {name} takes longer than {seconds} s"),
        );
    }
    let errors = share(limits.errors, 0.01);
    rule(
        "Errors",
        format!(
            "sum(rate(http_requests_total{{service=\"{name}\",status=~\"5..\"}}[5m])) / sum(rate(http_requests_total{{service=\"{name}\"}}[5m])) > {errors}"
        ),
        5,
        "critical",
        format!("more than {} of the requests to {name} fail", percent(errors)),
    );
    let uptime = share(limits.uptime, 0.995);
    rule(
        "Unavailable",
        format!("avg_over_time(up{{job=\"{name}\"}}[30d]) < {uptime}"),
        15,
        "critical",
        format!("{name} was up less than {} of the last 30 days", percent(uptime)),
    );
    out
}

fn percent(share: f64) -> String {
    format!("{} %", (share * 1000.0).round() / 10.0)
}

/// A name that is a label: what is no letter or digit becomes a dash.
fn label(name: &str) -> String {
    let dashed: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    if dashed.is_empty() { "service".to_owned() } else { dashed }
}

/// A scalar that YAML takes as it is.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
