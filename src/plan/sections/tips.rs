//! What would save memory, time, disk and bandwidth, and how much of it.

use crate::footprint::Load;
use crate::plan::book::{Maker, exact};
use crate::plan::figure::{Form, Shown, Value};
use crate::plan::page::{Block, Phrase, Section, says};
use crate::units::{Bytes, Convention, Rate, Seconds, Source, Span};

type Tip = (Option<crate::plan::Status>, Phrase);

/// `tips`.
pub(super) fn tips(maker: &mut Maker<'_>) -> Option<Section> {
    let mut blocks = Vec::new();
    for (heading, tips) in [
        ("tips-memory", memory(maker)),
        ("tips-cpu", cpu(maker)),
        ("tips-storage", storage(maker)),
        ("tips-bandwidth", bandwidth(maker)),
    ] {
        if !tips.is_empty() {
            blocks.push(Block::Heading(Phrase::word(heading)));
            blocks.push(Block::List(tips));
        }
    }
    blocks.push(Block::Paragraph(says!("tips-assumed")));
    Some(Section { id: "tips", blocks })
}

/// What the models take in RAM, those that are loaded at the start.
fn models(maker: &mut Maker<'_>) -> Span<Bytes> {
    let nothing = exact(Bytes::ZERO, Source::Measured);
    let add = |a: Span<Bytes>, b: Span<Bytes>| a.zip(&b, |a, b| a + b);
    if let Some(costs) = maker.subject.declared {
        let convention = maker.subject.convention();
        let eager = costs.models.iter().filter(|(_, m)| m.load == Load::Eager);
        let sizes = eager.filter_map(|(_, m)| m.resident.as_ref()).map(|s| s.bytes(convention));
        let cache = costs.shared.model_cache.iter().map(|s| s.bytes(convention));
        return sizes.chain(cache).fold(nothing, add);
    }
    let models = maker.plan.footprint.iter().flat_map(|f| &f.models).filter(|m| !m.lazy);
    models.map(|m| exact(m.resident_bytes, Source::Measured)).fold(nothing, add)
}

fn memory(maker: &mut Maker<'_>) -> Vec<Tip> {
    let all = models(maker);
    let shown = maker.figures.put(
        "tips.models_bytes",
        Value::Bytes(all),
        "RAM of the models that are loaded at the start",
        &[],
    );
    let times = |factor: f64| Bytes::from_f64(all.typical().as_f64() * factor);
    // Half precision halves weights, eight bits quarter them.
    let less = Span::around(times(0.5), times(0.625), times(0.75), Source::Assumed);
    let quantized = maker.figures.put_range(
        "tips.quantization_bytes",
        Value::Bytes(less),
        "models × (50 % for 16 bits, 75 % for 8 bits)",
        &[("models", &shown)],
    );
    let mut tips = vec![(None, says!("tips-quantize", models = shown.clone(), less = quantized))];
    let late = maker.plan.mix.as_ref().is_some_and(|mix| !mix.late.is_empty());
    if late {
        let (before, after) = (maker.base(maker.first()), maker.base(maker.last()));
        let saved = after.bytes_typical().saturating_sub(before.bytes_typical());
        let saved = maker.figures.put(
            "tips.lazy_bytes",
            Value::Bytes(exact(saved, after.value.source())),
            "base with late models − base before",
            &[("after", &after), ("before", &before)],
        );
        tips.push((None, says!("tips-lazy-is", bytes = saved)));
    } else {
        let saved = maker.figures.put(
            "tips.lazy_bytes",
            Value::Bytes(all),
            "RAM of the models, until the first request",
            &[("models", &shown)],
        );
        tips.push((None, says!("tips-lazy", bytes = saved)));
    }
    if let Some(saves) = maker.plan.ram.warm_up_saves.filter(|_| !maker.plan.question.warmed) {
        let saved = maker.figures.put(
            "tips.warm_up_bytes",
            Value::Bytes(exact(saves, Source::Fitted)),
            "limit with a cold burst − limit without",
            &[],
        );
        let n = maker.plan.design_concurrency;
        tips.push((
            None,
            if saves == Bytes::ZERO {
                says!("tips-warm-up-nothing", n = n)
            } else {
                says!("tips-warm-up", bytes = saved, n = n)
            },
        ));
    }
    if let Some(ram) = maker.plan.question.ram {
        // Twice the RAM up to 2 G, as the usual guides have it, is a rule of thumb.
        let most = maker.megas(u64::from(maker.subject.convention().megas_a_giga()) * 2);
        let swap = Bytes::from_f64((ram.as_f64() * 2.0).min(most.as_f64()));
        let swap = maker.figures.put(
            "tips.swap_bytes",
            Value::Box(swap),
            "twice the RAM, at most 2 G (a rule of thumb)",
            &[("RAM", &Shown::plain(Value::Box(ram)))],
        );
        tips.push((None, says!("tips-swap", bytes = swap)));
    }
    tips
}

