//! What of a batch does not depend on the weights: layout, distinct words, and who uses them.

use std::ops::Range;

use crate::layout::PackedLayout;
use crate::recurrent::slices;

/// A batch, prepared.
#[derive(Default)]
pub(super) struct Plan {
    pub layout: PackedLayout,
    pub slices: Vec<Range<usize>>,
    /// Distinct words, in order of first use.
    pub ids: Vec<u32>,
    /// For each packed position, the number of its word in `ids`.
    pub slots: Vec<u32>,
    /// `users[starts[u]..starts[u + 1]]` are the positions of word `u`, ascending.
    pub starts: Vec<u32>,
    pub users: Vec<u32>,
    /// Class of each sorted row.
    pub labels: Vec<u32>,
}

/// Finds the distinct words of a batch: for each word of the vocabulary, the batch it was last seen in and its number.
pub(super) struct Distinct {
    seen: Vec<(u32, u32)>,
    batch: u32,
}

impl Distinct {
    pub fn new(vocab_size: usize) -> Self {
        Self { seen: vec![(0, 0); vocab_size], batch: 0 }
    }
}

impl Plan {
    /// Prepares validated rows for a team of `members`.
    pub fn new(
        tokens: &[i32],
        lengths: &[i32],
        labels: &[i32],
        (dirs, members): (usize, usize),
        distinct: &mut Distinct,
    ) -> crate::Result<Self> {
        let layout = PackedLayout::new(lengths, None)?;
        let mut starts_of_rows = Vec::with_capacity(lengths.len());
        let mut start = 0;
        for &length in lengths {
            starts_of_rows.push(start);
            start += length as usize;
        }
        distinct.batch = distinct.batch.wrapping_add(1);
        if distinct.batch == 0 {
            distinct.seen.fill((0, 0));
            distinct.batch = 1;
        }
        let batch = distinct.batch;
        let mut plan = Self {
            slices: slices(&layout, dirs, members),
            labels: layout.sorted_indices().iter().map(|&row| labels[row as usize] as u32).collect(),
            ..Self::default()
        };
        plan.slots.reserve(layout.total());
        let mut counts: Vec<u32> = Vec::new();
        for (time, &running) in layout.batch_sizes().iter().enumerate() {
            for &row in &layout.sorted_indices()[..running as usize] {
                let id = tokens[starts_of_rows[row as usize] + time] as u32;
                let seen = &mut distinct.seen[id as usize];
                if seen.0 != batch {
                    *seen = (batch, plan.ids.len() as u32);
                    plan.ids.push(id);
                    counts.push(0);
                }
                counts[seen.1 as usize] += 1;
                plan.slots.push(seen.1);
            }
        }
        plan.starts.reserve(counts.len() + 1);
        let mut sum = 0;
        for count in &mut counts {
            plan.starts.push(sum);
            sum += *count;
            *count = sum - *count;
        }
        plan.starts.push(sum);
        plan.users.resize(plan.slots.len(), 0);
        for (position, &slot) in plan.slots.iter().enumerate() {
            let place = &mut counts[slot as usize];
            plan.users[*place as usize] = position as u32;
            *place += 1;
        }
        plan.layout = layout;
        Ok(plan)
    }
}
