//! A service that runs by itself: how it is started, and what it is asked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize};

use super::secret::{Allowed, ENVIRONMENT_MARK, variable_in, variables_of};
use super::{ProfileError, from_yaml, text_of};
use crate::footprint::checked::{list, one_line, one_line_if_any};
use crate::service::Quantity;
use crate::units::{Seconds, Share};

/// A service of any language, driven through its own address.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Live {
    /// The program that serves and its arguments; none where a running one was measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// The folder that it is started in; relative to the profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// Where requests go.
    #[serde(deserialize_with = "one_line")]
    pub url: String,
    /// How it says that it can be asked; where it does not, its port is tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<Ready>,
    /// How long it may take until it can be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_timeout: Option<Quantity<Seconds>>,
    /// How long an answer is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Quantity<Seconds>>,
    /// The environment variable that holds a bearer token; the token itself is never written.
    #[serde(
        default,
        deserialize_with = "one_line_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub bearer_env: Option<String>,
    /// Certificates (PEM) that sign the service's own, instead of the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Names of headers, parameters, fields, options and variables whose values are no secrets, although
    /// they might be; `path` and `command` of segments of an address and of words of the command.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_values: Vec<String>,
    /// What it is asked, in these shares; one plain GET where nothing is said.
    #[serde(default, deserialize_with = "list", skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<Ask>,
}

/// How a service says that it is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ready {
    /// This address answers with success.
    Url(String),
    /// Somebody listens on this port of this machine.
    Port(u16),
    /// Its output has a line with this text.
    Line(String),
}

/// One kind of request.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Of all requests; what is not said is shared equally.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
    /// POST where something is sent, else GET.
    #[serde(
        default,
        deserialize_with = "one_line_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub method: Option<String>,
    /// Another address than the service's.
    #[serde(
        default,
        deserialize_with = "one_line_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub url: Option<String>,
    /// Headers by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// A file that is sent as it is, or a folder whose files take turns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<PathBuf>,
    /// Fields of a form (multipart/form-data); `@file` sends a file, or a folder's files in turn, and
    /// what [`Fresh`] knows is another text in each request. A field with a list is sent once for
    /// each of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub form: BTreeMap<String, Values>,
    /// JSON; a text in it that begins with `@base64:` becomes that file's bytes in base64, and what
    /// [`Fresh`] knows another value in each request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Json>,
}

/// What a field of a form holds: one text, or several under the same name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Typed", into = "Typed")]
pub struct Values(pub Vec<String>);

/// As a profile writes it.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Typed {
    One(String),
    Many(Vec<String>),
}

impl From<Typed> for Values {
    fn from(typed: Typed) -> Self {
        match typed {
            Typed::One(value) => Self(vec![value]),
            Typed::Many(values) => Self(values),
        }
    }
}

impl From<Values> for Typed {
    fn from(Values(mut values): Values) -> Self {
        match values.pop() {
            Some(value) if values.is_empty() => Self::One(value),
            last => {
                values.extend(last);
                Self::Many(values)
            }
        }
    }
}

/// Any JSON, as a profile writes it: YAML without what JSON does not have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(#[serde(deserialize_with = "json")] serde_yaml::Value);

fn json<'de, D: Deserializer<'de>>(deserializer: D) -> Result<serde_yaml::Value, D::Error> {
    let value = serde_yaml::Value::deserialize(deserializer)?;
    is_json(&value).map_err(serde::de::Error::custom)?;
    Ok(value)
}

