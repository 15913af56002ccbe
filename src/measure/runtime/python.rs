//! The library of an `onnxruntime` package of the Python on `PATH`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;

use super::command::{Ran, last_lines, on_path, run};
use super::find::{Candidate, libraries_in};
use super::memo::{Memo, Package, PythonKey};
use super::surroundings::Surroundings;

/// Prints the folder of the package without importing it, as importing loads the library, and the
/// folders that were looked in. The current folder is taken out first: a source checkout there is
/// no installed package, and its modules are not to be run.
const ASK: &str = "\
import sys
sys.path = [p for p in sys.path if p]
import importlib.util
spec = importlib.util.find_spec('onnxruntime')
for folder in list(spec.submodule_search_locations or [])[:1] if spec else []:
    print('package=' + folder)
for folder in sys.path:
    print('folder=' + folder)";

/// The library, or the place where it should be and why it is not; nothing where there is no
/// Python or no package.
pub(super) fn library(
    surroundings: &Surroundings,
    memo: &mut Memo,
    interrupt: &AtomicBool,
) -> Option<Candidate> {
    let python = on_path(surroundings.path.as_ref(), &["python3", "python"])?;
    let key = PythonKey { program: &python, variables: &surroundings.python };
    match memo.package_of(key) {
        Some(Package::Missing) => return None,
        Some(Package::Library(known)) => return Some(Ok(known.to_owned())),
        None => {}
    }
    let mut command = Command::new(&python);
    let ran = run(command.args(["-c", ASK]), surroundings.python_limit, interrupt, &|| {});
    let answer = match ran {
        Ran::Well(answer) => answer,
        failed => return Some(Err((python, why(failed, surroundings)))),
    };
    let lines = |prefix| answer.lines().filter_map(move |line| line.strip_prefix(prefix));
    let folders = lines("folder=").map(PathBuf::from).collect();
    let Some(package) = lines("package=").next().map(Path::new) else {
        memo.keep_package_of(key, folders, Package::Missing);
        return None;
    };
    let Some(library) = libraries_in(&package.join("capi")).into_iter().next() else {
        return Some(Err((package.to_owned(), "it carries no libonnxruntime".into())));
    };
    memo.keep_package_of(key, folders, Package::Library(&library));
    Some(Ok(library))
}

fn why(failed: Ran, surroundings: &Surroundings) -> String {
    match failed {
        Ran::Badly(text) => {
            format!("asked for onnxruntime it failed with: {}", last_lines(&text))
        }
        Ran::NotStarted(why) => format!("it cannot be started: {why}"),
        Ran::TimedOut => {
            format!("it did not answer in {} s", surroundings.python_limit.as_secs_f32())
        }
        Ran::Interrupted | Ran::Well(_) => "interrupted".into(),
    }
}
