//! The softmax of a padded row.

use crate::simd::{Kernel, Lanes, load, math, store};

/// Replaces logits by probabilities. Returns the log-sum-exp.
pub(crate) struct Softmax<'a> {
    /// Padded to whole vectors; the padding becomes zero.
    pub values: &'a mut [f32],
    pub classes: usize,
}

impl Kernel for Softmax<'_> {
    type Output = f32;
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) -> f32 {
        let Self { values, classes } = self;
        // The exponential of the padding is almost zero, and is set to zero at the end.
        let largest = Largest { values: &mut *values, classes }.run(s);
        let at = values.as_mut_ptr();
        let mut sums = s.splat_f32s(0.0);
        for j in (0..values.len()).step_by(S::L) {
            // SAFETY: the row is padded to whole vectors.
            unsafe {
                let e = math::exp(s, s.sub_f32s(load(s, at.add(j)), s.splat_f32s(largest)));
                store(s, at.add(j), e);
                sums = s.add_f32s(sums, e);
            }
        }
        let sum = s.reduce_sum_f32s(sums);
        let factor = 1.0 / sum;
        values.iter_mut().for_each(|value| *value *= factor);
        values[classes..].fill(0.0);
        largest + sum.ln()
    }
}

/// The largest value of a padded row, which has no NaN. The padding becomes minus infinity.
pub(crate) struct Largest<'a> {
    /// Padded to whole vectors.
    pub values: &'a mut [f32],
    pub classes: usize,
}

impl Kernel for Largest<'_> {
    type Output = f32;
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) -> f32 {
        self.values[self.classes..].fill(f32::NEG_INFINITY);
        let mut largest = s.splat_f32s(f32::NEG_INFINITY);
        for j in (0..self.values.len()).step_by(S::L) {
            // SAFETY: the row is padded to whole vectors.
            largest = s.max_f32s(unsafe { load(s, self.values.as_ptr().add(j)) }, largest);
        }
        s.reduce_max_f32s(largest)
    }
}

/// The sum of `exp(value - less)` over a row; no value is above `less`.
pub(crate) struct ExpSum<'a> {
    /// Padded to whole vectors with minus infinity.
    pub values: &'a [f32],
    pub less: f32,
}

impl Kernel for ExpSum<'_> {
    type Output = f32;
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) -> f32 {
        let mut sums = s.splat_f32s(0.0);
        for j in (0..self.values.len()).step_by(S::L) {
            // SAFETY: the row is padded to whole vectors.
            let value = unsafe { load(s, self.values.as_ptr().add(j)) };
            sums = s.add_f32s(sums, math::exp(s, s.sub_f32s(value, s.splat_f32s(self.less))));
        }
        s.reduce_sum_f32s(sums)
    }
}
