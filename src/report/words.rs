//! stub
use crate::plan::*;
pub fn warning(w: &Warning) -> (&'static str, String) { ("x", format!("{w:?}")) }
pub fn reason(w: &Reason) -> String { format!("{w:?}") }
pub fn alternative(w: &Alternative) -> String { format!("{w:?}") }
pub fn upgrade(w: &Upgrade) -> String { format!("{w:?}") }
pub fn warm_up(b: crate::units::Bytes, n: u32) -> String { format!("{b} {n}") }
