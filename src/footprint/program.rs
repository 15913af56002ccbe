//! The server process around the models: what an interpreter and its libraries take before a model is
//! loaded, where the models were measured in a process without them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Footprint, Point, checked};
use crate::text::line;
use crate::units::{Bytes, BytesError, Source};

/// What serves the models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Program {
    /// Python with `FastAPI`, Uvicorn, Pillow and `NumPy`.
    PythonFastapi,
    /// Node.js with Express or Fastify.
    Node,
    /// One that takes this much without ONNX Runtime and the models, as somebody declared.
    Declared(Bytes),
}

impl Program {
    const PYTHON_FASTAPI: &str = "python-fastapi";
    const NODE: &str = "node";
    const LEAST: Bytes = Bytes::mib(1);
    const MOST: Bytes = Bytes::mib(1 << 20);
}

impl FromStr for Program {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            Self::PYTHON_FASTAPI => Ok(Self::PythonFastapi),
            Self::NODE => Ok(Self::Node),
            size if size.starts_with(|c: char| c.is_ascii_digit()) => {
                let size: Bytes = size.parse().map_err(|e: BytesError| e.to_string())?;
                if (Self::LEAST..=Self::MOST).contains(&size) {
                    Ok(Self::Declared(size))
                } else {
                    Err(format!("a server process takes 1M to 1024G of RAM, not {size}"))
                }
            }
            other => Err(format!(
                "`{}` is no server process: give python-fastapi, node, or its size as in 120M",
                line(other)
            )),
        }
    }
}

impl TryFrom<String> for Program {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Program> for String {
    fn from(program: Program) -> Self {
        match program {
            // In bytes, where a size would be rounded.
            Program::Declared(size) => size.get().to_string(),
            named => named.to_string(),
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PythonFastapi => f.pad(Self::PYTHON_FASTAPI),
            Self::Node => f.pad(Self::NODE),
            Self::Declared(size) => size.fmt(f),
        }
    }
}

/// The memory of a server process, without ONNX Runtime and the models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramMemory {
    /// Resident bytes before ONNX Runtime is loaded.
    pub resident_bytes: Bytes,
    /// Of these, those that are not a file's.
    pub anon_bytes: Bytes,
    /// What loading ONNX Runtime adds there, with the modules through which that language calls it.
    pub runtime_bytes: Bytes,
    /// What was imported, with versions: `fastapi 0.115.0`.
    #[serde(deserialize_with = "checked::list")]
    pub imported: Vec<String>,
    /// What is usual and was not installed.
    #[serde(deserialize_with = "checked::list")]
    pub missing: Vec<String>,
}

impl ProgramMemory {
    /// Of a process that somebody declared.
    pub const fn declared(size: Bytes) -> Self {
        Self {
            resident_bytes: size,
            anon_bytes: size,
            runtime_bytes: Bytes::ZERO,
            imported: Vec::new(),
            missing: Vec::new(),
        }
    }
}

/// The server process that a footprint counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramRecord {
    /// Which.
    pub program: Program,
    /// What it takes by itself.
    pub memory: ProgramMemory,
    /// Anonymous bytes that every reading of a process has more because of it.
    pub added_anon_bytes: Bytes,
    /// The same of pages of files.
    pub added_file_bytes: Bytes,
}

impl ProgramRecord {
    /// Whether it was measured or declared.
    pub const fn source(&self) -> Source {
        match self.program {
            Program::Declared(_) => Source::Declared,
            Program::PythonFastapi | Program::Node => Source::Measured,
        }
    }
}

impl Footprint {
    /// The footprint of the same models in this server process, which takes the place of the process
    /// that they were measured in.
    ///
    /// ONNX Runtime counts once: of what loading it adds in the server process, what it added where
    /// the models were measured is there already.
    #[must_use]
    pub fn in_program(mut self, program: Program, memory: ProgramMemory) -> Self {
        if let Some(before) = self.program.take() {
            let (anon, file) = (before.added_anon_bytes, before.added_file_bytes);
            self.change_processes(&|bytes, n| bytes.saturating_sub(anon * n), &|bytes| {
                bytes.saturating_sub(file)
            });
        }
        let marks = &self.marks;
        let runtime = marks.runtime_bytes.saturating_sub(marks.start_bytes);
        let modules = memory.runtime_bytes.saturating_sub(runtime);
        let processes = u64::from(self.topology.processes());
        let (anon, all) = (memory.anon_bytes + modules, memory.resident_bytes + modules);
        // Pages of files are in every process and count once.
        let wanted = anon * (processes - 1) + all;
        let added = wanted.saturating_sub(marks.start_bytes);
        let added_anon_bytes = anon.min(Bytes::new(added.get() / processes));
        let added_file_bytes = added.saturating_sub(added_anon_bytes * processes);
        self.change_processes(&|bytes, n| bytes + added_anon_bytes * n, &|bytes| {
            bytes + added_file_bytes
        });
        self.program = Some(ProgramRecord { program, memory, added_anon_bytes, added_file_bytes });
        self
    }

    /// Changes every reading by what each process has of anonymous memory, given how many there are,
    /// and by the pages of files that all of them share.
    fn change_processes(
        &mut self,
        anon: &dyn Fn(Bytes, u64) -> Bytes,
        file: &dyn Fn(Bytes) -> Bytes,
    ) {
        let point = |point: &mut Point, n: u64| {
            point.peak_bytes = file(anon(point.peak_bytes, n));
            point.anon_bytes = anon(point.anon_bytes, n);
            point.file_bytes = file(point.file_bytes);
        };
        let n = u64::from(self.topology.processes());
        self.points.iter_mut().for_each(|p| point(p, n));
        for run in &mut self.runs {
            let n = u64::from(run.topology.processes());
            run.points.iter_mut().for_each(|p| point(p, n));
        }
        for burst in &mut self.cold_burst {
            burst.peak_bytes = file(anon(burst.peak_bytes, n));
            burst.anon_bytes = anon(burst.anon_bytes, n);
        }
        if let Some(mix) = &mut self.mix {
            mix.others.iter_mut().flat_map(|kind| &mut kind.points).for_each(|p| point(p, n));
            for check in &mut mix.checks {
                check.peak_bytes = file(anon(check.peak_bytes, n));
                check.anon_bytes = anon(check.anon_bytes, n);
            }
        }
        for model in &mut self.models {
            model.load_peak_bytes = file(anon(model.load_peak_bytes, n));
        }
        let marks = &mut self.marks;
        marks.load_peak_anon_bytes = anon(marks.load_peak_anon_bytes, n);
        for mark in [
            &mut marks.start_bytes,
            &mut marks.runtime_bytes,
            &mut marks.load_peak_bytes,
            &mut marks.loaded_bytes,
            &mut marks.warm_bytes,
            &mut marks.idle_bytes,
        ] {
            *mark = file(anon(*mark, n));
        }
    }
}
