//! A service that answers faster than this tool asks.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use common::Place;
use common::service::measure;
use serde_json::Value;

/// This test is the service: it answers without looking at what it was asked. That it is the driver
/// whose pace is measured is told, even while somebody else computes, and nothing is concluded from
/// that pace.
#[test]
fn a_driver_that_sets_the_pace_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            connection.set_nodelay(true).unwrap();
            thread::spawn(move || {
                let mut request = [0; 4096];
                while connection.read(&mut request).is_ok_and(|n| n > 0) {
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                    if connection.write_all(answer).is_err() {
                        break;
                    }
                }
            });
        }
    });
    // Left behind by its shell, it is no part of this process.
    let busy = "while :; do :; done >/dev/null 2>&1 & echo $!";
    let other = Command::new("sh").args(["-c", busy]).output().unwrap().stdout;
    let other = String::from_utf8(other).unwrap();
    let (place, pid) = (Place::new(), std::process::id().to_string());
    let options = ["--pid", &pid, "--url", &url, "--max-time", "5s", "--format", "json"];
    let ran = measure(&place, &options);
    assert!(Command::new("kill").arg(other.trim()).status().unwrap().success());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let seen: Value = serde_json::from_str(&ran.stdout).unwrap();
    let rounds = seen.pointer("/live/rounds").and_then(Value::as_array).unwrap();
    assert!(rounds.iter().any(|round| round["driver_bound"] == true), "{rounds:#?}");
    assert_ne!(seen["live"]["told_by"], "throughput");
}
