//! `completions` and `man`: what shells and `man` read.

use std::fs;

use anyhow::Context;

use super::Exit;
use super::file::write_file;
use super::printer::Printer;
use crate::cli::{CompletionsArgs, ManArgs, completions, manual};

/// Runs `completions`.
pub fn shell(args: &CompletionsArgs, printer: &Printer) -> anyhow::Result<Exit> {
    printer.print(&String::from_utf8(completions(args.shell))?)?;
    Ok(Exit::Answered)
}

/// Runs `man`.
pub fn man(args: &ManArgs, printer: &Printer) -> anyhow::Result<Exit> {
    let pages = manual().context("the manual cannot be made")?;
    let Some(folder) = &args.output else {
        if let Some((_, page)) = pages.into_iter().next() {
            printer.print(&String::from_utf8(page)?)?;
        }
        return Ok(Exit::Answered);
    };
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, page) in &pages {
        let path = folder.join(name);
        write_file(&path, page)?;
    }
    printer.notice(&format!(
        "wrote {} pages; read one with `man {}`",
        pages.len(),
        folder.join(&pages[0].0).display()
    ));
    Ok(Exit::Answered)
}
