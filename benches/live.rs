//! Is a service measured from outside as it is? Services of known appetite, the cost of looking, the
//! pace of the driver beside `wrk`, and a `FastAPI` service that is started and attached to.
//!
//! `cargo bench --bench live [-- appetite|leak|sampler|rate|fastapi]`; needs Python with venv and pip,
//! and `wrk` for the comparison, without which that part says so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use support::{TOOL, folder, median, profile, tool, worst};

const MIB: f64 = (1 << 20) as f64;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let is_wanted = |part: &str| wanted.is_empty() || wanted.iter().any(|w| w == part);
    for (name, part) in [
        ("appetite", appetite as fn()),
        ("leak", leak),
        ("sampler", sampler),
        ("rate", rate),
        ("fastapi", fastapi),
    ] {
        if is_wanted(name) {
            part();
        }
    }
}

/// The service's command; port 0 lets it choose.
fn command(port: u16, options: &str) -> Vec<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services/appetite.py");
    let script = script.display().to_string();
    let start = ["python3", &script, "--lifetime", "0", "--port", &port.to_string()];
    start.into_iter().chain(options.split_whitespace()).map(str::to_owned).collect()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What the tool writes of a service that it starts.
fn started(options: &str, budget: &str) -> Value {
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}/work");
    let command = command(port, options);
    let mut words = vec!["measure", "--quiet", "--url", &url, "--max-time", budget];
    words.extend(["--format", "json", "--"]);
    words.extend(command.iter().map(String::as_str));
    serde_json::from_str(&tool(&words)).unwrap()
}

fn number(value: &Value, pointer: &str) -> f64 {
    value.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer}: {value:#}"))
}

fn percent(share: f64) -> String {
    format!("{:+.1} %", share * 100.0)
}

/// Base, as the difference to a copy that holds nothing, bytes a request, and topology.
fn appetite() {
    println!("| service | base | error | a request | error | topology, found | true |");
    println!("|---|--:|--:|--:|--:|---|---|");
    let (mut bases, mut buffers, mut right, mut all) = (Vec::new(), Vec::new(), 0, 0);
    for (base, hold, time, mode, word, workers) in [
        (50.0, 5.0, 0.05, "--mode threaded", "shared", 1.0),
        (100.0, 20.0, 0.05, "--mode threaded", "shared", 1.0),
        (200.0, 50.0, 0.1, "--mode threaded", "shared", 1.0),
        (100.0, 20.0, 0.01, "--mode threaded", "shared", 1.0),
        (50.0, 5.0, 0.02, "--mode blocking", "serial", 1.0),
        (100.0, 20.0, 0.02, "--mode blocking", "serial", 1.0),
        (100.0, 20.0, 0.05, "--mode pool:2", "pool:2", 1.0),
        (100.0, 10.0, 0.05, "--mode pool:4", "pool:4", 1.0),
        (100.0, 10.0, 0.05, "--mode pool:6", "pool:6", 1.0),
        (60.0, 10.0, 0.05, "--mode threaded --workers 2", "workers:2", 2.0),
        (60.0, 10.0, 0.05, "--mode threaded --workers 4", "workers:4", 4.0),
        (60.0, 10.0, 0.05, "--mode blocking --workers 2", "workers:2/serial", 2.0),
        (60.0, 10.0, 0.05, "--mode blocking --workers 4", "workers:4/serial", 4.0),
    ] {
        let empty = started(&format!("--time {time} {mode}"), "8s");
        let options = format!("--base {base}M --hold {hold}M --time {time} {mode}");
        let seen = started(&options, "15s");
        let of = |value: &Value, what| number(value, what) / MIB;
        let held = of(&seen, "/ram/base_bytes/typical") - of(&empty, "/ram/base_bytes/typical");
        let each = of(&seen, "/ram/buffer_bytes/typical");
        let found = seen.pointer("/environment/settings/topology").unwrap().as_str().unwrap();
        let (of_base, of_each) = (held / (base * workers) - 1.0, each / hold - 1.0);
        bases.push(of_base.abs());
        buffers.push(of_each.abs());
        all += 1;
        right += usize::from(found == word);
        println!(
            "| {base:.0} MiB, {hold:.0} MiB for {:.0} ms, {} | {held:.1} | {} | {each:.2} | {} | {found} | {word} |",
            time * 1000.0,
            mode.trim_start_matches("--mode "),
            percent(of_base),
            percent(of_each),
        );
    }
    let told = |errors: &[f64]| {
        format!("median {:.1} %, worst {:.1} %", median(errors) * 100.0, worst(errors) * 100.0)
    };
    println!("\nbase: {}; a request: {}", told(&bases), told(&buffers));
    println!("topology: {right} of {all}\n");
}

