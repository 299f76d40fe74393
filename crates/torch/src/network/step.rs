//! Training.

use super::Network;
use super::adversarial::leaf;
use super::batch::{Packer, sets, starts};
use super::loss::Step;
use crate::autograd::{GradMode, backward, set_requires_grad};
use crate::clip::clip_on_device;
use crate::error::{IntoResult, argument};
use crate::optim::{Optimizer, OptimizerOptions};
use crate::tally::{Tally, rows_right};
use crate::tensor::convert::to_device;
use crate::{Result, guard};
use recurra_core::{Algorithm, Chunk, Error, ErrorCode, Initial, Stats, StepOptions, Targets, fault};
use recurra_kernels::random::key;
use tch::Tensor;

impl Network {
    /// Trains on the batches of a chunk, one step each. Where only options of the optimizer changed, it keeps its state: see
    /// [`Algorithm::keeps_state_of`].
    ///
    /// # Errors
    /// As [`Chunk::validate`] and [`StepOptions::validate`]; nothing is changed then. A loss that is not finite is reported in
    /// the result.
    pub fn train_batches(&mut self, chunk: &Chunk<'_>, options: &StepOptions<'_>) -> Result<Stats> {
        chunk.validate(&self.config)?;
        options.validate(chunk.batch_sizes.len(), &self.config)?;
        if options.initial != Initial::Zeros {
            let message = "states are carried from batch to batch by the CPU kernels only";
            return Err(Error::new(ErrorCode::InvalidArgument, message).about("device"));
        }
        let _mode = GradMode::new(true);
        let weights = self.loss_weights(options)?;
        if let Some(embedding) = self.model.parameters().next() {
            set_requires_grad(embedding, !options.freeze_embedding)?;
        }
        let mut tally = Tally::new(self.place.device)?;
        let outcome = guard(|| self.run_batches(chunk, weights.as_ref(), options, &mut tally));
        // The only synchronisation with a GPU. Steps made before a failure count: the weights moved.
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
        let rows = chunk.batch_sizes[..sums.batches].iter().map(|&size| u64::from(size.cast_unsigned())).sum();
        Ok(Stats {
            loss: sums.loss,
            correct: sums.right.cast_unsigned(),
            answers: rows,
            rows,
            non_finite_batch: sums.bad.then_some(sums.batches),
        })
    }

    /// All steps of a chunk that was checked.
    fn run_batches(
        &mut self,
        chunk: &Chunk<'_>,
        weights: Option<&Tensor>,
        options: &StepOptions<'_>,
        tally: &mut Tally,
    ) -> Result<()> {
        let first = self.steps.all;
        let parts: Vec<Chunk<'_>> = chunk.batches().map(|(rows, tokens)| chunk.batch(rows, tokens)).collect();
        let mut packer = Packer::new(self.head.pooling, options.adversarial > 0.0);
        for part in &parts {
            let labels = match part.targets {
                Targets::Rows(labels) => labels,
                Targets::Sets { .. } | Targets::Tokens(_) => &[],
            };
            packer.add(part.tokens, &starts(part.lengths), part.lengths, labels)?;
        }
        let batches = packer.finish(self.place.device)?;
        for (number, (batch, part)) in batches.iter().zip(&parts).enumerate() {
            self.prepare_optimizer(options.algorithm, options.lr(number))?;
            let targets = match part.targets {
                Targets::Rows(_) | Targets::Tokens(_) => batch.labels.shallow_clone(),
                Targets::Sets { outputs, starts } => {
                    let (sorted, count) = (batch.layout.sorted_indices(), self.config.head.outputs());
                    sets(outputs, starts, sorted, count, self.place.device)?
                }
            };
            // Masks depend on seed and step alone, so that a checkpoint needs no state of a generator.
            let masks = key(self.config.seed, [first + number as u64, 0, 0]);
            self.train_batch(&Step { batch, targets, weights, options, masks }, tally)?;
        }
        Ok(())
    }

    /// One step, unless the loss or the gradient of this batch or an earlier one is not finite.
    fn train_batch(&mut self, step: &Step<'_>, tally: &mut Tally) -> Result<()> {
        let Step { batch, targets, options, masks, .. } = step;
        let multi_label = self.head.multi_label;
        let clip_norm = options.clip_norm;
        self.generator.reseed(*masks)?;
        let ids = self.model.read(&self.config, batch, Some(&mut self.generator))?;
        let embedded = self.model.embed(&self.config, &ids)?;
        let clean = (options.adversarial > 0.0).then(|| leaf(&embedded)).transpose()?;
        let (logits, loss) = self.loss(step, clean.as_ref().unwrap_or(&embedded))?;
        tally.watch(&loss)?;
        fault::point("torch.batch");
        let right = if multi_label {
            let same = logits.detach().f_gt(0.0).torch()?.f_eq_tensor(&targets.f_gt(0.0).torch()?).torch()?;
            same.f_all_dim(1, false).torch()?
        } else {
            rows_right(&logits, targets)?
        };
        self.optimizer()?.zero_grad()?;
        backward(&loss, Some(tally.one()), false)?;
        if let Some(clean) = &clean {
            self.backward_with_noise(step, (&embedded, clean), tally)?;
        }
        if clip_norm > 0.0 {
            // Those without a gradient, a frozen embedding, count as in PyTorch: not at all.
            let parameters: Vec<&Tensor> = self.model.parameters().collect();
            if let Some(norm) = clip_on_device(&parameters, clip_norm, 2.0)? {
                tally.watch(&norm)?;
            }
        }
        let optimizer = self.optimizer()?;
        optimizer.step_unless(Some(tally.bad()))?;
        optimizer.zero_grad()?;
        tally.add(&loss, &right, batch.rows() as f64)
    }

    fn optimizer(&mut self) -> Result<&mut Optimizer> {
        self.optimizer.as_mut().map(|(_, optimizer)| optimizer).ok_or_else(|| argument("train without an optimizer"))
    }

    /// Weights of the loss as libtorch takes them.
    fn loss_weights(&self, options: &StepOptions<'_>) -> Result<Option<Tensor>> {
        if options.loss.weights.is_empty() {
            return Ok(None);
        }
        to_device(&Tensor::f_from_slice(options.loss.weights).torch()?, self.place.device).map(Some)
    }

    fn prepare_optimizer(&mut self, algorithm: Algorithm, lr: f64) -> Result<()> {
        match &mut self.optimizer {
            Some((present, optimizer)) if algorithm.keeps_state_of(present) => {
                *present = algorithm;
                optimizer.set_options(0, OptimizerOptions::of(&algorithm, lr))
            }
            _ => {
                self.optimizer = Some((algorithm, self.new_optimizer(algorithm, lr)?));
                (self.steps.seen, self.steps.words) = (0, 0);
                Ok(())
            }
        }
    }

    /// An optimizer of all parameters, without a state yet.
    pub(super) fn new_optimizer(&self, algorithm: Algorithm, lr: f64) -> Result<Optimizer> {
        let parameters = self.model.parameters().map(Tensor::shallow_clone).collect();
        Optimizer::new(algorithm.kind(), vec![(parameters, OptimizerOptions::of(&algorithm, lr))])
    }
}
