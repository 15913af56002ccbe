//! Secrets: what of a request, and of the command that starts a service, no profile keeps, because
//! profiles are committed and shown.
//!
//! Names of secrets cannot be listed: `Ocp-Apim-Subscription-Key`, `pwd`, `api%5Fkey`. So a value is kept
//! where it is known to be harmless, by its name or by what it is (a number, a file, a word, sentences),
//! or where the user says that it is (`allow_values`). Any other is refused, and is to be named by the
//! environment variable that holds it. The words and positions of the started command are too many for
//! that: of them, what is named or looks like a secret is refused.

use percent_encoding::percent_decode_str;
use serde_yaml::Value;

use super::live::{BASE64_MARK, FILE_MARK};
use crate::text::shell_word;

/// Marks the environment variable that holds a value.
pub const ENVIRONMENT_MARK: &str = "env:";

/// In what is said of every value that is refused.
pub(super) const KEPT: &str = "would be kept in the profile, which is committed and shown";

/// The name of segments of an address's path among the values that are allowed.
const SEGMENT: &str = "path";
/// The name of words of the command.
const WORD: &str = "command";
/// The name of JSON that is one text.
const BARE_JSON: &str = "json";

/// Where a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Header,
    /// Of an address: `?a=b`, `;a=b`, `#a=b`.
    Parameter,
    /// Of the path of an address.
    Segment,
    /// Of a form.
    Field,
    Json,
    /// Of the command: `--a=b`, `--a b`.
    Option,
    /// Of the command: `A=b`, as behind `env` and `docker run -e`.
    Variable,
    /// Of the command, in any other place.
    Word,
}

/// What is said of an address with a password.
pub(super) const HAS_USER: &str = "an address is kept in the profile, and what is before its @ is a secret: leave it \
     out, and name an environment variable that holds the value of the header instead, as in --header \
     'Authorization: env:MY_BASIC'";

impl Place {
    fn refusal(self, name: &str) -> String {
        let (what, instead) = match self {
            Self::Header => (
                format!("the value of the header `{name}`"),
                format!(
                    "--header '{name}: env:MY_SECRET', or --bearer-env MY_TOKEN for a bearer token"
                ),
            ),
            Self::Parameter => (
                format!("the parameter `{name}` of an address"),
                format!("'http://127.0.0.1:8000/predict?{name}=env:MY_SECRET'"),
            ),
            Self::Segment => (
                "a part of the path of an address".to_owned(),
                "'http://127.0.0.1:8000/env:MY_SECRET/predict'".to_owned(),
            ),
            Self::Field => {
                (format!("the field `{name}` of a form"), format!("--form '{name}=env:MY_SECRET'"))
            }
            Self::Json if name == BARE_JSON => (
                "the text that is sent as JSON".to_owned(),
                "--json '\"env:MY_SECRET\"'".to_owned(),
            ),
            Self::Json => (
                format!("the value of `{name}` in JSON"),
                format!("--json '{{\"{name}\": \"env:MY_SECRET\"}}'"),
            ),
            Self::Option => (
                format!("the option `{name}` of the command"),
                format!("{name}=env:MY_SECRET, which is filled in when it is started"),
            ),
            Self::Variable => (
                format!("the variable `{name}` in the command"),
                format!(
                    "{name}=env:MY_SECRET, or set it for this tool, which hands its variables on"
                ),
            ),
            Self::Word => (
                "a word of the command that looks like a secret".to_owned(),
                "env:MY_SECRET, which is filled in when it is started".to_owned(),
            ),
        };
        let name = name.trim_start_matches('-');
        format!(
            "{what} {KEPT}: put it in an environment variable and name that, as in {instead}; where it is no \
             secret, say so with --allow-value {} (`allow_values: [{name}]` in `live`)",
            shell_word(name)
        )
    }
}

/// The names whose values are said to be harmless.
#[derive(Debug, Clone, Copy, Default)]
pub struct Allowed<'a>(pub &'a [String]);

