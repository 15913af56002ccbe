//! A budget file: services, and what each must not exceed.

use std::fmt;
use std::path::{Path, PathBuf};

use saphyr::{LoadableYamlNode, MarkedYaml};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

use super::{ProfileError, from_yaml, text_of};
use crate::footprint::checked::{list, one_line_if_any};
use crate::service::{Limit, Line, Named, Quantity, Rule};
use crate::units::{Convention, Cpus, MOST_IN_FLIGHT, Rate, Seconds, Share, Size, at_most, growth};

/// Rules of all services of a budget: each takes some milliseconds.
const MOST_RULES: usize = 100;

/// A budget.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    /// In their order; one at least.
    pub services: Vec<Budgeted>,
}

/// A service and its rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Budgeted {
    /// What the budget calls it.
    pub name: String,
    /// Which it is.
    pub subject: Subject,
    /// A committed footprint that growth is compared with.
    pub baseline: Option<PathBuf>,
    /// Whether it is warmed up before it gets traffic.
    pub warmed: bool,
    /// One at least.
    pub rules: Vec<Rule>,
}

/// What a budget is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A profile: an embedded one or a file.
    Profile(String),
    /// A model by itself.
    Model(PathBuf),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BudgetKeys {
    services: Named<ServiceKeys>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceKeys {
    #[serde(default, deserialize_with = "one_line_if_any")]
    profile: Option<String>,
    #[serde(default)]
    model: Option<PathBuf>,
    #[serde(default)]
    baseline: Option<PathBuf>,
    #[serde(default)]
    warmed: bool,
    #[serde(deserialize_with = "list")]
    rules: Vec<Drafted>,
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "RuleKeys")]
struct Drafted {
    name: Option<String>,
    reason: Option<String>,
    limit: Limit,
    decimal: Limit,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleKeys {
    #[serde(default, deserialize_with = "one_line_if_any")]
    name: Option<String>,
    #[serde(default, deserialize_with = "one_line_if_any")]
    reason: Option<String>,
    #[serde(default, deserialize_with = "a_size")]
    max_ram: Option<Size>,
    concurrency: Option<u32>,
    #[serde(default, deserialize_with = "a_size")]
    max_buffer: Option<Size>,
    #[serde(default, deserialize_with = "a_size")]
    max_load_peak: Option<Size>,
    max_cpu_seconds: Option<Quantity<Seconds>>,
    #[serde(default, deserialize_with = "a_rate")]
    min_rps: Option<Rate>,
    cpus: Option<Cpus>,
    #[serde(default, deserialize_with = "a_size")]
    max_model_file: Option<Size>,
    #[serde(default, deserialize_with = "a_growth")]
    max_growth: Option<Share>,
}

/// A number or a text, as its text: YAML takes `10` for one and `10/s` for the other.
struct Text;

impl Visitor<'_> for Text {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<String, E> {
        Ok(number.to_string())
    }
}

fn read<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    of: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, D::Error> {
    let text = deserializer.deserialize_any(Text)?;
    of(&text).map(Some).map_err(D::Error::custom)
}

fn a_size<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Size>, D::Error> {
    read(d, |text| at_most(text.parse::<Size>().map_err(|e| e.to_string())?, text))
}

fn a_rate<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Rate>, D::Error> {
    read(d, |text| text.parse::<Rate>().map_err(|e| e.to_string()))
}

fn a_growth<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Share>, D::Error> {
    read(d, growth)
}

impl TryFrom<RuleKeys> for Drafted {
    type Error = String;

    fn try_from(keys: RuleKeys) -> Result<Self, String> {
        let limit = keys.limit(Convention::Binary)?;
        if keys.concurrency.is_some() && !matches!(limit, Limit::Ram { .. }) {
            return Err("`concurrency` belongs to `max_ram`: remove it".to_owned());
        }
        if keys.cpus.is_some() && !matches!(limit, Limit::Rps { .. }) {
            return Err("`cpus` belongs to `min_rps`: remove it".to_owned());
        }
        let decimal = keys.limit(Convention::Decimal)?;
        Ok(Self { name: keys.name, reason: keys.reason, limit, decimal })
    }
}

