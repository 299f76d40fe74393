//! Compression: makes a smaller model from a trained one, without its training rows.

use crate::featurizer::Featurizer;
use crate::math::Portable;
use crate::model::{LinearModel, Weights};
use crate::vocabulary::Vocabulary;

/// Ratio of adjacent row counts in a smaller model. Rounding a count to a power of it changes idf by at most 2 %;
/// features with equal counts are listed together, which saves two bits each.
const STEP: f64 = 1.2;

/// Number of scales to try, as fractions of the scale that the largest weight needs.
const SHARES: u32 = 24;

/// Features ranked by importance, and the loss from keeping only the first ones.
#[derive(Clone, Debug)]
pub struct Ranking {
    /// All features, in descending order of their effect on the scores: squared weights times the number of rows with
    /// the feature.
    order: Vec<u32>,
    /// For each number of first features, their share of the total effect.
    shares: Vec<f64>,
}

impl Ranking {
    /// Number of features.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there are no features.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The share of the squared scores that is lost if only the first `count` features are kept, from 0 to 1.
    #[must_use]
    pub fn lost(&self, count: usize) -> f64 {
        count.min(self.len()).checked_sub(1).map_or(1.0, |at| 1.0 - self.shares[at])
    }
}

impl LinearModel {
    /// Ranks the features by importance. Needs no rows, because the model stores the number of rows with each feature.
    #[must_use]
    pub fn ranking(&self) -> Ranking {
        let outputs = self.outputs();
        let with = self.featurizer.vocabularies().into_iter().flat_map(|vocabulary| &vocabulary.rows);
        let values = self.weights.values.chunks_exact(outputs);
        let weights: Vec<f64> = values
            .zip(with)
            .map(|(values, &with)| {
                let square = |(&value, &scale): (&i8, &f32)| (f64::from(value) * f64::from(scale)).powi(2);
                values.iter().zip(&self.weights.scales).map(square).sum::<f64>() * f64::from(with)
            })
            .collect();
        let mut order: Vec<u32> = (0..weights.len() as u32).collect();
        order.sort_unstable_by(|&a, &b| weights[b as usize].total_cmp(&weights[a as usize]).then(a.cmp(&b)));
        let all: f64 = weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        let mut sum = 0.0;
        let share = |&number: &u32| {
            sum += weights[number as usize];
            sum / all
        };
        let shares = order.iter().map(share).collect();
        Ranking { order, shares }
    }

    /// The share of the squared scores that is lost if weights are rounded to integers from `-levels` to `levels`,
    /// relative to this model.
    #[must_use]
    pub fn rounding(&self, levels: u8) -> f64 {
        let outputs = self.outputs();
        let weights: Vec<f32> = self
            .weights
            .values
            .chunks_exact(outputs)
            .flat_map(|values| values.iter().zip(&self.weights.scales).map(|(&value, &scale)| f32::from(value) * scale))
            .collect();
        let found = rounded(&weights, &self.weights, levels);
        let with = self.featurizer.vocabularies().into_iter().flat_map(|vocabulary| &vocabulary.rows);
        let (mut all, mut off) = (f64::MIN_POSITIVE, 0.0);
        for (number, &with) in with.enumerate() {
            for (output, scale) in found.scales.iter().enumerate() {
                let at = number * outputs + output;
                all += f64::from(with) * f64::from(weights[at]).powi(2);
                off += f64::from(with) * f64::from(f32::from(found.values[at]) * scale - weights[at]).powi(2);
            }
        }
        off / all
    }

    /// Makes a model of the first `count` features of its own ranking (at least one), with integer weights from
    /// `-levels` to `levels` (1 to 127) in units of the score's scale.
    ///
    /// The features of a text are normalised to a norm of 1, so the remaining features get larger values. Their weights
    /// are reduced by the average change of the training rows' norms, separately for words and characters.
    ///
    /// # Panics
    /// If the ranking is that of another model.
    /// For a ranking of another model.
    #[must_use]
    pub fn compressed(&self, ranking: &Ranking, count: usize, levels: u8) -> Self {
        assert_eq!(ranking.len(), self.featurizer.len());
        let outputs = self.outputs();
        let mut keep = vec![false; ranking.len()];
        ranking.order.iter().take(count.max(1)).for_each(|&number| keep[number as usize] = true);
        let idf = self.featurizer.idf();
        let sizes = self.featurizer.sizes();
        let (mut vocabularies, mut weights) = (Vec::new(), Vec::new());
        let mut first = 0;
        for (vocabulary, size) in self.featurizer.vocabularies().into_iter().zip([sizes.words, sizes.chars]) {
            let own = first..first + size;
            let square = |number: &usize| f64::from(vocabulary.rows[number - first]) * f64::from(idf[*number]).powi(2);
            let all: f64 = own.clone().map(|number| square(&number)).sum();
            let kept: f64 = own.clone().filter(|&number| keep[number]).map(|number| square(&number)).sum();
            let shrink = if all > 0.0 { (kept / all).sqrt() } else { 1.0 };
            let mut listed: Vec<(u32, u32, usize)> = own
                .filter(|&number| keep[number])
                .map(|number| {
                    (
                        stepped(vocabulary.rows[number - first], self.featurizer.rows()),
                        vocabulary.prints[number - first],
                        number,
                    )
                })
                .collect();
            listed.sort_unstable_by_key(|&(rows, print, _)| (std::cmp::Reverse(rows), print));
            for &(_, _, number) in &listed {
                let values = &self.weights.values[number * outputs..][..outputs];
                let scaled = values
                    .iter()
                    .zip(&self.weights.scales)
                    .map(|(&value, &scale)| f32::from(value) * scale * shrink as f32);
                weights.extend(scaled);
            }
            let (prints, rows) = listed.iter().map(|&(rows, print, _)| (print, rows)).unzip();
            vocabularies.push(Vocabulary::new(prints, rows));
            first += size;
        }
        let [words, chars] =
            <[Vocabulary; 2]>::try_from(vocabularies).unwrap_or_else(|_| unreachable!("two kinds of features"));
        let featurizer = Featurizer::new(self.featurizer.options(), self.featurizer.rows(), words, chars);
        let weights = rounded(&weights, &self.weights, levels);
        Self::new(featurizer, weights, self.classes, self.several, self.sharpness)
    }
}

