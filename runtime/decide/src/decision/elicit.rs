//! Utilities from preferences: which of two would you rather have, and what should be asked next.
//!
//! # The model
//! Every outcome has a utility; all of them are independent and normal with mean 0 and standard deviation 1 before the
//! first answer. A question compares two lotteries over outcomes, sure outcomes among them. Somebody who is asked
//! prefers the first with probability `1 / (1 + exp(-x/noise))`, where `x` is the difference of expected utilities:
//! close calls are answered at random, clear ones are not, and contradictions are possible (Bradley, Terry, Luce).
//! The answers give the most probable utilities by Newton's method, which finds the one maximum, and around it a
//! normal approximation of what is still unknown (Laplace).
//!
//! [`Elicitation::next`] ranks questions by the information, in bits, that their answers are expected to bring:
//! the entropy of the answer less its entropy for somebody whose utilities were known. It prefers questions whose
//! answer is open because the utilities are unknown, not because the two are alike.
//!
//! # Caveats
//! Utilities are meaningful up to scale and shift only; [`Utilities::scaled`] puts the worst outcome at 0 and the best at 1.
//! Where answers are nearly certain the normal approximation overstates what is still unknown: the same question may
//! look worth asking once more. Without questions about lotteries the order is well determined, the distances only by how noisy answers are.

use serde::Serialize;

use crate::error::{self, Error, Reason, Result};

/// The most outcomes; the work of a fit grows with their cube.
pub const OUTCOMES_MAX: usize = 200;

/// The most steps of Newton's method; it takes about ten.
const NEWTON_MAX: u32 = 100;

/// Half the number of places at which an expectation over a normal law is summed.
const PLACES: i32 = 40;

/// A lottery as a list of outcomes, by number, with their probabilities.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Offer(Vec<(usize, f64)>);

/// Preferences collected so far.
#[derive(Clone, Debug)]
pub struct Elicitation {
    outcomes: usize,
    noise: f64,
    /// The difference of the two lotteries' probabilities, preferred less other.
    answers: Vec<Vec<f64>>,
}

/// What the answers say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Utilities {
    /// The most probable utility of every outcome.
    pub mean: Vec<f64>,
    /// The posterior covariance, a row an outcome.
    pub covariance: Vec<Vec<f64>>,
    /// The answers, by number, that the most probable utilities contradict.
    pub contradicted: Vec<usize>,
}

/// A question with what it is worth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Question {
    /// One lottery.
    pub first: Offer,
    /// The other.
    pub second: Offer,
    /// Bits that the answer is expected to bring.
    pub bits: f64,
    /// Probability that the first will be preferred.
    pub expected: f64,
}

impl Offer {
    /// An outcome for sure.
    #[must_use]
    pub fn sure(outcome: usize) -> Offer {
        Offer(vec![(outcome, 1.0)])
    }

    /// `good` with probability `p`, else `bad`.
    pub fn gamble(good: usize, bad: usize, p: f64) -> Result<Offer> {
        error::probability("p", p)?;
        Ok(Offer(vec![(good, p), (bad, 1.0 - p)]))
    }

    /// Any lottery; probabilities add up to 1.
    pub fn lottery(parts: Vec<(usize, f64)>) -> Result<Offer> {
        let p: Vec<f64> = parts.iter().map(|part| part.1).collect();
        error::distribution("probabilities", &p)?;
        Ok(Offer(parts))
    }

    /// Outcomes with their probabilities.
    #[must_use]
    pub fn parts(&self) -> &[(usize, f64)] {
        &self.0
    }
}

impl Elicitation {
    /// For outcomes numbered from 0; `noise` is the difference in utility that is noticed in 73 of 100 questions.
    pub fn new(outcomes: usize, noise: f64) -> Result<Elicitation> {
        if outcomes == 0 {
            return Err(Error::new("outcomes", Reason::Empty));
        }
        if outcomes > OUTCOMES_MAX {
            return Err(Error::out_of_range("outcomes", format!("must be at most {OUTCOMES_MAX}")));
        }
        error::positive("noise", noise)?;
        if noise < 1e-3 {
            return Err(Error::out_of_range("noise", format!("must be at least 0.001, and is {noise}")));
        }
        Ok(Elicitation { outcomes, noise, answers: Vec::new() })
    }

