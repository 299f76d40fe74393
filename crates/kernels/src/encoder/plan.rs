//! The part of a batch that does not depend on the weights: layout, distinct words, and their positions.

use std::ops::Range;

use crate::random::Chosen;
use crate::recurrent::stack::slices;
use recurra_core::{
    Result,
    distinct::{Distinct, Users},
    layout::PackedLayout,
};

/// A batch, prepared.
#[derive(Default)]
pub(crate) struct Plan {
    pub layout: PackedLayout,
    pub slices: Vec<Range<usize>>,
    /// Distinct words, in order of first use.
    pub ids: Vec<u32>,
    /// For each packed position, the number of its word in `ids`.
    pub slots: Vec<u32>,
    /// The positions of each word.
    pub users: Users,
}

/// Word dropout of a batch: which tokens are read as which word.
#[derive(Clone, Copy)]
pub(crate) struct WordDropout {
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
    /// Prepares the validated rows of one batch for a team of `members`.
    pub fn new(
        (mut tokens, lengths): (&[i32], &[i32]),
        dropout: Option<WordDropout>,
        (dirs, members): (usize, usize),
        distinct: &mut Distinct,
    ) -> Result<Self> {
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
        let mut plan = Self { slices: slices(&layout, dirs, members), ..Self::default() };
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
