//! The backward pass of a batch through a head.

use super::pass::{HeadMats, HeadPacks, HeadPass, HeadSpace};
use super::targets::Targets;
use crate::encoder::encoded::Encoded;
use crate::recurrent::segments::Segment;
use crate::threads::Member;
use recurra_core::{Chunk, LossOptions, layout::PackedLayout};

/// A batch after the backward pass, for the gradients of the parameters.
#[derive(Clone, Copy)]
pub(crate) struct Back<'a> {
    pub encoded: Encoded<'a>,
    pub mats: HeadMats,
    pub packs: &'a HeadPacks,
    pub targets: &'a Targets,
    pub divisor: f64,
}

/// Sums over predictions.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    /// Sum of the losses, before division.
    pub loss: f64,
    /// Number of correct predictions.
    pub correct: u64,
}

/// The part of a head that only training needs.
///
/// After [`super::head::Head::forward`], each thread calls [`HeadTraining::loss`] and [`HeadTraining::backward`] on its
/// own rows; then all call [`HeadTraining::weight_grads`].
pub(crate) trait HeadTraining {
    /// The targets of a validated batch, in packed order.
    fn targets(&self, batch: &Chunk<'_>, layout: &PackedLayout) -> Targets;

    /// The divisor of the sum of the losses for the batch's loss.
    fn divisor(&self, targets: &Targets, options: &LossOptions<'_>, rows: usize) -> f64;

    /// Computes losses from scores. The scores are replaced by their gradients for the sum of all losses divided by
    /// `divisor`.
    ///
    /// # Safety
    /// As [`super::head::Head::forward`], which must have been called before.
    unsafe fn loss(&self, pass: &HeadPass<'_>, targets: &Targets, options: &LossOptions<'_>, divisor: f64) -> Tally;

    /// From the scores' gradients to those of the vectors.
    ///
    /// # Safety
    /// As [`super::head::Head::forward`].
    unsafe fn backward(&self, pass: &HeadPass<'_>, targets: &Targets);

    /// Allocates buffers for the targets in clusters of tags, at most `most(cluster)` in a batch.
    fn fit_groups(&self, _space: &mut HeadSpace, mats: HeadMats, _most: &dyn Fn(usize) -> usize) -> HeadMats {
        mats
    }

    /// Computes this member's share of the parameters' gradients into `grads`, at the offsets of the segments: 16 rows
    /// of each segment at a time.
    ///
    /// # Safety
    /// The backward pass of all rows must have ended, and nothing may change during the call. All members of the team
    /// must call it.
    unsafe fn weight_grads(&self, member: &Member<'_>, back: &Back<'_>, grads: *mut f32);

    /// Initial values of a parameter are uniform between this and its negative. `fan` is the number of features that
    /// the head reads.
    fn bound(&self, _segment: &Segment, fan: usize) -> f32 {
        1.0 / (fan as f32).sqrt()
    }
}
