//! Training and prediction.

use super::Classifier;
use super::batch::{Chunk, Packed, check_texts, starts};
use crate::Result;
use crate::autograd::{GradMode, backward};
use crate::clip::clip_grad_norm;
use crate::error::{IntoResult, argument};
use crate::optim::{Optimizer, OptimizerKind, OptimizerOptions};
use crate::tensor::convert::to_f32;
use tch::{Kind, Reduction, Tensor};

/// Texts that are predicted together.
const PREDICT_ROWS: usize = 256;
/// Tokens that are predicted together, so that long texts do not take memory without bound.
const PREDICT_TOKENS: usize = 32_768;

/// Options of the training steps of a chunk.
#[derive(Clone, Debug, PartialEq)]
pub struct StepOptions {
    /// Learning rate of each batch.
    pub learning_rates: Vec<f64>,
    /// Largest common norm of all gradients; 0 for no limit.
    pub clip_norm: f64,
    /// The optimizer; another than before starts with a new state.
    pub optimizer: OptimizerKind,
}

/// What a chunk of batches gave.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Sum of the losses of all texts.
    pub loss: f64,
    /// Texts whose class had the largest logit, in training mode.
    pub correct: i64,
    /// Texts trained on.
    pub rows: i64,
    /// The batch whose loss or gradient was not finite: training stopped before it moved the weights.
    pub non_finite_batch: Option<usize>,
}

impl Classifier {
    /// Trains on the batches of a chunk, one step each.
    pub fn train_batches(&mut self, chunk: &Chunk, options: &StepOptions) -> Result<Stats> {
        chunk.check(&self.config)?;
        if options.clip_norm.is_nan() || options.clip_norm < 0.0 {
            return Err(argument(format!("clipNorm must be 0 (off) or positive, but is {}", options.clip_norm)));
        }
        if options.learning_rates.len() != chunk.batch_sizes.len() {
            return Err(argument(format!(
                "learningRates must have one entry per batch, {}, but has {}",
                chunk.batch_sizes.len(),
                options.learning_rates.len()
            )));
        }
        if let Some(lr) = options.learning_rates.iter().find(|lr| !lr.is_finite() || **lr < 0.0) {
            return Err(argument(format!("a learning rate must be a number that is not negative, but is {lr}")));
        }
        let _mode = GradMode::new(true);
        let mut stats = Stats::default();
        let starts = starts(&chunk.lengths);
        let mut from = 0;
        for (index, (&size, &lr)) in chunk.batch_sizes.iter().zip(&options.learning_rates).enumerate() {
            self.prepare_optimizer(options.optimizer, lr)?;
            let rows = from..from + size as usize;
            let batch =
                Packed::new(&chunk.tokens, &starts[rows.clone()], &chunk.lengths[rows.clone()], self.config.device)?;
            let labels = batch.sorted(&chunk.labels[rows.clone()])?;
            match self.train_batch(&batch, &labels, options.clip_norm)? {
                Some((loss, correct)) => {
                    stats.loss += loss * f64::from(size);
                    stats.correct += correct;
                    stats.rows += i64::from(size);
                }
                None => {
                    stats.non_finite_batch = Some(index);
                    break;
                }
            }
            from = rows.end;
        }
        Ok(stats)
    }

    /// One step: mean loss and right answers, or `None` where the loss or the gradient is not finite.
    fn train_batch(&mut self, batch: &Packed, labels: &Tensor, clip_norm: f64) -> Result<Option<(f64, i64)>> {
        let logits = self.model.forward(&self.config, batch, Some(&mut self.generator))?;
        let loss = logits.f_cross_entropy_loss(labels, None::<&Tensor>, Reduction::Mean, -100, 0.0).torch()?;
        let value = loss.f_double_value(&[]).torch()?;
        if !value.is_finite() {
            return Ok(None);
        }
        let right = logits.detach().f_argmax(1, false).torch()?.f_eq_tensor(labels).torch()?;
        let correct = right.f_sum(Kind::Int64).torch()?.f_int64_value(&[]).torch()?;
        let Some((_, optimizer)) = &mut self.optimizer else {
            return Err(argument("train without an optimizer"));
        };
        optimizer.zero_grad()?;
        backward(&loss, None, false)?;
        if clip_norm > 0.0 {
            let parameters: Vec<&Tensor> = self.model.parameters().collect();
            if !clip_grad_norm(&parameters, clip_norm, 2.0)?.is_finite() {
                optimizer.zero_grad()?;
                return Ok(None);
            }
        }
        optimizer.step()?;
        optimizer.zero_grad()?;
        Ok(Some((value, correct)))
    }

    fn prepare_optimizer(&mut self, kind: OptimizerKind, lr: f64) -> Result<()> {
        let wanted = OptimizerOptions { lr, ..kind.defaults() };
        match &mut self.optimizer {
            Some((present, optimizer)) if *present == kind => optimizer.set_options(0, wanted),
            slot => {
                let parameters = self.model.parameters().map(Tensor::shallow_clone).collect();
                *slot = Some((kind, Optimizer::new(kind, vec![(parameters, wanted)])?));
                Ok(())
            }
        }
    }

    /// Probabilities of the classes for each text, `[texts * classes]` in the order given. Texts of similar length are
    /// computed together.
    pub fn predict(&mut self, tokens: &[i32], lengths: &[i32]) -> Result<Vec<f32>> {
        check_texts(tokens, lengths, &self.config)?;
        let _mode = GradMode::new(false);
        let classes = self.config.num_classes as usize;
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
            let batch = Packed::new(tokens, &some_starts, &some_lengths, self.config.device)?;
            let logits = self.model.forward(&self.config, &batch, None)?;
            let values = to_f32(&logits.f_softmax(1, None::<Kind>).torch()?)?;
            for (&row, values) in rows.iter().zip(values.chunks_exact(classes)) {
                probabilities[row * classes..][..classes].copy_from_slice(values);
            }
        }
        Ok(probabilities)
    }
}
