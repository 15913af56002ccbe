//! From what a model declares and what the user gives to what its inputs are fed with. Whatever is
//! neither declared nor given is assumed, and said to be.

use std::path::Path;

use super::error::InputError;
use super::kind::{content, size_if_open};
use crate::measure::npy;
use crate::measure::protocol::{Content, InputJob};
use crate::measure::tensor::can_be_made;
use crate::profile::{Given, Input, Inputs};
use crate::reference::{Dim, ModelInfo, Port};

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
/// Where an input cannot be fed, or what is given contradicts the model.
pub fn settle(path: &Path, info: &ModelInfo, given: &Inputs) -> Result<Fed, InputError> {
    for port in &info.inputs {
        if !can_be_made(port.element) {
            return Err(InputError::Unsupported {
                path: path.to_owned(),
                input: port.name.clone(),
                element: port.element.to_string(),
            });
        }
    }
    let mut settling = Settling { path, names: Vec::new(), assumed: Vec::new() };
    let given = given
        .as_slice()
        .iter()
        .map(|input| Ok((settling.addressee(info, input)?, &input.given)))
        .collect::<Result<Vec<_>, InputError>>()?;
    let given_to = |port: &Port| given.iter().find(|(p, _)| p.name == port.name).map(|(_, g)| *g);
    // What is given for one input may name the dimensions of another.
    let fixed = info
        .inputs
        .iter()
        .map(|port| given_to(port).map(|given| settling.given(port, given)).transpose())
        .collect::<Result<Vec<_>, _>>()?;
    let inputs = info
        .inputs
        .iter()
        .zip(fixed)
        .map(|(port, fixed)| fixed.map_or_else(|| settling.open(port), Ok))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Fed { inputs, assumed: settling.assumed })
}

struct Settling<'a> {
    path: &'a Path,
    /// Dimensions with a name whose size is known: all of one name are equal.
    names: Vec<(String, usize)>,
    assumed: Vec<String>,
}

impl Settling<'_> {
    /// Which input is meant. Without a name it is the only one, or the only one that is open.
    fn addressee<'p>(&self, info: &'p ModelInfo, input: &Input) -> Result<&'p Port, InputError> {
        let there = || info.inputs.iter().map(|p| format!("`{}`", p.name)).collect::<Vec<_>>();
        if let Some(name) = &input.name {
            return info.inputs.iter().find(|p| p.name == *name).ok_or_else(|| {
                InputError::UnknownInput {
                    path: self.path.to_owned(),
                    input: name.clone(),
                    there: there().join(", "),
                }
            });
        }
        let open: Vec<&Port> = info.inputs.iter().filter(|p| is_open(p)).collect();
        match (info.inputs.as_slice(), open.as_slice()) {
            ([only], _) => Ok(only),
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
                self.names.push((name.clone(), *size));
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
    fn open(&mut self, port: &Port) -> Result<InputJob, InputError> {
        let Some(dims) = &port.dims else {
            return Err(InputError::OpenShape {
                path: self.path.to_owned(),
                input: port.name.clone(),
            });
        };
        let mut shape = Vec::new();
        for (place, dim) in dims.iter().enumerate() {
            shape.push(self.size(port, place, dim));
        }
        self.filled(port, shape)
    }

    /// The size of one dimension: as declared, as its name has elsewhere, or assumed.
    fn size(&mut self, port: &Port, place: usize, dim: &Dim) -> usize {
        let name = match dim {
            Dim::Fixed(size) => return usize::try_from(*size).unwrap_or(0),
            Dim::Named(name) => Some(name),
            Dim::Unknown => None,
        };
        if let Some(known) = name.and_then(|name| self.named(name)) {
            return known;
        }
        let size = size_if_open(port, place, name.map(String::as_str));
        // A request is a batch of one: that is what the word means here, and no guess.
        if place > 0 || size > 1 {
            let called = name.cloned().unwrap_or_else(|| format!("dimension {}", place + 1));
            self.assumed.push(format!("{}: {called} = {size}", port.name));
        }
        if let Some(name) = name {
            self.names.push((name.clone(), size));
        }
        size
    }

    /// A size by name; exporters also write sums of one, as `past_sequence_length + 1`.
    fn named(&self, name: &str) -> Option<usize> {
        let known = |name: &str| self.names.iter().find(|(n, _)| n == name).map(|(_, size)| *size);
        known(name).or_else(|| {
            let (left, right) = name.split_once(" + ")?;
            let term = |text: &str| text.trim().parse().ok().or_else(|| known(text.trim()));
            term(left)?.checked_add(term(right)?)
        })
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
