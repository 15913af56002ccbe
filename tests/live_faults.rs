//! Live services that misbehave, and being told to stop.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::service::{MIB, Service, command, measure, number, port, spawned};
use common::{Place, Ran, children_of, groups_of, wait_for};
use serde_json::Value;

/// What is told of a service that was started with these options: how it ended, and the result.
fn told(place: &Place, options: &str, more: &[&str]) -> (Option<i32>, Value, String) {
    let port = port();
    let url = format!("http://127.0.0.1:{port}/work");
    let command = command(port, options);
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let start = ["--url", &url, "--timeout", "2s", "--format", "json"];
    let ran = measure(place, &[&start[..], more, &["--"], &words].concat());
    let seen = serde_json::from_str(&ran.stdout)
        .unwrap_or_else(|e| panic!("{options}: {e}: {}{}", ran.stdout, ran.stderr));
    (ran.code, seen, ran.stderr)
}

fn failures(seen: &Value) -> &Vec<Value> {
    seen.pointer("/live/failures").and_then(Value::as_array).unwrap()
}

/// A load that a service cannot stand is a result, with its number in flight, even where there is
/// no line.
#[test]
fn a_service_that_fails_is_told() {
    let place = Place::new();
    let schema = include_str!("../schemas/footprint-1.schema.json");
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    for (fault, word, kind) in [
        ("--fail-after 6", "status 500", Some("status 500")),
        ("--reset-after 6", "reset", Some("reset")),
        ("--hang-after 6", "timeout", Some("timeout")),
        ("--die-after 6", "the service ended", None),
        ("--die-after 1", "the service ended", None),
    ] {
        let options = format!("--base 20M --hold 4M --time 0.01 {fault}");
        let (code, seen, stderr) = told(&place, &options, &["--max-time", "3s"]);
        assert!(validator.is_valid(&seen), "{:?}", validator.iter_errors(&seen).next());
        assert_eq!(code, Some(2), "{fault}: {stderr}");
        assert!(seen["ram"].is_null(), "{fault}");
        let first = &failures(&seen)[0];
        let n = first["concurrency"].as_u64().unwrap();
        assert!(n <= 4 && first["what"].as_str().unwrap().contains(word), "{fault}: {first}");
        assert!(stderr.contains(&format!("could not stand {n} at once")), "{stderr}");
        let rounds = seen.pointer("/live/rounds").and_then(Value::as_array).unwrap();
        let failing = rounds.iter().find(|r| r["concurrency"] == n && r["start"] == 0).unwrap();
        if let Some(kind) = kind {
            assert_eq!(failing.pointer("/errors/0/kind").unwrap(), kind, "{failing}");
        }
        assert!(!seen["live"]["target"].as_str().unwrap().is_empty());
    }
    let port = port();
    let url = format!("http://127.0.0.1:{port}/work");
    let command = command(port, "--fail-after 5 --time 0.01");
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let ran = measure(&place, &[&["--url", &url, "--max-time", "2s", "--"], &words[..]].concat());
    assert!(ran.stdout.contains("It could not stand 1 at once: "), "{}", ran.stdout);
    assert!(ran.stdout.contains("Rounds") && ran.stdout.contains("status 500"), "{}", ran.stdout);
}

/// Those who are connected are answered, and nobody else.
#[test]
fn refused_connections_are_told() {
    let place = Place::new();
    let options = "--base 20M --hold 4M --time 0.01 --deaf-after 12";
    let (_, seen, stderr) = told(&place, options, &["--max-time", "3s"]);
    let first = &failures(&seen)[0];
    assert!(first["what"].as_str().unwrap().contains("refused"), "{first} {stderr}");
    let rounds = seen.pointer("/live/rounds").and_then(Value::as_array).unwrap();
    let kinds: Vec<_> = rounds.iter().filter_map(|r| r.pointer("/errors/0/kind")).collect();
    assert!(kinds.iter().all(|kind| *kind == "refused") && !kinds.is_empty(), "{kinds:?}");
}

