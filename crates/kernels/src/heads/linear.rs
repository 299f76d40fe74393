//! The linear layer of a head: scores `[n, outputs]` from features `[n, features]`, and its backward pass.

use crate::recurrent::segments::{Blocks, Segment};
use crate::simd::dispatch;
use crate::simd::gemm::{Gemm, Init, Mat, PackedB};
use crate::simd::outer::Outer;
use crate::threads::Member;

/// Indices of the packed weights; the second is for the backward pass.
const W_T: usize = 0;
const W: usize = 1;

/// Named `fc` in the state dict, unless another name is given.
pub(super) struct Linear {
    pub weight: Segment,
    pub bias: Segment,
}

impl Linear {
    /// For features of this width; `offset` is advanced past the parameters.
    pub fn new(outputs: usize, features: Blocks, offset: &mut usize) -> Self {
        Self::named("fc", outputs, features, offset)
    }

    /// The same under another name.
    pub fn named(name: &str, outputs: usize, features: Blocks, offset: &mut usize) -> Self {
        let rows = Blocks::new(1, outputs);
        let weight = Segment::matrix(format!("{name}.weight"), rows, features, offset);
        let bias = Segment::vector(format!("{name}.bias"), rows, offset);
        Self { weight, bias }
    }

    /// Padded width of the scores.
    pub fn padded(&self) -> usize {
        self.weight.rows.private()
    }

    /// Padded width of the features.
    pub fn width(&self) -> usize {
        self.weight.stride()
    }

    /// Packs the weights; with `backward`, also what the backward pass needs.
    pub fn pack(&self, packs: &mut Vec<PackedB>, flat: &[f32], backward: bool) {
        let values = &flat[self.weight.offset..][..self.weight.size()];
        let (outputs, width) = (self.padded(), self.width());
        packs.resize_with(2, PackedB::default);
        packs[W_T].resize(width, outputs);
        packs[W_T].pack_transposed(values, width);
        if backward {
            packs[W].resize(outputs, width);
            packs[W].pack(values, width);
        }
    }

    /// Computes the scores of `m` rows of features.
    ///
    /// # Safety
    /// The matrices must have `m` rows of their padded widths, and `scores` must belong to this thread; `flat` must
    /// contain all parameters.
    pub unsafe fn forward(&self, packs: &[PackedB], flat: *const f32, features: Mat, m: usize, scores: Mat) {
        // SAFETY: by the caller's promise.
        let init = Init::Bias(unsafe { flat.add(self.bias.offset) });
        dispatch(Gemm { a: features, m, b: &packs[W_T], c: scores, init });
    }

    /// From the gradients of the scores to those of the features.
    ///
    /// # Safety
    /// As [`Linear::forward`], with `d_features` as the output.
    pub unsafe fn backward(&self, packs: &[PackedB], d_scores: Mat, m: usize, d_features: Mat) {
        dispatch(Gemm { a: d_scores, m, b: &packs[W], c: d_features, init: Init::Zero });
    }

    /// Computes this member's share of the parameters' gradients from `n` rows: 16 rows of a segment at a time.
    ///
    /// # Safety
    /// Nothing may change during the call; all members of the team must call it.
    pub unsafe fn weight_grads(&self, member: &Member<'_>, d_scores: Mat, features: Mat, n: usize, grads: *mut f32) {
        // SAFETY: each member writes its own rows.
        unsafe {
            let c = Mat { ptr: grads.add(self.weight.offset), stride: self.width() };
            let i = member.share(self.padded(), 16);
            let sums = Some(grads.add(self.bias.offset));
            dispatch(Outer { a: d_scores, b: features, n, i, columns: self.width(), c, fresh: true, sums });
        }
    }
}
