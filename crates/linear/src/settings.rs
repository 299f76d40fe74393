//! What may be chosen about a training, and what is refused.

use std::sync::atomic::AtomicBool;

use crate::error::{Result, invalid};
use crate::labels::Labels;
use crate::rows::Rows;
use crate::solver::{Candidate, Loss};

/// Rows by which the loss, its cost and the temperature are chosen.
#[derive(Clone, Copy, Default)]
pub enum HeldOut<'a> {
    /// Rows that are held out of some trainings and trained on in the last one: of five parts as many in turn as take little
    /// time, above 20,000 rows a twentieth, where 20,000 rows tell the candidates apart.
    #[default]
    Automatic,
    /// Separate rows, from [`Featurizer::rows_of`](crate::Featurizer::rows_of), which are never trained on.
    Rows(&'a Rows, Labels<'a>),
    /// None: the first candidate is taken, the temperature is 1.
    Nothing,
}

const CANDIDATES: [Candidate; 4] = [
    Candidate { loss: Loss::Logistic, cost: 5.0 },
    Candidate { loss: Loss::Logistic, cost: 20.0 },
    Candidate { loss: Loss::SquaredHinge, cost: 0.3 },
    Candidate { loss: Loss::SquaredHinge, cost: 1.0 },
];

/// What may be chosen about a training.
#[derive(Clone)]
pub struct TrainOptions<'a> {
    /// Losses and costs to choose from, those of a loss next to each other with rising costs. Default: logistic with 5 and 20,
    /// squared hinge with 0.3 and 1.
    pub candidates: &'a [Candidate],
    /// Rows to choose by. Default [`HeldOut::Automatic`].
    pub held_out: HeldOut<'a>,
    /// A weight for every row, at least 0. Default 1 each.
    pub row_weights: Option<&'a [f32]>,
    /// A weight for every label, at least 0: of its rows, or with several labels a row of the rows that have it. Default 1 each.
    pub class_weights: Option<&'a [f32]>,
    /// A training ends when the rows' own scores changed by no more in the mean of an epoch. Default 0.02.
    pub tolerance: f32,
    /// The most epochs of one solution. Default 30.
    pub max_epochs: usize,
    /// The most bytes of [`LinearModel::to_arrays`](crate::LinearModel::to_arrays), as far as one feature has room. Default by
    /// [`default_bytes`].
    pub max_bytes: Option<usize>,
    /// Threads to work on; 0 counts as 1. The model does not depend on them.
    pub threads: usize,
    /// Seed of the order of rows. Default 0.
    pub seed: u64,
    /// Becomes true when the training is to stop.
    pub abort: Option<&'a AtomicBool>,
    /// Is told the share of the work that is done, on any thread.
    pub progress: Option<&'a (dyn Fn(f32) + Sync)>,
}

impl Default for TrainOptions<'_> {
    fn default() -> Self {
        Self {
            candidates: &CANDIDATES,
            held_out: HeldOut::Automatic,
            row_weights: None,
            class_weights: None,
            tolerance: 0.02,
            max_epochs: 30,
            max_bytes: None,
            threads: 1,
            seed: 0,
            abort: None,
            progress: None,
        }
    }
}

/// Bytes that a model may have where nothing is said: 1.5 MB and 84 kB more for each label, 16 MB at most.
#[must_use]
pub fn default_bytes(classes: usize) -> usize {
    1_500_000usize.saturating_add(classes.saturating_mul(84_000)).min(16_000_000)
}

/// Why no linear model is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// More labels than a model may have.
    Labels {
        /// Labels that were asked for.
        labels: usize,
        /// The most there may be.
        most: usize,
    },
    /// Features of all rows times labels, which the time of an epoch is proportional to.
    Work {
        /// What was asked for.
        work: u64,
        /// The most there may be.
        most: u64,
    },
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Labels { labels, most } => write!(f, "a linear model has {most} labels at most, not {labels}"),
            Self::Work { work, most } => {
                write!(f, "the rows' features times the labels are {work:.1e}, above the {most:.1e} of a linear model")
            }
        }
    }
}

/// The most labels of a model.
pub const MOST_LABELS: usize = 2_000;
/// The most features of all rows times labels: about three minutes of one core.
const MOST_WORK: u64 = 40_000_000_000;

/// Whether a linear model with this number of labels would be too large or take too long, and why.
#[must_use]
pub fn refusal(rows: &Rows, classes: usize) -> Option<Refusal> {
    if classes > MOST_LABELS {
        return Some(Refusal::Labels { labels: classes, most: MOST_LABELS });
    }
    let work = rows.entries() as u64 * classes as u64;
    (work > MOST_WORK).then_some(Refusal::Work { work, most: MOST_WORK })
}

/// Checks everything that a training is given.
pub(crate) fn validate(rows: &Rows, labels: Labels<'_>, classes: usize, options: &TrainOptions<'_>) -> Result<()> {
    let least = if labels.several() { 1 } else { 2 };
    if classes < least {
        return Err(invalid(format!("a linear model needs at least {least} labels, not {classes}")));
    }
    if rows.is_empty() {
        return Err(invalid("a linear model needs at least one row"));
    }
    if let Some(refusal) = refusal(rows, classes) {
        return Err(invalid(refusal.to_string()));
    }
    labels.validate(rows.len(), classes)?;
    if options.candidates.is_empty() || !options.candidates.iter().all(|one| one.cost > 0.0 && one.cost <= 1e6) {
        return Err(invalid("candidates must be at least one, with costs above 0 and up to 1,000,000"));
    }
    if !(options.tolerance > 0.0 && options.tolerance <= 1.0) {
        return Err(invalid(format!("tolerance must be above 0 and at most 1, not {}", options.tolerance)));
    }
    if options.max_epochs == 0 {
        return Err(invalid("max_epochs must be at least 1"));
    }
    for (name, weights, count) in
        [("row_weights", options.row_weights, rows.len()), ("class_weights", options.class_weights, classes)]
    {
        if let Some(weights) = weights {
            if weights.len() != count {
                return Err(invalid(format!("{name} must have {count} numbers, not {}", weights.len())));
            }
            if !weights.iter().all(|weight| (0.0..=1e6).contains(weight)) {
                return Err(invalid(format!("{name} must be numbers from 0 to 1,000,000")));
            }
        }
    }
    if let HeldOut::Rows(held, labels) = &options.held_out {
        if held.is_empty() {
            return Err(invalid("the rows held out must not be empty"));
        }
        labels.validate(held.len(), classes)?;
    }
    Ok(())
}
