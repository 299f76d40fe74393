//! Training on a chunk of batches.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use super::carried::Carried;
use super::exchange::{Exchange, Group, dropout_seed};
use super::group::agree;
use super::model::Network;
use super::optimizer::Optimizer;
use super::params::Params;
use super::plans::{StepPlan, plan_all};
use super::space::TrainMats;
use super::step::{Step, Sums};
use super::weight_drop::WeightDrop;
use super::weights::Weights;
use crate::encoder::embedding::Embedding;
use crate::encoder::lookup::Lookup;
use crate::encoder::noise::Noise;
use crate::encoder::subwords::Subwords;
use crate::threads::{Member, Pool};
use recurra_core::{Algorithm, Chunk, Error, ErrorCode, Result, Stats, StepOptions};

impl Network {
    /// Trains with the other ranks from now on, or with `None` alone again: a step of [`Network::train_batches`] is one
    /// step on the rows that all ranks have in that batch, and its result is the same on all of them, bit by bit. The
    /// ranks' networks must have the same weights. Each rank has its own dropout masks; those of rank 0 are the ones
    /// without a group.
    pub fn distribute(&self, exchange: Option<Arc<dyn Exchange>>) {
        self.write().exchange = exchange;
    }

    /// Trains on batches, one step of the optimizer for each. With the same seed, data and number of threads the weights
    /// are the same bit by bit.
    ///
    /// # Errors
    /// As [`Chunk::validate`] and [`recurra_core::Algorithm::validate`], `InvalidArgument` for a learning rate or norm
    /// that is negative or not finite; nothing is changed then. A loss that is not finite is reported in the result. With other ranks
    /// (see [`Network::distribute`]) a batch may be without rows, statistics are those of all ranks, and `Distributed` says that the
    /// ranks could not meet: the weights are then those from before the step at which they did not.
    ///
    /// # Panics
    /// For a fault of this library. The weights are then those of some moment within the chunk, and the optimizer starts afresh.
    pub fn train_batches(&self, chunk: &Chunk<'_>, options: &StepOptions<'_>) -> Result<Stats> {
        let (params, pool) = (&self.params, &self.pool);
        let chunk = &params.with_own(chunk)?;
        let ranks = self.read().exchange.is_some();
        chunk.validate_for(&params.config, ranks)?;
        options.validate(chunk.batch_sizes.len(), &params.config)?;
        if options.freeze_embedding && params.tied.is_some() {
            let message = "an embedding that is the head's weights too cannot stay as it is; train without freezing it";
            return Err(Error::new(ErrorCode::InvalidArgument, message).about("freezeEmbeddings"));
        }
        let mut guard = self.write();
        let weights = &mut *guard;
        weights.check_apart()?;
        Carried::begin(&mut weights.carried, chunk, options.initial, &params.shape)?;
        weights.draw(params)?;
        weights.change();
        weights.use_optimizer(options.algorithm, params)?;
        let exchange = weights.exchange.clone();
        let seed = dropout_seed(params.config.seed, exchange.as_deref());
        let mut plans = plan_all(params, pool, &mut weights.space.finders, chunk, (seed, weights.steps))?;
        if let Some(exchange) = &exchange {
            agree(params, &**exchange, &mut plans, options, weights.steps)?;
        }
        let failure = Mutex::new(None);
        let group = exchange.as_deref().map(|exchange| Group { exchange, failure: &failure });
        let mats = weights.space.fit(params, &plans, options.adversarial > 0.0);
        let mut stats = Stats::default();
        let mut made = 0;
        while made < plans.len() && stats.non_finite_batch.is_none() {
            let part = made..plans.len().min(made.saturating_add(weights.make_room_for_steps()?));
            let drops = weights.space.weight_drop(params);
            let run = Part { params, pool, mats: &mats, plans: &plans, steps: part.clone(), options, drops, group };
            let end = match catch_unwind(AssertUnwindSafe(|| run.run(weights, stats))) {
                Ok((after, end)) => {
                    stats = after;
                    end
                }
                Err(payload) => {
                    weights.recover();
                    resume_unwind(payload);
                }
            };
            weights.count_steps((end - made) as u64, options.freeze_embedding);
            made = end;
            if let Some(error) = failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return Err(error);
            }
        }
        Ok(stats)
    }
}

impl Weights {
    /// Keeps the optimizer where it is the same, and its state where only options differ; otherwise begins with a fresh one.
    fn use_optimizer(&mut self, algorithm: Algorithm, params: &Params) -> Result<()> {
        self.optimizer = Some(match self.optimizer.take() {
            None => Optimizer::new(algorithm, params)?,
            Some(same) if same.algorithm == algorithm => same,
            Some(old) if algorithm.keeps_state_of(&old.algorithm) => old.with(algorithm, params, &mut self.vectors)?,
            Some(mut old) => {
                old.flush(&mut self.vectors)?;
                Optimizer::new(algorithm, params)?
            }
        });
        Ok(())
    }

