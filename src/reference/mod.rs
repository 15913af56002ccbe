//! Reference architectures as ONNX files, and what a user's own ONNX file says.
//!
//! A size question often comes before the trained model exists. The memory and the time of a
//! network depend on its shape, not on what its weights say, so this room writes well-known shapes
//! with seeded weights and the rest of the tool measures them like any other file.
//!
//! Nothing here runs a model. [`Reference`] writes into whatever it is given, and [`inspect`] reads
//! the little of a file that is not weights.

mod architecture;
mod element;
mod external;
mod flow;
mod graph;
mod info;
mod inspect;
mod onnx;
mod resnet;
mod sizing;
mod walk;
mod weights;
mod wire;
mod writer;
mod yolo;

pub use architecture::{Architecture, Published, UnknownArchitecture};
pub use element::ElementType;
pub use info::{
    Dim, ExternalFile, ExternalState, IR_WITH_OVERRIDES, ModelInfo, OperatorCount, Port,
    TypeWeights,
};
pub use inspect::{InspectError, NEWEST_IR, NEWEST_OPSET, inspect};
pub use sizing::{
    InputKind, Layout, LoadEstimate, Obstacle, OpenDimension, SizedInput, Sizing, words,
};
pub use writer::{ClassesOutOfRange, MAX_CLASSES, Reference, WRITER_VERSION};
