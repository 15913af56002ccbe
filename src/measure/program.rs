//! The memory of a server process without its models: an interpreter is started with the imports that
//! such a service usually has, as they are installed here, and shows what the kernel says of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::cache::{Cache, Identity, KeyParts};
use super::child::NO_TELEMETRY;
use super::host::allocator;
use super::memory;
use super::runtime::{Ran, Surroundings, last_lines, on_path, run};
use crate::footprint::{Program, ProgramMemory};
use crate::text::line;

/// Importing everything takes a second or two, and longer from a cold disk.
const LIMIT: Duration = Duration::from_secs(60);

/// Imports, shows the kernel's own numbers, imports ONNX Runtime, shows them again. The current folder
/// is taken out first, as its modules are not those that are installed.
const PYTHON: &str = "\
import sys
here = sys.path
sys.path = [p for p in here if p]
import importlib
def take(names):
    for name in names:
        try:
            module = importlib.import_module(name)
        except Exception:
            print('missing=' + name)
            continue
        print('imported=' + name + ' ' + str(getattr(module, '__version__', '')))
        yield module
def state(name):
    with open('/proc/self/status') as file:
        print(name + '=' + file.read().replace('\\n', '|'))
kept = {module.__name__: module for module in take(['fastapi', 'uvicorn', 'numpy', 'PIL.Image'])}
if 'PIL.Image' in kept:
    kept['PIL.Image'].preinit()
if 'fastapi' in kept and 'uvicorn' in kept:
    app = kept['fastapi'].FastAPI()
    app.get('/')(lambda: {})
    kept['uvicorn'].Config(app).load()
state('before')
kept.update((module.__name__, module) for module in take(['onnxruntime']))
state('after')
for folder in sys.path:
    print('folder=' + folder)";

/// The same in Node.js, whose packages are looked for from the current folder upwards.
const NODE: &str = "\
const fs = require('fs');
const take = (names) => names.map((name) => {
  try {
    const module = require(name);
    let version = '';
    try { version = require(name + '/package.json').version; } catch {}
    console.log('imported=' + name + ' ' + version);
    return module;
  } catch {
    console.log('missing=' + name);
  }
});
const state = (name) =>
  console.log(name + '=' + fs.readFileSync('/proc/self/status', 'utf8').replace(/\\n/g, '|'));
const kept = [require('http').createServer(() => {})];
const framework = ['express', 'fastify'].find((name) => {
  try { return require.resolve(name); } catch { return false; }
});
kept.push(take([framework || 'express', 'sharp']));
state('before');
kept.push(take(['onnxruntime-node']));
state('after');
for (const folder of require.resolve.paths('x')) console.log('folder=' + folder);";

/// Why it is not known.
#[derive(Debug, thiserror::Error)]
#[error(
    "the memory of a {program} process cannot be measured here: {why}; give its size instead, as in \
     --program 120M"
)]
pub struct ProgramError {
    program: Program,
    why: String,
}

/// What was measured of one interpreter, for as long as nothing is installed or removed.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    /// The interpreter and the folders of its packages, each as it was.
    files: Vec<(PathBuf, Option<Identity>)>,
    memory: ProgramMemory,
}

/// The memory of this program without its models: as declared, from the cache, or measured now.
///
/// # Errors
/// Where there is no such interpreter, it fails, or the kernel does not tell its memory.
pub fn memory_of(
    program: Program,
    cache: &Cache,
    remeasure: bool,
    interrupt: &AtomicBool,
) -> Result<ProgramMemory, ProgramError> {
    let (names, script): (&[&str], _) = match program {
        Program::Declared(size) => return Ok(ProgramMemory::declared(size)),
        Program::PythonFastapi => (&["python3", "python"], PYTHON),
        Program::Node => (&["node", "nodejs"], NODE),
    };
    let failed = |why: String| ProgramError { program, why };
    let surroundings = Surroundings::of_process(cache.root());
    let interpreter = on_path(surroundings.path.as_ref(), names)
        .ok_or_else(|| failed(format!("there is no {} on PATH", names[0])))?;
    let folder = std::env::current_dir().unwrap_or_default();
    let key = [
        interpreter.display().to_string(),
        surroundings.python.clone(),
        folder.display().to_string(),
        allocator().join(" "),
        KeyParts::tool_version(),
    ]
    .join("|");
    let mut known: BTreeMap<String, Kept> = cache.programs();
    let is_same = |kept: &&Kept| kept.files.iter().all(|(path, then)| identity(path) == *then);
    if let Some(kept) = known.get(&key).filter(is_same).filter(|_| !remeasure) {
        return Ok(kept.memory.clone());
    }
    let flag = if program == Program::Node { "-e" } else { "-c" };
    let mut command = Command::new(&interpreter);
    command.args([flag, script]).env(NO_TELEMETRY, "1");
    let answer = match run(&mut command, LIMIT, interrupt, &|| {}) {
        Ran::Well(answer) => answer,
        Ran::Badly(text) => return Err(failed(last_lines(&text))),
        Ran::NotStarted(why) => return Err(failed(why)),
        Ran::TimedOut => {
            return Err(failed(format!("it took longer than {} s", LIMIT.as_secs())));
        }
        Ran::Interrupted => return Err(failed("interrupted".to_owned())),
    };
    let memory = memory_in(&answer).map_err(failed)?;
    let folders = values(&answer, "folder").map(PathBuf::from);
    let files = std::iter::once(interpreter).chain(folders);
    let files = files.map(|path| (path.clone(), identity(&path))).collect();
    known.insert(key, Kept { files, memory: memory.clone() });
    // One that cannot be kept is measured again the next time.
    let _ = cache.keep_programs(&known);
    Ok(memory)
}

fn identity(path: &Path) -> Option<Identity> {
    path.metadata().ok().map(|metadata| Identity::of(&metadata))
}

fn values<'a>(answer: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    answer.lines().filter_map(move |line| line.strip_prefix(name)?.strip_prefix('='))
}

fn memory_in(answer: &str) -> Result<ProgramMemory, String> {
    let state = |name: &str| {
        let text = values(answer, name).next().ok_or("it ended without showing its memory")?;
        memory::resident_in(&text.replace('|', "\n")).map_err(|error| error.to_string())
    };
    let (before, after) = (state("before")?, state("after")?);
    let names = |name: &str| {
        values(answer, name).map(|text| line(text.trim()).into_owned()).take(16).collect()
    };
    Ok(ProgramMemory {
        resident_bytes: before.total,
        anon_bytes: before.anon + before.shmem,
        runtime_bytes: after.total.saturating_sub(before.total),
        imported: names("imported"),
        missing: names("missing"),
    })
}
