//! Hashes of files, remembered as git's index does: by device, inode, size and modification time,
//! so that a large model is read once and not at every run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Cache, read_json, write_json};

/// A file that was changed this recently may change again without its time showing it.
const RACY: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified_ns: i128,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Remembered {
    identity: Identity,
    sha256: String,
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified_ns: i128::from(metadata.mtime()) * 1_000_000_000
                + i128::from(metadata.mtime_nsec()),
        }
    }
}

/// The SHA-256 of a file, from memory where the file is the same as before.
///
/// # Errors
/// Where the file cannot be read.
pub fn sha256_of(cache: &Cache, path: &Path) -> io::Result<String> {
    let path = path.canonicalize()?;
    let memory = cache.root().join("hashes.json");
    let mut known: BTreeMap<PathBuf, Remembered> = read_json(&memory).unwrap_or_default();
    let mut file = File::open(&path)?;
    let metadata = file.metadata()?;
    let identity = Identity::of(&metadata);
    if let Some(found) = known.get(&path).filter(|r| r.identity == identity) {
        return Ok(found.sha256.clone());
    }
    let sha256 = hash_file(&mut file)?;
    let settled = metadata
        .modified()
        .ok()
        .and_then(|m| SystemTime::now().duration_since(m).ok())
        .is_some_and(|age| age > RACY);
    if settled {
        known.insert(path, Remembered { identity, sha256: sha256.clone() });
        // A memory that cannot be written costs time at the next run, nothing else.
        let _ = write_json(&memory, &known);
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
        let cache = Cache::locate(Some(folder.path()));
        let path = folder.path().join("file");
        std::fs::write(&path, "abc").unwrap();
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_of(&cache, &path).unwrap(), abc);
        assert!(!folder.path().join("hashes.json").exists(), "too young to be trusted");
        let old = SystemTime::now() - Duration::from_secs(60);
        File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
        assert_eq!(sha256_of(&cache, &path).unwrap(), abc);
        let kept = std::fs::read_to_string(folder.path().join("hashes.json")).unwrap();
        assert!(kept.contains(abc));
        // The memory is believed: a planted hash comes back as long as the file is the same.
        std::fs::write(folder.path().join("hashes.json"), kept.replace(abc, "planted")).unwrap();
        assert_eq!(sha256_of(&cache, &path).unwrap(), "planted");
        std::fs::write(&path, "abd").unwrap();
        assert_ne!(sha256_of(&cache, &path).unwrap(), "planted");
    }
}
