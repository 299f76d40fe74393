//! Prediction.

use super::Network;
use super::batch::{Packer, starts};
use crate::Result;
use crate::autograd::GradMode;
use crate::error::IntoResult;
use crate::tensor::convert::to_f32;
use recurra_core::rows::check_rows;
use tch::Kind;

/// Texts that are predicted together.
const PREDICT_ROWS: usize = 256;
/// Tokens that are predicted together, so that long texts do not take memory without bound.
const PREDICT_TOKENS: usize = 32_768;

impl Network {
    /// Probabilities of the outputs for each text, `[texts * outputs]` in the order given. Texts of similar length are
    /// computed together.
    ///
    /// # Errors
    /// As [`check_rows`].
    pub fn predict(&mut self, tokens: &[i32], lengths: &[i32]) -> Result<Vec<f32>> {
        check_rows(tokens, lengths, self.config.encoder.vocab_size)?;
        let _mode = GradMode::new(false);
        let classes = self.config.head.outputs();
        let starts = starts(lengths);
        let mut order: Vec<usize> = (0..lengths.len()).collect();
        order.sort_by_key(|&row| std::cmp::Reverse(lengths[row]));
        let mut probabilities = vec![0_f32; lengths.len() * classes];
        let mut rest = &order[..];
        while let Some(&longest) = rest.first() {
            let rows = (PREDICT_TOKENS / lengths[longest] as usize).clamp(1, PREDICT_ROWS).min(rest.len());
            let (rows, later) = rest.split_at(rows);
            rest = later;
            let (some_starts, some_lengths): (Vec<_>, Vec<_>) =
                rows.iter().map(|&row| (starts[row], lengths[row])).unzip();
            // The rows are sorted already, and the packed layout keeps the order of equal lengths.
            let mut packer = Packer::new(self.head.pooling, false);
            packer.add(tokens, &some_starts, &some_lengths, &[])?;
            let Some(batch) = packer.finish(self.place.device)?.pop() else { break };
            let logits = self.model.forward(&self.config, &batch, None)?;
            let answers = if self.head.multi_label { logits.f_sigmoid() } else { logits.f_softmax(1, None::<Kind>) };
            let values = to_f32(&answers.torch()?)?;
            for (&row, values) in rows.iter().zip(values.chunks_exact(classes)) {
                probabilities[row * classes..][..classes].copy_from_slice(values);
            }
        }
        Ok(probabilities)
    }
}
