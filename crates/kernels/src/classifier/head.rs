//! Pooling, linear layer and loss, forward and backward, for a run of sorted rows.

use std::ops::Range;

use super::attention::{Attention, AttentionMats, AttentionPacks};
use super::config::{LossOptions, Pooling};
use super::loss::{Sigmoid, Softmax, Targets, binary_cross_entropy, cross_entropy};
use super::model::{FcPacks, Model};
use crate::random::Dropout;
use crate::recurrent::DirMats;
use crate::simd::dispatch;
use crate::simd::gemm::{Gemm, Init, Mat};
use recurra_core::layout::PackedLayout;

/// Buffers of the head; `[rows, ...]`, and `[positions, features]` for the outputs of the last layer.
#[derive(Clone, Copy)]
pub(super) struct HeadMats {
    pub features: Mat,
    pub d_features: Mat,
    /// Position of the maximum, for max pooling.
    pub at: *mut u32,
    pub logits: Mat,
    pub y: Mat,
    pub dy: Mat,
    pub attention: AttentionMats,
}

// SAFETY: only addresses; see Mat.
unsafe impl Send for HeadMats {}
// SAFETY: as above.
unsafe impl Sync for HeadMats {}

/// The head for some rows; see the methods for what they read and write.
pub(super) struct Head<'a> {
    pub model: &'a Model,
    pub packs: &'a FcPacks,
    pub attention: &'a AttentionPacks,
    /// All parameters but the embedding.
    pub flat: *const f32,
    pub layout: &'a PackedLayout,
    pub mats: HeadMats,
    /// The last layer's directions.
    pub top: &'a [DirMats],
    /// Key of the dropout before the linear layer; `None` when predicting.
    pub dropout: Option<u64>,
    pub rows: Range<usize>,
}

