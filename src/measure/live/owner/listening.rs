//! The listening sockets of the machine, one list for each network namespace.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Endpoint, ToSocketAddrs};
use crate::measure::host::files::{Files, Process};
use crate::measure::memory::relatives;

/// The state of a TCP socket that listens (`TCP_LISTEN` of the kernel), in hexadecimal digits.
const LISTEN: &str = "0A";
/// The flag of a socket in the file system that listens (`__SO_ACCEPTCON`), in hexadecimal digits.
const ACCEPTS: &str = "00010000";

/// A socket that listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Socket {
    /// Where.
    pub(super) address: IpAddr,
    /// Its port; 0 of a socket in the file system.
    pub(super) port: u16,
    /// Whose it is.
    pub(super) user: u32,
    /// By which it is found among the files of processes.
    pub(super) inode: u64,
}

/// Where an address leads.
pub(super) enum Sockets {
    /// To another machine.
    Elsewhere,
    /// To these sockets of this machine; there may be none.
    Here(Vec<Socket>),
}

/// The sockets that get the connections to this address.
pub(super) fn sockets(endpoint: &Endpoint) -> Sockets {
    let networks = networks();
    let (host, port) = match endpoint {
        Endpoint::Tcp(host, port) => (host, *port),
        Endpoint::Unix(path) => {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            let all: Vec<_> = networks.iter().flat_map(|network| of_files(*network)).collect();
            let user = fs::metadata(&path).map_or(0, |file| file.uid());
            let found = at_path(&all, &path).into_iter().map(|socket| Socket { user, ..socket });
            return Sockets::Here(found.collect());
        }
    };
    let mut is_here = false;
    let addresses = (host.as_str(), port).to_socket_addrs().into_iter().flatten();
    for asked in addresses.map(|address| asked(address.ip())) {
        for (index, network) in networks.iter().enumerate() {
            let has = if index == 0 { is_own(asked) } else { has_address(*network, asked) };
            is_here |= has;
            let found = if has { at(asked, port, &of_network(*network)) } else { Vec::new() };
            if !found.is_empty() {
                return Sockets::Here(found);
            }
        }
    }
    if is_here { Sockets::Here(Vec::new()) } else { Sockets::Elsewhere }
}

/// Those of each network namespace but this process's own.
pub(super) fn of_other_networks() -> Vec<Vec<Socket>> {
    networks().into_iter().skip(1).map(of_network).collect()
}

/// All of a network namespace by their inodes, in words: addresses with ports, and paths.
pub(super) fn by_inode(network: Process) -> BTreeMap<u64, String> {
    let tcp = of_network(network).into_iter();
    let files = of_files(network).into_iter();
    tcp.map(|socket| (socket.inode, format!("{} {}", socket.address, socket.port)))
        .chain(files.map(|(path, socket)| (socket.inode, path.display().to_string())))
        .collect()
}

/// A process of each network namespace that can be seen, this one first.
fn networks() -> Vec<Process> {
    let name = |process: Process| fs::read_link(process.file("ns/net")).ok();
    let mut known: BTreeSet<PathBuf> = name(Process::This).into_iter().collect();
    let others = relatives(&Files::real()).into_iter().map(|(id, _)| Process::Id(id));
    let others = others.filter(|process| name(*process).is_some_and(|name| known.insert(name)));
    std::iter::once(Process::This).chain(others.collect::<Vec<_>>()).collect()
}

/// Whoever asks for no address in particular asks this machine.
fn asked(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(v4) if v4.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(v6) if v6.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other.to_canonical(),
    }
}

/// Whether this machine has the address: only then can a socket be bound to it.
fn is_own(address: IpAddr) -> bool {
    address.is_loopback() || UdpSocket::bind((address, 0)).is_ok()
}

/// The same of another network namespace.
fn has_address(network: Process, address: IpAddr) -> bool {
    let read = |name: &str| fs::read_to_string(network.file(name)).unwrap_or_default();
    match address {
        // Each namespace has a loopback of its own, which nobody else reaches.
        _ if address.is_loopback() => false,
        IpAddr::V4(v4) => is_local(&read("net/fib_trie"), v4),
        IpAddr::V6(v6) => {
            let digits = format!("{:032x}", u128::from(v6));
            read("net/if_inet6").lines().any(|line| line.starts_with(&digits))
        }
    }
}

/// Whether a routing table says that the address is the machine's own: below each address stands what
/// it is (`Documentation/networking/fib_trie.rst`).
fn is_local(table: &str, address: Ipv4Addr) -> bool {
    let leaf = format!("|-- {address}");
    let lines: Vec<&str> = table.lines().map(str::trim).collect();
    lines.windows(2).any(|pair| pair[0] == leaf && pair[1] == "/32 host LOCAL")
}

fn of_network(network: Process) -> Vec<Socket> {
    let read = |name: &str| fs::read_to_string(network.file(name)).unwrap_or_default();
    let text = [read("net/tcp"), read("net/tcp6")].concat();
    text.lines().filter_map(tcp).collect()
}

/// A line of `/proc/PID/net/tcp` or `tcp6` whose socket listens (`proc_pid_net(5)`).
fn tcp(line: &str) -> Option<Socket> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (address, port) = fields.get(1)?.split_once(':')?;
    (*fields.get(3)? == LISTEN).then_some(())?;
    Some(Socket {
        address: ip(address)?,
        port: u16::from_str_radix(port, 16).ok()?,
        user: fields.get(7)?.parse().ok()?,
        inode: fields.get(9)?.parse().ok()?,
    })
}

