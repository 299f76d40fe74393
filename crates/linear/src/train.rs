//! The training of a linear model: its candidate of errors, its size, its probabilities.

use std::sync::Mutex;

use crate::arrays::bytes_of;
use crate::blocks::{Shared, lanes};
use crate::choose::{ENOUGH, On, Trial, choose, choose_by_folds};
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

/// What a training found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Every candidate's quality on the rows held out; empty with [`HeldOut::Nothing`].
    pub trials: Vec<Trial>,
    /// The loss and cost that were taken.
    pub candidate: Candidate,
    /// Rows held out, by their number; with [`HeldOut::Rows`] by their number among those.
    pub held_out: Vec<u32>,
    /// Log-probabilities of the rows held out, as models that were not trained on them give them; a row a row.
    pub log_probabilities: Vec<f32>,
    /// The log loss of those as a share of what it is where only the labels' frequencies are known: at 0 the texts' n-grams tell
    /// everything, from 1 on nothing. 1 with [`HeldOut::Nothing`].
    pub unexplained: f64,
    /// Epochs of the slowest label's last solution.
    pub epochs: usize,
    /// Whether all labels came to rest within the epochs.
    pub converged: bool,
    /// Features before the model was cut to its size.
    pub features: usize,
}

impl LinearModel {
    /// Trains a model on rows and their labels, numbers below `classes`. It depends on `featurizer`, the rows, their labels and the
    /// options, not on threads or the processor.
    ///
    /// # Errors
    /// `InvalidArgument` for options outside their range, labels of fewer or more rows, fewer than two labels (one where a row
    /// has several) or what [`refusal`](crate::refusal) says; `OutOfRange` for a label outside `classes`; `Aborted`.
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
            (_, Some(fold)) if options.candidates.len() > 1 && fold.members.len() > ENOUGH => {
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
                let on =
                    [On { members: &all, scaling: &scaling, rows: held, held_scaling: &held_scaling, held: &numbers }];
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
    /// At most `most` of the rows held out, evenly spread over them, and their log-probabilities.
    #[must_use]
    pub fn some_held_out(&self, most: usize) -> (Vec<u32>, Vec<f32>) {
        let rows = self.held_out.len();
        let classes = self.log_probabilities.len() / rows.max(1);
        let step = rows.div_ceil(most.max(1)).max(1);
        let logs = (0..rows).step_by(step).flat_map(|at| &self.log_probabilities[at * classes..][..classes]);
        (self.held_out.iter().copied().step_by(step).collect(), logs.copied().collect())
    }
}
