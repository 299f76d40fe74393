//! The part of a batch that does not depend on the weights: layout, distinct words and their positions.

use std::ops::Range;

use super::bags::Bags;
use crate::random::Chosen;
use crate::recurrent::stack::slices;
use recurra_core::{
    Forms, Result, Rows,
    distinct::{Distinct, Users},
    layout::PackedLayout,
};

/// A prepared batch. Positions with the same input share its row: an input is a word, or with subwords a form, read as
/// its own word or as the unknown one.
#[derive(Default)]
pub(crate) struct Plan {
    pub layout: PackedLayout,
    pub slices: Vec<Range<usize>>,
    /// Distinct words in order of first use, followed by those that only other ranks read in the same step.
    pub ids: Vec<u32>,
    /// Number of `ids` that only other ranks read.
    pub others: usize,
    /// For each packed position, the number of its input.
    pub slots: Vec<u32>,
    /// The positions of each input.
    pub users: Users,
    /// With subwords, the words and features of the inputs; otherwise the inputs are the words in `ids`.
    pub bags: Option<Bags>,
}

/// Word dropout of a batch: the dropped tokens, and the word that replaces them.
#[derive(Clone, Copy)]
pub(crate) struct WordDropout {
    pub chosen: Chosen,
    pub unknown: u32,
}

/// What dropout removes from a batch.
#[derive(Clone, Copy, Default)]
pub(crate) struct Omitted {
    pub words: Option<WordDropout>,
    /// Features of the inputs, by their places in the batch.
    pub features: Option<Chosen>,
}

/// Number the distinct words, inputs and features of each batch.
#[derive(Default)]
pub(crate) struct Finders {
    pub words: Distinct,
    inputs: Distinct,
    pub features: Distinct,
}

impl Plan {
    /// Prepares the validated rows of one batch for a team of `members`.
    pub fn new(
        rows: Rows<'_>,
        Omitted { words: dropout, features }: Omitted,
        (dirs, members): (usize, usize),
        finders: &mut Finders,
    ) -> Result<Self> {
        let layout = PackedLayout::new(rows.lengths, None)?;
        let mut plan = Self { slices: slices(&layout, dirs, members), ..Self::default() };
        let dropped = |at: usize| dropout.is_some_and(|dropout| dropout.chosen.has(at as u32));
        let unknown = dropout.map_or(0, |dropout| dropout.unknown);
        let Finders { words, inputs, .. } = &mut *finders;
        plan.slots.reserve(layout.total());
        if let Some(forms) = rows.forms {
            // Twice the number of the form, plus 1 if it is read as the unknown word.
            let mut used = Vec::new();
            inputs.begin(2 * forms.len());
            each_place(&layout, rows.lengths, |at| {
                let input = 2 * rows.tokens[at] as u32 + u32::from(dropped(at));
                plan.slots.push(inputs.number(input, &mut used));
            });
            plan.bags = Some(plan.bags_of(forms, &used, (unknown, features), finders));
        } else {
            words.begin(0);
            each_place(&layout, rows.lengths, |at| {
                let id = if dropped(at) { unknown } else { rows.tokens[at] as u32 };
                plan.slots.push(words.number(id, &mut plan.ids));
            });
        }
        plan.users = Users::new(&plan.slots, plan.inputs());
        plan.layout = layout;
        Ok(plan)
    }

    fn bags_of(
        &mut self,
        forms: &Forms,
        used: &[u32],
        (unknown, dropped): (u32, Option<Chosen>),
        finders: &mut Finders,
    ) -> Bags {
        finders.words.begin(0);
        let word = |input: u32| if input % 2 == 1 { unknown } else { forms.word(input as usize / 2) };
        let words = used.iter().map(|&input| finders.words.number(word(input), &mut self.ids)).collect();
        Bags::new(
            words,
            self.ids.len(),
            used.iter().map(|&input| forms.features(input as usize / 2)),
            dropped,
            &mut finders.features,
        )
    }

    /// Number of words that these rows read themselves.
    pub fn own(&self) -> usize {
        self.ids.len() - self.others
    }

    /// Number of distinct inputs.
    pub fn inputs(&self) -> usize {
        self.bags.as_ref().map_or(self.own(), Bags::len)
    }

    /// Whether there are no rows: a rank without further rows still runs the step.
    pub fn is_empty(&self) -> bool {
        self.layout.rows() == 0
    }

    /// Number of distinct features.
    pub fn features(&self) -> usize {
        self.bags.as_ref().map_or(0, |bags| bags.ids.len())
    }
}

/// Calls `each` with the place of each packed position's token in the batch, row by row.
fn each_place(layout: &PackedLayout, lengths: &[i32], mut each: impl FnMut(usize)) {
    let mut starts = Vec::with_capacity(lengths.len());
    let mut start = 0;
    for &length in lengths {
        starts.push(start);
        start += length as usize;
    }
    for (time, &running) in layout.batch_sizes().iter().enumerate() {
        for &row in &layout.sorted_indices()[..running as usize] {
            each(starts[row as usize] + time);
        }
    }
}
