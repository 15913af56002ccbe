//! Pages of files that a process uses: those that it cannot do without for long.
//!
//! Of the file pages that are resident most are there because something once needed them: loading a
//! library touches much that no request needs again. Those that requests touch again and again
//! are read back at once when the kernel drops them, so that a limit without room for them lets a
//! service crawl. The processor notes in the page tables which pages are touched. The kernel clears these
//! notes when it is asked to (`clear_refs`) and tells of each mapping how much has one
//! (`Referenced` in `smaps`; both Documentation/filesystems/proc.rst). A page whose translation a processor
//! still holds in its buffer when the note is cleared gets none until it is translated anew: some
//! thousand pages at the most, which a service that goes through its own memory evicts in no time.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::{MemoryError, Process, Table, only_on_linux, read};
use crate::units::Bytes;

/// What was touched of each file, by its device and inode as the kernel writes them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Touched(BTreeMap<String, OfFile>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct OfFile {
    bytes: Bytes,
    /// Whether any of it is mapped to be executed.
    is_code: bool,
}

impl Touched {
    /// What another process touched too: what both map is in memory once, and the one that touches
    /// more of a file is taken to touch what the other does.
    pub fn merge(&mut self, other: Self) {
        for (file, bytes) in other.0 {
            let known = self.0.entry(file).or_default();
            known.bytes = known.bytes.max(bytes.bytes);
            known.is_code |= bytes.is_code;
        }
    }

    /// Of all files together.
    pub fn total(&self) -> Bytes {
        self.code() + self.data()
    }

    /// Of programs and libraries.
    pub fn code(&self) -> Bytes {
        self.0.values().filter(|of| of.is_code).map(|of| of.bytes).sum()
    }

    /// Of the other files, such as weights that are mapped and not copied.
    pub fn data(&self) -> Bytes {
        self.0.values().filter(|of| !of.is_code).map(|of| of.bytes).sum()
    }
}

/// Forgets what a process has touched so far. Takes some milliseconds for each GiB that is resident.
///
/// # Errors
/// Where the kernel does not offer it, or the process belongs to someone else.
pub fn forget_touched(process: Process) -> Result<(), MemoryError> {
    only_on_linux()?;
    let file = process.file("clear_refs");
    fs::write(&file, "1").map_err(|source| MemoryError::Io { file, source })
}

/// What a process has touched of its mapped files since [`forget_touched`], or since they were mapped.
///
/// # Errors
/// As [`super::proportional`].
pub fn touched(process: Process) -> Result<Touched, MemoryError> {
    let (file, text) = read(process, "smaps")?;
    if text.is_empty() {
        return Err(MemoryError::Ended(process.to_string()));
    }
    parse(&file, &text)
}

/// A mapping begins with its addresses, permissions, offset, device, inode and path.
fn parse(file: &PathBuf, text: &str) -> Result<Touched, MemoryError> {
    let mut all = BTreeMap::<String, OfFile>::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = next_mapping(rest);
        let (mapping, after) = rest.split_at(end);
        rest = after;
        let Some(name) = file_of(mapping) else { continue };
        let table = Table { file, text: mapping };
        // Private copies of a file's pages are anonymous, and counted there.
        let mapped = table.kib("Rss")?.saturating_sub(table.kib("Anonymous")?);
        let of = all.entry(name).or_default();
        of.bytes += table.kib("Referenced")?.min(mapped);
        of.is_code |= mapping.split_whitespace().nth(1).is_some_and(|may| may.contains('x'));
    }
    Ok(Touched(all))
}

/// Where the mapping after the first one begins, or the end.
fn next_mapping(text: &str) -> usize {
    let mut at = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if index > 0 && is_head(line) {
            break;
        }
        at += line.len();
    }
    at
}

/// `Name:` begins with a capital letter, addresses are of digits and small letters.
fn is_head(line: &str) -> bool {
    line.starts_with(|c: char| c.is_ascii_hexdigit() && !c.is_ascii_uppercase())
}

