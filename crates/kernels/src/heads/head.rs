//! The interface between a head and the network.

use std::ops::Range;

use super::pass::{Aim, HeadMats, HeadPacks, HeadPass, HeadSpace, Unit};
use super::training::HeadTraining;
use crate::encoder::encoded::Needs;
use crate::recurrent::segments::Segment;
use recurra_core::layout::PackedLayout;

/// A head: turns an encoder's vectors into scores, and scores into a loss. It is called once per batch and contains the
/// inner loops.
///
/// Prediction calls [`Head::predict`]. Training calls [`Head::forward`], followed by the methods of [`HeadTraining`].
pub(crate) trait Head: HeadTraining + Send + Sync {
    /// The part of the encoder's output that it reads.
    fn needs(&self) -> Needs;

    /// Whether it predicts rows or tokens.
    fn unit(&self) -> Unit;

    /// Whether threads share the packed positions of a batch instead of its rows. If positions are independent, a few
    /// long matrix products take less time than many short ones.
    fn shares_positions(&self) -> bool {
        false
    }

    /// Number of scores per prediction.
    fn outputs(&self) -> usize;

    /// Number of values per prediction.
    fn answer_width(&self) -> usize;

    /// Its parameters, in the order of the state dict.
    fn segments(&self) -> Vec<&Segment>;

    /// Number of the pieces that [`Head::pack`] takes.
    fn pieces(&self) -> usize;

    /// Packs one piece of the parameters; with `backward`, also what the backward pass needs.
    ///
    /// # Safety
    /// `packs` must be valid. Different pieces touch different fields, so a team may share them, but a piece must not
    /// be packed by two threads at once, nor read while it is packed.
    unsafe fn pack(&self, packs: *mut HeadPacks, piece: usize, flat: &[f32], backward: bool);

    /// Allocates buffers for a batch of `rows` rows with `total` positions.
    fn fit(&self, space: &mut HeadSpace, rows: usize, total: usize, aim: Aim) -> HeadMats;

    /// Computes scores from vectors.
    ///
    /// # Safety
    /// The matrices must have the sizes of the batch; the pass's rows must be this thread's alone.
    unsafe fn forward(&self, pass: &HeadPass<'_>);

    /// Computes scores from vectors, or with [`Aim::Answers`] predictions.
    ///
    /// # Safety
    /// As [`Head::forward`], with matrices that were made for the same aim.
    unsafe fn predict(&self, pass: &HeadPass<'_>, aim: Aim);

    /// Calls `to` with the number and the loss of each of the pass's sorted rows: the negative log-probability of its
    /// correct tags. `gold` has the tags of the packed positions. A head without tags does nothing.
    ///
    /// # Safety
    /// As [`Head::predict`] with [`Aim::Answers`], which must have been called before. `gold` has a tag per position.
    unsafe fn losses(&self, _pass: &HeadPass<'_>, _gold: &[u32], _to: &mut dyn FnMut(usize, f64)) {}
}

impl dyn Head {
    /// All rows of a batch, for a [`HeadPass`] with one thread.
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
