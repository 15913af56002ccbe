//! A profile is refused with a reason, or it is the same once it was written and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mediscope_size::profile::Profile;

fuzz_target!(|text: &str| {
    match Profile::parse(text, "fuzzed.yaml") {
        Ok(profile) => {
            let written = profile.to_yaml().expect("a profile can be written");
            let again =
                Profile::parse(&written, "written.yaml").expect("what was written can be read");
            assert_eq!(again, profile);
        }
        Err(reason) => assert!(!reason.to_string().is_empty()),
    }
});