/// The device and inode of the file that is mapped; `None` of memory that is no file's.
fn file_of(mapping: &str) -> Option<String> {
    let mut fields = mapping.lines().next()?.split_whitespace().skip(3);
    let (device, inode) = (fields.next()?, fields.next()?);
    // Shared memory has an inode and cannot be dropped: it is no file for this question.
    let is_memory = fields.next().is_some_and(|path| {
        path.starts_with("/dev/shm/") || path.starts_with("/memfd:") || path.starts_with("/SYSV")
    });
    (inode != "0" && !is_memory).then(|| format!("{device} {inode}"))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::os::unix::fs::MetadataExt;
    use std::process::{Command, Stdio};

    use super::*;
    use crate::measure::memory::page_size;

    const SMAPS: &str = "55a0-55b0 r-xp 00001000 fe:00 42                     /usr/lib/a b.so
Rss:                 400 kB
Referenced:          120 kB
Anonymous:             0 kB
VmFlags: rd ex mr
55b0-55c0 rw-p 00002000 fe:00 42                     /usr/lib/a b.so
Rss:                  40 kB
Referenced:           40 kB
Anonymous:            32 kB
55c0-55d0 rw-p 00000000 00:00 0                      [heap]
Rss:                9000 kB
Referenced:         9000 kB
Anonymous:          9000 kB
7f00-7f10 rw-s 00000000 00:01 7                      /dev/shm/x
Rss:                 800 kB
Referenced:          800 kB
Anonymous:             0 kB
7f20-7f30 r--s 00000000 fe:00 43                     /models/a.onnx
Rss:                 512 kB
Referenced:            0 kB
Anonymous:             0 kB
";

    #[test]
    fn files_are_told_from_memory() {
        let file = "/proc/1/smaps".into();
        let touched = parse(&file, SMAPS).unwrap();
        assert_eq!(touched.total(), Bytes::new(128 << 10), "private copies are no file pages");
        assert_eq!(touched.0.len(), 2);
        let read = SMAPS.replace("Referenced:            0 kB", "Referenced:            8 kB");
        let touched = parse(&file, &read).unwrap();
        assert_eq!((touched.code(), touched.data()), (Bytes::new(128 << 10), Bytes::new(8 << 10)));
        let broken = SMAPS.replace("Referenced", "Reverenced");
        assert!(matches!(parse(&file, &broken), Err(MemoryError::Missing { .. })));
    }

    #[test]
    fn what_two_processes_share_counts_once() {
        let of = |pairs: &[(&str, u64)]| {
            let of_file = |bytes| OfFile { bytes: Bytes::new(bytes), is_code: false };
            Touched(pairs.iter().map(|(f, b)| ((*f).to_owned(), of_file(*b))).collect())
        };
        let mut both = of(&[("fe:00 1", 10), ("fe:00 2", 5)]);
        both.merge(of(&[("fe:00 1", 12), ("fe:00 3", 1)]));
        assert_eq!(both, of(&[("fe:00 1", 12), ("fe:00 2", 5), ("fe:00 3", 1)]));
        assert_eq!(both.total(), Bytes::new(18));
    }

    /// Another process maps a file of 4096 pages, touches all, and later a quarter of them again; each
    /// time it goes through other memory first, of more pages than a processor keeps translations of.
    /// Some translations cover several pages, and note one of them.
    #[test]
    fn what_is_touched_again_is_told_from_what_was_once() {
        let page = page_size().get();
        let (all, some) = (4096, 1024);
        let mut made = tempfile::NamedTempFile::new().unwrap();
        made.write_all(&vec![7; usize::try_from(page).unwrap() * all]).unwrap();
        let script = format!(
            "import mmap, sys
f = open(sys.argv[1])
m = mmap.mmap(f.fileno(), 0, mmap.MAP_SHARED, mmap.PROT_READ)
other = mmap.mmap(-1, 64 << 20, mmap.MAP_PRIVATE)
other.madvise(mmap.MADV_NOHUGEPAGE)
for line in sys.stdin:
    other[::{page}] = other[::{page}]
    print(sum(m[p * {page}] for p in range(int(line))), flush=True)"
        );
        let mut python = Command::new("python3")
            .args(["-c", &script, made.path().to_str().unwrap()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let process = Process::Id(python.id());
        let (mut ask, answers) = (python.stdin.take().unwrap(), python.stdout.take().unwrap());
        let mut answers = BufReader::new(answers).lines();
        let mut touch = |pages: usize| {
            writeln!(ask, "{pages}").unwrap();
            assert_eq!(answers.next().unwrap().unwrap(), (7 * pages).to_string());
        };
        let inode = format!(" {}", made.as_file().metadata().unwrap().ino());
        let seen = || {
            let touched = touched(process).unwrap().0;
            touched.iter().find(|(name, _)| name.ends_with(&inode)).unwrap().1.bytes.get()
        };
        touch(all);
        assert_eq!(seen(), page * 4096);
        forget_touched(process).unwrap();
        let before = seen();
        touch(some);
        let after = seen();
        drop(ask);
        python.wait().unwrap();
        assert_eq!(before, 0);
        assert!((page * 920..page * 1500).contains(&after), "{after}");
    }
}