impl Allowed<'_> {
    /// That a value may be kept.
    fn keeps(self, place: Place, name: &str, value: &str) -> Result<(), String> {
        if self.has(name) || is_reference(place, value) || is_harmless(place, name, value, self) {
            return Ok(());
        }
        Err(place.refusal(name))
    }

    fn has(self, name: &str) -> bool {
        self.0.iter().any(|allowed| same(allowed) == same(name))
    }

    /// That a header may be kept.
    ///
    /// # Errors
    /// Why not, without the value; so of all of these.
    pub(super) fn header(self, name: &str, value: &str) -> Result<(), String> {
        self.keeps(Place::Header, name, value)
    }

    /// That a field of a form may be kept.
    pub(super) fn field(self, name: &str, value: &str) -> Result<(), String> {
        self.keeps(Place::Field, name, value)
    }

    /// That all of JSON may be kept.
    pub(super) fn json(self, json: &Value) -> Result<(), String> {
        self.json_in(json, Above { name: BARE_JSON, secret: false, harmless: None })
    }

    /// A value in a list has the name of the list; what is above it counts, too.
    fn json_in(self, json: &Value, above: Above<'_>) -> Result<(), String> {
        let Above { name, secret, harmless } = above;
        match json {
            Value::String(text) if secret && !is_reference(Place::Json, text) => {
                if self.has(name) {
                    Ok(())
                } else {
                    Err(Place::Json.refusal(name))
                }
            }
            Value::String(text) => match harmless.filter(|_| !is_secret(name)) {
                Some(harmless) => self
                    .keeps(Place::Json, harmless, text)
                    .or_else(|_| self.keeps(Place::Json, name, text)),
                None => self.keeps(Place::Json, name, text),
            },
            Value::Number(number) => self.keeps(Place::Json, name, &number.to_string()),
            Value::Sequence(list) => list.iter().try_for_each(|value| self.json_in(value, above)),
            Value::Mapping(map) => map.iter().try_for_each(|(key, value)| {
                let name = key.as_str().unwrap_or(name);
                let is_group = matches!(value, Value::Mapping(_));
                let is_input = INPUTS.contains(&name.to_ascii_lowercase().as_str());
                let harmless = harmless.or(Some(name).filter(|_| is_input));
                let secret = secret || (is_group && is_secret(name));
                self.json_in(value, Above { name, secret, harmless })
            }),
            Value::Tagged(tagged) => self.json_in(&tagged.value, above),
            Value::Null | Value::Bool(_) => Ok(()),
        }
    }

    /// That an address may be kept.
    ///
    /// # Errors
    /// What it would give away, as in `http://me:secret@host/` and `http://host/?token=secret`.
    pub fn address(self, url: &str) -> Result<(), String> {
        let parts = Parts::of(url);
        if parts.authority.contains('@') {
            return Err(HAS_USER.to_owned());
        }
        parts.values().try_for_each(|(name, value)| match name {
            Some(name) => self.keeps(Place::Parameter, name, value),
            None => self.keeps(Place::Segment, SEGMENT, value),
        })
    }

    /// That the command of a service may be kept.
    pub(super) fn command(self, command: &[String]) -> Result<(), String> {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        self.words(&words, true)
    }

    fn words(self, words: &[&str], is_typed: bool) -> Result<(), String> {
        let mut before: Option<&str> = None;
        for word in words {
            let option = before.take();
            if is_typed && word.contains(char::is_whitespace) {
                // A script, as behind `sh -c`.
                let inner: Vec<&str> = word
                    .split(|c: char| c.is_whitespace() || "\"';|&()`".contains(c))
                    .filter(|word| !word.is_empty())
                    .collect();
                self.words(&inner, false)?;
                continue;
            }
            if word.starts_with('-') {
                match word.split_once('=') {
                    Some((name, value)) => self.option(name, value, is_typed)?,
                    None => {
                        self.keeps(Place::Word, WORD, word)?;
                        before = Some(*word);
                    }
                }
                continue;
            }
            match word.split_once('=') {
                Some((name, value)) if is_variable(name) && is_typed => {
                    self.keeps(Place::Variable, name, value)?;
                }
                Some((name, value)) if is_variable(name) => {
                    self.keeps(Place::Option, name, value)?;
                }
                _ => match option {
                    Some(name) => self.keeps(Place::Option, name, word)?,
                    None => self.keeps(Place::Word, WORD, word)?,
                },
            }
        }
        Ok(())
    }

    /// `--name=value`, and `-eNAME=value`, `-DNAME=value`.
    fn option(self, name: &str, value: &str, is_typed: bool) -> Result<(), String> {
        let short = name.strip_prefix(['-']).filter(|rest| !rest.starts_with('-'));
        match short.and_then(|rest| rest.strip_prefix('e')).filter(|rest| is_variable(rest)) {
            Some(variable) if is_typed => self.keeps(Place::Variable, variable, value),
            _ => self.keeps(Place::Option, name, value),
        }
    }
}

