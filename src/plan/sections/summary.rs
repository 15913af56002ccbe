//! The answer on one screen: the verdict with its reasons, what to set, what the target and other servers do,
//! and what to do next. Every number is a field of the assessment.

use super::operation::warning;
use crate::plan::assess::{
    Answer, Assessment, ByResource, Confidence, Finding, Memory, Resource, Server, Target,
};
use crate::plan::book::{Maker, exact};
use crate::plan::figure::{Form, Shown, Value};
use crate::plan::finding::Status;
use crate::plan::page::{Block, Phrase, Row, RowKind, Section, Table, says};
use crate::units::{Bytes, Cpus, Money, Rate, Seconds, Source, Span};

/// `summary`.
pub(super) fn summary(maker: &mut Maker<'_>) -> Option<Section> {
    let assessment = maker.assessment?;
    let mut blocks = vec![headline(assessment)];
    let mut lines: Vec<(Option<Status>, Phrase)> = Vec::new();
    lines.extend(assessment.verdict.reasons.iter().map(|r| (None, finding_phrase(&r.code))));
    lines.extend(least(assessment).map(|phrase| (None, phrase)));
    let doubts = assessment.verdict.confidence_reasons.iter();
    let beside = assessment.warnings.iter().filter(|note| is_beside(note.code));
    lines.extend(doubts.chain(beside).map(|note| {
        let status = Some(Status::Marginal);
        (
            status,
            super::operation::in_short(&note.warning).unwrap_or_else(|| warning(&note.warning)),
        )
    }));
    if !lines.is_empty() {
        blocks.push(Block::List(lines));
    }
    let is_unknown =
        assessment.verdict.reasons.iter().any(|reason| reason.code == Finding::CostsUnknown);
    if is_unknown {
        return Some(Section { id: "summary", blocks });
    }
    blocks.push(formula(assessment));
    blocks.push(Block::Table(concurrency(assessment)));
    if !assessment.servers.is_empty() {
        blocks.push(Block::Table(servers(assessment)));
    }
    if let Some(paste) = &assessment.paste {
        blocks.push(Block::Code("bash", vec![format!("docker run {} IMAGE", paste.docker).into()]));
    }
    blocks.push(Block::Paragraph(next(maker, assessment)));
    Some(Section { id: "summary", blocks })
}

/// Warnings that belong beside the verdict, because it rests on what they say.
fn is_beside(code: &str) -> bool {
    !matches!(code, "synthetic_weights" | "one_burst")
}

fn ram(bytes: Bytes) -> Shown {
    Shown::plain(Value::Bytes(exact(bytes, Source::Fitted)))
}

fn size(bytes: Bytes) -> Shown {
    Shown::plain(Value::Box(bytes))
}

fn volume(bytes: Bytes) -> Shown {
    Shown::plain(Value::Volume(exact(bytes, Source::Declared)))
}

fn rate(rate: Rate) -> Shown {
    Shown::plain(Value::Rate(exact(rate, Source::Fitted)))
}

fn time(seconds: Seconds) -> Shown {
    Shown::plain(Value::Seconds(exact(seconds, Source::Fitted)))
}

fn share(share: f64) -> Shown {
    Shown::plain(Value::Share(exact(share, Source::Fitted)))
}

/// What is asked about: `1 GiB RAM, 2 CPUs`.
fn target(target: &Target) -> Phrase {
    let parts: Vec<Phrase> = [
        target.ram.map(|bytes| says!("box-ram", ram = size(bytes))),
        target.cpus.map(|cpus| Shown::plain(Value::Cpus(cpus)).into()),
        target.disk.map(|disk| says!("box-disk", disk = volume(disk))),
        target.bandwidth.map(|bytes| says!("a-month", amount = volume(bytes))),
    ]
    .into_iter()
    .flatten()
    .collect();
    Phrase::Joined(", ", parts)
}

impl Answer {
    /// How it is marked.
    pub(in crate::plan) const fn status(self) -> Status {
        match self {
            Self::Fits => Status::Sufficient,
            Self::Tight => Status::Marginal,
            Self::DoesNotFit => Status::Insufficient,
            Self::Unknown => Status::Unknown,
        }
    }

    fn phrase(self) -> Phrase {
        Phrase::word(match self {
            Self::Fits => "answer-fits",
            Self::Tight => "answer-tight",
            Self::DoesNotFit => "answer-does-not-fit",
            Self::Unknown => "answer-unknown",
        })
    }
}

fn resource(resource: Resource) -> Phrase {
    Phrase::word(match resource {
        Resource::Memory => "decides-memory",
        Resource::Cpu => "decides-cpu",
        Resource::Latency => "decides-latency",
        Resource::Disk => "decides-disk",
        Resource::Bandwidth => "decides-bandwidth",
    })
}

