//! What the user typed. Nothing is computed here: texts become quantities, and that is all.

mod check;
mod examples;
mod files;
mod live;
mod load;
mod pages;
mod profiles;
mod report;
mod service;
mod settings;
mod vary;
mod verify;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::styling::{AnsiColor, Styles};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

pub use self::check::{CheckArgs, DiffArgs};
pub use self::files::{CacheArgs, CalibrateArgs, InspectArgs, RuntimeArgs};
pub use self::live::LiveArgs;
pub use self::load::LoadArgs;
pub use self::pages::{CompletionsArgs, ManArgs, completions, manual};
pub use self::profiles::{InitArgs, LintArgs, ProfilesArgs, ProfilesCommand};
pub use self::report::{LangArg, ReportArgs};
pub use self::service::{ImageArg, ServiceArgs};
pub use self::settings::{PresetArg, SettingsArgs};
pub use self::vary::{Variation, Vary, VaryArgs};
pub use self::verify::{FindArg, VerifyArgs};

use self::examples::{
    CACHE_EXAMPLES, CALIBRATE_EXAMPLES, CHECK_EXAMPLES, COMPLETIONS_EXAMPLES, DIFF_EXAMPLES,
    EXAMPLES, INIT_EXAMPLES, INSPECT_EXAMPLES, LINT_EXAMPLES, MAN_EXAMPLES, MEASURE_EXAMPLES,
    PROFILES_EXAMPLES, RUNTIME_EXAMPLES, SIZE_EXAMPLES, VERIFY_EXAMPLES,
};
use crate::text::line;
use crate::units::{Bytes, Convention, Cpus, Size, box_ram};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Will a machine-learning service fit a box, how many requests at once, how fast: measured, not
/// guessed.
///
/// Runs the service's real models in-process with ONNX Runtime, measures the RAM that all requests
/// share and what each concurrent request adds, and prints for any target box what fits.
#[derive(Debug, Parser)]
#[command(
    name = "mediscope-size",
    version,
    styles = STYLES,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = EXAMPLES
)]
pub struct Cli {
    /// What to do; `size` where nothing is named.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The options of `size`.
    #[command(flatten)]
    pub size: SizeArgs,
    /// Options of all commands.
    #[command(flatten)]
    pub global: GlobalArgs,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Size a box: what fits, how many at once, how fast (the default)
    #[command(after_help = SIZE_EXAMPLES)]
    Size(SizeArgs),
    /// Measure a service and write a profile with its footprint
    #[command(after_help = MEASURE_EXAMPLES)]
    Measure(Box<MeasureArgs>),
    /// Run a service inside the limits of a box: does the plan hold?
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(VerifyArgs),
    /// Hold a service to a budget of memory, for a pipeline
    #[command(after_help = CHECK_EXAMPLES)]
    Check(Box<CheckArgs>),
    /// Put two measured profiles side by side
    #[command(after_help = DIFF_EXAMPLES)]
    Diff(DiffArgs),
    /// Say what an ONNX file holds and whether it can be sized, without running it
    #[command(after_help = INSPECT_EXAMPLES)]
    Inspect(InspectArgs),
    /// List the profiles that come with the tool, or print one
    #[command(after_help = PROFILES_EXAMPLES)]
    Profiles(ProfilesArgs),
    /// Write a commented profile for a model of yours
    #[command(after_help = INIT_EXAMPLES)]
    Init(InitArgs),
    /// Hold what a profile states against what follows from its costs
    #[command(after_help = LINT_EXAMPLES)]
    Lint(LintArgs),
    /// Say which ONNX Runtime is used and why, or install one
    #[command(after_help = RUNTIME_EXAMPLES)]
    Runtime(RuntimeArgs),
    /// Score this machine's CPU, to size for it from elsewhere
    #[command(after_help = CALIBRATE_EXAMPLES)]
    Calibrate(CalibrateArgs),
    /// List what is kept between runs, or clear it
    #[command(after_help = CACHE_EXAMPLES)]
    Cache(CacheArgs),
    /// Print what a shell needs to complete the command line
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(CompletionsArgs),
    /// Print the manual page, or write one for each command
    #[command(after_help = MAN_EXAMPLES)]
    Man(ManArgs),
}

/// Options of all commands.
#[derive(Debug, Args)]
pub struct GlobalArgs {
    /// Print the answer and errors only: no progress, no warnings
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Keep files here instead of the user's cache directory
    #[arg(long, global = true, value_name = "DIR", help = CACHE_HELP)]
    pub cache_dir: Option<PathBuf>,
    /// How the answer is written
    #[arg(long, global = true, value_enum, help = FORMAT_HELP, hide_possible_values = true)]
    pub format: Option<Format>,
}

/// The variable is read where the directory is chosen: set to nothing it counts as not set.
const CACHE_HELP: &str =
    "Keep files here instead of the user's cache directory [env: MEDISCOPE_SIZE_CACHE]";

