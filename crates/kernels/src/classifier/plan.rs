//! What of a batch does not depend on the weights: layout, distinct words, and who uses them.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::data::Chunk;
use super::loss::Targets;
use super::model::Model;
use crate::random::Chosen;
use crate::recurrent::slices;
use crate::threads::Pool;
use recurra_core::Result;
use recurra_core::distinct::{Distinct, Users};
use recurra_core::layout::PackedLayout;

/// A batch, prepared.
#[derive(Default)]
pub(super) struct Plan {
    pub layout: PackedLayout,
    pub slices: Vec<Range<usize>>,
    /// Distinct words, in order of first use.
    pub ids: Vec<u32>,
    /// For each packed position, the number of its word in `ids`.
    pub slots: Vec<u32>,
    /// The positions of each word.
    pub users: Users,
    pub targets: Targets,
}

/// Word dropout of a batch: which tokens are read as which word.
#[derive(Clone, Copy)]
pub(super) struct WordDropout {
    pub chosen: Chosen,
    pub unknown: u32,
}

impl WordDropout {
    /// The tokens of the batch, in the caller's order, as they are read.
    fn apply(&self, tokens: &[i32]) -> Vec<i32> {
        let read = |(at, &token): (usize, &i32)| if self.chosen.has(at as u32) { self.unknown as i32 } else { token };
        tokens.iter().enumerate().map(read).collect()
    }
}

impl Plan {
    /// Prepares the validated rows of one batch for a team of `members`. Label offsets, where there are some, are those of
    /// these rows and one more, in the labels of the whole chunk.
    pub fn new(
        batch: &Chunk<'_>,
        dropout: Option<WordDropout>,
        (dirs, members): (usize, usize),
        distinct: &mut Distinct,
    ) -> Result<Self> {
        let Chunk { mut tokens, lengths, .. } = *batch;
        let with_drops: Vec<i32>;
        if let Some(dropout) = dropout {
            with_drops = dropout.apply(tokens);
            tokens = &with_drops;
        }
        let layout = PackedLayout::new(lengths, None)?;
        let mut starts_of_rows = Vec::with_capacity(lengths.len());
        let mut start = 0;
        for &length in lengths {
            starts_of_rows.push(start);
            start += length as usize;
        }
        let mut plan =
            Self { slices: slices(&layout, dirs, members), targets: targets(batch, &layout), ..Self::default() };
        plan.slots.reserve(layout.total());
        distinct.begin(0);
        for (time, &running) in layout.batch_sizes().iter().enumerate() {
            for &row in &layout.sorted_indices()[..running as usize] {
                let id = tokens[starts_of_rows[row as usize] + time] as u32;
                plan.slots.push(distinct.number(id, &mut plan.ids));
            }
        }
        plan.users = Users::new(&plan.slots, plan.ids.len());
        plan.layout = layout;
        Ok(plan)
    }
}

/// The classes of the sorted rows.
fn targets(batch: &Chunk<'_>, layout: &PackedLayout) -> Targets {
    let sorted = layout.sorted_indices();
    if batch.label_offsets.is_empty() {
        let labels = sorted.iter().map(|&row| batch.labels[row as usize] as u32).collect();
        return Targets { labels, starts: Vec::new() };
    }
    let mut targets = Targets { labels: Vec::new(), starts: vec![0] };
    for &row in sorted {
        let (start, end) = (batch.label_offsets[row as usize], batch.label_offsets[row as usize + 1]);
        targets.labels.extend(batch.labels[start as usize..end as usize].iter().map(|&label| label as u32));
        targets.starts.push(targets.labels.len() as u32);
    }
    targets
}

/// Prepares all batches of a chunk, shared out to the team.
pub(super) fn plan_all(
    model: &Model,
    pool: &Pool,
    distinct: &mut Vec<Distinct>,
    chunk: &Chunk<'_>,
    steps_before: u64,
) -> Result<Vec<Plan>> {
    distinct.resize_with(pool.size().max(distinct.len()), || Distinct::new(model.config.vocab_size));
    let mut places = Vec::with_capacity(chunk.batch_sizes.len());
    let (mut row, mut token) = (0, 0);
    for &size in chunk.batch_sizes {
        let lengths = &chunk.lengths[row..row + size as usize];
        let tokens: usize = lengths.iter().map(|&length| length as usize).sum();
        places.push((row..row + lengths.len(), token..token + tokens));
        row += lengths.len();
        token += tokens;
    }
    let finders: Vec<Mutex<&mut Distinct>> = distinct.iter_mut().map(Mutex::new).collect();
    let plans: Vec<Mutex<Result<Plan>>> = places.iter().map(|_| Mutex::new(Ok(Plan::default()))).collect();
    let team = (model.shape.dirs, pool.size());
    pool.run(|member| {
        let mut finder = finders[member.rank()].lock().unwrap_or_else(PoisonError::into_inner);
        for batch in (member.rank()..places.len()).step_by(member.size()) {
            let (rows, tokens) = places[batch].clone();
            let part = chunk.batch(rows, tokens);
            let plan = Plan::new(&part, model.word_dropout(steps_before + batch as u64), team, &mut finder);
            *plans[batch].lock().unwrap_or_else(PoisonError::into_inner) = plan;
        }
    });
    plans.into_iter().map(|plan| plan.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}
