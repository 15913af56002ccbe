//! Requests as people send them: prepared once, sent by any number of users.

mod address;
mod fresh;
mod payload;
mod resolver;
mod socket;

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::config::Config;
use ureq::http::{HeaderName, HeaderValue, Method, Request, header};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::transport::{Connector, RustlsConnector, TcpConnector};
use ureq::{Agent, SendBody};

pub use self::address::{Address, Endpoint};
use self::payload::{JSON, Payload, form, json, payloads, read, texts};
use self::resolver::Known;
use self::socket::SocketConnector;
use super::LiveError;
use crate::profile::{Ask, ENVIRONMENT_MARK, Fresh, Live};
use crate::units::Bytes;

/// How long an answer is waited for where nobody says.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// All that a user needs to ask.
pub struct Client {
    asks: Vec<Prepared>,
    shares: Vec<f64>,
    timeout: Duration,
    roots: Option<RootCerts>,
    known: Known,
    /// What is new for each request is drawn by it.
    seed: u64,
}

/// One kind of request.
struct Prepared {
    method: Method,
    address: Address,
    headers: Vec<(HeaderName, Content)>,
    /// The user said what is sent.
    has_type: bool,
    /// In turn; at least one.
    payloads: Vec<Payload>,
}

/// What a header holds.
enum Content {
    Fixed(HeaderValue),
    /// Another in each request.
    Fresh(Fresh),
}

/// How a request went wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Nobody listens, or nobody more.
    Refused,
    /// The connection ended without an answer.
    Reset,
    /// No answer in time.
    Timeout,
    /// An answer that is no success.
    Status(u16),
    /// Anything else, in the words of whoever noticed.
    Other(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("refused"),
            Self::Reset => f.write_str("reset"),
            Self::Timeout => f.write_str("timeout"),
            Self::Status(code) => write!(f, "status {code}"),
            Self::Other(what) => f.write_str(what),
        }
    }
}

impl Client {
    /// Reads what is sent, and the token from the environment.
    ///
    /// # Errors
    /// Where an address, a header or a file is not what it should be.
    pub fn new(live: &Live) -> Result<Self, LiveError> {
        let token = live.bearer_env.as_deref().map(token).transpose()?;
        let default = [Ask::default()];
        let asks: &[Ask] = if live.requests.is_empty() { &default } else { &live.requests };
        let asks = asks
            .iter()
            .map(|ask| prepared(ask, &live.url, token.as_ref()))
            .collect::<Result<_, _>>()?;
        let timeout =
            live.timeout.as_ref().map_or(PATIENCE, |t| Duration::from_secs_f64(t.high().get()));
        let roots = live.ca.as_deref().map(roots).transpose()?;
        let (known, seed) = (Known::default(), fastrand::u64(..));
        Ok(Self { asks, shares: live.shares(), timeout, roots, known, seed })
    }

    /// The share of each kind of request.
    pub fn shares(&self) -> &[f64] {
        &self.shares
    }

    /// How many payloads each kind of request has, 1 or more; `None` where each is another.
    pub fn payloads(&self) -> Vec<Option<usize>> {
        let number = |ask: &Prepared| {
            let is_fixed = !ask.payloads.iter().any(Payload::is_fresh);
            is_fixed.then_some(ask.payloads.len())
        };
        self.asks.iter().map(number).collect()
    }

    /// Requests that differ from each other; `None` where that has no end.
    pub fn different(&self) -> Option<u64> {
        let number = |ask: &Prepared| {
            let is_fixed = !ask.payloads.iter().any(Payload::is_fresh);
            is_fixed.then(|| ask.payloads.iter().collect::<HashSet<_>>().len())
        };
        let all: Option<usize> = self.asks.iter().map(number).sum();
        all.map(|all| u64::try_from(all).unwrap_or(u64::MAX))
    }

    /// What is sent with a request, in the mean: bodies, without headers.
    pub fn request_bytes(&self) -> Bytes {
        #[expect(clippy::cast_precision_loss, reason = "bytes that are in memory")]
        let mean = |ask: &Prepared| {
            let sum: f64 = ask.payloads.iter().map(Payload::len).sum();
            sum / ask.payloads.len() as f64
        };
        Bytes::from_f64(self.asks.iter().zip(&self.shares).map(|(a, share)| mean(a) * share).sum())
    }

