//! Samples to line, interval, capacity, throughput. Pure mathematics: no I/O, no clock.
//!
//! Constructors say what was measured, methods are questions, and each formula names its source.

mod cpu;
mod line;
mod ram;
pub mod sample;

pub use cpu::CpuModel;
pub use line::{FitError, Interval, Line, Sample, Shape, shape};
pub use ram::{CONFIDENCE, Capacity, MAX_CONCURRENCY, RamModel, line_of_peaks};