/// What stands above a value in JSON.
#[derive(Debug, Clone, Copy)]
struct Above<'a> {
    /// Its own name.
    name: &'a str,
    /// It is in a group whose name is of secrets.
    secret: bool,
    /// The name of a group of inputs that it is in.
    harmless: Option<&'a str>,
}

/// Names of what a model is given, in which any names may stand.
const INPUTS: [&str; 5] = ["features", "inputs", "instances", "messages", "outputs"];

/// Names that are the same but for how they are written.
fn same(name: &str) -> String {
    decoded(name).trim().trim_start_matches('-').to_lowercase().replace('_', "-")
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What JSON and forms may have in the place of a value that is made when it is sent.
const MADE: [&str; 4] = ["@random", "@uuid", "@counter", "@words"];

/// A value that is elsewhere, or made when it is sent.
fn is_reference(place: Place, value: &str) -> bool {
    let is_made =
        || MADE.iter().any(|made| value == *made || value.starts_with(&format!("{made}:")));
    value.starts_with(ENVIRONMENT_MARK)
        || is_made()
        || match place {
            Place::Field => value.starts_with(FILE_MARK),
            Place::Json => value.starts_with(BASE64_MARK),
            _ => false,
        }
}

fn is_harmless(place: Place, name: &str, value: &str, allowed: Allowed<'_>) -> bool {
    let value = decoded(value);
    let value = value.trim();
    if value.is_empty() {
        return true;
    }
    if place == Place::Header && HARMLESS_HEADERS.contains(&same(name).as_str()) {
        return !has_known_start(value) && is_address_harmless(value, allowed);
    }
    if is_secret(name) {
        let digits = value.chars().filter(char::is_ascii_digit).count();
        let is_count = value.parse::<f64>().is_ok() && digits <= 6 && !is_password(name);
        return is_count || SETTINGS.contains(&value);
    }
    if looks_random(value) || has_known_start(value) || !is_address_harmless(value, allowed) {
        return false;
    }
    match place {
        Place::Segment | Place::Option | Place::Word => true,
        Place::Variable => {
            has_harmless_name(name) || is_plain(value) || is_path_or_identifier(value)
        }
        Place::Header | Place::Parameter | Place::Field | Place::Json => {
            has_harmless_name(name) || is_plain(value)
        }
    }
}

/// What a name of a secret may be set to that is none.
const SETTINGS: [&str; 9] = ["true", "false", "null", "none", "on", "off", "yes", "no", "auto"];

/// Of a value that is an address, that all of it is harmless.
fn is_address_harmless(value: &str, allowed: Allowed<'_>) -> bool {
    !value.contains("://") || allowed.address(value).is_ok()
}

/// Headers that say how something is sent, and never who sends it.
const HARMLESS_HEADERS: [&str; 30] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "date",
    "expect",
    "host",
    "idempotency-key",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "origin",
    "pragma",
    "prefer",
    "range",
    "referer",
    "te",
    "traceparent",
    "user-agent",
    "via",
    "x-correlation-id",
    "x-forwarded-host",
    "x-request-id",
    "x-requested-with",
];

/// First or last words of names of what services of models are asked: `model_name`, `text_input`.
const HARMLESS_NAMES: [&str; 93] = [
    "answer",
    "answers",
    "backend",
    "batch",
    "caption",
    "category",
    "class",
    "codec",
    "color",
    "colour",
    "content",
    "context",
    "country",
    "currency",
    "dataset",
    "datatype",
    "date",
    "description",
    "device",
    "document",
    "documents",
    "dtype",
    "encoding",
    "engine",
    "features",
    "file",
    "filename",
    "filter",
    "format",
    "height",
    "host",
    "image",
    "images",
    "input",
    "inputs",
    "instances",
    "instruction",
    "label",
    "labels",
    "lang",
    "language",
    "layer",
    "layout",
    "length",
    "limit",
    "locale",
    "message",
    "messages",
    "method",
    "mode",
    "model",
    "models",
    "name",
    "offset",
    "order",
    "output",
    "outputs",
    "page",
    "passage",
    "passages",
    "port",
    "precision",
    "prompt",
    "quality",
    "queries",
    "query",
    "question",
    "questions",
    "region",
    "role",
    "sampler",
    "scale",
    "sentence",
    "sentences",
    "sequence",
    "sequences",
    "size",
    "smiles",
    "sort",
    "speaker",
    "stop",
    "style",
    "task",
    "template",
    "text",
    "texts",
    "title",
    "type",
    "version",
    "voice",
    "width",
    "word",
    "words",
];

