//! Who answers: the processes that hold the listening socket of an address.
//!
//! What is started, or named, need not be what serves: `docker run`, `systemd-run` and `ssh` only ask
//! others to. Whoever accepts connections at an address holds its socket, which the kernel lists by
//! inode (`/proc/PID/net/tcp`, `tcp6` and `unix`, one list for each network namespace) and again
//! among the files of each process that has it open (`/proc/PID/fd`).

mod listening;
mod unit;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::ToSocketAddrs;
use std::path::{Path, PathBuf};

use self::listening::{Sockets, sockets};
pub use self::unit::Unit;
use super::LiveError;
use super::client::Endpoint;
use super::tree::Root;
use crate::footprint::checked::made_one_line;
use crate::measure::host::cgroup::Groups;
use crate::measure::host::files::{Files, Process};
use crate::measure::memory::{Relative, relatives};

/// Programs of container engines that pass connections on to a container.
const OF_ENGINES: [&str; 8] = [
    "conmon",
    "docker-proxy",
    "gvproxy",
    "pasta",
    "pasta.avx2",
    "rootlesskit",
    "rootlessport",
    "slirp4netns",
];
/// Programs that pass connections on to anywhere.
const TUNNELS: [&str; 5] = ["cloudflared", "kubectl", "socat", "ssh", "systemd-socket-proxyd"];

/// Why nobody knows whether what is measured is what answers, or that it is not.
#[derive(Debug, thiserror::Error)]
pub enum OwnerError {
    /// A started command cannot answer there.
    #[error(
        "{0} is no address of this machine, and only what runs here is measured: give the address \
         under which the started service answers here, as in http://127.0.0.1:8000/predict"
    )]
    OtherMachine(Endpoint),
    /// Somebody else's process.
    #[error(
        "{endpoint} belongs to a process of user {user} that cannot be seen from here: run this as \
         root and outside of containers, or name what is measured with --cgroup DIR or --pid PID"
    )]
    Hidden {
        /// What is asked.
        endpoint: Endpoint,
        /// Whose socket it is.
        user: u32,
    },
    /// Nothing tells who is behind it.
    #[error(
        "{by} passes on what comes to {endpoint}, and who answers behind it cannot be told: run the \
         service first, and name what is measured with --cgroup DIR (of a container below \
         /sys/fs/cgroup) or --pid PID"
    )]
    Forwarded {
        /// What is asked.
        endpoint: Endpoint,
        /// Who holds the socket.
        by: String,
        /// Who answers may become known, as a container accepts connections before what runs in it does.
        may_come: bool,
    },
    /// Other processes answer than those that were named.
    #[error(
        "{endpoint} is answered by {owner}, which is not among the processes of {named}: measure \
         what answers: {instead}"
    )]
    NotAmong {
        /// What is asked.
        endpoint: Endpoint,
        /// Who answers.
        owner: String,
        /// What was to be measured.
        named: String,
        /// The options that name the owner, and both.
        instead: String,
    },
    /// Only some of those that answer were named.
    #[error(
        "{endpoint} is answered by {others} besides {named}, so that some requests go where nothing \
         is measured: name all of them ({all})"
    )]
    AlsoAnswered {
        /// What is asked.
        endpoint: Endpoint,
        /// Those that were not named.
        others: String,
        /// What was to be measured.
        named: String,
        /// The options that name all.
        all: String,
    },
}

/// A service that others than the started processes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// Its processes.
    pub root: Root,
    /// Who it is, in words.
    pub what: String,
    /// How a person ends it.
    pub stop: String,
    /// Its first process runs for longer than the command that was started.
    pub is_older: bool,
}

/// Who answers.
enum Owners {
    /// These processes, none of which only passes connections on.
    Servers(Vec<u32>),
    /// This one, which does.
    Forwarder(u32),
    /// Nobody that can be seen, though connections may be accepted: the kernel passes them on.
    Nobody,
    /// A process of this user, which cannot be seen.
    Hidden(u32),
    /// The address is another machine's.
    Elsewhere,
}

