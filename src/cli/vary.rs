//! `measure --vary`: what is varied, and the box that the variants are compared for.

use std::fmt;

use clap::Args;

use super::{ImageArg, ServiceArgs};
use crate::footprint::{Change, Setting};
use crate::units::{Bytes, Cpus, Megapixels};

/// Variants and the box that they are compared for.
#[derive(Debug, Clone, Default, Args)]
pub struct VaryArgs {
    /// Measure variants and compare them: arena=on,off, threads=1,2, image=1mp,4mp, batch=1,4; given
    /// again, each with each
    #[arg(long, value_name = "KEY=VALUE,…", value_parser = vary, help_heading = VARIANTS)]
    pub vary: Vec<Vary>,
    /// RAM of the box that variants are compared for, that a live service's growth fills, and in which
    /// one is measured whose heap follows the RAM: Java, .NET, Node.js, Go
    #[arg(long, value_name = "SIZE", value_parser = super::ram, allow_hyphen_values = true,
          help_heading = VARIANTS)]
    pub ram: Option<Bytes>,
    /// CPUs of that box
    #[arg(long, value_name = "N", allow_hyphen_values = true, requires = "vary",
          help_heading = VARIANTS)]
    pub cpus: Option<Cpus>,
    /// Requests in flight that variants are compared at [default: what keeps the CPUs of the box
    /// busy, or 10]
    #[arg(long, value_name = "N", allow_negative_numbers = true, requires = "vary",
          value_parser = clap::value_parser!(u32).range(1..=100_000), help_heading = VARIANTS)]
    pub concurrency: Option<u32>,
}

/// The heading in help.
const VARIANTS: &str = "Variants";

/// Something that variants differ in, with its values: two or more, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vary {
    key: Key,
    values: Vec<Variation>,
}

/// What can be varied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Setting(Setting),
    Image,
    Batch,
}

/// One value of something that is varied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variation {
    /// A session setting.
    Setting(Change),
    /// The size of the generated request image.
    Image(Megapixels),
    /// Things that one run takes.
    Batch(u32),
}

impl Vary {
    /// What is varied, as it is typed.
    pub const fn key(&self) -> &'static str {
        self.key.name()
    }

    /// Its values, as they were typed.
    pub fn values(&self) -> &[Variation] {
        &self.values
    }

    /// Whether an option already says what it is to be.
    pub const fn is_fixed_by(&self, args: &ServiceArgs) -> bool {
        match self.key {
            Key::Setting(setting) => args.settings.of(setting).is_some(),
            Key::Image => args.image.is_some(),
            Key::Batch => args.batch.is_some(),
        }
    }
}

impl Key {
    const fn name(self) -> &'static str {
        match self {
            Self::Setting(setting) => setting.name(),
            Self::Image => "image",
            Self::Batch => "batch",
        }
    }

    fn all() -> impl Iterator<Item = Self> {
        Setting::ALL.into_iter().map(Self::Setting).chain([Self::Image, Self::Batch])
    }

    fn read(self, text: &str) -> Result<Variation, String> {
        match self {
            Self::Setting(setting) => setting.read(text).map(Variation::Setting),
            Self::Image => text.parse().map(Variation::Image).map_err(|e| format!("{e}")),
            Self::Batch => {
                let batch = text.parse().ok().filter(|batch| (1..=1024).contains(batch));
                let refused = || format!("{text} is no batch: use 1 to 1024");
                batch.map(Variation::Batch).ok_or_else(refused)
            }
        }
    }
}

impl Variation {
    /// What is varied, as it is typed.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Setting(change) => change.setting().name(),
            Self::Image(_) => Key::Image.name(),
            Self::Batch(_) => Key::Batch.name(),
        }
    }

    /// The value, as it is typed.
    pub fn value(self) -> String {
        match self {
            Self::Setting(change) => change.value(),
            Self::Image(size) => size.to_string(),
            Self::Batch(batch) => batch.to_string(),
        }
    }

    /// Whether it changes what a request carries, and not how the service runs it.
    pub const fn is_input(self) -> bool {
        matches!(self, Self::Image(_) | Self::Batch(_))
    }

    /// The options with this one given, too.
    pub fn apply(self, args: &mut ServiceArgs) {
        match self {
            Self::Setting(change) => args.settings.set(change),
            Self::Image(size) => args.image = Some(ImageArg::Generated(size)),
            Self::Batch(batch) => args.batch = Some(batch),
        }
    }
}

impl fmt::Display for Variation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}={}", self.key(), self.value()))
    }
}

/// Reads `arena=on,off`.
fn vary(text: &str) -> Result<Vary, String> {
    let (name, list) = text
        .split_once('=')
        .ok_or_else(|| format!("`{text}` has no values: write them as in arena=on,off"))?;
    let key = Key::all().find(|key| key.name() == name).ok_or_else(|| {
        let names: Vec<&str> = Key::all().map(Key::name).collect();
        format!("`{name}` cannot be varied: there is {}", names.join(", "))
    })?;
    let mut values = Vec::new();
    for value in list.split(',') {
        let value = key.read(value.trim()).map_err(|reason| format!("{name}: {reason}"))?;
        if values.contains(&value) {
            return Err(format!("{value} is given twice: keep one of them"));
        }
        values.push(value);
    }
    if values.len() < 2 {
        return Err(format!(
            "{name} has one value, and variants need two or more, as in arena=on,off; of one \
             value use the option --{name}"
        ));
    }
    Ok(Vary { key, values })
}