fn has_harmless_name(name: &str) -> bool {
    let words = words(name);
    let is_listed =
        |word: Option<&String>| word.is_some_and(|w| HARMLESS_NAMES.contains(&w.as_str()));
    is_listed(words.first()) || is_listed(words.last())
}

/// The words of a name in any of the usual ways to write one: `api-key`, `clientSecret`, `API_KEY`.
fn words(name: &str) -> Vec<String> {
    let name: Vec<char> = decoded(name).chars().collect();
    let mut words = vec![String::new()];
    for (index, c) in name.iter().enumerate() {
        let before = index.checked_sub(1).map(|i| name[i]);
        let after = name.get(index + 1);
        let begins = c.is_uppercase()
            && before.is_some_and(|b| {
                !b.is_uppercase() || after.is_some_and(|a| a.is_lowercase() && b.is_alphabetic())
            });
        if begins || !c.is_alphanumeric() {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Words of which one makes what has the name a secret.
const SECRET_WORDS: [&str; 19] = [
    "auth",
    "authorization",
    "bearer",
    "cookie",
    "cookies",
    "credential",
    "credentials",
    "jwt",
    "key",
    "keys",
    "passwd",
    "password",
    "psw",
    "pw",
    "pwd",
    "secret",
    "session",
    "signature",
    "token",
];

/// Names that are secrets as a whole, and words of other names.
const SECRET_NAMES: [&str; 9] = ["code", "cvc", "cvv", "login", "otp", "pass", "pin", "sas", "sig"];

/// What a name has somewhere, written together.
const SECRET_STEMS: [&str; 12] = [
    "accesskey",
    "apikey",
    "authkey",
    "credential",
    "functionskey",
    "passcode",
    "passphrase",
    "password",
    "privatekey",
    "secret",
    "sessionid",
    "subscriptionkey",
];

/// Last words of names that say something of a secret, and not what it is: `key_file`.
const ABOUT: [&str; 13] = [
    "count", "dir", "env", "file", "folder", "format", "length", "limit", "mode", "name", "path",
    "size", "type",
];

fn is_secret(name: &str) -> bool {
    let words = words(name);
    if words.last().is_some_and(|word| ABOUT.contains(&word.as_str())) {
        return false;
    }
    let whole = words.concat();
    words.iter().any(|word| SECRET_WORDS.contains(&word.as_str()))
        || SECRET_NAMES.contains(&whole.as_str())
        || SECRET_STEMS.iter().any(|stem| whole.contains(stem))
}

/// Whether even a number is a secret below this name.
fn is_password(name: &str) -> bool {
    let whole = words(name).concat();
    ["pass", "pwd", "secret"].iter().any(|stem| whole.contains(stem))
        || SECRET_NAMES.contains(&whole.as_str())
}

/// How well-known secrets begin.
const STARTS: [&str; 31] = [
    "-----BEGIN",
    "AIza",
    "AKIA",
    "ASIA",
    "Basic ",
    "Bearer ",
    "Digest ",
    "SG.",
    "Token ",
    "basic ",
    "bearer ",
    "dop_v1_",
    "eyJ",
    "ghp_",
    "gho_",
    "ghr_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "gsk_",
    "hf_",
    "npm_",
    "pk_live_",
    "pypi-",
    "rk_live_",
    "sk-",
    "sk_live_",
    "sk_test_",
    "token ",
    "ya29.",
];

fn has_known_start(value: &str) -> bool {
    let slack = ["xoxa-", "xoxb-", "xoxp-", "xoxr-", "xoxs-"];
    value.split(|c: char| c.is_whitespace() || "\"'=,".contains(c)).chain([value]).any(|word| {
        STARTS
            .iter()
            .chain(&slack)
            .any(|start| word.starts_with(start) && word.len() >= start.len() + 2)
    })
}

/// Whether a part of a value is as a generator makes it: long, with digits among the letters. What is
/// before a digest says that it is one, and paths from the root may have one.
fn looks_random(value: &str) -> bool {
    if value.starts_with(['/', '.', '~']) || value.starts_with("data:") {
        return false;
    }
    value.split_whitespace().any(|word| {
        let word = word.find("sha256:").map_or(word, |at| &word[..at]);
        if is_uuid(word) {
            return false;
        }
        let runs: Vec<&str> = word
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|run| !run.is_empty())
            .collect();
        let has = |run: &str, of: fn(&char) -> bool| run.chars().any(|c| of(&c));
        let is_mixed =
            |run: &str| has(run, char::is_ascii_digit) && has(run, char::is_ascii_alphabetic);
        let length: usize = runs.iter().map(|run| run.len()).sum();
        let changes: usize = runs.iter().map(|run| changes(run)).sum();
        let is_dense = length >= 24 && is_mixed(&runs.concat()) && changes * 10 >= length * 3;
        runs.iter().any(|run| run.len() >= 16 && is_mixed(run)) || is_dense
    })
}

/// How often the kind of character changes in a run of letters and digits.
fn changes(run: &str) -> usize {
    let kind = |b: u8| (b.is_ascii_digit(), b.is_ascii_uppercase());
    run.as_bytes().windows(2).filter(|pair| kind(pair[0]) != kind(pair[1])).count()
}

fn is_uuid(word: &str) -> bool {
    let lengths: Vec<usize> = word.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

/// The longest word that is kept as one.
const LONGEST_WORD: usize = 8;

/// The endings of names of files that are sent to services.
const ENDINGS: [&str; 14] = [
    "bmp", "csv", "gif", "jpeg", "jpg", "json", "mp3", "mp4", "onnx", "pdf", "png", "txt", "wav",
    "webp",
];

/// A number, several of them, a word, a language, a kind of file, the name of a file, an address, or
/// sentences.
fn is_plain(value: &str) -> bool {
    let digits = value.chars().filter(char::is_ascii_digit).count();
    if value.parse::<f64>().is_ok() {
        return digits <= 13;
    }
    let is_all = |of: fn(char) -> bool| value.chars().all(of);
    let is_word = value.len() <= LONGEST_WORD
        && (is_all(|c| c.is_ascii_lowercase()) || is_all(|c| c.is_ascii_uppercase()));
    // 512x512, 2024-01-31T10:00:00Z, 0.1,0.2, 1-3, v2, 1.2.3
    let is_numbers = value.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit())
        && value
            .trim_start_matches('v')
            .chars()
            .all(|c| c.is_ascii_digit() || "x,:./-+TZ% ".contains(c))
        && value.split(|c: char| !c.is_ascii_digit()).all(|run| run.len() <= LONGEST_WORD);
    let is_language = value.split(['-', '_']).count() == 2
        && value.split(['-', '_']).all(|part| {
            (2..=4).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphabetic())
        });
    let is_kind = value.split_once('/').is_some_and(|(kind, of)| {
        ["application", "audio", "font", "image", "model", "multipart", "text", "video"]
            .contains(&kind)
            && of.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-+.".contains(c))
    });
    let is_file = value.rsplit_once('.').is_some_and(|(_, ending)| {
        ENDINGS.contains(&ending.to_ascii_lowercase().as_str())
            && !value.contains(char::is_whitespace)
    });
    is_word
        || is_numbers
        || is_language
        || is_kind
        || is_file
        || value.contains("://")
        || value.starts_with("data:")
        || is_prose(value)
}

/// Sentences, or a text in a script that has no blanks between words: secrets are of ASCII.
fn is_prose(value: &str) -> bool {
    let is_of_words = value.split_whitespace().all(|word| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        let letters = word.chars().filter(|c| c.is_alphabetic()).count();
        let digits = word.chars().filter(char::is_ascii_digit).count();
        word.len() <= 6 || digits == 0 || letters == 0 || !word.is_ascii()
    });
    let has_words = value.split_whitespace().count() > 1;
    let is_foreign = value.chars().any(|c| c.is_alphabetic() && !c.is_ascii());
    is_of_words && (has_words || is_foreign)
}

