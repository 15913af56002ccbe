//! What a finding says, in the words that all formats share.

use crate::plan::Scope;
use crate::plan::check::{Checked, Doubt, Effort, Ended, Finding, Grown, Outcome, Reading, Remedy};
use crate::service::Limit;
use crate::units::{Bytes, Rate, Seconds, Span};

/// `352 MiB (339 MiB to 361 MiB), at most 512 MiB`.
pub fn sentence(finding: &Finding) -> String {
    let (value, limit) = told(finding);
    match (&finding.trouble, finding.killed.filter(|_| finding.reading.is_some())) {
        (Some(_), _) => value,
        (None, None) => format!("{value}, {limit}"),
        (None, Some(at)) => format!("{value}, {limit}; {}", killed(at)),
    }
}

/// What was found, and what it is held against, each to as many digits as tell one from the other.
pub fn told(finding: &Finding) -> (String, String) {
    let is_file = matches!(finding.rule.limit, Limit::ModelFile(_));
    let hows = || (0..=MOST_DIGITS).map(|digits| How { digits, is_file });
    let how = hows().find(|how| how.is_clear(finding)).unwrap_or(How { digits: 0, is_file });
    let value = match (&finding.trouble, &finding.reading) {
        (Some(trouble), _) => {
            let place = finding.rule.line.as_ref();
            let place = place.map(|line| format!(" ({}:{})", line.file, line.number));
            format!("not measured{}: {trouble}", place.unwrap_or_default())
        }
        (None, Some(reading)) => how.value(reading),
        (None, None) => killed(finding.killed.unwrap_or(0)),
    };
    (value, how.limit(&finding.rule.limit))
}

/// Beyond the usual digits.
const MOST_DIGITS: usize = 4;

/// How numbers are written: 0 as everywhere, else with so many digits.
#[derive(Debug, Clone, Copy)]
struct How {
    digits: usize,
    /// Files are of a disk, which is counted in thousands.
    is_file: bool,
}

impl How {
    fn bytes(self, bytes: Bytes) -> String {
        match self.digits {
            digits if self.is_file => file_size(bytes, digits),
            0 => size(bytes),
            digits => format!("{bytes:.digits$}"),
        }
    }

    fn seconds(self, seconds: Seconds) -> String {
        match self.digits {
            0 => seconds.to_string(),
            digits => format!("{:.digits$} ms", seconds.get() * 1e3),
        }
    }

    fn rate(self, rate: Rate) -> String {
        match self.digits {
            0 => rate.to_string(),
            digits => format!("{:.digits$}/s", rate.get()),
        }
    }

    /// Whether an end of the interval that is beyond the limit is not written as the limit is.
    fn is_clear(self, finding: &Finding) -> bool {
        let ends = match (&finding.reading, finding.rule.limit) {
            (
                Some(Reading::Bytes(span)),
                Limit::Ram { most, .. }
                | Limit::Buffer(most)
                | Limit::LoadPeak(most)
                | Limit::ModelFile(most),
            ) => [self.bytes(span.low()), self.bytes(most), self.bytes(span.high())],
            (Some(Reading::Seconds(span)), Limit::CpuSeconds(most)) => {
                [self.seconds(span.low()), self.seconds(most), self.seconds(span.high())]
            }
            (Some(Reading::Rate(span)), Limit::Rps { least, .. }) => {
                // What is too little is below.
                [self.rate(span.high()), self.rate(least), self.rate(span.low())]
            }
            _ => return true,
        };
        let [near, limit, far] = ends;
        match finding.outcome.ended() {
            Ended::Within => true,
            Ended::Over => near != limit,
            Ended::Undecided => near != limit && far != limit,
        }
    }

    fn value(self, reading: &Reading) -> String {
        match reading {
            Reading::Bytes(span) => interval(span, |bytes| self.bytes(bytes)),
            Reading::Seconds(span) => interval(span, |seconds| self.seconds(seconds)),
            Reading::Rate(span) => interval(span, |rate| self.rate(rate)),
            Reading::Growth(parts) => {
                let told = |g: &Grown| format!("{} {}", g.part.name(), change(g));
                parts.iter().map(told).collect::<Vec<_>>().join(", ")
            }
        }
    }

    /// `at most 512 MiB`.
    fn limit(self, limit: &Limit) -> String {
        match limit {
            Limit::Ram { most, .. }
            | Limit::Buffer(most)
            | Limit::LoadPeak(most)
            | Limit::ModelFile(most) => format!("at most {}", plain(&self.bytes(*most))),
            Limit::CpuSeconds(most) => format!("at most {}", self.seconds(*most)),
            Limit::Rps { least, .. } => format!("at least {}", self.rate(*least)),
            Limit::Growth(most) => format!("at most +{most}"),
        }
    }
}

