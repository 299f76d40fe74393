//! The softmax of a padded row.

use crate::simd::{Kernel, Lanes, load, math, store};

/// Replaces logits by probabilities. Returns the largest logit, and the sum of `exp(logit - largest)`.
pub(crate) struct Softmax<'a> {
    /// Padded to whole vectors; the padding becomes zero.
    pub values: &'a mut [f32],
    pub classes: usize,
}

impl Kernel for Softmax<'_> {
    type Output = (f32, f32);
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) -> (f32, f32) {
        let Self { values, classes } = self;
        // The exponential of the padding is almost zero, and is set to zero at the end.
        let largest = Largest { values: &mut *values, classes }.run(s);
        let (at, width) = (values.as_mut_ptr(), values.len());
        let mut sums = s.splat_f32s(0.0);
        // SAFETY: the row is padded to whole vectors.
        unsafe {
            for j in (0..width).step_by(S::L) {
                let e = math::exp(s, s.sub_f32s(load(s, at.add(j)), s.splat_f32s(largest)));
                store(s, at.add(j), e);
                sums = s.add_f32s(sums, e);
            }
            let sum = s.reduce_sum_f32s(sums);
            let factor = s.splat_f32s(1.0 / sum);
            for j in (0..width).step_by(S::L) {
                store(s, at.add(j), s.mul_f32s(load(s, at.add(j)), factor));
            }
            for j in classes..width {
                *at.add(j) = 0.0;
            }
            (largest, sum)
        }
    }
}

/// Which lanes of the vector that begins at `start` are before `end`.
#[inline(always)]
fn inside<S: Lanes>(s: S, start: usize, end: usize) -> S::m32s {
    const LANES: [f32; 16] = [0., 1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 11., 12., 13., 14., 15.];
    // SAFETY: no vector has more lanes.
    let lane = unsafe { load(s, LANES.as_ptr()) };
    s.less_than_f32s(lane, s.splat_f32s((end as isize - start as isize) as f32))
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
        let Self { values, classes } = self;
        let (at, none) = (values.as_mut_ptr(), s.splat_f32s(f32::NEG_INFINITY));
        let mut largest = none;
        for j in (0..values.len()).step_by(S::L) {
            // By comparison: what is written value by value cannot be read as a vector at once.
            // SAFETY: the row is padded to whole vectors.
            let value = unsafe { s.select_f32s(inside(s, j, classes), load(s, at.add(j)), none) };
            // SAFETY: as above.
            unsafe { store(s, at.add(j), value) };
            largest = s.max_f32s(value, largest);
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
