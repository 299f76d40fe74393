//! What a head is to the network.

use std::ops::Range;

use super::pass::{Aim, HeadMats, HeadPacks, HeadPass, HeadSpace, Unit};
use super::training::HeadTraining;
use crate::encoder::encoded::Needs;
use crate::recurrent::segments::Segment;
use recurra_core::layout::PackedLayout;

/// What stands on an encoder: it turns vectors into scores, and scores into a loss. It is called once a batch; its inner loops
/// are its own.
///
/// The way of a prediction is [`Head::predict`]; that of a batch in training begins with [`Head::forward`], and the rest of it is
/// [`HeadTraining`].
pub(crate) trait Head: HeadTraining + Send + Sync {
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

    /// From vectors to scores.
    ///
    /// # Safety
    /// The matrices must have the sizes of the batch; the pass's rows must be this thread's alone.
    unsafe fn forward(&self, pass: &HeadPass<'_>);

    /// From vectors to scores, or with [`Aim::Answers`] to answers.
    ///
    /// # Safety
    /// As [`Head::forward`], with matrices that were made for the same aim.
    unsafe fn predict(&self, pass: &HeadPass<'_>, aim: Aim);

    /// The loss of each of the pass's sorted rows, which `to` takes with its number: the negative logarithm of the probability of its
    /// right tags `gold`, which are those of the packed positions. A head without tags has none.
    ///
    /// # Safety
    /// As [`Head::predict`] with [`Aim::Answers`], which must have been called before; `gold` has a tag for each position.
    unsafe fn losses(&self, _pass: &HeadPass<'_>, _gold: &[u32], _to: &mut dyn FnMut(usize, f64)) {}
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
