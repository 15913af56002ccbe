//! What an ONNX file says about itself, and the sizes of inputs and costs that follow from it.

#![no_main]

use std::io::Write;

use libfuzzer_sys::fuzz_target;
use mediscope_size::reference::{Sizing, inspect};

fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("a temporary file takes some bytes");
    match inspect(file.path()) {
        Ok(info) => {
            let sizing = Sizing::of(&info);
            assert_eq!(sizing.can_be_sized(), sizing.obstacles.is_empty());
            let load = info.load_estimate();
            assert!(load.resident.high() <= load.peak.high());
        }
        Err(reason) => assert!(!reason.to_string().is_empty()),
    }
});