fn headline(assessment: &Assessment) -> Block {
    let verdict = &assessment.verdict;
    let confidence = Phrase::word(match verdict.confidence {
        Confidence::High => "confidence-high",
        Confidence::Medium => "confidence-medium",
        Confidence::Low => "confidence-low",
    });
    let status = verdict.answer.status();
    let Some(asked) = &assessment.question.target else {
        let (memory, cpus) = minima(assessment);
        if memory.is_none() && cpus.is_none() {
            let is_asked = !verdict.by_resource.is_empty();
            return if is_asked {
                Block::Verdict(Status::Insufficient, says!("verdict-none"))
            } else {
                Block::Verdict(status, says!("verdict-no-question"))
            };
        }
        let needs = needs(assessment);
        return Block::Verdict(
            status,
            says!("verdict-needs", what = needs, confidence = confidence),
        );
    };
    let about = target(asked);
    Block::Verdict(
        status,
        match verdict.binding {
            Some(binding) => says!(
                "verdict-line",
                answer = verdict.answer.phrase(),
                target = about,
                confidence = confidence,
                binding = resource(binding)
            ),
            None => says!(
                "verdict-line-free",
                answer = verdict.answer.phrase(),
                target = about,
                confidence = confidence
            ),
        },
    )
}

fn by(assessment: &Assessment, resource: Resource) -> Option<&ByResource> {
    assessment.verdict.by_resource.iter().find(|row| row.resource == resource)
}

fn minima(assessment: &Assessment) -> (Option<f64>, Option<f64>) {
    let least = |resource| by(assessment, resource).and_then(|row| row.minimum);
    (least(Resource::Memory), least(Resource::Cpu))
}

/// The least RAM and CPUs that answer.
fn needs(assessment: &Assessment) -> Phrase {
    let (memory, cpus) = minima(assessment);
    target(&Target {
        ram: memory.map(Bytes::from_f64),
        cpus: cpus.and_then(Cpus::new),
        ..Target::default()
    })
}

/// What would answer, where the target does not.
fn least(assessment: &Assessment) -> Option<Phrase> {
    let unfit = assessment.verdict.answer == Answer::DoesNotFit;
    let asked = assessment.question.target.as_ref()?;
    let (memory, cpus) = minima(assessment);
    let short = |has: Option<f64>, least: Option<f64>| has.zip(least).is_some_and(|(h, l)| h < l);
    let is_short =
        short(asked.ram.map(Bytes::as_f64), memory) || short(asked.cpus.map(Cpus::get), cpus);
    match (unfit, is_short, memory.is_some()) {
        (true, true, _) => Some(says!("verdict-least", what = needs(assessment))),
        (true, false, false) => Some(says!("verdict-none")),
        _ => None,
    }
}

