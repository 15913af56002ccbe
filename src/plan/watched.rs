//! A service under its own traffic: what its memory did, and what that says.

use crate::model::live::{Slope, growth};
use crate::model::{CONFIDENCE, Sample, line_of_peaks};
use crate::units::{Bytes, Seconds, Source, Span};

/// One look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Since the first.
    pub at: Seconds,
    /// Anonymous and shared memory now, each page once.
    pub anon: Bytes,
    /// The most since the look before.
    pub peak: Bytes,
    /// Pages of files.
    pub file: Bytes,
    /// Processes.
    pub processes: u32,
    /// Requests in flight, where the service tells.
    pub in_flight: Option<u32>,
}

/// All that was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    /// The service.
    pub name: String,
    /// In order.
    pub looks: Vec<Look>,
    /// How long it was watched.
    pub elapsed: Seconds,
    /// CPU time of the service meanwhile.
    pub cpu: Seconds,
    /// CPU time of the looking.
    pub own_cpu: Seconds,
    /// The most that the kernel has charged its control group since that was made, where it has one
    /// of its own.
    pub group_peak: Option<Bytes>,
    /// Whether the service ended before the time was over.
    pub ended: bool,
    /// The RAM that was asked about.
    pub limit: Option<Bytes>,
}

impl Watched {
    /// The highest level.
    pub fn highest(&self) -> Option<&Look> {
        self.looks.iter().max_by_key(|l| l.peak)
    }

    /// The lowest level.
    pub fn lowest(&self) -> Option<&Look> {
        self.looks.iter().min_by_key(|l| l.anon)
    }

    /// The mean time between two looks.
    pub fn interval(&self) -> Seconds {
        #[expect(clippy::cast_precision_loss, reason = "a count")]
        let looks = self.looks.len().max(1) as f64;
        Seconds::new(self.elapsed.get() / looks)
    }

    /// The share of one core that the looking took.
    pub fn cost(&self) -> f64 {
        self.own_cpu.get() / self.elapsed.get().max(f64::MIN_POSITIVE)
    }

    /// Bytes a second by which it grows, if it does.
    pub fn growth(&self) -> Option<Slope> {
        let levels: Vec<(f64, f64)> =
            self.looks.iter().map(|l| (l.at.get(), l.anon.as_f64())).collect();
        growth(&levels)
    }

    /// How long until what grows has filled the RAM that was asked about.
    pub fn until_limit(&self) -> Option<Seconds> {
        let (limit, slope) = (self.limit?, self.growth()?);
        let held = self.looks.last()?.anon;
        Some(Seconds::new(limit.saturating_sub(held).as_f64() / slope.typical))
    }

    /// Base and what each request in flight adds, where the service told how many there were and
    /// that number varied.
    pub fn line(&self) -> Option<(Span<Bytes>, Span<Bytes>)> {
        let samples: Vec<Sample> = self
            .looks
            .iter()
            .filter_map(|l| {
                Some(Sample { x: f64::from(l.in_flight?), y: l.anon.as_f64(), process: 0 })
            })
            .collect();
        let line = line_of_peaks(&samples).ok()?;
        let span = |low, typical, high| {
            let [low, typical, high] = [low, typical, high].map(Bytes::from_f64);
            Span::around(low, typical, high, Source::Fitted)
        };
        let (base, each) = (line.intercept_interval(CONFIDENCE), line.slope_interval(CONFIDENCE));
        Some((span(base.low, line.intercept(), base.high), span(each.low, line.slope(), each.high)))
    }
}
