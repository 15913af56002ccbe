//! What a request carries: files read once, before anything is driven.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ureq::unversioned::multipart::{Form, Part};

use super::{environment, fresh};
use crate::files;
use crate::measure::live::LiveError;
use crate::profile::{Ask, BASE64_MARK, ENVIRONMENT_MARK, FILE_MARK, Fresh, Values};
use crate::units::Bytes;

/// All that the files of one kind of request may hold together: they are kept in memory.
const MOST_BYTES: Bytes = Bytes::GIB;

/// Files of a folder that take turns.
const MOST_FILES: usize = 10_000;

/// What one request carries.
#[derive(PartialEq, Eq, Hash)]
pub(super) enum Payload {
    Nothing,
    /// And what they are, where that is known.
    Bytes(Arc<[u8]>, Option<&'static str>),
    /// JSON with values that are new for each request.
    Json(Vec<Piece>),
    Form(Vec<Field>),
}

/// A part of JSON.
#[derive(PartialEq, Eq, Hash)]
pub(super) enum Piece {
    /// As it is sent.
    Literal(String),
    Fresh(Fresh),
}

/// One field of a form.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Field {
    name: String,
    content: Content,
}

#[derive(PartialEq, Eq, Hash)]
enum Content {
    Text(String),
    Fresh(Fresh),
    File { name: String, bytes: Arc<[u8]> },
}

impl Payload {
    /// Bytes, without what a form wraps its fields in; in the mean of some where they vary.
    #[expect(clippy::cast_precision_loss, reason = "bytes that are in memory")]
    pub(super) fn len(&self) -> f64 {
        match self {
            Self::Nothing => 0.0,
            Self::Bytes(bytes, _) => bytes.len() as f64,
            Self::Json(pieces) => mean(|turn| json(pieces, 0, turn).len()),
            Self::Form(fields) => mean(|turn| {
                let texts = texts(fields, 0, turn);
                fields.iter().zip(&texts).map(|(field, text)| field.len(text.as_ref())).sum()
            }),
        }
    }
}

impl Payload {
    /// Whether it is another in each request.
    pub(super) fn is_fresh(&self) -> bool {
        match self {
            Self::Nothing | Self::Bytes(..) => false,
            Self::Json(_) => true,
            Self::Form(fields) => fields.iter().any(|f| matches!(f.content, Content::Fresh(_))),
        }
    }
}

/// Of requests of some turns.
#[expect(clippy::cast_precision_loss, reason = "bytes that are in memory")]
fn mean(len: impl Fn(usize) -> usize) -> f64 {
    const SOME: usize = 64;
    (0..SOME).map(len).sum::<usize>() as f64 / SOME as f64
}

impl Field {
    fn len(&self, fresh: Option<&String>) -> usize {
        match &self.content {
            Content::Text(text) => text.len(),
            Content::Fresh(_) => fresh.map_or(0, String::len),
            Content::File { bytes, .. } => bytes.len(),
        }
    }
}

pub(super) fn payloads(ask: &Ask) -> Result<Vec<Payload>, LiveError> {
    let mut read = Read::default();
    if let Some(path) = &ask.body {
        let payload = |file: &PathBuf| {
            let kind = kind_of(&file.to_string_lossy());
            read.file(file).map(|bytes| Payload::Bytes(bytes, Some(kind)))
        };
        return files(path)?.iter().map(payload).collect();
    }
    if let Some(json) = &ask.json {
        let wrong =
            |e: &dyn fmt::Display| LiveError::Request(format!("the JSON cannot be sent: {e}"));
        let mut json = serde_json::to_value(json).map_err(|e| wrong(&e))?;
        fill(&mut json, &mut read)?;
        let mut pieces = Vec::new();
        split(&json, &mut pieces);
        return Ok(vec![match pieces.pop() {
            Some(Piece::Literal(text)) if pieces.is_empty() => {
                Payload::Bytes(text.into_bytes().into(), Some(JSON))
            }
            last => {
                pieces.extend(last);
                Payload::Json(pieces)
            }
        }]);
    }
    if ask.form.is_empty() {
        return Ok(vec![Payload::Nothing]);
    }
    forms(&ask.form, &mut read)
}

/// The kind of JSON.
pub(super) const JSON: &str = "application/json";