/// `conf/app.toml`, `uvicorn.workers.UvicornWorker`, `0.0.0.0:8000`, `app:app`, `text-model`.
fn is_path_or_identifier(value: &str) -> bool {
    let mut parts = value.split(['/', '.', ':', '-', '_', ',']).filter(|part| !part.is_empty());
    let has_several = value.contains(['/', '.', ':', '-', '_']);
    has_several
        && parts.all(|part| part.chars().all(|c| c.is_ascii_alphanumeric() || "~$*@+".contains(c)))
}

/// An address in parts: values and what stands between them.
struct Parts<'a> {
    /// Scheme and authority.
    before: &'a str,
    authority: &'a str,
    /// Pieces of the rest, each with what begins it: a slash, a semicolon, a question mark …
    pieces: Vec<(Option<char>, &'a str)>,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Self {
        let start = url.find("://").map_or(0, |at| at + 3);
        let ends = |c: char| matches!(c, '/' | '?' | '#' | '\\');
        let end = url[start..].find(ends).map_or(url.len(), |at| start + at);
        let mut pieces = Vec::new();
        let (mut rest, mut in_query) = (&url[end..], false);
        while let Some(sign) = rest.chars().next() {
            in_query |= sign == '?' || sign == '#';
            let rest_of = &rest[sign.len_utf8()..];
            let is_sign = |c: char| match c {
                ';' | '#' => true,
                '?' | '/' => !in_query,
                '&' => in_query,
                _ => false,
            };
            let length = rest_of.find(is_sign).unwrap_or(rest_of.len());
            pieces.push((Some(sign), &rest_of[..length]));
            rest = &rest_of[length..];
        }
        Self { before: &url[..end], authority: &url[start..end], pieces }
    }

    /// The values, with their names where they have one. Of a path, only what stands behind a semicolon
    /// has.
    fn values(&self) -> impl Iterator<Item = (Option<&'a str>, &'a str)> {
        let mut in_query = false;
        self.pieces.iter().map(move |(sign, piece)| {
            in_query |= matches!(sign, Some('?' | '#'));
            match piece.split_once('=').filter(|_| in_query || *sign == Some(';')) {
                Some((name, value)) => (Some(name), value),
                None => (None, *piece),
            }
        })
    }
}

