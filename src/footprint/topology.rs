//! How requests share processes and sessions: the word for it, and its numbers.
//!
//! | word               | processes | sessions of a model in each | in `Run` at once, in each |
//! | ------------------ | --------- | --------------------------- | ------------------------- |
//! | `shared`           | 1         | 1                           | all                       |
//! | `serial`           | 1         | 1                           | 1                         |
//! | `pool:K`           | 1         | K                           | K, one a session          |
//! | `workers:W`        | W         | 1                           | all                       |
//! | `workers:W/serial` | W         | 1                           | 1                         |
//!
//! Requests that are admitted and not in `Run` hold what they have decoded.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How requests share sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Topology {
    /// One process, one session a model, N concurrent `Run` calls.
    #[default]
    Shared,
    /// One process, one session a model, one `Run` at a time.
    Serial,
    /// One process, this many sessions a model with an arena each, one request a session.
    Pool(Copies),
    /// This many processes with everything in each; requests are dealt in turn.
    Workers(Copies, Inside),
}

/// How the requests of one worker share its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Inside {
    /// Concurrent `Run` calls.
    Shared,
    /// One `Run` at a time.
    Serial,
}

/// A number of sessions or processes: 1 to 256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Copies(u16);

impl Copies {
    /// The largest number.
    pub const MOST: u16 = 256;

    /// One.
    pub const ONE: Self = Self(1);
    /// Two.
    pub const TWO: Self = Self(2);
    /// Four.
    pub const FOUR: Self = Self(4);

    /// This many; `None` for 0 and for more than [`Copies::MOST`].
    pub const fn new(copies: u16) -> Option<Self> {
        if copies >= 1 && copies <= Self::MOST { Some(Self(copies)) } else { None }
    }

    /// The number, 1 to 256.
    pub const fn get(self) -> u32 {
        self.0 as u32
    }
}

/// How the requests of one process share its sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sharing {
    /// One session a model, any number of requests in it.
    Shared,
    /// This many sessions a model, 1 or more, one request in each.
    Exclusive(u16),
}

impl Sharing {
    /// Sessions of each model, 1 or more.
    pub const fn sessions(self) -> u32 {
        match self {
            Self::Shared => 1,
            Self::Exclusive(sessions) => sessions as u32,
        }
    }

    /// Requests that can be in `Run` at once; `None` where any number can.
    pub const fn most_in_run(self) -> Option<u32> {
        match self {
            Self::Shared => None,
            Self::Exclusive(sessions) => Some(sessions as u32),
        }
    }
}

impl Topology {
    /// Processes, 1 or more.
    pub const fn processes(self) -> u32 {
        match self {
            Self::Shared | Self::Serial | Self::Pool(_) => 1,
            Self::Workers(workers, _) => workers.get(),
        }
    }

    /// How the requests of each process share its sessions. Where one request at a time is in
    /// `Run`, it makes no difference whether that is called a lock or a pool of one.
    pub const fn sharing(self) -> Sharing {
        match self {
            Self::Shared | Self::Workers(_, Inside::Shared) => Sharing::Shared,
            Self::Serial | Self::Workers(_, Inside::Serial) => Sharing::Exclusive(1),
            Self::Pool(sessions) => Sharing::Exclusive(sessions.0),
        }
    }

    /// Sessions of a model in all processes together: the `k` of the JSON contract.
    pub const fn copies(self) -> u32 {
        self.processes() * self.sharing().sessions()
    }

    /// Requests in flight from which on one more costs what all further ones do: each session of
    /// a pool is in use, each worker has one.
    pub const fn knee(self) -> u32 {
        self.copies()
    }
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shared => f.pad("shared"),
            Self::Serial => f.pad("serial"),
            Self::Pool(sessions) => f.pad(&format!("pool:{}", sessions.0)),
            Self::Workers(workers, Inside::Shared) => f.pad(&format!("workers:{}", workers.0)),
            Self::Workers(workers, Inside::Serial) => {
                f.pad(&format!("workers:{}/serial", workers.0))
            }
        }
    }
}

