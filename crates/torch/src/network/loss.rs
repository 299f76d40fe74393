//! The loss of one batch.

use super::Network;
use super::batch::Packed;
use crate::Result;
use crate::autocast::Autocast;
use crate::error::IntoResult;
use recurra_core::StepOptions;
use tch::{Reduction, Tensor};

/// What a step learns from, and how.
pub(super) struct Step<'a> {
    pub batch: &'a Packed,
    /// What the loss compares the scores with.
    pub targets: Tensor,
    /// A weight for each output in the loss.
    pub weights: Option<&'a Tensor>,
    pub options: &'a StepOptions<'a>,
    /// Seed of the dropout masks.
    pub masks: u64,
}

impl Network {
    /// Scores and loss of the batch, from its tokens' vectors.
    pub(super) fn loss(&mut self, step: &Step<'_>, embedded: &Tensor) -> Result<(Tensor, Tensor)> {
        let Step { batch, targets, weights, options, .. } = step;
        let _mixed = self.place.mixed.then(|| Autocast::new(self.place.device)).transpose()?;
        let logits = self.model.scores(&self.config, batch, embedded.shallow_clone(), Some(&mut self.generator))?;
        let loss = if self.head.multi_label {
            logits.f_binary_cross_entropy_with_logits(targets, None, *weights, Reduction::Mean).torch()?
        } else {
            logits.f_cross_entropy_loss(targets, *weights, Reduction::Mean, -100, options.loss.smoothing).torch()?
        };
        Ok((logits, loss))
    }
}
