//! What a batch goes through a head with: packed parameters, buffers, and the rows of a thread.

use std::ops::Range;

use super::crf::Crf;
use crate::encoder::encoded::Encoded;
use crate::pool::space::{Mats, Space};
use crate::random::drop_rows;
use crate::simd::gemm::{Mat, PackedB};
use recurra_core::layout::PackedLayout;

/// The parameters of a head and of its pooling, packed.
#[derive(Default)]
pub(crate) struct HeadPacks {
    pub own: Vec<PackedB>,
    pub pool: Vec<PackedB>,
    pub crf: Crf,
    /// For groups of tags with their own layers.
    pub tails: [Vec<PackedB>; MOST_TAILS],
}

/// Most such groups.
pub(crate) const MOST_TAILS: usize = 2;

/// Buffers of a head and of its pooling.
#[derive(Default)]
pub(crate) struct HeadSpace {
    pub own: Space,
    pub pool: Space,
    pub tails: Space,
}

/// Their addresses.
#[derive(Clone, Copy)]
pub(crate) struct HeadMats {
    pub own: Mats,
    pub pool: Mats,
    /// Of groups of tags; in training by [`super::training::HeadTraining::fit_groups`].
    pub tails: Mats,
    /// The scores, `[rows, outputs]` padded, or with tags `[positions, outputs]`; in training later their gradients.
    pub scores: Mat,
    /// After a prediction the answers, as many rows of [`super::head::Head::answer_width`]; they may be in the place of the scores.
    pub answers: Mat,
}

/// What a head gives an answer for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Row,
    Token,
}

impl Unit {
    /// The answers to a batch.
    pub fn count(self, layout: &PackedLayout) -> usize {
        match self {
            Self::Row => layout.rows(),
            Self::Token => layout.total(),
        }
    }
}

/// What a batch goes through a head for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aim {
    Training,
    /// A prediction's answers.
    Answers,
    /// The scores that answers are made of.
    Scores,
}

/// Dropout of what a head reads.
#[derive(Clone, Copy)]
pub(crate) struct HeadDropout {
    pub key: u64,
    pub p: f32,
}

impl HeadDropout {
    /// Drops values of some rows.
    ///
    /// # Safety
    /// The rows must be inside and this thread's.
    pub unsafe fn drop(self, mat: Mat, rows: Range<usize>) {
        // SAFETY: by the caller's promise.
        unsafe { drop_rows(self.key, self.p, mat, rows) };
    }
}

/// Rows of a batch that one thread takes through a head.
pub(crate) struct HeadPass<'a> {
    pub encoded: Encoded<'a>,
    /// Sorted rows, or packed positions where [`super::head::Head::shares_positions`] says so.
    pub rows: Range<usize>,
    pub mats: HeadMats,
    pub packs: &'a HeadPacks,
    /// All parameters but the embedding.
    pub flat: *const f32,
    /// In training only.
    pub dropout: Option<HeadDropout>,
}