/// Numbers and words that are true or false are keys in YAML, and become texts.
fn is_json(value: &serde_yaml::Value) -> Result<(), &'static str> {
    use serde_yaml::Value;
    match value {
        Value::Tagged(_) => Err("JSON has no tags: leave out the word that begins with `!`"),
        Value::Sequence(list) => list.iter().try_for_each(is_json),
        Value::Mapping(map) => map.iter().try_for_each(|(key, value)| match key {
            Value::String(_) | Value::Number(_) | Value::Bool(_) => is_json(value),
            _ => Err("the keys of JSON are texts: put the key in quotes"),
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

impl Json {
    /// What this value is in JSON.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn of(value: &impl Serialize) -> Result<Self, serde_yaml::Error> {
        serde_yaml::to_value(value).map(Self)
    }
}

/// Marks a file in a form.
pub const FILE_MARK: char = '@';
/// Marks a file in JSON.
pub const BASE64_MARK: &str = "@base64:";

/// A value in JSON, a field of a form or a header that is another in each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fresh {
    /// A whole number from 0 to 4294967295.
    Random,
    /// A random UUID.
    Uuid,
    /// 0 in the first request after a start, 1 in the next.
    Counter,
    /// So many words.
    Words(u32),
}

/// What is said of a number of words that is none.
const NO_WORDS: &str = "`@words:` is followed by how many words there are to be, 1 to 100000, as in \
     @words:50";

impl Fresh {
    /// What a text stands for; `None` where it is sent as it is.
    ///
    /// # Errors
    /// Where it is meant to stand for something and does not say what.
    pub fn of(text: &str) -> Option<Result<Self, &'static str>> {
        Some(Ok(match text {
            "@random" => Self::Random,
            "@uuid" => Self::Uuid,
            "@counter" => Self::Counter,
            _ => {
                let number = text.strip_prefix("@words:")?.parse().ok();
                let number = number.filter(|n| (1..=100_000).contains(n)).ok_or(NO_WORDS);
                return Some(number.map(Self::Words));
            }
        }))
    }
}

/// Marks an address that is a socket in the file system.
const SOCKET_MARK: &str = "unix:";

/// The socket of an address such as `unix:/run/app.sock:/predict`, and what is asked there, if that
/// is said; `None` of other addresses.
pub fn socket_and_path(url: &str) -> Option<(&str, Option<&str>)> {
    let rest = url.strip_prefix(SOCKET_MARK)?;
    let rest = rest.strip_prefix("//").filter(|path| path.starts_with('/')).unwrap_or(rest);
    Some(match rest.find(":/") {
        Some(end) => (&rest[..end], Some(&rest[end + 1..])),
        None => (rest, None),
    })
}

/// The address with a socket that does not depend on where the profile lies.
pub fn resolved(url: &str, folder: &Path) -> String {
    with_socket(url, &mut |path| *path = folder.join(&*path))
}

fn with_socket(url: &str, change: &mut dyn FnMut(&mut PathBuf)) -> String {
    match socket_and_path(url) {
        Some((socket, path)) if !socket.is_empty() => {
            let asked = path.map(|path| format!(":{path}")).unwrap_or_default();
            let mut socket = PathBuf::from(socket);
            change(&mut socket);
            format!("{SOCKET_MARK}{}{asked}", socket.display())
        }
        _ => url.to_owned(),
    }
}

impl Live {
    /// Whether it can be started.
    pub fn is_startable(&self) -> bool {
        !self.command.is_empty()
    }

    /// All that is asked.
    fn addresses(&self) -> impl Iterator<Item = &String> {
        let ready = match &self.ready {
            Some(Ready::Url(url)) => Some(url),
            _ => None,
        };
        self.requests.iter().filter_map(|ask| ask.url.as_ref()).chain(ready).chain([&self.url])
    }

    /// The environment variables that hold its secrets.
    pub fn variables(&self) -> Vec<&str> {
        let mut texts: Vec<&str> = Vec::new();
        for ask in &self.requests {
            texts.extend(ask.headers.values().map(String::as_str));
            texts.extend(ask.form.values().flat_map(|Values(values)| values).map(String::as_str));
            if let Some(Json(json)) = &ask.json {
                texts_of(json, &mut texts);
            }
        }
        let of_texts = texts.into_iter().filter_map(|text| text.strip_prefix(ENVIRONMENT_MARK));
        let of_urls = self.addresses().flat_map(|url| variables_of(url));
        let of_command = self.command.iter().filter_map(|word| Some(variable_in(word)?.1));
        let all = of_texts.map(str::trim).chain(of_urls).chain(of_command);
        all.chain(self.bearer_env.as_deref()).collect()
    }

