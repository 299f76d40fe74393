//! Forward algorithm: from emissions to the partition function.

use std::ops::Range;

use super::scores::{Crf, CrfMats};
use super::share::share;
use crate::simd::{Buf, Kernel, Lanes, fma, load, math, store};
use recurra_core::layout::PackedLayout;

/// Sums of products below this may have lost precision; above it, n times e^-87 is less than half a unit in the last
/// place.
const LEAST: f32 = 1e-28;

/// Runs the forward algorithm for some rows: fills `alpha`, `sums` and the marginals of each last position. Calls
/// `finish` with the logarithm of each row's partition function.
pub(crate) struct Forward<'a, F: FnMut(usize, f64)> {
    pub crf: &'a Crf,
    pub layout: &'a PackedLayout,
    pub mats: CrfMats,
    pub rows: Range<usize>,
    pub finish: F,
}

impl<F: FnMut(usize, f64)> Kernel for Forward<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(mut self, s: S) {
        let Self { crf, layout, mats, .. } = self;
        let offsets = layout.offsets();
        let (mut shares, mut logs) = (Buf::zeros(crf.stride), Buf::zeros(crf.stride));
        for row in self.rows {
            let mut total = 0.0;
            let length = layout.lengths()[row] as usize;
            // SAFETY: positions of the layout are rows of the matrices, as the callers ensure; rows are whole vectors.
            unsafe {
                for time in 0..length {
                    let at = offsets[time] + row;
                    let before = if time == 0 {
                        crf.start.as_ptr()
                    } else {
                        let (alpha, to) = (mats.alpha.row(offsets[time - 1] + row), mats.sums.row(at));
                        let exact = !products(s, crf, alpha, &mut shares, to);
                        mats.exact.row(at).write(if exact { 1.0 } else { 0.0 });
                        if exact {
                            log_sums(s, crf, alpha, to);
                            to.cast_const()
                        } else {
                            for j in (0..crf.stride).step_by(S::L) {
                                let log = math::ln(s, load(s, to.add(j)));
                                store(s, logs.as_mut_ptr().add(j), s.add_f32s(load(s, crf.tops.as_ptr().add(j)), log));
                            }
                            logs.as_ptr()
                        }
                    };
                    total += f64::from(normalized(s, crf.stride, before, mats.emissions.row(at), mats.alpha.row(at)));
                }
                let last = offsets[length - 1] + row;
                let (ends, marginals) = (crf.end.as_ptr(), mats.marginals.row(last));
                total += f64::from(normalized(s, crf.stride, ends, mats.alpha.row(last), marginals));
                total += f64::from(probabilities(s, crf, marginals).ln());
            }
            (self.finish)(row, total);
        }
    }
}

/// `to = a + b`, minus its largest value, which is returned.
///
/// # Safety
/// `stride` values must be readable at `a` and `b` and writable at `to`.
#[inline(always)]
unsafe fn normalized<S: Lanes>(s: S, stride: usize, a: *const f32, b: *const f32, to: *mut f32) -> f32 {
    // SAFETY: by the caller's promise; the stride is a multiple of the lanes.
    unsafe {
        let mut largest = s.splat_f32s(f32::NEG_INFINITY);
        for j in (0..stride).step_by(S::L) {
            let sum = s.add_f32s(load(s, a.add(j)), load(s, b.add(j)));
            largest = s.max_f32s(sum, largest);
            store(s, to.add(j), sum);
        }
        let largest = s.reduce_max_f32s(largest);
        for j in (0..stride).step_by(S::L) {
            store(s, to.add(j), s.sub_f32s(load(s, to.add(j)), s.splat_f32s(largest)));
        }
        largest
    }
}