    /// Somebody prefers the first to the second.
    pub fn prefers(&mut self, preferred: &Offer, other: &Offer) -> Result<()> {
        let difference = self.difference(preferred, other)?;
        self.answers.push(difference);
        Ok(())
    }

    /// The most probable utilities and what is still unknown.
    #[must_use]
    pub fn utilities(&self) -> Utilities {
        let mut mean = vec![0.0; self.outcomes];
        for _ in 0..NEWTON_MAX {
            let (gradient, hessian) = self.curvature(&mean);
            let step = Cholesky::of(hessian).solve(&gradient);
            let mut scale = 1.0;
            let before = self.log_posterior(&mean);
            let moved = |scale: f64| mean.iter().zip(&step).map(|(u, d)| u + scale * d).collect::<Vec<_>>();
            while self.log_posterior(&moved(scale)) < before && scale > 1e-9 {
                scale /= 2.0;
            }
            let largest = step.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
            mean = moved(scale);
            if largest < 1e-12 {
                break;
            }
        }
        let factor = Cholesky::of(self.curvature(&mean).1);
        let unit = |i: usize| (0..self.outcomes).map(|j| f64::from(u8::from(i == j))).collect::<Vec<_>>();
        let covariance = (0..self.outcomes).map(|i| factor.solve(&unit(i))).collect();
        let contradicted = (0..self.answers.len()).filter(|&i| dot(&self.answers[i], &mean) < 0.0).collect();
        Utilities { mean, covariance, contradicted }
    }

    /// The questions worth most, best first, at most `count`: among all pairs of sure outcomes, and all comparisons of
    /// an outcome with an even gamble between two others that are now thought better and worse.
    pub fn next(&self, count: usize) -> Result<Vec<Question>> {
        let utilities = self.utilities();
        let mut questions = Vec::new();
        for first in 0..self.outcomes {
            for second in first + 1..self.outcomes {
                let pair = (Offer::sure(first), Offer::sure(second));
                questions.push(self.question(&utilities, pair.0, pair.1)?);
            }
        }
        let mut order: Vec<usize> = (0..self.outcomes).collect();
        order.sort_by(|&a, &b| utilities.mean[a].total_cmp(&utilities.mean[b]));
        for middle in 1..self.outcomes.saturating_sub(1) {
            // Its neighbours and the extremes: the sharpest question and the widest.
            let ends = [(middle - 1, middle + 1), (0, self.outcomes - 1)];
            for &(bad, good) in &ends[..if self.outcomes > 3 { 2 } else { 1 }] {
                let gamble = Offer::gamble(order[good], order[bad], 0.5)?;
                questions.push(self.question(&utilities, Offer::sure(order[middle]), gamble)?);
            }
        }
        questions.sort_by(|a, b| b.bits.total_cmp(&a.bits));
        questions.truncate(count);
        Ok(questions)
    }

    /// What asking for a preference between these two is expected to bring.
    pub fn worth(&self, first: &Offer, second: &Offer) -> Result<Question> {
        self.question(&self.utilities(), first.clone(), second.clone())
    }

    fn question(&self, utilities: &Utilities, first: Offer, second: Offer) -> Result<Question> {
        let x = self.difference(&first, &second)?;
        let mean = dot(&x, &utilities.mean);
        let through: Vec<f64> = utilities.covariance.iter().map(|row| dot(row, &x)).collect();
        let deviation = dot(&through, &x).max(0.0).sqrt();
        let (mut expected, mut known, mut mass) = (0.0, 0.0, 0.0);
        for i in -PLACES..=PLACES {
            let z = 6.0 * f64::from(i) / f64::from(PLACES);
            let weight = (-0.5 * z * z).exp();
            let p = logistic((mean + deviation * z) / self.noise);
            expected += weight * p;
            known += weight * entropy(p);
            mass += weight;
        }
        let expected = expected / mass;
        Ok(Question { first, second, bits: (entropy(expected) - known / mass).max(0.0), expected })
    }