/// What is there and was not started by the tool ends while it is measured; and one worker of two,
/// while the other goes on.
#[test]
fn a_service_of_somebody_else_that_ends_is_told() {
    let place = Place::new();
    for (options, what, is_left) in [
        ("--base 20M --hold 4M --time 0.01 --die-after 30", "the service ended", false),
        ("--base 20M --hold 4M --time 0.01 --workers 2 --die-after 40", "reset", true),
    ] {
        let mut service = Service::start(options);
        let (pid, url) = (service.child.id().to_string(), service.url());
        let asked = ["--pid", &pid, "--url", &url, "--max-time", "4s", "--format", "json"];
        let ran = measure(&place, &asked);
        let seen: Value =
            serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {ran:?}"));
        let first = &failures(&seen)[0];
        let told = first["what"].as_str().unwrap();
        assert!(told.contains(what), "{options}: {first}");
        assert_eq!(told.contains("the service ended"), !is_left, "{options}: {first}");
        assert_eq!(service.is_alive(), is_left, "{options}");
    }
}

/// Beyond what it can take it answers 503: the line is of fewer, and there are more starts of it.
#[test]
fn a_service_that_refuses_more_is_told() {
    let place = Place::new();
    let options = "--base 20M --hold 8M --time 0.05 --most 6";
    let (code, seen, stderr) = told(&place, options, &["--max-time", "8s"]);
    assert_eq!(code, Some(0), "{stderr}");
    let first = &failures(&seen)[0];
    assert_eq!((&first["concurrency"], &first["phase"]), (&8.into(), &"round".into()), "{first}");
    assert!(first["what"].as_str().unwrap().contains("status 503"), "{first}");
    let buffer = number(&seen, "/ram/buffer_bytes/typical") / (8.0 * MIB);
    assert!((buffer - 1.0).abs() < 0.1, "{buffer}");
}

/// It ends while it is asked on and on.
/// One start, which stands 1 and 2 in flight: with the level at rest that is a line.
#[test]
fn two_rounds_of_one_start_are_an_answer() {
    let place = Place::new();
    let (code, seen, stderr) = told(&place, "--hold 20M --most 2", &["--max-time", "1s"]);
    assert_eq!(code, Some(0), "{stderr}");
    let mib = number(&seen, "/ram/buffer_bytes/typical") / MIB;
    assert!((mib / 20.0 - 1.0).abs() < 0.08, "{mib} MiB a request");
}

#[test]
fn a_service_that_ends_late_is_told() {
    let place = Place::new();
    let options = "--base 20M --hold 4M --time 0.01 --die-at 8.4";
    let (code, seen, stderr) = told(&place, options, &["--max-time", "16s", "--up-to", "4"]);
    assert_eq!(code, Some(0), "{stderr}");
    let told = failures(&seen);
    assert_eq!(told[0]["phase"], "growth", "{}", seen["live"]["failures"]);
    assert!(told[0]["what"].as_str().unwrap().contains("the service ended"), "{told:?}");
}

/// A burst on a service that was just started, and no start at all the third time.
#[test]
fn later_starts_that_fail_are_told() {
    let (place, folder) = (Place::new(), tempfile::tempdir().unwrap());
    let counter = folder.path().join("starts").display().to_string();
    let options = format!("--base 20M --hold 4M --time 0.01 --starts {counter}");
    let (code, seen, stderr) = told(&place, &options, &["--max-time", "12s", "--up-to", "4"]);
    assert_eq!(code, Some(0), "{stderr}");
    let told: Vec<&str> = failures(&seen).iter().filter_map(|f| f["phase"].as_str()).collect();
    assert_eq!(told, ["cold_burst", "start"], "{}", seen["live"]["failures"]);
    assert!(seen.pointer("/ram/cold_burst").and_then(Value::as_array).unwrap().is_empty());
}

