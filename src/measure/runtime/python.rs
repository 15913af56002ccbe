//! The library of the `onnxruntime` package in the Python environment on PATH.
//!
//! Python itself is asked: only it knows its virtual environment, the user's packages and
//! `PYTHONPATH`. Starting one takes longer than all else in the search, so the answer is kept.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::command::{Ran, on_path, run};
use super::find::libraries_in;
use super::memo::Memo;
use super::surroundings::Surroundings;

/// A Python that takes longer to say where a package is, hangs.
const LIMIT: Duration = Duration::from_secs(10);

/// Comes before each folder in the answer: start-up hooks may print lines of their own.
const MARK: &[u8] = b"onnxruntime is in ";

/// Prints the package's folder without importing it, for that would load the library. Isolated mode
/// would hide the user's packages, so only the current folder is taken out: whatever lies in a
/// folder that the tool happens to be started in must not be run.
const ASK: &str = "\
import sys
if sys.path[:1] == ['']: del sys.path[0]
import importlib.util, os
spec = importlib.util.find_spec('onnxruntime')
for folder in (spec.submodule_search_locations or []) if spec else []:
    sys.stdout.buffer.write(b'\\nonnxruntime is in ' + os.fsencode(folder) + b'\\n')
";

/// The library of the package, if there is one; an error says why no Python could be asked.
pub(super) fn package_libraries(
    surroundings: &Surroundings,
    memo: &mut Memo,
    interrupt: &AtomicBool,
) -> Result<Option<PathBuf>, String> {
    let mut failed = None;
    for name in ["python3", "python"] {
        let Some(python) = on_path(surroundings.path.as_ref(), name) else { continue };
        let key = key(&python, surroundings);
        if let Some(known) = memo.library_of(&python, &key) {
            return Ok(Some(known.to_owned()));
        }
        let said = run(Command::new(&python).args(["-c", ASK]), LIMIT, interrupt);
        let why = match said {
            Ran::Well(answer) => {
                let library = library(&answer);
                if let Some(library) = &library {
                    memo.keep_library_of(&python, &key, library);
                }
                return Ok(library);
            }
            Ran::Badly(why) => why,
            Ran::NotStarted(why) => format!("it cannot be started: {why}"),
            Ran::TimedOut => format!("no answer within {} s", LIMIT.as_secs()),
            Ran::Interrupted => return Err("interrupted".into()),
        };
        failed.get_or_insert(format!("{} cannot be asked: {why}", python.display()));
    }
    failed.map_or(Ok(None), Err)
}

fn library(answer: &[u8]) -> Option<PathBuf> {
    let folders = answer.split(|&b| b == b'\n').filter_map(|line| line.strip_prefix(MARK));
    let capi: Vec<PathBuf> =
        folders.map(|f| Path::new(OsStr::from_bytes(f)).join("capi")).collect();
    libraries_in(&capi).into_iter().next()
}

/// What else changes the answer of this Python. A virtual environment's Python is a link to
/// another one, so the place of the link counts.
fn key(python: &Path, surroundings: &Surroundings) -> String {
    let path = surroundings.path.as_deref().unwrap_or_default().to_string_lossy();
    let mut key = format!("{}|{path}|{}", python.display(), surroundings.python);
    // A version manager's script chooses by the folder that it is started in.
    if let (true, Some(folder)) = (is_script(python), &surroundings.current_folder) {
        key = format!("{key}|{}", folder.display());
    }
    key
}

fn is_script(program: &Path) -> bool {
    let mut start = [0; 2];
    let read = File::open(program).and_then(|mut f| f.read_exact(&mut start));
    read.is_ok() && start == *b"#!"
}