const FORMAT_HELP: &str = "How the answer is written: text, json; of a report also markdown, csv, \
                           html, prometheus; of a \
                           diff also markdown, of a check also markdown, github, junit, sarif, gitlab [default: text, or as -o ends]";

impl GlobalArgs {
    /// Whether an answer that has no other formats than text and JSON is wanted as JSON.
    ///
    /// # Errors
    /// Where another is asked for, with those there are.
    pub fn is_json(&self) -> Result<bool, &'static str> {
        self.plain().map(|format| format == Plain::Json)
    }

    /// The same, by name.
    ///
    /// # Errors
    /// As [`GlobalArgs::is_json`].
    pub fn plain(&self) -> Result<Plain, &'static str> {
        match self.format {
            None | Some(Format::Text) => Ok(Plain::Text),
            Some(Format::Json) => Ok(Plain::Json),
            Some(_) => {
                Err("this answers as text or JSON only: leave out --format, or give --format json")
            }
        }
    }
}

/// How what is no report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plain {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// How the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables for people
    Text,
    /// One JSON value, in a versioned schema
    Json,
    /// Markdown, for a code host
    Markdown,
    /// Tables for a spreadsheet
    Csv,
    /// One file for a browser, with charts
    Html,
    /// Alert rules, of --section monitoring
    Prometheus,
    /// Annotations of GitHub Actions, of a check
    Github,
    /// `JUnit` XML, of a check
    Junit,
    /// SARIF 2.1.0 for code scanning, of a check
    Sarif,
    /// GitLab's code-quality report, of a check
    Gitlab,
}

impl Format {
    /// The format of this name, as on the command line.
    pub fn named(name: &str) -> Option<Self> {
        Self::from_str(name, true).ok()
    }
}

/// What is asked of which box.
#[derive(Debug, Args)]
pub struct SizeArgs {
    /// An ONNX model, as with --model
    #[arg(value_name = "MODEL", group = "one_model")]
    pub file: Option<PathBuf>,
    /// RAM of the box: 512M, 1G, 1.5Gi (binary, as container engines read it)
    #[arg(long, value_name = "SIZE", value_parser = ram_size, allow_hyphen_values = true)]
    pub ram: Option<Size>,
    /// CPUs of the box; fractions are quotas: 0.5
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub cpus: Option<Cpus>,
    /// The box found here: cgroup limits before the host's totals
    #[arg(long = "box", value_name = "BOX", value_enum)]
    pub target: Option<TargetArg>,
    /// Requests in flight that the box must hold; alone it asks for the smallest box
    #[arg(long, value_name = "N", allow_negative_numbers = true,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub concurrency: Option<u32>,
    /// The service is warmed up before it gets traffic: leave out the cold burst
    #[arg(long)]
    pub warmed: bool,
    /// Exit with 1 where the answer is that it does not fit
    #[arg(long)]
    pub exit_code: bool,
    /// Disk of the box: 35G (decimal, as disks are sold)
    #[arg(long, value_name = "SIZE")]
    pub disk: Option<Size>,
    /// What the box may send and receive in a month: 1000G
    #[arg(long, value_name = "SIZE")]
    pub bandwidth: Option<Size>,
    /// Users a month, to choose a box that is sold
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub users: Option<u32>,
    /// What comes in.
    #[command(flatten)]
    pub load: LoadArgs,
    /// How the report is written.
    #[command(flatten)]
    pub report: ReportArgs,
    /// What is sized and how it is measured.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// Boxes that are found instead of given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TargetArg {
    /// Where this program runs
    This,
}

/// `measure`.
#[derive(Debug, Args)]
pub struct MeasureArgs {
    /// An ONNX model, as with --model
    #[arg(value_name = "MODEL", group = "one_model")]
    pub file: Option<PathBuf>,
    /// Write the profile with its footprint here
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Measure other topologies too, to compare: serial, pool, workers
    #[arg(
        long,
        value_name = "TOPOLOGY,…",
        value_enum,
        value_delimiter = ',',
        help_heading = "Measuring"
    )]
    pub topologies: Vec<FamilyArg>,
    /// Variants.
    #[command(flatten)]
    pub variants: VaryArgs,
    /// A service that runs by itself.
    #[command(flatten)]
    pub live: LiveArgs,
    /// What is measured and how.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// Topologies to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FamilyArg {
    /// One request in the models at a time
    Serial,
    /// Two and four sessions a model, one request in each
    Pool,
    /// Two and four processes with everything in each
    Workers,
}

fn ram(text: &str) -> Result<Bytes, String> {
    box_ram(text).map(|size| size.bytes(Convention::Binary))
}

/// A RAM size whose unmarked units may mean what the profile says.
fn ram_size(text: &str) -> Result<Size, String> {
    box_ram(text)
}

