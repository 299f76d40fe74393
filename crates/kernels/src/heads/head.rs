//! What a head is to the network.

use std::ops::Range;

use super::targets::Targets;
use crate::encoder::encoded::{Encoded, Needs};
use crate::heads::crf::Crf;
use crate::pool::space::{Mats, Space};
use crate::random::drop_rows;
use crate::recurrent::segments::Segment;
use crate::simd::gemm::{Mat, PackedB};
use crate::threads::Member;
use recurra_core::{Chunk, LossOptions, layout::PackedLayout};

/// The parameters of a head and of its pooling, packed.
#[derive(Default)]
pub(crate) struct HeadPacks {
    pub own: Vec<PackedB>,
    pub pool: Vec<PackedB>,
    pub crf: Crf,
}

/// Buffers of a head and of its pooling.
#[derive(Default)]
pub(crate) struct HeadSpace {
    pub own: Space,
    pub pool: Space,
}

/// Their addresses.
#[derive(Clone, Copy)]
pub(crate) struct HeadMats {
    pub own: Mats,
    pub pool: Mats,
    /// The scores, `[rows, outputs]` padded, or with tags `[positions, outputs]`; after [`Head::loss`] their gradients.
    pub scores: Mat,
    /// After [`Head::predict`] the answers, as many rows of [`Head::answer_width`]; they may be in the place of the scores.
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
    /// Sorted rows, or packed positions where [`Head::shares_positions`] says so.
    pub rows: Range<usize>,
    pub mats: HeadMats,
    pub packs: &'a HeadPacks,
    /// All parameters but the embedding.
    pub flat: *const f32,
    /// In training only.
    pub dropout: Option<HeadDropout>,
}

/// A batch that has gone back through a head, for the gradients of its parameters.
#[derive(Clone, Copy)]
pub(crate) struct Back<'a> {
    pub encoded: Encoded<'a>,
    pub mats: HeadMats,
    pub packs: &'a HeadPacks,
    pub targets: &'a Targets,
    pub divisor: f64,
}

/// Sums over answers.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    /// Of the losses, before they are divided.
    pub loss: f64,
    /// Of the correct answers.
    pub correct: u64,
}

/// What stands on an encoder: it turns vectors into scores, and scores into a loss. It is called once a batch; its inner loops
/// are its own.
///
/// The way of a batch is [`Head::forward`], [`Head::loss`] and [`Head::backward`] by each thread on its own rows, and then
/// [`Head::weight_grads`]; that of a prediction is [`Head::predict`].
pub(crate) trait Head: Send + Sync {
    /// What it reads of the encoder.
    fn needs(&self) -> Needs;

    /// What it answers for.
    fn unit(&self) -> Unit;

    /// Whether threads share the packed positions of a batch instead of its rows: where positions do not depend on each other, a
    /// few long matrix products take less time than many short ones.
    fn shares_positions(&self) -> bool {
        false
    }

    /// Scores for an answer.
    fn outputs(&self) -> usize;

    /// Numbers of an answer.
    fn answer_width(&self) -> usize;

    /// Its parameters, in the order of the state dict.
    fn segments(&self) -> Vec<&Segment>;

    /// Initial values of a parameter are uniform between this and its negative; `fan` is the number of features that the head reads.
    fn bound(&self, _segment: &Segment, fan: usize) -> f32 {
        1.0 / (fan as f32).sqrt()
    }

    /// Number of the pieces that [`Head::pack`] takes.
    fn pieces(&self) -> usize;

    /// Packs one piece of the parameters; `backward` also packs what only the way back needs.
    ///
    /// # Safety
    /// `packs` must be valid. Different pieces touch different fields, so a team may share them out, but no piece may be
    /// packed by two threads at once, nor read at the same time.
    unsafe fn pack(&self, packs: *mut HeadPacks, piece: usize, flat: &[f32], backward: bool);

    /// Room for a batch of `rows` rows with `total` positions.
    fn fit(&self, space: &mut HeadSpace, rows: usize, total: usize, aim: Aim) -> HeadMats;

    /// The right answers of a validated batch, in packed order.
    fn targets(&self, batch: &Chunk<'_>, layout: &PackedLayout) -> Targets;

    /// What the sum of the losses is divided by to give the batch's loss.
    fn divisor(&self, targets: &Targets, options: &LossOptions<'_>, rows: usize) -> f64;

    /// From vectors to scores.
    ///
    /// # Safety
    /// The matrices must have the sizes of the batch; the pass's rows must be this thread's alone.
    unsafe fn forward(&self, pass: &HeadPass<'_>);

    /// From scores to losses; the scores become their own gradients, for the sum of all losses divided by `divisor`.
    ///
    /// # Safety
    /// As [`Head::forward`], which must have come before.
    unsafe fn loss(&self, pass: &HeadPass<'_>, targets: &Targets, options: &LossOptions<'_>, divisor: f64) -> Tally;

    /// From the scores' gradients to those of the vectors.
    ///
    /// # Safety
    /// As [`Head::forward`].
    unsafe fn backward(&self, pass: &HeadPass<'_>);

    /// This member's share of the parameters' gradients, into `grads` at the offsets of the segments: for each segment 16 of
    /// its rows at a time.
    ///
    /// # Safety
    /// All rows must have gone back, and nothing may change during the call; all members of the team must call it.
    unsafe fn weight_grads(&self, member: &Member<'_>, back: &Back<'_>, grads: *mut f32);

    /// From vectors to scores, or with [`Aim::Answers`] to answers.
    ///
    /// # Safety
    /// As [`Head::forward`], with matrices that were made for the same aim.
    unsafe fn predict(&self, pass: &HeadPass<'_>, aim: Aim);
}

impl dyn Head {
    /// All of a batch: the rows of a [`HeadPass`] with one thread.
    pub fn whole(&self, layout: &PackedLayout) -> Range<usize> {
        0..if self.shares_positions() { layout.total() } else { layout.rows() }
    }

    /// Packs everything on the calling thread.
    pub fn pack_all(&self, packs: &mut HeadPacks, flat: &[f32], backward: bool) {
        for piece in 0..self.pieces() {
            // SAFETY: the packs are borrowed mutably.
            unsafe { self.pack(packs, piece, flat, backward) };
        }
    }
}
