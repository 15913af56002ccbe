//! How much of the scatter is between processes and how much within them.
//!
//! The points of one process share where its heap happened to lie: `y = a + b x + u + e`, with one
//! u a process and one e a point. Counting points as if each had its own u makes ten witnesses of
//! three. The two variances are estimated by restricted maximum likelihood, the line by generalised
//! least squares with them.
//!
//! Sources: S. R. Searle and others, Variance Components (1992), chapter 6; the inverse of a
//! process's covariance, `(I - λ / (1 + n λ) J) / σe²` with `λ = σu² / σe²`, is Sherman's and
//! Morrison's formula.

use super::Sample;

/// The mean point of one process.
struct Process {
    n: f64,
    x: f64,
    y: f64,
}

/// Points as sums: of each process its mean, of all of them what is left around those means.
pub(super) struct Sums {
    processes: Vec<Process>,
    n: f64,
    /// `Σ (x - x̄ᵢ)²`.
    xx: f64,
    /// The slope within processes.
    slope: f64,
    /// What that slope leaves of `Σ (y - ȳᵢ)²`.
    left: f64,
    /// Sizes of y, against which rounding is judged.
    size: f64,
}

/// A line by generalised least squares, and the two variances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    /// The x at which the line's height and its slope are estimated independently.
    pub centre: f64,
    /// The line there.
    pub height: f64,
    /// The rise for each x.
    pub slope: f64,
    /// Variance of `height`.
    pub height_variance: f64,
    /// Variance of `slope`.
    pub slope_variance: f64,
    /// σu², the variance between processes; 0 where it cannot be told apart.
    pub between: f64,
    /// σe², the variance within.
    pub within: f64,
    /// How well the variances are known.
    pub certainty: Certainty,
}

/// Variances of the estimated variances, and how the line's own variance follows from them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Certainty {
    /// Variance of `between`, of both together, of `within`.
    covariance: [f64; 3],
    /// The derivative of the line's variance at `centre + u` after `between`, by powers of u.
    after_between: [f64; 3],
}

/// The line at one λ, with what decides whether that λ is the likeliest.
struct AtRatio {
    ratio: f64,
    centre: f64,
    height: f64,
    slope: f64,
    /// `Σ wᵢ` and `Σ wᵢ (x̄ᵢ - c)² + Sxx` with `wᵢ = nᵢ / (1 + nᵢ λ)`.
    weight: f64,
    xx: f64,
    /// `σe²` times the generalised sum of squares.
    squares: f64,
    /// `-2 log` of the restricted likelihood, less what does not depend on λ.
    deviance: f64,
}

/// The ratios among which the likeliest is looked for, besides 0: powers of e.
const LOG_RATIOS: (f64, f64) = (-14.0, 23.0);
/// Steps of the first look.
const STEPS: u32 = 74;
/// Steps of the second, each of which narrows the place by 0.618.
const GOLDEN_STEPS: u32 = 40;

/// Points that are this near to a line, as a share of their size, are on it: whole bytes are not
/// nearer.
const ROUNDING: f64 = 1e-8;
/// The least standard deviation within processes, as a share of the size, where there are several:
/// with none at all the ratio would be infinite.
const LEAST_WITHIN: f64 = 1e-6;

impl Sums {
    pub(super) fn new(samples: &[Sample]) -> Self {
        let mut names: Vec<u32> = samples.iter().map(|s| s.process).collect();
        names.sort_unstable();
        names.dedup();
        let mut sums = Self {
            processes: Vec::with_capacity(names.len()),
            n: count(samples.len()),
            xx: 0.0,
            slope: 0.0,
            left: 0.0,
            size: samples.iter().map(|s| s.y.abs()).fold(0.0, f64::max),
        };
        let mut around: Vec<(f64, f64)> = Vec::with_capacity(samples.len());
        for name in names {
            let own = || samples.iter().filter(|s| s.process == name);
            let n = count(own().count());
            let x = own().map(|s| s.x).sum::<f64>() / n;
            let y = own().map(|s| s.y).sum::<f64>() / n;
            around.extend(own().map(|s| (s.x - x, s.y - y)));
            sums.processes.push(Process { n, x, y });
        }
        sums.xx = around.iter().map(|(x, _)| x * x).sum();
        if sums.xx > 0.0 {
            sums.slope = around.iter().map(|(x, y)| x * y).sum::<f64>() / sums.xx;
        }
        sums.left = around.iter().map(|(x, y)| (y - sums.slope * x).powi(2)).sum();
        sums
    }