/// The text is no topology, or its number is out of range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopologyError {
    text: String,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Unknown,
    NoNumber,
    OutOfRange,
}

impl fmt::Display for TopologyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, what } = self;
        match what {
            What::Unknown => write!(
                f,
                "`{text}` is no topology: use shared, serial, pool:K, workers:W or \
                 workers:W/serial, as in pool:4"
            ),
            What::NoNumber => {
                write!(f, "`{text}` says no number: use 1 to {}, as in {text}:4", Copies::MOST)
            }
            What::OutOfRange => write!(
                f,
                "`{text}` has a number that is out of range: use 1 to {}, as in pool:4",
                Copies::MOST
            ),
        }
    }
}

impl Error for TopologyError {}

impl FromStr for Topology {
    type Err = TopologyError;

    fn from_str(text: &str) -> Result<Self, TopologyError> {
        let wrong = |what| TopologyError { text: text.to_owned(), what };
        let copies = |number: &str| {
            if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
                return Err(wrong(What::Unknown));
            }
            number.parse().ok().and_then(Copies::new).ok_or_else(|| wrong(What::OutOfRange))
        };
        match text.split_once(':') {
            None => match text {
                "shared" => Ok(Self::Shared),
                "serial" => Ok(Self::Serial),
                "pool" | "workers" => Err(wrong(What::NoNumber)),
                _ => Err(wrong(What::Unknown)),
            },
            Some(("pool", number)) => Ok(Self::Pool(copies(number)?)),
            Some(("workers", rest)) => match rest.strip_suffix("/serial") {
                Some(number) => Ok(Self::Workers(copies(number)?, Inside::Serial)),
                None => Ok(Self::Workers(copies(rest)?, Inside::Shared)),
            },
            Some(_) => Err(wrong(What::Unknown)),
        }
    }
}

impl Serialize for Topology {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Topology {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Word)
    }
}

struct Word;

impl Visitor<'_> for Word {
    type Value = Topology;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a topology, as in shared or pool:4")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Topology, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde::de::IntoDeserializer;
    use serde::de::value::StrDeserializer;

    use super::*;

    fn read(text: &str) -> Topology {
        text.parse().unwrap()
    }

    #[test]
    fn each_word_is_written_as_it_is_read() {
        for text in
            ["shared", "serial", "pool:1", "pool:256", "workers:4", "workers:2/serial", "workers:1"]
        {
            assert_eq!(read(text).to_string(), text);
            let deserializer: StrDeserializer<'_, serde::de::value::Error> =
                text.into_deserializer();
            assert_eq!(Topology::deserialize(deserializer).unwrap(), read(text));
        }
    }

    #[test]
    fn what_is_no_topology_says_what_is() {
        for (text, says) in [
            ("sharde", "`sharde` is no topology: use shared, serial, pool:K"),
            ("", "is no topology"),
            ("pool", "`pool` says no number: use 1 to 256, as in pool:4"),
            ("workers", "as in workers:4"),
            ("pool:0", "out of range: use 1 to 256"),
            ("pool:257", "out of range"),
            ("pool:99999999999999", "out of range"),
            ("pool:", "is no topology"),
            ("pool:-1", "is no topology"),
            ("pool:+1", "is no topology"),
            ("pool:2/serial", "is no topology"),
            ("workers:2/shared", "is no topology"),
            ("shared:2", "is no topology"),
            ("Pool:2", "is no topology"),
        ] {
            let error = text.parse::<Topology>().unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn words_are_processes_and_sessions() {
        let all = |text| {
            let topology = read(text);
            (topology.processes(), topology.sharing().sessions(), topology.sharing().most_in_run())
        };
        assert_eq!(all("shared"), (1, 1, None));
        assert_eq!(all("serial"), (1, 1, Some(1)));
        assert_eq!(all("pool:1"), all("serial"));
        assert_eq!(all("pool:4"), (1, 4, Some(4)));
        assert_eq!(all("workers:4"), (4, 1, None));
        assert_eq!(all("workers:4/serial"), (4, 1, Some(1)));
        assert_eq!((read("pool:3").copies(), read("workers:5").copies()), (3, 5));
    }
}
