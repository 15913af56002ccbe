//! How many are in flight where everything is admitted at once and shares the CPUs.
//!
//! Requests that share the CPUs equally, none with more than one, are a symmetric queue: the number
//! in it depends on the service times through their mean alone (F. P. Kelly, Reversibility and
//! Stochastic Networks, 1979, chapter 3). So it is that of M/M/c, `P(n) = P(n − 1) × load / min(n, cpus)`,
//! for requests of any length, and for a fraction of a CPU too. Requests that wait for somebody else
//! hold no CPU and do not slow the others down: they are a second station without a queue, whose
//! number is Poisson whatever the waits are.
//!
//! A quota that is spent in periods is not shared evenly over time: requests that come while nobody
//! may run are there besides. At the most those are the arrivals of one whole stall, a Poisson number,
//! and as many are added: an upper end, which is what decides needs.

use super::not_exceeded;

/// Terms that are looked at at the most: beyond them the load is as good as capacity.
const MOST: usize = 200_000;
/// What is left out at the end.
const TAIL: f64 = 1e-15;
/// A chance that adds nothing to any that is shown: of a hundred thousand that wait for somebody else
/// all but some thousand numbers are as unlikely.
const NOTHING: f64 = 1e-30;

/// The number in flight in the long run, at `rate` requests a second of `cpu` CPU-seconds and
/// `wait` seconds for others than the CPU.
#[derive(Debug, Clone, PartialEq)]
pub struct InFlight {
    /// The chance of n, by n.
    chances: Vec<f64>,
    rate: f64,
}

impl InFlight {
    /// `stall` is how long nobody may run at a time, seconds. `None` where the CPUs, above 0, cannot
    /// keep up: then the number grows for ever.
    pub fn new(rate: f64, cpu: f64, wait: f64, cpus: f64, stall: f64) -> Option<Self> {
        let load = rate * cpu;
        if load >= cpus {
            return None;
        }
        let running = terms(|n| load / n.min(cpus), load / cpus)?;
        let waiting = terms(|n| rate * (wait + stall) / n, 0.0)?;
        Some(Self { chances: sum_of(&running, &waiting), rate })
    }

    /// Its mean.
    pub fn mean(&self) -> f64 {
        (0..).zip(&self.chances).map(|(n, p)| f64::from(n) * p).sum()
    }

    /// The chance of more than `n`.
    pub fn more_than(&self, n: u32) -> f64 {
        // From the smallest on, or what is small would be lost.
        self.chances.iter().skip(n as usize + 1).rev().sum()
    }

    /// The chance that more than `n` are in flight at some moment of `seconds`: that more are there at its
    /// beginning, or that one arrives while n are, of which `rate × P(n) / P(≤ n)` are expected a second
    /// as long as there were never more (the quasi-stationary rate of the first passage), in the form
    /// `1 − P(≤ n) exp(−expected)`, which is exact for rare events and rises with the rate.
    pub fn chance_of_exceeding(&self, n: u32, seconds: f64) -> f64 {
        let at = self.chances.get(n as usize).copied().unwrap_or(0.0);
        let within = (1.0 - self.more_than(n)).clamp(0.0, 1.0);
        if within <= 0.0 {
            return 1.0;
        }
        let never = -self.rate * at / within * seconds;
        // `1 − within × exp(never)`, of which small chances keep their digits.
        (1.0 - within) - within * never.exp_m1()
    }

    /// The number that is not exceeded for this share of the time.
    pub fn percentile(&self, share: f64) -> u32 {
        not_exceeded(&self.chances, share)
    }
}

/// Chances that follow each other by these ratios, from the first on; `beyond` is what the ratios
/// come to in the end.
fn terms(ratio: impl Fn(f64) -> f64, beyond: f64) -> Option<Vec<f64>> {
    let mut weights = vec![1.0];
    let (mut sum, mut last) = (1.0, 1.0);
    for n in 1..MOST {
        #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
        let step = ratio(n as f64);
        last *= step;
        sum += last;
        weights.push(last);
        // What follows is at most a geometric series.
        if step < 1.0 && last * step.max(beyond) / (1.0 - step.max(beyond)) < TAIL * sum {
            normalise(&mut weights, sum);
            return Some(weights);
        }
        if sum > 1e250 {
            normalise(&mut weights, sum);
            last /= sum;
            sum = 1.0;
        }
    }
    None
}