    /// How many steps may be made before rows that are behind must be brought current, for which room is made now.
    fn make_room_for_steps(&mut self) -> Result<usize> {
        self.optimizer.as_mut().map_or(Ok(usize::MAX), |optimizer| optimizer.make_room(&mut self.vectors))
    }

    fn count_steps(&mut self, steps: u64, frozen: bool) {
        if let Some(optimizer) = &mut self.optimizer {
            optimizer.count(steps, frozen);
        }
        self.steps += steps;
    }
}

/// Some of a chunk's steps, which the team makes without a stop.
struct Part<'a> {
    params: &'a Params,
    pool: &'a Pool,
    mats: &'a TrainMats,
    plans: &'a [StepPlan],
    steps: Range<usize>,
    options: &'a StepOptions<'a>,
    drops: Option<WeightDrop>,
    group: Option<Group<'a>>,
}

impl Part<'_> {
    /// Makes the steps; returns the statistics `before` with theirs, and the number of the first step that was not made.
    fn run(&self, weights: &mut Weights, before: Stats) -> (Stats, usize) {
        let sums: Vec<Sums> = (0..self.pool.size()).map(|_| Sums::default()).collect();
        let Some(step) = self.step(weights, &sums) else { return (before, self.steps.end) };
        let result = Mutex::new((before, self.steps.end));
        self.pool.run(|member: &Member<'_>| {
            let (mut stats, mut end) = (before, self.steps.end);
            for number in self.steps.clone() {
                let (plan, next) = (&self.plans[number], self.plans.get(number + 1));
                // SAFETY: all members run the same steps, on memory that is borrowed by this call and fits every plan.
                let outcome = unsafe { step.run(member, plan, next, (number - self.steps.start) as u64) };
                if outcome.failed || !outcome.finite {
                    stats.non_finite_batch = (!outcome.failed).then_some(number);
                    end = number;
                    break;
                }
                stats.loss += outcome.loss;
                stats.correct += outcome.correct;
                stats.answers += plan.answers(self.params);
                stats.rows += plan.rows();
            }
            if member.rank() == 0 {
                *result.lock().unwrap_or_else(PoisonError::into_inner) = (stats, end);
            }
        });
        result.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the team shares; `None` without an optimizer.
    fn step<'b>(&'b self, weights: &'b mut Weights, sums: &'b [Sums]) -> Option<Step<'b>> {
        let (config, mats) = (&self.params.config, self.mats);
        let carried = weights.carried.as_mut().map_or_else(Vec::new, |carried| carried.mats(&self.params.shape));
        let optimizer = weights.optimizer.as_mut()?;
        let (words, features) = optimizer.moves(&mut weights.vectors);
        let lookup = |weights, [rows, dims]: [usize; 2], moves, grads| Lookup {
            weights,
            rows,
            dims,
            stride: dims,
            moves,
            grads,
        };
        let mut own_words = lookup(weights.vectors.words.ptr(), self.params.words_shape(), words, mats.d_words);
        if let Some(segment) = &self.params.tied {
            own_words.weights = weights.flat.ptr().wrapping_add(segment.offset);
            own_words.stride = segment.stride();
        }
        let features = self.params.features_shape().zip(features).map(|(shape, moves)| Subwords {
            features: lookup(weights.vectors.features.ptr(), shape, moves, mats.d_features),
            inputs: mats.inputs,
            d_inputs: mats.d_rows,
        });
        Some(Step {
            params: self.params,
            options: self.options.of(self.steps.clone()),
            mats,
            embedding: Embedding {
                words: own_words,
                subwords: features,
                padding: config.encoder.padding_idx,
                frozen: self.options.freeze_embedding,
                dropout: config.encoder.dropouts.embedding as f32,
                x: mats.x,
                dx: mats.dx,
                d_rows: mats.d_rows,
            },
            noise: mats.noisy.exists().then_some(Noise { eps: self.options.adversarial, x: mats.noisy }),
            drops: self.drops.as_ref(),
            flat: weights.flat.ptr(),
            packs: weights.space.packs.as_mut_ptr(),
            head_packs: &raw mut weights.space.head_packs,
            carried,
            rest: optimizer.rest.shared(),
            sums,
            group: self.group,
            steps_before: weights.steps,
            seed: dropout_seed(config.seed, weights.exchange.as_deref()),
            optimizer_steps: optimizer.rest.step_count(),
            word_steps: optimizer.word_steps(),
        })
    }
}
