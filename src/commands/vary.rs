//! `measure --vary`: the cross product of what is varied, each variant measured and kept as
//! `measure` would with those options, then compared.

use anyhow::{Context, bail};

use super::Exit;
use super::footprint::{Interrupted, Obtained, Request, Standing};
use super::printer::Printer;
use crate::cli::{GlobalArgs, MeasureArgs, Plain, ServiceArgs, Variation, Vary};
use crate::measure::interrupt::Interrupt;
use crate::plan::Question;
use crate::plan::variants::{Choice, Missing, Variant, compare, name_of};
use crate::report;
use crate::units::Seconds;

/// More variants than these would take longer than anybody waits, and no table would show them.
const MOST: usize = 16;

/// A variant that is to be measured.
struct Planned {
    choices: Vec<Choice>,
    args: ServiceArgs,
}

impl Planned {
    fn name(&self) -> String {
        name_of(&self.choices)
    }
}

/// Runs `measure` with something to vary.
pub fn run(args: &MeasureArgs, global: &GlobalArgs, printer: &Printer) -> anyhow::Result<Exit> {
    refuse_what_does_not_go_together(args)?;
    let planned = cross_product(&args.service, &args.variants.vary)?;
    let interrupt = Interrupt::listen().context("cannot listen for Ctrl-C")?;
    let requests = planned
        .iter()
        .map(|variant| {
            let request = Request::new(&variant.args, global, printer)?.without_footprint();
            Ok(request)
        })
        .collect::<anyhow::Result<Vec<Request<'_>>>>()?;
    // All are checked before the first is measured: a mistake in the last shall not come last.
    let varies_image = args.variants.vary.iter().any(|vary| vary.key() == "image");
    let standings = planned
        .iter()
        .zip(&requests)
        .map(|(variant, request)| {
            let standing = request.standing(&interrupt)?;
            if varies_image && !standing.takes_an_image {
                bail!("--vary image: no model of this service takes an image: vary something else");
            }
            Ok((variant.name(), standing))
        })
        .collect::<anyhow::Result<Vec<(String, Standing)>>>()?;
    if args.service.dry_run {
        printer.answer(&told(&standings, requests[0].budget()))?;
        return Ok(Exit::Answered);
    }
    announce(&standings, requests[0].budget(), printer);
    let measured = measure(&planned, &requests, &interrupt, printer)?;
    let question = Question {
        ram: args.variants.ram,
        cpus: args.variants.cpus,
        concurrency: args.variants.concurrency,
        ..Question::default()
    };
    let Measured { title, name, variants, missing, interrupted } = measured;
    let compared = compare(&name, &title, &variants, missing, &question)?;
    printer.answer(&match global.plain().map_err(anyhow::Error::msg)? {
        Plain::Text => report::variants_text(&compared, Printer::layout()),
        Plain::Json => report::variants_json(&compared)?,
    })?;
    Ok(if interrupted { Exit::Interrupted } else { Exit::Answered })
}

fn refuse_what_does_not_go_together(args: &MeasureArgs) -> anyhow::Result<()> {
    if args.output.is_some() {
        bail!(
            "--output writes one footprint, and --vary measures several: choose one of them and \
             name its options instead of --vary, as in `measure --arena off --output FILE`; it is \
             kept, so that it is not measured again"
        );
    }
    if !args.topologies.is_empty() {
        bail!("--topologies and --vary both compare: use one of them at a time");
    }
    Ok(())
}

/// Each with each, the last varied first, so that the first values of all are the first variant.
fn cross_product(args: &ServiceArgs, varied: &[Vary]) -> anyhow::Result<Vec<Planned>> {
    for (index, vary) in varied.iter().enumerate() {
        let key = vary.key();
        if varied[..index].iter().any(|other| other.key() == key) {
            bail!("--vary {key} is given twice: write all of its values in one list");
        }
        if vary.is_fixed_by(args) {
            bail!("--{key} and --vary {key} are both given: leave out one of them");
        }
    }
    let count = varied.iter().fold(1_usize, |n, vary| n.saturating_mul(vary.values().len()));
    if count > MOST {
        bail!("these are {count} variants, and at most {MOST} are measured: leave out some values");
    }
    let mut planned = vec![Planned { choices: Vec::new(), args: args.clone() }];
    for vary in varied {
        planned = planned
            .iter()
            .flat_map(|variant| vary.values().iter().map(|value| with(variant, *value)))
            .collect();
    }
    Ok(planned)
}

