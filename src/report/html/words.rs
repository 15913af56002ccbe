//! The few words that a page needs and a document does not hold.

use crate::report::document::Mood;

/// In one language.
pub struct Words {
    /// Read aloud for the list of sections.
    pub contents: &'static str,
    /// In place of a curve that has no points.
    pub no_data: &'static str,
    good: &'static str,
    fair: &'static str,
    bad: &'static str,
    neutral: &'static str,
    /// Between the whole and the fraction of a number.
    pub decimal: char,
}

const ENGLISH: Words = Words {
    contents: "Contents",
    no_data: "No data",
    good: "Good",
    fair: "Tight",
    bad: "Fails",
    neutral: "Note",
    decimal: '.',
};

const SPANISH: Words = Words {
    contents: "Contenido",
    no_data: "Sin datos",
    good: "Bien",
    fair: "Justo",
    bad: "Falla",
    neutral: "Nota",
    decimal: ',',
};

impl Words {
    /// Those of a language tag; English where the language is not known.
    pub fn of(language: &str) -> &'static Self {
        match language.split(['-', '_']).next() {
            Some(tag) if tag.eq_ignore_ascii_case("es") => &SPANISH,
            _ => &ENGLISH,
        }
    }

    /// A word beside the symbol of a mood, so that nobody has to know the symbol.
    pub fn mood(&self, mood: Mood) -> &'static str {
        match mood {
            Mood::Good => self.good,
            Mood::Fair => self.fair,
            Mood::Bad => self.bad,
            Mood::Neutral => self.neutral,
        }
    }
}

/// A sign of a mood, so that nobody has to see its colour.
pub fn symbol(mood: Mood) -> &'static str {
    match mood {
        Mood::Good => "✓",
        Mood::Fair => "!",
        Mood::Bad => "✗",
        Mood::Neutral => "•",
    }
}

/// What the style sheet calls a mood.
pub fn class(mood: Mood) -> &'static str {
    match mood {
        Mood::Good => "good",
        Mood::Fair => "fair",
        Mood::Bad => "bad",
        Mood::Neutral => "neutral",
    }
}
