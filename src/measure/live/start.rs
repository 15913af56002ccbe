//! A service that is started, and stopped with all that it started.
//!
//! It gets a process group of its own, so that Ctrl-C at the terminal reaches the tool alone, which
//! then stops it in order; a supervisor, which ends all of it even where this process is killed; and
//! where control groups can be made, one of those.

use std::io::{BufRead, BufReader, Read};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::LiveError;
use super::client::{Client, address, environment};
use super::secrets::Secrets;
use super::tree::Root;
use crate::measure::control_group::ControlGroup;
use crate::measure::interrupt::Interrupt;
use crate::measure::supervisor::Supervised;
use crate::measure::threads;
use crate::profile::{Live, Ready, variable_in};
use crate::units::Seconds;

/// How long a service may take until it can be asked, where nobody says.
pub const START_LIMIT: Duration = Duration::from_secs(60);

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// How long a service may take to end in order.
const END_LIMIT: Duration = Duration::from_secs(5);

/// What is kept of its output.
const KEPT: usize = 4096;

/// The longest line of its output in which a text is looked for; what is longer counts as several.
const LONGEST_LINE: u64 = 64 << 10;

/// The end of what it wrote, and whether the line was among it.
#[derive(Debug, Default)]
struct Output {
    tail: Vec<u8>,
    is_ready: bool,
}

/// A running service. Dropping it stops it.
#[derive(Debug)]
pub struct Started {
    program: String,
    service: Supervised,
    output: Arc<Mutex<Output>>,
    root: Root,
    /// What must not be shown of its output.
    secrets: Secrets,
    /// From the command until it could be asked.
    took: Seconds,
    interrupt: Interrupt,
}

impl Started {
    /// Starts the service and waits until it can be asked.
    ///
    /// # Errors
    /// Where it cannot be started, ends at once, or is not ready in time.
    pub fn start(
        live: &Live,
        group: Option<&ControlGroup>,
        interrupt: &Interrupt,
    ) -> Result<Self, LiveError> {
        let mut started = Self::spawn(live, group, interrupt)?;
        let begun = Instant::now();
        started.wait(live, interrupt)?;
        started.took = begun.elapsed().into();
        Ok(started)
    }

    fn spawn(
        live: &Live,
        group: Option<&ControlGroup>,
        interrupt: &Interrupt,
    ) -> Result<Self, LiveError> {
        let Some(program) = live.command.first() else {
            return Err(LiveError::Request("there is no command to start".to_owned()));
        };
        if let Some((_, port)) = place(live)?
            && is_open(live)?
        {
            return Err(LiveError::PortInUse(port));
        }
        let failed = |reason| LiveError::NotStarted { program: program.clone(), reason };
        let found = on_path(program, live.folder.as_deref());
        if found.is_none() {
            return Err(failed(std::io::Error::from(std::io::ErrorKind::NotFound)));
        }
        let command = filled(&live.command)?;
        let mut service =
            Supervised::start(&command, live.folder.as_deref(), group).map_err(failed)?;
        let output = Arc::default();
        let sign = match &live.ready {
            Some(Ready::Line(text)) => Some(text.clone()),
            _ => None,
        };
        let (stdout, stderr) = service.output();
        if let Some(stdout) = stdout {
            follow(stdout, sign.clone(), &output).map_err(failed)?;
        }
        if let Some(stderr) = stderr {
            follow(stderr, sign, &output).map_err(failed)?;
        }
        let root = Root::Started(service.id());
        Ok(Self {
            program: program.clone(),
            service,
            output,
            root,
            secrets: Secrets::of(live),
            took: Seconds::ZERO,
            interrupt: interrupt.clone(),
        })
    }

    fn wait(&mut self, live: &Live, interrupt: &Interrupt) -> Result<(), LiveError> {
        let limit = live
            .start_timeout
            .as_ref()
            .map_or(START_LIMIT, |t| Duration::from_secs_f64(t.high().get()));
        let begun = Instant::now();
        let asked = match &live.ready {
            Some(Ready::Url(url)) => {
                let (url, requests) = (url.clone(), Vec::new());
                Some(Arc::new(Client::new(&Live { url, requests, ..live.clone() })?))
            }
            _ => None,
        };
        let mut asking = None;
        loop {
            if interrupt.is_set() {
                return Err(LiveError::Interrupted);
            }
            let is_ready = match (&live.ready, &asked) {
                (Some(Ready::Line(_)), _) => self.lock().is_ready,
                // An answer may take as long as it likes: neither the limit nor Ctrl-C waits for it.
                (Some(Ready::Url(_)), Some(client)) => {
                    let answer = match &asking {
                        Some(asking) => asking,
                        None => asking.insert(asked_once(client)?),
                    };
                    let answer = answer.try_recv();
                    if !matches!(answer, Err(TryRecvError::Empty)) {
                        asking = None;
                    }
                    answer.unwrap_or(false)
                }
                (Some(Ready::Port(port)), _) => connects("127.0.0.1", *port),
                _ => is_open(live)?,
            };
            if is_ready {
                return Ok(());
            }
            // Its first process may end where another one goes on.
            if let Some(status) = self.service.status()
                && self.root.ids().is_err()
            {
                return Err(LiveError::EndedEarly {
                    program: self.program.clone(),
                    status: status.to_string(),
                    output: self.output(),
                });
            }
            if begun.elapsed() > limit {
                return Err(LiveError::NotReady {
                    program: self.program.clone(),
                    limit: limit.into(),
                    waited_for: waited_for(live),
                    output: self.output(),
                });
            }
            thread::sleep(PAUSE);
        }
    }