fn with(variant: &Planned, value: Variation) -> Planned {
    let mut planned = Planned { choices: variant.choices.clone(), args: variant.args.clone() };
    value.apply(&mut planned.args);
    planned.choices.push(Choice {
        key: value.key().to_owned(),
        value: value.value(),
        is_input: value.is_input(),
    });
    planned
}

/// How many variants there are, how many of them are kept, and how long the others take.
fn in_short(standings: &[(String, Standing)], budget: Seconds) -> String {
    let all = standings.len();
    let kept = standings.iter().filter(|(_, standing)| standing.is_kept).count();
    let left = all - kept;
    #[expect(clippy::cast_precision_loss, reason = "at most 16")]
    let expected = Seconds::new(budget.get() * left as f64);
    match (kept, left) {
        (_, 0) => format!("{all} variants, all kept: nothing is measured"),
        (0, _) => format!(
            "{all} variants: about {expected}, {budget} each, longer where the least takes longer"
        ),
        _ => format!("{all} variants, {kept} of them kept: about {expected} for the others"),
    }
}

fn announce(standings: &[(String, Standing)], budget: Seconds, printer: &Printer) {
    printer.notice(&in_short(standings, budget));
}

/// `--dry-run`.
fn told(standings: &[(String, Standing)], budget: Seconds) -> String {
    let mut lines = vec![format!("Would compare {}", in_short(standings, budget))];
    lines.extend(standings.iter().map(|(name, standing)| {
        format!("  {} {name}", if standing.is_kept { "kept    " } else { "measures" })
    }));
    format!("{}\n", lines.join("\n"))
}

/// What there is to compare.
struct Measured {
    name: String,
    title: String,
    variants: Vec<Variant>,
    missing: Vec<Missing>,
    interrupted: bool,
}

/// Measures one after the other. What fails leaves the others be, unless it is the first, which
/// they are compared with; an interrupt keeps what is finished.
fn measure(
    planned: &[Planned],
    requests: &[Request<'_>],
    interrupt: &Interrupt,
    printer: &Printer,
) -> anyhow::Result<Measured> {
    let mut measured = Measured {
        name: String::new(),
        title: String::new(),
        variants: Vec::new(),
        missing: Vec::new(),
        interrupted: false,
    };
    for (index, (variant, request)) in planned.iter().zip(requests).enumerate() {
        let name = variant.name();
        if interrupt.is_set() || measured.interrupted {
            measured.interrupted = true;
            measured.missing.push(Missing { name, reason: "interrupted before it".into() });
            continue;
        }
        printer.notice(&format!("variant {} of {}: {name}", index + 1, planned.len()));
        match request.obtain_until(interrupt) {
            Ok(obtained) if obtained.interrupted => {
                measured.interrupted = true;
                let reason = "interrupted; what was finished of it is kept".into();
                measured.missing.push(Missing { name, reason });
            }
            Ok(obtained) => measured.add(variant, obtained),
            Err(error) if error.is::<Interrupted>() => {
                measured.interrupted = true;
                measured.missing.push(Missing { name, reason: "interrupted".into() });
            }
            Err(error) if index == 0 => return Err(error.context(format!("variant {name}"))),
            Err(error) => {
                printer.warning(&format!("variant {name}: {error:#}"));
                measured.missing.push(Missing { name, reason: format!("{error:#}") });
            }
        }
    }
    if measured.variants.is_empty() {
        bail!(Interrupted);
    }
    Ok(measured)
}

impl Measured {
    fn add(&mut self, variant: &Planned, obtained: Obtained) {
        let profile = &obtained.profile;
        if self.variants.is_empty() {
            profile.title().clone_into(&mut self.title);
            self.name.clone_from(&profile.name);
        }
        self.variants.push(Variant {
            choices: variant.choices.clone(),
            warnings: obtained.warnings(),
            footprint: obtained.footprint,
        });
    }
}