fn cpu(maker: &mut Maker<'_>) -> Vec<Tip> {
    let time = maker.cpu_time();
    let cost = maker.plan.cpu.seconds_per_request;
    let mut tips = vec![(None, says!("tips-batch"))];
    if maker.plan.footprint.is_none() {
        // Reports say two to three times; only a measurement tells for this model.
        let faster = Span::around(
            Seconds::new(cost.low().get() / 3.0),
            Seconds::new(cost.typical().get() / 2.5),
            Seconds::new(cost.high().get() / 2.0),
            Source::Assumed,
        );
        let faster_shown = maker.figures.put_range(
            "tips.onnx_seconds",
            Value::Seconds(faster),
            "CPU time / (2 to 3)",
            &[("CPU time", &time)],
        );
        let cpus = maker.plan.question.cpus.map_or(1.0, crate::units::Cpus::get);
        let rate = maker.figures.put_range(
            "tips.onnx_per_minute",
            Value::PerMinute(faster.map(|s| Rate::per_second(cpus / s.get().max(1e-9)))),
            "CPUs × 60 s / CPU time",
            &[("CPU time", &faster_shown)],
        );
        tips.push((None, says!("tips-onnx", time = faster_shown, rate = rate)));
    } else {
        tips.push((None, says!("tips-settings")));
    }
    let base = maker.base(maker.last());
    tips.push((None, says!("tips-workers", base = base)));
    tips
}

fn storage(maker: &mut Maker<'_>) -> Vec<Tip> {
    let files: Vec<Span<Bytes>> = match maker.subject.declared {
        Some(costs) => costs
            .models
            .iter()
            .filter_map(|(_, m)| m.file.as_ref())
            .map(|f| f.bytes(Convention::Decimal))
            .collect(),
        None => maker
            .plan
            .footprint
            .iter()
            .flat_map(|f| &f.models)
            .map(|m| exact(m.file_bytes, Source::Measured))
            .collect(),
    };
    let all =
        files.iter().fold(exact(Bytes::ZERO, Source::Measured), |a, b| a.zip(b, |a, b| a + b));
    let mut tips = Vec::new();
    if all.high() > Bytes::ZERO {
        let shown = Shown::plain(Value::Volume(all));
        let half = Bytes::from_f64(all.typical().as_f64() / 2.0);
        let half = maker.figures.put(
            "tips.half_precision_bytes",
            Value::Volume(exact(half, Source::Assumed)),
            "files / 2: 16 bits instead of 32",
            &[("files", &shown)],
        );
        tips.push((None, says!("tips-files", files = shown, less = half)));
    }
    let limit = maker.subject.service.storage.as_ref().and_then(|s| s.log_limit.as_ref());
    if let Some(limit) = limit {
        let shown = maker.figures.put(
            "tips.log_limit_bytes",
            Value::Volume(limit.bytes(Convention::Decimal)),
            "as declared",
            &[],
        );
        tips.push((None, says!("tips-logs", bytes = shown)));
    }
    tips.push((None, says!("tips-cache")));
    tips
}

fn bandwidth(maker: &mut Maker<'_>) -> Vec<Tip> {
    let Some(traffic) = maker.subject.service.traffic.clone() else { return Vec::new() };
    let Some((_, busiest)) = traffic.scenarios.iter().last() else { return Vec::new() };
    let users = busiest.users.high().0;
    let mut tips = Vec::new();
    // What is sent as text costs a third more than the bytes that it stands for.
    for (name, item) in traffic.outbound.items.iter() {
        let is_image = item.note.as_deref().is_some_and(|note| note.contains("Base64"));
        if !is_image {
            continue;
        }
        let once = item.size.bytes(Convention::Decimal).high().as_f64() * f64::from(item.times);
        let saved = Bytes::from_f64(users * once * 0.5);
        let shown = maker.figures.put_as(
            "tips.compressed_bytes",
            Value::Volume(exact(saved, Source::Assumed)),
            Form::Typical,
            "users × size / 2: a lossy format and no Base64",
            &[],
        );
        tips.push((None, says!("tips-compress", name = name, bytes = shown)));
    }
    if let (Some(views), Some(page)) = (&busiest.page_views, &traffic.page) {
        let all = Bytes::from_f64(views.high().0 * page.bytes(Convention::Decimal).high().as_f64());
        let shown = maker.figures.put(
            "tips.cdn_bytes",
            Value::Volume(exact(all, Source::Declared)),
            "views × page",
            &[],
        );
        tips.push((None, says!("tips-cdn", bytes = shown)));
    }
    tips.push((None, says!("tips-lazy-images")));
    tips
}
