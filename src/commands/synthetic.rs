//! `--synthetic base=300M,buffer=20M,…`: planted costs instead of a model, for tests.

use anyhow::{Context, bail};

use crate::footprint::Sharing;
use crate::measure::protocol::SyntheticJob;
use crate::units::{Bytes, Seconds};

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
            "delay" => job.delay = Seconds::new(number()?),
            _ => bail!("unknown planted cost `{key}`"),
        }
    }
    Ok(job)
}
