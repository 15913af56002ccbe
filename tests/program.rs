//! The server process around measured models: part of the base wherever there is one. On planted
//! costs, and with an interpreter that the test makes up.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use common::{PLANTED, Place};
use serde_json::Value;

/// Numbers of the answer that a server process changes.
fn with_program(place: &Place, arguments: &[&str]) -> Value {
    let asked = ["--synthetic", PLANTED, "--ram", "1G", "--format", "json", "--quiet"];
    let ran = place.command(&[&asked, arguments].concat()).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).unwrap()
}

/// The server process takes the place of the one that was measured in: in the base, in every row, in
/// the OOM threshold and in the parts, and what requests add stays.
#[test]
fn a_server_process_is_part_of_the_base() {
    let place = Place::new();
    let number = |report: &Value, at: &str| report.pointer(at).unwrap().as_f64().unwrap();
    let part = |report: &Value, name: &str| {
        let parts = report["memory"]["components"].as_array().unwrap().clone();
        let part = parts.into_iter().find(|p| p["name"] == name);
        part.map(|p| p["bytes"]["typical"].as_f64().unwrap())
    };
    for topology in ["shared", "workers:3"] {
        let alone = with_program(&place, &["--topology", topology]);
        let whole = with_program(&place, &["--topology", topology, "--program", "120M"]);
        let processes = if topology == "shared" { 1.0 } else { 3.0 };
        let added = processes * f64::from(120 << 20) - part(&alone, "program").unwrap();
        for at in ["/memory/base/typical", "/memory/oom_threshold/typical", "/memory/limit/typical"]
        {
            let more = number(&whole, at) - number(&alone, at);
            assert!((more - added).abs() < 1e6, "{topology} {at}: {more} {added}");
        }
        let each = "/memory/buffer/typical";
        assert!((number(&whole, each) / number(&alone, each) - 1.0).abs() < 1e-3);
        let named = part(&whole, "server process: 120 MiB").unwrap();
        assert!((named - processes * f64::from(120 << 20)).abs() < 16.0, "{named}");
    }
}

/// An interpreter is asked once, says what it imported, and is asked again when it is another one. Its
/// numbers are the kernel's: here of a process that was made up.
#[test]
fn an_interpreter_is_measured_once() {
    let place = Place::new();
    let asked = place.file("asked");
    let interpreter = place.file("bin/python3");
    let install = |kib: u32| {
        let status = |kib: u32| {
            format!(
                "VmRSS:\t{kib} kB|RssAnon:\t{} kB|RssFile:\t1024 kB|RssShmem:\t0 kB|VmHWM:\t{kib} kB|\
                 VmPTE:\t64 kB|Threads:\t1|",
                kib - 1024
            )
        };
        let script = format!(
            "#!/bin/sh\necho once >> '{}'\necho 'imported=fastapi 0.1'\necho missing=uvicorn\n\
             echo 'before={}'\necho 'after={}'\necho folder=/usr\n",
            asked.display(),
            status(kib),
            status(kib + 1)
        );
        fs::create_dir_all(interpreter.parent().unwrap()).unwrap();
        fs::write(&interpreter, script).unwrap();
        fs::set_permissions(&interpreter, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let path = format!("{}:/bin:/usr/bin", interpreter.parent().unwrap().display());
    let run = || {
        let asked = ["measure", "--synthetic", PLANTED, "--program", "python-fastapi"];
        let mut command = place.command(&[&asked[..], &["--format", "json", "--quiet"]].concat());
        let output = command.env("PATH", &path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    install(90 << 10);
    let program = run()["program"].clone();
    assert_eq!(program["resident_bytes"], 90 << 20);
    assert_eq!(program["source"], "measured");
    assert_eq!(program["imported"][0], "fastapi 0.1");
    assert_eq!(program["missing"][0], "uvicorn");
    run();
    assert_eq!(fs::read_to_string(&asked).unwrap().lines().count(), 1);
    install(100 << 10);
    assert_eq!(run()["program"]["resident_bytes"], 100 << 20);
    // One that is not there is named, and what to do instead.
    fs::remove_file(&interpreter).unwrap();
    let named = ["--synthetic", PLANTED, "--program", "python-fastapi"];
    let output = place.command(&named).env("PATH", "/nowhere").output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(
        message.contains("no python3 on PATH") && message.contains("--program 120M"),
        "{message}"
    );
}

/// What is beside the verdict of models, and of models in their server.
#[test]
fn models_that_are_measured_alone_are_said_to_be() {
    let place = Place::new();
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/models/words.ort");
    let codes = |arguments: &[&str]| {
        let report = with_program(&place, arguments);
        let warnings = report["warnings"].as_array().unwrap().clone();
        warnings.iter().any(|warning| warning["code"] == "model_alone")
    };
    assert!(codes(&["--model", model]));
    assert!(!codes(&["--model", model, "--program", "64M"]));
    let written = ["measure", "--model", model, "--program", "64M", "-o", "p.yaml"];
    let ran = place.run(&[&written[..], &["--synthetic", PLANTED, "--quiet"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let base = |arguments: &[&str]| {
        let report = with_program(&place, &[&["--profile", "p.yaml"], arguments].concat());
        report["memory"]["base"]["typical"].as_f64().unwrap()
    };
    let (kept, other) = (base(&[]), base(&["--program", "80M"]));
    assert!((other - kept - f64::from(16 << 20)).abs() < 1e6, "{kept} {other}");
    assert!(!codes(&["--profile", "p.yaml"]));
}