/// Words of 32 bits in hexadecimal digits, each in the order of bytes of the machine.
fn ip(digits: &str) -> Option<IpAddr> {
    let word = |at: usize| u32::from_str_radix(digits.get(at..at + 8)?, 16).ok();
    let bytes = |at: usize| word(at).map(u32::to_ne_bytes);
    match digits.len() {
        8 => Some(Ipv4Addr::from(bytes(0)?).into()),
        32 => {
            let words = [bytes(0)?, bytes(8)?, bytes(16)?, bytes(24)?];
            let all = <[u8; 16]>::try_from(words.concat()).ok()?;
            Some(Ipv6Addr::from(all).to_canonical())
        }
        _ => None,
    }
}

/// Of those that listen, those that get a connection to this address: the ones that are bound to it,
/// else those that are bound to all.
fn at(asked: IpAddr, port: u16, sockets: &[Socket]) -> Vec<Socket> {
    let on_port = || sockets.iter().filter(|socket| socket.port == port);
    let exact: Vec<Socket> = on_port().filter(|s| s.address == asked).copied().collect();
    if !exact.is_empty() {
        return exact;
    }
    // What is bound to all addresses of version 6 gets those of version 4, too.
    let is_any =
        |s: &&Socket| s.address.is_unspecified() && (s.address.is_ipv6() || asked.is_ipv4());
    on_port().filter(is_any).copied().collect()
}

/// Sockets in the file system that listen, with their paths as they were bound.
fn of_files(network: Process) -> Vec<(PathBuf, Socket)> {
    let text = fs::read_to_string(network.file("net/unix")).unwrap_or_default();
    text.lines().filter_map(unix).collect()
}

/// A line of `/proc/PID/net/unix` whose socket listens (`proc_pid_net(5)`).
fn unix(line: &str) -> Option<(PathBuf, Socket)> {
    let mut rest = line;
    let mut field = || {
        rest = rest.trim_start();
        let (field, after) = rest.split_once(' ')?;
        rest = after;
        Some(field)
    };
    let [_, _, _, flags, _, _, inode] =
        [field()?, field()?, field()?, field()?, field()?, field()?, field()?];
    let path = rest.trim_start();
    (flags == ACCEPTS && !path.is_empty()).then_some(())?;
    let socket = Socket {
        address: Ipv4Addr::UNSPECIFIED.into(),
        port: 0,
        // Of its file.
        user: 0,
        inode: inode.parse().ok()?,
    };
    Some((PathBuf::from(path), socket))
}

/// The sockets with this path; where there is none, those with the same name, as it was bound
/// relative to a folder or lies elsewhere in a container.
fn at_path(all: &[(PathBuf, Socket)], path: &Path) -> Vec<Socket> {
    let with = |is_it: &dyn Fn(&Path) -> bool| -> Vec<Socket> {
        all.iter().filter(|(bound, _)| is_it(bound)).map(|(_, socket)| *socket).collect()
    };
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let exact = with(&|bound| bound == path || bound == real);
    if exact.is_empty() { with(&|bound| bound.file_name() == path.file_name()) } else { exact }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 31337 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 4 1 0 100 0 0 10 0
   2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 5 1 0 100 0 0 10 0
   0: 00000000000000000000000001000000:1F91 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 6 1 0
   1: 0000000000000000FFFF00000100007F:1F92 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7 1 0
   2: 00000000000000000000000000000000:1F93 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 8 1 0\n";

    #[test]
    #[cfg(target_endian = "little")]
    fn whoever_gets_a_connection_is_found() {
        let all: Vec<Socket> = TCP.lines().filter_map(tcp).collect();
        let found = |address: &str, port: u16| -> Vec<u64> {
            let found = at(asked(address.parse().unwrap()), port, &all);
            found.iter().map(|socket| socket.inode).collect()
        };
        assert_eq!((found("127.0.0.1", 8080), all[0].user), (vec![31337], 1000));
        assert_eq!(found("0.0.0.0", 8080), [31337]);
        assert_eq!(found("10.0.0.1", 8080), [0; 0]);
        assert_eq!(found("10.0.0.1", 80), [5], "bound to all of version 4");
        assert_eq!(found("::1", 80), [0; 0]);
        assert_eq!(found("::1", 8081), [6]);
        assert_eq!(found("127.0.0.1", 8082), [7], "version 4 in version 6");
        assert_eq!((found("127.0.0.1", 8083), found("::1", 8083)), (vec![8], vec![8]));
    }

    #[test]
    fn sockets_in_the_file_system_are_found() {
        let text = "Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 17 /run/app.sock
0000000000000000: 00000003 00000000 00000000 0001 03 18 /run/app.sock
0000000000000000: 00000002 00000000 00010000 0001 01    19 my app.sock
0000000000000000: 00000002 00000000 00010000 0001 01 20\n";
        let all: Vec<_> = text.lines().filter_map(unix).collect();
        let found = |path: &str| -> Vec<u64> {
            at_path(&all, Path::new(path)).iter().map(|socket| socket.inode).collect()
        };
        assert_eq!(found("/run/app.sock"), [17]);
        assert_eq!(found("/srv/app.sock"), [17]);
        assert_eq!(found("/tmp/my app.sock"), [19]);
        assert_eq!(found("/run/other.sock"), [0; 0]);
    }

    #[test]
    fn an_address_of_a_network_is_known() {
        let table = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 172.17.0.0\n        /16 link UNICAST\n     |-- 172.17.0.2\n        /32 host LOCAL\n";
        let is = |address: &str| is_local(table, address.parse().unwrap());
        assert!(is("172.17.0.2") && !is("172.17.0.0") && !is("172.17.0.20"));
        assert!(is_own(Ipv4Addr::LOCALHOST.into()));
        // An address for documents (RFC 5737).
        assert!(!is_own(Ipv4Addr::new(192, 0, 2, 1).into()));
    }
}
