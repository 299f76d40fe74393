//! The batches of a chunk, prepared before the first step.

use std::sync::{Mutex, PoisonError};

use super::exchange::SUMS;
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

/// What a rank knows of all ranks' rows in a step.
pub(super) struct GroupStep {
    /// What the sum of all losses is divided by.
    pub divisor: f64,
    pub answers: u64,
    pub rows: u64,
    /// The place of each of the plan's words among those that travel, in the order of their ids; none where the words' vectors do not
    /// move row by row.
    pub words: Vec<u32>,
    /// The same of the features.
    pub features: Vec<u32>,
}

impl GroupStep {
    /// How many numbers travel in this step.
    pub fn len(&self, params: &Params) -> usize {
        let features = params.features_shape().map_or(0, |[_, dims]| self.features.len() * dims);
        params.flat_size + self.words.len() * params.config.encoder.embedding_dim + features + SUMS
    }
}

/// Prepares all batches of a chunk, shared out to the team, with the seed of the dropout and the steps before them.
pub(super) fn plan_all(
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
