//! Texts on their way into the model: checked, sorted, packed.

use super::ClassifierConfig;
use std::ops::Range;

use crate::Result;
use crate::error::{IntoResult, argument, range};
use crate::tensor::convert::to_device;
use crate::tensor::create::from_i64;
use recurra_kernels::layout::PackedLayout;
use tch::{Device, Tensor};

/// Several batches of labelled texts.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    /// Token ids of all texts, one text after the other.
    pub tokens: Vec<i32>,
    /// Tokens per text, each at least 1.
    pub lengths: Vec<i32>,
    /// The class of each text; of a multi-label classifier the classes of all texts, one text after the other.
    pub labels: Vec<i32>,
    /// Of a multi-label classifier: where the classes of each text begin, and at last how many there are. Else empty.
    pub label_offsets: Vec<u32>,
    /// Texts per batch.
    pub batch_sizes: Vec<i32>,
}

impl Chunk {
    /// Refuses ids and labels outside their range and counts that do not agree.
    pub(super) fn check(&self, config: &ClassifierConfig) -> Result<()> {
        check_texts(&self.tokens, &self.lengths, config)?;
        if config.multi_label {
            let (offsets, rows) = (&self.label_offsets, self.lengths.len());
            let rises = offsets.windows(2).all(|pair| pair[0] <= pair[1]);
            if offsets.len() != rows + 1 || offsets[0] != 0 || offsets[rows] as usize != self.labels.len() || !rises {
                return Err(argument(format!(
                    "labelOffsets must be {} numbers that rise from 0 to the {} labels",
                    rows + 1,
                    self.labels.len()
                )));
            }
        } else if !self.label_offsets.is_empty() {
            return Err(argument("labelOffsets are for a multi-label classifier"));
        } else if self.labels.len() != self.lengths.len() {
            return Err(argument(format!(
                "labels must have one entry per text, {}, but has {}",
                self.lengths.len(),
                self.labels.len()
            )));
        }
        let classes = config.num_classes;
        if let Some((at, label)) = outside(&self.labels, classes) {
            let row = if config.multi_label { self.row_of_label(at) } else { at };
            return Err(range(format!("label {label} of row {row} is outside 0 to {}", classes - 1)));
        }
        let rows: i64 = self.batch_sizes.iter().map(|&size| i64::from(size)).sum();
        if self.batch_sizes.iter().any(|&size| size < 1) || rows != self.lengths.len() as i64 {
            return Err(argument(format!(
                "batchSizes must be positive and sum to the {} texts, but sum to {rows}",
                self.lengths.len()
            )));
        }
        Ok(())
    }
}

impl Chunk {
    fn row_of_label(&self, at: usize) -> usize {
        self.label_offsets.partition_point(|&offset| offset as usize <= at) - 1
    }

    /// What the loss compares the logits of some rows with, sorted as `batch`: the classes `[rows]` as `int64`, of a
    /// multi-label classifier `[rows, classes]` with ones for those that are there.
    pub(super) fn targets(&self, rows: Range<usize>, batch: &Packed, config: &ClassifierConfig) -> Result<Tensor> {
        if !config.multi_label {
            return batch.sorted(&self.labels[rows]);
        }
        let classes = config.num_classes as usize;
        let mut targets = vec![0.0_f32; rows.len() * classes];
        for (place, &row) in batch.layout.sorted_indices().iter().enumerate() {
            let row = rows.start + row as usize;
            let labels = self.label_offsets[row] as usize..self.label_offsets[row + 1] as usize;
            for &label in &self.labels[labels] {
                targets[place * classes + label as usize] = 1.0;
            }
        }
        let targets = Tensor::f_from_slice(&targets).torch()?.f_reshape([-1, config.num_classes]).torch()?;
        to_device(&targets, config.device)
    }
}

/// Refuses token ids outside the vocabulary and lengths that do not sum to the tokens.
pub(super) fn check_texts(tokens: &[i32], lengths: &[i32], config: &ClassifierConfig) -> Result<()> {
    if let Some((row, length)) = lengths.iter().enumerate().find(|&(_, &length)| length < 1) {
        return Err(range(format!("each text needs at least one token, but row {row} has the length {length}")));
    }
    let sum: i64 = lengths.iter().map(|&length| i64::from(length)).sum();
    if sum != tokens.len() as i64 {
        return Err(argument(format!("lengths must sum to the {} tokens, but sum to {sum}", tokens.len())));
    }
    if let Some((position, id)) = outside(tokens, config.vocab_size) {
        return Err(range(format!("token id {id} at position {position} is outside 0 to {}", config.vocab_size - 1)));
    }
    Ok(())
}

fn outside(values: &[i32], limit: i64) -> Option<(usize, i32)> {
    values.iter().copied().enumerate().find(|&(_, value)| value < 0 || i64::from(value) >= limit)
}

/// One batch in the packed layout, on the model's device.
pub(super) struct Packed {
    pub layout: PackedLayout,
    /// `[tokens]`.
    pub ids: Tensor,
    /// Rows per step, as the operators take them.
    pub batch_sizes: Vec<i32>,
}

impl Packed {
    /// Packs checked texts; `starts` says where each text begins in `tokens`.
    pub fn new(tokens: &[i32], starts: &[usize], lengths: &[i32], device: Device) -> Result<Self> {
        let layout = PackedLayout::new(lengths, None)?;
        let mut ids = Vec::with_capacity(layout.total());
        for (step, &rows) in layout.batch_sizes().iter().enumerate() {
            let sorted = &layout.sorted_indices()[..rows as usize];
            ids.extend(sorted.iter().map(|&row| i64::from(tokens[starts[row as usize] + step])));
        }
        let batch_sizes = layout.batch_sizes().iter().map(|&size| size as i32).collect();
        Ok(Self { ids: to_device(&from_i64(&ids)?, device)?, layout, batch_sizes })
    }

    /// Texts.
    pub fn rows(&self) -> i64 {
        self.layout.rows() as i64
    }

    /// The sorted row that each packed position belongs to. `[tokens]`.
    pub fn row_of_position(&self) -> Result<Tensor> {
        let rows: Vec<i64> = self.batch_sizes.iter().flat_map(|&size| 0..i64::from(size)).collect();
        to_device(&from_i64(&rows)?, self.ids.device())
    }

    /// Lengths of the sorted rows, as a column. `[rows, 1]`.
    pub fn lengths_column(&self) -> Result<Tensor> {
        let lengths: Vec<f32> = self.layout.lengths().iter().map(|&length| length as f32).collect();
        let column = Tensor::f_from_slice(&lengths).torch()?.f_reshape([-1_i64, 1]).torch()?;
        to_device(&column, self.ids.device())
    }

    /// Values given per text, in the sorted order, as `int64` on the model's device. `[rows]`.
    pub fn sorted(&self, values: &[i32]) -> Result<Tensor> {
        let values: Vec<i64> =
            self.layout.sorted_indices().iter().map(|&row| i64::from(values[row as usize])).collect();
        to_device(&from_i64(&values)?, self.ids.device())
    }
}

/// Where each text begins among the tokens.
pub(super) fn starts(lengths: &[i32]) -> Vec<usize> {
    lengths
        .iter()
        .scan(0, |next, &length| {
            let start = *next;
            *next += length as usize;
            Some(start)
        })
        .collect()
}
