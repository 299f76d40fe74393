//! Training and prediction.

use super::batch::{Chunk, Packed, Packer, check_texts, starts};
use super::{Classifier, ClassifierConfig};
use crate::autocast::Autocast;
use crate::autograd::{GradMode, backward, set_requires_grad};
use crate::clip::clip_on_device;
use crate::error::{IntoResult, argument};
use crate::optim::{Optimizer, OptimizerKind, OptimizerOptions};
use crate::tally::{Tally, rows_right};
use crate::tensor::convert::{to_device, to_f32};
use crate::{Result, guard};
use recurra_core::fault;
use recurra_kernels::random::key;
use std::ops::Range;
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
    /// Weight decay; PyTorch's default where there is none.
    pub weight_decay: Option<f64>,
    /// Momentum of SGD.
    pub momentum: f64,
    /// A weight for each class, or nothing for 1 each: `weight` of the cross entropy, of a multi-label classifier
    /// `pos_weight` of the binary one.
    pub class_weights: Vec<f32>,
    /// Label smoothing of the cross entropy.
    pub label_smoothing: f64,
    /// Leaves the embedding without a gradient, so that the optimizer passes it over.
    pub freeze_embedding: bool,
}

impl StepOptions {
    /// PyTorch's defaults with these learning rates.
    pub fn new(optimizer: OptimizerKind, learning_rates: Vec<f64>) -> Self {
        Self {
            learning_rates,
            clip_norm: 0.0,
            optimizer,
            weight_decay: None,
            momentum: 0.0,
            class_weights: Vec::new(),
            label_smoothing: 0.0,
            freeze_embedding: false,
        }
    }

    fn check(&self, config: &ClassifierConfig) -> Result<()> {
        if self.clip_norm.is_nan() || self.clip_norm < 0.0 {
            return Err(argument(format!("clipNorm must be 0 (off) or positive, but is {}", self.clip_norm)));
        }
        if let Some(lr) = self.learning_rates.iter().find(|lr| !lr.is_finite() || **lr < 0.0) {
            return Err(argument(format!("a learning rate must be a number that is not negative, but is {lr}")));
        }
        let weights = self.class_weights.len() as i64;
        if weights != 0 && weights != config.num_classes {
            return Err(argument(format!("classWeights has {weights} weights for {} classes", config.num_classes)));
        }
        if !(0.0..1.0).contains(&self.label_smoothing) || (config.multi_label && self.label_smoothing > 0.0) {
            return Err(argument(format!(
                "labelSmoothing must be from 0 to below 1, and 0 with several labels, but is {}",
                self.label_smoothing
            )));
        }
        Ok(())
    }