/// JSON as it is sent, split where values are new for each request.
fn split(value: &serde_json::Value, pieces: &mut Vec<Piece>) {
    let literal = |pieces: &mut Vec<Piece>, text: &str| match pieces.last_mut() {
        Some(Piece::Literal(before)) => before.push_str(text),
        _ => pieces.push(Piece::Literal(text.to_owned())),
    };
    match value {
        serde_json::Value::String(text) => match Fresh::of(text) {
            Some(Ok(fresh)) => pieces.push(Piece::Fresh(fresh)),
            _ => literal(pieces, &value.to_string()),
        },
        serde_json::Value::Array(list) => {
            for (index, item) in list.iter().enumerate() {
                literal(pieces, if index == 0 { "[" } else { "," });
                split(item, pieces);
            }
            literal(pieces, if list.is_empty() { "[]" } else { "]" });
        }
        serde_json::Value::Object(map) => {
            for (index, (key, item)) in map.iter().enumerate() {
                let key = serde_json::Value::from(key.as_str());
                literal(pieces, &format!("{}{key}:", if index == 0 { '{' } else { ',' }));
                split(item, pieces);
            }
            literal(pieces, if map.is_empty() { "{}" } else { "}" });
        }
        other => literal(pieces, &other.to_string()),
    }
}

/// The JSON of the request of this turn; see [`fresh::value`].
pub(super) fn json(pieces: &[Piece], seed: u64, turn: usize) -> String {
    let piece = |(place, piece): (usize, &Piece)| match piece {
        Piece::Literal(text) => text.clone(),
        Piece::Fresh(fresh) => fresh::value(*fresh, seed, turn, place).to_string(),
    };
    pieces.iter().enumerate().map(piece).collect()
}

/// What the fields are in the request of this turn that are new for each.
pub(super) fn texts(fields: &[Field], seed: u64, turn: usize) -> Vec<Option<String>> {
    let text = |(place, field): (usize, &Field)| match &field.content {
        Content::Fresh(fresh) => Some(fresh::text(*fresh, seed, turn, place)),
        _ => None,
    };
    fields.iter().enumerate().map(text).collect()
}

/// The form, with what [`texts`] gave.
pub(super) fn form<'a>(
    fields: &'a [Field],
    texts: &'a [Option<String>],
) -> Result<Form<'a>, ureq::Error> {
    let mut form = Form::new();
    for (field, fresh) in fields.iter().zip(texts) {
        form = match &field.content {
            Content::Text(text) => form.text(&field.name, text),
            Content::Fresh(_) => form.text(&field.name, fresh.as_deref().unwrap_or_default()),
            Content::File { name, bytes } => {
                let part = Part::bytes(bytes).file_name(name).mime_str(kind_of(name))?;
                form.part(&field.name, part)
            }
        };
    }
    Ok(form)
}

/// What a file is, by its ending.
pub(super) fn kind_of(name: &str) -> &'static str {
    let ending = Path::new(name).extension().and_then(|e| e.to_str()).unwrap_or_default();
    match ending.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "json" => JSON,
        "txt" => "text/plain",
        "pdf" => "application/pdf",
        "wav" => "audio/wav",
        "mp3" => "audio/mpeg",
        _ => "application/octet-stream",
    }
}

/// One form for each file, where a field names a folder.
fn forms(fields: &BTreeMap<String, Values>, read: &mut Read) -> Result<Vec<Payload>, LiveError> {
    let mut found: Vec<(String, Option<Vec<PathBuf>>, String)> = Vec::new();
    let all =
        fields.iter().flat_map(|(name, Values(values))| values.iter().map(move |v| (name, v)));
    for (name, value) in all {
        let file = value.strip_prefix(FILE_MARK).filter(|_| Fresh::of(value).is_none());
        let paths = file.map(|p| files(Path::new(p))).transpose()?;
        found.push((name.clone(), paths, value.clone()));
    }
    let turns =
        found.iter().filter_map(|(_, paths, _)| paths.as_ref().map(Vec::len)).max().unwrap_or(1);
    (0..turns)
        .map(|turn| {
            let mut field = |(name, paths, value): &(String, Option<Vec<PathBuf>>, String)| {
                let content = match paths {
                    None => match Fresh::of(value) {
                        Some(Ok(fresh)) => Content::Fresh(fresh),
                        _ => Content::Text(held(value, "a field of a form")?),
                    },
                    Some(paths) => {
                        let path = &paths[turn % paths.len()];
                        let name = path.file_name().unwrap_or_default().to_string_lossy();
                        Content::File { name: name.into_owned(), bytes: read.file(path)? }
                    }
                };
                Ok(Field { name: name.clone(), content })
            };
            found.iter().map(&mut field).collect::<Result<_, _>>().map(Payload::Form)
        })
        .collect()
}

