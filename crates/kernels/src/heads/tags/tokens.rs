//! What all decoders have in common: dropout and the linear layer at some packed positions.

use crate::heads::linear::Linear;
use crate::heads::pass::{HeadPacks, HeadPass};
use crate::recurrent::segments::{Blocks, Segment};
use crate::simd::gemm::Mat;

#[cfg(feature = "training")]
mod back;

/// Numbers of the buffers: with dropout the outputs after it, `[positions, features]`; the scores, `[positions, tags]`; and the
/// answers. A decoder's own follow.
pub(super) const FEATURES: usize = 0;
pub(super) const SCORES: usize = 1;
pub(super) const ANSWERS: usize = 2;

/// The scores of tags at packed positions.
pub(crate) struct Tokens {
    pub(super) tags: usize,
    pub(super) linear: Linear,
    /// Whether training drops some of what the linear layer reads.
    dropout: bool,
}

impl Tokens {
    /// On outputs of this width; `offset` moves past the parameters.
    pub fn new(tags: usize, output: Blocks, dropout: bool, offset: &mut usize) -> Self {
        Self::of(tags, Linear::new(tags, output, offset), dropout)
    }

    /// With a linear layer that is there.
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

    /// Scores of `m` positions from the position `first` on, into as many rows of `scores`.
    ///
    /// # Safety
    /// The positions must be inside and this thread's alone, and so must the rows.
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
