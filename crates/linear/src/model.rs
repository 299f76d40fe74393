//! A trained linear model and its predictions.

use crate::featurizer::{Featurizer, Reader};
use crate::parallel;
use crate::probabilities::log_probabilities;

/// Number of texts per task in bulk prediction.
const TEXTS: usize = 128;

/// The weights of all features for all scores.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Weights {
    /// Weights times idf, in units of the score's scale. The weights of a feature are adjacent.
    pub(crate) values: Vec<i8>,
    /// The scale of each score.
    pub(crate) scales: Vec<f32>,
    pub(crate) bias: Vec<f32>,
}

/// A linear classifier over the features of a [`Featurizer`].
#[derive(Clone, Debug)]
pub struct LinearModel {
    pub(crate) featurizer: Featurizer,
    pub(crate) weights: Weights,
    pub(crate) classes: usize,
    pub(crate) several: bool,
    pub(crate) sharpness: f32,
}

impl LinearModel {
    pub(crate) fn new(featurizer: Featurizer, weights: Weights, classes: usize, several: bool, sharpness: f32) -> Self {
        Self { featurizer, weights, classes, several, sharpness }
    }

    /// Number of labels.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Whether a text may have several labels.
    #[must_use]
    pub fn several(&self) -> bool {
        self.several
    }

    /// Number of scores per text: one per label, or one for two exclusive labels.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.weights.bias.len()
    }

    /// Reciprocal of the temperature of the probabilities.
    #[must_use]
    pub fn sharpness(&self) -> f32 {
        self.sharpness
    }

    /// The featurizer of the model.
    #[must_use]
    pub fn featurizer(&self) -> &Featurizer {
        &self.featurizer
    }

    /// A predictor for single texts. Each thread needs its own.
    #[must_use]
    pub fn predictor(&self) -> Predictor<'_> {
        Predictor { model: self, room: self.room() }
    }

    /// Reusable buffers for predictions of single texts. They may outlive a [`Predictor`], but work with this model
    /// only.
    #[must_use]
    pub fn room(&self) -> Room {
        Room { reader: Reader::new(&self.featurizer), features: Vec::new(), scores: vec![0.0; self.outputs()] }
    }

    /// Like [`Predictor::predict`], with buffers that the caller owns.
    ///
    /// # Panics
    /// If `to` is shorter than the number of labels, or the buffers are those of another model.
    pub fn predict_with(&self, room: &mut Room, text: &str, to: &mut [f32]) {
        room.score(self, text);
        log_probabilities(&room.scores, self.sharpness, self.several, &mut to[..self.classes]);
    }

    /// Log-probabilities of texts, [`LinearModel::classes`] per text. With one label per text, the labels are
    /// exclusive; with several, each label is independent. The result does not depend on `threads`.
    #[must_use]
    pub fn predict<T: AsRef<str> + Sync>(&self, texts: &[T], threads: usize) -> Vec<f32> {
        let parts = parallel::map(
            threads,
            texts.len().div_ceil(TEXTS),
            || self.predictor(),
            |predictor, task| {
                let texts = &texts[task * TEXTS..(task * TEXTS + TEXTS).min(texts.len())];
                let mut logs = vec![0.0; texts.len() * self.classes];
                for (text, to) in texts.iter().zip(logs.chunks_exact_mut(self.classes)) {
                    predictor.predict(text.as_ref(), to);
                }
                logs
            },
        );
        parts.concat()
    }
}

/// Buffers for reading and scoring a text.
pub struct Room {
    reader: Reader,
    features: Vec<(u32, f32)>,
    scores: Vec<f32>,
}

impl Room {
    fn score(&mut self, model: &LinearModel, text: &str) {
        let Self { reader, features, scores } = self;
        let weights = &model.weights;
        features.clear();
        let (words, norms) = reader.read(&model.featurizer, text, |number, weight| features.push((number, weight)));
        pulp::Arch::new().dispatch(|| {
            let (of_words, of_chars) = features.split_at(words);
            scores.fill(0.0);
            add(weights, of_words, norms[0], scores);
            add(weights, of_chars, norms[1], scores);
        });
        for ((score, scale), bias) in scores.iter_mut().zip(&weights.scales).zip(&weights.bias) {
            *score = *score * scale + bias;
        }
    }
}

/// Predicts single texts.
pub struct Predictor<'a> {
    model: &'a LinearModel,
    room: Room,
}

impl Predictor<'_> {
    /// The scores of a text, [`LinearModel::outputs`] of them. A positive score is evidence for the label.
    pub fn scores(&mut self, text: &str) -> &[f32] {
        self.room.score(self.model, text);
        &self.room.scores
    }

    /// Writes the log-probabilities of a text into `to`, one per label.
    ///
    /// # Panics
    /// If `to` is shorter than the number of labels.
    pub fn predict(&mut self, text: &str, to: &mut [f32]) {
        self.model.predict_with(&mut self.room, text, to);
    }
}

/// Adds the weights of features times the features' values, in units of the scores' scales.
#[inline(always)]
fn add(weights: &Weights, features: &[(u32, f32)], norm: f32, scores: &mut [f32]) {
    match scores.len() {
        1 => add_few::<1>(weights, features, norm, scores),
        2 => add_few::<2>(weights, features, norm, scores),
        3 => add_few::<3>(weights, features, norm, scores),
        4 => add_few::<4>(weights, features, norm, scores),
        5 => add_few::<5>(weights, features, norm, scores),
        6 => add_few::<6>(weights, features, norm, scores),
        7 => add_few::<7>(weights, features, norm, scores),
        8 => add_few::<8>(weights, features, norm, scores),
        outputs => {
            for &(number, weight) in features {
                let at = number as usize * outputs;
                let weight = weight * norm;
                for (score, &value) in scores.iter_mut().zip(&weights.values[at..at + outputs]) {
                    *score += weight * f32::from(value);
                }
            }
        }
    }
}

/// The same for few scores, which stay in registers.
#[inline(always)]
fn add_few<const N: usize>(weights: &Weights, features: &[(u32, f32)], norm: f32, scores: &mut [f32]) {
    let rows = weights.values.as_chunks::<N>().0;
    let mut sums = [0.0f32; N];
    for &(number, weight) in features {
        for (sum, &value) in sums.iter_mut().zip(&rows[number as usize]) {
            *sum += weight * f32::from(value);
        }
    }
    for (score, sum) in scores.iter_mut().zip(sums) {
        *score += norm * sum;
    }
}