fn normalise(weights: &mut [f64], sum: f64) {
    for weight in weights {
        *weight /= sum;
    }
}

/// The distribution of the sum of two independent numbers.
fn sum_of(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; a.len() + b.len() - 1];
    let matters = |p: &&f64| **p > NOTHING;
    let before = b.iter().take_while(|p| !matters(p)).count();
    for (i, p) in a.iter().enumerate().filter(|(_, p)| matters(p)) {
        for (place, q) in sum[i + before..].iter_mut().zip(&b[before..]) {
            *place += p * q;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cpu_is_geometric() {
        let in_flight = InFlight::new(7.0, 0.1, 0.0, 1.0, 0.0).unwrap();
        for n in 0..25u32 {
            let expected = 0.7f64.powi(n.cast_signed() + 1);
            assert!((in_flight.more_than(n) / expected - 1.0).abs() < 1e-9, "{n}");
        }
        assert!((in_flight.mean() - 0.7 / 0.3).abs() < 1e-9);
        assert_eq!(in_flight.percentile(0.5), 1);
    }

    /// Two CPUs: the chance of at least two is Erlang's.
    #[test]
    fn several_cpus_are_as_erlang_has_them() {
        for (cpus, load) in [(2, 1.2), (5, 4.0), (10, 7.0)] {
            let in_flight = InFlight::new(load, 1.0, 0.0, f64::from(cpus), 0.0).unwrap();
            let expected = super::super::erlang::chance_to_wait(cpus, load);
            assert!((in_flight.more_than(cpus - 1) - expected).abs() < 1e-9);
        }
    }

    /// Little's law, where part of the time is waiting for others.
    #[test]
    fn waiting_for_others_adds_rate_times_wait() {
        let without = InFlight::new(3.0, 0.2, 0.0, 1.0, 0.0).unwrap().mean();
        let with = InFlight::new(3.0, 0.2, 2.0, 1.0, 0.0).unwrap().mean();
        assert!((with - without - 6.0).abs() < 1e-6);
    }

    #[test]
    fn a_fraction_of_a_cpu_is_a_slower_one() {
        let half = InFlight::new(2.0, 0.1, 0.0, 0.5, 0.0).unwrap();
        let whole = InFlight::new(2.0, 0.2, 0.0, 1.0, 0.0).unwrap();
        assert!((half.mean() - whole.mean()).abs() < 1e-9);
        assert_eq!(InFlight::new(5.0, 0.1, 0.0, 0.5, 0.0), None, "it cannot keep up");
    }

    /// Twenty a second and a stall of 50 ms: one more on average.
    #[test]
    fn a_stall_adds_those_that_come_meanwhile() {
        let without = InFlight::new(20.0, 0.01, 0.0, 0.5, 0.0).unwrap();
        let with = InFlight::new(20.0, 0.01, 0.0, 0.5, 0.05).unwrap();
        assert!((with.mean() - without.mean() - 1.0).abs() < 1e-9);
        assert!(with.chance_of_exceeding(20, 60.0) > without.chance_of_exceeding(20, 60.0));
    }

    #[test]
    fn a_rare_event_is_as_likely_as_it_is_often() {
        let in_flight = InFlight::new(5.0, 0.1, 0.0, 1.0, 0.0).unwrap();
        // P(30) = 0.5^31, 5 arrivals a second, a day.
        let expected = 5.0 * 0.5f64.powi(31) * 86400.0;
        assert!((in_flight.chance_of_exceeding(30, 86400.0) / expected - 1.0).abs() < 1e-3);
        assert!((in_flight.chance_of_exceeding(2, 86400.0) - 1.0).abs() < 1e-9);
        assert_eq!(in_flight.chance_of_exceeding(5000, 86400.0), 0.0);
    }
}
