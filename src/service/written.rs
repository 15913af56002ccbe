//! Quantities as people write them: `22MB`, `~170MB`, `20-40MB`, `0.1-0.2s`, `100`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::units::{Bytes, Convention, Money, Seconds, Share, Size, Source, Span, box_ram};

/// Something that has a number and perhaps a unit, in one word.
pub trait Written: Sized + Copy + PartialOrd {
    /// What an example of it looks like.
    const EXAMPLE: &'static str;

    /// Reads one word.
    ///
    /// # Errors
    /// In words, where it is none.
    fn read(text: &str) -> Result<Self, String>;
}

/// A quantity, or a range of it, as somebody wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity<T> {
    text: String,
    low: T,
    high: T,
}

impl<T: Written> Quantity<T> {
    /// Reads `22MB`, `~170MB` or `20-40MB`.
    ///
    /// # Errors
    /// In words, where it is none, or a range that falls.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bare = text.trim().trim_start_matches(['~', '≈']).trim_start();
        let (low, high) = match bare.split_once(['-', '–']).filter(|(low, _)| !low.is_empty()) {
            None => (T::read(bare)?, T::read(bare)?),
            Some((low, high)) => {
                let number_end = high
                    .trim()
                    .find(|c: char| !matches!(c, '0'..='9' | '.' | ' '))
                    .unwrap_or(high.trim().len());
                let unit = &high.trim()[number_end..];
                let has_unit = low.chars().any(|c| c.is_alphabetic() || c == '%');
                let low =
                    if has_unit { low.trim().to_owned() } else { format!("{}{unit}", low.trim()) };
                (T::read(&low)?, T::read(high.trim())?)
            }
        };
        if low > high {
            return Err(format!("`{text}` falls: write the smaller end first"));
        }
        Ok(Self { text: text.to_owned(), low, high })
    }

    /// The lower end.
    pub const fn low(&self) -> T {
        self.low
    }

    /// The upper end.
    pub const fn high(&self) -> T {
        self.high
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Digits behind the decimal point of its more exact end.
    pub fn decimals(&self) -> usize {
        let after = |part: &str| {
            part.split_once('.')
                .map_or(0, |(_, rest)| rest.chars().take_while(char::is_ascii_digit).count())
        };
        self.text.split(['-', '–']).map(after).max().unwrap_or(0)
    }
}

impl Quantity<Size> {
    /// In bytes, by what a megabyte is here; the middle is what to expect.
    pub fn bytes(&self, convention: Convention) -> Span<Bytes> {
        let (low, high) = (self.low.bytes(convention), self.high.bytes(convention));
        let middle = Bytes::from_f64(f64::midpoint(low.as_f64(), high.as_f64()));
        Span::around(low, middle, high, Source::Declared)
    }
}

impl Quantity<Seconds> {
    /// As a span; the middle is what to expect.
    pub fn span(&self) -> Span<Seconds> {
        let middle = Seconds::new(f64::midpoint(self.low.get(), self.high.get()));
        Span::around(self.low, middle, self.high, Source::Declared)
    }
}

impl Quantity<Number> {
    /// As a span; the middle is what to expect.
    pub fn span(&self) -> Span<f64> {
        Span::around(
            self.low.0,
            f64::midpoint(self.low.0, self.high.0),
            self.high.0,
            Source::Declared,
        )
    }
}

impl Quantity<Money> {
    /// As a span; the middle is what to expect.
    pub fn span(&self) -> Span<Money> {
        let middle = Money::new(f64::midpoint(self.low.get(), self.high.get()));
        Span::around(self.low, middle, self.high, Source::Declared)
    }
}

/// A plain number, 0 or more: requests, users, factors.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Number(pub f64);

impl Written for Number {
    const EXAMPLE: &'static str = "100, or a range as 5-10";

    fn read(text: &str) -> Result<Self, String> {
        match text.trim().parse::<f64>() {
            Ok(n) if (0.0..=1e15).contains(&n) => Ok(Self(n)),
            _ => Err(format!("`{text}` is not a number: write {}", Self::EXAMPLE)),
        }
    }
}

