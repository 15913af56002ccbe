//! Where values come from: which inputs select rows of which stored tables, which constants are
//! made when the model is loaded, and which of them are multiplied.
//!
//! A graph is a list of nodes that name their operands, and a nested graph may name the values of
//! those around it. Only what the questions need is kept: a value that was carried from another
//! one, a constant, an input. Chains are followed for [`LONGEST_CHAIN`] steps, so that a hostile
//! file cannot make the search long. Bodies of local functions are not followed: what they are
//! given is unknown until they are called.

use std::collections::{HashMap, HashSet};

use super::walk::Known;

/// Steps that a value is followed back; exporters write fewer than ten.
const LONGEST_CHAIN: usize = 64;

/// Where a value comes from.
#[derive(Debug)]
pub(super) enum Origin {
    /// Computed, or given to a nested graph: nothing is known of it.
    Opaque,
    /// An input of the main graph.
    Input,
    /// Stored in the file.
    Constant(Known),
    /// Its elements are those of another value; `same_shape` if its shape is that one's too.
    Carried { from: String, same_shape: bool },
    /// `ConstantOfShape`: elements of `element_bits` bits in the shape that another value says.
    Filled { shape: String, element_bits: u64 },
}

/// A node that reads rows of a table: `indices` must be below the size of `axis`.
#[derive(Debug)]
struct Lookup {
    graph: usize,
    table: String,
    indices: String,
    axis: i64,
}

/// A node that multiplies by a weight.
#[derive(Debug)]
struct Multiplication {
    graph: usize,
    weight: String,
    convolution: bool,
}

/// One graph: the one around it, and what its names mean.
#[derive(Debug)]
struct Scope {
    outer: Option<usize>,
    values: HashMap<String, Origin>,
}

/// What the nodes of all graphs say of the values.
#[derive(Debug, Default)]
pub(super) struct Flow {
    scopes: Vec<Scope>,
    lookups: Vec<Lookup>,
    multiplications: Vec<Multiplication>,
}

/// What is made when the model is loaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Filled {
    pub bytes: u64,
    /// Of the largest.
    pub largest: u64,
}

/// Bytes of constants that are multiplied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Multiplied {
    pub convolutions: u64,
    pub products: u64,
}

impl Flow {
    /// Enters a graph inside `outer`; returns its number. The main one is 0.
    pub fn open(&mut self, outer: Option<usize>) -> usize {
        self.scopes.push(Scope { outer, values: HashMap::new() });
        self.scopes.len() - 1
    }

    /// Says what the name means in `graph`. A stored constant stays one where an input has its
    /// name.
    pub fn define(&mut self, graph: usize, name: String, origin: Origin) {
        let values = &mut self.scopes[graph].values;
        let is_default = matches!(origin, Origin::Input | Origin::Opaque)
            && matches!(values.get(&name), Some(Origin::Constant(_)));
        if !name.is_empty() && !is_default {
            values.insert(name, origin);
        }
    }

    /// Notes a lookup of `indices` in a `table`, if there are both.
    pub fn look_up(&mut self, graph: usize, table: &str, indices: &str, axis: i64) {
        if !table.is_empty() && !indices.is_empty() {
            let (table, indices) = (table.to_owned(), indices.to_owned());
            self.lookups.push(Lookup { graph, table, indices, axis });
        }
    }

    /// Notes a multiplication by `weight`.
    pub fn multiply(&mut self, graph: usize, weight: &str, convolution: bool) {
        let weight = weight.to_owned();
        self.multiplications.push(Multiplication { graph, weight, convolution });
    }

    /// For every input that selects rows of stored tables, the rows of the smallest.
    pub fn index_bounds(&self) -> HashMap<&str, u64> {
        let mut bounds = HashMap::new();
        for lookup in &self.lookups {
            let Some(input) = self.input(lookup.graph, &lookup.indices) else { continue };
            let Some(rows) = self.rows(lookup) else { continue };
            let bound = bounds.entry(input).or_insert(rows);
            *bound = rows.min(*bound);
        }
        bounds
    }