impl RuleKeys {
    /// The one limit, where sizes of boxes are read so. Files are of a disk: they are decimal.
    fn limit(&self, convention: Convention) -> Result<Limit, String> {
        let memory = |size: Size| size.bytes(convention);
        let ram = self.max_ram.map(|most| match self.concurrency {
            Some(0) | None => {
                Err("`max_ram` is for a number of requests in flight: add `concurrency: 10`"
                    .to_owned())
            }
            Some(n) if n > MOST_IN_FLIGHT => Err(format!(
                "`concurrency` is {n}, and nobody has so many in flight: give at most {MOST_IN_FLIGHT}"
            )),
            Some(concurrency) => Ok(Limit::Ram { most: memory(most), concurrency }),
        });
        let rps = self.min_rps.map(|least| {
            self.cpus
                .map(|cpus| Limit::Rps { least, cpus })
                .ok_or_else(|| "`min_rps` is for a box: add its `cpus: 1`".to_owned())
        });
        let limits = [
            ram.transpose()?,
            self.max_buffer.map(|most| Limit::Buffer(memory(most))),
            self.max_load_peak.map(|most| Limit::LoadPeak(memory(most))),
            self.max_cpu_seconds.as_ref().map(|most| Limit::CpuSeconds(most.high())),
            rps.transpose()?,
            self.max_model_file.map(|most| Limit::ModelFile(most.bytes(Convention::Decimal))),
            self.max_growth.map(Limit::Growth),
        ];
        let mut limits = limits.into_iter().flatten();
        match (limits.next(), limits.next()) {
            (Some(limit), None) => Ok(limit),
            _ => Err("a rule has one limit: `max_ram`, `max_buffer`, `max_load_peak`, \
                      `max_cpu_seconds`, `min_rps`, `max_model_file` or `max_growth`"
                .to_owned()),
        }
    }
}

impl Budget {
    /// Reads a budget from a file. Paths in it are relative to the file's folder.
    ///
    /// # Errors
    /// Where it cannot be read, or with the place of what is wrong.
    pub fn read(path: &Path) -> Result<Self, ProfileError> {
        let text = text_of(path)
            .map_err(|reason| ProfileError::UnreadableBudget { path: path.to_owned(), reason })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, &path.display().to_string(), folder)
    }

    /// Reads a budget from text; `origin` names it in errors, and paths in it are relative to `folder`.
    ///
    /// # Errors
    /// With the place of what is wrong.
    pub fn parse(text: &str, origin: &str, folder: &Path) -> Result<Self, ProfileError> {
        if text.trim().is_empty() {
            let empty = "the file is empty: a budget needs `services:`";
            return Err(ProfileError::nothing(origin, empty));
        }
        let keys: BudgetKeys = from_yaml(text, origin)?;
        let rules: usize = keys.services.iter().map(|(_, service)| service.rules.len()).sum();
        if rules > MOST_RULES {
            let wrong =
                format!("its services have {rules} rules: at most {MOST_RULES} are held; split it");
            return Err(ProfileError::nothing(origin, &wrong));
        }
        let lines = Lines::of(text);
        let services = keys
            .services
            .iter()
            .enumerate()
            .map(|(nth, (name, service))| service.placed(name, (nth, &lines), origin, folder))
            .collect::<Result<Vec<_>, _>>()?;
        if services.is_empty() {
            return Err(ProfileError::nothing(
                origin,
                "there is no service in `services`: add one",
            ));
        }
        Ok(Self { services })
    }
}

impl ServiceKeys {
    fn placed(
        &self,
        name: &str,
        (nth, lines): (usize, &Lines<'_>),
        origin: &str,
        folder: &Path,
    ) -> Result<Budgeted, ProfileError> {
        let wrong = |what: String| Err(ProfileError::nothing(origin, &what));
        let subject = match (&self.profile, &self.model) {
            (Some(profile), None) if profile.contains(['/', '.']) => {
                Subject::Profile(folder.join(profile).display().to_string())
            }
            (Some(profile), None) => Subject::Profile(profile.clone()),
            (None, Some(model)) => Subject::Model(folder.join(model)),
            _ => {
                return wrong(format!(
                    "the service `{name}` has a `profile` or a `model`, one of them"
                ));
            }
        };
        if self.rules.is_empty() {
            return wrong(format!("the service `{name}` has no rules: add one to `rules`"));
        }
        let rule = |(index, drafted): (usize, &Drafted)| Rule {
            name: drafted.name.clone().unwrap_or_else(|| drafted.limit.default_name()),
            reason: drafted.reason.clone(),
            limit: drafted.limit,
            decimal: drafted.decimal,
            line: lines.of_rule(nth, index).map(|number| Line { file: origin.to_owned(), number }),
        };
        Ok(Budgeted {
            name: name.to_owned(),
            subject,
            baseline: self.baseline.as_ref().map(|path| folder.join(path)),
            warmed: self.warmed,
            rules: self.rules.iter().enumerate().map(rule).collect(),
        })
    }
}

/// Where things stand in the text, which `serde_yaml` tells of errors alone.
struct Lines<'a>(Option<MarkedYaml<'a>>);

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        Self(MarkedYaml::load_from_str(text).ok().and_then(|all| all.into_iter().next()))
    }

    /// The line of a rule, from 1, of the service in that order: its name may be a number.
    fn of_rule(&self, service: usize, index: usize) -> Option<u32> {
        let services = self.0.as_ref()?.data.as_mapping_get("services")?.data.as_mapping()?;
        let (_, service) = services.iter().nth(service)?;
        let rules = service.data.as_mapping_get("rules")?;
        u32::try_from(rules.data.as_sequence_get(index)?.span.start.line()).ok()
    }
}

