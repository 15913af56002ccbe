//! What an input is fed with, by what it is for. Most values do not change what a run costs, shapes
//! do, and they only have to be legal. Lengths, counts and sizes do change it: those are told apart
//! by how few they are, and said to be made up.

use crate::measure::protocol::{Content, Fit, ImageContent, InputJob, Scaling};
use crate::reference::{Dim, InputKind, Layout, Port, words};

/// The rate that speech models take, in samples a second.
const SAMPLING_RATE: f64 = 16_000.0;

/// Numbers of at most so many elements may say how large or how many something is; more are data.
const FEW: usize = 16;

/// Words by which exporters name floats that decide a size.
const SIZES: &[&str] = &["scale", "scales", "factor", "ratio", "size", "sizes", "shape"];

/// What an input of this shape is fed with.
pub fn content(port: &Port, shape: &[usize]) -> Content {
    // What the file leaves open is known by now, and may tell more.
    let dims = shape.iter().map(|&n| Dim::Fixed(i64::try_from(n).unwrap_or(i64::MAX))).collect();
    let settled = Port { dims: Some(dims), ..port.clone() };
    match InputKind::of(&settled) {
        InputKind::Image { layout, channels } => {
            let channels_last = layout == Layout::Nhwc;
            Content::Image(ImageContent {
                channels_last,
                scaling: scaling(port, layout, channels),
                fit: Fit::Stretch,
            })
        }
        // Where no table is seen, the first two rows are those that every table has.
        InputKind::TokenIds { below } => Content::Ids { below: below.unwrap_or(2).max(1) },
        InputKind::Mask => Content::Constant(1.0),
        InputKind::Number => Content::Constant(number(port)),
        InputKind::Integers if port.element.is_bool() => Content::Constant(0.0),
        // A size or a count of 0 may not be legal.
        InputKind::Integers if is_few(shape) => Content::Constant(1.0),
        InputKind::Integers => Content::Ids { below: 2 },
        InputKind::Features if is_few(shape) && is_named(port, SIZES) => Content::Constant(1.0),
        InputKind::Audio | InputKind::Features => Content::Noise,
        InputKind::State | InputKind::Text | InputKind::NotATensor | InputKind::Unknown => {
            Content::Constant(0.0)
        }
    }
}

/// Random values in the range that fits the input: rows of the table that it selects from, where the
/// file shows it; of other whole numbers 0 and 1; of floats -1 to 1.
pub fn random(port: &Port) -> Content {
    if port.element.is_float() {
        Content::Noise
    } else {
        Content::Ids { below: port.index_below.unwrap_or(2).max(1) }
    }
}

/// What was made up and may decide what a run costs, in words: `max_length = 1`. `None` of pixels,
/// rows of a table, masks, states and other data.
pub fn made_up(job: &InputJob) -> Option<String> {
    let Content::Constant(number) = job.content else { return None };
    let dims = job.shape.iter().map(|&n| Dim::Fixed(i64::try_from(n).unwrap_or(i64::MAX)));
    let port = Port {
        name: job.name.clone(),
        element: job.element,
        dims: Some(dims.collect()),
        index_below: None,
    };
    let decides = match InputKind::of(&port) {
        InputKind::Number | InputKind::Integers | InputKind::Features => is_few(&job.shape),
        _ => false,
    };
    let value = match (job.element.is_bool(), number != 0.0) {
        (true, true) => "true".to_owned(),
        (true, false) => "false".to_owned(),
        (false, _) => number.to_string(),
    };
    let several = if job.shape.iter().product::<usize>() > 1 { " everywhere" } else { "" };
    decides.then(|| format!("{} = {value}{several}", job.name))
}

fn is_few(shape: &[usize]) -> bool {
    shape.iter().try_fold(1_usize, |n, &dim| n.checked_mul(dim)).is_some_and(|n| n <= FEW)
}

fn is_named(port: &Port, list: &[&str]) -> bool {
    words(&port.name).iter().any(|word| list.contains(&word.as_str()))
}

fn scaling(port: &Port, layout: Layout, channels: u8) -> Scaling {
    match (port.element.is_float(), layout, channels) {
        (false, ..) => Scaling::Levels,
        (true, Layout::Nchw, 3) => Scaling::ImageNet,
        (true, ..) => Scaling::Unit,
    }
}

