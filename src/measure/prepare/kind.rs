//! What an input is for, as its type, its shape and its conventional names say, and what is then
//! legal to feed it with. Values do not change what a run costs, shapes do.

use crate::measure::protocol::{Content, ImageContent, Scaling};
use crate::reference::{Dim, ElementType, Port};

/// Sides of an image where a model leaves them open: what detectors are mostly exported for, and
/// the larger of the usual ones.
const IMAGE_SIDE: usize = 640;
/// Tokens of a sequence that is left open.
const TOKENS: usize = 128;
/// Samples of a sound that is left open: a second at the rate that speech models take.
const SAMPLES: usize = 16_000;
/// Anything else that is left open, such as frames or boxes.
const SOME: usize = 100;
/// Smaller than this is no image but a state or a vector.
const LEAST_SIDE: usize = 8;

/// Whether the input takes an image, and whether the channels come last.
fn image_layout(port: &Port, size: impl Fn(usize) -> Option<usize>) -> Option<bool> {
    use ElementType as E;
    let numbers = matches!(
        port.element,
        E::Float32 | E::Float16 | E::Float64 | E::Uint8 | E::Int8 | E::Uint16 | E::Int32
    );
    let is_colour = |place| matches!(size(place), Some(1 | 3));
    let is_side = |place| size(place).is_none_or(|n| n >= LEAST_SIDE);
    match port.dims.as_ref().map(Vec::len) {
        Some(4) if numbers && is_colour(1) && is_side(2) && is_side(3) => Some(false),
        Some(4) if numbers && is_colour(3) && is_side(1) && is_side(2) => Some(true),
        _ => None,
    }
}

fn declared(port: &Port) -> impl Fn(usize) -> Option<usize> + '_ {
    |place| match port.dims.as_ref()?.get(place)? {
        Dim::Fixed(size) => usize::try_from(*size).ok(),
        Dim::Named(_) | Dim::Unknown => None,
    }
}

/// A guess for a dimension that is left open.
pub fn size_if_open(port: &Port, place: usize, name: Option<&str>) -> usize {
    let name = name.unwrap_or_default().to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|w| name.contains(w));
    let rank = port.dims.as_ref().map_or(0, Vec::len);
    let last = place + 1 == rank;
    if has(&["batch"]) || (place == 0 && !has(&["seq", "len", "frames", "time"]) && rank > 1) {
        1
    } else if let Some(channels_last) = image_layout(port, declared(port)) {
        let sides = if channels_last { 1..3 } else { 2..4 };
        if sides.contains(&place) { IMAGE_SIDE } else { 3 }
    } else if has(&["past", "cache"]) {
        1
    } else if has(&["seq", "token", "length"]) || is_whole(port.element) {
        TOKENS
    } else if last && rank <= 2 {
        SAMPLES
    } else {
        SOME
    }
}

const fn is_whole(element: ElementType) -> bool {
    use ElementType as E;
    matches!(
        element,
        E::Int8 | E::Int16 | E::Int32 | E::Int64 | E::Uint8 | E::Uint16 | E::Uint32 | E::Uint64
    )
}

