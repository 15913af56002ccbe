//! Samples to line, interval, capacity, throughput. Pure mathematics: no I/O, no clock.
//!
//! Constructors say what was measured, methods are questions, and each formula names its source.

mod cpu;
mod declared;
mod line;
pub mod live;
pub mod mix;
pub mod queue;
mod ram;
pub mod sample;
mod search;
mod topology;

pub use cpu::CpuModel;
pub use declared::DeclaredRam;
pub use line::{FitError, Interval, Line, MATERIAL, Sample, Shape, shape};
pub use ram::{CONFIDENCE, Capacity, Late, MAX_CONCURRENCY, Mixture, RamModel, line_of_peaks};
pub use search::{Search, Side};
pub use topology::{PoolModel, Trial, WorkersModel};
