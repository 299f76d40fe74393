//! Trains on a chunk of batches.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use super::model::{Optimizer, Seq2Seq, Weights};
use super::params::Params;
use super::plan::{PairFinders, PairPlan, Pairs};
use super::reduce::agree;
use super::space::{Mats, Purpose};
use super::step::{BLOCK, Notes, Step, WORDS};
use crate::encoder::plan::WordDropout;
use crate::network::Exchange;
use crate::network::exchange::Group;
use crate::network::exchange::dropout_seed;
use crate::optim::Dense;
use crate::random::{Chosen, key};
use crate::threads::{Member, Pool};
use recurra_core::{Algorithm, Chunk, Result, Stats, StepOptions, Targets};

impl Seq2Seq {
    /// As [`crate::network::Network::distribute`]; the gradients of all embedded units are exchanged.
    pub fn distribute(&self, exchange: Option<Arc<dyn Exchange>>) {
        self.write().exchange = exchange;
    }

    /// Trains on batches, one optimizer step each. The same seed and data give bit-identical weights for any number of
    /// threads. The chunk's targets are sets: the target units of each row, with the end unit last.
    ///
    /// In the statistics, an answer is a target unit, including the end unit. It is correct if the network gave it the
    /// largest score after the previous units.
    ///
    /// # Errors
    /// As [`recurra_core::Seq2SeqConfig::check_chunk`] and [`recurra_core::Seq2SeqConfig::check_options`]; nothing is
    /// changed then. A loss that is not finite is reported in the result.
    ///
    /// # Panics
    /// For a bug in this library. The weights are then those of some point within the chunk, and the optimizer is
    /// reset.
    pub fn train_batches(&self, chunk: &Chunk<'_>, options: &StepOptions<'_>) -> Result<Stats> {
        let (params, pool) = (&self.params, &self.pool);
        let exchange = self.read().exchange.clone();
        params.config.check_chunk(chunk, exchange.is_some())?;
        params.config.check_options(options, chunk.batch_sizes.len())?;
        let mut guard = self.write();
        let weights = &mut *guard;
        weights.draw(params)?;
        weights.frozen = None;
        weights.use_optimizer(options.algorithm, params)?;
        let seed = dropout_seed(params.config.seed, exchange.as_deref());
        let mut plans = plan_all(params, pool, &mut weights.space.finders, chunk, (seed, weights.steps))?;
        if let Some(exchange) = &exchange {
            agree(&**exchange, &mut plans, params.flat_size, weights.steps)?;
        }
        let failure = Mutex::new(None);
        let group = exchange.as_deref().map(|exchange| Group { exchange, failure: &failure });
        let purpose = Purpose { training: true, positions: Step::positions(params, options) };
        let mats = weights.space.space.fit(params, &plans, purpose);
        let run = Run { params, pool, mats: &mats, plans: &plans, options, group, seed };
        match catch_unwind(AssertUnwindSafe(|| run.run(weights))) {
            Ok((stats, made)) => {
                if let Some(optimizer) = &mut weights.optimizer {
                    optimizer.dense.count(made);
                }
                weights.steps += made;
                failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(stats), Err)
            }
            Err(payload) => {
                weights.recover();
                resume_unwind(payload);
            }
        }
    }
}

impl Weights {
    /// Keeps the optimizer if it is the same, and its state if only options differ; otherwise creates a new one.
    fn use_optimizer(&mut self, algorithm: Algorithm, params: &Params) -> Result<()> {
        if self.optimizer.as_ref().is_some_and(|optimizer| optimizer.algorithm == algorithm) {
            return Ok(());
        }
        let mut dense = Dense::new(algorithm, params.flat_size)?;
        if let Some(old) = &self.optimizer
            && algorithm.keeps_state_of(&old.algorithm)
        {
            for ((_, to), (_, from)) in dense.states_mut().zip(old.dense.states()) {
                to.copy_from_slice(from);
            }
            dense.count(old.dense.step_count());
        }
        self.optimizer = Some(Optimizer { algorithm, dense });
        Ok(())
    }
}