/// A finding in words.
pub fn finding_phrase(finding: &Finding) -> Phrase {
    match *finding {
        Finding::NoRequestFits { limit_bytes, ram_bytes } => {
            says!("finding-no-request", limit = ram(limit_bytes), ram = size(ram_bytes))
        }
        Finding::TooManyConcurrent { concurrency, limit_bytes, ram_bytes } => says!(
            "finding-too-many",
            n = concurrency,
            limit = apart(limit_bytes, ram_bytes),
            ram = apart_size(limit_bytes, ram_bytes)
        ),
        Finding::LittleMemoryLeft { concurrency, limit_bytes, ram_bytes } => says!(
            "finding-little-memory",
            n = concurrency,
            limit = ram(limit_bytes),
            ram = size(ram_bytes)
        ),
        Finding::MemoryFits { concurrency, limit_bytes, ram_bytes } => {
            says!(
                "finding-memory",
                n = concurrency,
                limit = ram(limit_bytes),
                ram = size(ram_bytes)
            )
        }
        Finding::MemoryBelowSaturation { safe_concurrency, saturation_concurrency } => {
            says!("finding-below-saturation", n = safe_concurrency, busy = saturation_concurrency)
        }
        Finding::NeedsConcurrencyLimit { concurrency_limit, oom_risk_per_day } => {
            says!("finding-needs-limit", n = concurrency_limit, risk = share(oom_risk_per_day))
        }
        Finding::RateAboveThroughput { rate_rps, throughput_rps } => {
            says!("finding-rate-above", rate = rate(rate_rps), most = rate(throughput_rps))
        }
        Finding::LittleThroughputLeft { rate_rps, throughput_rps, utilisation } => says!(
            "finding-little-throughput",
            rate = rate(rate_rps),
            most = rate(throughput_rps),
            share = share(utilisation)
        ),
        Finding::RateFits { rate_rps, throughput_rps, utilisation } => says!(
            "finding-rate",
            rate = rate(rate_rps),
            most = rate(throughput_rps),
            share = share(utilisation)
        ),
        Finding::SloMissed { rate_at_slo_rps } if rate_at_slo_rps.get() == 0.0 => {
            says!("finding-slo-never")
        }
        Finding::SloMissed { rate_at_slo_rps } => {
            says!("finding-slo-missed", most = rate(rate_at_slo_rps))
        }
        Finding::SloNearlyMissed { rate_at_slo_rps } => {
            says!("finding-slo-nearly", most = rate(rate_at_slo_rps))
        }
        Finding::SloMet { rate_at_slo_rps } => {
            says!("finding-slo-met", most = rate(rate_at_slo_rps))
        }
        Finding::ConcurrencyTooSlow { concurrency, response_seconds } => {
            says!("finding-too-slow", n = concurrency, time = time(response_seconds))
        }
        Finding::SlowerThanThreshold { response_seconds, threshold_seconds } => {
            says!("finding-slow", time = time(response_seconds), most = time(threshold_seconds))
        }
        Finding::QuotaBelowOneCpu { cpus, response_seconds } => says!(
            "finding-quota",
            cpus = Shown::plain(Value::Cpus(cpus)),
            time = time(response_seconds)
        ),
        Finding::DiskTooSmall { need_bytes, disk_bytes } => {
            says!("finding-disk", need = volume(need_bytes), has = volume(disk_bytes))
        }
        Finding::LittleDiskLeft { need_bytes, disk_bytes } => {
            says!("finding-little-disk", need = volume(need_bytes), has = volume(disk_bytes))
        }
        Finding::TooLittleBandwidth { need_bytes, bandwidth_bytes } => {
            says!("finding-bandwidth", need = volume(need_bytes), has = volume(bandwidth_bytes))
        }
        Finding::LittleBandwidthLeft { need_bytes, bandwidth_bytes } => says!(
            "finding-little-bandwidth",
            need = volume(need_bytes),
            has = volume(bandwidth_bytes)
        ),
        Finding::MeantForFewerUsers { users_below } => says!(
            "finding-fewer-users",
            users = Shown::plain(Value::Count(exact(users_below, Source::Declared)))
        ),
        Finding::CostsUnknown => says!("finding-unknown"),
    }
}

/// Two sizes that differ by less than a megabyte are written in bytes, or they would read alike.
fn apart(need: Bytes, has: Bytes) -> Shown {
    let is_close = need.saturating_sub(has) < Bytes::MIB;
    if is_close { ram(need).form(Form::Exact) } else { ram(need) }
}

fn apart_size(need: Bytes, has: Bytes) -> Shown {
    let is_close = need.saturating_sub(has) < Bytes::MIB;
    if is_close { size(has).form(Form::Exact) } else { size(has) }
}

fn formula(assessment: &Assessment) -> Block {
    let Memory { base, buffer, limit, oom_threshold, design_concurrency, .. } = assessment.memory;
    let (base, buffer) = (Shown::plain(Value::Bytes(base)), Shown::plain(Value::Bytes(buffer)));
    let (n, limit) = (design_concurrency, ram(limit.high()));
    Block::Paragraph(match oom_threshold {
        Some(threshold) => says!(
            "memory-line",
            base = base,
            buffer = buffer,
            n = n,
            limit = limit,
            threshold = ram(threshold.high())
        ),
        None => says!("memory-line-declared", base = base, buffer = buffer, n = n, limit = limit),
    })
}

