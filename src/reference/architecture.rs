//! The one list of reference architectures.
//!
//! A new one is a variant here, a name, a published size and a function that draws its graph; the
//! tests over [`Architecture::ALL`] check the rest.

use std::fmt;
use std::str::FromStr;

use super::graph::Graph;
use super::resnet;

/// A network whose shape is public and which this tool can write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Architecture {
    /// 18 layers of basic blocks, 224 × 224.
    ResNet18,
    /// 50 layers of bottleneck blocks, 224 × 224, version 1.5: the stride is in the 3 × 3.
    ResNet50,
}

/// A size that somebody else printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Trainable parameters with 1000 classes, before batch normalisation is folded.
    pub parameters: u64,
    /// Who says so.
    pub source: &'static str,
}

impl Architecture {
    /// The name of the one input.
    pub const fn input_name(self) -> &'static str {
        match self {
            Self::ResNet18 | Self::ResNet50 => "input",
        }
    }

    /// Every architecture, smallest first.
    pub const ALL: [Self; 2] = [Self::ResNet18, Self::ResNet50];

    /// The name that is typed and that file names begin with, such as `resnet18`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ResNet18 => "resnet18",
            Self::ResNet50 => "resnet50",
        }
    }

    /// Parameters as published. A written file has one fewer per convolution channel, because
    /// folding turns the scale and shift of a normalisation into the bias of its convolution.
    pub fn published_parameters(self) -> Published {
        let parameters = match self {
            Self::ResNet18 => 11_689_512,
            Self::ResNet50 => 25_557_032,
        };
        Published { parameters, source: "torchvision model cards, num_params, ImageNet-1K" }
    }

    /// Height and width of the input image, in pixels.
    pub fn input_size(self) -> u32 {
        match self {
            Self::ResNet18 | Self::ResNet50 => resnet::INPUT_SIZE,
        }
    }

    /// Draws the network for `classes` classes.
    pub(super) fn graph(self, classes: u32) -> Graph {
        match self {
            Self::ResNet18 => resnet::draw(&resnet::RESNET18, classes),
            Self::ResNet50 => resnet::draw(&resnet::RESNET50, classes),
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is not in [`Architecture::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown architecture \"{name}\": use one of {}, or give an ONNX file", known())]
pub struct UnknownArchitecture {
    /// What was typed.
    pub name: String,
}

fn known() -> String {
    Architecture::ALL.map(Architecture::name).join(", ")
}

impl FromStr for Architecture {
    type Err = UnknownArchitecture;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|a| a.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| UnknownArchitecture { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for architecture in Architecture::ALL {
            assert_eq!(architecture.to_string().parse(), Ok(architecture));
            assert_eq!(architecture.name().to_uppercase().parse(), Ok(architecture));
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = "resnet51".parse::<Architecture>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown architecture \"resnet51\": use one of resnet18, resnet50, or give an ONNX file"
        );
    }

    #[test]
    fn sizes_are_the_published_ones_less_the_folded_channels() {
        for architecture in Architecture::ALL {
            let graph = architecture.graph(1000);
            assert_eq!(
                graph.parameters() + graph.folded_channels(),
                architecture.published_parameters().parameters,
                "{architecture}"
            );
        }
    }
}