    /// Its processes.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// How long it took until it could be asked.
    pub const fn start_seconds(&self) -> Seconds {
        self.took
    }

    /// The end of what it wrote, without the secrets that it was asked with: services log addresses.
    pub fn output(&self) -> String {
        self.secrets.hidden(&String::from_utf8_lossy(&self.lock().tail))
    }

    /// Whether nothing of it is left.
    pub fn has_ended(&mut self) -> bool {
        self.service.status().is_some() && self.root.ids().is_err()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Output> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks all of it to end; what is left after a while, or when the user asks again, is killed when
    /// the supervisor is dropped.
    fn stop(&mut self) {
        self.service.end_in_order();
        let begun = Instant::now();
        // The first time is why it is stopped, if there was one; a second may have come before this.
        let known = self.interrupt.times().min(1);
        while begun.elapsed() < END_LIMIT
            && self.interrupt.times() <= known
            && !self.service.has_ended()
        {
            thread::sleep(PAUSE / 5);
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The words of a command with what the variables hold that they name.
fn filled(words: &[String]) -> Result<Vec<String>, LiveError> {
    let fill = |word: &String| match variable_in(word) {
        Some((before, variable)) => {
            Ok(format!("{before}{}", environment(variable, "a word of the command")?))
        }
        None => Ok(word.clone()),
    };
    words.iter().map(fill).collect()
}

/// Reads a stream to its end, so that the service never blocks on it.
fn follow(
    stream: impl Read + Send + 'static,
    line: Option<String>,
    output: &Arc<Mutex<Output>>,
) -> std::io::Result<()> {
    let output = Arc::clone(output);
    let follow = move || {
        let mut stream = BufReader::new(stream);
        let mut read = Vec::new();
        while matches!(stream.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut read), Ok(1..)) {
            let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(line) = &line {
                output.is_ready |= String::from_utf8_lossy(&read).contains(line);
            }
            output.tail.extend_from_slice(&read);
            let excess = output.tail.len().saturating_sub(KEPT);
            output.tail.drain(..excess);
            read.clear();
        }
    };
    threads::start("output", follow).map(drop)
}

/// Whether a request is answered with success, once that is known.
fn asked_once(client: &Arc<Client>) -> Result<Receiver<bool>, LiveError> {
    let (client, (send, answer)) = (Arc::clone(client), mpsc::channel());
    let ask = move || {
        let _ = send.send(client.send(&client.user(false), 0, 0).is_ok());
    };
    let failed = |reason| LiveError::Io { what: "the service cannot be asked".to_owned(), reason };
    threads::start("ready", ask).map_err(failed)?;
    Ok(answer)
}

/// The host and port that are asked.
fn place(live: &Live) -> Result<Option<(String, u16)>, LiveError> {
    let url = address(&live.url)?;
    let usual = if url.scheme_str() == Some("https") { 443 } else { 80 };
    let host = url.host().map(|h| h.trim_matches(['[', ']']).to_owned());
    Ok(host.map(|host| (host, url.port_u16().unwrap_or(usual))))
}

fn is_open(live: &Live) -> Result<bool, LiveError> {
    Ok(place(live)?.is_some_and(|(host, port)| connects(&host, port)))
}

fn connects(host: &str, port: u16) -> bool {
    let Ok(addresses) = (host, port).to_socket_addrs() else { return false };
    addresses.into_iter().any(|a| TcpStream::connect_timeout(&a, Duration::from_secs(1)).is_ok())
}

fn waited_for(live: &Live) -> String {
    match &live.ready {
        Some(Ready::Url(url)) => format!("{url} did not answer with success"),
        Some(Ready::Port(port)) => format!("nobody listens on port {port}"),
        Some(Ready::Line(text)) => format!("its output has no line with `{text}`"),
        None => match place(live) {
            Ok(Some((host, port))) => {
                format!("nobody listens on {host}:{port}; --ready names another sign")
            }
            _ => "it cannot be reached".to_owned(),
        },
    }
}

/// Whether a program is there, so that the error names it and not the one that starts it.
fn on_path(program: &str, folder: Option<&Path>) -> Option<()> {
    if program.contains('/') {
        let path = folder.unwrap_or(Path::new(".")).join(program);
        return path.is_file().then_some(());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).any(|p| p.join(program).is_file()).then_some(())
}