/// `512 MiB`, `1.5 GiB`: without zeros that say nothing.
pub(in crate::report) fn size(bytes: Bytes) -> String {
    let text = bytes.to_string();
    if text.ends_with("GiB") { plain(&text) } else { text }
}

/// `60 MB`, `1.25 GB`.
fn file_size(bytes: Bytes, digits: usize) -> String {
    let (megas, usual) = (bytes.as_f64() / 1e6, usize::from(bytes.as_f64() < 9.95e6));
    match digits {
        0 if megas >= 999.5 => plain(&format!("{:.2} GB", megas / 1e3)),
        0 if megas < 0.95 => format!("{:.0} KB", megas * 1e3),
        0 => plain(&format!("{megas:.usual$} MB")),
        digits => format!("{megas:.digits$} MB"),
    }
}

/// The number without zeros at its end.
fn plain(text: &str) -> String {
    match text.split_once(' ') {
        Some((number, unit)) if number.contains('.') => {
            format!("{} {unit}", number.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => text.to_owned(),
    }
}

fn killed(concurrency: u32) -> String {
    match concurrency {
        0 => "killed by the kernel while the models were loaded".to_owned(),
        n => format!("killed by the kernel with {n} in flight"),
    }
}

/// `+4.1 % ± 1.2 %`.
pub fn change(grown: &Grown) -> String {
    changed(grown.change, grown.noise)
}

/// The same of two shares.
pub fn changed(change: f64, noise: f64) -> String {
    // Less than is shown has no sign.
    let percent = (change * 1000.0).round() / 10.0 + 0.0;
    format!("{percent:+.1} % ± {:.1} %", noise * 100.0)
}

/// `352 MiB (339 MiB to 361 MiB)`, or the value alone where it is exact.
fn interval<T: Copy + PartialOrd>(span: &Span<T>, told: impl Fn(T) -> String) -> String {
    let [low, typical, high] = [span.low(), span.typical(), span.high()].map(told);
    if low == high { typical } else { format!("{typical} ({low} to {high})") }
}

/// By how much it is over, or what would decide; nothing where it is kept.
pub fn remark(finding: &Finding) -> Option<String> {
    match finding.outcome {
        Outcome::Within => None,
        Outcome::Over => over(finding),
        Outcome::Undecided(Doubt::Longer(times)) => Some(format!(
            "The interval straddles the limit: measure {times:.1} × as long to decide, {}.",
            longer(finding.effort, times)
        )),
        Outcome::Undecided(Doubt::Trouble) => finding.killed.map(|_| NEEDS_MORE.to_owned()),
        Outcome::Undecided(Doubt::Declared) => Some(
            "The declared range straddles the limit: declare it more closely, or measure the service."
                .to_owned(),
        ),
        Outcome::Undecided(Doubt::TooClose) => Some(
            "The interval straddles the limit, and processes differ by about the distance to it: \
             measuring longer would not decide. Leave more room, or say --strict to count it as over."
                .to_owned(),
        ),
    }
}

/// What the options are for so many times as long. What a profile brings along is measured again
/// only if that is asked for.
fn longer(effort: Option<Effort>, times: f64) -> String {
    match effort {
        Some(Effort { budget, is_brought }) => {
            let again = if is_brought { "--remeasure " } else { "" };
            format!("{again}--max-time {:.0}s", (budget.get() * times).ceil())
        }
        // A live service: `check` does not start it.
        None => {
            "with `mediscope-size measure`, which drives it, and so many times the --max-time it had"
                .to_owned()
        }
    }
}

const NEEDS_MORE: &str =
    "Measure where there is more memory, and bring the profile with its footprint here.";

fn over(finding: &Finding) -> Option<String> {
    if let Some(at) = finding.killed {
        let what = match (at, &finding.rule.limit) {
            (0, _) => "loading alone takes more memory than there was".to_owned(),
            (at, Limit::Ram { concurrency, .. }) if at < *concurrency => format!(
                "{at} in flight took more memory than there was, and {concurrency} take more than {at}"
            ),
            (at, _) => format!("{at} in flight took more memory than there was"),
        };
        return Some(format!("It is over because {what}. {NEEDS_MORE}"));
    }
    let share = |value: f64, limit: f64| (value / limit - 1.0) * 100.0;
    let (typical, limit) = match (finding.reading.as_ref()?, finding.rule.limit) {
        (
            Reading::Bytes(span),
            Limit::Ram { most, .. }
            | Limit::Buffer(most)
            | Limit::LoadPeak(most)
            | Limit::ModelFile(most),
        ) => (span.typical().as_f64(), most.as_f64()),
        (Reading::Seconds(span), Limit::CpuSeconds(most)) => (span.typical().get(), most.get()),
        (Reading::Rate(span), Limit::Rps { least, .. }) => {
            let below = -share(span.typical().get(), least.get());
            return Some(format!("{below:.1} % below the limit."));
        }
        _ => return None,
    };
    let above = share(typical, limit);
    (above > 0.0).then(|| format!("{above:.1} % over the limit."))
}

/// Why the rule is there, where its author says so.
pub fn reason(finding: &Finding) -> Option<String> {
    finding.rule.reason.as_ref().map(|reason| format!("Why it is held: {reason}"))
}

/// Where the bytes are, what changed, what would keep the rule.
pub fn why(finding: &Finding) -> Vec<String> {
    let mut lines = Vec::new();
    for (scope, whose) in
        [(Scope::Shared, "Shared by all requests"), (Scope::Request, "Each request")]
    {
        let parts: Vec<String> = finding
            .why
            .parts
            .iter()
            .filter(|part| part.scope == scope)
            .map(|part| format!("{} {}", part.name, size(part.bytes.typical())))
            .collect();
        if !parts.is_empty() {
            lines.push(format!("{whose}: {}.", parts.join(", ")));
        }
    }
    let times = finding.why.times.iter().map(|(name, time)| format!("{name} {time}"));
    let times: Vec<String> = times.collect();
    if !times.is_empty() {
        lines.push(format!("CPU time of each request: {}.", times.join(", ")));
    }
    let files =
        finding.why.files.iter().map(|(name, bytes)| format!("{name} {}", file_size(*bytes, 0)));
    let files: Vec<String> = files.collect();
    if !files.is_empty() {
        lines.push(format!("Files: {}.", files.join(", ")));
    }
    let changes: Vec<String> = finding
        .why
        .changes
        .iter()
        .map(|change| format!("{} {} → {}", change.name, size(change.then), size(change.now)))
        .collect();
    if !changes.is_empty() {
        lines.push(format!("Since the baseline: {}.", changes.join(", ")));
    }
    if finding.outcome.ended() != Ended::Within {
        lines.extend(finding.why.remedies.iter().map(remedy));
    }
    lines
}

/// What would keep the rule, as a sentence.
pub fn remedy(remedy: &Remedy) -> String {
    match remedy {
        Remedy::Admit(n) => format!("It would be kept with at most {n} in flight."),
        Remedy::WarmUp => "It would be kept by a service that is warmed up before it gets traffic \
                           (--warmed): the burst after a restart takes most."
            .to_owned(),
        Remedy::Topology(topology, bytes) => {
            format!("It would be kept by --topology {topology}: {}.", size(*bytes))
        }
        Remedy::Limit(bytes) => format!("A limit of {} would be kept as it is.", size(*bytes)),
        Remedy::LoadPeak(bytes) => format!(
            "Loading takes {}, more than serving: keep weights in a file of their own, so that \
             they are mapped and not copied, or load models one after the other.",
            size(*bytes)
        ),
        Remedy::Stage(name, bytes) => format!(
            "Of each request `{name}` takes most, {}: a smaller input or model there counts first.",
            size(*bytes)
        ),
        Remedy::CpuLimit(time) => format!("A limit of {time} would be kept as it is."),
        Remedy::Cpus(cpus) => format!("It would be kept with {cpus:.1} CPUs."),
        Remedy::Rate(rate) => format!("A limit of {rate} would be kept as it is."),
        Remedy::Time(name, time) => format!(
            "Of each request `{name}` takes most CPU time, {time}: a smaller input or model there \
             counts first."
        ),
        Remedy::File(name, bytes) => format!(
            "The file of `{name}` is too large, {}: weights of 16 or 8 bits take a half or a quarter \
             of it.",
            file_size(*bytes, 0)
        ),
        Remedy::Shrink(part, less, most) => format!(
            "It would be kept with {} less for {}, {} at most.",
            size(*less),
            part.name(),
            size(*most)
        ),
        Remedy::Grew(name, more) => {
            format!("`{name}` has grown most, by {}: look there first.", size(*more))
        }
    }
}

/// `2 within, 1 over, 0 undecided`.
pub fn summary(checked: &Checked) -> String {
    let count = |ended| checked.findings.iter().filter(|f| f.outcome.ended() == ended).count();
    let told = format!(
        "{} within, {} over, {} undecided",
        count(Ended::Within),
        count(Ended::Over),
        count(Ended::Undecided)
    );
    if checked.strict && count(Ended::Undecided) > 0 {
        format!("{told}, which --strict counts as over")
    } else {
        told
    }
}
