//! What a service must not exceed, as a pipeline holds it to.

use crate::units::{Bytes, Convention, Cpus, Rate, Seconds, Share};

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// What it is called in what is printed.
    pub name: String,
    /// Why it is there, if somebody said.
    pub reason: Option<String>,
    /// What it holds.
    pub limit: Limit,
    /// The same where a megabyte of the service's boxes is 1000² bytes.
    pub decimal: Limit,
    /// Where it stands: a file and the line in it; `None` on the command line.
    pub line: Option<Line>,
}

impl Rule {
    /// The rule of a service whose boxes are counted so.
    #[must_use]
    pub fn counted(&self, convention: Convention) -> Self {
        match convention {
            Convention::Binary => self.clone(),
            Convention::Decimal => Self { limit: self.decimal, ..self.clone() },
        }
    }
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// As the user named the file.
    pub file: String,
    /// From 1.
    pub number: u32,
}

/// What a rule holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// The limit that so many requests in flight need is at most this.
    Ram {
        /// At most.
        most: Bytes,
        /// Requests in flight, 1 or more.
        concurrency: u32,
    },
    /// What each request in flight adds is at most this.
    Buffer(Bytes),
    /// The height of loading is at most this.
    LoadPeak(Bytes),
    /// The CPU time of a request is at most this.
    CpuSeconds(Seconds),
    /// On a box of these CPUs at least so many requests a second are served.
    Rps {
        /// At least.
        least: Rate,
        /// CPUs of the box.
        cpus: Cpus,
    },
    /// No file of a model is larger than this.
    ModelFile(Bytes),
    /// Base, buffer and load peak are at most this share above those of the baseline.
    Growth(Share),
}

impl Limit {
    /// The key of a budget file.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Ram { .. } => "max_ram",
            Self::Buffer(_) => "max_buffer",
            Self::LoadPeak(_) => "max_load_peak",
            Self::CpuSeconds(_) => "max_cpu_seconds",
            Self::Rps { .. } => "min_rps",
            Self::ModelFile(_) => "max_model_file",
            Self::Growth(_) => "max_growth",
        }
    }

    /// What a rule is called that nobody named.
    pub fn default_name(&self) -> String {
        match self {
            Self::Ram { concurrency: 1, .. } => "RAM for a request".to_owned(),
            Self::Ram { concurrency, .. } => format!("RAM for {concurrency} in flight"),
            Self::Buffer(_) => "RAM of each request".to_owned(),
            Self::LoadPeak(_) => "RAM while loading".to_owned(),
            Self::CpuSeconds(_) => "CPU time of a request".to_owned(),
            Self::Rps { cpus, .. } => format!("requests a second on {cpus}"),
            Self::ModelFile(_) => "size of the model files".to_owned(),
            Self::Growth(_) => "growth since the baseline".to_owned(),
        }
    }
}
