//! Quantities as text, as a language and the author of a profile write them.

use super::catalogue::Language;
use crate::plan::figure::{Form, Shown, Value};
use crate::units::{Bytes, Convention, Source, Span, Units};

/// How quantities are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub language: Language,
    /// What a megabyte is to the author of the profile; `None` for MiB and GiB.
    pub units: Option<Units>,
}

/// Quantities as text in English, for commands that print them by themselves.
pub struct Plain(Style);

impl Plain {
    /// As the author of a profile with these units writes them.
    pub const fn new(units: Option<Units>) -> Self {
        Self(Style { language: Language::English, units })
    }

    /// The quantity as text.
    pub fn text(&self, shown: &Shown) -> String {
        self.0.text(shown)
    }
}

/// Whether a number is as exact as it was written, or as it was measured.
fn is_written(source: Source) -> bool {
    matches!(source, Source::Declared | Source::Assumed)
}

impl Style {
    /// The quantity as text.
    pub fn text(self, shown: &Shown) -> String {
        let Shown { value, form, .. } = shown;
        let [low, typical, high] = value.ends();
        let [low, high] = match form {
            Form::Range | Form::GigaRange => [low, high],
            Form::High => [high, high],
            Form::Typical | Form::Giga | Form::Signed | Form::Exact => [typical, typical],
        };
        match value {
            Value::Bytes(_) | Value::Box(_) if *form == Form::Exact => {
                format!("{} bytes", self.decimal(typical, 0))
            }
            Value::Bytes(span) => self.bytes(low, high, span, *form),
            Value::Volume(_) => self.volume(low, high, *form),
            Value::Box(bytes) => self.size_of_box(*bytes),
            Value::Seconds(span) => self.seconds(low, high, is_written(span.source())),
            Value::Rate(_) if high > 0.0 && high < 0.000_5 => {
                Self::joined(low, high, "/day", |x| self.decimal(x * 86_400.0, 4))
            }
            Value::Rate(span) => {
                Self::joined(low, high, "/s", |x| self.rate(x, is_written(span.source())))
            }
            Value::PerMinute(_) => {
                Self::joined(low, high, "/min", |x| self.decimal(x, usize::from(x < 10.0)))
            }
            Value::Count(_) => Self::joined(low, high, "", |x| self.count(x)),
            Value::Share(_) if *form == Form::Signed => {
                let text = format!("{:+.1} %", typical * 100.0);
                text.replace('.', &self.language.decimal().to_string())
            }
            Value::Share(_) => Self::joined(low, high, " %", |x| self.percent(x)),
            Value::Money(_) => format!("${}", Self::joined(low, high, "", |x| self.decimal(x, 2))),
            Value::Cpus(cpus) => {
                let n = self.decimal(cpus.get(), 2);
                let plural = self.language == Language::English && cpus.get() != 1.0;
                format!("{n} CPU{}", if plural { "s" } else { "" })
            }
        }
    }

    /// One number, or two where they do not read the same.
    fn joined(low: f64, high: f64, unit: &str, text: impl Fn(f64) -> String) -> String {
        let (low, high) = (text(low), text(high));
        if low == high { format!("{high}{unit}") } else { format!("{low}–{high}{unit}") }
    }

    /// With at most so many digits behind the point, and no zeros at the end.
    pub fn decimal(self, number: f64, digits: usize) -> String {
        // A number like 1.595 is stored a bit below itself.
        let nudged = number + number.abs() * 1e-12;
        let text = format!("{nudged:.digits$}");
        let text = match text.split_once('.') {
            Some((whole, rest)) => {
                let rest = rest.trim_end_matches('0');
                let whole = self.grouped(whole);
                if rest.is_empty() {
                    whole
                } else {
                    format!("{whole}{}{rest}", self.language.decimal())
                }
            }
            None => self.grouped(&text),
        };
        if text == "-0" { "0".to_owned() } else { text }
    }

