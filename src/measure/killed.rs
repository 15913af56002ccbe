//! A measurement that the kernel ended: by itself an answer, of whoever asks whether it fits.

/// The measured process was killed before there was enough for an answer.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error(
    "the measured process was killed by signal {signal} {}: it needs more memory than there is here; \
     free some, or measure on a larger machine and bring the profile here",
    at(*.concurrency)
)]
pub struct KilledEarly {
    /// Requests in flight; 0 while loading.
    pub concurrency: u32,
    /// 9 for the OOM killer.
    pub signal: i32,
}

fn at(concurrency: u32) -> String {
    match concurrency {
        0 => "while it loaded the models (N = 0)".to_owned(),
        n => format!("at N = {n}"),
    }
}
