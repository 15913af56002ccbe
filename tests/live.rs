//! Services that run by themselves, measured from outside: services of known appetite, in Python.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Place, Ran};
use serde_json::Value;

/// A free port, as far as anybody can know.
fn port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services/appetite.py")
}

/// The service's command with these options.
fn command(port: u16, options: &str) -> Vec<String> {
    let script = script().display().to_string();
    let start = ["python3", &script, "--port"].map(str::to_owned);
    let port = std::iter::once(port.to_string());
    start.into_iter().chain(port).chain(options.split_whitespace().map(str::to_owned)).collect()
}

/// A service that this test has started, and that ends with it.
struct Service {
    child: Child,
    port: u16,
}

impl Service {
    fn start(options: &str) -> Self {
        let port = port();
        let command = command(port, options);
        let mut child = Command::new(&command[0])
            .args(&command[1..])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("listening"), "{line}");
        Self { child, port }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/work", self.port)
    }

    fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let id = self.child.id().to_string();
        let _ = Command::new("kill").arg(&id).status();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(3) {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn measure(place: &Place, options: &[&str]) -> Ran {
    place.run(&[&["measure", "--quiet"], options].concat())
}

/// The footprint as JSON of a service that is started with these options.
fn spawned(place: &Place, options: &str, more: &[&str]) -> Value {
    let port = port();
    let url = format!("http://127.0.0.1:{port}/work");
    let command = command(port, options);
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let start = ["--url", &url, "--format", "json"];
    let ran = measure(place, &[&start[..], more, &["--"], &words].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

fn number(value: &Value, pointer: &str) -> f64 {
    value.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer}: {value}"))
}

const MIB: f64 = (1 << 20) as f64;

fn topology(value: &Value) -> &str {
    value.pointer("/environment/settings/topology").and_then(Value::as_str).unwrap()
}

/// Base and buffer of services whose appetite is known, and what they do with their requests.
#[test]
fn a_known_appetite_is_found() {
    let place = Place::new();
    let nothing = |more: &str| {
        let empty =
            spawned(&place, &format!("--time 0.05 {more}"), &["--budget", "6s", "--up-to", "4"]);
        number(&empty, "/ram/base_bytes/typical")
    };
    let cases = [
        ("--mode threaded", "shared", 1.0, None),
        ("--mode blocking", "serial", 1.0, Some(1)),
        ("--mode pool:3", "pool:3", 1.0, Some(3)),
        ("--mode threaded --workers 2", "workers:2", 2.0, None),
        ("--mode blocking --workers 4", "workers:4/serial", 4.0, Some(4)),
    ];
    let (mut bases, mut buffers) = (Vec::new(), Vec::new());
    for (mode, word, workers, at_once) in cases {
        let seen = spawned(
            &place,
            &format!("--base 60M --hold 12M --time 0.05 {mode}"),
            &["--budget", "14s"],
        );
        assert_eq!(topology(&seen), word, "{mode}: {seen:#}");
        assert_eq!(seen["live"]["at_once"].as_u64(), at_once, "{mode}");
        assert!(seen["live"]["growth"].is_null() && seen["live"]["failure"].is_null(), "{mode}");
        let base = number(&seen, "/ram/base_bytes/typical") - nothing(mode);
        bases.push(base / (60.0 * MIB * workers) - 1.0);
        buffers.push(number(&seen, "/ram/buffer_bytes/typical") / (12.0 * MIB) - 1.0);
    }
    let median = |mut errors: Vec<f64>| {
        errors = errors.into_iter().map(f64::abs).collect();
        errors.sort_by(f64::total_cmp);
        errors[errors.len() / 2]
    };
    assert!(median(bases.clone()) < 0.02, "{bases:?}");
    assert!(median(buffers.clone()) < 0.05, "{buffers:?}");
}

#[test]
fn a_leak_is_growth_and_no_buffer() {
    let place = Place::new();
    let seen = spawned(&place, "--base 30M --hold 8M --time 0.01 --leak 64K", &["--budget", "12s"]);
    let slope = number(&seen, "/live/growth/bytes_per_request/typical");
    assert!((slope / 65536.0 - 1.0).abs() < 0.10, "{slope}");
    let buffer = number(&seen, "/ram/buffer_bytes/typical") / (8.0 * MIB);
    assert!((buffer - 1.0).abs() < 0.10, "{buffer}");
    let steady = spawned(&place, "--base 30M --hold 8M --time 0.01", &["--budget", "12s"]);
    assert!(steady["live"]["growth"].is_null(), "{}", steady["live"]["growth"]);
}

/// Attached to and started, the same service has the same footprint, and it goes on afterwards.
#[test]
fn attached_and_started_agree() {
    let place = Place::new();
    let options = "--base 60M --hold 12M --time 0.03";
    let started = spawned(&place, options, &["--budget", "10s"]);
    let mut service = Service::start(options);
    let (pid, url) = (service.child.id().to_string(), service.url());
    let ran =
        measure(&place, &["--pid", &pid, "--url", &url, "--budget", "8s", "--format", "json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let attached: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(service.is_alive(), "it goes on");
    for what in ["/ram/base_bytes/typical", "/ram/buffer_bytes/typical"] {
        let (a, b) = (number(&started, what), number(&attached, what));
        assert!((a / b - 1.0).abs() < 0.05, "{what}: {a} {b}");
    }
    assert_eq!(attached["live"]["attached"], true);
}

/// The profile is one like any other: sized, tried in a box, compared.
#[test]
fn the_profile_is_sized_and_tried() {
    let place = Place::new();
    let (port, folder) = (port(), tempfile::tempdir().unwrap());
    let output = folder.path().join("service.yaml");
    let output = output.to_str().unwrap();
    let url = format!("http://127.0.0.1:{port}/work");
    let command = command(port, "--base 60M --hold 12M --time 0.03");
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let start = ["--url", &url, "--budget", "8s", "-o", output, "--"];
    let ran = measure(&place, &[&start[..], &words].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let sized = place.run(&["--profile", output, "--ram", "256M", "--cpus", "1"]);
    assert_eq!(sized.code, Some(0), "{}", sized.stderr);
    assert!(sized.stdout.contains("A service that runs by itself"), "{}", sized.stdout);
    let compared =
        place.run(&["--profile", output, "--compare", output, "--ram", "256M", "--cpus", "1"]);
    assert_eq!(compared.code, Some(0), "{}", compared.stderr);
    let tried = place.run(&["verify", "--profile", output, "--ram", "256M", "--cpus", "1"]);
    if tried.code == Some(2) && tried.stderr.contains("control group") {
        println!("skipped: no control group can be made here: {}", tried.stderr);
        return;
    }
    assert_eq!(tried.code, Some(0), "{}{}", tried.stdout, tried.stderr);
    assert!(tried.stdout.contains("HELD"), "{}", tried.stdout);
    let small = place.run(&["verify", "--profile", output, "--ram", "100M", "--concurrency", "8"]);
    assert_eq!(small.code, Some(1), "{}{}", small.stdout, small.stderr);
    assert!(small.stdout.contains("KILLED"), "{}", small.stdout);
}

/// What is sent arrives as it was said, and the token is nowhere to be seen.
#[test]
fn requests_are_sent_as_people_send_them() {
    let place = Place::new();
    let folder = tempfile::tempdir().unwrap();
    let body = folder.path().join("scan.png");
    fs::write(&body, b"not really a picture").unwrap();
    let output = folder.path().join("service.yaml");
    let (body, output) = (body.to_str().unwrap(), output.to_str().unwrap());
    let service = Service::start("--expect token=s3cret --time 0.005");
    let (pid, url) = (service.child.id().to_string(), service.url());
    let start = ["--pid", &pid, "--url", &url, "--budget", "2s", "--up-to", "4", "-o", output];
    let refused = measure(&place, &start);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("status 401"), "{}", refused.stderr);
    for sent in [
        &["--body", body][..],
        &["--form", &format!("file=@{body}"), "--form", "lang=en"],
        &["--json", &format!(r#"{{"image": "@base64:{body}"}}"#)],
        &["--method", "PUT", "--body", body, "-H", "X-Test: 1"],
    ] {
        let ran = Command::new(assert_cmd::cargo::cargo_bin!("mediscope-size"))
            .args(["measure"])
            .args(start)
            .args(["--bearer-env", "MY_TOKEN"])
            .args(sent)
            .env("MY_TOKEN", "s3cret")
            .output()
            .unwrap();
        let ran = Ran::from(ran);
        assert_eq!(ran.code, Some(0), "{sent:?}: {}", ran.stderr);
        let written = fs::read_to_string(output).unwrap();
        assert!(!written.contains("s3cret") && !ran.stdout.contains("s3cret"));
        assert!(!ran.stderr.contains("s3cret") && written.contains("MY_TOKEN"));
    }
}

/// A load that a service cannot stand is a result.
#[test]
fn a_service_that_fails_is_told() {
    let place = Place::new();
    for (fault, word) in [
        ("--fail-after 60", "status 500"),
        ("--reset-after 60", "reset"),
        ("--die-after 60", "the service ended"),
    ] {
        let port = port();
        let url = format!("http://127.0.0.1:{port}/work");
        let command = command(port, &format!("--base 20M --hold 4M --time 0.01 {fault}"));
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let start = ["--url", &url, "--budget", "4s", "--timeout", "5s", "--"];
        let ran = measure(&place, &[&start[..], &words].concat());
        let all = format!("{}{}", ran.stdout, ran.stderr);
        assert!(all.contains("could not stand") && all.contains(word), "{fault}: {all}");
    }
}

#[test]
fn a_service_that_does_not_come_up_is_told() {
    let place = Place::new();
    let failing = |options: &str, more: &[&str]| {
        let port = port();
        let url = format!("http://127.0.0.1:{port}/work");
        let command = command(port, options);
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let start = ["--url", &url, "--budget", "2s"];
        let ran = measure(&place, &[&start[..], more, &["--"], &words].concat());
        assert_eq!(ran.code, Some(2), "{}{}", ran.stdout, ran.stderr);
        ran.stderr
    };
    let never = failing("--never-ready", &["--start-timeout", "1s"]);
    assert!(never.contains("was not ready after 1.0 s") && never.contains("--ready"), "{never}");
    let wrong = failing("--no-such-option", &[]);
    assert!(
        wrong.contains("ended before it was ready") && wrong.contains("no-such-option"),
        "{wrong}"
    );
    let hangs = failing("--hang-after 1", &["--timeout", "1s"]);
    assert!(hangs.contains("no answer within 1.0 s") && hangs.contains("--timeout"), "{hangs}");
    let missing = measure(&place, &["--url", "http://127.0.0.1:9/", "--", "no-such-program"]);
    assert!(missing.stderr.contains("`no-such-program` cannot be started"), "{}", missing.stderr);
    let nobody = measure(&place, &["--url", "http://127.0.0.1:9/", "--pid", "4000000"]);
    assert!(
        nobody.stderr.contains("no process 4000000") || nobody.stderr.contains("4000000"),
        "{}",
        nobody.stderr
    );
}

/// It changes its process on starting: found all the same, and ended.
#[test]
fn a_service_that_changes_its_process_is_followed() {
    let place = Place::new();
    let seen = spawned(
        &place,
        "--base 41M --hold 8M --time 0.02 --daemonize",
        &["--budget", "5s", "--up-to", "4"],
    );
    let buffer = number(&seen, "/ram/buffer_bytes/typical") / (8.0 * MIB);
    assert!((buffer - 1.0).abs() < 0.10, "{buffer}");
    assert_nobody_is_left("--base 41M --hold 8M --time 0.02 --daemonize");
}

/// Processes of this command line.
fn assert_nobody_is_left(words: &str) {
    let found = || {
        let list = Command::new("ps").args(["-eo", "pid,args"]).output().unwrap();
        let text = String::from_utf8_lossy(&list.stdout).into_owned();
        text.lines().filter(|l| l.contains(words)).map(str::to_owned).collect::<Vec<_>>()
    };
    let begun = Instant::now();
    while !found().is_empty() && begun.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(found(), Vec::<String>::new());
}

/// Ctrl-C ends what was started with all that it started, and leaves alone what was there.
#[test]
fn an_interrupt_stops_what_was_started_and_nothing_else() {
    let place = Place::new();
    let mut other = Service::start("--time 0.01 --base 7M");
    let port = port();
    let url = format!("http://127.0.0.1:{port}/work");
    let options = "--time 0.05 --base 13M --hold 1M --workers 2 --ignore-term";
    let command = command(port, options);
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let start = ["measure", "--quiet", "--url", &url, "--budget", "60s", "--"];
    let mut child = place.command(&[&start[..], &words].concat()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let begun = Instant::now();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert_nobody_is_left("--base 13M --hold 1M --workers 2");
    assert!(other.is_alive());
}

/// Only looked at: what its memory did under somebody else's requests.
#[test]
fn a_service_is_watched() {
    let place = Place::new();
    let mut service = Service::start("--base 20M --time 0.01");
    let pid = service.child.id().to_string();
    let inflight = format!("http://127.0.0.1:{}/inflight", service.port);
    let ran = measure(
        &place,
        &["--pid", &pid, "--watch", "2s", "--inflight-url", &inflight, "--format", "json"],
    );
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let seen: Value = serde_json::from_str(&ran.stdout).unwrap();
    let high = number(&seen, "/highest_anon_bytes") / MIB;
    assert!((20.0..60.0).contains(&high), "{high}");
    assert_eq!(seen.pointer("/looks/0/in_flight").and_then(Value::as_u64), Some(0));
    assert!(service.is_alive());
}

/// A process of somebody else.
#[test]
fn a_process_of_another_user_is_refused_with_the_way_out() {
    if rustix::process::getuid().is_root() {
        let service = Service::start("--time 0.01");
        let program = assert_cmd::cargo::cargo_bin!("mediscope-size");
        // A place that everybody can read.
        let folder = tempfile::Builder::new().tempdir_in("/tmp").unwrap();
        let copy = folder.path().join("mediscope-size");
        fs::copy(program, &copy).unwrap();
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(folder.path(), open).unwrap();
        let output = std::os::unix::process::CommandExt::uid(&mut Command::new(&copy), 65534)
            .args(["measure", "--quiet", "--pid", &service.child.id().to_string()])
            .args(["--url", &service.url(), "--cache-dir", "/nowhere"])
            .output()
            .unwrap();
        let ran = Ran::from(output);
        assert_eq!(ran.code, Some(2), "{}", ran.stdout);
        assert!(ran.stderr.contains("belongs to somebody else"), "{}", ran.stderr);
    } else {
        println!("skipped: only root has processes of another user to try on");
    }
}
