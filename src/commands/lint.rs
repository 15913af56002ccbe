//! `lint`: what a profile states, held against what follows from its costs.

use std::fmt::Write;

use anyhow::bail;
use serde::Serialize;

use super::Exit;
use super::answer::{answer, question};
use super::printer::Printer;
use crate::cli::{Cli, GlobalArgs, LintArgs};
use crate::plan::Note;
use crate::profile::Profile;
use crate::report::Plain;
use crate::text::{line, shell_word};

/// Runs the verb.
pub fn run(args: &LintArgs, global: &GlobalArgs, printer: &Printer) -> anyhow::Result<Exit> {
    let profile = Profile::find(&args.profile)?;
    let states = !profile.service.stated.is_empty();
    if profile.declared.is_none() && profile.footprint.is_none() && !states {
        printer.answer(NOTHING)?;
        return Ok(Exit::Answered);
    }
    if profile.declared.is_none() && profile.footprint.is_none() {
        bail!(
            "the profile `{}` has neither declared costs nor a footprint, so nothing follows from it \
             yet: measure it with `mediscope-size measure --profile {} -o measured.yaml`",
            profile.name,
            shell_word(&args.profile)
        );
    }
    let Some(size) = Cli::plain_size() else { bail!("the options of size cannot be read") };
    let found = answer(profile, &size.service, global, printer, |profile| {
        Ok((question(&size, None, profile), None, Vec::new()))
    })?;
    let plain = Plain::new(found.book.units);
    let notes = &found.book.notes;
    let text = if global.is_json().map_err(anyhow::Error::msg)? {
        let findings: Vec<Finding<'_>> =
            notes.iter().map(|note| Finding::of(note, &plain)).collect();
        let lint = Lint { schema: "mediscope-size/lint/1", profile: &found.profile.name, findings };
        format!("{}\n", serde_json::to_string_pretty(&lint)?)
    } else {
        told(notes, &plain)
    };
    printer.answer(&text)?;
    Ok(if notes.is_empty() { Exit::Answered } else { Exit::Found })
}

const NOTHING: &str = "Everything that is stated follows from the costs.\n";

#[derive(Debug, Serialize)]
struct Lint<'a> {
    schema: &'static str,
    profile: &'a str,
    findings: Vec<Finding<'a>>,
}

#[derive(Debug, Serialize)]
struct Finding<'a> {
    key: &'a str,
    stated: &'a str,
    at: Option<&'a str>,
    computed: Option<String>,
}

impl<'a> Finding<'a> {
    fn of(note: &'a Note, plain: &Plain) -> Self {
        Self {
            key: &note.key,
            stated: &note.stated.value,
            at: note.stated.at.as_deref(),
            computed: note.computed.as_ref().map(|shown| plain.text(shown)),
        }
    }
}

fn told(notes: &[Note], plain: &Plain) -> String {
    if notes.is_empty() {
        return NOTHING.to_owned();
    }
    let mut out = String::new();
    for note in notes {
        let at = note.stated.at.as_deref().map_or(String::new(), |at| format!("{at}: "));
        let stated = format!("{at}{} is stated as {}", note.key, note.stated.value);
        let follows = note.computed.as_ref().map_or_else(
            || "no figure has that name".to_owned(),
            |shown| format!("what follows is {}", plain.text(shown)),
        );
        let _ = writeln!(out, "{}; {follows}", line(&stated));
    }
    let _ = writeln!(out, "{} of what is stated does not follow", notes.len());
    out
}
