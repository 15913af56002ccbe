//! Round numbers along the axis of the plot in a terminal.

/// About `wanted` steps from 0 to at least `most`: each is 1, 2 or 5 times a power of ten. Ascending;
/// 0 is the first, and the only one where there is nothing to divide.
pub(super) fn steps(most: f64, wanted: u32) -> Vec<f64> {
    if !(most.is_finite() && most > 0.0) {
        return vec![0.0];
    }
    let power = 10f64.powf((most / f64::from(wanted.max(1))).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|times| times * power)
        .find(|step| most / step <= f64::from(wanted) + 1e-9)
        .unwrap_or(10.0 * power);
    let mut steps = vec![0.0];
    while steps.last().is_some_and(|last| *last < most * (1.0 - 1e-9)) {
        steps.push(step * f64::from(u32::try_from(steps.len()).unwrap_or(u32::MAX)));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::steps;

    #[test]
    fn steps_are_round() {
        assert_eq!(steps(1024.0, 6), [0.0, 200.0, 400.0, 600.0, 800.0, 1000.0, 1200.0]);
        assert_eq!(steps(0.0, 6), [0.0]);
        assert_eq!(steps(f64::NAN, 6), [0.0]);
    }

    proptest::proptest! {
        #[test]
        fn steps_reach_the_end_and_are_not_too_many(most in 1e-6..1e12f64, wanted in 2u32..12) {
            let steps = steps(most, wanted);
            proptest::prop_assert!(steps.len() <= wanted as usize + 2);
            proptest::prop_assert!(*steps.last().unwrap() >= most * (1.0 - 1e-6));
            proptest::prop_assert!(steps.windows(2).all(|w| w[0] < w[1]));
        }
    }
}