/// Turns logarithms, the largest of which is zero, into probabilities. Returns the sum of their exponentials.
///
/// # Safety
/// As [`normalized`].
#[inline(always)]
unsafe fn probabilities<S: Lanes>(s: S, crf: &Crf, at: *mut f32) -> f32 {
    // SAFETY: by the caller's promise.
    unsafe {
        let mut sums = s.splat_f32s(0.0);
        for j in (0..crf.stride).step_by(S::L) {
            let value = share(s, load(s, at.add(j)));
            sums = s.add_f32s(sums, value);
            store(s, at.add(j), value);
        }
        let sum = s.reduce_sum_f32s(sums);
        scale(s, crf, at, 1.0 / sum);
        sum
    }
}

/// Scales the values of the tags and sets the padding to zero.
///
/// # Safety
/// As [`normalized`].
#[inline(always)]
pub(super) unsafe fn scale<S: Lanes>(s: S, crf: &Crf, at: *mut f32, factor: f32) {
    // SAFETY: by the caller's promise.
    unsafe {
        for j in (0..crf.stride).step_by(S::L) {
            store(s, at.add(j), s.mul_f32s(load(s, at.add(j)), s.splat_f32s(factor)));
        }
        for j in crf.tags..crf.stride {
            at.add(j).write(0.0);
        }
    }
}

/// `to[j] = sum over i of exp(alpha[i]) weights[i][j]`. Returns false if one of them is so small that precision may be
/// lost, or is NaN.
///
/// # Safety
/// As [`normalized`]; `shares` is as long as a row, and nothing overlaps.
#[inline(always)]
unsafe fn products<S: Lanes>(s: S, crf: &Crf, alpha: *const f32, shares: &mut [f32], to: *mut f32) -> bool {
    let weights = crf.weights.as_ptr();
    // SAFETY: by the caller's promise; rows are whole vectors.
    unsafe {
        for j in (0..crf.stride).step_by(S::L) {
            store(s, shares.as_mut_ptr().add(j), share(s, load(s, alpha.add(j))));
        }
        let (mut least, mut all) = (s.splat_f32s(f32::INFINITY), s.splat_f32s(0.0));
        for j in (0..crf.stride).step_by(S::L) {
            let term = |i: usize, sum| fma(s, s.splat_f32s(shares[i]), load(s, weights.add(i * crf.stride + j)), sum);
            // Four independent sums hide the latency of the additions.
            let mut sums = [s.splat_f32s(0.0); 4];
            let whole = crf.tags / 4 * 4;
            for i in (0..whole).step_by(4) {
                for (lane, sum) in sums.iter_mut().enumerate() {
                    *sum = term(i + lane, *sum);
                }
            }
            for i in whole..crf.tags {
                sums[0] = term(i, sums[0]);
            }
            let sum = s.add_f32s(s.add_f32s(sums[0], sums[1]), s.add_f32s(sums[2], sums[3]));
            least = s.min_f32s(sum, least);
            all = s.add_f32s(all, sum);
            store(s, to.add(j), sum);
        }
        s.reduce_min_f32s(least) >= LEAST && s.reduce_sum_f32s(all).is_finite()
    }
}

/// `to[j] = log of the sum over i of exp(alpha[i] + between[i][j])`.
///
/// # Safety
/// As [`normalized`]; `to` must not overlap `alpha`.
#[inline(always)]
unsafe fn log_sums<S: Lanes>(s: S, crf: &Crf, alpha: *const f32, to: *mut f32) {
    let between = crf.between.as_ptr();
    for j in (0..crf.stride).step_by(S::L) {
        // SAFETY: by the caller's promise.
        unsafe {
            let score = |i: usize| s.add_f32s(s.splat_f32s(*alpha.add(i)), load(s, between.add(i * crf.stride + j)));
            let mut largest = score(0);
            for i in 1..crf.tags {
                largest = s.max_f32s(score(i), largest);
            }
            let mut sums = s.splat_f32s(0.0);
            for i in 0..crf.tags {
                sums = s.add_f32s(sums, share(s, s.sub_f32s(score(i), largest)));
            }
            // One of the exponentials is 1.
            store(s, to.add(j), s.add_f32s(largest, math::ln(s, sums)));
        }
    }
}
