//! What a service answers, as bytes on a socket: every answer is a success or one kind of failure, and
//! none takes longer than the time that it is given.

#![no_main]

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use mediscope_size::measure::live::client::{Client, Counter};
use mediscope_size::profile::Live;

/// How long an answer is waited for, in seconds.
const TIMEOUT: u64 = 1;

struct Service {
    client: Client,
    counter: Counter,
    answers: Sender<Vec<u8>>,
}

/// A service that answers each request with the next bytes that it is given.
fn service() -> Service {
    let folder = tempfile::tempdir().expect("a temporary folder").keep();
    let socket = folder.join("socket");
    let listener = UnixListener::bind(&socket).expect("a socket can be bound");
    let (answers, next) = channel::<Vec<u8>>();
    std::thread::spawn(move || {
        for answer in next {
            let (mut stream, _) = listener.accept().expect("a request");
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(&answer);
        }
    });
    let url = format!("unix:{}:/", socket.display());
    let live = format!("url: '{url}'\ntimeout: {TIMEOUT}s");
    let live: Live = serde_yaml::from_str(&live).expect("a service");
    Service {
        client: Client::new(&live).expect("requests can be made"),
        counter: Counter::new(&url, &live).expect("a counter"),
        answers,
    }
}

fuzz_target!(|answer: &[u8]| {
    static SERVICE: OnceLock<Service> = OnceLock::new();
    let service = SERVICE.get_or_init(service);
    for round in 0..2 {
        service.answers.send(answer.to_vec()).expect("the service runs");
        let begun = Instant::now();
        if round == 0 {
            if let Err(fault) = service.client.send(&service.client.user(false), 0, 0) {
                assert!(!fault.to_string().is_empty());
            }
        } else {
            let _ = service.counter.count();
        }
        assert!(begun.elapsed() < Duration::from_secs(TIMEOUT + 2), "an answer held it up");
    }
});