impl Written for Size {
    const EXAMPLE: &'static str = "60MB, or a range as 20-40MB";

    fn read(text: &str) -> Result<Self, String> {
        text.parse::<Self>().map_err(|e| e.to_string())
    }
}

impl Written for Seconds {
    const EXAMPLE: &'static str = "40ms, or a range as 0.5-2s";

    fn read(text: &str) -> Result<Self, String> {
        text.parse::<Self>().map_err(|e| e.to_string())
    }
}

impl Written for Money {
    const EXAMPLE: &'static str = "$12, or a range as $6-12";

    fn read(text: &str) -> Result<Self, String> {
        text.parse::<Self>().map_err(|e| e.to_string())
    }
}

impl Written for Share {
    const EXAMPLE: &'static str = "80%";

    fn read(text: &str) -> Result<Self, String> {
        text.parse::<Self>().map_err(|e| e.to_string())
    }
}

impl<T> Serialize for Quantity<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de, T: Written> Deserialize<'de> for Quantity<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(QuantityVisitor(PhantomData))
    }
}

struct QuantityVisitor<T>(PhantomData<T>);

impl<T: Written> Visitor<'_> for QuantityVisitor<T> {
    type Value = Quantity<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a quantity as {}", T::EXAMPLE)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Quantity<T>, E> {
        Quantity::parse(text).map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Quantity<T>, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Quantity<T>, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Quantity<T>, E> {
        // What is written is printed again: hundreds of digits are no quantity.
        if number != 0.0 && !(1e-9..=1e15).contains(&number.abs()) && number.is_finite() {
            return Err(E::custom(format!("{number:?} is no quantity: write {}", T::EXAMPLE)));
        }
        self.visit_str(&number.to_string())
    }
}

/// Reads the RAM of a box.
pub(super) fn ram<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Size, D::Error> {
    deserializer.deserialize_str(Ram)
}

/// [`ram`], for one that may be missing.
pub(super) fn ram_if_any<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Size>, D::Error> {
    #[derive(Deserialize)]
    struct Written(#[serde(deserialize_with = "ram")] Size);
    Ok(Option::<Written>::deserialize(d)?.map(|written| written.0))
}

struct Ram;

impl Visitor<'_> for Ram {
    type Value = Size;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size, as 512MB or 1G")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
        box_ram(text).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_share_the_unit_of_their_upper_end() {
        let range = Quantity::<Size>::parse("20-40MB").unwrap();
        assert_eq!(range.low().bytes(Convention::Binary), Bytes::mib(20));
        assert_eq!(range.high().bytes(Convention::Binary), Bytes::mib(40));
        let time = Quantity::<Seconds>::parse("0.1-0.2s").unwrap();
        assert_eq!((time.low().get(), time.high().get()), (0.1, 0.2));
        let kilo = Quantity::<Size>::parse("500KB-1MB").unwrap();
        assert_eq!(kilo.low().bytes(Convention::Decimal), Bytes::new(500_000));
        assert_eq!(Quantity::<Money>::parse("$6-12").unwrap().high().get(), 12.0);
    }

    #[test]
    fn what_is_about_is_what_it_says() {
        let about = Quantity::<Size>::parse("~170MB").unwrap();
        assert_eq!(about.bytes(Convention::Decimal).typical(), Bytes::new(170_000_000));
        assert_eq!(about.text(), "~170MB");
    }

    #[test]
    fn exactness_is_what_was_written() {
        let decimals = |text| Quantity::<Size>::parse(text).unwrap().decimals();
        assert_eq!(decimals("42.71MB"), 2);
        assert_eq!(decimals("0.5-1MB"), 1);
        assert_eq!(decimals("95MB"), 0);
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in ["", "-", "40-20MB", "MB", "5-MB", "-5MB", "1-2-3MB", "~"] {
            assert!(Quantity::<Size>::parse(text).is_err(), "{text}");
        }
        assert!(Quantity::<Number>::parse("many").is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_quantity_or_an_error(text in ".{0,12}") {
            let _ = Quantity::<Size>::parse(&text);
            let _ = Quantity::<Money>::parse(&text);
            let _ = Quantity::<Number>::parse(&text);
        }
    }
}
