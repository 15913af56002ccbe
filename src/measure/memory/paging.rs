//! Small pages for files whose content is mapped: so that what is read of them is told apart.
//!
//! The kernel may map a piece of 2 MiB of a file at once where its cache holds it as one, which
//! depends on how the file came there. The processor then notes one touch for all of it, and a
//! request that reads a row of a table seems to need 512 pages. A process that is short of memory has
//! its pieces taken away and reads single pages back.
#![expect(unsafe_code, reason = "advice on mappings is given by their addresses")]

use std::fs;

/// Pieces are larger than most files that are mapped for other reasons, as of locales.
const SMALLEST: usize = 2 << 20;

/// Asks for small pages in the mappings of files that are only read: weights that are mapped and not
/// copied. Programs and libraries are left as they are. What cannot be done leaves more of such a file
/// counted as touched.
pub fn small_pages_of_data() {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    for (begin, length) in maps.lines().filter_map(data_of_file) {
        // SAFETY: this advice changes how large the pieces are in which the kernel maps a file from
        // now on, and nothing of what is mapped or allowed (madvise(2)). A mapping that has gone
        // meanwhile is an error, which changes nothing either.
        unsafe { libc::madvise(begin as *mut libc::c_void, length, libc::MADV_NOHUGEPAGE) };
    }
}

/// Begin and length of a mapping of a file that is read and neither written nor executed, if it is
/// large.
fn data_of_file(mapping: &str) -> Option<(usize, usize)> {
    let mut fields = mapping.split_whitespace();
    let (addresses, may) = (fields.next()?, fields.next()?);
    let inode = fields.nth(2)?;
    let (begin, end) = addresses.split_once('-')?;
    let begin = usize::from_str_radix(begin, 16).ok()?;
    let length = usize::from_str_radix(end, 16).ok()?.checked_sub(begin)?;
    (inode != "0" && may.starts_with('r') && !may.contains('x') && length >= SMALLEST)
        .then_some((begin, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_large_mappings_of_data_are_meant() {
        let found = |line: &str| data_of_file(line);
        let weights = "7f0000000000-7f0010000000 r--p 00000000 fe:00 43 /models/a b.data";
        assert_eq!(found(weights), Some((0x7f00_0000_0000, 0x1000_0000)));
        assert_eq!(found(&weights.replace("r--p", "rw-p")), Some((0x7f00_0000_0000, 0x1000_0000)));
        assert_eq!(found(&weights.replace("r--p", "r-xp")), None);
        assert_eq!(found(&weights.replace("7f0010000000", "7f0000001000")), None);
        assert_eq!(found("7f0000000000-7f0010000000 rw-p 00000000 00:00 0"), None);
        small_pages_of_data();
    }
}
