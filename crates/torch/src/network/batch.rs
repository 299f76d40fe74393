//! Checked texts on their way into the model: sorted, packed, and put on the device.

use crate::Result;
use crate::error::IntoResult;
use crate::tensor::convert::to_device;
use crate::tensor::create::from_i64;
use recurra_core::Pooling;
use recurra_core::layout::PackedLayout;
use tch::{Device, Tensor};

/// What the loss of a network with sets compares the scores of some rows with, in the order `sorted`: `[rows, outputs]` with ones
/// for the outputs that are there. `starts` are those of the rows and one more, in the outputs of the whole chunk.
pub(super) fn sets(outputs: &[i32], starts: &[u32], sorted: &[u32], count: usize, device: Device) -> Result<Tensor> {
    let mut targets = vec![0.0_f32; sorted.len() * count];
    for (place, &row) in sorted.iter().enumerate() {
        let of_row = starts[row as usize] as usize..starts[row as usize + 1] as usize;
        for &output in &outputs[of_row] {
            targets[place * count + output as usize] = 1.0;
        }
    }
    let targets = Tensor::f_from_slice(&targets).torch()?.f_reshape([-1, count as i64]).torch()?;
    to_device(&targets, device)
}

/// One batch in the packed layout, on the model's device.
pub(super) struct Packed {
    pub layout: PackedLayout,
    /// `[tokens]`.
    pub ids: Tensor,
    /// Rows per step, as the operators take them.
    pub batch_sizes: Vec<i32>,
    /// Where tokens belong, if something asks.
    pub places: Option<Places>,
    /// Values given per text, in the sorted order, as `int64`. `[rows]`, or of nothing.
    pub labels: Tensor,
}

/// Where tokens belong.
pub(super) struct Places {
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
    places: bool,
}

impl Packer {
    /// For the batches of a network with this pooling, with `noise` for adversarial training.
    pub fn new(pooling: Pooling, noise: bool) -> Self {
        Self { places: noise || pooling == Pooling::Mean, ..Self::default() }
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
        if self.places {
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
            let places = if self.places {
                let (row_of_position, lengths) = (next(layout.total())?, next(layout.rows())?);
                Some(Places { row_of_position, lengths: lengths.f_reshape([-1_i64, 1]).torch()? })
            } else {
                None
            };
            let batch_sizes = layout.batch_sizes().iter().map(|&size| size as i32).collect();
            packed.push(Packed { layout, ids, batch_sizes, places, labels });
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