    fn difference(&self, first: &Offer, second: &Offer) -> Result<Vec<f64>> {
        let mut x = vec![0.0; self.outcomes];
        for (option, sign) in [(first, 1.0), (second, -1.0)] {
            for &(outcome, p) in option.parts() {
                let slot = x.get_mut(outcome).ok_or_else(|| {
                    Error::out_of_range(
                        "outcome",
                        format!("must be below {}, and is {outcome}", self.outcomes),
                    )
                })?;
                *slot += sign * p;
            }
        }
        Ok(x)
    }

    fn log_posterior(&self, u: &[f64]) -> f64 {
        let likelihood: f64 = self.answers.iter().map(|x| -softplus(-dot(x, u) / self.noise)).sum();
        likelihood - 0.5 * dot(u, u)
    }

    /// Gradient of the log posterior, and its negative second derivatives.
    fn curvature(&self, u: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
        let mut gradient: Vec<f64> = u.iter().map(|x| -x).collect();
        let mut hessian: Vec<Vec<f64>> = (0..self.outcomes)
            .map(|i| (0..self.outcomes).map(|j| f64::from(u8::from(i == j))).collect())
            .collect();
        for x in &self.answers {
            let surprise = logistic(-dot(x, u) / self.noise);
            let bend = surprise * (1.0 - surprise) / (self.noise * self.noise);
            for i in (0..self.outcomes).filter(|&i| x[i] != 0.0) {
                gradient[i] += surprise * x[i] / self.noise;
                for (j, xj) in x.iter().enumerate() {
                    hessian[i][j] += bend * x[i] * xj;
                }
            }
        }
        (gradient, hessian)
    }
}

impl Utilities {
    /// The utilities with the worst at 0 and the best at 1; all 0 where they are equal.
    #[must_use]
    pub fn scaled(&self) -> Vec<f64> {
        let low = self.mean.iter().copied().fold(f64::INFINITY, f64::min);
        let high = self.mean.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let range = high - low;
        self.mean.iter().map(|u| if range > 0.0 { (u - low) / range } else { 0.0 }).collect()
    }

    /// Outcomes from best to worst.
    #[must_use]
    pub fn ranking(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.mean.len()).collect();
        order.sort_by(|&a, &b| self.mean[b].total_cmp(&self.mean[a]));
        order
    }

    /// Posterior standard deviation of every utility, on the scale of `mean`.
    #[must_use]
    pub fn deviations(&self) -> Vec<f64> {
        (0..self.mean.len()).map(|i| self.covariance[i][i].max(0.0).sqrt()).collect()
    }
}

/// The lower factor of a symmetric positive definite matrix. Ours are: one on the diagonal, and squares added.
struct Cholesky(Vec<Vec<f64>>);

impl Cholesky {
    fn of(mut a: Vec<Vec<f64>>) -> Cholesky {
        for i in 0..a.len() {
            for j in 0..=i {
                let known: f64 = (0..j).map(|k| a[i][k] * a[j][k]).sum();
                a[i][j] = if i == j {
                    (a[i][i] - known).max(f64::MIN_POSITIVE).sqrt()
                } else {
                    (a[i][j] - known) / a[j][j]
                };
            }
        }
        Cholesky(a)
    }

    fn solve(&self, b: &[f64]) -> Vec<f64> {
        let (l, n) = (&self.0, b.len());
        let mut x = b.to_vec();
        for i in 0..n {
            let known: f64 = (0..i).map(|k| l[i][k] * x[k]).sum();
            x[i] = (x[i] - known) / l[i][i];
        }
        for i in (0..n).rev() {
            let known: f64 = (i + 1..n).map(|k| l[k][i] * x[k]).sum();
            x[i] = (x[i] - known) / l[i][i];
        }
        x
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// `ln(1 + e^x)`.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// Entropy of an answer, in bits.
fn entropy(p: f64) -> f64 {
    let part = |p: f64| if p > 0.0 { -p * p.log2() } else { 0.0 };
    part(p) + part(1.0 - p)
}