    /// The names whose values are no secrets.
    pub fn allowed(&self) -> Allowed<'_> {
        Allowed(&self.allow_values)
    }

    /// What does not go together, and what would give a secret away.
    ///
    /// # Errors
    /// In words.
    pub fn check(&self) -> Result<(), String> {
        let allowed = self.allowed();
        self.addresses().try_for_each(|url| allowed.address(url))?;
        allowed.command(&self.command)?;
        for ask in &self.requests {
            ask.headers.iter().try_for_each(|(name, value)| allowed.header(name, value))?;
            for (name, Values(values)) in &ask.form {
                values.iter().try_for_each(|value| allowed.field(name, value))?;
            }
            if let Some(Json(json)) = &ask.json {
                allowed.json(json)?;
            }
            if let Some(wrong) = ask.texts().iter().find_map(|text| Fresh::of(text)?.err()) {
                return Err(wrong.to_owned());
            }
            let sent = [ask.body.is_some(), !ask.form.is_empty(), ask.json.is_some()];
            if sent.iter().filter(|s| **s).count() > 1 {
                let text = "a request of `live` sends a `body`, a `form` or `json`: keep one";
                return Err(text.to_owned());
            }
        }
        let stated: f64 = self.requests.iter().filter_map(|a| a.share).map(Share::get).sum();
        if stated > 1.0 + 1e-9 {
            let text = "the shares of the requests of `live` are more than all requests";
            return Err(text.to_owned());
        }
        Ok(())
    }

    /// The share of each request, in their order; they sum to 1.
    pub fn shares(&self) -> Vec<f64> {
        let stated: f64 = self.requests.iter().filter_map(|a| a.share).map(Share::get).sum();
        let silent = self.requests.iter().filter(|a| a.share.is_none()).count();
        #[expect(clippy::cast_precision_loss, reason = "a handful of requests")]
        let each = if silent > 0 { (1.0 - stated).max(0.0) / silent as f64 } else { 0.0 };
        let raw = self.requests.iter().map(|a| a.share.map_or(each, Share::get));
        let total: f64 = raw.clone().sum();
        if self.requests.is_empty() { vec![1.0] } else { raw.map(|s| s / total).collect() }
    }

    /// Makes every path one that does not depend on where the profile lies.
    pub fn resolve_paths(&mut self, folder: &Path) {
        if self.folder.is_some() || !folder.as_os_str().is_empty() {
            self.folder = Some(folder.join(self.folder.as_deref().unwrap_or(Path::new(""))));
        }
        self.each_file(&mut |path| *path = folder.join(&*path));
    }

    /// Every path but the folder that it is started in.
    fn each_file(&mut self, change: &mut dyn FnMut(&mut PathBuf)) {
        self.ca.iter_mut().for_each(&mut *change);
        let asked = self.requests.iter_mut().filter_map(|ask| ask.url.as_mut());
        let ready = match &mut self.ready {
            Some(Ready::Url(url)) => Some(url),
            _ => None,
        };
        for url in asked.chain(ready).chain([&mut self.url]) {
            *url = with_socket(url, change);
        }
        for ask in &mut self.requests {
            ask.body.iter_mut().for_each(&mut *change);
            for value in ask.form.values_mut().flat_map(|Values(values)| values) {
                if Fresh::of(value).is_none() {
                    change_marked(value, &FILE_MARK.to_string(), change);
                }
            }
            if let Some(Json(json)) = &mut ask.json {
                each_file_of(json, change);
            }
        }
    }

    /// Every path.
    pub(super) fn each_path(&mut self, change: &mut dyn FnMut(&mut PathBuf)) {
        self.folder.iter_mut().for_each(&mut *change);
        self.each_file(change);
    }
}

impl Ask {
    /// What may stand for something else.
    fn texts(&self) -> Vec<&str> {
        fn of_json<'a>(value: &'a serde_yaml::Value, found: &mut Vec<&'a str>) {
            match value {
                serde_yaml::Value::String(text) => found.push(text),
                serde_yaml::Value::Sequence(list) => list.iter().for_each(|v| of_json(v, found)),
                serde_yaml::Value::Mapping(map) => map.values().for_each(|v| of_json(v, found)),
                _ => {}
            }
        }
        let fields = self.form.values().flat_map(|Values(values)| values);
        let mut found: Vec<&str> =
            fields.chain(self.headers.values()).map(String::as_str).collect();
        if let Some(Json(json)) = &self.json {
            of_json(json, &mut found);
        }
        found
    }

    /// Makes the paths in JSON ones that do not depend on where the profile lies.
    pub fn resolve_json(&mut self, folder: &Path) {
        if let Some(Json(json)) = &mut self.json {
            each_file_of(json, &mut |path| *path = folder.join(&*path));
        }
    }
}