impl Cli {
    /// A model that is named by itself is one that is named with `--model`.
    fn name_models(&mut self) {
        let named = |file: &mut Option<PathBuf>, service: &mut ServiceArgs| {
            if let Some(file) = file.take() {
                service.model = Some(file);
            }
        };
        named(&mut self.size.file, &mut self.size.service);
        match &mut self.command {
            Some(Command::Size(args)) => named(&mut args.file, &mut args.service),
            Some(Command::Measure(args)) => named(&mut args.file, &mut args.service),
            Some(Command::Verify(args)) => named(&mut args.file, &mut args.service),
            _ => {}
        }
    }

    /// The options of `size` where none is given.
    pub fn plain_size() -> Option<SizeArgs> {
        match Self::try_parse_from(["mediscope-size", "size"]).ok()?.command {
            Some(Command::Size(size)) => Some(size),
            _ => None,
        }
    }
}

/// Reads the command line, or ends the program with help or an error.
pub fn parse() -> Cli {
    let mut program = Cli::command();
    // Not clap's own check for an empty command line, which answers with all of the help.
    if std::env::args_os().len() < 2 {
        program.error(ErrorKind::MissingRequiredArgument, NOTHING_ASKED).exit();
    }
    let typed: Vec<OsString> = std::env::args_os().collect();
    let matches = match program.try_get_matches_from_mut(&typed) {
        Ok(matches) => matches,
        Err(error) => refuse(&error, &typed),
    };
    // clap's own check would refuse options of all commands before a verb, too.
    if let Some(verb) = matches.subcommand_name()
        && typed_before_the_verb(&program, &matches)
    {
        let text = format!("options of `size` stand before `{verb}`: give its own after the verb");
        program.error(ErrorKind::ArgumentConflict, text).exit();
    }
    let mut cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| refuse(&error, &typed));
    if let (None, Some(file)) = (&cli.command, &cli.size.file) {
        is_no_misspelt_verb(&program, file);
    }
    cli.name_models();
    cli
}

/// Ends the program where what stands for a model at the top is a word that is no file: a verb was meant.
fn is_no_misspelt_verb(program: &clap::Command, file: &Path) {
    if file.extension().is_some() || file.components().count() > 1 || file.exists() {
        return;
    }
    let verbs = clap::Command::new("mediscope-size")
        .subcommand_required(true)
        .subcommands(program.get_subcommands().cloned());
    let typed = ["mediscope-size".into(), line(&file.to_string_lossy()).into_owned()];
    if let Err(error) = verbs.try_get_matches_from(typed) {
        error.exit();
    }
}

/// Ends the program with help or an error. An error repeats what was typed, so the same is said of a
/// command line in which anything that is not plain is shown by its number.
fn refuse(error: &clap::Error, typed: &[OsString]) -> ! {
    let plain = typed.iter().map(|word| line(&word.to_string_lossy()).into_owned());
    match Cli::command().try_get_matches_from(plain) {
        Err(error) => with_a_suggestion(error).exit(),
        // What was wrong is in what is not plain.
        Ok(_) => Cli::command().error(error.kind(), line(&error.to_string())).exit(),
    }
}

/// What other tools call an option of ours, where the two do not look alike.
const OTHER_NAMES: [(&str, &str); 14] = [
    ("--memory", "--ram"),
    ("--mem", "--ram"),
    ("-m", "--ram"),
    ("--json", "--format json"),
    ("--csv", "--format csv"),
    ("--html", "--format html"),
    ("--rate", "--rps"),
    ("--qps", "--rps"),
    ("--requests-per-second", "--rps"),
    ("--latency", "--slo p95=TIME"),
    ("--budget", "--max-time"),
    ("--timeout", "--max-time"),
    ("--verbose", "--full"),
    ("--all", "--full"),
];

/// The error with the option that was meant, where another tool's name was typed.
fn with_a_suggestion(mut error: clap::Error) -> clap::Error {
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    let name = typed.split('=').next().unwrap_or_default();
    let meant = OTHER_NAMES.iter().find(|(other, _)| *other == name).map(|(_, ours)| *ours);
    if let Some(ours) = meant.filter(|_| error.kind() == ErrorKind::UnknownArgument) {
        error.insert(ContextKind::SuggestedArg, ContextValue::String(ours.to_owned()));
    }
    error
}

/// Whether an option that belongs to `size` alone was typed at the top.
fn typed_before_the_verb(program: &clap::Command, matches: &ArgMatches) -> bool {
    program.get_arguments().filter(|option| !option.is_global_set()).any(|option| {
        let id = option.get_id().as_str();
        matches.try_contains_id(id).unwrap_or(false)
            && matches.value_source(id) == Some(ValueSource::CommandLine)
    })
}

const NOTHING_ASKED: &str = "\
no box and no service is named

  mediscope-size --ram 1G --cpus 1     sizes a box for the default service
  mediscope-size --model scan.onnx     measures a model of yours
  mediscope-size --help                says what else there is";