/// The file, or the files of the folder in the order of their names; at least one.
fn files(path: &Path) -> Result<Vec<PathBuf>, LiveError> {
    let wrong =
        |reason| LiveError::Io { what: format!("{} cannot be sent", path.display()), reason };
    if !fs::metadata(path).map_err(wrong)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = files::list(path, MOST_FILES).map_err(wrong)?;
    let files: Vec<PathBuf> = entries.into_iter().filter(|p| p.is_file()).collect();
    if files.is_empty() {
        return Err(LiveError::Request(format!(
            "the folder {} holds no file to send",
            path.display()
        )));
    }
    Ok(files)
}

/// Files that were read, each once however often it is sent.
#[derive(Default)]
struct Read {
    files: BTreeMap<PathBuf, Arc<[u8]>>,
    total: Bytes,
}

impl Read {
    fn file(&mut self, path: &Path) -> Result<Arc<[u8]>, LiveError> {
        if let Some(bytes) = self.files.get(path) {
            return Ok(Arc::clone(bytes));
        }
        let bytes: Arc<[u8]> = read(path, MOST_BYTES)?.into();
        self.count(bytes.len())?;
        self.files.insert(path.to_owned(), Arc::clone(&bytes));
        Ok(bytes)
    }

    /// The same in base64, which is another text wherever it stands.
    fn encoded(&mut self, path: &Path) -> Result<String, LiveError> {
        let bytes = self.file(path)?;
        self.count(bytes.len())?;
        Ok(STANDARD.encode(bytes))
    }

    fn count(&mut self, bytes: usize) -> Result<(), LiveError> {
        self.total += Bytes::new(bytes as u64);
        if self.total <= MOST_BYTES {
            return Ok(());
        }
        Err(LiveError::Request(format!(
            "the files of a request hold more than {MOST_BYTES} together: send fewer or smaller ones"
        )))
    }
}

/// The bytes of a file.
pub(super) fn read(path: &Path, most: Bytes) -> Result<Vec<u8>, LiveError> {
    let what = || format!("{} cannot be sent", path.display());
    files::read(path, most).map_err(|reason| LiveError::Io { what: what(), reason })
}

/// A text, or what the variable holds that it names.
fn held(text: &str, what: &str) -> Result<String, LiveError> {
    match text.strip_prefix(ENVIRONMENT_MARK) {
        Some(variable) => environment(variable.trim(), what),
        None => Ok(text.to_owned()),
    }
}

/// Puts the bytes of files where their names are, and what variables hold.
fn fill(value: &mut serde_json::Value, read: &mut Read) -> Result<(), LiveError> {
    match value {
        serde_json::Value::String(text) => {
            if let Some(file) = text.strip_prefix(BASE64_MARK) {
                *text = read.encoded(Path::new(file))?;
            } else {
                *text = held(text, "a value of the JSON")?;
            }
            Ok(())
        }
        serde_json::Value::Array(list) => list.iter_mut().try_for_each(|value| fill(value, read)),
        serde_json::Value::Object(map) => map.values_mut().try_for_each(|value| fill(value, read)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two files of the same name in a form, and a folder whose files are each what they are.
    #[test]
    fn each_file_is_sent_as_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.png", "b.json"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let path = |name: &str| format!("@{}", folder.path().join(name).display());
        let both = Values(vec![path("a.png"), path("b.json")]);
        let ask = Ask { form: BTreeMap::from([("file".to_owned(), both)]), ..Ask::default() };
        let sent = payloads(&ask).unwrap();
        let [Payload::Form(fields)] = &sent[..] else { panic!("one form") };
        assert_eq!((fields.len(), &*fields[0].name, &*fields[1].name), (2, "file", "file"));
        let ask = Ask { body: Some(folder.path().to_owned()), ..Ask::default() };
        let sent = payloads(&ask).unwrap();
        let kinds = sent.iter().map(|sent| match sent {
            Payload::Bytes(_, kind) => *kind,
            _ => None,
        });
        assert_eq!(kinds.collect::<Vec<_>>(), [Some("image/png"), Some("application/json")]);
    }
}