    pub(super) fn processes(&self) -> usize {
        self.processes.len()
    }

    /// Whether points of the same process are there to tell its offset from the rest: with one
    /// process, or one point in each, both are one.
    fn tells_apart(&self) -> bool {
        let slopes = if self.xx > 0.0 { 1.0 } else { 0.0 };
        self.processes.len() > 1 && self.n - count(self.processes.len()) - slopes > 0.5
    }

    /// The line and the variances; `None` where rounding leaves no x apart.
    pub(super) fn estimate(mut self) -> Option<Estimate> {
        let pooled = self.at_ratio(0.0)?;
        if pooled.squares <= self.n * (ROUNDING * self.size).powi(2) {
            return Some(exact(&pooled));
        }
        if !self.tells_apart() {
            return Some(self.with_variances(&pooled));
        }
        // Where every process is exact, rounding stands in for what there is within.
        self.left = self.left.max(self.n * (LEAST_WITHIN * self.size).powi(2));
        let likeliest = self.likeliest(self.at_ratio(0.0)?);
        Some(self.with_variances(&likeliest))
    }

    /// The line with `wᵢ` as the weights of the processes' means: Henderson's equations for one
    /// slope, around the weighted mean, where they fall apart into two.
    fn at_ratio(&self, ratio: f64) -> Option<AtRatio> {
        let weighted = || self.processes.iter().map(|p| (p, p.n / (1.0 + p.n * ratio)));
        let weight: f64 = weighted().map(|(_, w)| w).sum();
        let centre = weighted().map(|(p, w)| w * p.x).sum::<f64>() / weight;
        let height = weighted().map(|(p, w)| w * p.y).sum::<f64>() / weight;
        let xx = self.xx + weighted().map(|(p, w)| w * (p.x - centre).powi(2)).sum::<f64>();
        if xx == 0.0 {
            return None;
        }
        let between: f64 = weighted().map(|(p, w)| w * (p.x - centre) * (p.y - height)).sum();
        let slope = (self.slope * self.xx + between) / xx;
        let residual = |p: &Process| (p.y - height) - slope * (p.x - centre);
        let squares = self.left
            + (slope - self.slope).powi(2) * self.xx
            + weighted().map(|(p, w)| w * residual(p).powi(2)).sum::<f64>();
        let spread: f64 = self.processes.iter().map(|p| (p.n * ratio).ln_1p()).sum();
        let deviance = (self.n - 2.0) * squares.ln() + spread + weight.ln() + xx.ln();
        Some(AtRatio { ratio, centre, height, slope, weight, xx, squares, deviance })
    }

    /// The λ of the highest restricted likelihood: a look over all sizes, then golden sections.
    fn likeliest(&self, pooled: AtRatio) -> AtRatio {
        let at = |log: f64| self.at_ratio(log.exp());
        let (low, high) = LOG_RATIOS;
        let step = (high - low) / f64::from(STEPS);
        let first = (0..=STEPS)
            .map(|i| low + step * f64::from(i))
            .filter_map(|log| at(log).map(|found| (log, found.deviance)))
            .min_by(|a, b| a.1.total_cmp(&b.1));
        let Some((log, _)) = first else { return pooled };
        let (mut low, mut high) = (log - step, log + step);
        let golden = (5f64.sqrt() - 1.0) / 2.0;
        let deviance = |log: f64| at(log).map_or(f64::INFINITY, |found| found.deviance);
        for _ in 0..GOLDEN_STEPS {
            let (left, right) = (high - golden * (high - low), low + golden * (high - low));
            if deviance(left) < deviance(right) {
                high = right;
            } else {
                low = left;
            }
        }
        match at(f64::midpoint(low, high)) {
            Some(found) if found.deviance < pooled.deviance => found,
            _ => pooled,
        }
    }

