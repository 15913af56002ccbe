//! An array is refused, or it has all the elements that its header asks for.

#![no_main]

use std::io::Write;

use libfuzzer_sys::fuzz_target;
use mediscope_size::measure::npy;

fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("a temporary file takes some bytes");
    if npy::examine(file.path()).is_ok() {
        npy::parse(bytes).expect("an array that was examined can be read");
    }
});
