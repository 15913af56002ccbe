//! Which models a request meets: all of them, one of a mix, or a second one where the first finds
//! nothing.

use super::models::Model;
use crate::footprint::Load;
use crate::units::Share;

/// Which requests run a model.
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// Every request.
    Always,
    /// This share of the requests, instead of the other models that have a share.
    Mix(Share),
    /// After another model, in this share of the requests that ran it.
    After {
        /// The other model's name.
        model: String,
        /// Where the other one finds nothing.
        share: Share,
    },
}

/// Requests that meet the same models.
#[derive(Debug, Clone, PartialEq)]
pub struct Kind {
    /// The models that tell it from other kinds, as `small` or `small, medium`; `request` where
    /// there is one kind only.
    pub name: String,
    /// Of all requests. The shares of all kinds sum to 1.
    pub share: Share,
    /// Places in the list of models, in the order in which they run.
    pub models: Vec<usize>,
}

/// More kinds than a person can read in a table: eight models each run by some of the requests.
const MOST_KINDS: usize = 8;

/// The shares of a mix may be off by this much, as three thirds written with two digits are.
const ROUNDING: f64 = 0.011;

/// Every kind of request, the most frequent first.
///
/// # Errors
/// Where shares do not sum to all requests, or a model runs after one that is not before it.
pub(super) fn kinds(models: &[Model]) -> Result<Vec<Kind>, String> {
    check_mix(models)?;
    let mixed = |m: &Model| matches!(m.when, When::Mix(_));
    let total: f64 = models.iter().filter_map(|m| mix_share(&m.when)).sum();
    let mut kinds = vec![Kind { name: String::new(), share: Share::ALL, models: Vec::new() }];
    if models.iter().any(mixed) {
        kinds = models
            .iter()
            .enumerate()
            .filter_map(|(index, m)| {
                let share = Share::new(mix_share(&m.when)? / total)?;
                Some(Kind { name: m.name.clone(), share, models: vec![index] })
            })
            .collect();
    }
    for (index, model) in models.iter().enumerate() {
        match &model.when {
            When::Mix(_) => {}
            When::Always => kinds.iter_mut().for_each(|kind| kind.models.push(index)),
            When::After { model: first, share } => {
                let first =
                    models[..index].iter().position(|m| m.name == *first).ok_or_else(|| {
                        format!(
                            "the model `{}` runs after `{first}`, which is not a model before it: \
                         name one, and write it above",
                            model.name
                        )
                    })?;
                kinds =
                    kinds.into_iter().flat_map(|k| split(k, first, index, model, *share)).collect();
            }
        }
    }
    finished(kinds)
}

fn mix_share(when: &When) -> Option<f64> {
    match when {
        When::Mix(share) => Some(share.get()),
        When::Always | When::After { .. } => None,
    }
}

fn check_mix(models: &[Model]) -> Result<(), String> {
    let shares: Vec<f64> = models.iter().filter_map(|m| mix_share(&m.when)).collect();
    let sum: f64 = shares.iter().sum();
    if !shares.is_empty() && (sum - 1.0).abs() > ROUNDING {
        return Err(format!(
            "the shares of the models sum to {:.0} % and not to 100 %: a request takes one of the \
             models with a `share`. A model that runs after another one says so with `after:`",
            sum * 100.0
        ));
    }
    let lazy = models.iter().find(|m| m.load == Load::Lazy && m.when == When::Always);
    match lazy {
        Some(model) => Err(format!(
            "the model `{}` is lazy and every request runs it, so the first one loads it: leave \
             out `load: lazy`, or say with `share:` which requests need it",
            model.name
        )),
        None => Ok(()),
    }
}

/// A kind that runs `first` becomes two: with and without what runs after it.
fn split(kind: Kind, first: usize, second: usize, model: &Model, share: Share) -> Vec<Kind> {
    if !kind.models.contains(&first) {
        return vec![kind];
    }
    let mut with = kind.clone();
    with.models.push(second);
    with.share = kind.share.of(share);
    with.name = if kind.name.is_empty() {
        model.name.clone()
    } else {
        format!("{}, {}", kind.name, model.name)
    };
    let without = share.rest().map(|rest| Kind { share: kind.share.of(rest), ..kind });
    without.into_iter().chain([with]).collect()
}

fn finished(mut kinds: Vec<Kind>) -> Result<Vec<Kind>, String> {
    if kinds.len() > MOST_KINDS {
        return Err(format!(
            "the models make {} kinds of requests: more than {MOST_KINDS} are too many to measure",
            kinds.len()
        ));
    }
    let only = kinds.len() == 1;
    for kind in &mut kinds {
        kind.models.sort_unstable();
        if only || kind.name.is_empty() {
            "request".clone_into(&mut kind.name);
        }
    }
    kinds.sort_by(|a, b| b.share.get().total_cmp(&a.share.get()));
    match kinds.iter().find(|k| k.models.is_empty()) {
        Some(_) => Err("some requests would run no model at all".to_owned()),
        None => Ok(kinds),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Profile;

    fn kinds(models: &str) -> Vec<(String, String, Vec<usize>)> {
        let text = format!("name: service\nmodels:\n{models}");
        let profile = Profile::parse(&text, "test").unwrap();
        let again = Profile::parse(&profile.to_yaml().unwrap(), "again").unwrap();
        assert_eq!(profile, again);
        let kinds = profile.models.kinds().iter();
        kinds.map(|k| (k.name.clone(), k.share.to_string(), k.models.clone())).collect()
    }

    fn kind(name: &str, share: &str, models: &[usize]) -> (String, String, Vec<usize>) {
        (name.to_owned(), share.to_owned(), models.to_vec())
    }

    #[test]
    fn without_shares_all_requests_are_of_one_kind() {
        let found = kinds("  a: {architecture: resnet18}\n  b: {architecture: resnet18}\n");
        assert_eq!(found, [kind("request", "100 %", &[0, 1])]);
    }

    #[test]
    fn a_mix_is_one_model_or_another_and_what_all_requests_run() {
        let found = kinds(
            "  medium: {architecture: resnet50, share: 20%, load: lazy}\n  small: {architecture: \
             resnet18, share: 0.8}\n  all: {architecture: resnet18}\n",
        );
        assert_eq!(found, [kind("small", "80 %", &[1, 2]), kind("medium", "20 %", &[0, 2])]);
    }

    #[test]
    fn thirds_with_two_digits_are_a_whole_mix() {
        let third = "{architecture: resnet18, share: 33.3%}";
        let found = kinds(&format!("  a: {third}\n  b: {third}\n  c: {third}\n"));
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].1, "33.3 %");
    }

    #[test]
    fn a_cascade_runs_the_second_model_in_a_share_of_the_requests_of_the_first() {
        let found = kinds(
            "  a: {architecture: resnet18}\n  b: {architecture: resnet18, after: a, share: 20%}\n  \
             c: {architecture: resnet18, after: b, share: 50%}\n",
        );
        let expected = [
            kind("request", "80 %", &[0]),
            kind("b", "10 %", &[0, 1]),
            kind("b, c", "10 %", &[0, 1, 2]),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_follows_in_every_request_makes_no_kind_of_its_own() {
        let found = kinds(
            "  a: {architecture: resnet18}\n  b: {architecture: resnet18, after: a, share: 100%}\n",
        );
        assert_eq!(found, [kind("request", "100 %", &[0, 1])]);
    }
}
