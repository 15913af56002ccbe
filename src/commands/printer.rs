//! What goes where: answers to standard output, everything else to standard error, and what
//! `--quiet`, a pipe and `NO_COLOR` mean. The one place that prints.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::{Format, GlobalArgs};
use crate::measure::campaign::Progress;
use crate::measure::live::secrets::Secrets;
use crate::measure::threads;
use crate::report::{Layout, Lines};
use crate::text::{Form, guarded, line, message};
use crate::units::Seconds;

/// Columns where there is no terminal to ask.
const DEFAULT_WIDTH: u16 = 100;
/// Wider lines are hard to read.
const MAX_WIDTH: u16 = 120;
/// Tables do not get narrower than this.
const MIN_WIDTH: u16 = 60;

/// Prints answers, warnings, errors and progress.
pub struct Printer {
    quiet: bool,
    form: Form,
    secrets: OnceLock<Secrets>,
    bar: Mutex<Option<ProgressBar>>,
}

impl Printer {
    /// From the options.
    pub fn new(global: &GlobalArgs) -> Self {
        Self {
            quiet: global.quiet,
            form: form_of(global.format.unwrap_or(Format::Text)),
            secrets: OnceLock::new(),
            bar: Mutex::new(None),
        }
    }

    /// Prints the answer; colours are taken out where they do not belong.
    ///
    /// # Errors
    /// Where it cannot be written, as when the reader has gone.
    pub fn answer(&self, text: &str) -> anyhow::Result<()> {
        self.print(&guarded(&self.hidden(text), self.form))
    }

    /// From now on shows none of these.
    pub fn hide(&self, secrets: Secrets) {
        // There is one service in a run.
        let _ = self.secrets.set(secrets.long());
    }

    fn hidden<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.secrets.get() {
            Some(secrets) => Cow::Owned(secrets.hidden(text)),
            None => Cow::Borrowed(text),
        }
    }

    /// Prints what is written by this program alone, as it is.
    ///
    /// # Errors
    /// As [`Printer::answer`].
    pub fn print(&self, text: &str) -> anyhow::Result<()> {
        self.clear();
        let mut out = AutoStream::new(io::stdout().lock(), AutoStream::choice(&io::stdout()));
        out.write_all(text.as_bytes())
            .and_then(|()| out.flush())
            .context("cannot write the answer to standard output")
    }

    /// Something to know that is no part of the answer.
    pub fn warning(&self, text: &str) {
        self.note("warning", text);
    }

    /// Something that was done, or found.
    pub fn notice(&self, text: &str) {
        self.note("note", text);
    }

    /// What is being done, for whoever waits without a terminal's progress bar.
    pub fn info(&self, text: &str) {
        if self.quiet {
            return;
        }
        let text = self.hidden(text);
        let text = line(&text);
        if !self.with_bar(|bar| bar.set_message(text.clone().into_owned())) {
            self.start_spinner(&text);
        }
    }

    /// Why there is no answer, with its causes.
    pub fn error(&self, error: &anyhow::Error) {
        self.clear();
        if self.form != Form::Json {
            self.line("error", &format!("{error:#}"));
            return;
        }
        let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
        let value = serde_json::json!({"error": {"message": error.to_string(), "causes": causes}});
        let text = value.to_string();
        let _ = writeln!(io::stderr(), "{}", guarded(&self.hidden(&text), Form::Json));
    }

    fn note(&self, kind: &str, text: &str) {
        if !self.quiet {
            self.clear();
            self.line(kind, text);
        }
    }

    fn line(&self, kind: &str, text: &str) {
        let style = match AutoStream::choice(&io::stderr()) {
            ColorChoice::Never => anstyle::Style::new(),
            _ => anstyle::Style::new().bold(),
        };
        // A standard error that is closed is nothing to fail for.
        let _ = writeln!(
            io::stderr(),
            "{style}{kind}:{style:#} {}",
            guarded(&message(&self.hidden(text)), Form::Page)
        );
    }

    /// The layout for standard output.
    pub fn layout() -> Layout {
        let width = terminal_width().unwrap_or(DEFAULT_WIDTH);
        Layout { width: width.clamp(MIN_WIDTH, MAX_WIDTH), lines: Lines::Unicode }
    }

    /// Takes progress off the terminal.
    pub fn clear(&self) {
        if let Some(bar) = self.bar.lock().ok().and_then(|mut slot| slot.take()) {
            bar.finish_and_clear();
        }
    }

    fn with_bar(&self, change: impl FnOnce(&ProgressBar)) -> bool {
        match self.bar.lock() {
            Ok(slot) => slot.as_ref().map(change).is_some(),
            Err(_) => false,
        }
    }

    fn start_spinner(&self, text: &str) {
        if !io::stderr().is_terminal() {
            return;
        }
        let bar = ProgressBar::new_spinner();
        animate(&bar, Duration::from_millis(120));
        bar.set_message(text.to_owned());
        if let Ok(mut slot) = self.bar.lock() {
            *slot = Some(bar);
        }
    }
}

impl Progress for Printer {
    fn planned(&self, expected: Seconds, budget: Seconds) {
        if expected > budget {
            self.warning(&format!(
                "the least that must be measured takes about {expected}, more than the {budget} allowed"
            ));
        } else if expected > WORTH_SAYING && !io::stderr().is_terminal() {
            self.note("measuring", &format!("takes about {expected}"));
        }
        if self.quiet || !io::stderr().is_terminal() {
            return;
        }
        self.clear();
        let bar = ProgressBar::new(1000);
        if let Ok(style) =
            ProgressStyle::with_template("{msg:24} {bar:30} {elapsed} of about {prefix}")
        {
            bar.set_style(style);
        }
        bar.set_prefix(expected.to_string());
        bar.set_message("measuring");
        animate(&bar, Duration::from_millis(200));
        if let Ok(mut slot) = self.bar.lock() {
            *slot = Some(bar);
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a fraction of a thousand"
    )]
    fn step(&self, what: &str, done: f64) {
        let moved = self.with_bar(|bar| {
            bar.set_message(format!("measuring, {}", line(what)));
            bar.set_position((done.clamp(0.0, 1.0) * 1000.0) as u64);
        });
        if !moved {
            self.info(&format!("measuring, {what}"));
        }
    }
}

/// Has a bar move by itself until it is finished; where there is no thread for that it moves when there
/// is something new. The bar's own way panics there.
fn animate(bar: &ProgressBar, every: Duration) {
    let bar = bar.downgrade();
    let _ = threads::start("progress", move || {
        while let Some(bar) = bar.upgrade().filter(|bar| !bar.is_finished()) {
            bar.tick();
            drop(bar);
            thread::sleep(every);
        }
    });
}

/// A log says how long a measurement takes where it is longer than this; a terminal shows a bar.
const WORTH_SAYING: Seconds = Seconds::new(5.0);
/// What a text in this format is.
pub const fn form_of(format: Format) -> Form {
    match format {
        Format::Json | Format::Sarif | Format::Gitlab => Form::Json,
        Format::Html => Form::Html,
        Format::Github => Form::Commands,
        Format::Text | Format::Markdown | Format::Csv | Format::Prometheus | Format::Junit => {
            Form::Page
        }
    }
}

/// Standard output's, or standard error's, or what the environment says.
fn terminal_width() -> Option<u16> {
    let columns = || std::env::var("COLUMNS").ok()?.parse().ok();
    let size = |fd: &dyn std::os::fd::AsFd| {
        rustix::termios::tcgetwinsize(fd.as_fd()).ok().map(|s| s.ws_col).filter(|c| *c > 0)
    };
    size(&io::stdout()).or_else(columns)
}
