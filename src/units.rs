//! Quantities: bytes, CPUs, pixels, seconds, rates, shares, and the spans in which they are known.
//!
//! Every number that the tool reads or prints goes through a type of this room, so that a unit
//! cannot be mistaken and text is made in one place. RAM sizes are binary whether or not they
//! carry an `i` (`512M` is 512 MiB), because that is how container engines read them.

mod bytes;
mod cpus;
mod limit;
mod money;
mod number;
mod objective;
mod pixels;
mod score;
mod share;
mod size;
mod span;
mod time;

pub use bytes::{Bytes, BytesError};
pub use cpus::{Cpus, CpusError};
pub use limit::{MOST_IN_FLIGHT, at_most, box_ram, growth};
pub use money::{Money, MoneyError};
pub use number::not_negative;
pub use objective::{Objective, ObjectiveError};
pub use pixels::{Megapixels, MegapixelsError};
pub use score::{CpuScore, CpuScoreError, TargetScore};
pub use share::{Share, ShareError};
pub use size::{Convention, Size, Units};
pub use span::{Source, Span, SpanError};
pub use time::{Rate, RateError, Seconds, SecondsError};
