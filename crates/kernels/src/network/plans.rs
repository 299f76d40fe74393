//! The batches of a chunk, prepared before the first step.

use std::sync::{Mutex, PoisonError};

use super::exchange::dropout_seed;
use super::group::{GroupStep, agree};
use super::params::Params;
use super::weights::Weights;
use crate::encoder::plan::{Finders, Plan};
use crate::heads::targets::Targets;
use crate::threads::Pool;
use recurra_core::{Chunk, Result, StepOptions};

/// A batch, prepared.
#[derive(Default)]
pub(super) struct StepPlan {
    pub words: Plan,
    pub targets: Targets,
    /// What all ranks have in this step, where there are others.
    pub group: Option<GroupStep>,
}

impl StepPlan {
    /// Answers of all ranks.
    pub fn answers(&self, params: &Params) -> u64 {
        let own = || params.head.unit().count(&self.words.layout) as u64;
        self.group.as_ref().map_or_else(own, |group| group.answers)
    }

    /// Rows of all ranks.
    pub fn rows(&self) -> u64 {
        self.group.as_ref().map_or(self.words.layout.rows() as u64, |group| group.rows)
    }
}

/// Prepares all batches of a chunk; with other ranks they agree about them.
pub(super) fn plan_all(
    params: &Params,
    pool: &Pool,
    weights: &mut Weights,
    chunk: &Chunk<'_>,
    options: &StepOptions<'_>,
) -> Result<Vec<StepPlan>> {
    let (exchange, steps) = (weights.exchange.as_deref(), weights.steps);
    let seed = dropout_seed(params.config.seed, exchange);
    let mut plans = plan_own(params, pool, &mut weights.space.finders, chunk, (seed, steps))?;
    if let Some(exchange) = exchange {
        agree(params, exchange, &mut plans, options, steps)?;
    }
    Ok(plans)
}

/// Prepares the batches, shared out to the team.
fn plan_own(
    params: &Params,
    pool: &Pool,
    finders: &mut Vec<Finders>,
    chunk: &Chunk<'_>,
    (seed, steps_before): (u64, u64),
) -> Result<Vec<StepPlan>> {
    finders.resize_with(pool.size().max(finders.len()), Finders::default);
    for finders in finders.iter_mut() {
        finders.words.begin(params.config.encoder.vocab_size);
        finders.features.begin(params.config.encoder.subwords.map_or(0, |subwords| subwords.buckets));
    }
    let places: Vec<_> = chunk.batches().collect();
    let finders: Vec<Mutex<&mut Finders>> = finders.iter_mut().map(Mutex::new).collect();
    let plans: Vec<Mutex<Result<StepPlan>>> = places.iter().map(|_| Mutex::new(Ok(StepPlan::default()))).collect();
    let team = (params.shape.dirs, pool.size());
    pool.run(|member| {
        let mut finder = finders[member.rank()].lock().unwrap_or_else(PoisonError::into_inner);
        for batch in (member.rank()..places.len()).step_by(member.size()) {
            let (rows, tokens) = places[batch].clone();
            if rows.is_empty() {
                continue;
            }
            let part = chunk.batch(rows, tokens);
            let omitted = params.omitted(seed, steps_before + batch as u64);
            let plan = Plan::new(part.rows(), omitted, team, &mut finder).map(|words| StepPlan {
                targets: params.head.targets(&part, &words.layout),
                words,
                group: None,
            });
            *plans[batch].lock().unwrap_or_else(PoisonError::into_inner) = plan;
        }
    });
    plans.into_iter().map(|plan| plan.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}
