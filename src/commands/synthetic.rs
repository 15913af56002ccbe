//! `--synthetic base=300M,buffer=20M,…`: planted costs instead of a model, for tests.
//!
//! Settings and inputs change what is planted, so that variants differ by what is known:
//!
//! | profile                       | planted cost                                                |
//! | ----------------------------- | ----------------------------------------------------------- |
//! | `arena: false`                | buffer × 0.8, CPU time × 1.08                               |
//! | `prepacking: false`           | base and height of loading × 0.75                           |
//! | `spinning: true`              | CPU time × 1.2                                              |
//! | a request image of M mp       | buffer + 3 bytes for each pixel beyond two megapixels (or − |
//! |                               | below), CPU time × M / 2                                    |
//! | `batch: B`                    | buffer and CPU time × B, `kill_at` / B                      |
//!
//! Nothing else that a profile sets changes anything.

use anyhow::{Context, bail};

use crate::footprint::Sharing;
use crate::measure::protocol::SyntheticJob;
use crate::profile::{Profile, RequestImage};
use crate::units::{Bytes, Megapixels, Seconds};

/// Reads the planted costs; what is not named has a default.
pub fn parse(text: &str) -> anyhow::Result<SyntheticJob> {
    let mut job = SyntheticJob {
        base: Bytes::mib(300),
        buffer: Bytes::mib(20),
        session: Bytes::mib(250),
        held: Bytes::mib(6),
        sharing: Sharing::Shared,
        processes: 1,
        bend: 0.0,
        noise: 0.0,
        seed: 1,
        load_peak: Bytes::mib(320),
        cold_extra: Bytes::ZERO,
        cpu: Seconds::new(0.04),
        kill_at: None,
        delay: Seconds::ZERO,
        touched: None,
        leak: Bytes::ZERO,
    };
    for pair in text.split(',').filter(|p| !p.is_empty()) {
        let (key, value) = pair.split_once('=').with_context(|| format!("`{pair}`: no `=`"))?;
        let number = || value.parse::<f64>().with_context(|| format!("`{pair}`: no number"));
        match key {
            "base" => job.base = value.parse()?,
            "buffer" => job.buffer = value.parse()?,
            "session" => job.session = value.parse()?,
            "held" => job.held = value.parse()?,
            "bend" => job.bend = number()?,
            "noise" => job.noise = number()?,
            "seed" => job.seed = value.parse()?,
            "load_peak" => job.load_peak = value.parse()?,
            "cold_extra" => job.cold_extra = value.parse()?,
            "cpu" => job.cpu = Seconds::new(number()?),
            "kill_at" => job.kill_at = Some(value.parse()?),
            "touched" => job.touched = Some(number()?),
            "leak" => job.leak = value.parse()?,
            "delay" => job.delay = Seconds::new(number()?),
            _ => bail!("unknown planted cost `{key}`"),
        }
    }
    Ok(job)
}

/// The costs with what the profile's settings and inputs make of them; see the module.
pub fn changed(mut job: SyntheticJob, profile: &Profile) -> SyntheticJob {
    let pixels = |size: Megapixels| {
        let (width, height) = size.dimensions();
        f64::from(width) * f64::from(height)
    };
    let (size, usual) = (pixels(image(profile)), pixels(Megapixels::TWO));
    let batch = f64::from(profile.request.batch.get());
    let mut buffer = (job.buffer.as_f64() + 3.0 * (size - usual)).max(0.0) * batch;
    let mut cpu = job.cpu.get() * size / usual * batch;
    job.kill_at = job.kill_at.map(|at| at.div_ceil(profile.request.batch.get()));
    if !profile.settings.arena {
        buffer *= 0.8;
        cpu *= 1.08;
    }
    if profile.settings.spinning {
        cpu *= 1.2;
    }
    if !profile.settings.prepacking {
        job.base = Bytes::from_f64(job.base.as_f64() * 0.75);
        job.load_peak = Bytes::from_f64(job.load_peak.as_f64() * 0.75);
    }
    job.buffer = Bytes::from_f64(buffer);
    job.cpu = Seconds::new(cpu);
    job
}

/// The size of the image that requests of the profile carry; that of files is not looked at.
pub fn image(profile: &Profile) -> Megapixels {
    match &profile.request.image {
        Some(RequestImage::Generated(size)) => *size,
        Some(RequestImage::OneOf(sizes)) => sizes.iter().copied().max().unwrap_or(Megapixels::TWO),
        Some(RequestImage::Files(_)) | None => Megapixels::TWO,
    }
}