/// What an input of this shape is fed with.
pub fn content(port: &Port, shape: &[usize]) -> Content {
    if let Some(channels_last) = image_layout(port, |place| shape.get(place).copied()) {
        let scaling = match port.element {
            ElementType::Float32 | ElementType::Float16 | ElementType::Float64 => match shape {
                [_, 3, ..] if !channels_last => Scaling::ImageNet,
                _ => Scaling::Unit,
            },
            _ => Scaling::Levels,
        };
        return Content::Image(ImageContent { channels_last, scaling });
    }
    let name = port.name.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|w| name.contains(w));
    let single = shape.iter().product::<usize>() == 1;
    if has(&["mask"]) {
        Content::Constant(1.0)
    } else if name == "sr" || has(&["sample_rate", "sampling_rate"]) {
        Content::Constant(16_000.0)
    } else if port.element == ElementType::Bool || has(&["token_type", "segment", "past", "cache"])
    {
        Content::Constant(0.0)
    } else if has(&["position"]) && is_whole(port.element) {
        Content::Positions
    } else if is_whole(port.element) {
        match port.index_below {
            Some(below) => Content::Ids { below: below.max(1) },
            // A count, a length or a size, for which 1 is always legal.
            None if single => Content::Constant(1.0),
            None => Content::Ids { below: 2 },
        }
    } else if has(&["state", "hidden", "memory"]) {
        Content::Constant(0.0)
    } else {
        Content::Noise
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(name: &str, element: ElementType, dims: &[i64]) -> Port {
        let dims = dims.iter().map(|&d| if d < 0 { Dim::Unknown } else { Dim::Fixed(d) }).collect();
        Port { name: name.into(), element, dims: Some(dims), index_below: None }
    }

    fn image(channels_last: bool, scaling: Scaling) -> Content {
        Content::Image(ImageContent { channels_last, scaling })
    }

    #[test]
    fn images_are_told_by_their_channels() {
        use ElementType as E;
        let told = |element, dims: &[i64]| {
            let shape: Vec<usize> = dims.iter().map(|&d| usize::try_from(d).unwrap()).collect();
            content(&port("x", element, dims), &shape)
        };
        assert_eq!(told(E::Float32, &[1, 3, 224, 224]), image(false, Scaling::ImageNet));
        assert_eq!(told(E::Float16, &[4, 1, 64, 64]), image(false, Scaling::Unit));
        assert_eq!(told(E::Uint8, &[1, 320, 320, 3]), image(true, Scaling::Levels));
        assert_eq!(told(E::Float32, &[2, 1, 128]), Content::Noise);
        assert_eq!(told(E::Float32, &[1, 1, 1, 128]), Content::Noise);
        assert_eq!(told(E::Float32, &[1, 512, 7, 7]), Content::Noise);
    }

    #[test]
    fn other_inputs_are_told_by_their_names_and_types() {
        use ElementType as E;
        let told = |name, element, dims: &[usize]| content(&port(name, element, &[-1]), dims);
        assert_eq!(told("attention_mask", E::Int64, &[1, 9]), Content::Constant(1.0));
        assert_eq!(told("token_type_ids", E::Int64, &[1, 9]), Content::Constant(0.0));
        assert_eq!(told("position_ids", E::Int64, &[1, 9]), Content::Positions);
        assert_eq!(told("input_ids", E::Int64, &[1, 9]), Content::Ids { below: 2 });
        assert_eq!(told("sr", E::Int64, &[]), Content::Constant(16_000.0));
        assert_eq!(told("n", E::Int64, &[]), Content::Constant(1.0));
        assert_eq!(told("state", E::Float32, &[2, 1, 128]), Content::Constant(0.0));
        assert_eq!(told("use_cache", E::Bool, &[1]), Content::Constant(0.0));
        let table = Port { index_below: Some(30_522), ..port("ids", E::Int64, &[1, 9]) };
        assert_eq!(content(&table, &[1, 9]), Content::Ids { below: 30_522 });
    }

    #[test]
    fn what_is_left_open_is_assumed_by_its_place_and_name() {
        use ElementType as E;
        let image = port("images", E::Float32, &[-1, 3, -1, -1]);
        assert_eq!(
            (0..4).map(|i| size_if_open(&image, i, None)).collect::<Vec<_>>(),
            [1, 3, 640, 640]
        );
        let ids = port("ids", E::Int64, &[-1, -1]);
        assert_eq!(size_if_open(&ids, 0, Some("batch_size")), 1);
        assert_eq!(size_if_open(&ids, 1, Some("sequence_length")), 128);
        let sound = port("audio", E::Float32, &[-1, -1]);
        assert_eq!(size_if_open(&sound, 1, None), 16_000);
        let line = port("features", E::Float32, &[-1, -1, 80]);
        assert_eq!(size_if_open(&line, 1, Some("frames")), 100);
    }
}
