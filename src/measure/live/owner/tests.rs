use std::net::TcpListener;
use std::os::unix::net::UnixListener;

use super::*;

fn servers(endpoint: &Endpoint) -> Vec<u32> {
    match owners(endpoint) {
        Owners::Servers(servers) => servers,
        _ => Vec::new(),
    }
}

#[test]
fn whoever_listens_is_found() {
    let own = std::process::id();
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    assert_eq!(servers(&Endpoint::Tcp("127.0.0.1".to_owned(), port)), [own]);
    drop(listener);
    assert!(matches!(owners(&Endpoint::Tcp("127.0.0.1".to_owned(), port)), Owners::Nobody));
    // An address for documents (RFC 5737).
    assert!(matches!(owners(&Endpoint::Tcp("192.0.2.1".to_owned(), 80)), Owners::Elsewhere));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a b.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    assert_eq!(servers(&Endpoint::Unix(path)), [own]);
}

#[test]
fn those_that_were_not_named_are_strangers() {
    let parents = [(10, 1), (11, 10), (12, 10), (13, 12), (20, 1)];
    let all = parents.map(|(id, parent)| (id, Relative { parent, ..Relative::default() }));
    assert_eq!(first_of(&all, &[11, 12, 13, 10, 20]), [10, 20]);
    // A worker was named, whose master only handed the socket on.
    assert_eq!(strangers(&all, &[10, 13], &[13]), [0; 0]);
    assert_eq!(strangers(&all, &[10, 11, 13, 20], &[13]), [11, 20]);
}
