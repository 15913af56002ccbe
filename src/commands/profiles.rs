//! `profiles`: those that come with the tool.

use std::fmt::Write;

use anyhow::bail;
use serde::Serialize;

use super::Exit;
use super::printer::Printer;
use crate::cli::{GlobalArgs, ProfilesArgs, ProfilesCommand};
use crate::profile::{Profile, embedded, embedded_names};

/// Runs the verb.
pub fn run(args: &ProfilesArgs, global: &GlobalArgs, printer: &Printer) -> anyhow::Result<Exit> {
    let as_json = global.is_json().map_err(anyhow::Error::msg)?;
    let text = match &args.command {
        Some(ProfilesCommand::Show { name }) if as_json => {
            let profile = Profile::find(name)?;
            format!("{}\n", serde_json::to_string_pretty(&profile)?)
        }
        Some(ProfilesCommand::Show { name }) => match embedded(name) {
            Some(text) => text.to_owned(),
            None => bail!(
                "there is no embedded profile `{name}`: there is {}",
                embedded_names().collect::<Vec<_>>().join(", ")
            ),
        },
        None => list(as_json)?,
    };
    printer.answer(&text)?;
    Ok(Exit::Answered)
}

#[derive(Debug, Serialize)]
struct Listing {
    schema: &'static str,
    profiles: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    name: &'static str,
    title: String,
    costs: &'static str,
    models: Vec<String>,
}

fn entries() -> anyhow::Result<Vec<Entry>> {
    embedded_names()
        .map(|name| {
            let profile = Profile::find(name)?;
            let models = match &profile.declared {
                Some(costs) => costs.models.iter().map(|(name, _)| name.to_owned()).collect(),
                None => profile.models.as_slice().iter().map(|m| m.name.clone()).collect(),
            };
            let costs = if profile.declared.is_some() { "declared" } else { "measured" };
            Ok(Entry { name, title: profile.title().to_owned(), costs, models })
        })
        .collect()
}

fn list(as_json: bool) -> anyhow::Result<String> {
    let profiles = entries()?;
    if as_json {
        let listing = Listing { schema: "mediscope-size/profiles/1", profiles };
        return Ok(format!("{}\n", serde_json::to_string_pretty(&listing)?));
    }
    let widest = profiles.iter().map(|e| e.name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for Entry { name, title, costs, models } in &profiles {
        let _ = writeln!(out, "{name:<widest$}  {costs:<8}  {title} ({})", models.join(", "));
    }
    out.push_str("\n`profiles show NAME` prints one; `--profile NAME` sizes it.\n");
    Ok(out)
}