/// The variables that an address names.
pub(super) fn variables_of(url: &str) -> impl Iterator<Item = &str> {
    let values: Vec<&str> = Parts::of(url).values().map(|(_, value)| value).collect();
    values.into_iter().filter_map(|value| value.strip_prefix(ENVIRONMENT_MARK))
}

/// The address with what the variables hold that it names.
///
/// # Errors
/// Those of `held`, which is asked for what a variable holds, as it stands in an address.
pub fn filled<E>(url: &str, held: impl Fn(&str) -> Result<String, E>) -> Result<String, E> {
    let parts = Parts::of(url);
    let mut out = parts.before.to_owned();
    for ((sign, piece), (_, value)) in parts.pieces.iter().zip(parts.values()) {
        out.extend(*sign);
        match value.strip_prefix(ENVIRONMENT_MARK) {
            Some(variable) => {
                out.push_str(&piece[..piece.len() - value.len()]);
                out.push_str(&held(variable)?);
            }
            None => out.push_str(piece),
        }
    }
    Ok(out)
}

/// The variable that a word of a command names, and what stands before it: `env:MY_KEY`,
/// `--api-key=env:MY_KEY`.
pub fn variable_in(word: &str) -> Option<(&str, &str)> {
    let start = if word.starts_with(ENVIRONMENT_MARK) {
        0
    } else {
        word.find(&format!("={ENVIRONMENT_MARK}"))? + 1
    };
    let name = &word[start + ENVIRONMENT_MARK.len()..];
    is_variable(name).then_some((&word[..start], name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Live;

    const NONE: Allowed<'_> = Allowed(&[]);

    fn live(text: &str) -> Live {
        serde_yaml::from_str(text).unwrap()
    }

    fn json(text: &str) -> Value {
        serde_yaml::from_str(text).unwrap()
    }

    #[test]
    fn what_is_not_known_to_be_harmless_is_not_kept() {
        for (name, value) in [
            ("Authorization", "Bearer x"),
            ("cookie", "a=b"),
            ("X-Api-Key", "x"),
            ("X_CSRF_Token", "x"),
            ("Ocp-Apim-Subscription-Key", "abc"),
            ("x-functions-key", "abc"),
            ("X-Tenant", "Acme42"),
            ("X-Custom", "Bearer abc"),
            ("User-Agent", "sk-abcdef"),
            ("Referer", "http://h/?token=abc"),
        ] {
            let refused = NONE.header(name, value).unwrap_err();
            assert!(refused.contains(name) && refused.contains(KEPT), "{refused}");
            assert!(!refused.contains(value) || value == "x", "{refused}");
        }
        for (name, value) in [
            ("password", "hunter"),
            ("pwd", "abc"),
            ("pin", "1234"),
            ("accesskey", "abc"),
            ("clientsecret", "abc"),
            ("clientSecret", "abc"),
            ("api%5Fkey", "abc"),
            ("token", "abc def"),
            ("text", "hf_abcdefghijk"),
            ("prompt", "my key is AKIAABCDEFGHIJKLMNOP"),
            ("x", "Hunter2!"),
            ("x", "d41d8cd98f00b204e9800998ecf8427e"),
            ("x", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            ("image_url", "https://me:pw@h/cat.png"),
            ("image_url", "https://h/cat.png?sig=abc"),
        ] {
            assert!(NONE.field(name, value).is_err(), "{name}={value}");
            let nested = format!("{{a: [{{'{name}': '{value}'}}]}}");
            assert!(NONE.json(&json(&nested)).is_err(), "{nested}");
        }
        for text in [
            "{inputs: {pw: Hunter2}}",
            "{instances: [{x: hf_abcdefghijk}]}",
            "{credentials: {user: bob, value: abc}}",
            "Xy7$kk",
            "{auth: [abc]}",
            "{pin: 1234}",
        ] {
            assert!(NONE.json(&json(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn what_services_of_models_are_asked_is_kept() {
        for (name, value) in [
            ("X-Api-Version", "2"),
            ("X-Api-Version", "v1.2"),
            ("Idempotency-Key", "x"),
            ("X-Author", "x"),
            ("Accept", "application/json; q=0.9"),
            ("X-Request-Id", "550e8400-e29b-41d4-a716-446655440000"),
            ("X-Api-Key", "env:MY_KEY"),
        ] {
            assert_eq!(NONE.header(name, value), Ok(()), "{name}: {value}");
        }
        for (name, value) in [
            ("file", "@scan.png"),
            ("lang", "en"),
            ("language", "en-US"),
            ("size", "512x512"),
            ("x", "large"),
            ("x", "0.25"),
            ("x", "true"),
            ("x", "image/png"),
            ("x", "2024-01-31T10:00:00Z"),
            ("model", "sentence-transformers/all-MiniLM-L6-v2"),
            ("model", "facebook/wav2vec2-base-960h"),
            ("model_name", "resnet50-v1-7"),
            ("max_tokens", "128"),
            ("token", "env:T"),
            ("text", "What is the capital of France? It had 2 million in 2019."),
            ("x", "¿Cuántos años tiene?"),
            ("x", "你好"),
            ("image_url", "https://example.com/cats/cat.png?size=3"),
            ("path", "scan-1.png"),
        ] {
            assert_eq!(NONE.field(name, value), Ok(()), "{name}={value}");
            let nested = format!("{{a: [{{'{name}': '{value}'}}]}}");
            if !value.starts_with('@') {
                assert_eq!(NONE.json(&json(&nested)), Ok(()), "{nested}");
            }
        }
        for text in [
            "{pad_token_id: 0, do_sample: true, token: null, seeds: [1, 2], key: 3}",
            "{image: '@base64:scan.png', id: '@uuid', n: '@words:12'}",
            "{messages: [{role: user, content: A long sentence.}]}",
            "{instances: [[1.5, 2]], signature_name: serving_default}",
            "{inputs: [{name: input_ids, shape: [1, 128], datatype: INT64, data: [1, 2]}]}",
            "{features: {age: 31, income: 50K-60K, zip: '94107'}, stop: [\"\\n\", 'User:']}",
            "{sentences: [Hello world, Bonjour], device: cpu}",
            "{auth: 'env:MY_KEY', credentials: {key: 'env:A'}}",
        ] {
            assert_eq!(NONE.json(&json(text)), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_allowed_by_name_is_kept() {
        let allowed = ["x-tenant".to_owned(), "API_KEY".to_owned(), "path".to_owned()];
        let allowed = Allowed(&allowed);
        assert_eq!(allowed.header("X-Tenant", "Acme42"), Ok(()));
        assert_eq!(allowed.field("api%5Fkey", "Acme42"), Ok(()));
        assert_eq!(allowed.address("http://h/T0123456789abcdef01/x?api-key=Acme42"), Ok(()));
        assert!(allowed.field("tenant", "Acme42").is_err());
        let read = live("{url: 'http://h/?tenant=Acme42', allow_values: [tenant]}");
        assert_eq!(read.check(), Ok(()));
    }

    #[test]
    fn an_address_shows_no_secret() {
        for url in [
            "http://h/?api_key=x",
            "http://h/a?b=c&Access-Token=x#d",
            "http://h/?key=x",
            "http://h/a;token=x/b",
            "http://h/?a=b;pwd=x",
            "http://h/#access_token=x",
            "http://h/?api%5Fkey=x",
            "http://h/bot123456789:AAF3xkGhR29sPz0aB1cD2/send",
            "http://me:pw@h/",
            r"http://me:pw@h\x",
        ] {
            assert!(NONE.address(url).is_err(), "{url}");
        }
        for url in [
            "http://h/?monkey=x",
            "http://h/?size=3&token=env:T",
            "http://h/v1/models/resnet50-v1-7:predict",
            "http://h/a@b?c=d",
            "http://h/env:HOOK/x;token=env:T",
            "http://[::1]:8000/",
        ] {
            assert_eq!(NONE.address(url), Ok(()), "{url}");
        }
        assert_eq!(
            live("{url: http://h/, ready: !url 'http://me@h'}").check().unwrap_err(),
            HAS_USER
        );
        let held = |name: &str| Ok::<_, ()>(format!("<{name}>"));
        let url = "http://h/a=env:A/env:S;t=env:T?ba=env:AB&a=env:A&c&token=env:T#a=b";
        let full = "http://h/a=env:A/<S>;t=<T>?ba=<AB>&a=<A>&c&token=<T>#a=b";
        assert_eq!(filled(url, held).unwrap(), full);
        assert_eq!(variables_of(url).collect::<Vec<_>>(), ["S", "T", "AB", "A", "T"]);
        for plain in ["http://h", "http://h/?", "http://h/?a&b=#c", "", "http://h/a/;?x"] {
            assert_eq!(filled(plain, held).unwrap(), plain);
        }
        assert_eq!(filled(url, |_| Err(())), Err(()));
    }

    #[test]
    fn a_command_shows_no_secret() {
        let words = |text: &str| text.split('|').map(str::to_owned).collect::<Vec<_>>();
        for command in [
            "serve|--api-key=abc",
            "serve|--api-key|abc",
            "docker|run|-e|TOKEN=abc|image",
            "docker|run|-eTOKEN=abc|image",
            "env|DB_PASSWORD=abc|serve",
            "env|FOO=Hunter2|serve",
            "env|DATABASE_URL=postgres://me:pw@db/x|serve",
            "serve|postgres://me:pw@db/x",
            "serve|ghp_0123456789abcdefghij",
            "sh|-c|TOKEN=abc exec serve",
            "sh|-c|serve --password 'abc'",
        ] {
            let refused = NONE.command(&words(command)).unwrap_err();
            assert!(refused.contains("env:MY_SECRET") && !refused.contains("abc"), "{refused}");
        }
        for command in [
            "uvicorn|app:app|--port|8000",
            "gunicorn|-w|4|-k|uvicorn.workers.UvicornWorker|-b|127.0.0.1:8000|app:app",
            "env|MODEL=/models/resnet18.onnx|OMP_NUM_THREADS=1|LOG_LEVEL=INFO|serve",
            "docker|run|--rm|-p|8000:8000|-e|TOKEN|image@sha256:d41d8cd98f00b204e9800998ecf8427ed41d8cd98f00b204e9800998ecf8427e",
            "/nix/store/3xkghr29spz0ab1cd2ef-python/bin/python|-m|app",
            "sh|-c|exec python3 serve.py --port 8000 2>&1 | tee x=1.log",
            "serve|--api-key=env:MY_KEY|env:OTHER|--tls-key-file|/etc/key.pem|--auth|none",
            "python3|-c|import os; port = int(os.environ['PORT']); serve(port=port)",
        ] {
            assert_eq!(NONE.command(&words(command)), Ok(()), "{command}");
        }
        assert_eq!(variable_in("--api-key=env:MY_KEY"), Some(("--api-key=", "MY_KEY")));
        assert_eq!(variable_in("env:A"), Some(("", "A")));
        assert_eq!((variable_in("xenv:A"), variable_in("env:a b")), (None, None));
    }
}
