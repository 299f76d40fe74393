//! The way of a batch back through a head.

use super::pass::{HeadMats, HeadPacks, HeadPass, HeadSpace};
use super::targets::Targets;
use crate::encoder::encoded::Encoded;
use crate::recurrent::segments::Segment;
use crate::threads::Member;
use recurra_core::{Chunk, LossOptions, layout::PackedLayout};

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

/// What a head does in training alone.
///
/// After [`super::head::Head::forward`] come [`HeadTraining::loss`] and [`HeadTraining::backward`] by each thread on its own rows, and then
/// [`HeadTraining::weight_grads`].
pub(crate) trait HeadTraining {
    /// The right answers of a validated batch, in packed order.
    fn targets(&self, batch: &Chunk<'_>, layout: &PackedLayout) -> Targets;

    /// What the sum of the losses is divided by to give the batch's loss.
    fn divisor(&self, targets: &Targets, options: &LossOptions<'_>, rows: usize) -> f64;

    /// From scores to losses; the scores become their own gradients, for the sum of all losses divided by `divisor`.
    ///
    /// # Safety
    /// As [`super::head::Head::forward`], which must have come before.
    unsafe fn loss(&self, pass: &HeadPass<'_>, targets: &Targets, options: &LossOptions<'_>, divisor: f64) -> Tally;

    /// From the scores' gradients to those of the vectors.
    ///
    /// # Safety
    /// As [`super::head::Head::forward`].
    unsafe fn backward(&self, pass: &HeadPass<'_>, targets: &Targets);

    /// Room for what the targets in groups of tags need, `most(group)` of them in a batch at most.
    fn fit_groups(&self, _space: &mut HeadSpace, mats: HeadMats, _most: &dyn Fn(usize) -> usize) -> HeadMats {
        mats
    }

    /// This member's share of the parameters' gradients, into `grads` at the offsets of the segments: for each segment 16 of
    /// its rows at a time.
    ///
    /// # Safety
    /// All rows must have gone back, and nothing may change during the call; all members of the team must call it.
    unsafe fn weight_grads(&self, member: &Member<'_>, back: &Back<'_>, grads: *mut f32);

    /// Initial values of a parameter are uniform between this and its negative; `fan` is the number of features that the head reads.
    fn bound(&self, _segment: &Segment, fan: usize) -> f32 {
        1.0 / (fan as f32).sqrt()
    }
}
