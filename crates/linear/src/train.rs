//! Trains a linear model: chooses the candidate, the features and the temperature.

use std::sync::Mutex;

use crate::arrays::bytes_of;
use crate::blocks::{Shared, lanes};
use crate::choose::{ENOUGH_MEMBERS, Split, Trial, choose, choose_by_folds};
use crate::error::Result;
use crate::featurizer::Featurizer;
use crate::fit::{assemble, cut, fit, heaviest};
use crate::folds::folds;
use crate::labels::{Labels, outputs};
use crate::model::LinearModel;
use crate::rows::Rows;
use crate::scaling::Scaling;
use crate::settings::{HeldOut, TrainOptions, default_bytes, validate};
use crate::solver::Candidate;
use crate::work::Work;

/// Results of a training.
#[derive(Clone, Debug)]
pub struct Report {
    /// The quality of every candidate on the held-out rows; empty with [`HeldOut::Nothing`].
    pub trials: Vec<Trial>,
    /// The chosen loss and cost.
    pub candidate: Candidate,
    /// Indices of the held-out rows; with [`HeldOut::Rows`], indices among those rows.
    pub held_out: Vec<u32>,
    /// Log-probabilities of the held-out rows, from models that were not trained on them, `[rows, classes]`.
    pub log_probabilities: Vec<f32>,
    /// Log loss of the held-out rows divided by the log loss of predicting the label frequencies. At 0, the n-grams
    /// determine the labels; from 1, they are not informative. 1 with [`HeldOut::Nothing`].
    pub unexplained: f64,
    /// Epochs of the slowest label in the final solution.
    pub epochs: usize,
    /// Whether all labels converged within the maximum number of epochs.
    pub converged: bool,
    /// Number of features before the model was reduced to its size limit.
    pub features: usize,
}

impl LinearModel {
    /// Trains a model on rows and their labels, numbers below `classes`. The model depends on `featurizer`, rows,
    /// labels and options, not on threads or the processor.
    ///
    /// # Errors
    /// `InvalidArgument` for options outside their range, a different number of labels and rows, fewer than two labels
    /// (one if a row may have several), or if [`refusal`](crate::refusal) gives a reason; `OutOfRange` for a label not
    /// below `classes`; `Aborted`.
    pub fn train(
        featurizer: &Featurizer,
        rows: &Rows,
        labels: Labels<'_>,
        classes: usize,
        options: &TrainOptions<'_>,
    ) -> Result<(Self, Report)> {
        validate(rows, labels, classes, options)?;
        let outputs = outputs(classes, labels.several());
        let blocks = outputs.div_ceil(lanes(outputs));
        let most = options.max_bytes.unwrap_or_else(|| default_bytes(classes));
        let too_large = bytes_of(featurizer, outputs) > most;
        let all: Vec<u32> = (0..rows.len() as u32).collect();
        let folds = folds(rows, outputs, &options.held_out, options.seed);
        let trainings = match (&options.held_out, folds.first()) {
            (HeldOut::Rows(..), _) => options.candidates.len(),
            (_, Some(fold)) if options.candidates.len() > 1 && fold.members.len() > ENOUGH_MEMBERS => {
                options.candidates.len() + 1
            }
            _ => folds.len() * options.candidates.len(),
        };
        let pieces = blocks * (trainings + 1 + usize::from(too_large));
        let work = Work { progress: options.progress, pieces, done: Mutex::new(0.0) };

        let shared = Shared { rows, labels, outputs, options, work: &work };
        let scaling = Scaling::new(rows, featurizer.idf().to_vec(), options.threads);
        let chosen = match &options.held_out {
            HeldOut::Nothing => None,
            HeldOut::Rows(held, held_labels) => {
                let held_scaling = Scaling::new(held, featurizer.idf().to_vec(), options.threads);
                let numbers: Vec<u32> = (0..held.len() as u32).collect();
                let on = [Split {
                    members: &all,
                    scaling: &scaling,
                    rows: held,
                    held_scaling: &held_scaling,
                    held: &numbers,
                }];
                Some(choose(&shared, &on, options.candidates, *held_labels, classes)?)
            }
            HeldOut::Automatic => choose_by_folds(&shared, &folds, featurizer.len(), classes)?,
        };
        let candidate = chosen.as_ref().map_or(options.candidates[0], |chosen| chosen.trials[chosen.best].candidate);
        let sharpness = chosen.as_ref().map_or(1.0, |chosen| chosen.trials[chosen.best].sharpness);

        let (featurizer, scaling, numbers) = if too_large {
            let ranking = heaviest(&shared, &scaling, &all, candidate)?;
            let (smaller, numbers) = cut(featurizer, &ranking, outputs, most);
            let kept = |(&idf, &number): (&f32, &u32)| if number == u32::MAX { 0.0 } else { idf };
            let idf = featurizer.idf().iter().zip(&numbers).map(kept).collect();
            drop(scaling);
            (smaller, Scaling::new(rows, idf, options.threads), Some(numbers))
        } else {
            (featurizer.clone(), scaling, None)
        };
        let fitted = fit(&shared, &scaling, &all, candidate)?;
        let epochs = fitted.iter().map(|block| block.epochs).max().unwrap_or(0);
        let weights = assemble(fitted, outputs, featurizer.len(), numbers.as_deref());
        let features = numbers.map_or(featurizer.len(), |numbers| numbers.len());
        let model = Self::new(featurizer, weights, classes, labels.several(), sharpness);
        let unexplained = chosen.as_ref().map_or(1.0, |chosen| chosen.unexplained);
        let (trials, held_out, log_probabilities) =
            chosen.map_or_else(Default::default, |chosen| (chosen.trials, chosen.held, chosen.log_probabilities));
        let converged = epochs < options.max_epochs;
        let report =
            Report { trials, candidate, held_out, log_probabilities, unexplained, epochs, converged, features };
        Ok((model, report))
    }
}

impl Report {
    /// At most `most` of the held-out rows, evenly spaced, with their log-probabilities.
    #[must_use]
    pub fn some_held_out(&self, most: usize) -> (Vec<u32>, Vec<f32>) {
        let rows = self.held_out.len();
        let classes = self.log_probabilities.len() / rows.max(1);
        let step = rows.div_ceil(most.max(1)).max(1);
        let logs = (0..rows).step_by(step).flat_map(|at| &self.log_probabilities[at * classes..][..classes]);
        (self.held_out.iter().copied().step_by(step).collect(), logs.copied().collect())
    }
}