    /// The class weights as libtorch takes them.
    fn weights(&self, config: &ClassifierConfig) -> Result<Option<Tensor>> {
        if self.class_weights.is_empty() {
            return Ok(None);
        }
        to_device(&Tensor::f_from_slice(&self.class_weights).torch()?, config.device).map(Some)
    }
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
        options.check(&self.config)?;
        if options.learning_rates.len() != chunk.batch_sizes.len() {
            return Err(argument(format!(
                "learningRates must have one entry per batch, {}, but has {}",
                chunk.batch_sizes.len(),
                options.learning_rates.len()
            )));
        }
        let _mode = GradMode::new(true);
        let weights = options.weights(&self.config)?;
        if let Some(embedding) = self.model.parameters().next() {
            set_requires_grad(embedding, !options.freeze_embedding)?;
        }
        let mut tally = Tally::new(self.config.device)?;
        let outcome = guard(|| self.run_batches(chunk, weights.as_ref(), options, &mut tally));
        // The only place where a GPU is waited for. Steps that were made before something failed count: the weights moved.
        let sums = match (tally.read(), outcome) {
            (Ok(sums), outcome) => {
                let steps = sums.batches as u64;
                self.steps.all += steps;
                self.steps.seen += steps;
                self.steps.words += if options.freeze_embedding { 0 } else { steps };
                outcome.map(|()| sums)?
            }
            (Err(_), Err(first)) | (Err(first), Ok(())) => return Err(first),
        };
        Ok(Stats {
            loss: sums.loss,
            correct: sums.right,
            rows: chunk.batch_sizes[..sums.batches].iter().map(|&size| i64::from(size)).sum(),
            non_finite_batch: sums.bad.then_some(sums.batches),
        })
    }

    /// All steps of a chunk that was checked.
    fn run_batches(
        &mut self,
        chunk: &Chunk,
        weights: Option<&Tensor>,
        options: &StepOptions,
        tally: &mut Tally,
    ) -> Result<()> {
        let starts = starts(&chunk.lengths);
        let ranges: Vec<Range<usize>> = chunk
            .batch_sizes
            .iter()
            .scan(0, |next, &size| {
                let from = *next;
                *next += size as usize;
                Some(from..*next)
            })
            .collect();
        let mut packer = Packer::new(&self.config);
        for rows in &ranges {
            let labels = if self.config.multi_label { &[][..] } else { &chunk.labels[rows.clone()] };
            packer.add(&chunk.tokens, &starts[rows.clone()], &chunk.lengths[rows.clone()], labels)?;
        }
        let batches = packer.finish(self.config.device)?;
        for ((step, batch), (rows, &lr)) in
            (self.steps.all..).zip(&batches).zip(ranges.into_iter().zip(&options.learning_rates))
        {
            self.prepare_optimizer(options, lr)?;
            // Masks depend on seed and step alone, so that a checkpoint needs no state of a generator.
            self.generator.reseed(key(self.config.seed as u64, [step, 0, 0]))?;
            if self.config.multi_label {
                let sets = chunk.sets(rows, batch.layout.sorted_indices(), &self.config)?;
                self.train_batch(batch, &sets, weights, options, tally)?;
            } else {
                self.train_batch(batch, &batch.labels, weights, options, tally)?;
            }
        }
        Ok(())
    }

    /// One step, unless the loss or the gradient of this batch or an earlier one is not finite.
    fn train_batch(
        &mut self,
        batch: &Packed,
        targets: &Tensor,
        weights: Option<&Tensor>,
        options: &StepOptions,
        tally: &mut Tally,
    ) -> Result<()> {
        let clip_norm = options.clip_norm;
        let (logits, loss) = {
            let _mixed = self.config.mixed.then(|| Autocast::new(self.config.device)).transpose()?;
            let logits = self.model.forward(&self.config, batch, Some(&mut self.generator))?;
            let loss = if self.config.multi_label {
                logits.f_binary_cross_entropy_with_logits(targets, None, weights, Reduction::Mean).torch()?
            } else {
                logits.f_cross_entropy_loss(targets, weights, Reduction::Mean, -100, options.label_smoothing).torch()?
            };
            (logits, loss)
        };
        tally.watch(&loss)?;
        fault::point("torch.batch");
        let right = if self.config.multi_label {
            let same = logits.detach().f_gt(0.0).torch()?.f_eq_tensor(&targets.f_gt(0.0).torch()?).torch()?;
            same.f_all_dim(1, false).torch()?
        } else {
            rows_right(&logits, targets)?
        };
        let Some((_, optimizer)) = &mut self.optimizer else {
            return Err(argument("train without an optimizer"));
        };
        optimizer.zero_grad()?;
        backward(&loss, Some(tally.one()), false)?;
        if clip_norm > 0.0 {
            // Those without a gradient, a frozen embedding, count as in PyTorch: not at all.
            let parameters: Vec<&Tensor> = self.model.parameters().collect();
            if let Some(norm) = clip_on_device(&parameters, clip_norm, 2.0)? {
                tally.watch(&norm)?;
            }
        }
        optimizer.step_unless(Some(tally.bad()))?;
        optimizer.zero_grad()?;
        tally.add(&loss, &right, batch.rows() as f64)
    }

    fn prepare_optimizer(&mut self, options: &StepOptions, lr: f64) -> Result<()> {
        let kind = options.optimizer;
        let defaults = kind.defaults();
        let weight_decay = options.weight_decay.unwrap_or(defaults.weight_decay);
        let wanted = OptimizerOptions { lr, weight_decay, momentum: options.momentum, ..defaults };
        match &mut self.optimizer {
            Some((present, optimizer)) if *present == kind => optimizer.set_options(0, wanted),
            slot => {
                let parameters = self.model.parameters().map(Tensor::shallow_clone).collect();
                *slot = Some((kind, Optimizer::new(kind, vec![(parameters, wanted)])?));
                (self.steps.seen, self.steps.words) = (0, 0);
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
            let mut packer = Packer::new(&self.config);
            packer.add(tokens, &some_starts, &some_lengths, &[])?;
            let Some(batch) = packer.finish(self.config.device)?.pop() else { break };
            let logits = self.model.forward(&self.config, &batch, None)?;
            let answers = if self.config.multi_label { logits.f_sigmoid() } else { logits.f_softmax(1, None::<Kind>) };
            let values = to_f32(&answers.torch()?)?;
            for (&row, values) in rows.iter().zip(values.chunks_exact(classes)) {
                probabilities[row * classes..][..classes].copy_from_slice(values);
            }
        }
        Ok(probabilities)
    }
}