/// The slope of memory that does not come back, and none where none is.
fn leak() {
    println!("| leaked a request | found (95 %) | error |");
    println!("|--:|--:|--:|");
    let mut errors = Vec::new();
    for (kib, mode) in [
        (16.0, "--mode threaded"),
        (64.0, "--mode threaded"),
        (256.0, "--mode blocking"),
        (64.0, "--mode threaded --workers 2"),
        (1024.0, "--mode pool:3"),
    ] {
        let seen =
            started(&format!("--base 30M --hold 8M --time 0.01 {mode} --leak {kib}K"), "15s");
        let of = |end| number(&seen, &format!("/live/growth/bytes_per_request/{end}")) / 1024.0;
        let error = of("typical") / kib - 1.0;
        errors.push(error.abs());
        println!(
            "| {kib:.0} KiB, {} | {:.1} KiB ({:.1} to {:.1}) | {} |",
            mode.trim_start_matches("--mode "),
            of("typical"),
            of("low"),
            of("high"),
            percent(error)
        );
    }
    println!(
        "\nleak: median {:.1} %, worst {:.1} %",
        median(&errors) * 100.0,
        worst(&errors) * 100.0
    );
    let found =
        ["--mode threaded", "--mode blocking", "--mode pool:3", "--mode threaded --workers 2"]
            .iter()
            .filter(|mode| {
                let seen = started(&format!("--base 30M --hold 8M --time 0.01 {mode}"), "15s");
                !seen.pointer("/live/growth").unwrap().is_null()
            })
            .count();
    println!("growth said of services without a leak: {found} of 4\n");
}

/// The share of one core that looking takes.
fn sampler() {
    println!("| processes | looks every | of one core |");
    println!("|--:|--:|--:|");
    for workers in [1, 4, 16] {
        let seen = started(&format!("--base 20M --hold 1M --time 0.02 --workers {workers}"), "10s");
        println!(
            "| {} | {:.0} ms | {:.2} % |",
            number(&seen, "/live/processes"),
            number(&seen, "/live/sampling_seconds") * 1000.0,
            number(&seen, "/live/sampler_cpu") * 100.0
        );
    }
    println!();
}

/// A server that answers at once, a thread for each connection.
fn trivial() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    port
}

fn answer(mut stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let mut seen = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut piece) {
        seen.extend_from_slice(&piece[..read]);
        if seen.ends_with(b"\r\n\r\n") {
            seen.clear();
            if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").is_err() {
                return;
            }
        }
    }
}

/// Requests a second to a server that does nothing, beside `wrk`, alternately.
fn rate() {
    let port = trivial();
    let url = format!("http://127.0.0.1:{port}/");
    let has_wrk = Command::new("wrk").arg("-v").output().is_ok();
    if !has_wrk {
        println!("wrk is not installed: nothing to compare with");
    }
    let pid = std::process::id().to_string();
    let (mut ours, mut theirs, mut cpu) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..5 {
        let seen: Value = serde_json::from_str(&tool(&[
            "measure",
            "--quiet",
            "--pid",
            &pid,
            "--url",
            &url,
            "--max-time",
            "6s",
            "--format",
            "json",
        ]))
        .unwrap();
        let rounds = seen["live"]["rounds"].as_array().unwrap();
        let last = rounds.iter().rfind(|r| r["concurrency"] == 16).unwrap();
        ours.push(last["throughput_rps"].as_f64().unwrap());
        cpu.push(number(&seen, "/live/driver_cpu"));
        if has_wrk {
            theirs.push(wrk(&url));
        }
    }
    println!(
        "| 16 connections, a server that answers at once, both on this machine | requests a second |"
    );
    println!("|---|--:|");
    println!("| mediscope-size | {:.0} |", median(&ours));
    if has_wrk {
        let ratio: Vec<f64> = ours.iter().zip(&theirs).map(|(a, b)| a / b).collect();
        println!("| wrk -t1 -c16 | {:.0} |", median(&theirs));
        println!("| ratio, median of {} | {:.2} |", ratio.len(), median(&ratio));
    }
    println!(
        "\nCPU of the driver a request: {:.0} µs; at 1,000 a second {:.1} % of one core",
        1e6 * median(&cpu) / median(&ours),
        1e5 * median(&cpu) / median(&ours)
    );
    // A service that can just do a thousand: 16 at a time, 15 ms each.
    let seen = started("--time 0.0145 --mode threaded", "8s");
    let rounds = seen["live"]["rounds"].as_array().unwrap();
    let last = rounds.iter().rfind(|r| r["concurrency"] == 16 && r["start"] == 0).unwrap();
    println!(
        "a Python service of 14.5 ms, 16 at once: {:.0} a second; the driver took {:.0} % of one core, set the pace: {}\n",
        last["throughput_rps"].as_f64().unwrap(),
        number(&seen, "/live/driver_cpu") * 100.0,
        last["driver_bound"]
    );
}