/// An address that answers, a port that somebody listens on, a line of output: not before that.
#[test]
fn signs_of_being_ready_are_waited_for() {
    let place = Place::new();
    let port = port();
    let url = format!("http://127.0.0.1:{port}/work");
    let command = command(port, "--ready-delay 1 --base 5M --hold 2M --time 0.005");
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let health = format!("http://127.0.0.1:{port}/health");
    for sign in [&health, &port.to_string(), &format!("listening on {port}")] {
        let begun = Instant::now();
        let start = ["--url", &url, "--ready", sign, "--max-time", "2s", "--up-to", "3", "--"];
        let ran = measure(&place, &[&start[..], &words].concat());
        assert_eq!(ran.code, Some(0), "{sign}: {}", ran.stderr);
        assert!(begun.elapsed() > Duration::from_secs(1), "{sign}");
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
        let start = ["--url", &url, "--max-time", "2s"];
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
    let slow = failing("--slow", &["--timeout", "1s"]);
    assert!(slow.contains("no answer within 1.0 s"), "{slow}");
    let missing = measure(&place, &["--url", "http://127.0.0.1:9/", "--", "no-such-program"]);
    assert!(missing.stderr.contains("`no-such-program` cannot be started"), "{}", missing.stderr);
    let nobody = measure(&place, &["--url", "http://127.0.0.1:9/", "--pid", "4000000"]);
    assert!(nobody.stderr.contains("there is no process 4000000"), "{}", nobody.stderr);
    let nowhere = measure(&place, &["--url", "http://127.0.0.1:9/", "--cgroup", "/nonexist"]);
    assert!(nowhere.stderr.contains("there is no control group /nonexist"), "{}", nowhere.stderr);
}

/// A service that hangs in the middle of a load is not asked thousands of times more.
#[test]
fn a_service_that_hangs_under_load_is_soon_given_up() {
    let place = Place::new();
    let begun = Instant::now();
    let options = "--base 20M --time 0.002 --hang-after 20";
    let (code, seen, stderr) = told(&place, options, &["--max-time", "6s"]);
    assert_eq!(code, Some(2), "{stderr}");
    let rounds = seen.pointer("/live/rounds").and_then(Value::as_array).unwrap();
    let kinds: Vec<_> = rounds.iter().filter_map(|r| r.pointer("/errors/0/kind")).collect();
    assert!(!kinds.is_empty() && kinds.iter().all(|k| *k == "timeout"), "{rounds:?}");
    assert!(begun.elapsed() < common::PATIENCE, "{:?}", begun.elapsed());
}

/// An address that takes connections and never answers: neither the limit nor Ctrl-C waits for it.
#[test]
fn a_sign_that_never_comes_is_not_waited_for() {
    let place = Place::new();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let ready = format!("http://{}/", silent.local_addr().unwrap());
    let url = format!("http://127.0.0.1:{}/work", port());
    let options = ["measure", "--quiet", "--url", &url, "--ready", &ready];
    let begun = Instant::now();
    let limited = ["--start-timeout", "1s", "--", "sleep", "97"];
    let ran = place.run(&[&options[..], &limited].concat());
    assert_eq!(ran.code, Some(2), "{}", ran.stdout);
    assert!(ran.stderr.contains("was not ready after 1.0 s"), "{}", ran.stderr);
    let mut child =
        place.command(&[&options[..], &["--", "sleep", "97"]].concat()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(begun.elapsed() < Duration::from_secs(12));
}

/// It changes its process on starting: found all the same, and ended.
#[test]
fn a_service_that_changes_its_process_is_followed() {
    let place = Place::new();
    let seen = spawned(
        &place,
        "--base 41M --hold 8M --time 0.02 --daemonize",
        &["--max-time", "5s", "--up-to", "4"],
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
    let start = ["measure", "--quiet", "--url", &url, "--max-time", "60s", "--"];
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

/// What was there goes on; what was seen until then is told.
#[test]
fn an_interrupt_leaves_alone_what_was_there() {
    let place = Place::new();
    let mut service = Service::start("--time 0.02 --base 19M --hold 4M");
    let (pid, url) = (service.child.id().to_string(), service.url());
    for more in [&["--url", &url, "--max-time", "60s"][..], &["--watch", "60s"]] {
        let asked = [&["measure", "--quiet", "--pid", &pid][..], more].concat();
        let child = place.command(&asked).stdout(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_secs(2));
        send("-INT", &child);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{more:?}");
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(text.contains("Watched for 2"), more[0] == "--watch", "{text}");
        assert!(service.is_alive(), "{more:?}");
    }
}

fn send(signal: &str, child: &Child) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
}

/// A service that minds no SIGTERM gets five seconds, unless the user asks a second time; and a
/// terminal that is closed asks, too, but not under `nohup`.
#[test]
fn a_service_is_stopped_whatever_asks_for_it() {
    let place = Place::new();
    for (signals, is_ignored) in
        [(&["-INT", "-INT"][..], false), (&["-HUP", "-INT"], false), (&["-HUP"], true)]
    {
        let port = port();
        let url = format!("http://127.0.0.1:{port}/work");
        let options = "--time 0.05 --base 23M --hold 1M --ignore-term";
        let command = command(port, options);
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let budget = if is_ignored { "2s" } else { "60s" };
        let start = ["measure", "-q", "--up-to", "3", "--url", &url, "--max-time", budget, "--"];
        let plain = place.command(&[&start[..], &words].concat());
        // Whoever runs the tests may ignore SIGHUP, and what it starts would too.
        let minding: &[&str] =
            if is_ignored { &["nohup"] } else { &["env", "--default-signal=HUP"] };
        let mut started = through(minding, &plain);
        started.stdout(Stdio::null()).stderr(Stdio::piped());
        let child = started.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(1500));
        let begun = Instant::now();
        for signal in signals {
            send(signal, &child);
            // Time to notice.
            std::thread::sleep(Duration::from_millis(1500));
        }
        let output = child.wait_with_output().unwrap();
        let (wanted, said) =
            (if is_ignored { 0 } else { 130 }, String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(wanted), "{signals:?}: {said}");
        if !is_ignored {
            assert!(begun.elapsed() < Duration::from_millis(4800), "{:?}", begun.elapsed());
        }
        assert_nobody_is_left(options);
    }
}

/// The same, started through another program that becomes it.
fn through(program: &[&str], plain: &Command) -> Command {
    let mut command = Command::new(program[0]);
    command.args(&program[1..]).arg(plain.get_program()).args(plain.get_args());
    for (name, value) in plain.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    if let Some(folder) = plain.get_current_dir() {
        command.current_dir(folder);
    }
    command
}

/// What was measured until then is told, and kept where it was asked for.
#[test]
fn an_interrupt_keeps_what_was_measured() {
    let place = Place::new();
    let port = port();
    let url = format!("http://127.0.0.1:{port}/work");
    let command = command(port, "--time 0.02 --base 17M --hold 4M");
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let start = ["measure", "--url", &url, "--max-time", "60s", "-o", "service.yaml", "--"];
    let mut child = place.command(&[&start[..], &words].concat()).spawn().unwrap();
    // Of 36 s for the rounds the first three take about fourteen.
    std::thread::sleep(Duration::from_secs(18));
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let text = fs::read_to_string(place.file("service.yaml")).unwrap();
    assert!(text.contains("concurrency: 4"), "{text}");
    assert_nobody_is_left("--base 17M --hold 4M");
}

/// The program in a folder of its own that everybody can read.
fn program_for_all() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::Builder::new().tempdir_in("/tmp").unwrap();
    let copy = folder.path().join("mediscope-size");
    fs::copy(assert_cmd::cargo::cargo_bin!("mediscope-size"), &copy).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    (folder, copy)
}

/// A process of somebody else.
#[test]
fn a_process_of_another_user_is_refused_with_the_way_out() {
    if rustix::process::getuid().is_root() {
        let service = Service::start("--time 0.01");
        let (_folder, copy) = program_for_all();
        let output = Command::new(&copy)
            .uid(65534)
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

/// The processes that have this variable in their environment, the newest first.
fn marked(mark: &str) -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let mut ids: Vec<u32> = entries.filter_map(|e| e.file_name().to_str()?.parse().ok()).collect();
    ids.reverse();
    ids.retain(|id| {
        let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    });
    ids
}

/// `measure` of a service that leaves behind what it can, as this user.
fn leaving(place: &Place, program: &Path, user: u32, options: &[&str], mark: &str) -> Child {
    let (port, service) = (port(), "tests/services/leftovers.py");
    let service = Path::new(env!("CARGO_MANIFEST_DIR")).join(service).display().to_string();
    let (url, port) = (format!("http://127.0.0.1:{port}/"), port.to_string());
    let measure = ["measure", "-q", "--url", &url, "--up-to", "3", "--max-time", "8s", "--"];
    let service = ["python3", &service, "--port", &port];
    let mut command = place.command_of(program, &[&measure[..], &service, options].concat());
    let (name, value) = mark.split_once('=').unwrap();
    command.env(name, value);
    if user != rustix::process::getuid().as_raw() {
        command.uid(user).gid(user);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Killed while it starts the service and while it measures it, as root, with a control group, and as
/// somebody who may make none.
#[test]
fn a_tool_that_is_killed_leaves_nothing_of_its_service() {
    let (_folder, program) = program_for_all();
    let own = rustix::process::getuid().as_raw();
    for user in if own == 0 { vec![own, 65534] } else { vec![own] } {
        for at_work in [false, true] {
            let place = Place::new();
            if user != own {
                for folder in place.folders() {
                    chown(&folder, Some(user), Some(user)).unwrap();
                }
            }
            let mark = format!("LEFTOVERS={}-{user}-{at_work}", std::process::id());
            let mut run = leaving(&place, &program, user, &[], &mark);
            let id = run.id();
            // The tool and its helpers, the service and five daemons at the least.
            let least = if at_work { 8 } else { 4 };
            wait_for("the service", || (marked(&mark).len() >= least).then_some(()));
            if at_work {
                std::thread::sleep(Duration::from_secs(1));
            }
            run.kill().unwrap();
            run.wait().unwrap();
            let begun = Instant::now();
            // One that starts its successor and ends is not always met.
            let mut clean = 0;
            wait_for("the end of all of it", || {
                let is_clean = marked(&mark).is_empty() && groups_of(id).is_empty();
                clean = if is_clean { clean + 1 } else { 0 };
                (clean >= 30).then_some(())
            });
            assert!(begun.elapsed() < Duration::from_secs(15), "{mark}: {:?}", begun.elapsed());
            assert_eq!(common::files_below(&place.tmp()), Vec::<PathBuf>::new());
        }
    }
}

/// A service that starts daemons all the time: those that end are waited for at once.
#[test]
fn what_a_service_leaves_behind_is_reaped_as_it_ends() {
    let place = Place::new();
    let program = assert_cmd::cargo::cargo_bin!("mediscope-size");
    let (own, mark) =
        (rustix::process::getuid().as_raw(), format!("REAPED={}", std::process::id()));
    let mut run = leaving(&place, program, own, &["--request-daemons"], &mark);
    let (mut most, mut daemons) = (0, 0);
    let status = wait_for("the end of the program", || {
        let children = children_of(run.id());
        let all = children.iter().flat_map(|helper| children_of(*helper)).chain(children.clone());
        let all: Vec<u32> = all.collect();
        daemons = daemons.max(all.len());
        most = most.max(all.iter().filter(|child| !common::is_alive(**child)).count());
        run.try_wait().unwrap()
    });
    assert_eq!(status.code(), Some(0));
    assert!(daemons > 10, "{daemons} at once");
    // Of those that end at the same time some may be met on their way.
    assert!(most < 10, "{most} of {daemons} have ended and are still there");
    assert_eq!(marked(&mark), Vec::<u32>::new());
}
