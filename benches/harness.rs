//! Is the harness invisible? Memory of the measured child against a program that only opens the
//! library, milliseconds a run against a bare loop in Python, and the cost of a cached answer.
//!
//! `cargo bench --bench harness`; needs a C compiler, and Python with venv and pip, into which it
//! installs `onnxruntime` once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

mod support;

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use mediscope_size::footprint::{Settings, Sharing};
use mediscope_size::measure::child::NO_TELEMETRY;
use mediscope_size::measure::probe::PROBE_ARGUMENT;
use mediscope_size::measure::protocol::{
    Command as Ask, Content, Fit, ImageContent, InputJob, Job, KindJob, ModelJob, Reply, Scaling,
    ServiceJob, Start,
};
use mediscope_size::reference::ElementType;
use mediscope_size::units::{Bytes, Seconds};
use support::{TOOL, folder, median, profile, tool};

const ROUNDS: usize = 12;
const RUNS_A_ROUND: usize = 20;

fn main() {
    let path = profile("resnet50");
    tool(&["measure", "--profile", path.to_str().unwrap(), "--quiet"]);
    let cache = folder().join("cache");
    let library = find(&cache.join("onnxruntime"), "libonnxruntime.");
    let model = find(&cache.join("models"), "resnet50-c1000");
    memory(&library);
    time_of_a_run(&library, &model, &cache);
    cached_answer(path.to_str().unwrap());
}

fn memory(library: &Path) {
    let bare = bare_program(library);
    let mut harness = Vec::new();
    for _ in 0..5 {
        let mut probe = Talk::probe(&job(library, None, &folder()));
        let Reply::Loaded(loaded) = probe.ask(Ask::Load) else { panic!("not loaded") };
        let mark = loaded.runtime;
        harness.push((mark.total.as_mib(), mark.total.saturating_sub(mark.file).as_mib()));
    }
    let row = |name: &str, of: &[(f64, f64)]| {
        let resident = median(&of.iter().map(|m| m.0).collect::<Vec<_>>());
        let anonymous = median(&of.iter().map(|m| m.1).collect::<Vec<_>>());
        println!("  {name:52} {resident:>8.1} {anonymous:>10.1}");
    };
    println!("memory without a model, MiB, medians of 5                resident  anonymous");
    row("the measured child, runtime loaded", &harness);
    row("a C program that opens it and makes its environment", &bare.1);
    row("the same before the environment is made", &bare.0);
    println!("  target: resident within 2.0 of the C program, anonymous ≤ 9.0\n");
}

/// Resident and anonymous MiB, several times.
type Memory = Vec<(f64, f64)>;

/// What the bare program holds after opening the library, and with its environment, five times.
fn bare_program(library: &Path) -> (Memory, Memory) {
    let program = folder().join("bare");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/bare.c");
    let compiled =
        Command::new("cc").arg("-O2").arg("-o").arg(&program).arg(source).arg("-ldl").status();
    assert!(compiled.expect("a C compiler").success());
    (0..5)
        .map(|_| {
            let output =
                Command::new(&program).arg(library).env(NO_TELEMETRY, "1").output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let text = String::from_utf8(output.stdout).unwrap();
            let mut lines = text.lines().map(|line| {
                let kib: Vec<f64> =
                    line.split(' ').map(|n| n.parse::<f64>().unwrap() / 1024.0).collect();
                (kib[0], kib[1])
            });
            (lines.next().unwrap(), lines.next().unwrap())
        })
        .unzip()
}

fn time_of_a_run(library: &Path, model: &Path, cache: &Path) {
    let mut probe = Talk::probe(&job(library, Some(model), cache));
    probe.ask(Ask::Load);
    probe.ask(Ask::WarmUp);
    let mut python = Talk::python(model);
    let version = python.line();
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let budget = Seconds::new(1.2);
        let Reply::Stages(stages) = probe.ask(Ask::Stages { budget, kind: 0 }) else {
            panic!("no stages")
        };
        let infer = stages.iter().find(|s| s.name.starts_with("infer")).unwrap();
        let here = infer.wall.get() * 1000.0;
        python.say(&RUNS_A_ROUND.to_string());
        let there: f64 = python.line().parse().unwrap();
        ours.push(here);
        theirs.push(there);
        ratios.push(here / there);
    }
    ratios.sort_by(f64::total_cmp);
    println!("milliseconds a run of ResNet-50, one thread, medians of {ROUNDS} alternating rounds");
    println!("  infer stage of the measured child                {:>8.2}", median(&ours));
    println!("  bare loop, Python, onnxruntime {version:<17} {:>8.2}", median(&theirs));
    println!(
        "  ratio                                            {:>8.3}   ({:.3} to {:.3})",
        median(&ratios),
        ratios[0],
        ratios[ROUNDS - 1]
    );
    println!("  target: within 3 %\n");
}