    fn with_variances(&self, line: &AtRatio) -> Estimate {
        let within = line.squares / (self.n - 2.0);
        let (height_variance, slope_variance) = (within / line.weight, within / line.xx);
        let weights: Vec<(f64, f64)> = self
            .processes
            .iter()
            .map(|p| (p.n / (1.0 + p.n * line.ratio) / within, p.x - line.centre))
            .collect();
        let sum = |power: i32| weights.iter().map(|(d, x)| d * d * x.powi(power)).sum::<f64>();
        let mut estimate = Estimate {
            centre: line.centre,
            height: line.height,
            slope: line.slope,
            height_variance,
            slope_variance,
            between: line.ratio * within,
            within,
            certainty: Certainty {
                covariance: [0.0; 3],
                after_between: [
                    height_variance.powi(2) * sum(0),
                    2.0 * height_variance * slope_variance * sum(1),
                    slope_variance.powi(2) * sum(2),
                ],
            },
        };
        estimate.certainty.covariance = self.covariance_of_variances(&estimate, &weights);
        estimate
    }

    /// The inverse of the information of the restricted likelihood, `½ tr(P Vⱼ P Vₖ)` (Searle
    /// and others, chapter 6), with P the projection that takes the line out.
    ///
    /// With Z the processes' indicators and W = Z'PZ, a matrix of the number of processes:
    /// `P V P = P` gives `σe² Z'PPZ = W - σu² W W` and `σe² PP = P - σu² P Z Z' P`, and
    /// `tr(P V) = n - 2`.
    fn covariance_of_variances(&self, of: &Estimate, weights: &[(f64, f64)]) -> [f64; 3] {
        let entry = |i: usize, k: usize| {
            let ((di, xi), (dk, xk)) = (weights[i], weights[k]);
            let own = if i == k { di } else { 0.0 };
            own - di * dk * (of.height_variance + of.slope_variance * xi * xk)
        };
        let all = || 0..weights.len();
        let trace: f64 = all().map(|i| entry(i, i)).sum();
        let squares: f64 = all().flat_map(|i| all().map(move |k| entry(i, k).powi(2))).sum();
        let mixed = (trace - of.between * squares) / of.within;
        let of_p = (self.n - 2.0 - of.between * trace) / of.within;
        let of_pp = (of_p - of.between * mixed) / of.within;
        let (uu, ue, ee) = (squares / 2.0, mixed / 2.0, of_pp / 2.0);
        let determinant = uu * ee - ue * ue;
        if !self.tells_apart() || determinant <= 0.0 {
            return [0.0, 0.0, 2.0 * of.within.powi(2) / (self.n - 2.0)];
        }
        [ee / determinant, -ue / determinant, uu / determinant]
    }
}

impl Estimate {
    /// Degrees of freedom of the estimated variance of a sum: the line at `centre + u` times
    /// `line`, a deviation within and one between of variance `new` each (Satterthwaite:
    /// `2 V² / Var(V)`, as Giesbrecht and Burns, Biometrics 41 (1985), use it). At least 1.
    pub(super) fn degrees_of_freedom(&self, powers: [f64; 3], new: f64) -> f64 {
        let dot = |a: [f64; 3]| a.iter().zip(powers).map(|(a, p)| a * p).sum::<f64>();
        let of_line = dot([self.height_variance, 0.0, self.slope_variance]);
        let variance = of_line + new * (self.between + self.within);
        let of_between = dot(self.certainty.after_between);
        // V is linear in both variances: of the line's, what is not from the one is from the other.
        let of_within = (of_line - self.between * of_between) / self.within;
        let (u, e) = (of_between + new, of_within + new);
        let [uu, ue, ee] = self.certainty.covariance;
        let doubt = u * u * uu + 2.0 * u * e * ue + e * e * ee;
        (2.0 * variance * variance / doubt).max(1.0)
    }
}

/// Points that lie on the line but for rounding: nothing is in doubt.
fn exact(line: &AtRatio) -> Estimate {
    Estimate {
        centre: line.centre,
        height: line.height,
        slope: line.slope,
        height_variance: 0.0,
        slope_variance: 0.0,
        between: 0.0,
        within: 0.0,
        certainty: Certainty { covariance: [0.0; 3], after_between: [0.0; 3] },
    }
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 points")]
fn count(n: usize) -> f64 {
    n as f64
}