impl Head<'_> {
    fn width(&self) -> usize {
        self.model.shape.output().private()
    }

    /// The pooling by attention, where the model has it.
    fn attend(&self) -> Option<Attention<'_>> {
        Some(Attention {
            segments: self.model.attention.as_ref()?,
            packs: self.attention,
            mats: self.mats.attention,
            flat: self.flat,
            layout: self.layout,
            rows: self.rows.clone(),
            y: self.mats.y,
            dy: self.mats.dy,
        })
    }

    unsafe fn pool(&self, row: usize) {
        let (width, length) = (self.width(), self.layout.lengths()[row] as usize);
        let offsets = self.layout.offsets();
        // SAFETY: row and positions are inside the matrices; this row is this thread's.
        unsafe {
            let to = std::slice::from_raw_parts_mut(self.mats.features.row(row), width);
            let output = |time: usize| std::slice::from_raw_parts(self.mats.y.row(offsets[time] + row), width);
            match self.model.config.pooling {
                Pooling::Last => {
                    let part = self.model.shape.rp;
                    for (dir, m) in self.top.iter().enumerate() {
                        std::ptr::copy_nonoverlapping(m.h.row(row), to.as_mut_ptr().add(dir * part), part);
                    }
                }
                Pooling::Mean => {
                    to.copy_from_slice(output(0));
                    for time in 1..length {
                        to.iter_mut().zip(output(time)).for_each(|(sum, y)| *sum += y);
                    }
                    let share = 1.0 / length as f32;
                    to.iter_mut().for_each(|sum| *sum *= share);
                }
                Pooling::Max => {
                    to.copy_from_slice(output(0));
                    if self.mats.at.is_null() {
                        for time in 1..length {
                            to.iter_mut()
                                .zip(output(time))
                                .for_each(|(max, &y)| *max = if y > *max { y } else { *max });
                        }
                        return;
                    }
                    let at = std::slice::from_raw_parts_mut(self.mats.at.add(row * width), width);
                    at.fill(0);
                    for time in 1..length {
                        for ((max, at), &y) in to.iter_mut().zip(at.iter_mut()).zip(output(time)) {
                            let more = y > *max;
                            *max = if more { y } else { *max };
                            *at = if more { time as u32 } else { *at };
                        }
                    }
                }
                Pooling::Attention => {}
            }
        }
    }

    unsafe fn drop_features(&self, mat: Mat) {
        let p = self.model.config.dropout;
        if let Some(key) = self.dropout
            && p > 0.0
        {
            let (start, n) = (self.rows.start * self.width(), self.rows.len() * self.width());
            // SAFETY: these rows are this thread's.
            let values = unsafe { std::slice::from_raw_parts_mut(mat.row(self.rows.start), n) };
            dispatch(Dropout { key, start, p, values });
        }
    }

    /// From the last layer's outputs to `logits`.
    ///
    /// # Safety
    /// The matrices must have the sizes of model and layout; these rows must be this thread's alone.
    pub unsafe fn forward(&self) {
        // SAFETY: by the caller's promise.
        unsafe {
            match self.attend() {
                Some(attention) => attention.forward(self.mats.features),
                None => self.rows.clone().for_each(|row| self.pool(row)),
            }
            self.drop_features(self.mats.features);
            let start = self.rows.start;
            let (a, c) = (self.mats.features.at(start, 0), self.mats.logits.at(start, 0));
            let bias = self.flat.add(self.model.fc_bias.offset);
            dispatch(Gemm { a, m: self.rows.len(), b: &self.packs.w_t, c, init: Init::Bias(bias) });
        }
    }

    /// From `logits` to probabilities in their place (padding: zero).
    ///
    /// # Safety
    /// As [`Head::forward`].
    pub unsafe fn probabilities(&self) {
        let (classes, padded) = (self.model.config.num_classes, self.model.fc_weight.rows.private());
        for row in self.rows.clone() {
            // SAFETY: by the caller's promise.
            let values = unsafe { std::slice::from_raw_parts_mut(self.mats.logits.row(row), padded) };
            if self.model.config.multi_label {
                dispatch(Sigmoid { values: &mut *values });
                values[classes..].fill(0.0);
            } else {
                dispatch(Softmax { values, classes });
            }
        }
    }

    /// From `logits` to the sum of losses and the number of right rows; `logits` become their own gradients for the
    /// sum of all losses divided by `divisor`.
    ///
    /// # Safety
    /// As [`Head::forward`].
    pub unsafe fn loss(&self, targets: &Targets, options: &LossOptions<'_>, divisor: f64) -> (f64, u64) {
        let (mut sum, mut correct) = (0.0, 0);
        let (classes, padded) = (self.model.config.num_classes, self.model.fc_weight.rows.private());
        let share = (1.0 / divisor) as f32;
        for row in self.rows.clone() {
            // SAFETY: by the caller's promise.
            let values = unsafe { std::slice::from_raw_parts_mut(self.mats.logits.row(row), padded) };
            let labels = targets.of(row);
            let one = if self.model.config.multi_label {
                binary_cross_entropy(values, classes, labels, options, share)
            } else {
                cross_entropy(values, classes, labels[0] as usize, options, share)
            };
            sum += one.loss;
            correct += u64::from(one.right);
        }
        (sum, correct)
    }

    /// From the gradients of `logits` to those of the last layer's states and outputs.
    ///
    /// # Safety
    /// As [`Head::forward`].
    pub unsafe fn backward(&self) {
        let (width, part, start) = (self.width(), self.model.shape.rp, self.rows.start);
        let offsets = self.layout.offsets();
        // SAFETY: by the caller's promise.
        unsafe {
            let (a, c) = (self.mats.logits.at(start, 0), self.mats.d_features.at(start, 0));
            dispatch(Gemm { a, m: self.rows.len(), b: &self.packs.w, c, init: Init::Zero });
            self.drop_features(self.mats.d_features);
            if let Some(attention) = self.attend() {
                return attention.backward(self.mats.d_features);
            }
            for row in self.rows.clone() {
                let length = self.layout.lengths()[row] as usize;
                let from = std::slice::from_raw_parts_mut(self.mats.d_features.row(row), width);
                let output = |time: usize| std::slice::from_raw_parts_mut(self.mats.dy.row(offsets[time] + row), width);
                match self.model.config.pooling {
                    Pooling::Last => {
                        for (dir, m) in self.top.iter().enumerate() {
                            std::ptr::copy_nonoverlapping(from.as_ptr().add(dir * part), m.dh.row(row), part);
                        }
                    }
                    Pooling::Mean => {
                        let share = 1.0 / length as f32;
                        from.iter_mut().for_each(|value| *value *= share);
                        (0..length).for_each(|time| output(time).copy_from_slice(from));
                    }
                    Pooling::Max => {
                        (0..length).for_each(|time| output(time).fill(0.0));
                        let at = std::slice::from_raw_parts(self.mats.at.add(row * width), width);
                        for (i, (&time, &value)) in at.iter().zip(from.iter()).enumerate() {
                            *self.mats.dy.row(offsets[time as usize] + row).add(i) = value;
                        }
                    }
                    Pooling::Attention => {}
                }
            }
        }
    }
}
