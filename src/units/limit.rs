//! Sizes of boxes and limits that a person sets: what no box has and nothing can keep was not meant.

use super::{Bytes, Convention, Share, Size};

/// No box has less RAM: a bare ONNX Runtime takes more.
const LEAST_RAM: Bytes = Bytes::mib(1);
/// No box has more RAM.
const MOST_RAM: Bytes = Bytes::mib(1 << 30);

/// The RAM of a box: 1 MiB to 1024 TiB.
///
/// # Errors
/// Where it is no size or no box has it, with what may have been meant.
pub fn box_ram(text: &str) -> Result<Size, String> {
    let size: Size = text.parse().map_err(|e| format!("{e}"))?;
    let bytes = size.bytes(Convention::Binary);
    if bytes < LEAST_RAM {
        let number = text.trim().trim_end_matches(|c: char| c.is_ascii_alphabetic()).trim_end();
        return Err(format!(
            "{} bytes is no box: give at least 1M (did you mean {number}M or {number}G?)",
            bytes.get()
        ));
    }
    if bytes > MOST_RAM {
        return Err(format!("{bytes} is more than any box has: give at most 1024T"));
    }
    Ok(size)
}

/// The most requests in flight that a rule is for.
pub const MOST_IN_FLIGHT: u32 = 100_000;

/// Less than this nothing that is measured takes.
const LEAST: Bytes = Bytes::new(1024);

/// Two measurements of the same service differ by more.
const LEAST_GROWTH: f64 = 0.005;

/// A size that something could keep.
///
/// # Errors
/// Where nothing could, with what may have been meant.
pub fn at_most(size: Size, text: &str) -> Result<Size, String> {
    let bytes = size.bytes(Convention::Binary);
    if bytes >= LEAST {
        return Ok(size);
    }
    Err(match bytes.get() {
        0 => "a limit of 0 bytes cannot be kept: give one as in 20M, or leave the rule out"
            .to_owned(),
        n => format!(
            "a limit of {n} byte{} cannot be kept: did you mean {}M?",
            if n == 1 { "" } else { "s" },
            text.trim().trim_end_matches(['B', 'b'])
        ),
    })
}

/// A growth that can be told from none.
///
/// # Errors
/// Where it is less.
pub fn growth(text: &str) -> Result<Share, String> {
    let number = text.trim().trim_end_matches('%').trim().parse::<f64>();
    let scale = if text.contains('%') { 100.0 } else { 1.0 };
    match number.map(|n| n / scale) {
        Ok(share) if (0.0..LEAST_GROWTH).contains(&share) => Err(format!(
            "`{text}` is less than two measurements of the same service differ by: give 0.5% or more, \
             as in 5%"
        )),
        Ok(share) => Share::new(share).ok_or_else(|| {
            format!("`{text}` is no growth that is held: give 0.5% to 100%, as in 5%")
        }),
        Err(_) => Err(format!("`{text}` is not a share: write 5% or 0.05")),
    }
}