    /// How long an answer is waited for.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// One user, with a connection that is kept, or a new one for each request.
    pub fn user(&self, keeps_connection: bool) -> Agent {
        let tls = TlsConfig::builder().root_certs(self.roots.clone().unwrap_or(RootCerts::WebPki));
        let kept = usize::from(keeps_connection);
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // Only addresses that were named are asked.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .no_delay(true)
            .max_idle_connections(kept)
            .max_idle_connections_per_host(kept)
            .timeout_global(Some(self.timeout))
            .user_agent(concat!("mediscope-size/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls.build())
            .build();
        agent(config, self.known.clone())
    }

    /// Sends a request of this kind with this payload, and what is another in each request as in the
    /// `turn`-th; reads the answer to its end.
    ///
    /// # Errors
    /// Where there is no answer, or it is none of success (2xx): a redirect is no answer either, as
    /// only addresses that were named are asked.
    pub fn send(
        &self,
        user: &Agent,
        kind: usize,
        payload: usize,
        turn: usize,
    ) -> Result<(), Fault> {
        let Some(ask) = self.asks.get(kind) else {
            return Err(Fault::Other("no such request".into()));
        };
        let mut request =
            Request::builder().method(ask.method.clone()).uri(ask.address.uri.clone());
        for (place, (name, value)) in ask.headers.iter().enumerate() {
            request = match value {
                Content::Fixed(value) => request.header(name, value),
                Content::Fresh(fresh) => {
                    request.header(name, fresh::text(*fresh, self.seed, turn, place))
                }
            };
        }
        let wrong = |e: &dyn fmt::Display| Fault::Other(e.to_string());
        let sent = match &ask.payloads[payload % ask.payloads.len()] {
            Payload::Nothing => user.run(request.body(SendBody::none()).map_err(|e| wrong(&e))?),
            Payload::Bytes(bytes, kind) => {
                if let Some(kind) = kind.filter(|_| !ask.has_type) {
                    request = request.header(header::CONTENT_TYPE, kind);
                }
                user.run(request.body(&bytes[..]).map_err(|e| wrong(&e))?)
            }
            Payload::Json(pieces) => {
                if !ask.has_type {
                    request = request.header(header::CONTENT_TYPE, JSON);
                }
                let json = json(pieces, self.seed, turn);
                user.run(request.body(json.as_bytes()).map_err(|e| wrong(&e))?)
            }
            Payload::Form(fields) => {
                let texts = texts(fields, self.seed, turn);
                let form = form(fields, &texts).map_err(|e| wrong(&e))?;
                // Where a request is built beforehand, its kind is not taken from its body.
                let kind = format!("multipart/form-data; boundary={}", form.boundary());
                request = request.header(header::CONTENT_TYPE, kind);
                user.run(request.body(form).map_err(|e| wrong(&e))?)
            }
        };
        let mut answer = sent.map_err(|e| fault(&e))?;
        let mut body = answer.body_mut().with_config().limit(u64::MAX).reader();
        io::copy(&mut body, &mut io::sink()).map_err(|e| fault_of(&e))?;
        let status = answer.status();
        if status.is_success() { Ok(()) } else { Err(Fault::Status(status.as_u16())) }
    }
}

/// What asks, over TCP, TLS and sockets in the file system.
fn agent(config: Config, known: Known) -> Agent {
    let connector =
        ().chain(SocketConnector).chain(TcpConnector::default()).chain(RustlsConnector::default());
    Agent::with_parts(config, connector, known)
}

fn fault(error: &ureq::Error) -> Fault {
    match error {
        ureq::Error::Timeout(_) => Fault::Timeout,
        ureq::Error::ConnectionFailed => Fault::Refused,
        ureq::Error::Io(reason) => fault_of(reason),
        other => Fault::Other(other.to_string()),
    }
}

fn fault_of(reason: &io::Error) -> Fault {
    // Errors of the client come wrapped while a body is read.
    if let Some(inner) = reason.get_ref().and_then(|e| e.downcast_ref::<ureq::Error>())
        && !matches!(inner, ureq::Error::Io(_))
    {
        return fault(inner);
    }
    match reason.kind() {
        // A socket in the file system that is not there.
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => Fault::Refused,
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Fault::Timeout,
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Fault::Reset,
        _ => Fault::Other(reason.to_string()),
    }
}

fn prepared(ask: &Ask, url: &str, token: Option<&HeaderValue>) -> Result<Prepared, LiveError> {
    let typed = ask.url.as_deref().unwrap_or(url);
    let address = Address::parse(typed)?;
    let sends = ask.body.is_some() || !ask.form.is_empty() || ask.json.is_some();
    let method = ask.method.as_deref().unwrap_or(if sends { "POST" } else { "GET" });
    let method: Method = method.parse().map_err(|_| {
        LiveError::Request(format!("`{method}` is no method: use GET, POST, PUT …"))
    })?;
    let mut headers = Vec::new();
    for (name, value) in &ask.headers {
        // What it holds may be a secret.
        let wrong = || LiveError::Request(format!("the header `{name}` cannot be sent as it is"));
        let value = match (value.strip_prefix(ENVIRONMENT_MARK), Fresh::of(value)) {
            (Some(variable), _) => {
                Content::Fixed(secret(variable.trim(), "the value of a header", "")?)
            }
            (None, Some(Ok(fresh))) => Content::Fresh(fresh),
            (None, _) => Content::Fixed(value.parse().map_err(|_| wrong())?),
        };
        headers.push((name.parse().map_err(|_| wrong())?, value));
    }
    if let Some(token) = token {
        headers.push((header::AUTHORIZATION, Content::Fixed(token.clone())));
    }
    if address.is_socket() && !headers.iter().any(|(name, _)| name == header::HOST) {
        let host = HeaderValue::from_static("localhost");
        headers.push((header::HOST, Content::Fixed(host)));
    }
    let payloads = payloads(ask)?;
    let has_type = headers.iter().any(|(name, _)| name == header::CONTENT_TYPE);
    Ok(Prepared { method, address, headers, has_type, payloads })
}

/// A value as it stands in an address.
fn encoded(value: &str) -> String {
    utf8_percent_encode(value, NON_ALPHANUMERIC).to_string()
}

/// The header with the token.
fn token(variable: &str) -> Result<HeaderValue, LiveError> {
    secret(variable, "the bearer token", "Bearer ")
}

/// What the environment holds, which is never shown.
fn secret(variable: &str, what: &str, before: &str) -> Result<HeaderValue, LiveError> {
    let mut value: HeaderValue = format!("{before}{}", environment(variable, what)?)
        .parse()
        .map_err(|_| LiveError::Request(format!("what {variable} holds cannot be {what}")))?;
    value.set_sensitive(true);
    Ok(value)
}

/// What a variable holds, which is to be `what`.
///
/// # Errors
/// Where it is not set.
pub fn environment(variable: &str, what: &str) -> Result<String, LiveError> {
    let text = std::env::var(variable).map_err(|_| {
        LiveError::Request(format!(
            "the environment has no {variable}, which is to hold {what}: set it, or do not name it"
        ))
    })?;
    Ok(text.trim().to_owned())
}

/// The certificates of all authorities there are take less than one.
const MOST_CERTIFICATES: Bytes = Bytes::mib(16);

fn roots(path: &Path) -> Result<RootCerts, LiveError> {
    let text = read(path, MOST_CERTIFICATES)?;
    let certificates: Vec<_> = parse_pem(&text)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(LiveError::Request(format!("{} holds no certificate (PEM)", path.display())));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

/// An address that answers with the number of requests in flight.
pub struct Counter {
    agent: Agent,
    /// As it was typed: what is asked may hold a secret.
    name: String,
    address: Address,
    token: Option<HeaderValue>,
}

impl Counter {
    /// Asked with the token and the certificates of the service's own requests.
    ///
    /// # Errors
    /// Where the address, the token or the certificates are not what they should be.
    pub fn new(url: &str, live: &Live) -> Result<Self, LiveError> {
        let roots = live.ca.as_deref().map(roots).transpose()?.unwrap_or(RootCerts::WebPki);
        let config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(2)))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build();
        let agent = agent(config, Known::default());
        live.allowed().address(url).map_err(LiveError::Request)?;
        let token = live.bearer_env.as_deref().map(token).transpose()?;
        Ok(Self { agent, name: url.to_owned(), address: Address::parse(url)?, token })
    }

    /// How many there are.
    ///
    /// # Errors
    /// Where it does not tell now.
    pub fn count(&self) -> Result<u32, LiveError> {
        let wrong = |e: &dyn fmt::Display| {
            let name = &self.name;
            LiveError::Request(format!("{name} does not tell how many are in flight: {e}"))
        };
        let mut request = self.agent.get(&self.address.uri);
        if self.address.is_socket() {
            request = request.header(header::HOST, "localhost");
        }
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, token);
        }
        let mut answer = request.call().map_err(|e| wrong(&e))?;
        let text = answer.body_mut().read_to_string().map_err(|e| wrong(&e))?;
        let number: f64 = text.trim().parse().map_err(|_| wrong(&"it answers no number"))?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        Ok(number.clamp(0.0, f64::from(u32::MAX)) as u32)
    }
}
