//! The part of a batch that does not depend on the weights: the layouts, units and positions of both sides.

use std::ops::Range;

use super::attention::Span;
use super::params::Params;
use crate::encoder::plan::{Finders, Omitted, Plan, WordDropout};
use recurra_core::{
    Result, Rows,
    distinct::{Distinct, Users},
    layout::PackedLayout,
};

/// The pairs of a batch: source units, and target units of which each row ends with the end unit.
#[derive(Clone, Copy)]
pub(super) struct Pairs<'a> {
    pub tokens: &'a [i32],
    pub lengths: &'a [i32],
    pub targets: &'a [i32],
    /// Start of each row's targets, and one more.
    pub starts: &'a [u32],
}

/// Number the distinct units of each batch.
#[derive(Default)]
pub(super) struct PairFinders {
    source: Finders,
    target: Distinct,
}

/// A prepared batch. The decoder has its own order of rows, by descending length of the targets.
#[derive(Default)]
pub(super) struct PairPlan {
    pub source: Plan,
    pub layout: PackedLayout,
    /// The decoder's rows of each member.
    pub slices: Vec<Range<usize>>,
    /// For each packed position of the decoder, the unit that is read.
    pub inputs: Vec<u32>,
    /// The unit that should follow it.
    pub labels: Vec<u32>,
    /// Distinct units that are read, the number of each position's unit, and the positions of each unit.
    pub ids: Vec<u32>,
    pub slots: Vec<u32>,
    pub users: Users,
    /// For each decoder row, its encoder row and the span of its memory.
    pub rows: Vec<u32>,
    pub spans: Vec<Span>,
    /// The totals of all ranks in this step, if there are others.
    pub group: Option<GroupPairs>,
}

/// Totals of the pairs of all ranks in a step.
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

    /// Whether there are no rows: a rank without further rows still runs the step.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Number of target units in the loss, over all ranks.
    pub fn answers(&self) -> u64 {
        self.group.map_or(self.layout.total() as u64, |group| group.answers)
    }

    /// Number of source units of all rows.
    pub fn units(&self) -> usize {
        self.source.layout.total()
    }
}

/// For each decoder row, its encoder row and the span of its memory. Spans are contiguous.
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
