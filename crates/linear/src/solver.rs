//! L2-regularised logistic regression and support vector machines, one label against all others, by dual coordinate
//! ascent.
//!
//! As in LIBLINEAR (Yu, Huang, Lin 2011), each row's dual variable is set to its optimum with all others fixed, row by
//! row in random order. Labels are independent problems; `L` of them are solved side by side, so that a row is read and
//! its weights are found once for all of them. Blocks of labels run in parallel, so the result does not depend on the
//! number of threads.
//!
//! With the logistic loss, the dual variable of row `i` is `alpha = C_i * sigmoid(-t)`; at the optimum, `t` is `y`
//! times the row's score. With `q` as the row's squared norm, the best step sets `t` so that `t = y * score + q *
//! (alpha(t) - alpha)`. Newton's method converges to this root monotonically if it starts between 0 and the root.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, ErrorCode, Result};
use crate::labels::Labels;
use crate::math::{Random, sigmoid_of_negative};
use crate::rows::{Rows, unpack};
use crate::scaling::Scaling;
use crate::work::Work;

/// The loss of a row, as a function of its label's sign times its score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// `ln(1 + exp(-score))`: scores are log-odds.
    Logistic,
    /// `max(0, 1 - score)^2`, the loss of scikit-learn's `LinearSVC`; often more accurate when labels are noisy.
    SquaredHinge,
}

/// A loss and its cost, scikit-learn's `C`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// The loss.
    pub loss: Loss,
    /// The cost, above 0.
    pub cost: f32,
}

/// A training problem, the same for all labels.
pub(crate) struct Problem<'a> {
    pub(crate) rows: &'a Rows,
    pub(crate) scaling: &'a Scaling,
    pub(crate) labels: Labels<'a>,
    /// Number of scores; with one score, label 1 is the positive one.
    pub(crate) outputs: usize,
    /// Rows to train on.
    pub(crate) members: &'a [u32],
    /// Weight of each row, indexed among all rows.
    pub(crate) row_weights: Option<&'a [f32]>,
    /// Weight of each label: applies to the label's rows, or with several labels per row, to the rows that have it.
    pub(crate) class_weights: Option<&'a [f32]>,
    pub(crate) tolerance: f32,
    pub(crate) max_epochs: usize,
    pub(crate) seed: u64,
    pub(crate) abort: Option<&'a AtomicBool>,
    /// Receives the progress of solutions.
    pub(crate) work: Option<&'a Work<'a>>,
}

/// The solution of labels `first..first + L`.
pub(crate) struct Solver<'a, const L: usize> {
    problem: &'a Problem<'a>,
    /// For each member, one bit per lane: whether the row is positive.
    positive: Vec<u8>,
    /// Weight of the positive rows for each lane.
    positive_weights: [f32; L],
    /// The candidate of the last solution.
    last: Option<Candidate>,
    /// Dual variables of each member: `t` for the logistic loss, `alpha` for the squared hinge.
    ts: Vec<[f32; L]>,
    /// Weights times idf, `L` per feature, starting at an aligned position.
    weights: Vec<f32>,
    skip: usize,
    bias: [f32; L],
    order: Vec<u32>,
}

/// `sigmoid(-t)` is practically 0 from here.
const LARGEST: f32 = 30.0;

impl<'a, const L: usize> Solver<'a, L> {
    pub(crate) fn new(problem: &'a Problem<'a>, first: usize) -> Self {
        let lane = |label: u32| {
            let output = if problem.outputs == 1 { (label as usize).wrapping_sub(1) } else { label as usize };
            let lane = output.wrapping_sub(first);
            if lane < L { 1u8 << lane } else { 0 }
        };
        let bits = |&row: &u32| problem.labels.of(row as usize).iter().fold(0, |all, &label| all | lane(label));
        let weights = vec![0.0f32; problem.scaling.idf.len() * L + 16];
        let skip = weights.as_ptr().align_offset(64).min(16);
        let positive_weights = std::array::from_fn(|lane| match (problem.class_weights, problem.labels) {
            (Some(weights), Labels::Many { .. }) => weights.get(first + lane).copied().unwrap_or(1.0),
            _ => 1.0,
        });
        Self {
            problem,
            positive: problem.members.iter().map(bits).collect(),
            positive_weights,
            last: None,
            ts: vec![[LARGEST; L]; problem.members.len()],
            weights,
            skip,
            bias: [0.0; L],
            order: (0..problem.members.len() as u32).collect(),
        }
    }

