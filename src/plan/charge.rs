//! What the kernel charges a service for and cannot drop, for which it kills.
//!
//! Anonymous memory and the kernel's own cannot be dropped at all. Of the pages of files, those that
//! the requests of one moment read and run are read back at once when they are dropped; all others are
//! dropped for good, however many there are.

use super::curve::Curve;
use crate::footprint::{Footprint, Point};
use crate::model::RamModel;
use crate::units::{Bytes, Span};

/// Where it was not measured which pages of files requests touch: assumed, from thirteen services with
/// 20 to 30 MiB of file pages, of which 10 to 20 were needed by the six whose line is surest.
const FILES_IN_USE: Bytes = Bytes::mib(12);

/// What a limit must leave room for beyond the pages of files that are touched, before a service
/// crawls: the kernel reads some pages around each that it misses, drops what it took for unused, and
/// is charged for more than page tables and stacks. Assumed, from the same services: requests
/// touched 2 to 4 MiB and needed 7 to 15, loading touched 11 and needed 18.
const READ_AROUND: Bytes = Bytes::mib(8);

/// What cannot be dropped, by requests in flight.
#[derive(Debug, Clone, PartialEq)]
pub struct Charge {
    /// Anonymous memory alone.
    pub anonymous: RamModel,
    /// With the pages of files that are in use.
    pub needed: RamModel,
}

impl Charge {
    /// The limit below which the kernel kills with `n` requests in flight: what is needed, which is
    /// never more than the `limit` with room for every page, however uncertain each of the two lines is.
    pub fn oom_threshold(&self, limit: &Curve, n: u32, include_cold: bool) -> Span<Bytes> {
        self.needed.limit(n, include_cold).zip(&limit.limit(n, include_cold), Ord::min)
    }

    /// The most requests whose threshold is typically within `ram`.
    pub fn most(&self, limit: &Curve, ram: Bytes, include_cold: bool) -> u32 {
        let needed = self.needed.max_concurrency(ram, include_cold);
        needed.typical.max(limit.max_concurrency(ram, include_cold).typical)
    }
}

/// The footprint with the pages of files that are in use counted as if they were anonymous.
pub(super) fn with_files_in_use(footprint: &Footprint) -> Footprint {
    let mut charged = footprint.clone();
    let files = footprint.points.iter().map(|point| point.file_bytes).max().unwrap_or_default();
    let touched = footprint.marks.file_in_use_bytes;
    let room = |touched: Option<Bytes>| {
        touched.map_or(FILES_IN_USE, |touched| touched + READ_AROUND).min(files)
    };
    let in_use = |point: &Point| room(point.file_in_use_bytes.or(touched));
    // Of a number of requests that no warm wave had, what fewer needed.
    let at_most = |n: u32| {
        let (fewer, more): (Vec<&Point>, Vec<&Point>) =
            footprint.points.iter().partition(|point| point.concurrency <= n);
        let nearest = if fewer.is_empty() { more } else { fewer };
        nearest.into_iter().map(in_use).max().unwrap_or_else(|| room(touched))
    };
    for burst in &mut charged.cold_burst {
        burst.anon_bytes += at_most(burst.concurrency);
    }
    let others = charged.mix.iter_mut().flat_map(|mix| &mut mix.others);
    let of_others = others.flat_map(|kind| &mut kind.points);
    for point in charged.points.iter_mut().chain(of_others) {
        point.anon_bytes += in_use(point);
    }
    charged.marks.load_peak_anon_bytes += room(footprint.marks.load_file_in_use_bytes);
    charged
}
