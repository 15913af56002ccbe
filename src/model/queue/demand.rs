//! What requests ask for.

use super::Work;

/// Kinds of requests, or times that were measured of one kind, each with its weight.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Demand(Vec<(f64, Work)>);

impl Demand {
    /// Of pieces of work with weights of 0 and more, not all 0.
    pub const fn new(pieces: Vec<(f64, Work)>) -> Self {
        Self(pieces)
    }

    /// The mean of what one asks for.
    pub fn mean(&self) -> Work {
        let all = self.total();
        let mean = |of: fn(&Work) -> f64| self.0.iter().map(|(w, work)| w / all * of(work)).sum();
        Work { cpu: mean(|work| work.cpu), wait: mean(|work| work.wait) }
    }

    /// So many requests, each drawn by the weights.
    pub fn draw(&self, count: usize, random: &mut fastrand::Rng) -> Vec<Work> {
        let mut sums = Vec::with_capacity(self.0.len());
        let mut sum = 0.0;
        for (weight, _) in &self.0 {
            sum += weight;
            sums.push(sum);
        }
        let all = self.total();
        let mut one = || {
            let drawn = random.f64() * all;
            let place = sums.partition_point(|sum| *sum <= drawn);
            self.0.get(place).or(self.0.last()).map_or_else(Work::default, |(_, work)| *work)
        };
        (0..count).map(|_| one()).collect()
    }

    fn total(&self) -> f64 {
        self.0.iter().map(|(weight, _)| weight).sum::<f64>().max(f64::MIN_POSITIVE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_drawn_by_its_weights() {
        let work = |cpu| Work { cpu, wait: cpu / 2.0 };
        let demand = Demand::new(vec![(3.0, work(1.0)), (1.0, work(5.0)), (0.0, work(900.0))]);
        assert_eq!(demand.mean(), Work { cpu: 2.0, wait: 1.0 });
        let drawn = demand.draw(10_000, &mut fastrand::Rng::with_seed(1));
        let long = drawn.iter().filter(|w| w.cpu == 5.0).count();
        assert!((2400..2600).contains(&long), "{long}");
        assert!(drawn.iter().all(|w| w.cpu <= 5.0));
        assert_eq!(Demand::default().mean(), Work::default());
        assert_eq!(Demand::default().draw(1, &mut fastrand::Rng::with_seed(1)), [Work::default()]);
    }
}
