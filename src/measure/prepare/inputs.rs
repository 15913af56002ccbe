//! From what a model declares and what the user gives to what its inputs are fed with. Whatever is
//! neither declared nor given is assumed, and said to be.

use std::collections::HashMap;
use std::path::Path;

use super::error::InputError;
use super::kind::content;
use crate::measure::npy;
use crate::measure::protocol::{Content, InputJob};
use crate::profile::{Given, Input, Inputs};
use crate::reference::{Dim, ModelInfo, OpenDimension, Port, SizedInput, Sizing};

/// Pixels of a model's input: what an image may have, too. A tensor of them takes 1.1 GiB.
const MOST_ELEMENTS: usize = 300_000_000;

/// What a model is fed with, and what of it is a guess.
#[derive(Debug, Clone, PartialEq)]
pub struct Fed {
    /// For each of the model's inputs, in its order.
    pub inputs: Vec<InputJob>,
    /// Dimensions that nobody gave, in words: `ids: sequence = 128`.
    pub assumed: Vec<String>,
}

/// Settles the inputs of the model at `path`.
///
/// # Errors
/// Where the model cannot be fed, or what is given contradicts it.
pub fn settle(
    path: &Path,
    info: &ModelInfo,
    given: &Inputs,
    batch: u32,
) -> Result<Fed, InputError> {
    if let Some(obstacle) = Sizing::of(info).obstacles.into_iter().next() {
        return Err(InputError::Obstacle { path: path.to_owned(), obstacle });
    }
    let mut settling = Settling { path, names: HashMap::new() };
    let mut fixed: Vec<Option<InputJob>> = vec![None; info.inputs.len()];
    for input in given.as_slice() {
        let place = settling.addressee(info, input)?;
        fixed[place] = Some(settling.given(&info.inputs[place], &input.given)?);
    }
    // What is given for one input may name the dimensions of another.
    let sizing = Sizing::given(info, settling.names.clone(), batch.into());
    let is_open = |sized: &SizedInput| sized.open.iter().any(|open| open.axis == 0);
    if batch > 1 && !sizing.inputs.iter().any(is_open) {
        return Err(InputError::FixedBatch { path: path.to_owned(), batch });
    }
    let mut fed = Fed { inputs: Vec::new(), assumed: Vec::new() };
    for ((port, sized), fixed) in info.inputs.iter().zip(&sizing.inputs).zip(fixed) {
        if let Some(job) = fixed {
            fed.inputs.push(job);
            continue;
        }
        fed.inputs.push(settling.open(port, sized)?);
        // A request is a batch of one: that is what the word means here, and no guess.
        let is_batch = |open: &&OpenDimension| open.axis == 0 && open.assumed == u64::from(batch);
        let guesses = sized.open.iter().filter(|open| !is_batch(open));
        for OpenDimension { axis, name, assumed } in guesses {
            let known = name.as_ref().is_some_and(|name| settling.names.contains_key(name));
            let called = name.clone().unwrap_or_else(|| format!("dimension {}", axis + 1));
            // A sum of names follows from what they are.
            if !known && !called.contains('+') {
                fed.assumed.push(format!("{}: {called} = {assumed}", port.name));
            }
            // The same name elsewhere is the same guess.
            settling.names.extend(name.clone().map(|name| (name, *assumed)));
        }
    }
    Ok(fed)
}

struct Settling<'a> {
    path: &'a Path,
    /// Dimensions with a name whose size is known: all of one name are equal.
    names: HashMap<String, u64>,
}

impl Settling<'_> {
    /// Which input is meant. Without a name it is the only one, or the only one that is open.
    fn addressee(&self, info: &ModelInfo, input: &Input) -> Result<usize, InputError> {
        let there = || info.inputs.iter().map(|p| format!("`{}`", p.name)).collect::<Vec<_>>();
        if let Some(name) = &input.name {
            return info.inputs.iter().position(|p| p.name == *name).ok_or_else(|| {
                InputError::UnknownInput {
                    path: self.path.to_owned(),
                    input: name.clone(),
                    there: there().join(", "),
                }
            });
        }
        let open: Vec<usize> =
            (0..info.inputs.len()).filter(|&i| is_open(&info.inputs[i])).collect();
        match (info.inputs.len(), open.as_slice()) {
            (1, _) => Ok(0),
            (_, [only]) => Ok(*only),
            _ => Err(InputError::WhichInput {
                path: self.path.to_owned(),
                there: there().join(", "),
            }),
        }
    }

    /// An input whose shape, or whose array, is given.
    fn given(&mut self, port: &Port, given: &Given) -> Result<InputJob, InputError> {
        let (shape, file) = match given {
            Given::Shape(shape) => (shape.dims().to_vec(), None),
            Given::File(file) => {
                let header = npy::examine(file)?;
                if header.element != port.element {
                    return Err(InputError::OtherElement {
                        file: file.clone(),
                        input: port.name.clone(),
                        wanted: port.element.to_string(),
                        found: header.element.to_string(),
                    });
                }
                (header.shape, Some(file.clone()))
            }
        };
        self.check_declared(port, &shape)?;
        for (dim, size) in port.dims.iter().flatten().zip(&shape) {
            if let Dim::Named(name) = dim {
                self.names.insert(name.clone(), *size as u64);
            }
        }
        match file {
            Some(file) => Ok(job(port, shape, Content::File(file))),
            None => self.filled(port, shape),
        }
    }

    fn check_declared(&self, port: &Port, shape: &[usize]) -> Result<(), InputError> {
        let Some(dims) = &port.dims else { return Ok(()) };
        let agrees = shape.len() == dims.len()
            && shape.iter().zip(dims).all(|(&size, dim)| match dim {
                Dim::Fixed(fixed) => i64::try_from(size) == Ok(*fixed),
                Dim::Named(_) | Dim::Unknown => true,
            });
        if agrees {
            return Ok(());
        }
        Err(InputError::ShapeContradicts {
            path: self.path.to_owned(),
            input: port.name.clone(),
            declared: times(dims),
            given: times(shape),
        })
    }

    /// An input of which nothing is given.
    fn open(&self, port: &Port, sized: &SizedInput) -> Result<InputJob, InputError> {
        let Some(shape) = &sized.shape else {
            return Err(InputError::OpenShape {
                path: self.path.to_owned(),
                input: port.name.clone(),
            });
        };
        let shape = shape.iter().map(|&n| usize::try_from(n).unwrap_or(usize::MAX)).collect();
        self.filled(port, shape)
    }

    fn filled(&self, port: &Port, shape: Vec<usize>) -> Result<InputJob, InputError> {
        let elements = shape.iter().try_fold(1_usize, |n, &dim| n.checked_mul(dim));
        if elements.is_none_or(|n| n > MOST_ELEMENTS) {
            return Err(InputError::TooLarge { path: self.path.to_owned(), shape: times(&shape) });
        }
        let content = content(port, &shape);
        Ok(job(port, shape, content))
    }
}

fn job(port: &Port, shape: Vec<usize>, content: Content) -> InputJob {
    InputJob { name: port.name.clone(), element: port.element, shape, content }
}

fn is_open(port: &Port) -> bool {
    port.dims.as_ref().is_none_or(|dims| dims.iter().any(|d| !matches!(d, Dim::Fixed(_))))
}

/// Dimensions as they are printed: `1×3×224×224`.
pub fn times<T: ToString>(dims: impl IntoIterator<Item = T>) -> String {
    dims.into_iter().map(|d| d.to_string()).collect::<Vec<_>>().join("×")
}

#[cfg(test)]
mod tests;
