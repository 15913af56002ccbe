//! What is measured is what answers: whoever holds the socket of the address, wherever it was started.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use common::service::{Engine, Group, MIB, Service, command, measure, number, port};
use common::{Place, Ran, is_alive, wait_for};
use serde_json::Value;

/// What a service of known appetite holds besides its base: its interpreter.
const INTERPRETER: std::ops::Range<f64> = 14.0..24.0;

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {ran:?}"))
}

fn measured(place: &Place, port: u16, more: &[&str], command: &[String]) -> Ran {
    let url = format!("http://127.0.0.1:{port}/work");
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let mut start = vec!["--url", &url, "--format", "json"];
    for usual in [["--up-to", "4"], ["--max-time", "4s"]] {
        if !more.contains(&usual[0]) {
            start.extend(usual);
        }
    }
    measure(place, &[&start[..], more, &["--"], &words].concat())
}

/// Base and buffer of `--base 60M --hold 12M`.
fn assert_appetite(seen: &Value) {
    let base = number(seen, "/ram/base_bytes/typical") / MIB - 60.0;
    assert!(INTERPRETER.contains(&base), "{base}");
    let buffer = number(seen, "/ram/buffer_bytes/typical") / (12.0 * MIB);
    assert!((buffer - 1.0).abs() < 0.08, "{buffer}");
}

/// Nobody listens on the port any more.
fn assert_is_free(port: u16) {
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err(), "{port} is still open");
}

const APPETITE: &str = "--base 60M --hold 12M --time 0.02";

/// The command only asks a daemon, which was there before: measured is the service and not the client, and
/// afterwards the service is gone and the daemon is not; also where the daemon does not end it, and
/// where the client does not wait.
#[test]
fn a_service_that_a_daemon_starts_is_measured() {
    let place = Place::new();
    for (engine, run) in [(&[][..], &[][..]), (&["--careless"], &[]), (&[], &["--detach"])] {
        let folder = tempfile::tempdir().unwrap();
        let is_prompt = engine.is_empty() && run.is_empty();
        let (engine, port) = (Engine::start(folder.path(), engine), port());
        let ran = measured(&place, port, &[], &engine.runs(run, &command(port, APPETITE)));
        assert_eq!(ran.code, Some(0), "{run:?}: {}", ran.stderr);
        let seen = json(&ran);
        assert_appetite(&seen);
        assert!(number(&seen, "/cpu/seconds_per_request/typical") > 1e-5, "{}", seen["cpu"]);
        let service = seen.pointer("/live/service").and_then(Value::as_str).unwrap();
        assert!(service.starts_with("process "), "{service}");
        assert_eq!(seen["live"]["failures"], serde_json::json!([]), "{run:?}");
        // Where ending it takes its time, none may be left for other starts.
        let starts = seen.pointer("/ram/cold_burst").and_then(Value::as_array).unwrap();
        assert!(!starts.is_empty() || !is_prompt, "other starts are of the service, too");
        assert_is_free(port);
        assert!(is_alive(engine.id()), "what was there goes on");
    }
}

/// A container has a control group of its own: it is named, all of it is measured, and what the kernel
/// charged it says the same.
#[test]
fn a_container_is_measured_as_its_control_group() {
    let Some(group) = Group::make("mediscope-size-test") else {
        println!("skipped: no control group can be made here");
        return;
    };
    let (place, folder, port) = (Place::new(), tempfile::tempdir().unwrap(), port());
    let engine = Engine::start(folder.path(), &["--group", group.0.to_str().unwrap()]);
    // Two processes serve.
    let options = format!("{APPETITE} --workers 2");
    let run = engine.runs(&[], &command(port, &options));
    let ran = measured(&place, port, &["--up-to", "8", "--max-time", "8s"], &run);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let seen = json(&ran);
    let service = seen.pointer("/live/service").and_then(Value::as_str).unwrap();
    assert!(service.contains("docker container 3f2a8c1d3f2a"), "{service}");
    assert_eq!(number(&seen, "/live/processes"), 3.0, "the parent and two that serve");
    // The kernel's charge: anonymous memory of all, and what it keeps for them.
    let charged = number(&seen, "/live/group_peak_bytes");
    let rounds = seen.pointer("/live/rounds").and_then(Value::as_array).unwrap();
    let most = rounds.iter().filter(|r| r["start"] == 0).map(|r| number(r, "/anon_bytes"));
    let most = most.fold(0.0, f64::max);
    assert!((charged / most - 1.0).abs() < 0.08, "{charged} {most}");
    assert_is_free(port);
    // A trial in a box would hold the client alone.
    let output = place.file("service.yaml").display().to_string();
    let more = ["-o", &output];
    let ran = measured(&place, port, &more, &run);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let tried = place.run(&["verify", "--profile", &output, "--ram", "1G", "--concurrency", "1"]);
    assert_eq!(tried.code, Some(2), "{}", tried.stdout);
    assert!(tried.stderr.contains("docker container 3f2a8c1d3f2a"), "{}", tried.stderr);
}

