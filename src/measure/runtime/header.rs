//! What a file says of itself in its first bytes: the loader's words for a file that is no library
//! or one for another processor are harder to read.

use std::io::{self, Read};
use std::path::Path;

use crate::files;

const ELF: [u8; 4] = *b"\x7fELF";
/// Where an ELF header names the processor, in two bytes.
const MACHINE: usize = 18;
const X86_64: u16 = 62;
const AARCH64: u16 = 183;

/// Whether the file can be a library for this platform, else why not. Where that is not known the
/// loader decides.
pub(super) fn check(path: &Path) -> Result<(), String> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let mut header = [0; MACHINE + 2];
    let read = files::open(path).and_then(|(mut file, _)| file.read_exact(&mut header));
    match read {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(error.to_string()),
        Ok(()) if header.starts_with(&ELF) => {}
        _ => return Err("it is not a Linux library (no ELF header)".into()),
    }
    // The byte order of a header for another processor is of no interest.
    let machine = u16::from_ne_bytes([header[MACHINE], header[MACHINE + 1]]);
    match expected() {
        Some(own) if own != machine => {
            Err(format!("it is for another processor than {}", std::env::consts::ARCH))
        }
        _ => Ok(()),
    }
}

fn expected() -> Option<u16> {
    match std::env::consts::ARCH {
        "x86_64" => Some(X86_64),
        "aarch64" => Some(AARCH64),
        _ => None,
    }
}
