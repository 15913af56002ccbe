//! What is wrong with a model or an image, and what to do about it: said before anything is
//! downloaded or measured.

use std::io;
use std::path::PathBuf;

use crate::measure::images::ImageError;
use crate::reference::InspectError;

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
    /// The model is not an image classifier.
    #[error(
        "{path}: {what}; this version sizes models that take one image as float32, \
         batch × 3 × height × width"
    )]
    NotAnImageModel {
        /// The model.
        path: PathBuf,
        /// What it takes instead.
        what: String,
    },
    /// A dimension is open.
    #[error(
        "{path}: the input `{input}` has the shape {declared} and leaves it open; \
         give one, as in --shape 1x3x224x224, or `shape:` in a profile"
    )]
    OpenShape {
        /// The model.
        path: PathBuf,
        /// The input.
        input: String,
        /// As the model declares it.
        declared: String,
    },
    /// No image is that large.
    #[error(
        "{path}: an input of {shape} has more than the limit of 100 megapixels; give the shape \
         that requests have"
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
