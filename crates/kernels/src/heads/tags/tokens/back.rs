//! Backward pass shared by all decoders.

use super::{FEATURES, Tokens};
use crate::heads::pass::HeadPass;
use crate::heads::training::Back;
use crate::threads::Member;

impl Tokens {
    /// From the gradients of the scores of some positions to those of the outputs.
    ///
    /// # Safety
    /// As [`Tokens::forward`].
    pub(in crate::heads::tags) unsafe fn backward(&self, pass: &HeadPass<'_>, (first, m): (usize, usize)) {
        let dy = pass.encoded.dy;
        // SAFETY: by the caller's promise.
        unsafe {
            self.linear.backward(&pass.packs.own, pass.mats.scores.at(first, 0), m, dy.at(first, 0));
            if let Some(dropout) = pass.dropout {
                dropout.drop(dy, first..first + m);
            }
        }
    }

    /// # Safety
    /// As [`Linear::weight_grads`].
    pub(in crate::heads::tags) unsafe fn weight_grads(&self, member: &Member<'_>, back: &Back<'_>, grads: *mut f32) {
        let features = if self.dropout { back.mats.own[FEATURES] } else { back.encoded.y };
        // SAFETY: by the caller's promise.
        unsafe { self.linear.weight_grads(member, back.mats.scores, features, back.encoded.layout.total(), grads) };
    }
}
