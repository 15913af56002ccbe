//! What an input is fed with, by what it is for. Values do not change what a run costs, shapes do;
//! they only have to be legal.

use crate::measure::protocol::{Content, Fit, ImageContent, Scaling};
use crate::reference::{Dim, InputKind, Layout, Port};

/// The rate that speech models take, in samples a second.
const SAMPLING_RATE: f64 = 16_000.0;

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
        InputKind::Integers => Content::Ids { below: 2 },
        InputKind::Audio | InputKind::Features => Content::Noise,
        InputKind::State | InputKind::Text | InputKind::NotATensor | InputKind::Unknown => {
            Content::Constant(0.0)
        }
    }
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
        let table = Port { index_below: Some(30_522), ..port("x", E::Int64) };
        assert_eq!(content(&table, &[1, 9]), Content::Ids { below: 30_522 });
    }
}