fn cached_answer(profile: &str) {
    // The clock of waited-for children has ticks of 10 ms: many answers share one reading.
    const ANSWERS: u32 = 50;
    let before = children_cpu();
    for _ in 0..ANSWERS {
        tool(&["--profile", profile, "--ram", "1G", "--cpus", "1"]);
    }
    let each = (children_cpu() - before) * 1000.0 / f64::from(ANSWERS);
    println!("CPU time of a cached answer, mean of {ANSWERS}: {each:.1} ms (target ≤ 30 ms)");
}

/// CPU time of all children that were waited for, seconds: cutime and cstime, fields 16 and 17 of
/// proc(5), in ticks of 10 ms.
fn children_cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[13].parse::<f64>().unwrap() + fields[14].parse::<f64>().unwrap()) / 100.0
}

fn job(library: &Path, model: Option<&Path>, cache: &Path) -> Job {
    let models = model.map(|path| ModelJob {
        name: "net".into(),
        path: path.to_owned(),
        is_ort_format: false,
        inputs: vec![InputJob {
            name: "input".into(),
            element: ElementType::Float32,
            shape: vec![1, 3, 224, 224],
            content: Content::Image(ImageContent {
                channels_last: false,
                scaling: Scaling::ImageNet,
                fit: Fit::Stretch,
            }),
        }],
        lazy: false,
        from_bytes: false,
    });
    let images = model.map(|_| find(&cache.join("images"), "generated"));
    Job::Service(ServiceJob {
        library: library.to_owned(),
        models: models.into_iter().collect(),
        kinds: vec![KindJob { share: 1.0, models: vec![0] }],
        settings: Settings::default(),
        sharing: Sharing::Shared,
        images: images.into_iter().collect(),
        heatmap_edge: 512,
        program_bytes: Bytes::ZERO,
    })
}

/// The file below a folder whose name starts so.
fn find(folder: &Path, start: &str) -> PathBuf {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    entries
        .iter()
        .find(|p| p.is_file() && p.file_name().unwrap().to_string_lossy().starts_with(start))
        .cloned()
        .or_else(|| entries.iter().filter(|p| p.is_dir()).map(|p| find(p, start)).next())
        .unwrap_or_else(|| panic!("no {start} in {}", folder.display()))
}

/// A process with which one talks in lines.
struct Talk {
    process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Talk {
    fn start(command: &mut Command) -> Self {
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, input, output }
    }

    fn probe(job: &Job) -> Self {
        let mut talk = Self::start(
            Command::new(TOOL)
                .arg(PROBE_ARGUMENT)
                .env("MALLOC_ARENA_MAX", "256")
                .env(NO_TELEMETRY, "1"),
        );
        talk.say(&serde_json::to_string(&Start { job: job.clone(), child: 0 }).unwrap());
        talk
    }

    fn python(model: &Path) -> Self {
        let venv = folder().join("venv");
        let python = venv.join("bin/python");
        if !python.exists() {
            let made = Command::new("python3").args(["-m", "venv"]).arg(&venv).status();
            assert!(made.expect("python3").success());
            let installed = Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "onnxruntime==1.31.1", "numpy"])
                .status();
            assert!(installed.unwrap().success());
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/bare.py");
        let settings = serde_json::to_string(&Settings::default()).unwrap();
        Self::start(
            Command::new(python).env(NO_TELEMETRY, "1").arg(script).arg(model).arg(settings),
        )
    }

    fn say(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    fn line(&mut self) -> String {
        self.output.next().expect("an answer").unwrap()
    }

    fn ask(&mut self, command: Ask) -> Reply {
        self.say(&serde_json::to_string(&command).unwrap());
        serde_json::from_str(&self.line()).unwrap()
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
