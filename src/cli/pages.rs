//! Shell completions and manual pages, from the definition of the command line itself.

use std::io;
use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Cli;

/// `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: Shell,
}

/// `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write a page for each command into this folder; without it the page of the whole goes to
    /// standard output
    #[arg(long, short, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// What a shell reads to complete the command line.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), env!("CARGO_PKG_NAME"), &mut out);
    out
}

/// The manual's pages by their file names, that of the whole first.
///
/// # Errors
/// None that memory does not give.
pub fn manual() -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let mut pages = vec![page(program.clone())?];
    for verb in program.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        // Named as they are typed, or `man` would find another program's page.
        let name = format!("{}-{}", env!("CARGO_PKG_NAME"), verb.get_name());
        pages.push(page(verb.clone().name(name).version(env!("CARGO_PKG_VERSION")))?);
    }
    Ok(pages)
}

fn page(command: clap::Command) -> io::Result<(String, Vec<u8>)> {
    let name = format!("{}.1", command.get_name());
    let mut out = Vec::new();
    clap_mangen::Man::new(command).render(&mut out)?;
    Ok((name, out))
}