    /// What `ConstantOfShape` makes when the model is loaded. `changeable` are the inputs that a
    /// caller may replace, which are no constants.
    pub fn filled(&self, changeable: &HashSet<&str>) -> Filled {
        let mut filled = Filled::default();
        for (graph, scope) in self.scopes.iter().enumerate() {
            for origin in scope.values.values() {
                let Origin::Filled { shape, element_bits } = origin else { continue };
                let known = self.fill(graph, shape, *element_bits);
                let Some(known) = known.filter(|_| !changeable.contains(shape.as_str())) else {
                    continue;
                };
                filled.bytes = filled.bytes.saturating_add(known.bytes);
                filled.largest = filled.largest.max(known.bytes);
            }
        }
        filled
    }

    /// Bytes of the constants that are multiplied, each once.
    pub fn multiplied(&self) -> Multiplied {
        let mut seen = HashSet::new();
        let mut bytes = Multiplied::default();
        for multiplication in &self.multiplications {
            let found = self.constant(multiplication.graph, &multiplication.weight, false);
            let Some((place, known)) = found else { continue };
            if seen.insert(place) {
                let sum = if multiplication.convolution {
                    &mut bytes.convolutions
                } else {
                    &mut bytes.products
                };
                *sum = sum.saturating_add(known.bytes);
            }
        }
        bytes
    }

    /// The rows of a table on the axis of the lookup, where the table is a constant.
    fn rows(&self, lookup: &Lookup) -> Option<u64> {
        let (_, table) = self.constant(lookup.graph, &lookup.table, true)?;
        let rank = i64::try_from(table.dims.len()).ok()?;
        let axis = if lookup.axis < 0 { lookup.axis.checked_add(rank)? } else { lookup.axis };
        u64::try_from(*table.dims.get(usize::try_from(axis).ok()?)?).ok()
    }

    /// The input of the main graph whose elements a value has.
    fn input(&self, graph: usize, name: &str) -> Option<&str> {
        let ((_, name), origin) = self.source(graph, name, false)?;
        matches!(origin, Origin::Input).then_some(name)
    }

    /// The constant whose elements, and whose shape if `same_shape`, a value has; and its place.
    fn constant(
        &self,
        graph: usize,
        name: &str,
        same_shape: bool,
    ) -> Option<((usize, &str), Known)> {
        let (place, origin) = self.source(graph, name, same_shape)?;
        let known = match origin {
            Origin::Constant(known) => known.clone(),
            Origin::Filled { shape, element_bits } => self.fill(place.0, shape, *element_bits)?,
            _ => return None,
        };
        Some((place, known))
    }

    /// What `ConstantOfShape` makes of a stored shape.
    fn fill(&self, graph: usize, shape: &str, element_bits: u64) -> Option<Known> {
        let (_, Origin::Constant(Known { values: Some(dims), .. })) =
            self.source(graph, shape, true)?
        else {
            return None;
        };
        let bits = dims
            .iter()
            .try_fold(element_bits, |bits, &dim| bits.checked_mul(u64::try_from(dim).ok()?))?;
        Some(Known { dims: dims.clone(), bytes: bits.div_ceil(8), values: None })
    }

    /// Follows a value back to where its elements were made; `None` where that is not to be seen.
    fn source(
        &self,
        graph: usize,
        name: &str,
        same_shape: bool,
    ) -> Option<((usize, &str), &Origin)> {
        let mut found = self.resolve(graph, name)?;
        for _ in 0..LONGEST_CHAIN {
            match found {
                ((graph, _), Origin::Carried { from, same_shape: same })
                    if *same || !same_shape =>
                {
                    found = self.resolve(graph, from)?;
                }
                (_, Origin::Carried { .. }) => return None,
                source => return Some(source),
            }
        }
        None
    }

    /// What a name means in a graph, or in the nearest graph around it that defines it.
    fn resolve(&self, graph: usize, name: &str) -> Option<((usize, &str), &Origin)> {
        let mut at = Some(graph);
        while let Some(graph) = at {
            let scope = &self.scopes[graph];
            if let Some((name, origin)) = scope.values.get_key_value(name) {
                return Some(((graph, name), origin));
            }
            at = scope.outer;
        }
        None
    }
}