/// The service at an address that a started command is to open: `None` where it is `tree`, the
/// started processes themselves, or where nobody listens yet; `since` is when the first of them
/// started, in ticks.
///
/// # Errors
/// Where the service is others and cannot be told or seen.
pub fn followed(
    endpoint: &Endpoint,
    tree: &Root,
    since: u64,
) -> Result<Option<Followed>, OwnerError> {
    let started = tree.ids().unwrap_or_default();
    let endpoint = endpoint.clone();
    let servers = match owners(&endpoint) {
        Owners::Servers(servers) => servers,
        Owners::Elsewhere => return Err(OwnerError::OtherMachine(endpoint)),
        Owners::Hidden(user) => return Err(OwnerError::Hidden { endpoint, user }),
        Owners::Nobody if !endpoint.connects() => return Ok(None),
        Owners::Nobody => match newcomers(&endpoint, since) {
            Some(servers) => servers,
            None => {
                let by = "the kernel".to_owned();
                return Err(OwnerError::Forwarded { endpoint, by, may_come: true });
            }
        },
        Owners::Forwarder(id) => {
            let may_come = is_one_of(id, &OF_ENGINES);
            let found = behind(id).or_else(|| newcomers(&endpoint, since)).filter(|_| may_come);
            let Some(servers) = found else {
                return Err(OwnerError::Forwarded { endpoint, by: named(id), may_come });
            };
            servers
        }
    };
    let all = relatives(&Files::real());
    let first = first_of(&all, &servers);
    let unit = first.first().and_then(|id| Unit::of_process(*id));
    // A process that was started may itself be inside a container: that of an engine without a daemon.
    let is_ours = servers.iter().any(|id| started.contains(id));
    if is_ours && unit.as_ref().is_none_or(|unit| !unit.is_container()) {
        return Ok(None);
    }
    Ok(Some(follow(&all, &first, unit, since)))
}

/// Whether those that were named are those that answer; what cannot be told, in words.
///
/// # Errors
/// Where others answer, or others besides.
pub fn answers(
    endpoint: &Endpoint,
    root: &Root,
    named_as: &str,
) -> Result<Option<String>, LiveError> {
    let ids = root.ids()?;
    let unknown = |why: String| Ok(Some(format!("whether {named_as} answers at {endpoint} {why}")));
    let servers = match owners(endpoint) {
        Owners::Servers(servers) => servers,
        // The first request tells.
        Owners::Nobody if !endpoint.connects() => return Ok(None),
        Owners::Nobody => {
            return unknown("is not known: the kernel passes on what comes".to_owned());
        }
        Owners::Elsewhere => {
            return unknown("is not known: that is no address of this machine".to_owned());
        }
        Owners::Hidden(user) => {
            return unknown(format!(
                "is not known: it belongs to a process of user {user} that cannot be seen from here"
            ));
        }
        Owners::Forwarder(id) if ids.contains(&id) => vec![id],
        Owners::Forwarder(id) => match behind(id) {
            Some(servers) => servers,
            None => return unknown(format!("is not known: {} passes on what comes", named(id))),
        },
    };
    let all = relatives(&Files::real());
    if servers.iter().any(|id| ids.contains(id)) {
        return match strangers(&all, &servers, &ids)[..] {
            [] => Ok(None),
            ref others => Err(OwnerError::AlsoAnswered {
                endpoint: endpoint.clone(),
                others: others.iter().map(|id| named(*id)).collect::<Vec<_>>().join(", "),
                named: named_as.to_owned(),
                all: first_of(&all, &servers)
                    .iter()
                    .map(|id| format!("--pid {id}"))
                    .collect::<Vec<_>>()
                    .join(" "),
            }
            .into()),
        };
    }
    let first = first_of(&all, &servers);
    let unit = first.first().and_then(|id| Unit::of_process(*id));
    let name = |ids: &[u32]| {
        let all: Vec<String> = ids.iter().map(|id| format!("--pid {id}")).collect();
        all.join(" ")
    };
    let alone = match &unit {
        Some(unit) => format!("--cgroup {}", unit.directory.display()),
        None => name(&first),
    };
    let both = match root {
        Root::Processes(given) => format!(
            "; where it passes requests on to the others, both together: {}",
            name(&[&given[..], &first].concat())
        ),
        _ => String::new(),
    };
    let owner = named(first[0]);
    Err(OwnerError::NotAmong {
        endpoint: endpoint.clone(),
        owner: match &unit {
            Some(unit) => format!("{owner} of the {}", unit.name),
            None => owner,
        },
        named: named_as.to_owned(),
        instead: format!("{alone}{both}"),
    }
    .into())
}

