//! From what a model declares and what the user gives to what its inputs are fed with. Whatever is
//! neither declared nor given is assumed, and said to be.

use std::collections::HashMap;
use std::path::Path;

use super::error::InputError;
use super::kind::{content, made_up, random};
use crate::measure::npy;
use crate::measure::protocol::{Content, InputJob};
use crate::measure::tensor::holds;
use crate::profile::{Given, Input, Inputs, Numbers};
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
    /// Lengths, counts and other numbers that nobody gave, in words: `max_length = 1`.
    pub assumed_values: Vec<String>,
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
    // One number fills an input whose shape nobody gave.
    let mut everywhere: Vec<Option<f64>> = vec![None; info.inputs.len()];
    for input in given.as_slice() {
        let place = settling.addressee(info, input)?;
        let port = &info.inputs[place];
        match &input.given {
            Given::Value(numbers) => {
                settling.check_numbers(port, numbers)?;
                match (numbers.as_slice(), &port.dims) {
                    ([only], Some(_)) => everywhere[place] = Some(*only),
                    _ => fixed[place] = Some(settling.numbers(port, numbers)?),
                }
            }
            other => fixed[place] = Some(settling.given(port, other)?),
        }
    }
    // What is given for one input may name the dimensions of another.
    let sizing = Sizing::given(info, settling.names.clone(), batch.into());
    if let Some(contradiction) = sizing.contradictions.into_iter().next() {
        let path = path.to_owned();
        return Err(InputError::Contradiction { path, contradiction });
    }
    let is_open = |sized: &SizedInput| sized.open.iter().any(|open| open.axis == 0);
    if batch > 1 && !sizing.inputs.iter().any(is_open) {
        return Err(InputError::FixedBatch { path: path.to_owned(), batch });
    }
    let mut fed = Fed { inputs: Vec::new(), assumed: Vec::new(), assumed_values: Vec::new() };
    let places = info.inputs.iter().zip(&sizing.inputs).zip(fixed.into_iter().zip(everywhere));
    for ((port, sized), (fixed, number)) in places {
        let is_given = number.is_some()
            || fixed.as_ref().is_some_and(|job| matches!(job.content, Content::Values(_)));
        let was_open = fixed.is_none();
        let mut job = match fixed {
            Some(job) => job,
            None => settling.open(port, sized)?,
        };
        if let Some(number) = number {
            job.content = Content::Constant(number);
        }
        fed.assumed_values.extend(made_up(&job).filter(|_| !is_given));
        fed.inputs.push(job);
        if !was_open {
            continue;
        }
        // A request is a batch of one: that is what the word means here, and no guess.
        let is_batch = |open: &&OpenDimension| open.axis == 0 && open.assumed == u64::from(batch);
        let guesses = sized.open.iter().filter(|open| !is_batch(open));
        for OpenDimension { axis, name, assumed, follows } in guesses {
            let known = name.as_ref().is_some_and(|name| settling.names.contains_key(name));
            let called = name.clone().unwrap_or_else(|| format!("dimension {}", axis + 1));
            if !known && !follows {
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

    /// An input whose shape, or whose content, is given.
    fn given(&mut self, port: &Port, given: &Given) -> Result<InputJob, InputError> {
        let (shape, content) = match given {
            Given::Shape(shape) => (shape.dims().to_vec(), None),
            Given::Random(shape) => (shape.dims().to_vec(), Some(random(port))),
            Given::Value(numbers) => return self.numbers(port, numbers),
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
                (header.shape, Some(Content::File(file.clone())))
            }
        };
        self.learn(port, &shape)?;
        match content {
            Some(content) => Ok(InputJob { content, ..self.filled(port, shape)? }),
            None => self.filled(port, shape),
        }
    }

    /// The sizes of the dimensions of a shape that is given.
    fn learn(&mut self, port: &Port, shape: &[usize]) -> Result<(), InputError> {
        self.check_declared(port, shape)?;
        for (dim, size) in port.dims.iter().flatten().zip(shape) {
            if let Dim::Named(name) = dim {
                self.names.insert(name.clone(), *size as u64);
            }
        }
        Ok(())
    }

    /// An input whose elements are given one by one: in the declared shape where that is as large,
    /// else in a row.
    fn numbers(&mut self, port: &Port, numbers: &Numbers) -> Result<InputJob, InputError> {
        let numbers = numbers.as_slice();
        let fixed = |dim: &Dim| match dim {
            Dim::Fixed(size) => usize::try_from(*size).ok(),
            Dim::Named(_) | Dim::Unknown => None,
        };
        let declared: Option<Vec<usize>> =
            port.dims.as_ref().and_then(|dims| dims.iter().map(fixed).collect());
        let is_as_large = |dims: &Vec<usize>| {
            dims.iter().copied().reduce(usize::saturating_mul) == Some(numbers.len())
        };
        let shape = declared.filter(is_as_large).unwrap_or_else(|| {
            let rank = port.dims.as_ref().map_or(1, Vec::len).max(1);
            let mut row = vec![1; rank];
            row[rank - 1] = numbers.len();
            row
        });
        self.learn(port, &shape)?;
        Ok(job(port, shape, Content::Values(numbers.to_vec())))
    }

    /// Whether an input can hold these numbers.
    fn check_numbers(&self, port: &Port, numbers: &Numbers) -> Result<(), InputError> {
        match numbers.as_slice().iter().find(|n| !holds(port.element, **n)) {
            None => Ok(()),
            Some(number) => Err(InputError::OtherNumber {
                path: self.path.to_owned(),
                input: port.name.clone(),
                wanted: port.element.to_string(),
                number: *number,
            }),
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
