//! What is held in the variables that a profile names, kept out of everything that is shown.
//!
//! A service logs what it is asked with, and not always as it was sent: decoded, encoded, cut off. So a
//! secret is looked for in the encodings that are in use, and by its beginning.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::profile::{ENVIRONMENT_MARK, Live};

/// Characters of which the beginning of a secret is taken for the secret.
const LEAST: usize = 6;

/// What RFC 3986 leaves as it is.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Secrets in all the ways in which they are looked for.
#[derive(Debug, Clone, Default)]
pub struct Secrets(Vec<Secret>);

#[derive(Clone)]
struct Secret {
    form: Vec<char>,
    /// What is shown instead: the name of the variable.
    name: String,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

impl Secrets {
    /// Those of a service, as the environment holds them now.
    pub fn of(live: &Live) -> Self {
        let mut all = Vec::new();
        for variable in live.variables() {
            let Ok(value) = std::env::var(variable) else { continue };
            let name = format!("{ENVIRONMENT_MARK}{variable}");
            let forms = forms(value.trim());
            all.extend(forms.into_iter().map(|form| Secret { form, name: name.clone() }));
        }
        Self(all)
    }

    /// Without those that are so short that they are in texts by chance.
    #[must_use]
    pub fn long(mut self) -> Self {
        self.0.retain(|secret| secret.form.len() >= LEAST);
        self
    }

    /// The text with the names of variables in place of what they hold, whole or from its beginning on,
    /// and of an end at the start of the text, which may be cut there.
    pub fn hidden(&self, text: &str) -> String {
        if self.0.is_empty() {
            return text.to_owned();
        }
        let chars: Vec<char> = text.chars().collect();
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        while at < chars.len() {
            let rest = &chars[at..];
            let found = self.0.iter().filter_map(|secret| {
                let begun = secret.found(rest).or_else(|| secret.end(rest).filter(|_| at == 0));
                begun.map(|length| (length, &secret.name))
            });
            match found.max_by_key(|(length, _)| *length) {
                Some((length, name)) => {
                    out.push_str(name);
                    at += length;
                }
                None => {
                    out.push(rest[0]);
                    at += 1;
                }
            }
        }
        out
    }
}

impl Secret {
    /// How much of it begins here, if it is enough. Of a part, all until something else begins, which may
    /// be the rest of it in another form.
    fn found(&self, text: &[char]) -> Option<usize> {
        let same = self.form.iter().zip(text).take_while(|(a, b)| a == b).count();
        if same == self.form.len() {
            return Some(same);
        }
        let ends = |c: &char| c.is_whitespace() || "\"'&,;<>()[]{}".contains(*c);
        let rest = text[same..].iter().position(ends).unwrap_or(text.len() - same);
        (same >= LEAST).then_some(same + rest)
    }

    /// How much of its end this begins with.
    fn end(&self, text: &[char]) -> Option<usize> {
        (1..=self.form.len().saturating_sub(LEAST))
            .map(|skipped| &self.form[skipped..])
            .find(|end| text.starts_with(end))
            .map(<[char]>::len)
    }
}

/// A value as it is, and as programs write it.
fn forms(value: &str) -> Vec<Vec<char>> {
    let mut plain = vec![value.to_owned()];
    // `Bearer abc`, `Basic YTpi`: what follows is the secret, by itself and decoded.
    if let Some((_, secret)) = value.split_once(' ').filter(|(scheme, _)| is_scheme(scheme)) {
        plain = vec![secret.trim().to_owned()];
    }
    let decoded: Vec<String> = plain.iter().filter_map(|text| decoded(text)).collect();
    let passwords: Vec<String> = decoded
        .iter()
        .filter_map(|text| text.split_once(':').map(|(_, password)| password.to_owned()))
        .collect();
    let mut forms: BTreeSet<String> = BTreeSet::new();
    for text in plain.into_iter().chain(decoded).chain(passwords).filter(|text| !text.is_empty()) {
        for set in [NON_ALPHANUMERIC, UNRESERVED] {
            let encoded = utf8_percent_encode(&text, set).to_string();
            for encoded in [lowercase_hex(&encoded), encoded] {
                forms.insert(encoded.replace("%20", "+"));
                forms.insert(encoded);
            }
        }
        let json = serde_json::Value::from(text.as_str()).to_string();
        let json = json.trim_start_matches('"').strip_suffix('"').unwrap_or(&json);
        forms.insert(json.replace('/', "\\/"));
        forms.insert(ascii_json(json));
        forms.insert(json.to_owned());
        if text.len() >= LEAST {
            for alphabet in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                forms.extend((0..3).map(|before| base64(alphabet, &text, before)));
            }
            let hex = text.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
            forms.insert(hex.to_uppercase());
            forms.insert(hex);
        }
        forms.insert(text);
    }
    forms.into_iter().filter(|form| !form.is_empty()).map(|form| form.chars().collect()).collect()
}