fn wrk(url: &str) -> f64 {
    let output = Command::new("wrk").args(["-t1", "-c16", "-d2s", url]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find(|l| l.starts_with("Requests/sec:")).expect(&text);
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// A real service: started, attached to, and tried in a box.
fn fastapi() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/fastapi");
    let place = folder().join("fastapi");
    let python = environment(&example, &place);
    let model = reference_model();
    let image = place.join("scan.png");
    let draw = "import sys, random; from PIL import Image; random.seed(1); \
                Image.frombytes('RGB', (1200, 900), random.randbytes(1200 * 900 * 3)).save(sys.argv[1])";
    assert!(Command::new(&python).args(["-c", draw]).arg(&image).status().unwrap().success());
    let form = format!("file=@{}", image.display());
    let uvicorn = python.with_file_name("uvicorn").display().to_string();
    let app = example.display().to_string();
    let mut found = Vec::new();
    for _ in 0..3 {
        let (port, output) = (free_port().to_string(), place.join("service.yaml"));
        let url = format!("http://127.0.0.1:{port}/predict");
        let serve = [uvicorn.as_str(), "--app-dir", &app, "app:app", "--port", &port];
        let asked = ["measure", "--quiet", "--url", &url, "--form", &form, "--format", "json"];
        let kept = ["-o", output.to_str().unwrap(), "--"];
        let spawned = with_model(&model, &[&asked[..], &kept, &serve].concat());
        let mut service = Service::start(&model, &serve, &url);
        let pid = service.0.id().to_string();
        let attached = with_model(&model, &[&asked[..], &["--pid", &pid]].concat());
        service.end();
        found.push((spawned, attached, output));
    }
    println!(
        "| run | started: base, a request | attached: base, a request | base | a request | ten in flight |"
    );
    println!("|--:|--:|--:|--:|--:|--:|");
    for (run, (spawned, attached, _)) in found.iter().enumerate() {
        let of = |value: &Value, what: &str| number(value, &format!("/ram/{what}/typical")) / MIB;
        let (a, b) = (of(spawned, "base_bytes"), of(attached, "base_bytes"));
        let (c, d) = (of(spawned, "buffer_bytes"), of(attached, "buffer_bytes"));
        let ten = (b + 10.0 * d) / (a + 10.0 * c) - 1.0;
        println!(
            "| {} | {a:.1}, {c:.2} MiB | {b:.1}, {d:.2} MiB | {} | {} | {} |",
            run + 1,
            percent(b / a - 1.0),
            percent(d / c - 1.0),
            percent(ten)
        );
    }
    println!();
    for (ram, cpus) in [("256M", "0.5"), ("512M", "1"), ("512M", "2")] {
        let profile = found[0].2.to_str().unwrap();
        let output = Command::new(TOOL)
            .args(["verify", "--profile", profile, "--ram", ram, "--cpus", cpus, "--quiet"])
            .env("MODEL", &model)
            .env("MEDISCOPE_SIZE_CACHE", folder().join("cache"))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let verdict = text.lines().find(|l| l.starts_with('✔') || l.starts_with('✘'));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        println!("verify, {ram} and {cpus} CPUs: {}", verdict.unwrap_or(said.trim()));
    }
    println!();
}

/// Runs the tool with the model in the environment.
fn with_model(model: &Path, words: &[&str]) -> Value {
    let output = Command::new(TOOL)
        .args(words)
        .env("MODEL", model)
        .env("MEDISCOPE_SIZE_CACHE", folder().join("cache"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Python with what the example needs, made once.
fn environment(example: &Path, place: &Path) -> PathBuf {
    let venv = place.join("venv");
    let python = venv.join("bin/python");
    if !venv.join("complete").exists() {
        std::fs::create_dir_all(place).unwrap();
        let made = Command::new("python3").args(["-m", "venv"]).arg(&venv).status().unwrap();
        assert!(made.success(), "python3 -m venv");
        let needs = example.join("requirements.txt");
        let pip = ["-m", "pip", "install", "--quiet", "-r"];
        assert!(Command::new(&python).args(pip).arg(needs).status().unwrap().success(), "pip");
        std::fs::write(venv.join("complete"), "").unwrap();
    }
    python
}

/// A ResNet-18 as a file, as the tool writes it to measure it.
fn reference_model() -> PathBuf {
    let path = profile("resnet18");
    tool(&["measure", "--profile", path.to_str().unwrap(), "--quiet"]);
    let models = folder().join("cache/models");
    let entries = std::fs::read_dir(&models).unwrap().flatten().map(|e| e.path());
    let is_one = |p: &PathBuf| p.to_string_lossy().contains("resnet18-c1000");
    entries.into_iter().find(is_one).expect("the model is kept")
}

/// A service that was started by the benchmark.
struct Service(Child);

impl Service {
    fn start(model: &Path, words: &[&str], url: &str) -> Self {
        let child = Command::new(words[0])
            .args(&words[1..])
            .env("MODEL", model)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut service = Self(child);
        let mut lines = BufReader::new(service.0.stderr.take().unwrap()).lines();
        let is_up = lines.by_ref().map_while(Result::ok).any(|l| l.contains("running on"));
        assert!(is_up, "{url} does not come up");
        // What it goes on to say is read, lest it waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        service
    }

    fn end(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        std::thread::sleep(Duration::from_millis(200));
        let _ = self.0.wait();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
