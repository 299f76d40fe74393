//! The targets of a batch.

use recurra_core::{
    Chunk,
    layout::PackedLayout,
    training::Targets::{Rows, Sets, Tokens},
};

/// The targets of a batch's sorted rows or packed positions.
#[derive(Default)]
pub(crate) struct Targets {
    /// The class of each row; with sets of classes, those of all rows, concatenated; with tags, the tag of each
    /// position.
    pub labels: Vec<u32>,
    /// Start of each row's classes, followed by the total; empty if each row or position has one.
    pub starts: Vec<u32>,
    /// The positions whose tag is in each cluster, ascending, for a head with clusters.
    pub groups: Vec<Vec<u32>>,
}

impl Targets {
    /// The classes of a row.
    pub fn of_row(&self, row: usize) -> &[u32] {
        if self.starts.is_empty() {
            &self.labels[row..row + 1]
        } else {
            &self.labels[self.starts[row] as usize..self.starts[row + 1] as usize]
        }
    }

    /// The targets of a batch in the order of the sorted rows or packed positions. The starts of sets, if any, are
    /// those of its rows and one more, and refer to the labels of the whole chunk.
    pub fn of(batch: &Chunk<'_>, layout: &PackedLayout) -> Self {
        let sorted = layout.sorted_indices();
        let (outputs, starts) = match batch.targets {
            Rows(labels) => {
                let labels = sorted.iter().map(|&row| labels[row as usize] as u32).collect();
                return Self { labels, ..Self::default() };
            }
            Tokens(tags) => {
                let mut starts = Vec::with_capacity(batch.lengths.len());
                let mut next = 0;
                for &length in batch.lengths {
                    starts.push(next);
                    next += length as usize;
                }
                return Self { labels: in_packed_order(tags, &starts, layout), ..Self::default() };
            }
            Sets { outputs, starts } => (outputs, starts),
        };
        let mut targets = Self { starts: vec![0], ..Self::default() };
        for &row in sorted {
            let (start, end) = (starts[row as usize], starts[row as usize + 1]);
            targets.labels.extend(outputs[start as usize..end as usize].iter().map(|&label| label as u32));
            targets.starts.push(targets.labels.len() as u32);
        }
        targets
    }
}

/// Tags of tokens in packed order. The tags of each row of the layout start at `starts`.
pub(crate) fn in_packed_order(tags: &[i32], starts: &[usize], layout: &PackedLayout) -> Vec<u32> {
    let mut labels = Vec::with_capacity(layout.total());
    for (time, &running) in layout.batch_sizes().iter().enumerate() {
        let sorted = &layout.sorted_indices()[..running as usize];
        labels.extend(sorted.iter().map(|&row| tags[starts[row as usize] + time] as u32));
    }
    labels
}