    /// From five digits on in groups of three.
    fn grouped(self, whole: &str) -> String {
        let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |d| ("-", d));
        if digits.len() < 5 {
            return whole.to_owned();
        }
        let mut text = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index) % 3 == 0 {
                text.push(self.language.thousands());
            }
            text.push(digit);
        }
        format!("{sign}{text}")
    }

    fn count(self, x: f64) -> String {
        self.decimal(x, if x < 10.0 { 2 } else { 1 })
    }

    fn percent(self, x: f64) -> String {
        let percent = x * 100.0;
        let tenths = percent * 10.0;
        // What was written with a digit keeps it; what was computed is rounded.
        let has_tenth = (tenths - tenths.round()).abs() < 1e-6;
        let digits = if percent.abs() < 1.0 { 2 } else { usize::from(has_tenth) };
        self.decimal(percent, digits)
    }

    fn rate(self, x: f64, written: bool) -> String {
        match x {
            0.0 => "0".to_owned(),
            x if x < 0.1 => self.decimal(x, 3),
            x if written => self.decimal(x, 2),
            x if x < 1.0 => self.decimal(x, 2),
            x if x < 99.5 => self.decimal(x, 1),
            x => self.decimal(x, 0),
        }
    }

    fn seconds(self, low: f64, high: f64, written: bool) -> String {
        let (factor, unit) = match high {
            s if s < 0.000_999_5 && s > 0.0 => (1e6, " µs"),
            s if s < 0.999_5 => (1e3, " ms"),
            s if s < 120.0 => (1.0, " s"),
            s if s < 7200.0 => (1.0 / 60.0, " min"),
            _ => (1.0 / 3600.0, " h"),
        };
        Self::joined(low * factor, high * factor, unit, |x| match x {
            x if written => self.decimal(x, 2),
            x if x < 9.95 => self.decimal(x, 1),
            x => self.decimal(x, 0),
        })
    }

    /// A M of the author's, and its word; of nobody's, a MiB.
    fn mega(self) -> (f64, &'static str, &'static str) {
        match self.units {
            Some(units) => (units.boxes.mega().as_f64(), "MB", "GB"),
            None => (Bytes::MIB.as_f64(), "MiB", "GiB"),
        }
    }

    fn bytes(self, low: f64, high: f64, span: &Span<Bytes>, form: Form) -> String {
        let (mega, mb, gb) = self.mega();
        let written = is_written(span.source());
        let (low, high) = (low / mega, high / mega);
        let giga = match self.units {
            Some(units) => f64::from(units.display.megas_a_giga()),
            None => 1024.0,
        };
        let in_gigas = matches!(form, Form::Giga | Form::GigaRange)
            || (self.units.is_none() && high >= 1023.5);
        if in_gigas {
            return Self::joined(low / giga, high / giga, &format!(" {gb}"), |x| {
                self.decimal(x, 2)
            });
        }
        if high < 0.95 && high > 0.0 && !written {
            return Self::joined(low * 1024.0, high * 1024.0, " KiB", |x| {
                self.decimal(x.max(1.0), 0)
            });
        }
        let rounded = |x: f64| match x {
            x if written => self.decimal(x, 2),
            x if x < 9.95 => self.decimal(x, 1),
            x => self.decimal(x, 0),
        };
        // An interval that is narrower than the rounding is still one.
        let is_narrow = rounded(low) == rounded(high) && high - low > 0.05;
        Self::joined(low, high, &format!(" {mb}"), |x| {
            if is_narrow { self.decimal(x, 1) } else { rounded(x) }
        })
    }

    /// Disk and bandwidth: decimal, as they are sold.
    fn volume(self, low: f64, high: f64, form: Form) -> String {
        let (factor, unit) = match high {
            _ if matches!(form, Form::Giga | Form::GigaRange) => (1e9, " GB"),
            b if b >= 1e12 * 10.0 => (1e12, " TB"),
            b if b >= 1e9 => (1e9, " GB"),
            b if b >= 1e6 => (1e6, " MB"),
            _ => (1e3, " KB"),
        };
        Self::joined(low / factor, high / factor, unit, |x| self.decimal(x, 2))
    }

    fn size_of_box(self, bytes: Bytes) -> String {
        let (mega, mb, gb) = self.mega();
        let megas = bytes.as_f64() / mega;
        let giga = self.units.map_or(Convention::Binary, |u| u.boxes).megas_a_giga();
        if megas >= f64::from(giga) {
            format!("{} {gb}", self.decimal(megas / f64::from(giga), 2))
        } else {
            format!("{} {mb}", self.decimal(megas, usize::from(megas < 10.0)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Cpus, Money, Rate, Seconds};

    const PLAIN: Style = Style { language: Language::English, units: None };

    fn mixed(language: Language) -> Style {
        Style {
            language,
            units: Some(Units { boxes: Convention::Binary, display: Convention::Decimal }),
        }
    }

    fn mib(low: f64, typical: f64, high: f64, source: Source) -> Value {
        let bytes = |m: f64| Bytes::from_f64(m * 1_048_576.0);
        Value::Bytes(Span::around(bytes(low), bytes(typical), bytes(high), source))
    }

    fn shown(value: Value, form: Form) -> Shown {
        Shown { value, form, key: None }
    }

    #[test]
    fn what_was_written_keeps_its_digits_and_what_was_measured_three() {
        let declared = mib(10.5, 15.0, 29.0, Source::Declared);
        let style = mixed(Language::Spanish);
        assert_eq!(style.text(&shown(declared, Form::Range)), "10,5–29 MB");
        assert_eq!(style.text(&shown(declared, Form::Typical)), "15 MB");
        let measured = mib(271.3, 271.34, 280.0, Source::Fitted);
        assert_eq!(PLAIN.text(&shown(measured, Form::Typical)), "271 MiB");
        assert_eq!(
            PLAIN.text(&shown(mib(1.0, 1.0, 1536.0, Source::Fitted), Form::High)),
            "1.5 GiB"
        );
    }

    #[test]
    fn gigabytes_are_as_the_author_writes_them() {
        let total = mib(1595.0, 1595.0, 1595.0, Source::Declared);
        assert_eq!(mixed(Language::English).text(&shown(total, Form::Typical)), "1595 MB");
        assert_eq!(mixed(Language::English).text(&shown(total, Form::Giga)), "1.6 GB");
        assert_eq!(mixed(Language::English).text(&Shown::plain(Value::Box(Bytes::GIB))), "1 GB");
        assert_eq!(PLAIN.text(&Shown::plain(Value::Box(Bytes::mib(512)))), "512 MiB");
    }

    #[test]
    fn all_kinds_have_a_text() {
        let exact = |x: f64| Span::exact(x, Source::Declared);
        let text = |value| PLAIN.text(&shown(value, Form::Range));
        assert_eq!(
            text(Value::Seconds(Span::exact(Seconds::new(0.04), Source::Declared))),
            "40 ms"
        );
        assert_eq!(
            text(Value::Seconds(Span::exact(Seconds::new(12_960.0), Source::Declared))),
            "3.6 h"
        );
        assert_eq!(
            text(Value::Rate(Span::exact(Rate::per_second(25.0), Source::Declared))),
            "25/s"
        );
        assert_eq!(text(Value::Count(exact(90_909.0))), "90,909");
        assert_eq!(text(Value::Share(exact(0.5215))), "52 %");
        assert_eq!(text(Value::Share(exact(0.995))), "99.5 %");
        assert_eq!(PLAIN.text(&shown(Value::Share(exact(-0.012)), Form::Signed)), "-1.2 %");
        let price =
            Span::around(Money::new(6.0), Money::new(9.0), Money::new(12.0), Source::Declared);
        assert_eq!(text(Value::Money(price)), "$6–12");
        assert_eq!(Cpus::new(0.5).map(|c| text(Value::Cpus(c))).as_deref(), Some("0.5 CPUs"));
        let volume = Span::exact(Bytes::new(3_000_000_000), Source::Declared);
        assert_eq!(text(Value::Volume(volume)), "3 GB");
    }

    proptest::proptest! {
        #[test]
        fn any_number_reads_back(x in 0.0..1e9f64) {
            let text = PLAIN.decimal(x, 2).replace(',', "");
            let back: f64 = text.parse().unwrap();
            proptest::prop_assert!((back - x).abs() <= 0.006 + x * 1e-9, "{text}");
        }
    }
}
