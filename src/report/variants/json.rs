//! Variants as JSON, in the contract `mediscope-size/variants/1`.
//!
//! `schemas/variants-1.schema.json` says the same to programs.

use serde::Serialize;

use crate::footprint;
use crate::plan::variants::{Difference, Missing, Row, Tip, Variants};
use crate::report::json::span::S;
use crate::report::sentences::Sentences;
use crate::units::{Bytes, Cpus};

/// The name of the contract. A change that a reader could notice gets another number.
const SCHEMA: &str = "mediscope-size/variants/1";

/// Variants as JSON for programs: indented, with a line break at the end.
///
/// # Errors
/// Where it cannot be serialised, which none is known to cause.
pub fn variants_json(variants: &Variants) -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(&Compared::from(variants))?;
    text.push('\n');
    Ok(text)
}

#[derive(Debug, Serialize)]
struct Compared<'a> {
    schema: &'static str,
    profile: Profile<'a>,
    environment: Option<Environment<'a>>,
    #[serde(rename = "box")]
    target: Target,
    concurrency: u32,
    variants: Vec<Variant<'a>>,
    tips: Vec<Advice<'a>>,
    not_measured: Vec<NotMeasured<'a>>,
}

#[derive(Debug, Serialize)]
struct Profile<'a> {
    name: &'a str,
    title: &'a str,
}

/// What is the same for all variants.
#[derive(Debug, Serialize)]
struct Environment<'a> {
    cpu_model: &'a str,
    cores: u32,
    kernel: &'a str,
    onnxruntime: &'a str,
    tool: &'a str,
}

#[derive(Debug, Serialize)]
struct Target {
    ram_bytes: Option<u64>,
    cpus: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Variant<'a> {
    name: &'a str,
    varied: Vec<Varied<'a>>,
    settings: Settings,
    image: Option<Image<'a>>,
    base_bytes: S<u64>,
    buffer_bytes: S<u64>,
    load_peak_bytes: S<u64>,
    limit_bytes: S<u64>,
    cpu_seconds: S<f64>,
    throughput_rps: Option<S<f64>>,
    max_concurrency: Option<u32>,
    fits: Option<bool>,
    warnings: Vec<Warning>,
}

#[derive(Debug, Serialize)]
struct Varied<'a> {
    key: &'a str,
    value: &'a str,
}

#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "ONNX Runtime's settings are switches")]
struct Settings {
    threads: u16,
    arena: bool,
    memory_pattern: bool,
    prepacking: bool,
    spinning: bool,
    optimization: &'static str,
    malloc_arenas: Option<u16>,
}

#[derive(Debug, Serialize)]
struct Image<'a> {
    origin: &'a str,
    encoded_bytes: u64,
    width: u32,
    height: u32,
}

#[derive(Debug, Serialize)]
struct Warning {
    code: &'static str,
    text: String,
}

/// What changes from one variant to another.
#[derive(Debug, Serialize)]
struct Advice<'a> {
    variant: &'a str,
    against: &'a str,
    limit_bytes: Change,
    cpu_seconds: Change,
    makes_it_fit: bool,
    text: String,
}

#[derive(Debug, Serialize)]
struct Change {
    low: f64,
    typical: f64,
    high: f64,
    share: f64,
    within_noise: bool,
}

#[derive(Debug, Serialize)]
struct NotMeasured<'a> {
    variant: &'a str,
    reason: &'a str,
}

impl<'a> From<&'a Variants> for Compared<'a> {
    fn from(variants: &'a Variants) -> Self {
        let question = &variants.question;
        Self {
            schema: SCHEMA,
            profile: Profile { name: &variants.name, title: &variants.title },
            environment: variants.rows.first().map(|row| Environment::from(&row.environment)),
            target: Target {
                ram_bytes: question.ram.map(Bytes::get),
                cpus: question.cpus.map(Cpus::get),
            },
            concurrency: variants.concurrency,
            variants: variants.rows.iter().map(Variant::from).collect(),
            tips: variants.tips.iter().filter_map(|tip| Advice::of(variants, tip)).collect(),
            not_measured: variants.missing.iter().map(NotMeasured::from).collect(),
        }
    }
}

impl<'a> From<&'a footprint::Environment> for Environment<'a> {
    fn from(environment: &'a footprint::Environment) -> Self {
        Self {
            cpu_model: &environment.cpu_model,
            cores: environment.cores,
            kernel: &environment.kernel,
            onnxruntime: &environment.onnxruntime,
            tool: &environment.tool,
        }
    }
}

impl<'a> From<&'a Row> for Variant<'a> {
    fn from(row: &'a Row) -> Self {
        let varied = row.choices.iter().map(|c| Varied { key: &c.key, value: &c.value });
        Self {
            name: &row.name,
            varied: varied.collect(),
            settings: Settings::from(&row.environment),
            image: row.image.as_ref().map(Image::from),
            base_bytes: S::from(&row.base),
            buffer_bytes: S::from(&row.buffer),
            load_peak_bytes: S::from(&row.load_peak),
            limit_bytes: S::from(&row.ram),
            cpu_seconds: S::from(&row.cpu),
            throughput_rps: row.throughput.as_ref().and_then(S::rate),
            max_concurrency: row.max_concurrency.map(|capacity| capacity.low),
            fits: row.fits,
            warnings: row.warnings.iter().map(Warning::of).collect(),
        }
    }
}

impl From<&footprint::Environment> for Settings {
    fn from(environment: &footprint::Environment) -> Self {
        let settings = &environment.settings;
        Self {
            threads: environment.threads(),
            arena: settings.arena,
            memory_pattern: settings.memory_pattern,
            prepacking: settings.prepacking,
            spinning: settings.spinning,
            optimization: settings.optimization.name(),
            malloc_arenas: settings.malloc_arenas.given(),
        }
    }
}

impl<'a> From<&'a footprint::ImageRecord> for Image<'a> {
    fn from(image: &'a footprint::ImageRecord) -> Self {
        Self {
            origin: &image.origin,
            encoded_bytes: image.encoded_bytes.get(),
            width: image.width,
            height: image.height,
        }
    }
}

impl Warning {
    fn of(warning: &crate::plan::Warning) -> Self {
        Self { code: warning.code(), text: Sentences::new().warning(warning) }
    }
}

impl<'a> Advice<'a> {
    fn of(variants: &'a Variants, tip: &Tip) -> Option<Self> {
        Some(Self {
            variant: &variants.rows.get(tip.row)?.name,
            against: &variants.rows.get(tip.against)?.name,
            limit_bytes: Change::from(&tip.ram),
            cpu_seconds: Change::from(&tip.cpu),
            makes_it_fit: tip.makes_it_fit,
            text: super::sentence(variants, tip),
        })
    }
}

impl From<&Difference> for Change {
    fn from(difference: &Difference) -> Self {
        let Difference { low, typical, high, share } = *difference;
        Self { low, typical, high, share, within_noise: difference.is_noise() }
    }
}

impl<'a> From<&'a Missing> for NotMeasured<'a> {
    fn from(missing: &'a Missing) -> Self {
        Self { variant: &missing.name, reason: &missing.reason }
    }
}