/// The line of a key on the top level of a YAML text, from 1.
pub fn line_of(text: &str, key: &str) -> Option<u32> {
    let lines = Lines::of(text);
    let found = lines.0.as_ref()?.data.as_mapping_get(key)?;
    u32::try_from(found.span.start.line()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Bytes;

    const TEXT: &str = "\
# what the pods have
services:
  scan:
    profile: scan.yaml
    baseline: scan.footprint.yaml
    rules:
      - name: fits the pod
        max_ram: 512M
        concurrency: 10
        reason: limits.memory of the pod
      - {max_buffer: 20M}
      - {min_rps: 10/s, cpus: 0.5}
  small:
    model: small.onnx
    rules: [{max_model_file: 20MB}, {max_growth: 5%}, {max_cpu_seconds: 50ms}]
";

    #[test]
    fn rules_are_read_with_their_lines() {
        let budget = Budget::parse(TEXT, "budget.yaml", Path::new("ci")).unwrap();
        let [scan, small] = budget.services.as_slice() else { panic!("{budget:?}") };
        assert_eq!(scan.subject, Subject::Profile("ci/scan.yaml".to_owned()));
        assert_eq!(scan.baseline.as_deref(), Some(Path::new("ci/scan.footprint.yaml")));
        let lines = |service: &Budgeted| -> Vec<u32> {
            service.rules.iter().map(|rule| rule.line.as_ref().unwrap().number).collect()
        };
        assert_eq!(lines(scan), [7, 11, 12]);
        assert_eq!(lines(small), [15, 15, 15]);
        assert_eq!(scan.rules[0].limit, Limit::Ram { most: Bytes::mib(512), concurrency: 10 });
        assert_eq!(scan.rules[0].name, "fits the pod");
        assert_eq!(scan.rules[1].name, "RAM of each request");
        let ten = Rate::per_second(10.0);
        assert!(matches!(scan.rules[2].limit, Limit::Rps { least, .. } if least == ten));
        let counted = scan.rules[1].counted(Convention::Decimal);
        assert_eq!(counted.limit, Limit::Buffer(Bytes::new(20_000_000)));
        assert_eq!(small.rules[0].limit, Limit::ModelFile(Bytes::new(20_000_000)));
        assert_eq!(small.rules[2].limit, Limit::CpuSeconds(Seconds::new(0.05)));
    }

    #[test]
    fn services_may_have_numbers_for_names() {
        let text = "services:\n  123:\n    profile: a\n    rules:\n    - {max_buffer: 1M}\n  \
                    true: {profile: b, rules: [{max_buffer: 1M}]}\n";
        let budget = Budget::parse(text, "b.yaml", Path::new("")).unwrap();
        let lines = budget.services.iter().map(|s| s.rules[0].line.as_ref().unwrap().number);
        assert_eq!(lines.collect::<Vec<_>>(), [5, 6]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let wrong = |rule: &str| {
            let text =
                format!("services:\n  a:\n    profile: p.yaml\n    rules:\n      - {rule}\n");
            Budget::parse(&text, "b.yaml", Path::new("")).unwrap_err().to_string()
        };
        for (rule, said) in [
            ("{max_rams: 1G}", "unknown key `max_rams`"),
            ("{max_ram: 1G}", "add `concurrency: 10`"),
            ("{min_rps: 5}", "add its `cpus: 1`"),
            ("{max_buffer: 1M, max_growth: 5%}", "a rule has one limit"),
            ("{max_buffer: 1M, concurrency: 3}", "`concurrency` belongs to `max_ram`"),
            ("{name: nothing}", "a rule has one limit"),
            ("{max_growth: 5 apples}", "is not a share"),
            ("{max_growth: 0%}", "differ by: give 0.5% or more"),
            ("{max_buffer: 0}", "a limit of 0 bytes cannot be kept"),
            ("{max_buffer: 20}", "did you mean 20M?"),
            ("{max_ram: 1G, concurrency: 4000000000}", "give at most 100000"),
            ("5", "expected a rule, as in"),
        ] {
            let text = wrong(rule);
            assert!(text.contains(said) && text.starts_with("b.yaml:5:"), "{rule}: {text}");
        }
        let empty = Budget::parse("", "b.yaml", Path::new("")).unwrap_err().to_string();
        assert!(empty.contains("a budget needs `services:`"), "{empty}");
        let list = Budget::parse("- a\n", "b.yaml", Path::new("")).unwrap_err().to_string();
        assert!(list.contains("expected a budget, with `services:`"), "{list}");
        let two = "services: {}\n---\nservices: {}\n";
        let two = Budget::parse(two, "b.yaml", Path::new("")).unwrap_err().to_string();
        assert!(!two.contains("profile"), "{two}");
        let both = "services:\n  a: {rules: [{max_buffer: 1M}]}\n";
        let both = Budget::parse(both, "b.yaml", Path::new("")).unwrap_err().to_string();
        assert!(both.contains("`profile` or a `model`"), "{both}");
    }
}