    /// Weights times idf of every feature.
    pub(crate) fn weights(&self) -> &[[f32; L]] {
        self.weights[self.skip..self.skip + self.problem.scaling.idf.len() * L].as_chunks().0
    }

    /// The bias of each lane.
    pub(crate) fn bias(&self) -> [f32; L] {
        self.bias
    }

    /// Solves for a loss and its cost, starting from the last solution if it had the same loss. Returns the number of
    /// epochs.
    pub(crate) fn solve(&mut self, candidate: Candidate) -> Result<usize> {
        match self.last {
            Some(last) if last.loss == candidate.loss => {
                if candidate.loss == Loss::Logistic {
                    // The dual variables, and so the weights, are proportional to the cost.
                    let ratio = candidate.cost / last.cost;
                    self.weights.iter_mut().chain(&mut self.bias).for_each(|weight| *weight *= ratio);
                }
            }
            _ => {
                self.weights.fill(0.0);
                self.bias = [0.0; L];
                self.ts.fill([if candidate.loss == Loss::Logistic { LARGEST } else { 0.0 }; L]);
            }
        }
        self.last = Some(candidate);
        let mut random = Random::new(self.problem.seed);
        // The number of epochs is not known in advance: each one counts as a fifth of the remaining work.
        let mut left = 1.0;
        let tell = |by: f64| self.problem.work.iter().for_each(|work| work.advance(by));
        let mut epochs = 0;
        while epochs < self.problem.max_epochs {
            random.shuffle(&mut self.order);
            let change = pulp::Arch::new().dispatch(|| self.epoch(candidate))?;
            epochs += 1;
            if change <= self.problem.tolerance {
                break;
            }
            tell(0.2 * left);
            left *= 0.8;
        }
        tell(left);
        Ok(epochs)
    }

    /// Runs one step for every row. Returns the mean over rows of the largest change of the row's own scores.
    #[inline(always)]
    fn epoch(&mut self, candidate: Candidate) -> Result<f32> {
        let Problem { rows, scaling, members, .. } = *self.problem;
        let features = self.skip..self.skip + scaling.idf.len() * L;
        let weights = self.weights[features].as_chunks_mut::<L>().0;
        let mut changes = 0.0f64;
        for (step, &at) in self.order.iter().enumerate() {
            if step % 1024 == 0 && self.problem.abort.is_some_and(|abort| abort.load(Ordering::Relaxed)) {
                return Err(Error::new(ErrorCode::Aborted, "the training of the linear model was aborted"));
            }
            let at = at as usize;
            let row = members[at] as usize;
            let entries = rows.get(row);
            let norms = scaling.norms[row];
            let mut score = self.bias;
            for block in 0..2 {
                let mut sum = [0.0; L];
                for &entry in entries[block] {
                    let (number, code) = unpack(entry);
                    let weight = scaling.weights[code];
                    for (sum, value) in sum.iter_mut().zip(&weights[number]) {
                        *sum += weight * value;
                    }
                }
                for lane in 0..L {
                    score[lane] += norms[block] * sum[lane];
                }
            }
            let length = norms.iter().fold(1.0, |all, &norm| if norm > 0.0 { all + 1.0 } else { all });
            let cost = candidate.cost * self.problem.row_weight(row);
            let (sign, costs) = sides(self.positive[at], cost, &self.positive_weights);
            let (t, delta) = match candidate.loss {
                Loss::Logistic => logistic_step(&score, &self.ts[at], &sign, &costs, length),
                Loss::SquaredHinge => hinge_step(&score, &self.ts[at], &sign, &costs, length),
            };
            let change = delta.iter().fold(0.0f32, |most, delta| most.max(delta.abs())) * length;
            changes += f64::from(change);
            // Skip the write if the change is negligible.
            if change <= 0.1 * self.problem.tolerance {
                continue;
            }
            self.ts[at] = t;
            for block in 0..2 {
                let delta: [f32; L] = std::array::from_fn(|lane| delta[lane] * norms[block]);
                for &entry in entries[block] {
                    let (number, code) = unpack(entry);
                    let idf = scaling.idf[number];
                    let by = scaling.weights[code] * idf * idf;
                    for (value, delta) in weights[number].iter_mut().zip(&delta) {
                        *value += by * delta;
                    }
                }
            }
            self.bias.iter_mut().zip(delta).for_each(|(bias, delta)| *bias += delta);
        }
        Ok((changes / self.order.len().max(1) as f64) as f32)
    }

