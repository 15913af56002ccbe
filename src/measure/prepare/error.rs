//! What is wrong with a model or an image, and what to do about it: said before anything is
//! downloaded or measured.

use std::io;
use std::path::PathBuf;

use crate::measure::images::ImageError;
use crate::measure::npy::NpyError;
use crate::reference::{InspectError, Obstacle};

/// Why a service cannot be measured.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The model's file.
    #[error(transparent)]
    Model(#[from] InspectError),
    /// An image.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// A file cannot be hashed.
    #[error("cannot read {path}: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// An array of the user's.
    #[error(transparent)]
    Array(#[from] NpyError),
    /// The tool cannot run it.
    #[error("{path}: {obstacle}")]
    Obstacle {
        /// The model.
        path: PathBuf,
        /// Why.
        obstacle: Obstacle,
    },
    /// Not even the number of dimensions is declared.
    #[error(
        "{path}: the input `{input}` declares no shape at all; give one, as in \
         --shape {input}=1x3x224x224, or under `inputs:` in a profile"
    )]
    OpenShape {
        /// The model.
        path: PathBuf,
        /// The input.
        input: String,
    },
    /// The file says how many things a request holds.
    #[error(
        "{path} takes no batch of {batch}: the first dimension of its inputs is fixed; export it \
         with that dimension open"
    )]
    FixedBatch {
        /// The model.
        path: PathBuf,
        /// What was asked for.
        batch: u32,
    },
    /// The same of a network that the tool writes.
    #[error(
        "the model `{model}` is a reference architecture, which takes one image a run: leave out \
         `batch`"
    )]
    ReferenceBatch {
        /// The model's name.
        model: String,
    },
    /// Something is given for an input that is not there.
    #[error("{path} has no input `{input}`: it has {there}")]
    UnknownInput {
        /// The model.
        path: PathBuf,
        /// What was named.
        input: String,
        /// The inputs that there are.
        there: String,
    },
    /// A shape without a name, and several inputs that it could be for.
    #[error(
        "{path} has the inputs {there}: say which one the shape is for, as in --shape NAME=1x128"
    )]
    WhichInput {
        /// The model.
        path: PathBuf,
        /// The inputs that there are.
        there: String,
    },
    /// An array of another element type.
    #[error(
        "{file} holds {found}, and the input `{input}` takes {wanted}: save it with \
         array.astype(\"{wanted}\")"
    )]
    OtherElement {
        /// The array's file.
        file: PathBuf,
        /// The input.
        input: String,
        /// What it takes.
        wanted: String,
        /// What the file holds.
        found: String,
    },
    /// A number that the input cannot hold.
    #[error("{path}: the input `{input}` is of the type {wanted}, which cannot hold {number}")]
    OtherNumber {
        /// The model.
        path: PathBuf,
        /// The input.
        input: String,
        /// What its elements are.
        wanted: String,
        /// What was given.
        number: f64,
    },
    /// Sizes that do not go together.
    #[error("{path}: {contradiction}; give sizes that add up, or leave one of them out")]
    Contradiction {
        /// The model.
        path: PathBuf,
        /// Which, in words.
        contradiction: String,
    },
    /// No image is that large.
    #[error(
        "{path}: an input of {shape} has more than the limit of 300 million numbers; give the \
         shape that requests have"
    )]
    TooLarge {
        /// The model.
        path: PathBuf,
        /// What it takes.
        shape: String,
    },
    /// The shape that was given is not the model's.
    #[error(
        "{path}: the shape {given} contradicts the model, whose input `{input}` is {declared}; \
         leave it out, or give one that matches"
    )]
    ShapeContradicts {
        /// The model.
        path: PathBuf,
        /// The input.
        input: String,
        /// As the model declares it.
        declared: String,
        /// As the user gave it.
        given: String,
    },
}
