//! Values that are new for each request: whoever keeps answers to repeat them gets no chance to.

use crate::profile::Fresh;

/// Words that are frequent in English, of one to three tokens each for most language models.
const WORDS: [&str; 64] = [
    "about", "after", "again", "answer", "because", "before", "between", "blue", "bring", "build",
    "carry", "change", "city", "clear", "close", "cold", "country", "cross", "draw", "early",
    "earth", "every", "example", "father", "figure", "follow", "friend", "garden", "great",
    "green", "group", "hand", "heard", "house", "island", "large", "learn", "letter", "light",
    "listen", "measure", "morning", "mother", "mountain", "music", "night", "notice", "number",
    "often", "open", "paper", "people", "picture", "place", "plant", "point", "river", "school",
    "second", "sentence", "small", "table", "water", "winter",
];

/// What it is in the request of this turn. What is drawn follows from `seed`, which is another for
/// each start of the service, the turn, and the `place` in the request.
pub(super) fn value(fresh: Fresh, seed: u64, turn: usize, place: usize) -> serde_json::Value {
    let turn = turn as u64;
    if fresh == Fresh::Counter {
        return turn.into();
    }
    // Odd numbers that are far from each other keep the three apart (Steele et al. 2014).
    let mixed = seed
        ^ turn.wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ (place as u64).wrapping_mul(0xd1b5_4a32_d192_ed03);
    let mut random = fastrand::Rng::with_seed(mixed);
    match fresh {
        Fresh::Counter => turn.into(),
        Fresh::Random => random.u32(..).into(),
        Fresh::Uuid => uuid(random.u128(..)).into(),
        Fresh::Words(n) => {
            let words: Vec<&str> = (0..n).map(|_| WORDS[random.usize(..WORDS.len())]).collect();
            words.join(" ").into()
        }
    }
}

/// The same as text.
pub(super) fn text(fresh: Fresh, seed: u64, turn: usize, place: usize) -> String {
    match value(fresh, seed, turn, place) {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}

/// A random one, version 4 (RFC 9562, section 5.4).
fn uuid(bits: u128) -> String {
    let bits = bits & !(0xf << 76) | (0x4 << 76);
    let bits = bits & !(0x3 << 62) | (0x2 << 62);
    let digits = format!("{bits:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_gets_its_own() {
        for fresh in [Fresh::Random, Fresh::Uuid, Fresh::Counter, Fresh::Words(5)] {
            let mut all: Vec<String> = (0..1000).map(|turn| text(fresh, 7, turn, 0)).collect();
            assert_eq!(text(fresh, 7, 3, 0), all[3], "the same turn");
            all.sort();
            all.dedup();
            assert!(all.len() > 998, "{fresh:?}: {}", all.len());
            let other = (text(fresh, 8, 3, 0), text(fresh, 7, 3, 1));
            assert_eq!(other.0 == text(fresh, 7, 3, 0), fresh == Fresh::Counter);
            assert_eq!(other.1 == text(fresh, 7, 3, 0), fresh == Fresh::Counter);
        }
        assert_eq!(text(Fresh::Words(5), 7, 0, 0).split(' ').count(), 5);
        assert!(value(Fresh::Random, 7, 0, 0).is_u64() && value(Fresh::Counter, 7, 9, 0) == 9);
    }

    #[test]
    fn a_uuid_says_that_it_is_random() {
        assert_eq!(uuid(0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid(u128::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
