//! Dimensions that follow from others: a mask over what came before and what comes now is as long
//! as both.
//!
//! Exporters say so in the name (`past_length + length`), or give the sum a name of its own
//! (`total_sequence_length`), or none.

use std::collections::{HashMap, HashSet};

use super::kind::{brings_tokens, words};
use super::{Dim, InputKind, Port, USUAL_TOKENS, usual};

/// What dimensions are known to be.
pub(super) struct Known {
    /// By name, over all inputs.
    pub sizes: HashMap<String, u64>,
    /// How many things one request holds.
    pub batch: u64,
    /// Names whose sizes follow from those of others.
    pub follow: HashSet<String>,
    /// How far the mask of a decoder with a cache reaches, where it has no name for that.
    pub attended: Option<u64>,
}

impl Known {
    /// With these sizes given, and what follows from them for `inputs`.
    pub fn new(sizes: HashMap<String, u64>, batch: u64, inputs: &[Port]) -> Self {
        let mut known = Self { sizes, batch, follow: HashSet::new(), attended: None };
        for name in names(inputs) {
            if let Some(terms) = terms(name) {
                known.split(name, &terms);
            }
        }
        known.attend(inputs);
        known
    }

    /// A usual size for an open dimension. One of a name is as large wherever it stands, and one
    /// whose name is a sum is the sum.
    pub fn size(&mut self, kind: InputKind, axis: usize, name: Option<&str>) -> u64 {
        let batch = self.batch;
        let Some(name) = name else { return usual(kind, axis, "", batch) };
        if let Some(size) = self.sizes.get(name) {
            return *size;
        }
        let size = match terms(name) {
            Some(terms) => {
                self.follow.insert(name.to_owned());
                terms.iter().fold(0_u64, |sum, term| {
                    let size = term.parse().unwrap_or_else(|_| {
                        let usual = usual(kind, axis, term, batch);
                        *self.sizes.entry((*term).to_owned()).or_insert(usual)
                    });
                    sum.saturating_add(size)
                })
            }
            None => usual(kind, axis, name, batch),
        };
        self.sizes.insert(name.to_owned(), size);
        size
    }

    /// Where a sum is given, the terms that are not share what is left of it: the tokens that come
    /// now are as many as usual, and the others came before.
    fn split(&mut self, sum: &str, terms: &[&str]) {
        let Some(&total) = self.sizes.get(sum) else { return };
        let (mut left, mut open) = (total, Vec::new());
        for term in terms {
            match term.parse().ok().or_else(|| self.sizes.get(*term).copied()) {
                Some(size) => left = left.saturating_sub(size),
                None => open.push(*term),
            }
        }
        open.sort_by_key(|term| is_past(term));
        while let Some(term) = (!open.is_empty()).then(|| open.remove(0)) {
            let most = if open.is_empty() { left } else { left.saturating_sub(1) };
            let size = if open.is_empty() { most } else { most.clamp(1, USUAL_TOKENS) };
            left = left.saturating_sub(size);
            self.sizes.insert(term.to_owned(), size);
            self.follow.insert(term.to_owned());
        }
    }

    /// Settles what a decoder with a cache attends to, where the sum has a name of its own or none.
    fn attend(&mut self, inputs: &[Port]) {
        let Some((past, now)) = inputs.iter().find_map(past).zip(inputs.iter().find_map(now))
        else {
            return;
        };
        let is_other = |name: &&str| ![past.name(), now.name()].contains(&Some(*name));
        let is_total = |name: &&str| words(name).iter().any(|word| word == "total");
        let mask = inputs.iter().find_map(mask);
        let of_mask = mask.and_then(Place::name);
        let total = of_mask.into_iter().chain(names(inputs).into_iter().filter(is_total));
        let total = total.filter(is_other).find(|name| terms(name).is_none());
        if let (Some(total), Some(past), Some(now)) = (total, past.name(), now.name()) {
            self.split(total, &[now, past]);
        }
        let sum = now.size(self).saturating_add(past.size(self));
        if let Some(total) = total.filter(|name| !self.sizes.contains_key(*name)) {
            self.sizes.insert(total.to_owned(), sum);
            self.follow.insert(total.to_owned());
        }
        self.attended = mask.filter(|mask| mask.name().is_none()).map(|_| sum);
    }

    /// Sums that are not what their terms add up to, in words.
    pub fn contradictions(&self, inputs: &[Port]) -> Vec<String> {
        let wrong = |name: &str| {
            let total = self.sizes.get(name)?;
            let terms = terms(name)?;
            let size = |term: &&str| term.parse().ok().or_else(|| self.sizes.get(*term).copied());
            let sizes: Vec<u64> = terms.iter().map(size).collect::<Option<_>>()?;
            let sum = sizes.iter().fold(0_u64, |sum, size| sum.saturating_add(*size));
            let added = sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + ");
            (sum != *total).then(|| format!("{name} is {added} = {sum}, and was given as {total}"))
        };
        names(inputs).into_iter().filter_map(wrong).collect()
    }
}

/// All names of dimensions, each once, in the order of the inputs.
fn names(inputs: &[Port]) -> Vec<&str> {
    let mut names = Vec::new();
    for dim in inputs.iter().filter_map(|input| input.dims.as_ref()).flatten() {
        if let Dim::Named(name) = dim
            && !names.contains(&name.as_str())
        {
            names.push(name);
        }
    }
    names
}

/// What a name adds up: `past + 1` is `past` and `1`. `None` of a name that is no sum.
fn terms(name: &str) -> Option<Vec<&str>> {
    let terms: Vec<&str> = name.split('+').map(str::trim).collect();
    (terms.len() > 1 && !terms.contains(&"")).then_some(terms)
}

fn is_past(name: &str) -> bool {
    words(name).iter().any(|word| word == "past")
}

/// One dimension of one input.
#[derive(Clone, Copy)]
struct Place<'a> {
    kind: InputKind,
    axis: usize,
    dim: &'a Dim,
}

impl<'a> Place<'a> {
    fn name(self) -> Option<&'a str> {
        match self.dim {
            Dim::Named(name) => Some(name),
            _ => None,
        }
    }

    fn size(self, known: &mut Known) -> u64 {
        match self.dim {
            Dim::Fixed(size) => size.unsigned_abs(),
            _ => known.size(self.kind, self.axis, self.name()),
        }
    }
}

/// The last open dimension of an input after its first.
fn last(input: &Port, kind: InputKind) -> Option<Place<'_>> {
    let dims = input.dims.as_ref()?;
    let axis = (1..dims.len()).rev().find(|&axis| !matches!(dims[axis], Dim::Fixed(_)))?;
    Some(Place { kind, axis, dim: &dims[axis] })
}

/// How many tokens an earlier step left: the open dimension of a cache, after its batch.
fn past(input: &Port) -> Option<Place<'_>> {
    let kind = InputKind::of(input);
    let is_cache = kind == InputKind::State && is_past(&input.name);
    last(input, kind).filter(|_| is_cache)
}

/// How many tokens this step adds: the dimension after the batch.
fn now(input: &Port) -> Option<Place<'_>> {
    let dim = input.dims.as_ref()?.get(1).filter(|_| brings_tokens(input))?;
    Some(Place { kind: InputKind::of(input), axis: 1, dim })
}

/// How far a mask of two dimensions reaches.
fn mask(input: &Port) -> Option<Place<'_>> {
    let kind = InputKind::of(input);
    let is_mask = kind == InputKind::Mask && input.dims.as_ref().is_some_and(|d| d.len() == 2);
    last(input, kind).filter(|_| is_mask)
}
