//! The batches of a chunk, prepared before the first step.

use std::sync::{Mutex, PoisonError};

use super::params::Params;
use crate::encoder::plan::Plan;
use crate::heads::targets::Targets;
use crate::threads::Pool;
use recurra_core::{Chunk, Result, distinct::Distinct};

/// A batch, prepared.
#[derive(Default)]
pub(super) struct StepPlan {
    pub words: Plan,
    pub targets: Targets,
}

/// Prepares all batches of a chunk, shared out to the team.
pub(super) fn plan_all(
    params: &Params,
    pool: &Pool,
    distinct: &mut Vec<Distinct>,
    chunk: &Chunk<'_>,
    steps_before: u64,
) -> Result<Vec<StepPlan>> {
    distinct.resize_with(pool.size().max(distinct.len()), || Distinct::new(params.config.encoder.vocab_size));
    let places: Vec<_> = chunk.batches().collect();
    let finders: Vec<Mutex<&mut Distinct>> = distinct.iter_mut().map(Mutex::new).collect();
    let plans: Vec<Mutex<Result<StepPlan>>> = places.iter().map(|_| Mutex::new(Ok(StepPlan::default()))).collect();
    let team = (params.shape.dirs, pool.size());
    pool.run(|member| {
        let mut finder = finders[member.rank()].lock().unwrap_or_else(PoisonError::into_inner);
        for batch in (member.rank()..places.len()).step_by(member.size()) {
            let (rows, tokens) = places[batch].clone();
            let part = chunk.batch(rows, tokens);
            let dropout = params.word_dropout(steps_before + batch as u64);
            let plan = Plan::new((part.tokens, part.lengths), dropout, team, &mut finder)
                .map(|words| StepPlan { targets: params.head.targets(&part, &words.layout), words });
            *plans[batch].lock().unwrap_or_else(PoisonError::into_inner) = plan;
        }
    });
    plans.into_iter().map(|plan| plan.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}
