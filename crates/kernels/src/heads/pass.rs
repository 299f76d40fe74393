//! The data of a batch's pass through a head: packed parameters, buffers, and a thread's rows.

use std::ops::Range;

use super::crf::Crf;
use crate::encoder::encoded::Encoded;
use crate::pool::space::{Mats, Space};
use crate::random::drop_rows;
use crate::simd::gemm::{Mat, PackedB};
use recurra_core::layout::PackedLayout;

/// The packed parameters of a head and of its pooling.
#[derive(Default)]
pub(crate) struct HeadPacks {
    pub own: Vec<PackedB>,
    pub pool: Vec<PackedB>,
    pub crf: Crf,
    /// For tag clusters with their own layers.
    pub tails: [Vec<PackedB>; MOST_TAILS],
}

/// Maximum number of such clusters.
pub(crate) const MOST_TAILS: usize = 2;

/// Buffers of a head and of its pooling.
#[derive(Default)]
pub(crate) struct HeadSpace {
    pub own: Space,
    pub pool: Space,
    pub tails: Space,
}

/// Addresses of the buffers.
#[derive(Clone, Copy)]
pub(crate) struct HeadMats {
    pub own: Mats,
    pub pool: Mats,
    /// Buffers of tag clusters; in training from [`super::training::HeadTraining::fit_groups`].
    pub tails: Mats,
    /// The scores, `[rows, outputs]` padded, or with tags `[positions, outputs]`; later their gradients.
    pub scores: Mat,
    /// After prediction, the predictions, in rows of [`super::head::Head::answer_width`] values; they may share the
    /// memory of the scores.
    pub answers: Mat,
}

/// What a head predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Row,
    Token,
}

impl Unit {
    /// Number of predictions for a batch.
    pub fn count(self, layout: &PackedLayout) -> usize {
        match self {
            Self::Row => layout.rows(),
            Self::Token => layout.total(),
        }
    }
}

/// The purpose of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aim {
    Training,
    /// Predictions.
    Answers,
    /// The scores that predictions are derived from.
    Scores,
}

/// Dropout of the head's input.
#[derive(Clone, Copy)]
pub(crate) struct HeadDropout {
    pub key: u64,
    pub p: f32,
}

impl HeadDropout {
    /// Drops values of some rows.
    ///
    /// # Safety
    /// The rows must be in range and belong to this thread.
    pub unsafe fn drop(self, mat: Mat, rows: Range<usize>) {
        // SAFETY: by the caller's promise.
        unsafe { drop_rows(self.key, self.p, mat, rows) };
    }
}

/// The rows of a batch that one thread processes.
pub(crate) struct HeadPass<'a> {
    pub encoded: Encoded<'a>,
    /// Sorted rows, or packed positions with [`super::head::Head::shares_positions`].
    pub rows: Range<usize>,
    pub mats: HeadMats,
    pub packs: &'a HeadPacks,
    /// All parameters except the embedding.
    pub flat: *const f32,
    /// Only in training.
    pub dropout: Option<HeadDropout>,
}
