//! A trained linear model and its predictions.

use crate::featurizer::{Featurizer, Reader};
use crate::parallel;
use crate::probabilities::log_probabilities;

/// Texts of a task of bulk prediction.
const TEXTS: usize = 128;

/// Weights of all features for all scores.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Weights {
    /// In units of the score's scale; idf is in them. The scores of a feature stand together.
    pub(crate) values: Vec<i8>,
    /// A unit of each score.
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

    /// Scores of a text: one for each label, or one in all where two labels are told apart.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.weights.bias.len()
    }

    /// One over the temperature of the probabilities.
    #[must_use]
    pub fn sharpness(&self) -> f32 {
        self.sharpness
    }

    /// The features that count.
    #[must_use]
    pub fn featurizer(&self) -> &Featurizer {
        &self.featurizer
    }

    /// What predictions of single texts are made with; each thread needs its own.
    #[must_use]
    pub fn predictor(&self) -> Predictor<'_> {
        Predictor { model: self, room: self.room() }
    }

    /// What predictions of single texts need besides the model. It may outlive a [`Predictor`] and be used with its own
    /// model only.
    #[must_use]
    pub fn room(&self) -> Room {
        Room { reader: Reader::new(&self.featurizer), features: Vec::new(), scores: vec![0.0; self.outputs()] }
    }

    /// As [`Predictor::predict`], with room that is kept elsewhere.
    ///
    /// # Panics
    /// When `to` has fewer places than there are labels, or the room is another model's.
    pub fn predict_with(&self, room: &mut Room, text: &str, to: &mut [f32]) {
        room.score(self, text);
        log_probabilities(&room.scores, self.sharpness, self.several, &mut to[..self.classes]);
    }

    /// Log-probabilities of texts, [`LinearModel::classes`] each: with one label a text they are of labels that exclude each
    /// other, with several of each label alone. Works on `threads` threads, on which the result does not depend.
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

/// Room to read and score a text in.
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
    /// Scores of a text, [`LinearModel::outputs`] of them: above 0 speaks for a label.
    pub fn scores(&mut self, text: &str) -> &[f32] {
        self.room.score(self.model, text);
        &self.room.scores
    }

    /// Log-probabilities of a text into `to`, which has a place for every label.
    ///
    /// # Panics
    /// When `to` has fewer places.
    pub fn predict(&mut self, text: &str, to: &mut [f32]) {
        self.model.predict_with(&mut self.room, text, to);
    }
}

/// Adds the weights of features times what they weigh, in units of the scores' scales.
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

/// The same for so few scores that they stay in registers.
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
