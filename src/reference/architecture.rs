//! The one list of reference architectures.
//!
//! A new one is a variant here, a name, a published size and a function that draws its graph; the
//! tests over [`Architecture::ALL`] check the rest.

use std::fmt;
use std::str::FromStr;

use super::graph::Graph;
use super::{resnet, yolo};

/// A network whose shape is public and which this tool can write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Architecture {
    /// 18 layers of basic blocks, 224 × 224.
    ResNet18,
    /// 50 layers of bottleneck blocks, 224 × 224, version 1.5: the stride is in the 3 × 3.
    ResNet50,
    /// Boxes and masks, 640 × 640, small.
    YoloV8SSeg,
    /// The same, medium.
    YoloV8MSeg,
}

/// A size that somebody else printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Parameters before batch normalisation is folded, with those that training leaves alone.
    pub parameters: u64,
    /// Classes of the network that was counted.
    pub classes: u32,
    /// Who says so.
    pub source: &'static str,
}

impl Architecture {
    /// The name of the one input.
    pub const fn input_name(self) -> &'static str {
        match self {
            Self::ResNet18 | Self::ResNet50 => "input",
            Self::YoloV8SSeg | Self::YoloV8MSeg => "images",
        }
    }

    /// Every architecture.
    pub const ALL: [Self; 4] = [Self::ResNet18, Self::ResNet50, Self::YoloV8SSeg, Self::YoloV8MSeg];

    /// The name that is typed and that file names begin with, such as `resnet18`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ResNet18 => "resnet18",
            Self::ResNet50 => "resnet50",
            Self::YoloV8SSeg => "yolov8s-seg",
            Self::YoloV8MSeg => "yolov8m-seg",
        }
    }

    /// Parameters as published. A written file has one fewer per convolution channel, because
    /// folding turns the scale and shift of a normalisation into the bias of its convolution.
    pub fn published_parameters(self) -> Published {
        const TORCHVISION: &str = "torchvision model cards, num_params, ImageNet-1K";
        const ULTRALYTICS: &str = "ultralytics 8.4.190, summary of the model for COCO";
        let (parameters, classes, source) = match self {
            Self::ResNet18 => (11_689_512, 1000, TORCHVISION),
            Self::ResNet50 => (25_557_032, 1000, TORCHVISION),
            Self::YoloV8SSeg => (11_821_056, 80, ULTRALYTICS),
            Self::YoloV8MSeg => (27_285_968, 80, ULTRALYTICS),
        };
        Published { parameters, classes, source }
    }

    /// Height and width of the input image, in pixels.
    pub fn input_size(self) -> u32 {
        match self {
            Self::ResNet18 | Self::ResNet50 => resnet::INPUT_SIZE,
            Self::YoloV8SSeg | Self::YoloV8MSeg => yolo::INPUT_SIZE,
        }
    }

    /// Draws the network for `classes` classes.
    pub(super) fn graph(self, classes: u32) -> Graph {
        match self {
            Self::ResNet18 => resnet::draw(&resnet::RESNET18, classes),
            Self::ResNet50 => resnet::draw(&resnet::RESNET50, classes),
            Self::YoloV8SSeg => yolo::draw(&yolo::SMALL, classes),
            Self::YoloV8MSeg => yolo::draw(&yolo::MEDIUM, classes),
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
            "unknown architecture \"resnet51\": use one of resnet18, resnet50, yolov8s-seg, \
             yolov8m-seg, or give an ONNX file"
        );
    }

    #[test]
    fn sizes_are_the_published_ones_less_the_folded_channels() {
        for architecture in Architecture::ALL {
            let published = architecture.published_parameters();
            let graph = architecture.graph(published.classes);
            assert_eq!(
                graph.parameters() + graph.folded_channels() + graph.fixed_parameters(),
                published.parameters,
                "{architecture}"
            );
        }
    }
}
