//! Texts on their way into the model: checked, sorted, packed.

use super::{ClassifierConfig, Pooling};
use std::ops::Range;

use crate::Result;
use crate::error::{IntoResult, argument, range};
use crate::tensor::convert::to_device;
use crate::tensor::create::from_i64;
use recurra_core::layout::PackedLayout;
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

    /// What the loss of a multi-label classifier compares the logits of some rows with, in the order `sorted`: `[rows, classes]`
    /// with ones for the classes that are there.
    pub(super) fn sets(&self, rows: Range<usize>, sorted: &[u32], config: &ClassifierConfig) -> Result<Tensor> {
        let classes = config.num_classes as usize;
        let mut targets = vec![0.0_f32; rows.len() * classes];
        for (place, &row) in sorted.iter().enumerate() {
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
    /// What is needed for a mean over tokens.
    pub mean: Option<ForMean>,
    /// Values given per text, in the sorted order, as `int64`. `[rows]`, or of nothing.
    pub labels: Tensor,
}

/// Where tokens belong.
pub(super) struct ForMean {
    /// The sorted row that each packed position belongs to. `[tokens]`.
    pub row_of_position: Tensor,
    /// Lengths of the sorted rows, as a column. `[rows, 1]`.
    pub lengths: Tensor,
}

impl Packed {
    /// Texts.
    pub fn rows(&self) -> i64 {
        self.layout.rows() as i64
    }
}

/// Batches that are packed one by one and go to the device together, in one copy.
#[derive(Default)]
pub(super) struct Packer {
    /// Of all batches one after the other: ids, labels, rows of positions, lengths.
    numbers: Vec<i64>,
    batches: Vec<(PackedLayout, usize)>,
    for_mean: bool,
}

impl Packer {
    /// For the batches of a classifier of this kind.
    pub fn new(config: &ClassifierConfig) -> Self {
        Self { for_mean: config.pooling == Pooling::Mean, ..Self::default() }
    }

    /// Packs checked texts; `starts` says where each text begins in `tokens`. There is a label for each text, or none at all.
    pub fn add(&mut self, tokens: &[i32], starts: &[usize], lengths: &[i32], labels: &[i32]) -> Result<()> {
        let layout = PackedLayout::new(lengths, None)?;
        for (step, &rows) in layout.batch_sizes().iter().enumerate() {
            let sorted = &layout.sorted_indices()[..rows as usize];
            self.numbers.extend(sorted.iter().map(|&row| i64::from(tokens[starts[row as usize] + step])));
        }
        if !labels.is_empty() {
            self.numbers.extend(layout.sorted_indices().iter().map(|&row| i64::from(labels[row as usize])));
        }
        if self.for_mean {
            self.numbers.extend(layout.batch_sizes().iter().flat_map(|&size| 0..i64::from(size)));
            self.numbers.extend(layout.lengths().iter().map(|&length| i64::from(length)));
        }
        self.batches.push((layout, labels.len()));
        Ok(())
    }

    /// All batches on the device, whose tensors are parts of one.
    pub fn finish(self, device: Device) -> Result<Vec<Packed>> {
        let numbers = to_device(&from_i64(&self.numbers)?, device)?;
        let mut at = 0;
        let mut next = |count: usize| -> Result<Tensor> {
            let part = numbers.f_narrow(0, at, count as i64).torch()?;
            at += count as i64;
            Ok(part)
        };
        let mut packed = Vec::with_capacity(self.batches.len());
        for (layout, labels) in self.batches {
            let (ids, labels) = (next(layout.total())?, next(labels)?);
            let mean = if self.for_mean {
                let (row_of_position, lengths) = (next(layout.total())?, next(layout.rows())?);
                Some(ForMean { row_of_position, lengths: lengths.f_reshape([-1_i64, 1]).torch()? })
            } else {
                None
            };
            let batch_sizes = layout.batch_sizes().iter().map(|&size| size as i32).collect();
            packed.push(Packed { layout, ids, batch_sizes, mean, labels });
        }
        Ok(packed)
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