/// A network namespace that is joined to this one by a pair of links. It goes with this.
struct Network {
    name: String,
    address: String,
}

impl Network {
    /// `None` where none can be made here.
    fn make() -> Option<Self> {
        let (id, part) = (std::process::id(), std::process::id() % 250);
        let name = format!("mediscope-size-{id}");
        let (near, far) = (format!("msn{id}"), format!("msf{id}"));
        let run = |words: &str| {
            let output = Command::new("ip").args(words.split(' ')).output();
            output.is_ok_and(|output| output.status.success())
        };
        run(&format!("netns add {name}")).then_some(())?;
        let network = Self { address: format!("10.77.{part}.2"), name };
        let (name, address) = (&network.name, &network.address);
        let steps = [
            format!("link add {near} type veth peer name {far}"),
            format!("link set {far} netns {name}"),
            format!("addr add 10.77.{part}.1/24 dev {near}"),
            format!("link set {near} up"),
            format!("-n {name} addr add {address}/24 dev {far}"),
            format!("-n {name} link set {far} up"),
        ];
        steps.iter().all(|step| run(step)).then_some(network)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

/// The port of a container is held by a program of its engine, which passes on what comes to a network of
/// the container's own, and accepts before anybody listens there.
#[test]
fn a_published_port_leads_to_the_container() {
    let (Some(group), Some(network)) = (Group::make("mediscope-size-test-net"), Network::make())
    else {
        println!("skipped: no control group or no network namespace can be made here");
        return;
    };
    let (place, folder, port) = (Place::new(), tempfile::tempdir().unwrap(), port());
    let proxy = folder.path().join("docker-proxy").display().to_string();
    std::os::unix::fs::symlink(interpreter(), &proxy).unwrap();
    let published = ["--publish", &proxy, &port.to_string(), &network.address];
    let own = ["--group", group.0.to_str().unwrap(), "--network", &network.name];
    let engine = Engine::start(folder.path(), &[&own[..], &published].concat());
    let address = &network.address;
    let all = command(8000, &format!("{APPETITE} --host {address} --ready-delay 0.5"));
    let ran = measured(&place, port, &[], &engine.runs(&[], &all));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let seen = json(&ran);
    assert_appetite(&seen);
    let service = seen.pointer("/live/service").and_then(Value::as_str).unwrap();
    assert!(service.contains("docker container 3f2a8c1d3f2a"), "{service}");
    // By its own address it is found without the program between.
    let container = engine.runs(&[], &all);
    let words: Vec<&str> = container.iter().map(String::as_str).collect();
    let direct = format!("http://{address}:8000/work");
    let start = ["--url", &direct, "--max-time", "2s", "--up-to", "3", "--format", "json", "--"];
    let ran = measure(&place, &[&start[..], &words].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(json(&ran)["live"]["service"].as_str().unwrap().contains("docker container"));
}

/// Programs that become the service, or start it in a session of its own, are not others.
#[test]
fn wrappers_are_the_service() {
    let place = Place::new();
    for wrapper in [&["setsid", "--wait"][..], &["setpriv", "--nnp"], &["sh", "-c", "\"$@\"", "sh"]]
    {
        if Command::new(wrapper[0]).arg("--version").output().is_err() {
            println!("skipped: there is no {}", wrapper[0]);
            continue;
        }
        let port = port();
        let words = wrapper.iter().map(|word| (*word).to_owned());
        let all: Vec<String> = words.chain(command(port, APPETITE)).collect();
        let ran = measured(&place, port, &[], &all);
        assert_eq!(ran.code, Some(0), "{wrapper:?}: {}", ran.stderr);
        assert!(json(&ran)["live"]["service"].is_null(), "{wrapper:?}");
        assert_is_free(port);
    }
}

/// Attached to what does not answer, the one that does is named; and so is each of several.
#[test]
fn a_process_that_does_not_answer_is_refused() {
    let place = Place::new();
    let (service, mut other) = (Service::start(APPETITE), idle());
    let (own, pid, url) = (service.child.id().to_string(), other.id().to_string(), service.url());
    let start = ["--url", &url, "--max-time", "2s", "--up-to", "3"];
    let wrong = measure(&place, &[&start[..], &["--pid", &pid]].concat());
    assert_eq!(wrong.code, Some(2), "{}", wrong.stdout);
    for says in
        [&format!("process {own}"), &format!("--pid {own}"), &format!("--pid {pid} --pid {own}")]
    {
        assert!(wrong.stderr.contains(says), "not `{says}`: {}", wrong.stderr);
    }
    // A proxy and what it passes requests on to are measured together.
    let both = measure(&place, &[&start[..], &["--pid", &pid, "--pid", &own]].concat());
    assert_eq!(both.code, Some(0), "{}", both.stderr);
    if let Some(group) = Group::make("mediscope-size-test-wrong") {
        fs::write(group.0.join("cgroup.procs"), &pid).unwrap();
        let group_of = group.0.to_str().unwrap();
        let wrong = measure(&place, &[&start[..], &["--cgroup", group_of]].concat());
        assert_eq!(wrong.code, Some(2), "{}", wrong.stdout);
        assert!(wrong.stderr.contains(&format!("--pid {own}")), "{}", wrong.stderr);
        fs::write(group.0.parent().unwrap().join("cgroup.procs"), &pid).unwrap();
    }
    // One of two that share a socket.
    let workers = Service::start("--workers 2 --time 0.005");
    let ids = common::children_of(workers.child.id());
    let (one, two, url) = (ids[0].to_string(), ids[1].to_string(), workers.url());
    let half = measure(&place, &["--url", &url, "--pid", &one, "--max-time", "2s"]);
    assert_eq!(half.code, Some(2), "{}", half.stdout);
    assert!(half.stderr.contains(&format!("process {two}")), "{}", half.stderr);
    other.kill().unwrap();
    other.wait().unwrap();
}

/// A process that does nothing, and ends by itself.
fn idle() -> std::process::Child {
    Command::new("sleep").arg("300").stdout(Stdio::null()).spawn().unwrap()
}

/// Who answers behind a tunnel is not known. A command that only opens one is refused; and where a
/// process was named, that it did nothing while requests were answered is told instead of a verdict.
#[test]
fn what_did_nothing_gets_no_verdict() {
    let place = Place::new();
    let (port, folder) = (port(), tempfile::tempdir().unwrap());
    let mut own = command(port, "--time 0.01");
    // Known as what it calls itself.
    own[0] = folder.path().join("ssh").display().to_string();
    std::os::unix::fs::symlink(interpreter(), &own[0]).unwrap();
    let mut tunnel = Command::new(&own[0]);
    tunnel.args(&own[1..]).stdout(Stdio::null()).stderr(Stdio::null());
    let (mut tunnel, mut other) = (tunnel.spawn().unwrap(), idle());
    wait_for("the service", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    let (pid, url) = (other.id().to_string(), format!("http://127.0.0.1:{port}/work"));
    let start = ["--url", &url, "--max-time", "3s", "--pid", &pid, "--ram", "512M"];
    let ran = place.run(&[&["measure"], &start[..]].concat());
    for process in [&mut tunnel, &mut other] {
        process.kill().unwrap();
        process.wait().unwrap();
    }
    assert_eq!(ran.code, Some(2), "{}", ran.stdout);
    assert!(ran.stderr.contains("warning: whether --pid"), "{}", ran.stderr);
    assert!(ran.stderr.contains("others answered them"), "{}", ran.stderr);
    assert!(ran.stdout.contains("No verdict") && !ran.stdout.contains("FITS"), "{}", ran.stdout);
    let ran = measured(&place, port, &[], &own);
    assert_eq!(ran.code, Some(2), "{}", ran.stdout);
    assert!(ran.stderr.contains("passes on what comes to"), "{}", ran.stderr);
    assert_is_free(port);
}

/// The program behind `python3`, which may be a script that finds it.
fn interpreter() -> String {
    let asked = ["-c", "import sys; print(sys.executable)"];
    let output = Command::new("python3").args(asked).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// An address of another machine: an error of a started service, a warning where one was named.
#[test]
fn an_address_of_another_machine_is_told() {
    let place = Place::new();
    let mut other = idle();
    // An address for documents (RFC 5737).
    let url = "http://192.0.2.1:8000/";
    let pid = other.id().to_string();
    let ran = place.run(&["measure", "--url", url, "--timeout", "1s", "--pid", &pid]);
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(ran.code, Some(2), "{}", ran.stdout);
    assert!(ran.stderr.contains("no address of this machine"), "{}", ran.stderr);
}

/// A service at a socket in the file system is started, asked and followed as one at a port is.
#[test]
fn a_socket_in_the_file_system_is_asked() {
    let (place, folder) = (Place::new(), tempfile::tempdir().unwrap());
    let socket = folder.path().join("app.sock").display().to_string();
    let kept = folder.path().join("kept").display().to_string();
    fs::create_dir(&kept).unwrap();
    let output = place.file("service.yaml").display().to_string();
    let url = format!("unix:{socket}:/work?a=b");
    let options = format!("{APPETITE} --unix {socket} --ready-delay 0.5");
    let asked = format!("--expect path=/work?a=b --keep {kept}");
    let all = command(0, &format!("{options} {asked}"));
    let words: Vec<&str> = all.iter().map(String::as_str).collect();
    for ready in [&[][..], &["--ready", &format!("unix:{socket}")], &["--ready", &url]] {
        let start = ["--url", &url, "--up-to", "4", "--max-time", "3s", "--format", "json"];
        let more = ["--json", r#"{"a": 1}"#, "--allow-value", "path", "-o", &output, "--"];
        let ran = measure(&place, &[&start[..], ready, &more, &words].concat());
        assert_eq!(ran.code, Some(0), "{ready:?}: {}", ran.stderr);
        assert_appetite(&json(&ran));
        let bodies = fs::read_dir(&kept).unwrap().map(|entry| entry.unwrap().path());
        assert!(bodies.map(|body| fs::read(body).unwrap()).all(|body| {
            // Whether it is ready is asked without one.
            body.is_empty() || body == br#"{"a":1}"#
        }));
    }
    let again = ["--profile", &output, "--max-time", "2s", "--up-to", "3"];
    assert_eq!(measure(&place, &again).code, Some(0), "as the profile says");
    // The same through others: whoever holds the socket is measured, and nobody else is.
    let engine = Engine::start(folder.path(), &[]);
    let all = engine.runs(&[], &command(0, &options));
    let words: Vec<&str> = all.iter().map(String::as_str).collect();
    let start = ["--url", &url, "--max-time", "3s", "--up-to", "4", "--format", "json", "--"];
    let ran = measure(&place, &[&start[..], &words].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_appetite(&json(&ran));
    assert!(json(&ran)["live"]["service"].is_string());
    let mut other = idle();
    let never = measure(&place, &["--url", &url, "--start-timeout", "1s", "--", "sleep", "97"]);
    assert!(never.stderr.contains(&format!("nobody listens on {socket}")), "{}", never.stderr);
    other.kill().unwrap();
    other.wait().unwrap();
}

/// What is no HTTP is not called a misspelt address.
#[test]
fn other_protocols_are_told_apart() {
    let place = Place::new();
    for url in ["ws://127.0.0.1:9/x", "wss://h/", "grpc://127.0.0.1:9", "amqp://h/queue"] {
        for options in [&["--url", url][..], &["--url", "http://127.0.0.1:9/", "--ready", url]] {
            let ran = measure(&place, &[options, &["--", "true"]].concat());
            assert_eq!(ran.code, Some(2), "{}", ran.stdout);
            for says in [url, "only HTTP is driven", "--watch", "gateway", "declare"] {
                assert!(ran.stderr.contains(says), "{url}: not `{says}`: {}", ran.stderr);
            }
        }
    }
    for url in ["unix:", "unix::/predict"] {
        let ran = measure(&place, &["--url", url, "--", "true"]);
        assert!(ran.stderr.contains("unix:/run/app.sock:/predict"), "{}", ran.stderr);
    }
    // What is only watched is asked by others.
    let mut other = idle();
    let pid = other.id().to_string();
    let watched = measure(&place, &["--url", "ws://h/", "--pid", &pid, "--watch", "1s"]);
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(watched.code, Some(0), "{}", watched.stderr);
}

/// A port that is open before the service can answer is waited for, and what it loads meanwhile is part
/// of it; a service that never gets ready is told with the way out.
#[test]
fn a_service_that_is_not_ready_is_asked_again() {
    let place = Place::new();
    for how in ["", "--warming-resets"] {
        let port = port();
        let ran =
            measured(&place, port, &[], &command(port, &format!("{APPETITE} --warming 1.5 {how}")));
        assert_eq!(ran.code, Some(0), "{how}: {}", ran.stderr);
        let seen = json(&ran);
        assert_appetite(&seen);
        assert!(number(&seen, "/ram/load_peak_bytes") > 70.0 * MIB, "{how}");
        assert_eq!(seen["live"]["failures"], serde_json::json!([]), "{how}");
    }
    let port = port();
    let never = command(port, "--warming 300");
    let ran = measured(&place, port, &["--start-timeout", "2s"], &never);
    assert_eq!(ran.code, Some(2), "{}", ran.stdout);
    for says in ["status 503", "after its port was open", "--ready", "--start-timeout"] {
        assert!(ran.stderr.contains(says), "not `{says}`: {}", ran.stderr);
    }
    // Of one that was there, another start says nothing.
    let service = Service::start("--warming 300");
    let (pid, url) = (service.child.id().to_string(), service.url());
    let ran = measure(&place, &["--pid", &pid, "--url", &url]);
    assert!(ran.stderr.contains("status 503: it is not ready"), "{}", ran.stderr);
}

/// A trial waits for it, too.
#[test]
fn a_trial_waits_until_the_service_is_ready() {
    let place = Place::new();
    let (port, output) = (port(), place.file("service.yaml").display().to_string());
    let warming = command(port, &format!("{APPETITE} --warming 1"));
    let ran = measured(&place, port, &["-o", &output], &warming);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let tried = place.run(&["verify", "--profile", &output, "--ram", "1G", "--concurrency", "2"]);
    if tried.code == Some(2) && tried.stderr.contains("control group") {
        println!("skipped: no control group can be made here: {}", tried.stderr);
        return;
    }
    assert_eq!(tried.code, Some(0), "{}{}", tried.stdout, tried.stderr);
}

/// A service that keeps answers to repeat them gets other bodies each time; the profile keeps how.
#[test]
fn each_request_carries_something_new() {
    let (place, folder) = (Place::new(), tempfile::tempdir().unwrap());
    let arrived = |number: usize| folder.path().join(format!("arrived-{number}"));
    let body = r#"{"a": "@random", "b": ["@uuid"], "c": {"d": "@counter"}, "e": "@words:4", "text": "@x", "g": []}"#;
    for (index, sent) in [
        &["--json", body][..],
        &["--form", "id=@uuid", "--form", "text=@words:3", "--form", "lang=en"],
    ]
    .into_iter()
    .enumerate()
    {
        let folder = arrived(index);
        fs::create_dir(&folder).unwrap();
        let service = Service::start(&format!("--time 0.002 --keep {}", folder.display()));
        let (pid, url) = (service.child.id().to_string(), service.url());
        let output = place.file("service.yaml").display().to_string();
        let start =
            ["--pid", &pid, "--url", &url, "--max-time", "2s", "--up-to", "3", "-o", &output];
        let ran = measure(&place, &[&start[..], sent, &["--format", "json"]].concat());
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let bodies: Vec<String> = bodies(&folder);
        let mut different = bodies.clone();
        different.sort();
        different.dedup();
        assert!(bodies.len() > 20, "{}", bodies.len());
        assert_eq!(different.len(), bodies.len(), "each is another");
        if index == 0 {
            let mean = bodies.iter().map(String::len).sum::<usize>() / bodies.len();
            let told = json(&ran)["live"]["request_bytes"].as_u64().unwrap();
            assert!(told.abs_diff(mean as u64) < 4, "{told} {mean}");
            assert_is_filled(&bodies);
        }
        // Measured again by the profile, nothing comes twice.
        let again = ["--profile", &output, "--pid", &pid, "--max-time", "2s", "--up-to", "3"];
        assert_eq!(measure(&place, &again).code, Some(0));
        drop(service);
        let all = self::bodies(&folder);
        let mut different = all.clone();
        different.sort();
        different.dedup();
        assert!(all.len() > bodies.len() && different.len() == all.len());
    }
    let service = Service::start("--time 0.002 --expect x=0000");
    let (pid, url) = (service.child.id().to_string(), service.url());
    let header = ["--url", &url, "--pid", &pid, "-H", "X-Test: @uuid", "--max-time", "2s"];
    let ran = measure(&place, &header);
    assert!(ran.stderr.contains("status 400"), "a header is filled, too: {}", ran.stderr);
    let wrong = measure(&place, &["--url", &url, "--pid", &pid, "--json", r#"["@words:many"]"#]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("@words:50"), "{}", wrong.stderr);
}

fn bodies(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| String::from_utf8(fs::read(file).unwrap()).unwrap()).collect()
}

/// Each value is what was asked for, and the rest is as it was typed.
fn assert_is_filled(bodies: &[String]) {
    let mut counted: Vec<u64> = Vec::new();
    for body in bodies {
        let sent: Value = serde_json::from_str(body).unwrap();
        assert!(sent["a"].as_u64().unwrap() < 1 << 32, "{sent}");
        let uuid = sent["b"][0].as_str().unwrap();
        let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
        assert_eq!((lengths, &uuid[14..15]), (vec![8, 4, 4, 4, 12], "4"), "{uuid}");
        counted.push(sent["c"]["d"].as_u64().unwrap());
        assert_eq!(sent["e"].as_str().unwrap().split(' ').count(), 4, "{sent}");
        assert_eq!((&sent["text"], &sent["g"]), (&"@x".into(), &serde_json::json!([])));
    }
    counted.sort_unstable();
    assert_eq!(counted, (0..counted.len() as u64).collect::<Vec<_>>(), "none is left out");
}

/// What rises by less than a large service moves by itself is no leak; four times that is one.
#[test]
fn a_rise_within_the_noise_is_no_growth() {
    let place = Place::new();
    let growth = |leak: &str| {
        let port = port();
        let options = format!("--base 400M --time 0.03 --leak {leak}");
        let ran = measured(&place, port, &["--max-time", "12s"], &command(port, &options));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let seen = json(&ran);
        assert!(number(&seen, "/live/growth_looks") >= 6.0, "{}", seen["live"]["growth_looks"]);
        seen["live"]["growth"].clone()
    };
    assert!(growth("4K").is_null());
    assert!(growth("64K").is_object());
}

/// What nobody saw is not called measured, and what was reached is.
#[test]
fn the_rate_of_the_rounds_is_the_measured_one() {
    let place = Place::new();
    let (port, output) = (port(), place.file("service.yaml").display().to_string());
    // One at a time for 50 ms: the CPUs would allow many more.
    let all = command(port, "--base 10M --hold 2M --spin 0.004 --time 0.05 --mode blocking");
    let ran = measured(&place, port, &["-o", &output], &all);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let rounds = json(&ran);
    let rounds = rounds.pointer("/live/rounds").and_then(Value::as_array).unwrap();
    let reached = rounds.iter().filter(|r| r["start"] == 0).map(|r| number(r, "/throughput_rps"));
    let reached = reached.fold(0.0, f64::max);
    let sized = ["--profile", &output, "--ram", "1G", "--cpus", "2"];
    let ran = place.run(&[&sized[..], &["--format", "json"]].concat());
    let plan: Value = serde_json::from_str(&ran.stdout).unwrap();
    let source = plan.pointer("/capacity/throughput/source").and_then(Value::as_str);
    assert_eq!(source, Some("fitted"), "{}", plan["capacity"]);
    let ran = place.run(&[&sized[..], &["--section", "cpu"]].concat());
    let text = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let told = text.split("The most that was reached is ").nth(1).unwrap();
    let told: f64 = told.split('/').next().unwrap().parse().unwrap();
    assert!((told / reached - 1.0).abs() < 0.02, "{told} {reached}");
    assert!(text.contains("(measured)"), "{text}");
}
