//! Limits, as tools read them.

use super::Assessor;
use super::assessment::{Answer, Paste};
use crate::units::Bytes;

impl Assessor<'_> {
    /// The memory limit at the design concurrency in whole MiB, no more than the target has, and its
    /// CPUs; `None` where the service does not fit.
    pub(super) fn paste(&self) -> Option<Paste> {
        if self.seen.answer >= Answer::DoesNotFit && self.target.ram.is_some() {
            return None;
        }
        if self.service().is_unknown {
            return None;
        }
        let limit = self.evaluator.limit(self.seen.design).high().round_up_to(Bytes::mib(1));
        let limit = self.target.ram.map_or(limit, |ram| limit.min(ram)).get() / (1 << 20);
        let cpus = self.target.cpus.map(crate::units::Cpus::get);
        let docker = match cpus {
            Some(cpus) => format!("--memory {limit}m --memory-swap {limit}m --cpus {cpus}"),
            None => format!("--memory {limit}m --memory-swap {limit}m"),
        };
        let compose = match cpus {
            Some(cpus) => format!("mem_limit: {limit}m\nmemswap_limit: {limit}m\ncpus: {cpus}"),
            None => format!("mem_limit: {limit}m\nmemswap_limit: {limit}m"),
        };
        let kubernetes = match cpus {
            Some(cpus) => format!(
                "resources:\n  requests: {{memory: {limit}Mi, cpu: {cpus}}}\n  \
                 limits: {{memory: {limit}Mi, cpu: {cpus}}}"
            ),
            None => format!(
                "resources:\n  requests: {{memory: {limit}Mi}}\n  limits: {{memory: {limit}Mi}}"
            ),
        };
        Some(Paste { docker, compose, kubernetes })
    }
}