fn concurrency(assessment: &Assessment) -> Table {
    let mut columns = vec!["#column-concurrent", "#column-memory", "#column-limit-bytes"];
    let has_ram = assessment.question.target.as_ref().is_some_and(|t| t.ram.is_some());
    let has_cpus = assessment.capacity.throughput.is_some();
    if has_cpus {
        columns.extend(["#column-per-second", "#column-response-time"]);
    }
    if has_ram {
        columns.push("column-fits");
    }
    columns.push("column-remark");
    let mut table = Table::new(Phrase::blank(), &columns).compact();
    let several = assessment.concurrency_rows.iter().any(|row| row.state == "eager");
    let (capacity, memory) = (&assessment.capacity, &assessment.memory);
    for row in &assessment.concurrency_rows {
        let n = row.concurrency;
        let mut cells: Vec<Phrase> =
            vec![n.into(), Shown::plain(Value::Bytes(row.memory)).into(), ram(row.limit).into()];
        let dash = || Phrase::from("–");
        if has_cpus {
            cells.push(row.throughput.filter(|_| n > 0).map_or_else(dash, |r| rate(r).into()));
            cells.push(row.response.map_or_else(dash, |t| time(t).into()));
        }
        if has_ram {
            let fits = row.fits.unwrap_or_default();
            cells.push(Phrase::from(if fits { "✔" } else { "✘" }));
        }
        let is = |other: Option<u32>| other == Some(n) && n > 0;
        let remarks = [
            (several && row.state == "eager", "remark-eager"),
            (n == 0, "remark-idle-short"),
            (is(assessment.question.concurrency), "remark-asked"),
            (is(capacity.saturation_concurrency), "remark-saturation"),
            (is(capacity.safe_concurrency), "remark-safe"),
        ];
        let remarks = remarks.into_iter().filter(|(is, _)| *is).map(|(_, id)| Phrase::word(id));
        cells.push(Phrase::Joined(", ", remarks.collect()));
        let kind =
            if is(Some(memory.design_concurrency)) { RowKind::Asked } else { RowKind::Plain };
        table.rows.push(Row { kind, cells });
    }
    table
}

fn servers(assessment: &Assessment) -> Table {
    let has_price = assessment.servers.iter().any(|s| s.price_per_month.is_some());
    let has_slo = assessment.question.slo.is_some();
    let mut columns = vec!["column-server", "#column-memory", "#column-cpus", "#column-safe"];
    columns.push(if has_slo { "#column-rate-at-slo" } else { "#column-server-rate" });
    if has_price {
        columns.push("#column-price");
    }
    columns.push("column-verdict");
    let mut table = Table::new(Phrase::blank(), &columns).compact();
    for server in &assessment.servers {
        let rps = if has_slo { server.rate_at_slo } else { server.throughput.map(|t| t.low()) };
        let dash = || Phrase::from("–");
        let mut cells: Vec<Phrase> = vec![
            server.name.clone().into(),
            size(server.ram).into(),
            server.cpus.map_or_else(dash, |cpus| {
                Shown::plain(Value::Count(exact(cpus.get(), Source::Declared))).into()
            }),
            server.safe_concurrency.into(),
            rps.map_or_else(dash, |r| rate(r).into()),
        ];
        if has_price {
            let money = |price| Value::Money(exact(Money::new(price), Source::Declared));
            let price = server.price_per_month;
            cells.push(price.map_or_else(dash, |p| Shown::plain(money(p)).into()));
        }
        cells.push(verdict_of(assessment, server));
        let kind = if server.asked { RowKind::Asked } else { RowKind::Plain };
        table.rows.push(Row { kind, cells });
    }
    table
}

fn verdict_of(assessment: &Assessment, server: &Server) -> Phrase {
    let is_best = assessment.verdict.recommended_server.as_ref() == Some(&server.name);
    let status = server.answer.status();
    let word = server.answer.phrase();
    let mark = super::service::mark(status);
    if is_best {
        says!("server-recommended", mark = mark, answer = word)
    } else {
        says!("status-marked", mark = mark, status = word)
    }
}

fn next(maker: &Maker<'_>, assessment: &Assessment) -> Phrase {
    let asked = assessment.question.target.as_ref();
    let is_measured = maker.plan.footprint.is_some();
    match asked.and_then(|t| t.ram.zip(t.cpus)) {
        Some(_) if is_measured && assessment.verdict.answer < Answer::DoesNotFit => {
            says!("next-verify")
        }
        Some(_) => says!("next-full"),
        None => says!("next-target"),
    }
}

/// What is put under the names that others state figures by.
pub(super) fn figures(maker: &mut Maker<'_>) {
    let Some(assessment) = maker.assessment else { return };
    for row in &assessment.verdict.by_resource {
        let (name, of): (&str, fn(f64) -> Option<Value>) = match row.resource {
            Resource::Memory => ("ram", |x| Some(Value::Box(Bytes::from_f64(x)))),
            Resource::Cpu => ("cpu", |x| Cpus::new(x).map(Value::Cpus)),
            Resource::Disk => ("disk", volume_of),
            Resource::Bandwidth => ("bandwidth", volume_of),
            Resource::Latency => continue,
        };
        for (what, value) in
            [("current", row.current), ("minimum", row.minimum), ("recommended", row.recommended)]
        {
            if let Some(value) = value.and_then(of) {
                let key = format!("summary.{name}.{what}");
                let how = "what the target has, or the least that answers the question";
                maker.figures.put(key, value, how, &[]);
            }
        }
    }
}

fn volume_of(bytes: f64) -> Option<Value> {
    Some(Value::Volume(Span::exact(Bytes::from_f64(bytes), Source::Declared)))
}
