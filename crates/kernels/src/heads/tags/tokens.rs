//! Shared by all decoders: dropout and the linear layer at packed positions.

use crate::heads::linear::Linear;
use crate::heads::pass::{HeadPacks, HeadPass};
use crate::recurrent::segments::{Blocks, Segment};
use crate::simd::gemm::Mat;

#[cfg(feature = "training")]
mod back;

/// Buffer indices: with dropout, the outputs after it, `[positions, features]`; the scores, `[positions, tags]`; the
/// predictions. A decoder's own buffers follow.
pub(super) const FEATURES: usize = 0;
pub(super) const SCORES: usize = 1;
pub(super) const ANSWERS: usize = 2;

/// The scores of tags at packed positions.
pub(crate) struct Tokens {
    pub(super) tags: usize,
    pub(super) linear: Linear,
    /// Whether training applies dropout to the input of the linear layer.
    dropout: bool,
}

impl Tokens {
    /// For outputs of this width. `offset` is advanced past the parameters.
    pub fn new(tags: usize, output: Blocks, dropout: bool, offset: &mut usize) -> Self {
        Self::of(tags, Linear::new(tags, output, offset), dropout)
    }

    /// With an existing linear layer.
    pub fn of(tags: usize, linear: Linear, dropout: bool) -> Self {
        Self { tags, linear, dropout }
    }

    pub(super) fn segments(&self) -> [&Segment; 2] {
        [&self.linear.weight, &self.linear.bias]
    }

    /// Size of the buffer [`FEATURES`] for training on `total` positions.
    pub(super) fn features(&self, total: usize) -> (usize, usize) {
        (if self.dropout { total } else { 0 }, self.linear.width())
    }

    /// # Safety
    /// As [`crate::heads::head::Head::pack`].
    pub(super) unsafe fn pack(&self, packs: *mut HeadPacks, flat: &[f32], backward: bool) {
        // SAFETY: by the caller's promise; the reference is to this field only.
        self.linear.pack(unsafe { &mut (*packs).own }, flat, backward);
    }

    /// Computes the scores of `m` positions from `first` into as many rows of `scores`.
    ///
    /// # Safety
    /// The positions and the rows must be in range and belong to this thread.
    pub(super) unsafe fn forward(&self, pass: &HeadPass<'_>, (first, m): (usize, usize), scores: Mat) {
        // SAFETY: by the caller's promise; features have the width of the outputs.
        unsafe {
            let mut from = pass.encoded.y;
            if let Some(dropout) = pass.dropout {
                let features = pass.mats.own[FEATURES];
                std::ptr::copy_nonoverlapping(from.row(first), features.row(first), m * features.stride);
                dropout.drop(features, first..first + m);
                from = features;
            }
            self.linear.forward(&pass.packs.own, pass.flat, from.at(first, 0), m, scores);
        }
    }
}
