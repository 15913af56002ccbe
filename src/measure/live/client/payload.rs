//! What a request carries: files read once, before anything is driven.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ureq::unversioned::multipart::{Form, Part};

use crate::measure::live::LiveError;
use crate::profile::{Ask, BASE64_MARK, FILE_MARK, Values};

/// What one request carries.
pub(super) enum Payload {
    Nothing,
    /// And what they are, where that is known.
    Bytes(Vec<u8>, Option<&'static str>),
    Form(Vec<Field>),
}

/// One field of a form.
pub(super) struct Field {
    name: String,
    content: Content,
}

enum Content {
    Text(String),
    File { name: String, bytes: Vec<u8> },
}

impl Payload {
    /// Bytes, without what a form wraps its fields in.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Bytes(bytes, _) => bytes.len(),
            Self::Form(fields) => fields.iter().map(Field::len).sum(),
        }
    }
}

impl Field {
    fn len(&self) -> usize {
        match &self.content {
            Content::Text(text) => text.len(),
            Content::File { bytes, .. } => bytes.len(),
        }
    }
}

pub(super) fn payloads(ask: &Ask) -> Result<Vec<Payload>, LiveError> {
    if let Some(path) = &ask.body {
        let payload = |file: &PathBuf| {
            let kind = kind_of(&file.to_string_lossy());
            read(file).map(|bytes| Payload::Bytes(bytes, Some(kind)))
        };
        return files(path)?.iter().map(payload).collect();
    }
    if let Some(json) = &ask.json {
        let wrong =
            |e: &dyn fmt::Display| LiveError::Request(format!("the JSON cannot be sent: {e}"));
        let mut json = serde_json::to_value(json).map_err(|e| wrong(&e))?;
        encode_files(&mut json)?;
        let bytes = serde_json::to_vec(&json).map_err(|e| wrong(&e))?;
        return Ok(vec![Payload::Bytes(bytes, Some("application/json"))]);
    }
    if ask.form.is_empty() {
        return Ok(vec![Payload::Nothing]);
    }
    forms(&ask.form)
}

pub(super) fn form(fields: &[Field]) -> Result<Form<'_>, ureq::Error> {
    let mut form = Form::new();
    for field in fields {
        form = match &field.content {
            Content::Text(text) => form.text(&field.name, text),
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
        "json" => "application/json",
        "txt" => "text/plain",
        "pdf" => "application/pdf",
        "wav" => "audio/wav",
        "mp3" => "audio/mpeg",
        _ => "application/octet-stream",
    }
}

/// One form for each file, where a field names a folder.
fn forms(fields: &BTreeMap<String, Values>) -> Result<Vec<Payload>, LiveError> {
    let mut found: Vec<(String, Option<Vec<PathBuf>>, String)> = Vec::new();
    let all =
        fields.iter().flat_map(|(name, Values(values))| values.iter().map(move |v| (name, v)));
    for (name, value) in all {
        let paths = value.strip_prefix(FILE_MARK).map(|p| files(Path::new(p))).transpose()?;
        found.push((name.clone(), paths, value.clone()));
    }
    let turns =
        found.iter().filter_map(|(_, paths, _)| paths.as_ref().map(Vec::len)).max().unwrap_or(1);
    (0..turns)
        .map(|turn| {
            let field = |(name, paths, value): &(String, Option<Vec<PathBuf>>, String)| {
                let content = match paths {
                    None => Content::Text(value.clone()),
                    Some(paths) => {
                        let path = &paths[turn % paths.len()];
                        let name = path.file_name().unwrap_or_default().to_string_lossy();
                        Content::File { name: name.into_owned(), bytes: read(path)? }
                    }
                };
                Ok(Field { name: name.clone(), content })
            };
            found.iter().map(field).collect::<Result<_, _>>().map(Payload::Form)
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
    let entries = fs::read_dir(path).map_err(wrong)?;
    let mut files: Vec<PathBuf> =
        entries.flatten().map(|e| e.path()).filter(|p| p.is_file()).collect();
    files.sort();
    if files.is_empty() {
        return Err(LiveError::Request(format!(
            "the folder {} holds no file to send",
            path.display()
        )));
    }
    Ok(files)
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, LiveError> {
    let what = || format!("{} cannot be sent", path.display());
    fs::read(path).map_err(|reason| LiveError::Io { what: what(), reason })
}

/// Puts the bytes of files where their names are.
fn encode_files(value: &mut serde_json::Value) -> Result<(), LiveError> {
    match value {
        serde_json::Value::String(text) => {
            if let Some(file) = text.strip_prefix(BASE64_MARK) {
                *text = STANDARD.encode(read(Path::new(file))?);
            }
            Ok(())
        }
        serde_json::Value::Array(list) => list.iter_mut().try_for_each(encode_files),
        serde_json::Value::Object(map) => map.values_mut().try_for_each(encode_files),
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
