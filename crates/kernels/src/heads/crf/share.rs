//! Exponentials as shares of a sum.

use crate::simd::{Kernel, Lanes, load, math, store};

/// Below this, an exponential is negligible in a sum that contains a 1.
const NOTHING: f32 = -87.0;

/// `exp(x)`, exactly zero below the smallest normal number. NaN stays NaN.
#[inline(always)]
pub(super) fn share<S: Lanes>(s: S, x: S::f32s) -> S::f32s {
    s.select_f32s(s.less_than_f32s(x, s.splat_f32s(NOTHING)), s.splat_f32s(0.0), math::exp(s, x))
}

/// `to = exp(scores - tops)`, all of whole vectors.
pub(super) struct Weights<'a> {
    pub scores: &'a [f32],
    pub tops: &'a [f32],
    pub to: &'a mut [f32],
}

impl Kernel for Weights<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        let vectors = self.scores.chunks_exact(S::L).zip(self.tops.chunks_exact(S::L));
        for ((score, top), to) in vectors.zip(self.to.chunks_exact_mut(S::L)) {
            // SAFETY: the chunks are whole vectors.
            unsafe {
                let difference = s.sub_f32s(load(s, score.as_ptr()), load(s, top.as_ptr()));
                store(s, to.as_mut_ptr(), share(s, difference));
            }
        }
    }
}
