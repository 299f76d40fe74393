//! Training options and their checks.

use std::sync::atomic::AtomicBool;

use crate::error::{Result, invalid};
use crate::labels::Labels;
use crate::rows::Rows;
use crate::solver::{Candidate, Loss};

/// Rows on which the loss, its cost and the temperature are chosen.
#[derive(Clone, Copy, Default)]
pub enum HeldOut<'a> {
    /// Rows that are held out of some trainings, but used in the final one. Up to 20,000 rows: five parts, as many of
    /// which are held out in turn as take little time. Above: one twentieth, with candidates compared on 20,000
    /// training rows.
    #[default]
    Automatic,
    /// Separate rows, from [`Featurizer::rows_of`](crate::Featurizer::rows_of), which are never used for training.
    Rows(&'a Rows, Labels<'a>),
    /// No rows: the first candidate is used, and the temperature is 1.
    Nothing,
}

const CANDIDATES: [Candidate; 4] = [
    Candidate { loss: Loss::Logistic, cost: 5.0 },
    Candidate { loss: Loss::Logistic, cost: 20.0 },
    Candidate { loss: Loss::SquaredHinge, cost: 0.3 },
    Candidate { loss: Loss::SquaredHinge, cost: 1.0 },
];

/// Training options.
#[derive(Clone)]
pub struct TrainOptions<'a> {
    /// Losses and costs to choose from. Candidates with the same loss must be adjacent, in ascending order of cost.
    /// Default: logistic with 5 and 20, squared hinge with 0.3 and 1.
    pub candidates: &'a [Candidate],
    /// Rows to choose on. Default [`HeldOut::Automatic`].
    pub held_out: HeldOut<'a>,
    /// A weight for each row, at least 0. Default 1 each.
    pub row_weights: Option<&'a [f32]>,
    /// A weight for each label, at least 0. It multiplies the weight of the label's rows; with several labels per row,
    /// that of the rows that have it. Default 1 each.
    pub class_weights: Option<&'a [f32]>,
    /// Training ends when the rows' own scores change by no more than this on average in an epoch. Default 0.02.
    pub tolerance: f32,
    /// Maximum number of epochs per solution. Default 30.
    pub max_epochs: usize,
    /// Maximum size in bytes of [`LinearModel::to_arrays`](crate::LinearModel::to_arrays); at least one feature is
    /// always kept. Default: [`default_bytes`].
    pub max_bytes: Option<usize>,
    /// Number of threads; 0 counts as 1. The model does not depend on it.
    pub threads: usize,
    /// Seed of the row order. Default 0.
    pub seed: u64,
    /// Set to true to abort the training.
    pub abort: Option<&'a AtomicBool>,
    /// Called with the share of the work that is done, on any thread.
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

/// Default size limit of a model: 1.5 MB plus 84 kB per label, at most 16 MB.
#[must_use]
pub fn default_bytes(classes: usize) -> usize {
    1_500_000usize.saturating_add(classes.saturating_mul(84_000)).min(16_000_000)
}

/// The reason why no linear model is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Too many labels.
    Labels {
        /// The number of labels requested.
        labels: usize,
        /// The maximum number of labels.
        most: usize,
    },
    /// Too much work: features of all rows times labels, to which the time of an epoch is proportional.
    Work {
        /// The work requested.
        work: u64,
        /// The maximum work.
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

/// Maximum number of labels of a model.
pub const MOST_LABELS: usize = 2_000;
/// Maximum work, features of all rows times labels: about three minutes on one core.
const MAX_WORK: u64 = 40_000_000_000;

/// The reason why a linear model with this number of labels would be too large or take too long, if it would.
#[must_use]
pub fn refusal(rows: &Rows, classes: usize) -> Option<Refusal> {
    if classes > MOST_LABELS {
        return Some(Refusal::Labels { labels: classes, most: MOST_LABELS });
    }
    let work = rows.entries() as u64 * classes as u64;
    (work > MAX_WORK).then_some(Refusal::Work { work, most: MAX_WORK })
}

/// Checks all arguments of a training.
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
        return Err(invalid("there must be at least one candidate, with costs above 0 and up to 1,000,000"));
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
            return Err(invalid("the held-out rows must not be empty"));
        }
        labels.validate(held.len(), classes)?;
    }
    Ok(())
}
