//! The part of a batch that does not depend on the weights: both sides' layouts, units and places.

use std::ops::Range;

use super::attention::Span;
use super::params::Params;
use crate::encoder::plan::{Finders, Omitted, Plan, WordDropout};
use recurra_core::{
    Result, Rows,
    distinct::{Distinct, Users},
    layout::PackedLayout,
};

/// Pairs of a batch as they come: source units, and target units that each end with the end unit.
#[derive(Clone, Copy)]
pub(super) struct Pairs<'a> {
    pub tokens: &'a [i32],
    pub lengths: &'a [i32],
    pub targets: &'a [i32],
    /// Where the targets of each row begin, and one more.
    pub starts: &'a [u32],
}

/// What numbers the different units of one batch after the other.
#[derive(Default)]
pub(super) struct PairFinders {
    source: Finders,
    target: Distinct,
}

/// A batch, prepared. The decoder has its own order of rows, by descending length of the targets.
#[derive(Default)]
pub(super) struct PairPlan {
    pub source: Plan,
    pub layout: PackedLayout,
    /// The decoder's rows of each member.
    pub slices: Vec<Range<usize>>,
    /// For each of the decoder's packed positions, the unit that is read.
    pub inputs: Vec<u32>,
    /// And the unit that should follow.
    pub labels: Vec<u32>,
    /// Different units that are read, for each position the number of its unit, and the positions of each.
    pub ids: Vec<u32>,
    pub slots: Vec<u32>,
    pub users: Users,
    /// For each of the decoder's rows its row of the encoder, and where its memory is.
    pub rows: Vec<u32>,
    pub spans: Vec<Span>,
    /// What all ranks have in this step, where there are others.
    pub group: Option<GroupPairs>,
}

/// Pairs of all ranks in a step.
#[derive(Clone, Copy)]
pub(super) struct GroupPairs {
    pub answers: u64,
    pub rows: u64,
}

impl PairPlan {
    /// Prepares the validated pairs of a batch for a team of `members`.
    pub fn new(
        params: &Params,
        pairs: Pairs<'_>,
        dropout: Option<WordDropout>,
        members: usize,
        finders: &mut PairFinders,
    ) -> Result<Self> {
        let config = &params.config;
        finders.source.words.begin(config.encoder.vocab_size);
        let rows = Rows::new(pairs.tokens, pairs.lengths);
        let source = Plan::new(
            rows,
            Omitted { words: dropout, features: None },
            (params.shape.dirs, members),
            &mut finders.source,
        )?;
        let lengths: Vec<i32> = pairs.starts.windows(2).map(|pair| (pair[1] - pair[0]) as i32).collect();
        let layout = PackedLayout::new(&lengths, None)?;
        let mut plan = Self { slices: layout.slices(members), ..Self::default() };
        finders.target.begin(config.target_size);
        for (time, &running) in layout.batch_sizes().iter().enumerate() {
            for &row in &layout.sorted_indices()[..running as usize] {
                let at = pairs.starts[row as usize] as usize + time;
                let input = if time == 0 { config.start_unit } else { pairs.targets[at - 1] as u32 };
                plan.inputs.push(input);
                plan.labels.push(pairs.targets[at] as u32);
                plan.slots.push(finders.target.number(input, &mut plan.ids));
            }
        }
        plan.users = Users::new(&plan.slots, plan.ids.len());
        (plan.rows, plan.spans) = spans(&source.layout, layout.sorted_indices());
        (plan.source, plan.layout) = (source, layout);
        Ok(plan)
    }

    /// Whether there are no rows: a rank whose rows have run out still moves with the others.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Target units that the losses of all ranks are of.
    pub fn answers(&self) -> u64 {
        self.group.map_or(self.layout.total() as u64, |group| group.answers)
    }

    /// Source units of all rows.
    pub fn units(&self) -> usize {
        self.source.layout.total()
    }
}

/// For each of the decoder's rows its row of the encoder, and where its memory is, one row after the other.
pub(super) fn spans(source: &PackedLayout, sorted: &[u32]) -> (Vec<u32>, Vec<Span>) {
    let rows: Vec<u32> = sorted.iter().map(|&row| source.unsorted_indices()[row as usize]).collect();
    let mut start = 0;
    let span = |&row: &u32| {
        let len = source.lengths()[row as usize] as usize;
        start += len;
        Span { start: start - len, len }
    };
    let spans = rows.iter().map(span).collect();
    (rows, spans)
}
