//! Hashes of files, remembered as git's index does: by device, inode, size, and the times of the last
//! modification and of the last change, so that a large model is read once and not at every run. The
//! time of modification can be set back; that of the change is the kernel's own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Cache, HASHES, read_json};
use crate::files;

/// A file that was changed this recently may change again without its time showing it.
const RACY: Duration = Duration::from_secs(2);

/// What tells a file from any other, and from what it was before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::measure) struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified_ns: i128,
    changed_ns: i128,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Remembered {
    identity: Identity,
    sha256: String,
}

impl Identity {
    pub fn of(metadata: &Metadata) -> Self {
        let nanoseconds = |s: i64, ns: i64| i128::from(s) * 1_000_000_000 + i128::from(ns);
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether the last change was so long ago that another one would show.
    fn is_settled(&self) -> bool {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let racy = i128::try_from(RACY.as_nanos()).unwrap_or(i128::MAX);
        i128::try_from(now.as_nanos()).is_ok_and(|now| now - self.changed_ns > racy)
    }
}

/// The SHA-256 of a file, from memory where the file is the same as before.
///
/// # Errors
/// Where the file cannot be read.
pub fn sha256_of(cache: &Cache, path: &Path) -> io::Result<String> {
    let path = path.canonicalize()?;
    let memory = cache.root().join(HASHES);
    let mut known: BTreeMap<PathBuf, Remembered> = read_json(&memory).unwrap_or_default();
    let (mut file, _) = files::open(&path)?;
    let identity = Identity::of(&file.metadata()?);
    if let Some(found) = known.get(&path).filter(|r| r.identity == identity) {
        return Ok(found.sha256.clone());
    }
    let sha256 = hash_file(&mut file)?;
    // Not where it was written to meanwhile.
    if identity.is_settled() && Identity::of(&file.metadata()?) == identity {
        known.insert(path, Remembered { identity, sha256: sha256.clone() });
        // A memory that cannot be written costs time at the next run, nothing else.
        let _ = cache.write_json(&memory, &known);
    }
    Ok(sha256)
}

/// The SHA-256 of a text.
pub fn sha256_of_text(text: &str) -> String {
    hex(&Sha256::digest(text))
}

/// The SHA-256 of the rest of an open file.
pub(in crate::measure) fn hash_file(file: &mut File) -> io::Result<String> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&digest.finalize())),
            n => digest.update(&buffer[..n]),
        }
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(in crate::measure) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_remembered_until_the_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let path = folder.path().join("file");
        std::fs::write(&path, "abc").unwrap();
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let memory = folder.path().join(HASHES);
        assert_eq!(sha256_of(&cache, &path).unwrap(), abc);
        assert!(!memory.exists(), "too young to be trusted");
        let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
        let remembered = || {
            while !memory.exists() {
                assert_eq!(sha256_of(&cache, &path).unwrap(), abc);
                std::thread::sleep(Duration::from_millis(50));
            }
            std::fs::read_to_string(&memory).unwrap()
        };
        // The memory is believed: a planted hash comes back as long as the file is the same.
        std::fs::write(&memory, remembered().replace(abc, "planted")).unwrap();
        assert_eq!(sha256_of(&cache, &path).unwrap(), "planted");
        // The size and the time of modification are what they were.
        std::fs::write(&path, "abd").unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        assert_ne!(sha256_of(&cache, &path).unwrap(), "planted");
    }
}