/// Prepares all batches of a chunk on the team.
fn plan_all(
    params: &Params,
    pool: &Pool,
    finders: &mut Vec<PairFinders>,
    chunk: &Chunk<'_>,
    (seed, steps_before): (u64, u64),
) -> Result<Vec<PairPlan>> {
    finders.resize_with(pool.size().max(finders.len()), PairFinders::default);
    let places: Vec<_> = chunk.batches().collect();
    let finders: Vec<Mutex<&mut PairFinders>> = finders.iter_mut().map(Mutex::new).collect();
    let plans: Vec<Mutex<Result<PairPlan>>> = places.iter().map(|_| Mutex::new(Ok(PairPlan::default()))).collect();
    let Targets::Sets { outputs: targets, starts } = chunk.targets else { return Ok(Vec::new()) };
    let encoder = &params.config.encoder;
    let unknown = encoder.unknown_idx.filter(|_| encoder.dropouts.words > 0.0);
    pool.run(|member| {
        let mut finder = finders[member.rank()].lock().unwrap_or_else(PoisonError::into_inner);
        for batch in (member.rank()..places.len()).step_by(member.size()) {
            let (rows, tokens): (Range<usize>, Range<usize>) = places[batch].clone();
            if rows.is_empty() {
                continue;
            }
            let what = [steps_before + batch as u64, WORDS, 0];
            let dropout = unknown.map(|unknown| WordDropout {
                chosen: Chosen::new(key(seed, what), encoder.dropouts.words as f32),
                unknown,
            });
            let (tokens, lengths) = (&chunk.tokens[tokens], &chunk.lengths[rows.clone()]);
            let pairs = Pairs { tokens, lengths, targets, starts: &starts[rows.start..=rows.end] };
            let plan = PairPlan::new(params, pairs, dropout, member.size(), &mut finder);
            *plans[batch].lock().unwrap_or_else(PoisonError::into_inner) = plan;
        }
    });
    plans.into_iter().map(|plan| plan.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}

/// The steps of a chunk.
struct Run<'a> {
    params: &'a Params,
    pool: &'a Pool,
    mats: &'a Mats,
    plans: &'a [PairPlan],
    options: &'a StepOptions<'a>,
    group: Option<Group<'a>>,
    seed: u64,
}

impl Run<'_> {
    /// Runs the steps. Returns their statistics and number.
    fn run(&self, weights: &mut Weights) -> (Stats, u64) {
        let most = self.plans.iter().map(|plan| plan.layout.total()).max().unwrap_or(0);
        let Some(optimizer) = &mut weights.optimizer else { return (Stats::default(), 0) };
        let space = &mut weights.space;
        space.losses.resize(most, 0.0);
        space.right.resize(most, false);
        space.units.resize(most, 0);
        space.squares.resize(self.params.flat_size.div_ceil(BLOCK), 0.0);
        let tasks = space.packs.tasks(self.params);
        let step = Step {
            params: self.params,
            options: *self.options,
            mats: self.mats,
            flat: weights.flat.ptr(),
            packs: &raw const space.packs,
            tasks,
            optimizer_steps: optimizer.dense.step_count(),
            states: optimizer.dense.shared(),
            notes: Notes {
                losses: space.losses.as_mut_ptr(),
                right: space.right.as_mut_ptr(),
                squares: space.squares.as_mut_ptr(),
                units: space.units.as_mut_ptr(),
            },
            group: self.group,
            steps_before: weights.steps,
            seed: self.seed,
        };
        let result = Mutex::new((Stats::default(), 0));
        self.pool.run(|member: &Member<'_>| {
            let (mut stats, mut scratch, mut made) = (Stats::default(), Vec::new(), 0);
            for (number, plan) in self.plans.iter().enumerate() {
                // SAFETY: all members run the same steps, on memory that is borrowed by this call and fits every plan.
                let outcome = unsafe { step.run(member, plan, number as u64, &mut scratch) };
                if outcome.failed || !outcome.finite {
                    stats.non_finite_batch = (!outcome.failed).then_some(number);
                    break;
                }
                made += 1;
                stats.loss += outcome.loss;
                stats.correct += outcome.correct;
                stats.answers += plan.answers();
                stats.rows += plan.group.map_or(plan.rows.len() as u64, |group| group.rows);
            }
            if member.rank() == 0 {
                *result.lock().unwrap_or_else(PoisonError::into_inner) = (stats, made);
            }
        });
        result.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
