//! The messages of the report in the languages that it speaks. They are in files that a translator
//! can edit, in the format of Project Fluent; the tests hold that none lacks a message.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::{LanguageIdentifier, langid};

/// The messages of each language.
const ENGLISH: &str = include_str!("messages/en.ftl");
const SPANISH: &str = include_str!("messages/es.ftl");

/// A language that the report speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Spanish.
    Spanish,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::Spanish];

    /// Its tag, as `en`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
        }
    }

    /// The language of a locale such as `es_ES.UTF-8` or `es-MX`; English of any that it does not
    /// speak.
    pub fn of_locale(locale: &str) -> Self {
        let language = locale.split(['_', '-', '.', '@']).next().unwrap_or_default();
        if language.eq_ignore_ascii_case("es") { Self::Spanish } else { Self::English }
    }

    /// What stands between whole and fraction.
    pub const fn decimal(self) -> char {
        match self {
            Self::English => '.',
            Self::Spanish => ',',
        }
    }

    /// What stands between thousands.
    pub const fn thousands(self) -> char {
        match self {
            Self::English => ',',
            Self::Spanish => '.',
        }
    }

    const fn source(self) -> &'static str {
        match self {
            Self::English => ENGLISH,
            Self::Spanish => SPANISH,
        }
    }

    const fn identifier(self) -> LanguageIdentifier {
        match self {
            Self::English => langid!("en"),
            Self::Spanish => langid!("es"),
        }
    }
}

/// The messages of one language.
pub(super) struct Catalogue {
    bundle: FluentBundle<FluentResource>,
}

impl Catalogue {
    pub(super) fn of(language: Language) -> Self {
        let mut bundle = FluentBundle::new_concurrent(vec![language.identifier()]);
        // Marks for the direction of text would be escapes in a terminal.
        bundle.set_use_isolating(false);
        // A message that cannot be read is one that is missing, which the tests see.
        let resource = match FluentResource::try_new(language.source().to_owned()) {
            Ok(resource) | Err((resource, _)) => resource,
        };
        bundle.add_resource_overriding(resource);
        Self { bundle }
    }

    /// The message with what its places hold. A message that is not there is its own name.
    pub(super) fn say(&self, id: &str, places: &[(&str, FluentValue<'_>)]) -> String {
        let Some(pattern) = self.bundle.get_message(id).and_then(|m| m.value()) else {
            return format!("⟨{id}⟩");
        };
        let args: FluentArgs<'_> = places.iter().cloned().collect();
        let mut errors = Vec::new();
        self.bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned()
    }

    /// A message without places.
    pub(super) fn word(&self, id: &str) -> String {
        self.say(id, &[])
    }
}

/// One message with one place, for what stands outside of a report.
pub fn say(language: Language, id: &str, place: &str, value: &str) -> String {
    Catalogue::of(language).say(id, &[(place, FluentValue::from(value.to_owned()))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_choose_a_language() {
        for (locale, language) in [
            ("es_ES.UTF-8", Language::Spanish),
            ("es", Language::Spanish),
            ("es-MX", Language::Spanish),
            ("en_GB.UTF-8", Language::English),
            ("C", Language::English),
            ("", Language::English),
            ("est", Language::English),
        ] {
            assert_eq!(Language::of_locale(locale), language, "{locale}");
        }
    }

    #[test]
    fn every_file_of_messages_can_be_read() {
        for language in Language::ALL {
            assert!(FluentResource::try_new(language.source().to_owned()).is_ok());
        }
        assert_eq!(Catalogue::of(Language::Spanish).word("source-measured"), "medido");
        assert_eq!(Catalogue::of(Language::English).word("no-such"), "⟨no-such⟩");
    }
}
