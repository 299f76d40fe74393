//! Mixes the log-probabilities of two models.

use crate::error::{Result, invalid};
use crate::labels::Labels;
use crate::math::{Portable, ln_sigmoid};
use crate::probabilities::{Quality, minimize, quality};

/// A mixture of a network and a linear model: the weighted sum of their log-probabilities times a sharpness, normalised
/// again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mix {
    /// The network's weight, from 0 to 1.
    pub network: f32,
    /// Reciprocal of the temperature of the sum.
    pub sharpness: f32,
}

/// Quality of both parts and of their mixture, on the rows that the mixture was chosen on. The log loss of each part is
/// at its own best temperature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MixReport {
    /// The network alone.
    pub network: Quality,
    /// The linear model alone.
    pub linear: Quality,
    /// Both.
    pub mixed: Quality,
}

/// Standard deviations of a normal prior around [`Mix::USUAL`], for the share and for the logarithm of the sharpness.
/// It keeps a choice on few rows, which is mostly noise, near the default; some hundred rows outweigh it.
const SPREAD_OF_SHARE: f64 = 0.2;
const SPREAD_OF_SHARPNESS: f64 = 0.25;

impl Mix {
    /// The default when there are no rows to choose on; measured on AG News (500 rows to all), banking77 and others.
    pub const USUAL: Self = Self { network: 0.3, sharpness: 1.0 };

    /// The prior's penalty on the mean log loss of this number of rows.
    fn prior(&self, rows: usize) -> f64 {
        let share = f64::from(self.network - Self::USUAL.network) / SPREAD_OF_SHARE;
        let sharpness = f64::from(self.sharpness / Self::USUAL.sharpness).portable_ln() / SPREAD_OF_SHARPNESS;
        0.5 * (share * share + sharpness * sharpness) / rows as f64
    }

    /// Mixes the log-probabilities of one text, one per label, into `to`.
    ///
    /// With `several`, the labels are not exclusive, and the log-odds of each label are mixed.
    pub fn apply(&self, network: &[f32], linear: &[f32], several: bool, to: &mut [f32]) {
        let (network_share, linear_share) = (self.sharpness * self.network, self.sharpness * (1.0 - self.network));
        // With a share of 0, a probability of 0 (a log-probability of -infinity) must not contribute.
        let weighted = |share: f32, value: f32| if share == 0.0 { 0.0 } else { share * value.max(-1e4) };
        if several {
            let odds = |log: f32| log - (-log.min(-1e-7).portable_exp_m1()).portable_ln();
            for ((to, &network), &linear) in to.iter_mut().zip(network).zip(linear) {
                let score = weighted(network_share, odds(network)) + weighted(linear_share, odds(linear));
                *to = ln_sigmoid(f64::from(score)) as f32;
            }
            return;
        }
        let mut highest = f32::NEG_INFINITY;
        for ((to, &network), &linear) in to.iter_mut().zip(network).zip(linear) {
            *to = weighted(network_share, network) + weighted(linear_share, linear);
            highest = highest.max(*to);
        }
        let sum = to.iter().map(|value| (value - highest).portable_exp()).sum::<f32>().portable_ln() + highest;
        to.iter_mut().for_each(|to| *to -= sum);
    }

    /// Mixes a network's probabilities in place, `classes` per text, with a linear model's log-probabilities of the
    /// same texts. `several` is as in [`Mix::apply`].
    pub fn refine(&self, probabilities: &mut [f32], linear: &[f32], classes: usize, several: bool) {
        let mut logs = vec![0.0; classes];
        for (row, linear) in probabilities.chunks_exact_mut(classes.max(1)).zip(linear.chunks_exact(classes.max(1))) {
            row.iter_mut().for_each(|value| *value = value.portable_ln());
            self.apply(row, linear, several, &mut logs);
            row.iter_mut().zip(&logs).for_each(|(value, log)| *value = log.portable_exp());
        }
    }

    /// Like [`Mix::choose`], from the network's probabilities.
    ///
    /// # Errors
    /// As [`Mix::choose`].
    pub fn choose_by(
        probabilities: &[f32],
        linear: &[f32],
        classes: usize,
        labels: Labels<'_>,
    ) -> Result<(Self, MixReport)> {
        let logs: Vec<f32> = probabilities.iter().map(|value| value.portable_ln()).collect();
        Self::choose(&logs, linear, classes, labels)
    }

    /// Chooses share and sharpness on rows that neither model was trained on. It minimises the log loss among the
    /// shares whose accuracy is within half a standard error of the better part's. With few rows, the result stays
    /// close to [`Mix::USUAL`].
    ///
    /// # Errors
    /// `InvalidArgument` if there are no rows, or not `classes` log-probabilities for each row of `labels`.
    pub fn choose(network: &[f32], linear: &[f32], classes: usize, labels: Labels<'_>) -> Result<(Self, MixReport)> {
        let (rows, several) = (labels.rows(), labels.several());
        labels.validate(rows, classes)?;
        if rows == 0 || network.len() != rows * classes || linear.len() != rows * classes {
            return Err(invalid(format!(
                "the mixture of {rows} rows and {classes} labels needs as many log-probabilities, not {} and {}",
                network.len(),
                linear.len()
            )));
        }
        let mut mixed = vec![0.0; rows * classes];
        let mut measure = |mix: Self| {
            for ((to, network), linear) in
                mixed.chunks_exact_mut(classes).zip(network.chunks_exact(classes)).zip(linear.chunks_exact(classes))
            {
                mix.apply(network, linear, several, to);
            }
            quality(&mixed, classes, labels)
        };
        const STEPS: usize = 10;
        let tried: Vec<(Self, Quality)> = (0..=STEPS)
            .map(|step| {
                let network = step as f32 / STEPS as f32;
                let cell = std::cell::RefCell::new(&mut measure);
                let loss = |ln: f64| {
                    let mix = Self { network, sharpness: ln.portable_exp() as f32 };
                    (cell.borrow_mut())(mix).log_loss + mix.prior(rows)
                };
                let mix = Self { network, sharpness: minimize(-4.0, 2.0, 13, loss).portable_exp() as f32 };
                (mix, measure(mix))
            })
            .collect();
        let (linear, network) = (tried[0].1, tried[STEPS].1);
        let better = linear.accuracy.max(network.accuracy);
        let noise = 0.5 * (better * (1.0 - better) / rows as f64).sqrt();
        let (mix, mixed) = tried
            .iter()
            .filter(|(_, quality)| quality.accuracy >= better - noise)
            .min_by(|a, b| (a.1.log_loss + a.0.prior(rows)).total_cmp(&(b.1.log_loss + b.0.prior(rows))))
            .copied()
            .unwrap_or(tried[0]);
        Ok((mix, MixReport { network, linear, mixed }))
    }
}