fn is_scheme(word: &str) -> bool {
    ["basic", "bearer", "token", "apikey", "negotiate"]
        .contains(&word.to_ascii_lowercase().as_str())
}

/// What is written in base64, if it is a text.
fn decoded(text: &str) -> Option<String> {
    let bytes = STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let is_text = text.len() >= LEAST && text.chars().all(|c| !c.is_control());
    is_text.then_some(text)
}

/// The part that a text is in base64 wherever it stands: with so many bytes before it, and any behind.
fn base64(alphabet: &impl Engine, text: &str, before: usize) -> String {
    let bytes = [&[0; 2][..before], text.as_bytes()].concat();
    let encoded = alphabet.encode(&bytes);
    // A digit is six bits of eight: those that it shares with a neighbour differ.
    let shared = (before * 8).div_ceil(6);
    let end = bytes.len() * 8 / 6;
    encoded[shared..end].to_owned()
}

fn lowercase_hex(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| {
        let (hex, rest) = part.split_at(part.len().min(2));
        format!("{out}%{}{rest}", hex.to_lowercase())
    })
}

/// JSON in which what is not ASCII is written by its number.
fn ascii_json(json: &str) -> String {
    let mut units = [0; 2];
    json.chars().fold(String::new(), |mut out, c| {
        if c.is_ascii() {
            out.push(c);
        } else {
            out.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(value: &str) -> Secrets {
        let of = |form| Secret { form, name: "env:MY_KEY".to_owned() };
        Secrets(forms(value).into_iter().map(of).collect())
    }

    #[test]
    fn a_secret_is_found_as_programs_write_it() {
        let value = "s3cret/ä \"more\"";
        let secrets = secrets(value);
        let standard = base64::engine::general_purpose::STANDARD;
        for written in [
            value.to_owned(),
            "s3cret%2F%C3%A4%20%22more%22".to_owned(),
            "s3cret%2f%c3%a4+%22more%22".to_owned(),
            serde_json::to_string(value).unwrap().trim_matches('"').to_owned(),
            r#"s3cret/\u00e4 \"more\""#.to_owned(),
            "7333637265742fc3a420226d6f726522".to_owned(),
        ] {
            assert_eq!(secrets.hidden(&format!("GET /?k={written}&b")), "GET /?k=env:MY_KEY&b");
        }
        // In base64 with anything around it, some digits belong to both.
        for around in ["", "a", "ab", "user:"] {
            let encoded = standard.encode(format!("{around}{value}{around}"));
            let hidden = secrets.hidden(&encoded);
            assert!(hidden.contains("env:MY_KEY"), "{hidden}");
            let left = hidden.replace("env:MY_KEY", "");
            assert!(left.len() <= around.len() * 4 + 6, "{encoded}: {hidden}");
        }
    }

    #[test]
    fn a_part_of_a_secret_is_one() {
        let secrets = secrets("abcdefghijklmnop");
        for (text, shown) in [
            ("key abcdefgh… is wrong", "key env:MY_KEY is wrong"),
            ("key abcde is right", "key abcde is right"),
            ("jklmnop was cut", "env:MY_KEY was cut"),
            ("x jklmnop", "x jklmnop"),
            ("", ""),
        ] {
            assert_eq!(secrets.hidden(text), shown);
        }
        // `me:passw0rd` behind a scheme.
        let basic = self::secrets("Basic bWU6cGFzc3cwcmQ=");
        assert_eq!(
            basic.hidden("me:passw0rd, passw0rd; Basic bWU6cGFzc3cwcmQ="),
            "env:MY_KEY, env:MY_KEY; Basic env:MY_KEY"
        );
        assert_eq!(self::secrets("abc").hidden("an abc of"), "an env:MY_KEY of");
        assert_eq!(self::secrets("abc").long().hidden("an abc of"), "an abc of");
    }
}
