//! The right answers of a batch.

use recurra_core::{
    Chunk,
    layout::PackedLayout,
    training::Targets::{Rows, Sets},
};

/// The right answers of a batch's sorted rows.
#[derive(Default)]
pub(crate) struct Targets {
    /// The class of each row; with sets of classes those of all rows, one row after the other.
    pub labels: Vec<u32>,
    /// Where the classes of each row begin, and at last how many there are; empty where each row has one class.
    pub starts: Vec<u32>,
}

impl Targets {
    /// The classes of a row.
    pub fn of(&self, row: usize) -> &[u32] {
        if self.starts.is_empty() {
            &self.labels[row..row + 1]
        } else {
            &self.labels[self.starts[row] as usize..self.starts[row + 1] as usize]
        }
    }

    /// The answers of a batch, in the order of the sorted rows. Label offsets, where there are some, are those of its rows and
    /// one more, in the labels of the whole chunk.
    pub fn of_rows(batch: &Chunk<'_>, layout: &PackedLayout) -> Self {
        let sorted = layout.sorted_indices();
        let (outputs, starts) = match batch.targets {
            Rows(labels) => {
                let labels = sorted.iter().map(|&row| labels[row as usize] as u32).collect();
                return Self { labels, starts: Vec::new() };
            }
            Sets { outputs, starts } => (outputs, starts),
        };
        let mut targets = Self { labels: Vec::new(), starts: vec![0] };
        for &row in sorted {
            let (start, end) = (starts[row as usize], starts[row as usize + 1]);
            targets.labels.extend(outputs[start as usize..end as usize].iter().map(|&label| label as u32));
            targets.starts.push(targets.labels.len() as u32);
        }
        targets
    }
}
