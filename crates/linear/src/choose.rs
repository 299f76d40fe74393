//! Chooses the loss, its cost and the temperature on held-out rows.

use crate::blocks::{Shared, by_lanes, lanes};
use crate::error::Result;
use crate::folds::{Fold, Owned};
use crate::labels::Labels;
use crate::parallel;
use crate::probabilities::{Quality, all_log_probabilities, entropy, quality, sharpness};
use crate::rows::Rows;
use crate::scaling::Scaling;
use crate::solver::{Candidate, Problem, Solver};

/// Results of one candidate on the held-out rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trial {
    /// The loss and its cost.
    pub candidate: Candidate,
    /// Accuracy, and log loss at the best temperature.
    pub quality: Quality,
    /// Reciprocal of the best temperature.
    pub sharpness: f32,
}

/// Rows to train on and held-out rows to measure on.
pub(crate) struct Split<'a> {
    pub(crate) members: &'a [u32],
    pub(crate) scaling: &'a Scaling,
    pub(crate) rows: &'a Rows,
    pub(crate) held_scaling: &'a Scaling,
    pub(crate) held: &'a [u32],
}

pub(crate) struct Chosen {
    pub(crate) trials: Vec<Trial>,
    pub(crate) best: usize,
    pub(crate) held: Vec<u32>,
    pub(crate) log_probabilities: Vec<f32>,
    /// As [`Report::unexplained`](crate::Report::unexplained).
    pub(crate) unexplained: f64,
}

/// Number of training rows that is enough to compare candidates.
pub(crate) const ENOUGH_MEMBERS: usize = 20_000;

/// Chooses the loss and its cost by cross-validation; `None` without folds.
pub(crate) fn choose_by_folds(
    shared: &Shared<'_>,
    folds: &[Fold],
    features: usize,
    classes: usize,
) -> Result<Option<Chosen>> {
    let Shared { rows, labels, options, .. } = *shared;
    let held: Vec<u32> = folds.iter().flat_map(|fold| fold.held.iter().copied()).collect();
    if held.is_empty() {
        return Ok(None);
    }
    let owned = Owned::of(labels, &held);
    let choose_on = |most: usize, candidates: &[Candidate]| {
        let members = |fold: &Fold| {
            // Take every n-th member rather than the first ones: the rows may be sorted by label.
            let step = fold.members.len().div_ceil(most).max(1);
            fold.members.iter().copied().step_by(step).collect::<Vec<u32>>()
        };
        let members: Vec<Vec<u32>> = folds.iter().map(members).collect();
        let scaled = |members: &Vec<u32>| Scaling::of_members(rows, members, features, options.threads);
        let scalings: Vec<Scaling> = members.iter().map(scaled).collect();
        let on: Vec<Split<'_>> = folds
            .iter()
            .zip(members.iter().zip(&scalings))
            .map(|(fold, (members, scaling))| Split { members, scaling, rows, held_scaling: scaling, held: &fold.held })
            .collect();
        choose(shared, &on, candidates, owned.labels(), classes)
    };
    let mut chosen = if options.candidates.len() > 1 && folds[0].members.len() > ENOUGH_MEMBERS {
        let few = choose_on(ENOUGH_MEMBERS, options.candidates)?;
        let best = choose_on(usize::MAX, &[few.trials[few.best].candidate])?;
        let mut trials = few.trials;
        trials[few.best] = best.trials[0];
        Chosen { trials, best: few.best, ..best }
    } else {
        choose_on(usize::MAX, options.candidates)?
    };
    chosen.held = held;
    Ok(Some(chosen))
}

/// Tries every candidate on every fold. `labels` are those of all held-out rows, fold by fold.
pub(crate) fn choose(
    shared: &Shared<'_>,
    on: &[Split<'_>],
    candidates: &[Candidate],
    labels: Labels<'_>,
    classes: usize,
) -> Result<Chosen> {
    let (outputs, options) = (shared.outputs, shared.options);
    let lanes = lanes(outputs);
    let blocks = outputs.div_ceil(lanes);
    let held: usize = on.iter().map(|on| on.held.len()).sum();
    let results = parallel::map(
        options.threads,
        on.len() * blocks,
        || (),
        |(), task| {
            let on = &on[task / blocks];
            let problem = shared.problem(on.scaling, on.members);
            by_lanes!(outputs, path(&problem, on, task % blocks, candidates))
        },
    );
    let mut scores = vec![vec![0.0f32; held * outputs]; candidates.len()];
    let mut first = 0;
    for (task, result) in results.into_iter().enumerate() {
        let (fold, block) = (task / blocks, task % blocks);
        for (to, from) in scores.iter_mut().zip(result?) {
            for (row, values) in from.chunks_exact(lanes).enumerate() {
                let count = lanes.min(outputs - block * lanes);
                let at = (first + row) * outputs + block * lanes;
                to[at..at + count].copy_from_slice(&values[..count]);
            }
        }
        if block + 1 == blocks {
            first += on[fold].held.len();
        }
    }
    let trials = parallel::map(
        options.threads,
        candidates.len(),
        || (),
        |(), at| {
            let sharpness = sharpness(&scores[at], outputs, classes, labels);
            let mut logs = vec![0.0; held * classes];
            all_log_probabilities(&scores[at], outputs, classes, sharpness, labels.several(), &mut logs);
            (Trial { candidate: candidates[at], quality: quality(&logs, classes, labels), sharpness }, logs)
        },
    );
    let (trials, mut logs): (Vec<_>, Vec<_>) = trials.into_iter().unzip();
    let best = best_trial(&trials, held);
    let unexplained = trials[best].quality.log_loss / entropy(labels, classes).max(f64::MIN_POSITIVE);
    Ok(Chosen { best, held: on[0].held.to_vec(), log_probabilities: logs.swap_remove(best), unexplained, trials })
}

/// Index of the best trial: the smallest log loss among those whose accuracy is within a quarter of a standard error of
/// the best.
fn best_trial(trials: &[Trial], rows: usize) -> usize {
    let most = trials.iter().map(|trial| trial.quality.accuracy).fold(0.0, f64::max);
    let noise = 0.25 * (most * (1.0 - most) / rows.max(1) as f64).sqrt();
    let accurate = |at: &usize| trials[*at].quality.accuracy >= most - noise;
    let loss = |at: usize| trials[at].quality.log_loss;
    (0..trials.len()).filter(accurate).min_by(|&a, &b| loss(a).total_cmp(&loss(b))).unwrap_or(0)
}

/// Scores of the held-out rows for every candidate; each row has the lanes of one block of labels.
pub(crate) fn path<const L: usize>(
    problem: &Problem<'_>,
    on: &Split<'_>,
    block: usize,
    candidates: &[Candidate],
) -> Result<Vec<Vec<f32>>> {
    let mut solver = Solver::<L>::new(problem, block * L);
    candidates
        .iter()
        .map(|&candidate| {
            solver.solve(candidate)?;
            Ok(solver.scores(on.rows, on.held_scaling, on.held).concat())
        })
        .collect()
}
