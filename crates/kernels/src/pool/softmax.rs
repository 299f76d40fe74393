//! Softmax of a padded row.

use crate::simd::{Kernel, Lanes, load, math, store};

/// Probabilities in the place of logits; returns the logarithm of the sum of exponentials.
pub(crate) struct Softmax<'a> {
    /// Padded to whole vectors; the padding becomes zero.
    pub values: &'a mut [f32],
    pub classes: usize,
}

impl Kernel for Softmax<'_> {
    type Output = f32;
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) -> f32 {
        let largest = self.values[..self.classes].iter().copied().fold(f32::NEG_INFINITY, f32::max);
        // Padding lanes: their exponential is cut off to almost nothing, and set to zero in the end.
        self.values[self.classes..].fill(f32::NEG_INFINITY);
        let at = self.values.as_mut_ptr();
        let mut sums = s.splat_f32s(0.0);
        for j in (0..self.values.len()).step_by(S::L) {
            // SAFETY: the row is padded to whole vectors.
            unsafe {
                let e = math::exp(s, s.sub_f32s(load(s, at.add(j)), s.splat_f32s(largest)));
                store(s, at.add(j), e);
                sums = s.add_f32s(sums, e);
            }
        }
        let sum = s.reduce_sum_f32s(sums);
        let factor = 1.0 / sum;
        self.values.iter_mut().for_each(|value| *value *= factor);
        self.values[self.classes..].fill(0.0);
        largest + sum.ln()
    }
}
