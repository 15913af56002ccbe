//! Where requests go: an HTTP address, or a socket in the file system.

use std::fmt;
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use ureq::http::Uri;

use super::socket::host_of;
use super::{encoded, environment};
use crate::measure::live::LiveError;
use crate::profile::{filled, socket_and_path};

/// What is said of an address that nothing here can ask.
const ONLY_HTTP: &str = "only HTTP is driven (http://, https://, unix:/run/app.sock:/predict): \
     watch the service under traffic of its own with --pid PID --watch 10m, put an HTTP gateway in \
     front of it, or declare its costs in a profile (`declared:`)";

/// Where requests go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// As the client asks it: of a socket, one that [`super::socket`] knows.
    pub(super) uri: Uri,
    /// The socket, where it is one in the file system.
    socket: Option<PathBuf>,
}

/// Where somebody listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A TCP port.
    Tcp(String, u16),
    /// A socket in the file system.
    Unix(PathBuf),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Endpoint {
    /// Whether a connection can be made now.
    pub fn connects(&self) -> bool {
        match self {
            Self::Tcp(host, port) => {
                let addresses = (host.as_str(), *port).to_socket_addrs().into_iter().flatten();
                let patience = Duration::from_secs(1);
                addresses.into_iter().any(|a| TcpStream::connect_timeout(&a, patience).is_ok())
            }
            Self::Unix(path) => UnixStream::connect(path).is_ok(),
        }
    }
}

impl Address {
    /// An address that can be asked, with what the variables hold that its parts name.
    ///
    /// # Errors
    /// Where it is none, or a variable is not set.
    pub fn parse(typed: &str) -> Result<Self, LiveError> {
        let wrong = |how: &str| LiveError::Request(format!("`{typed}` is no address: {how}"));
        let held = |variable: &str| {
            environment(variable, "a part of the address").map(|text| encoded(&text))
        };
        let full = filled(typed, held)?;
        if let Some((socket, path)) = socket_and_path(&full) {
            let how = "name the socket and what is asked, as in unix:/run/app.sock:/predict";
            let uri = format!("http://{}{}", host_of(socket), path.unwrap_or("/")).parse();
            let uri = uri.ok().filter(|_| !socket.is_empty()).ok_or_else(|| wrong(how))?;
            return Ok(Self { uri, socket: Some(PathBuf::from(socket)) });
        }
        let whole = "write it whole, as in http://127.0.0.1:8000/predict";
        let uri: Uri = full.parse().map_err(|_| wrong(whole))?;
        match uri.scheme_str() {
            Some("http" | "https") if uri.host().is_some() => Ok(Self { uri, socket: None }),
            Some(other) if full.contains("://") && !matches!(other, "http" | "https") => {
                Err(LiveError::Request(format!("`{typed}` cannot be asked: {ONLY_HTTP}")))
            }
            _ => Err(wrong(whole)),
        }
    }

    /// Where somebody has to listen for it.
    pub fn endpoint(&self) -> Endpoint {
        if let Some(path) = &self.socket {
            return Endpoint::Unix(path.clone());
        }
        let usual = if self.uri.scheme_str() == Some("https") { 443 } else { 80 };
        let host = self.uri.host().unwrap_or_default().trim_matches(['[', ']']);
        Endpoint::Tcp(host.to_owned(), self.uri.port_u16().unwrap_or(usual))
    }

    /// Whether it is a socket in the file system.
    pub(super) const fn is_socket(&self) -> bool {
        self.socket.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_where_somebody_listens() {
        let endpoint = |typed: &str| Address::parse(typed).unwrap().endpoint();
        let tcp = |host: &str, port| Endpoint::Tcp(host.to_owned(), port);
        assert_eq!(endpoint("http://localhost/predict"), tcp("localhost", 80));
        assert_eq!(endpoint("https://h/"), tcp("h", 443));
        assert_eq!(endpoint("http://[::1]:8000/"), tcp("::1", 8000));
        assert_eq!(endpoint("http://[::1]:8000/").to_string(), "[::1]:8000");
        for (typed, path) in [
            ("unix:/run/app.sock:/predict?a=b", "/predict?a=b"),
            ("unix:///run/app.sock:/", "/"),
            ("unix:/run/app.sock", "/"),
        ] {
            let address = Address::parse(typed).unwrap();
            assert_eq!(address.endpoint(), Endpoint::Unix("/run/app.sock".into()), "{typed}");
            assert_eq!(address.uri.path_and_query().unwrap(), path, "{typed}");
        }
    }

    #[test]
    fn what_is_no_address_is_told() {
        for (typed, says) in [
            ("127.0.0.1:8000/predict", "write it whole"),
            ("localhost:8000", "write it whole"),
            ("http://", "write it whole"),
            ("unix:", "name the socket"),
            ("unix:/run/app.sock:/a b", "name the socket"),
            ("ws://127.0.0.1:8000/x", "only HTTP is driven"),
            ("amqp://127.0.0.1/x", "only HTTP is driven"),
        ] {
            let said = Address::parse(typed).unwrap_err().to_string();
            assert!(said.contains(says) && said.contains(typed), "{typed}: {said}");
        }
    }
}
