//! What is looked at before a measurement and said after one that failed.

use anyhow::bail;

use crate::measure::campaign::ChildRecord;
use crate::measure::host::HostBox;
use crate::measure::killed::KilledEarly;
use crate::measure::protocol::KindJob;
use crate::profile::Kind;
use crate::units::Bytes;

pub(super) fn kind_job(kind: &Kind) -> KindJob {
    KindJob { share: kind.share.get(), models: kind.models.clone() }
}

/// RAM that is free here.
pub(in crate::commands) fn available() -> Option<Bytes> {
    let host = HostBox::this().ok()?;
    Some(host.available_ram?.min(host.ram.value))
}

/// A model that is too large would take others down before the kernel ends it.
pub(super) fn has_room(estimate: Bytes, available: Bytes) -> anyhow::Result<()> {
    if estimate <= available {
        return Ok(());
    }
    bail!(
        "loading takes about {estimate}, estimated from the files, and this machine has {available} \
         free: measure on a larger one and bring the profile here, or try it with --force"
    )
}

pub(super) fn maybe_the_shape(assumed: &[String]) -> String {
    format!(
        "shapes or values that nobody gave were assumed ({}), which may be why it fails; give those \
         that requests have, as in --shape NAME=1x128 or --input NAME=448",
        assumed.join("; ")
    )
}

pub(super) fn processes(n: usize) -> String {
    format!("{n} process{}", if n == 1 { "" } else { "es" })
}

pub(super) fn nothing_measured(children: &[ChildRecord]) -> anyhow::Error {
    match children.iter().find_map(|c| c.killed) {
        Some(killed) => {
            KilledEarly { concurrency: killed.concurrency, signal: killed.signal }.into()
        }
        None => match children.iter().filter_map(|c| c.no_room).min() {
            Some(n) => anyhow::anyhow!(
                "N = {n} would take more memory than this machine has free, and a line needs two \
                 concurrencies; free some, or measure on a larger machine"
            ),
            None => anyhow::anyhow!("nothing was measured"),
        },
    }
}