    /// Scores of rows, which may be other rows than those trained on.
    pub(crate) fn scores(&self, rows: &Rows, scaling: &Scaling, numbers: &[u32]) -> Vec<[f32; L]> {
        let weights = self.weights();
        let score = |&row: &u32| {
            let mut score = self.bias;
            for (entries, norm) in rows.get(row as usize).into_iter().zip(scaling.norms[row as usize]) {
                for &entry in entries {
                    let (number, code) = unpack(entry);
                    for (score, value) in score.iter_mut().zip(&weights[number]) {
                        *score += norm * scaling.weights[code] * value;
                    }
                }
            }
            score
        };
        numbers.iter().map(score).collect()
    }
}

impl Problem<'_> {
    /// Weight of a row, times its label's weight if each row has one label.
    #[inline]
    fn row_weight(&self, row: usize) -> f32 {
        let own = self.row_weights.map_or(1.0, |weights| weights[row]);
        match (self.class_weights, self.labels) {
            (Some(weights), Labels::One(labels)) => own * weights[labels[row] as usize],
            _ => own,
        }
    }
}

/// Signs of a row's labels, and the costs of its errors.
#[inline(always)]
fn sides<const L: usize>(positive: u8, cost: f32, positive_weights: &[f32; L]) -> ([f32; L], [f32; L]) {
    let (mut sign, mut costs) = ([-1.0f32; L], [cost; L]);
    for lane in 0..L {
        if positive >> lane & 1 == 1 {
            sign[lane] = 1.0;
            costs[lane] = cost * positive_weights[lane];
        }
    }
    (sign, costs)
}

/// A row's best `alpha` and its change times the sign: the optimum of a parabola, clamped at 0.
#[inline(always)]
fn hinge_step<const L: usize>(
    score: &[f32; L],
    before: &[f32; L],
    sign: &[f32; L],
    costs: &[f32; L],
    length: f32,
) -> ([f32; L], [f32; L]) {
    let (mut alpha, mut delta) = ([0.0f32; L], [0.0f32; L]);
    for lane in 0..L {
        // A row with cost 0 has an infinite diagonal and stays at 0.
        let diagonal = 0.5 / costs[lane].max(f32::MIN_POSITIVE);
        let slope = sign[lane] * score[lane] - 1.0 + before[lane] * diagonal;
        alpha[lane] = (before[lane] - slope / (length + diagonal)).max(0.0);
        delta[lane] = (alpha[lane] - before[lane]) * sign[lane];
    }
    (alpha, delta)
}

/// A row's best `t`, and the change of its dual variables times their sign.
#[inline(always)]
fn logistic_step<const L: usize>(
    score: &[f32; L],
    before: &[f32; L],
    sign: &[f32; L],
    costs: &[f32; L],
    length: f32,
) -> ([f32; L], [f32; L]) {
    let (mut wanted, mut t) = ([0.0f32; L], [0.0f32; L]);
    for lane in 0..L {
        wanted[lane] = (sign[lane] * score[lane]).clamp(-LARGEST, LARGEST);
        let (low, high) = (before[lane].min(wanted[lane]), before[lane].max(wanted[lane]));
        t[lane] = 0.0f32.max(low).min(high);
    }
    let old = sigmoid_of_negative(*before);
    for _ in 0..5 {
        let share = sigmoid_of_negative(t);
        for lane in 0..L {
            let slope = length * costs[lane];
            let value = t[lane] - wanted[lane] - slope * (share[lane] - old[lane]);
            t[lane] -= value / (1.0 + slope * share[lane] * (1.0 - share[lane]));
            t[lane] = t[lane].clamp(-LARGEST, LARGEST);
        }
    }
    let new = sigmoid_of_negative(t);
    let delta = std::array::from_fn(|lane| costs[lane] * (new[lane] - old[lane]) * sign[lane]);
    (t, delta)
}

#[cfg(test)]
mod tests;
