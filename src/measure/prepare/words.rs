//! Inputs in words, as they are recorded.

use super::InputError;
use crate::footprint::checked::made_one_line;
use crate::measure::cache::{Cache, sha256_of};
use crate::measure::protocol::{Content, InputJob};

/// What a model is fed with, so that another input is told from it. An array is known by what it
/// holds, wherever it lies.
pub(super) fn in_words(cache: &Cache, inputs: &[InputJob]) -> Result<Vec<String>, InputError> {
    let told = |input: &InputJob| {
        let shape = input.shape.iter().map(ToString::to_string).collect::<Vec<_>>().join("×");
        let content = match &input.content {
            Content::Image(_) => "the image".to_owned(),
            Content::Ids { below } => format!("ids below {below}"),
            Content::Constant(number) => format!("{number} everywhere"),
            Content::Values(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
                numbers.join(" ")
            }
            Content::Noise => "noise".to_owned(),
            Content::File(path) => {
                let unreadable = |reason| InputError::Unreadable { path: path.clone(), reason };
                let hash = sha256_of(cache, path).map_err(unreadable)?;
                format!("array {}", hash.get(..12).unwrap_or(&hash))
            }
        };
        let name = made_one_line(&input.name);
        Ok(format!("{name} {} {shape}, {content}", input.element))
    };
    inputs.iter().map(told).collect()
}
