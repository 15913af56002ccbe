//! File systems in memory: what a service leaves in them is RAM, and no process has it mapped.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::statvfs;

use crate::measure::host::files::{Files, Process};
use crate::units::Bytes;

/// What the kernel counts blocks of files in (stat(2)).
const BLOCK: u64 = 512;

/// How files without a name in any file system are shown (`memfd_create(2)`).
const MEMFD: &str = "/memfd:";

/// The file systems in memory that a process sees, and what of each is used.
pub fn used(process: Process) -> BTreeMap<PathBuf, Bytes> {
    let text = Files::real().read(&process.file("mountinfo")).ok().flatten().unwrap_or_default();
    let root = process.file("root");
    let known =
        mounts(&text).into_iter().filter(|(_, is_memory)| *is_memory).filter_map(|(at, _)| {
            let seen = root.join(at.strip_prefix("/").unwrap_or(&at));
            let of = statvfs(&seen).ok()?;
            let used = of.f_blocks.saturating_sub(of.f_bfree).saturating_mul(of.f_frsize);
            Some((at, Bytes::new(used)))
        });
    known.collect()
}

/// Where a process has files open: in which file systems in memory, and how much of memory without a
/// name.
pub fn open_files(process: Process) -> (BTreeSet<PathBuf>, Bytes) {
    let text = Files::real().read(&process.file("mountinfo")).ok().flatten().unwrap_or_default();
    let mounts = mounts(&text);
    let (mut found, mut nameless) = (BTreeSet::new(), BTreeMap::new());
    for entry in fs::read_dir(process.file("fd")).into_iter().flatten().flatten() {
        let Ok(target) = fs::read_link(entry.path()) else { continue };
        if target.to_string_lossy().starts_with(MEMFD) {
            let file = fs::metadata(entry.path()).ok();
            nameless.extend(file.map(|f| ((f.dev(), f.ino()), f.blocks().saturating_mul(BLOCK))));
        } else if target.is_absolute() {
            // What is mounted last hides what was there before.
            let longest = |m: &&(PathBuf, bool)| m.0.components().count();
            let on = mounts.iter().filter(|(at, _)| target.starts_with(at)).max_by_key(longest);
            found.extend(on.filter(|(_, is_memory)| *is_memory).map(|(at, _)| at.clone()));
        }
    }
    (found, Bytes::new(nameless.values().sum()))
}

/// Where something is mounted (proc(5), `mountinfo`), and whether that is a file system in memory that
/// can be written.
fn mounts(text: &str) -> Vec<(PathBuf, bool)> {
    let mount = |line: &str| {
        let (place, kind) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(4);
        let (at, options) = (place.next()?, place.next()?);
        // A name with a blank in it is written in octal digits, and is no place for uploads.
        let is_memory = kind.starts_with("tmpfs ") && options.split(',').any(|o| o == "rw");
        Some((Path::new(at).to_owned(), is_memory))
    };
    text.lines().filter_map(mount).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn file_systems_in_memory_are_told_from_others() {
        let text = "22 1 0:20 / / rw,relatime - ext4 /dev/vda rw\n\
                    23 22 0:21 / /dev/shm rw,nosuid shared:3 - tmpfs tmpfs rw,size=64k\n\
                    24 22 0:22 / /run ro - tmpfs tmpfs ro\nnonsense\n";
        let found = mounts(text);
        let memory: Vec<_> = found.iter().filter(|m| m.1).map(|m| m.0.as_path()).collect();
        assert_eq!((found.len(), memory), (3, vec![Path::new("/dev/shm")]));
    }

    #[test]
    fn an_open_file_is_found() {
        let this = Process::Id(std::process::id());
        let Some((at, _)) = used(this).into_iter().find(|(at, _)| at == Path::new("/dev/shm"))
        else {
            return;
        };
        let Ok(mut file) = tempfile::tempfile_in(&at) else { return };
        file.write_all(&[1; 4096]).unwrap();
        // Deleted already.
        assert!(open_files(this).0.contains(&at));
    }
}
