//! A few values and what they say: median, mean, and the interval of the mean.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// The middle value, the mean of the two middle ones, or 0 where there are none.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// The mean and its two-sided 95 % interval by Student's t (NIST e-Handbook 1.3.5.2), as
/// `(low, mean, high)`. One value has no spread: all three are that value; none gives zeros.
pub fn mean_interval(values: &[f64]) -> (f64, f64, f64) {
    #[expect(clippy::cast_precision_loss, reason = "a handful of values")]
    let n = values.len() as f64;
    if values.is_empty() {
        return (0.0, 0.0, 0.0);
    }
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    let half = match StudentsT::new(0.0, 1.0, n - 1.0) {
        Ok(t) if n >= 2.0 => t.inverse_cdf(0.975) * (squares / (n - 1.0) / n).sqrt(),
        _ => 0.0,
    };
    (mean - half, mean, mean + half)
}

/// The means of `shares` parts of the values as they are in order, as equal in number as they can
/// be; the values themselves where there are no more than that.
pub fn means_of_shares(values: &[f64], shares: usize) -> Vec<f64> {
    let shares = shares.min(values.len());
    let part =
        |share: usize| &values[share * values.len() / shares..(share + 1) * values.len() / shares];
    (0..shares).map(|share| mean(part(share))).collect()
}

/// The mean, or 0 of nothing.
pub fn mean(values: &[f64]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a count of values")]
    let n = values.len().max(1) as f64;
    values.iter().sum::<f64>() / n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_keep_the_mean() {
        let values: Vec<f64> = (0..1000).map(f64::from).collect();
        let shares = means_of_shares(&values, 100);
        assert_eq!((shares.len(), shares[0], shares[99]), (100, 4.5, 994.5));
        assert_eq!(mean(&shares), mean(&values));
        assert_eq!(means_of_shares(&values[..3], 100), [0.0, 1.0, 2.0]);
        assert!(means_of_shares(&[], 100).is_empty());
    }

    #[test]
    fn medians() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median([]), 0.0);
    }

    /// NIST e-Handbook 1.3.5.2, data set ZARR13.DAT: mean 9.26146, standard deviation 0.02279,
    /// 195 values, 95 % interval 9.258242 to 9.264679. The same formula on five values with those
    /// moments needs t(0.975, 4) = 2.776445 of any printed table.
    #[test]
    fn the_interval_of_a_mean() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0];
        let (low, mean, high) = mean_interval(&values);
        let half = 2.776_445_1 * (2.5f64 / 5.0).sqrt();
        assert!((mean - 3.0).abs() < 1e-12);
        assert!((high - mean - half).abs() < 1e-6 && (mean - low - half).abs() < 1e-6);
        assert_eq!(mean_interval(&[7.0]), (7.0, 7.0, 7.0));
    }
}
