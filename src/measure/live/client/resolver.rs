//! Names are looked up once: whoever asks the same host again and again does so too.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use ureq::unversioned::transport::time::Duration;

use crate::measure::threads;

use super::socket::path_of;

/// Addresses of the hosts that were asked. By itself the client starts a thread for each request,
/// to look the name up in time, also where the connection is there already: a third of its CPU
/// time, on machines of which the service needs all.
#[derive(Debug, Clone, Default)]
pub struct Known(Arc<Mutex<BTreeMap<String, ResolvedSocketAddrs>>>);

impl Resolver for Known {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        if path_of(uri).is_some() {
            // A socket in the file system is found by its path.
            return Ok(self.empty());
        }
        // Scheme and authority: that of a port that is not written.
        let host = format!("{:?} {:?}", uri.scheme(), uri.authority());
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(addresses) = known().get(&host) {
            return Ok(addresses.clone());
        }
        let addresses = look_up(uri, config, timeout)?;
        known().insert(host, addresses.clone());
        Ok(addresses)
    }
}

/// In a thread of its own, for no longer than there is time. The resolver would do the same, and panic
/// where there is no thread.
fn look_up(uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
    let (uri, config) = (uri.clone(), config.clone());
    let (send, found) = mpsc::channel();
    threads::start("lookup", move || {
        let unlimited = NextTimeout { after: Duration::NotHappening, ..timeout };
        let _ = send.send(DefaultResolver::default().resolve(&uri, &config, unlimited));
    })?;
    found.recv_timeout(*timeout.after).unwrap_or(Err(Error::Timeout(timeout.reason)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_looked_up_once() {
        let (known, config, uri) =
            (Known::default(), Config::default(), Uri::from_static("http://localhost/predict"));
        let first = known.resolve(&uri, &config, NextTimeout::default()).unwrap();
        assert!(first.iter().all(|address| address.ip().is_loopback() && address.port() == 80));
        // What is known is not asked for.
        let host = "Some(\"http\") Some(localhost)".to_owned();
        let mut other = first.clone();
        other.truncate(0);
        known.0.lock().unwrap().insert(host, other);
        assert!(known.resolve(&uri, &config, NextTimeout::default()).unwrap().is_empty());
    }
}
