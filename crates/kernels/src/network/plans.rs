//! The batches of a chunk, prepared before the first step.

use std::sync::{Mutex, PoisonError};

use super::params::Params;
use crate::encoder::plan::{Finders, Plan};
use crate::heads::targets::Targets;
use crate::threads::Pool;
use recurra_core::{Chunk, Result};

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
    finders: &mut Vec<Finders>,
    chunk: &Chunk<'_>,
    steps_before: u64,
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
            let part = chunk.batch(rows, tokens);
            let omitted = params.omitted(steps_before + batch as u64);
            let plan = Plan::new(part.rows(), omitted, team, &mut finder)
                .map(|words| StepPlan { targets: params.head.targets(&part, &words.layout), words });
            *plans[batch].lock().unwrap_or_else(PoisonError::into_inner) = plan;
        }
    });
    plans.into_iter().map(|plan| plan.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}
