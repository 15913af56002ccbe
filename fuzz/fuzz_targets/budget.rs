//! A budget is read or refused with a reason.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use mediscope_size::profile::Budget;

fuzz_target!(|text: &str| {
    if let Err(reason) = Budget::parse(text, "fuzzed.yaml", Path::new("")) {
        assert!(!reason.to_string().is_empty());
    }
});