/// A list of requests by itself.
#[derive(Deserialize)]
#[serde(transparent)]
struct Asks(#[serde(deserialize_with = "list")] Vec<Ask>);

/// The requests that a file lists, as `live: requests:` of a profile does.
///
/// # Errors
/// Where it cannot be read, with the place.
pub fn asks(path: &Path, allow_values: &[String]) -> Result<Vec<Ask>, ProfileError> {
    let unreadable = |reason| ProfileError::UnreadableRequests { path: path.to_owned(), reason };
    let text = text_of(path).map_err(unreadable)?;
    let Asks(requests) = from_yaml(&text, &path.display().to_string())?;
    let allow_values = allow_values.to_owned();
    let mut live = Live { allow_values, requests, ..Live::default() };
    live.check().map_err(|what| unreadable(std::io::Error::other(what)))?;
    let folder = std::path::absolute(path).map_err(unreadable)?;
    live.resolve_paths(folder.parent().unwrap_or(Path::new("")));
    Ok(live.requests)
}

/// Every text in JSON, but for the names.
fn texts_of<'a>(value: &'a serde_yaml::Value, texts: &mut Vec<&'a str>) {
    match value {
        serde_yaml::Value::String(text) => texts.push(text),
        serde_yaml::Value::Sequence(list) => list.iter().for_each(|v| texts_of(v, texts)),
        serde_yaml::Value::Mapping(map) => map.iter().for_each(|(_, v)| texts_of(v, texts)),
        _ => {}
    }
}

/// Changes the path in a text that begins with a mark.
fn change_marked(text: &mut String, mark: &str, change: &mut dyn FnMut(&mut PathBuf)) {
    if let Some(file) = text.strip_prefix(mark) {
        let mut path = PathBuf::from(file);
        change(&mut path);
        *text = format!("{mark}{}", path.display());
    }
}

fn each_file_of(value: &mut serde_yaml::Value, change: &mut dyn FnMut(&mut PathBuf)) {
    match value {
        serde_yaml::Value::String(text) => change_marked(text, BASE64_MARK, change),
        serde_yaml::Value::Sequence(list) => list.iter_mut().for_each(|v| each_file_of(v, change)),
        serde_yaml::Value::Mapping(map) => {
            map.iter_mut().for_each(|(_, v)| each_file_of(v, change));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(text: &str) -> Live {
        serde_yaml::from_str(text).unwrap()
    }

    #[test]
    fn shares_that_are_not_said_are_equal() {
        let asked = live("url: http://h/\nrequests: [{share: 80%}, {method: PUT}, {}]");
        let shares = asked.shares();
        assert!((shares[0] - 0.8).abs() < 1e-12 && (shares[1] - 0.1).abs() < 1e-12);
        assert_eq!(live("url: http://h/").shares(), [1.0]);
    }

    #[test]
    fn paths_are_made_independent_of_the_folder() {
        let mut asked = live(
            "{url: http://h/, ca: ca.pem, requests: [{form: {a: '@x.png', b: plain}}, {json: {i: ['@base64:x.png']}}]}",
        );
        asked.resolve_paths(Path::new("/p"));
        assert_eq!(asked.requests[0].form["a"].0, ["@/p/x.png"]);
        assert_eq!(asked.requests[0].form["b"].0, ["plain"]);
        assert_eq!(asked.ca.as_deref(), Some(Path::new("/p/ca.pem")));
        let json = serde_yaml::to_string(&asked.requests[1].json).unwrap();
        assert!(json.contains("@base64:/p/x.png"), "{json}");
    }

    #[test]
    fn a_field_may_come_twice() {
        let text = "form:\n  a:\n  - x\n  - 'y'\n  b: z\n";
        let ask: Ask = serde_yaml::from_str(text).unwrap();
        assert_eq!((ask.form["a"].0.len(), ask.form["b"].0.len()), (2, 1));
        let written = serde_yaml::to_string(&ask).unwrap();
        assert_eq!(serde_yaml::from_str::<Ask>(&written).unwrap(), ask);
        assert!(written.contains("b: z"), "{written}");
    }

    #[test]
    fn a_request_sends_one_thing() {
        let asked = live("{url: http://h/, requests: [{body: a, form: {b: c}}]}");
        assert!(asked.check().is_err());
        assert!(live("{url: http://h/, requests: [{share: 70%}, {share: 70%}]}").check().is_err());
    }
}
