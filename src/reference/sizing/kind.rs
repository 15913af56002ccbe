//! What an input is for, guessed from its type, its shape and its name.
//!
//! A file declares numbers and not their meaning. Exporters keep to conventions, and these are all
//! that the guess goes by; the rules stand in [`InputKind::of`], in the order in which they are
//! tried.

use std::fmt;

use super::super::info::{Dim, Port};

/// What an input is probably for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// Pixels of a picture.
    Image {
        /// Where the channels stand.
        layout: Layout,
        /// 1 (grey) or 3 (RGB).
        channels: u8,
    },
    /// Numbers of rows of a table: tokens, positions, categories.
    TokenIds {
        /// They must be below this; `None` where the file does not show the table.
        below: Option<u64>,
    },
    /// Ones where something is to be used, zeros where not.
    Mask,
    /// What an earlier call returned: the cache of a decoder, the state of a recurrent layer.
    State,
    /// Samples of sound.
    Audio,
    /// One number: a sampling rate, a threshold.
    Number,
    /// Other floating-point numbers.
    Features,
    /// Other whole numbers, or yes and no.
    Integers,
    /// Text.
    Text,
    /// A sequence, a map or another value that no shape describes.
    NotATensor,
    /// Numbers that this tool cannot make: complex, 8-bit or 4-bit floats, unknown types.
    Unknown,
}

/// Where the channels of an image stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Batch, channels, height, width.
    Nchw,
    /// Batch, height, width, channels.
    Nhwc,
}

/// Words by which exporters name things; a name is split at all that is no letter.
const MASKS: &[&str] = &["mask", "masks"];
const STATES: &[&str] = &["past", "cache", "state", "states", "hidden", "h", "c", "hn", "cn"];
const TOKENS: &[&str] = &["ids", "id", "token", "tokens", "indices", "positions", "bytes"];
const EMBEDDED: &[&str] = &["embeds", "embeddings"];
const SOUNDS: &[&str] =
    &["audio", "wav", "waveform", "waveforms", "pcm", "speech", "signal", "samples", "sound"];
const PIXELS: &[&str] = &["image", "images", "img", "pixel", "pixels"];

impl InputKind {
    /// Guesses what `input` is for. In this order:
    ///
    /// 1. What is text or no dense tensor is that, and so is a type that cannot be made.
    /// 2. Named a mask, and of whole numbers, booleans or floats: a mask.
    /// 3. Values that select rows of a stored table: token ids.
    /// 4. At most one element: a number. After it, whole numbers named ids or tokens: token ids.
    /// 5. Named a state or a cache: a state.
    /// 6. Four dimensions with 1 or 3 channels, second or last: an image. With open channels, an
    ///    image where the name says so.
    /// 7. At most three dimensions, named sound: audio.
    /// 8. Else whole numbers or features.
    pub fn of(input: &Port) -> Self {
        let element = input.element;
        let words = words(&input.name);
        let named = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
        let is_whole = element.is_integer() || element.is_bool();
        match element {
            _ if element.is_text() => Self::Text,
            _ if !element.is_tensor() => Self::NotATensor,
            _ if !is_whole && !element.is_float() => Self::Unknown,
            _ if named(MASKS) => Self::Mask,
            _ if input.index_below.is_some() => Self::TokenIds { below: input.index_below },
            // Before the names: `max_new_tokens` is a count.
            _ if is_single(input) => Self::Number,
            _ if element.is_integer() && named(TOKENS) => Self::TokenIds { below: None },
            _ if named(STATES) => Self::State,
            _ => match image(input, named(PIXELS)) {
                Some((layout, channels)) => Self::Image { layout, channels },
                None if rank(input).is_none_or(|rank| rank <= 3) && named(SOUNDS) => Self::Audio,
                None if is_whole => Self::Integers,
                None => Self::Features,
            },
        }
    }
}

impl InputKind {
    /// Whether this tool can make such an input from a shape.
    pub const fn can_be_made(self) -> bool {
        !matches!(self, Self::Text | Self::NotATensor | Self::Unknown)
    }

    /// One word for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Image { .. } => "image",
            Self::TokenIds { .. } => "token_ids",
            Self::Mask => "mask",
            Self::State => "state",
            Self::Audio => "audio",
            Self::Number => "number",
            Self::Features => "features",
            Self::Integers => "integers",
            Self::Text => "text",
            Self::NotATensor => "not_a_tensor",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for InputKind {
    /// What a request will carry, in a few words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image { layout, channels } => {
                let colours = if *channels == 1 { "grey" } else { "RGB" };
                write!(f, "image, {colours}, {layout}")
            }
            Self::TokenIds { below: Some(below) } => write!(f, "token ids below {below}"),
            Self::TokenIds { below: None } => f.write_str("token ids, range not in the file"),
            Self::Mask => f.write_str("mask"),
            Self::State => f.write_str("state of an earlier call"),
            Self::Audio => f.write_str("audio samples"),
            Self::Number => f.write_str("one number"),
            Self::Features => f.write_str("numbers"),
            Self::Integers => f.write_str("whole numbers"),
            Self::Text => f.write_str("text"),
            Self::NotATensor => f.write_str("not a tensor"),
            Self::Unknown => f.write_str("numbers of a type that cannot be made"),
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nchw => "NCHW",
            Self::Nhwc => "NHWC",
        })
    }
}

/// The words of a name, in lower case: `pastKey_values.0` is `past`, `key` and `values`.
pub fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for letter in name.chars() {
        let starts = letter.is_uppercase() && was_lower;
        was_lower = letter.is_lowercase();
        if !letter.is_alphabetic() || starts {
            words.push(String::new());
        }
        if letter.is_alphabetic() {
            words.last_mut().into_iter().for_each(|word| word.extend(letter.to_lowercase()));
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether an input brings one thing for each token of this step, as ids or already looked up.
pub(super) fn brings_tokens(input: &Port) -> bool {
    let words = words(&input.name);
    let named = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    input.index_below.is_some() || (input.element.is_integer() && named(TOKENS)) || named(EMBEDDED)
}

fn rank(input: &Port) -> Option<usize> {
    input.dims.as_ref().map(Vec::len)
}

fn is_single(input: &Port) -> bool {
    input.dims.as_ref().is_some_and(|dims| dims.iter().all(|dim| *dim == Dim::Fixed(1)))
}

/// Layout and channels of a shape of four dimensions. Three channels say more than one, and the
/// second place is more usual than the last.
fn image(input: &Port, is_named: bool) -> Option<(Layout, u8)> {
    let [_, second, _, last] = input.dims.as_deref()? else { return None };
    let places = [(Layout::Nchw, second), (Layout::Nhwc, last)];
    for channels in [3, 1] {
        let fits = |(_, dim): &&(Layout, &Dim)| **dim == Dim::Fixed(channels.into());
        if let Some((layout, _)) = places.iter().find(fits) {
            return Some((*layout, channels));
        }
    }
    let is_open = |dim: &Dim| !matches!(dim, Dim::Fixed(_));
    if !is_named {
        return None;
    }
    places.iter().find(|(_, dim)| is_open(dim)).map(|(layout, _)| (*layout, 3))
}