/// Rounds a row count to a power of [`STEP`].
fn stepped(rows: u32, most: u64) -> u32 {
    let step = (f64::from(rows.max(1)).portable_ln() / STEP.portable_ln()).round();
    let near = (step * STEP.portable_ln()).portable_exp().round();
    (near.max(1.0) as u64).min(most.max(1)) as u32
}

/// Rounds weights, `[features, outputs]`, to integers.
fn rounded(weights: &[f32], of: &Weights, levels: u8) -> Weights {
    let outputs = of.bias.len();
    let largest = f32::from(levels.clamp(1, 127));
    let column = |output: usize| weights.iter().skip(output).step_by(outputs);
    let scales: Vec<f32> = (0..outputs)
        .map(|output| {
            let most = column(output).fold(0.0f32, |most, value| most.max(value.abs())) / largest;
            if levels >= 127 || most == 0.0 {
                return most;
            }
            let error = |scale: f32| {
                let off = |&value: &f32| f64::from((value / scale).round().clamp(-largest, largest) * scale - value);
                column(output).map(|value| off(value).powi(2)).sum::<f64>()
            };
            let tried = (1..=SHARES).map(|share| most * share as f32 / SHARES as f32);
            tried
                .map(|scale| (error(scale), scale))
                .fold((f64::INFINITY, most), |best, one| if one.0 < best.0 { one } else { best })
                .1
        })
        .collect();
    let value = |(at, &weight): (usize, &f32)| {
        let scale = scales[at % outputs];
        if scale > 0.0 { (weight / scale).round().clamp(-largest, largest) as i8 } else { 0 }
    };
    Weights { values: weights.iter().enumerate().map(value).collect(), scales, bias: of.bias.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Counter, FeatureOptions, Labels, TrainOptions};

    fn model() -> (LinearModel, Vec<String>) {
        let texts: Vec<String> = (0..240u32)
            .map(|row| {
                let words = ["red", "green", "blue"];
                format!("{} item {} of {}", words[(row % 3) as usize], row * 7919 % 101, row * 104_729 % 59)
            })
            .collect();
        let labels: Vec<u32> = (0..240).map(|row| row % 3).collect();
        let mut counter = Counter::new(FeatureOptions::default(), 1).unwrap();
        counter.add(&texts).unwrap();
        let (featurizer, rows) = counter.finish().unwrap();
        let (model, _) =
            LinearModel::train(&featurizer, &rows, Labels::One(&labels), 3, &TrainOptions::default()).unwrap();
        (model, texts)
    }

    #[test]
    fn a_model_of_all_features_predicts_nearly_the_same() {
        let (model, texts) = model();
        let same = model.compressed(&model.ranking(), usize::MAX, 127);
        assert_eq!(same.featurizer.len(), model.featurizer.len());
        for (a, b) in model.predict(&texts, 1).iter().zip(same.predict(&texts, 1)) {
            assert!((a.exp() - b.exp()).abs() < 0.02, "{a} {b}");
        }
    }

    #[test]
    fn features_that_matter_most_stay_and_less_is_lost_with_more_of_them() {
        let (model, texts) = model();
        let ranking = model.ranking();
        let lost: Vec<f64> = (0..=ranking.len()).map(|count| ranking.lost(count)).collect();
        assert!(lost[0] == 1.0 && lost.windows(2).all(|pair| pair[1] <= pair[0]) && lost[ranking.len()].abs() < 1e-9);
        let few = model.compressed(&ranking, 12, 7);
        assert_eq!(few.featurizer.len(), 12);
        assert!(few.weights.values.iter().all(|value| value.unsigned_abs() <= 7));
        let logs = few.predict(&texts, 1);
        let right = logs
            .chunks(3)
            .enumerate()
            .filter(|(row, logs)| logs.iter().enumerate().all(|(label, log)| label == row % 3 || *log < logs[row % 3]));
        assert_eq!(right.count(), 240);
        let back = LinearModel::from_arrays(&few.to_arrays()).unwrap();
        assert_eq!(back.predict(&texts, 1), few.predict(&texts, 1));
    }
}
