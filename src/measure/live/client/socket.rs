//! HTTP over a socket in the file system.
//!
//! The client knows hosts and ports. A socket is so given a host of its own, with the socket's path
//! in it in hexadecimal digits, below a top-level domain that is reserved for names that do not exist
//! (RFC 6761), and is connected to by that.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use ureq::http::Uri;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
};
use ureq::{Error, Timeout};

/// The end of a host that stands for a socket.
const DOMAIN: &str = ".socket.invalid";

/// The host that stands for the socket with this path.
pub(super) fn host_of(path: &str) -> String {
    let mut host = String::with_capacity(path.len() * 2 + DOMAIN.len());
    for byte in path.bytes() {
        let _ = write!(host, "{byte:02x}");
    }
    host + DOMAIN
}

/// The path of the socket that the host stands for, if it stands for one.
pub(super) fn path_of(uri: &Uri) -> Option<PathBuf> {
    let digits = uri.host()?.strip_suffix(DOMAIN)?;
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    let bytes = (0..digits.len()).step_by(2).map(byte).collect::<Option<Vec<u8>>>()?;
    Some(PathBuf::from(std::ffi::OsString::from_vec(bytes)))
}

/// Connects to sockets, and leaves all else to the connectors after it.
#[derive(Debug)]
pub(super) struct SocketConnector;

impl<In: Transport> Connector<In> for SocketConnector {
    type Out = Either<In, SocketTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(path) = path_of(details.uri) else { return Ok(chained.map(Either::A)) };
        let stream = UnixStream::connect(path)?;
        let (input, output) =
            (details.config.input_buffer_size(), details.config.output_buffer_size());
        let buffers = LazyBuffers::new(input, output);
        Ok(Some(Either::B(SocketTransport { stream, buffers })))
    }
}

/// A connection.
#[derive(Debug)]
pub(super) struct SocketTransport {
    stream: UnixStream,
    buffers: LazyBuffers,
}

impl Transport for SocketTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = timeout.for_write();
        self.stream.set_write_timeout(left(timeout)?)?;
        let sent = self.stream.write_all(&self.buffers.output()[..amount]);
        sent.map_err(|e| error(e, timeout.reason))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        self.stream.set_read_timeout(left(timeout)?)?;
        let amount = self.stream.read(self.buffers.input_append_buf());
        let amount = amount.map_err(|e| error(e, timeout.reason))?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// Nothing is expected of a connection that waits: what can be read is its end, or nonsense.
    fn is_open(&mut self) -> bool {
        let would_block = |stream: &mut UnixStream| {
            stream.set_nonblocking(true)?;
            let read = stream.read(&mut [0]);
            stream.set_nonblocking(false)?;
            Ok::<_, io::Error>(read.is_err_and(|e| e.kind() == io::ErrorKind::WouldBlock))
        };
        would_block(&mut self.stream).unwrap_or(false)
    }
}

/// The time that there is; `None` for as long as it takes.
fn left(timeout: NextTimeout) -> Result<Option<Duration>, Error> {
    if timeout.after.is_zero() {
        return Err(Error::Timeout(timeout.reason));
    }
    Ok(timeout.not_zero().map(|left| *left))
}

fn error(error: io::Error, reason: Timeout) -> Error {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Error::Timeout(reason),
        _ => Error::Io(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_stands_for_a_socket() {
        let uri = |host: &str| format!("http://{host}/x").parse::<Uri>().unwrap();
        for path in ["/run/app.sock", "./ñ b.sock"] {
            assert_eq!(path_of(&uri(&host_of(path))), Some(PathBuf::from(path)));
        }
        for host in ["localhost", "app.socket.invalid", "abc.socket.invalid"] {
            assert_eq!(path_of(&uri(host)), None, "{host}");
        }
    }
}
