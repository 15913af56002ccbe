//! What is wrong with a profile, and where: as a compiler says it, with the line and a caret.

use std::fmt;
use std::path::PathBuf;

use super::embedded::embedded_names;
use super::secret::{HAS_USER, KEPT};
use crate::service::Line;
use crate::text::is_plain;

/// Why there is no profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// No embedded profile has this name and no file is there.
    #[error(
        "unknown profile `{name}`: there is {}; or name a YAML file, as in --profile ./{name}.yaml",
        embedded_names().collect::<Vec<_>>().join(", ")
    )]
    Unknown {
        /// What was typed.
        name: String,
    },
    /// The file cannot be read.
    #[error(
        "cannot read the profile {path}: {reason}; check the path, or write one with `mediscope-size measure -o`"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// A budget cannot be read.
    #[error("cannot read the budget {path}: {reason}")]
    UnreadableBudget {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// A list of requests cannot be read.
    #[error("cannot read the requests {path}: {reason}")]
    UnreadableRequests {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// The text is not a profile.
    #[error("{0}")]
    Invalid(Box<Invalid>),
}

/// What is wrong in the text, with its place.
#[derive(Debug, PartialEq, Eq)]
pub struct Invalid {
    origin: String,
    message: String,
    place: Option<Place>,
}

#[derive(Debug, PartialEq, Eq)]
struct Place {
    line: usize,
    column: usize,
    source: String,
}

impl ProfileError {
    /// The file that it is about, and the line in it, 1 where the whole is wrong; `None` where no file
    /// is.
    pub fn line(&self) -> Option<Line> {
        let line = |file: String, number: usize| {
            Some(Line { file, number: u32::try_from(number).unwrap_or(u32::MAX) })
        };
        match self {
            Self::Unknown { .. } => None,
            Self::Unreadable { path, .. }
            | Self::UnreadableBudget { path, .. }
            | Self::UnreadableRequests { path, .. } => line(path.display().to_string(), 1),
            Self::Invalid(invalid) => {
                line(invalid.origin.clone(), invalid.place.as_ref().map_or(1, |p| p.line))
            }
        }
    }

    /// Something is wrong with the whole.
    pub(super) fn nothing(origin: &str, message: &str) -> Self {
        let (origin, message) = (origin.to_owned(), message.to_owned());
        Self::Invalid(Box::new(Invalid { origin, message, place: None }))
    }

    /// Brackets are nested too deeply at this place.
    pub(super) fn too_deep((line, column): (usize, usize), text: &str, origin: &str) -> Self {
        let message = "brackets are nested too deeply here: nothing that is read is".to_owned();
        let place = Place::of(text, line, column);
        Self::Invalid(Box::new(Invalid { origin: origin.to_owned(), message, place }))
    }

    pub(super) fn yaml(error: &serde_yaml::Error, text: &str, origin: &str) -> Self {
        if text.trim().is_empty() {
            let message = "the file is empty: a profile needs `name:` and `models:`".to_owned();
            return Self::Invalid(Box::new(Invalid {
                origin: origin.into(),
                message,
                place: None,
            }));
        }
        let full = error.to_string();
        let message = full.rfind(" at line ").map_or(full.as_str(), |end| &full[..end]);
        let place = error.location().map(|l| (l.line(), l.column()));
        let place = second_key(message, text)
            .or_else(|| second_document(message, text))
            .or(place)
            .and_then(|(line, column)| Place::of(text, line, column))
            // What was never closed is noticed behind the last line, and begun at another place.
            .or_else(|| {
                Place::of(text, number_after(&full, " at line ")?, number_after(&full, " column ")?)
            });
        let message = in_our_words(&in_short(message), place.as_ref());
        // The line may hold the secret.
        let place = place.filter(|_| !message.contains(KEPT) && !message.contains(HAS_USER));
        Self::Invalid(Box::new(Invalid { origin: origin.to_owned(), message, place }))
    }
}

impl Place {
    fn of(text: &str, line: usize, column: usize) -> Option<Self> {
        let source = text.lines().nth(line.checked_sub(1)?)?.to_owned();
        Some(Self { line, column, source })
    }

    /// The source line and how far its mark is from its start. Of a line that is too long, what is
    /// around the mark.
    fn shown(&self) -> (String, usize) {
        let before = self.column.saturating_sub(1);
        let is_long = self.source.chars().count() > LONGEST;
        let cut = if is_long { before.saturating_sub(LONGEST / 2) } else { 0 };
        let shown: String = self.source.chars().skip(cut).take(LONGEST).collect();
        // A character that moves the cursor would move the mark away, too.
        let plain = |c: char| if is_plain(c) { c } else { ' ' };
        (shown.chars().map(plain).collect(), before - cut)
    }
}

/// Bytes of a message that are shown: the parser repeats what it does not expect.
const LONGEST_MESSAGE: usize = 1000;

/// A message without its middle, where it is long.
fn in_short(message: &str) -> String {
    if message.len() <= LONGEST_MESSAGE {
        return message.to_owned();
    }
    let begin = message.floor_char_boundary(LONGEST_MESSAGE / 2);
    let end = message.ceil_char_boundary(message.len() - LONGEST_MESSAGE / 2);
    format!("{} … {}", &message[..begin], &message[end..])
}

/// Characters of a source line that are shown.
const LONGEST: usize = 100;

fn number_after(text: &str, word: &str) -> Option<usize> {
    let rest = &text[text.rfind(word)? + word.len()..];
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Where the first document ends, if there is another.
fn second_document(message: &str, text: &str) -> Option<(usize, usize)> {
    let is_second = message.contains("more than one document");
    // A line of dashes may also open the first.
    let begun = text.lines().position(|l| !l.is_empty() && !l.starts_with(['#', '%', '-']))?;
    let line = text.lines().skip(begun).position(|l| l.starts_with("---")).filter(|_| is_second)?;
    Some((begun + line + 1, 1))
}

/// The parser speaks of fields and of Rust's types, a reader of YAML of keys and numbers; and what
/// to do is said.
fn in_our_words(message: &str, place: Option<&Place>) -> String {
    let mut text = message.to_owned();
    let at = place.and_then(|p| p.source.chars().nth(p.column.checked_sub(1)?));
    if at == Some('\t') {
        return "a tab cannot indent: use spaces".to_owned();
    }
    if text.contains("more than one document") {
        return "a second document begins here: remove the rest, or give it a file of its own"
            .to_owned();
    }
    text = text.replace("expected struct Keys", "expected a profile, with `name:` and `models:`");
    text = text.replace("expected struct BudgetKeys", "expected a budget, with `services:`");
    text = text.replace(
        "expected struct ServiceKeys",
        "expected a service, with `rules:` and a `profile:` or `model:`",
    );
    text = text.replace("expected struct RuleKeys", "expected a rule, as in {max_buffer: 20M}");
    text = text.replace("unit value", "nothing");
    text = text.replace("expected a YAML tag starting with '!'", "expected a single word");
    for integer in ["u16", "u32", "u64"] {
        text = text.replace(&format!("expected {integer}"), "expected a whole number, 0 or more");
    }
    text = text.replace("expected i64", "expected a whole number");
    text = text.replace("expected f64", "expected a number");
    text = text.replace("unknown field", "unknown key").replace("unknown variant", "unknown value");
    if text.contains("missing field") {
        text = format!("{}: add it", text.replace("missing field", "there is no"));
    } else if text.contains("duplicate field") {
        text = format!("{} is there twice: keep one", text.replace("duplicate field ", ""));
    }
    text
}

/// The parser gives a repeated key the place of its mapping; this finds the repetition itself: the
/// second line with that key at the indentation of the first.
fn second_key(message: &str, text: &str) -> Option<(usize, usize)> {
    let key = message.split("duplicate field `").nth(1)?.split('`').next()?;
    let indentation = |line: &str| {
        let rest = line.trim_start();
        rest.strip_prefix(key)?.trim_start().strip_prefix(':')?;
        Some(line.len() - rest.len())
    };
    let mut places = text.lines().zip(1..).filter_map(|(l, n)| Some((n, indentation(l)?)));
    let (_, first) = places.next()?;
    places.find(|(_, spaces)| *spaces == first).map(|(line, spaces)| (line, spaces + 1))
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(place @ Place { line, column, .. }) = &self.place else {
            return write!(f, "{}: {}", self.origin, self.message);
        };
        let (source, before) = place.shown();
        let margin = " ".repeat(line.to_string().len());
        let indent = " ".repeat(before);
        writeln!(f, "{}:{line}:{column}: {}", self.origin, self.message)?;
        writeln!(f, "{margin} |")?;
        writeln!(f, "{line} | {source}")?;
        write!(f, "{margin} | {indent}^")
    }
}