/// Of a switch, off; of a rate, a usual one; of a count, a length or a size, 1, which is legal.
fn number(port: &Port) -> f64 {
    let name = port.name.to_ascii_lowercase();
    if port.element.is_bool() {
        0.0
    } else if name == "sr" || name.contains("sample_rate") || name.contains("sampling_rate") {
        SAMPLING_RATE
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::ElementType;

    fn port(name: &str, element: ElementType) -> Port {
        Port { name: name.into(), element, dims: None, index_below: None }
    }

    fn image(channels_last: bool, scaling: Scaling) -> Content {
        Content::Image(ImageContent { channels_last, scaling, fit: Fit::Stretch })
    }

    #[test]
    fn images_are_told_by_their_channels() {
        use ElementType as E;
        let told = |element, shape: &[usize]| content(&port("x", element), shape);
        assert_eq!(told(E::Float32, &[1, 3, 224, 224]), image(false, Scaling::ImageNet));
        assert_eq!(told(E::Float16, &[4, 1, 64, 64]), image(false, Scaling::Unit));
        assert_eq!(told(E::Uint8, &[1, 320, 320, 3]), image(true, Scaling::Levels));
        assert_eq!(told(E::Float32, &[2, 1, 128]), Content::Noise);
        assert_eq!(told(E::Float32, &[1, 512, 7, 7]), Content::Noise);
    }

    #[test]
    fn other_inputs_are_told_by_their_names_and_types() {
        use ElementType as E;
        let told = |name, element, shape: &[usize]| content(&port(name, element), shape);
        assert_eq!(told("attention_mask", E::Int64, &[1, 9]), Content::Constant(1.0));
        assert_eq!(told("input_ids", E::Int64, &[1, 9]), Content::Ids { below: 2 });
        assert_eq!(told("sr", E::Int64, &[]), Content::Constant(16_000.0));
        assert_eq!(told("n", E::Int64, &[]), Content::Constant(1.0));
        assert_eq!(told("state", E::Float32, &[2, 1, 128]), Content::Constant(0.0));
        assert_eq!(told("use_cache_branch", E::Bool, &[1]), Content::Constant(0.0));
        assert_eq!(told("sizes", E::Int64, &[1, 2]), Content::Constant(1.0));
        assert_eq!(told("scale_factor", E::Float32, &[1, 2]), Content::Constant(1.0));
        let table = Port { index_below: Some(30_522), ..port("x", E::Int64) };
        assert_eq!(content(&table, &[1, 9]), Content::Ids { below: 30_522 });
    }

    #[test]
    fn numbers_that_may_decide_a_cost_are_told_from_data() {
        use ElementType as E;
        let told = |name: &str, element, shape: &[usize]| {
            let content = content(&port(name, element), shape);
            made_up(&InputJob { name: name.into(), element, shape: shape.to_vec(), content })
        };
        assert_eq!(told("max_length", E::Int32, &[1]).as_deref(), Some("max_length = 1"));
        assert_eq!(told("num_beams", E::Int64, &[]).as_deref(), Some("num_beams = 1"));
        assert_eq!(told("max_new_tokens", E::Int64, &[1]).as_deref(), Some("max_new_tokens = 1"));
        assert_eq!(told("scale", E::Float32, &[1]).as_deref(), Some("scale = 1"));
        assert_eq!(told("use_cache", E::Bool, &[1]).as_deref(), Some("use_cache = false"));
        assert_eq!(told("size", E::Int64, &[1, 2]).as_deref(), Some("size = 1 everywhere"));
        for (name, element, shape) in [
            ("attention_mask", E::Int64, &[1, 9][..]),
            ("input_ids", E::Int64, &[1, 9]),
            ("flags", E::Int64, &[1, 99]),
            ("x", E::Float32, &[1, 4]),
            ("state", E::Float32, &[2, 1, 4]),
            ("image", E::Float32, &[1, 3, 8, 8]),
        ] {
            assert_eq!(told(name, element, shape), None, "{name}");
        }
    }
}
