//! A service that is started, and stopped with all that it started.
//!
//! It gets a process group of its own, so that Ctrl-C at the terminal reaches the tool alone, which
//! then stops it in order; a supervisor, which ends all of it even where this process is killed; and
//! where control groups can be made, one of those.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::LiveError;
use super::client::{Address, Client, Endpoint, environment};
use super::owner::{self, Followed, OwnerError};
use super::secrets::Secrets;
use super::tree::Root;
use crate::measure::control_group::ControlGroup;
use crate::measure::host::files::Files;
use crate::measure::interrupt::Interrupt;
use crate::measure::memory::relatives;
use crate::measure::supervisor::Supervised;
use crate::measure::threads;
use crate::profile::{Live, Ready, socket_and_path, variable_in};
use crate::units::Seconds;

/// How long a service may take until it can be asked, where nobody says.
pub const START_LIMIT: Duration = Duration::from_secs(60);

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// How long somebody else may take to open the port after a command has ended with success, as
/// `docker run --detach` does.
const DETACHED_LIMIT: Duration = Duration::from_secs(10);

/// How long a service may take to end in order.
const END_LIMIT: Duration = Duration::from_secs(5);

/// How long one may take whose client has been asked to end it already.
const ASKED_LIMIT: Duration = Duration::from_secs(1);

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
    /// What was started, and all that it has started.
    root: Root,
    /// When, in ticks since the machine started.
    since: u64,
    /// Who serves, where that is others.
    followed: Option<Followed>,
    /// Those serve although what was started has ended by itself.
    is_detached: bool,
    /// What must not be shown of its output.
    secrets: Secrets,
    /// From the command until it could be asked.
    took: Seconds,
    /// Until when it is asked again while it says that it is not ready; `None` where it says by a sign
    /// of its own that it is.
    patience: Option<Instant>,
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
        started.patience = live.ready.is_none().then(|| begun + start_limit(live));
        started.followed = started.find_owner(&endpoint(live)?, begun + start_limit(live))?;
        started.is_detached = started.service.status().is_some();
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
        let endpoint = endpoint(live)?;
        if endpoint.connects() {
            return Err(LiveError::InUse(endpoint));
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
            since: started_at(service.id()),
            service,
            output,
            root,
            followed: None,
            is_detached: false,
            secrets: Secrets::of(live),
            took: Seconds::ZERO,
            patience: None,
            interrupt: interrupt.clone(),
        })
    }

    fn wait(&mut self, live: &Live, interrupt: &Interrupt) -> Result<(), LiveError> {
        let limit = start_limit(live);
        let begun = Instant::now();
        let (endpoint, sign) = (endpoint(live)?, sign(live)?);
        let asked = match &live.ready {
            Some(Ready::Url(url)) if sign.is_none() => {
                let (url, requests) = (url.clone(), Vec::new());
                Some(Arc::new(Client::new(&Live { url, requests, ..live.clone() })?))
            }
            _ => None,
        };
        let (mut asking, mut ended) = (None, None);
        loop {
            if interrupt.is_set() {
                return Err(LiveError::Interrupted);
            }
            let is_ready = match (&live.ready, &asked) {
                (Some(Ready::Line(_)), _) => self.lock().is_ready,
                // An answer may take as long as it likes: neither the limit nor Ctrl-C waits for it.
                (_, Some(client)) => {
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
                _ => sign.as_ref().unwrap_or(&endpoint).connects(),
            };
            if is_ready {
                return Ok(());
            }
            // Its first process may end where another one goes on, or where it has asked somebody
            // else to serve.
            if let Some(status) = self.service.status()
                && self.root.ids().is_err()
                && (!status.success()
                    || ended.get_or_insert_with(Instant::now).elapsed() > DETACHED_LIMIT)
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
                    waited_for: waited_for(live, &sign.unwrap_or(endpoint)),
                    output: self.output(),
                });
            }
            thread::sleep(PAUSE);
        }
    }

    /// Who serves, where that is not what was started. The port of a container may be open before
    /// what runs in it listens.
    fn find_owner(&self, at: &Endpoint, until: Instant) -> Result<Option<Followed>, LiveError> {
        let soon = Instant::now() + PAUSE * 4;
        loop {
            let found = owner::followed(at, &self.root, self.since);
            let until = match &found {
                Err(OwnerError::Forwarded { may_come: true, .. }) => until,
                // One that is about to end may have let go of its files already.
                Err(OwnerError::Hidden { .. }) => soon,
                _ => return Ok(found?),
            };
            if self.interrupt.is_set() {
                return Err(LiveError::Interrupted);
            }
            if Instant::now() > until {
                return Ok(found?);
            }
            thread::sleep(PAUSE);
        }
    }

    /// The processes that serve.
    pub fn root(&self) -> &Root {
        self.followed.as_ref().map_or(&self.root, |followed| &followed.root)
    }

    /// Who serves, where that is not what was started.
    pub const fn followed(&self) -> Option<&Followed> {
        self.followed.as_ref()
    }

    /// Until when it is asked again while it says that it is not ready yet.
    pub const fn patience(&self) -> Option<Instant> {
        self.patience
    }

    /// Ends it; what could not be ended is told.
    pub fn end(mut self) -> Option<String> {
        let left = self.end_followed();
        self.stop();
        left
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

impl Started {
    /// Ends those that serve, where that is others than what was started: whoever asked for them is asked
    /// first to end them, and what watches over them gets time to notice. What ran before is left
    /// alone. What goes on is told.
    fn end_followed(&mut self) -> Option<String> {
        let followed = self.followed.take()?;
        let known = self.interrupt.times().min(1);
        let wait = |limit: Duration, is_over: &mut dyn FnMut() -> bool| {
            let begun = Instant::now();
            while begun.elapsed() < limit && self.interrupt.times() <= known {
                if is_over() {
                    return true;
                }
                thread::sleep(PAUSE / 5);
            }
            is_over()
        };
        let mut is_gone = || followed.root.ids().is_err();
        let newcomers = || {
            let all = relatives(&Files::real());
            let mut ids = followed.root.ids().unwrap_or_default();
            ids.retain(|id| all.iter().any(|(other, r)| other == id && r.started >= self.since));
            ids
        };
        let mut is_over = false;
        // Where nobody waits for it, nobody ends it.
        if !self.is_detached {
            self.service.end_in_order();
            is_over = wait(END_LIMIT, &mut is_gone);
        }
        if !is_over && !followed.is_older {
            signal(&newcomers(), Signal::TERM);
            is_over = wait(if self.is_detached { END_LIMIT } else { ASKED_LIMIT }, &mut is_gone);
            if !is_over {
                signal(&newcomers(), Signal::KILL);
                is_over = wait(END_LIMIT, &mut is_gone);
            }
        }
        let service = &mut self.service;
        wait(END_LIMIT, &mut || service.has_ended());
        (!is_over).then(|| {
            let why =
                if followed.is_older { "it ran before the command" } else { "it does not end" };
            format!("{} goes on ({why}): to end it, `{}`", followed.what, followed.stop)
        })
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.end_followed();
        self.stop();
    }
}

/// When a process started, in ticks since the machine did.
fn started_at(id: u32) -> u64 {
    let all = relatives(&Files::real());
    all.iter().find(|(other, _)| *other == id).map_or(0, |(_, relative)| relative.started)
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

fn signal(ids: &[u32], signal: Signal) {
    for pid in ids.iter().filter_map(|id| Pid::from_raw(i32::try_from(*id).ok()?)) {
        let _ = kill_process(pid, signal);
    }
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
        let _ = send.send(client.send(&client.user(false), 0, 0, 0).is_ok());
    };
    let failed = |reason| LiveError::Io { what: "the service cannot be asked".to_owned(), reason };
    threads::start("ready", ask).map_err(failed)?;
    Ok(answer)
}

/// Where the service is asked.
fn endpoint(live: &Live) -> Result<Endpoint, LiveError> {
    Ok(Address::parse(&live.url)?.endpoint())
}

/// Where somebody listens once it is ready, where that is another place than where it is asked.
fn sign(live: &Live) -> Result<Option<Endpoint>, LiveError> {
    Ok(match &live.ready {
        Some(Ready::Port(port)) => Some(Endpoint::Tcp("127.0.0.1".to_owned(), *port)),
        Some(Ready::Url(url)) if matches!(socket_and_path(url), Some((_, None))) => {
            Some(Address::parse(url)?.endpoint())
        }
        _ => None,
    })
}

fn start_limit(live: &Live) -> Duration {
    let stated = live.start_timeout.as_ref();
    stated.map_or(START_LIMIT, |limit| Duration::from_secs_f64(limit.high().get()))
}

fn waited_for(live: &Live, endpoint: &Endpoint) -> String {
    match &live.ready {
        Some(Ready::Url(url)) => format!("{url} did not answer with success"),
        Some(Ready::Port(port)) => format!("nobody listens on port {port}"),
        Some(Ready::Line(text)) => format!("its output has no line with `{text}`"),
        None => format!("nobody listens on {endpoint}; --ready names another sign"),
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