/// A process as people know it: its id and its name, without arguments, which may hold secrets.
fn named(id: u32) -> String {
    match name_of(id) {
        Some(name) => format!("process {id} ({name})"),
        None => format!("process {id}"),
    }
}

fn name_of(id: u32) -> Option<String> {
    let name = fs::read_to_string(Process::Id(id).file("comm")).ok()?;
    Some(made_one_line(name.trim())).filter(|name| !name.is_empty())
}

/// Whether its program, or what it calls itself, is one of these.
fn is_one_of(id: u32, programs: &[&str]) -> bool {
    let last = |path: &Path| path.file_name().map(|n| n.to_string_lossy().into_owned());
    let program = fs::read_link(Process::Id(id).file("exe")).ok();
    let program = program.and_then(|path| last(&path));
    let called = arguments(id).first().and_then(|word| last(Path::new(word)));
    [program, called].into_iter().flatten().any(|name| programs.contains(&name.as_str()))
}

fn arguments(id: u32) -> Vec<String> {
    let text = fs::read(Process::Id(id).file("cmdline")).unwrap_or_default();
    let words = text.split(|byte| *byte == 0);
    words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

fn owners(endpoint: &Endpoint) -> Owners {
    let sockets = match sockets(endpoint) {
        Sockets::Elsewhere => return Owners::Elsewhere,
        Sockets::Here(sockets) if sockets.is_empty() => return Owners::Nobody,
        Sockets::Here(sockets) => sockets,
    };
    let inodes: BTreeSet<u64> = sockets.iter().map(|socket| socket.inode).collect();
    let mut holders = holders(&inodes);
    // A socket that the first process of the system opened for a service is the service's, too.
    if holders.len() > 1 {
        holders.retain(|id| *id != 1);
    }
    let passes_on = |id: &u32| is_one_of(*id, &OF_ENGINES) || is_one_of(*id, &TUNNELS);
    let (forwarders, servers): (Vec<u32>, Vec<u32>) = holders.into_iter().partition(passes_on);
    match (&servers[..], forwarders.first(), sockets.first()) {
        ([_, ..], _, _) => Owners::Servers(servers),
        ([], Some(forwarder), _) => Owners::Forwarder(*forwarder),
        ([], None, Some(socket)) => Owners::Hidden(socket.user),
        ([], None, None) => Owners::Nobody,
    }
}

/// The processes that have one of these sockets open.
fn holders(inodes: &BTreeSet<u64>) -> Vec<u32> {
    let holds = |id: &u32| open_sockets(*id).any(|inode| inodes.contains(&inode));
    relatives(&Files::real()).into_iter().map(|(id, _)| id).filter(holds).collect()
}

/// The inodes of the sockets that a process has open; none where its files are not ours to read.
fn open_sockets(id: u32) -> impl Iterator<Item = u64> {
    let files = fs::read_dir(Process::Id(id).file("fd")).into_iter().flatten().flatten();
    files.filter_map(|file| {
        let target = fs::read_link(file.path()).ok()?;
        target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    })
}

/// How many of these processes take the connections to this address.
pub fn listening_at(endpoint: &Endpoint, ids: &[u32]) -> usize {
    let Sockets::Here(sockets) = sockets(endpoint) else { return 0 };
    let takes = |inode: u64| sockets.iter().any(|socket| socket.inode == inode);
    ids.iter().filter(|id| open_sockets(**id).any(takes)).count()
}

/// Where each of these processes takes connections: a proxy does so elsewhere than what is behind it, and
/// workers of one kind at the same place.
pub fn places(ids: &[u32]) -> BTreeMap<u32, BTreeSet<String>> {
    let mut known = BTreeMap::new();
    let mut of = |id: u32| {
        let process = Process::Id(id);
        // Processes of one service may be in networks of their own.
        let network = fs::read_link(process.file("ns/net")).unwrap_or_default();
        let sockets = known.entry(network).or_insert_with(|| listening::by_inode(process));
        open_sockets(id).filter_map(|inode| sockets.get(&inode).cloned()).collect()
    };
    ids.iter().map(|id| (*id, of(*id))).collect()
}

/// Who answers behind a forwarder that says where it passes on to, as Docker's does.
fn behind(forwarder: u32) -> Option<Vec<u32>> {
    let words = arguments(forwarder);
    let value = |name: &str| {
        let at = words.iter().position(|word| word.trim_start_matches('-') == name)?;
        words.get(at + 1)
    };
    let port = value("container-port")?.parse().ok()?;
    match owners(&Endpoint::Tcp(value("container-ip")?.clone(), port)) {
        Owners::Servers(servers) => Some(servers),
        _ => None,
    }
}

/// Who has begun to listen in a network of their own since then: what a forwarder that was started
/// with them passes on to. `None` where that may be several.
fn newcomers(endpoint: &Endpoint, since: u64) -> Option<Vec<u32>> {
    let all = relatives(&Files::real());
    let is_new = |id: &u32| all.iter().any(|(other, r)| other == id && r.started >= since);
    let mut found = Vec::new();
    for sockets in listening::of_other_networks() {
        let port = match endpoint {
            Endpoint::Tcp(_, port) => *port,
            Endpoint::Unix(_) => return None,
        };
        let inodes: BTreeSet<u64> = sockets.iter().map(|socket| socket.inode).collect();
        let new: Vec<u32> = holders(&inodes).into_iter().filter(is_new).collect();
        if !new.is_empty() {
            found.push((sockets.iter().any(|socket| socket.port == port), new));
        }
    }
    // Of several networks, the one in which somebody listens on the same port.
    if found.len() > 1 {
        found.retain(|(is_same_port, _)| *is_same_port);
    }
    let [(_, servers)] = &found[..] else { return None };
    Some(servers.clone())
}

/// Those that descend from none of the others.
fn first_of(all: &[(u32, Relative)], ids: &[u32]) -> Vec<u32> {
    let is_first = |id: &&u32| !ancestors(all, **id).iter().any(|above| ids.contains(above));
    ids.iter().filter(is_first).copied().collect()
}

fn ancestors(all: &[(u32, Relative)], id: u32) -> Vec<u32> {
    let parent = |id: u32| all.iter().find(|(other, _)| *other == id).map(|(_, r)| r.parent);
    let mut above = Vec::new();
    let mut next = parent(id);
    while let Some(id) = next.filter(|id| *id != 0 && !above.contains(id)) {
        above.push(id);
        next = parent(id);
    }
    above
}

/// Of those that hold the socket, those that were not named, nor are ancestors that only handed it on.
fn strangers(all: &[(u32, Relative)], servers: &[u32], ids: &[u32]) -> Vec<u32> {
    let above: BTreeSet<u32> = ids.iter().flat_map(|id| ancestors(all, *id)).collect();
    let is_other = |id: &&u32| !ids.contains(id) && !above.contains(id);
    servers.iter().filter(is_other).copied().collect()
}

fn follow(all: &[(u32, Relative)], first: &[u32], unit: Option<Unit>, since: u64) -> Followed {
    let started = |id: u32| all.iter().find(|(other, _)| *other == id).map(|(_, r)| r.started);
    let is_older = first.iter().any(|id| started(*id).is_some_and(|started| started < since));
    let who = first.iter().map(|id| named(*id)).collect::<Vec<_>>().join(", ");
    let kill = first.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    if let Some(unit) = unit {
        return Followed {
            what: format!(
                "{who} of the {} (control group {})",
                unit.name,
                unit.directory.display()
            ),
            stop: unit.stop.unwrap_or_else(|| format!("kill {kill}")),
            root: Root::Group(unit.directory),
            is_older,
        };
    }
    let group = first.first().and_then(|id| group_of(*id));
    let is_new = |id: &u32| started(*id).is_some_and(|started| started >= since);
    // A group that others than the service are in, as that of a session, is not the service's.
    let root = group
        .map(Root::Group)
        .filter(|group| group.ids().is_ok_and(|ids| ids.iter().all(is_new)))
        .unwrap_or_else(|| Root::Processes(first.to_vec()));
    let what = match &root {
        Root::Group(path) => format!("{who}, control group {}", path.display()),
        _ => who,
    };
    Followed { root, what, stop: format!("kill {kill}"), is_older }
}

/// The control group that a process's memory is charged to, where it has one that this tool is not in,
/// too.
pub fn group_of(id: u32) -> Option<PathBuf> {
    let place = |process| {
        let groups = Groups::seen_by(&Files::real(), process, Process::This).ok()?;
        groups.memory.into_iter().chain(groups.unified).next()
    };
    let (its, own) = (place(Process::Id(id))?, place(Process::This)?);
    (!own.starts_with(&its)).then_some(its)
}

#[cfg(test)]
mod tests;
