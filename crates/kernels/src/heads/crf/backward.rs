//! From the sums over all paths to marginals and gradients.

use std::ops::Range;

use super::forward::{scale, share};
use super::{Crf, CrfMats};
use crate::simd::gemm::Mat;
use crate::simd::{Kernel, Lanes, fma, load, store};
use recurra_core::layout::PackedLayout;

/// The marginals of some rows, from those of their last positions on.
pub(super) struct Marginals<'a> {
    pub crf: &'a Crf,
    pub layout: &'a PackedLayout,
    pub mats: CrfMats,
    pub rows: Range<usize>,
}

impl Kernel for Marginals<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        let Self { crf, layout, mats, rows } = self;
        let (offsets, between) = (layout.offsets(), crf.between.as_ptr());
        for row in rows {
            for time in (1..layout.lengths()[row] as usize).rev() {
                let (at, before) = (offsets[time] + row, offsets[time - 1] + row);
                // SAFETY: positions of the layout are rows of the matrices, as the callers ensure; rows are whole vectors.
                unsafe {
                    let (marginals, sums) = (mats.marginals.row(at), mats.sums.row(at));
                    let (alpha, to) = (mats.alpha.row(before), mats.marginals.row(before));
                    let mut total = 0.0;
                    for i in 0..crf.tags {
                        let own = s.splat_f32s(*alpha.add(i));
                        let mut sum = s.splat_f32s(0.0);
                        for j in (0..crf.stride).step_by(S::L) {
                            let score = s.sub_f32s(own, load(s, sums.add(j)));
                            let part = share(s, s.add_f32s(score, load(s, between.add(i * crf.stride + j))));
                            sum = fma(s, load(s, marginals.add(j)), part, sum);
                        }
                        let sum = s.reduce_sum_f32s(sum);
                        to.add(i).write(sum);
                        total += sum;
                    }
                    // They sum to one but for rounding, which would add up over a long sequence.
                    scale(s, crf, to, 1.0 / total);
                }
            }
        }
    }
}

/// The emissions of some rows become their gradients: the marginals, less one for the right tag, times `factor`.
///
/// # Safety
/// Positions of the layout must be rows of the matrices, and the rows of `rows` this thread's alone; `gold` has a tag for
/// each position.
pub(super) unsafe fn emission_grads(
    crf: &Crf,
    layout: &PackedLayout,
    mats: CrfMats,
    rows: Range<usize>,
    gold: &[u32],
    factor: f32,
) {
    for row in rows {
        for &offset in &layout.offsets()[..layout.lengths()[row] as usize] {
            let at = offset + row;
            // SAFETY: by the caller's promise.
            unsafe {
                let (from, to) = (mats.marginals.row(at), mats.emissions.row(at));
                for j in 0..crf.stride {
                    let right = if gold[at] as usize == j { 1.0 } else { 0.0 };
                    to.add(j).write((*from.add(j) - right) * factor);
                }
            }
        }
    }
}

/// The gradients of the transitions from some tags, over all rows of a batch: the expected number of each transition, less how
/// often it is right, times `factor`. The order of the additions depends on nothing but the batch.
pub(super) struct TransitionGrads<'a> {
    pub crf: &'a Crf,
    pub layout: &'a PackedLayout,
    pub mats: CrfMats,
    pub gold: &'a [u32],
    pub factor: f32,
    /// The tags that are left.
    pub from: Range<usize>,
    /// `[tags, stride]`
    pub to: Mat,
}

impl Kernel for TransitionGrads<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        let Self { crf, layout, mats, gold, factor, from, to } = self;
        let (offsets, sizes, between) = (layout.offsets(), layout.batch_sizes(), crf.between.as_ptr());
        for i in from.clone() {
            for j in (0..crf.stride).step_by(S::L) {
                // SAFETY: positions of the layout are rows of the matrices, as the callers ensure; rows are whole vectors.
                unsafe {
                    let score = load(s, between.add(i * crf.stride + j));
                    let mut sum = s.splat_f32s(0.0);
                    for time in 1..sizes.len() {
                        for row in 0..sizes[time] as usize {
                            let at = offsets[time] + row;
                            let alpha = s.splat_f32s(*mats.alpha.row(offsets[time - 1] + row).add(i));
                            let own = s.sub_f32s(alpha, load(s, mats.sums.row(at).add(j)));
                            sum = fma(s, load(s, mats.marginals.row(at).add(j)), share(s, s.add_f32s(own, score)), sum);
                        }
                    }
                    store(s, to.row(i).add(j), sum);
                }
            }
        }
        for time in 1..sizes.len() {
            for row in 0..sizes[time] as usize {
                let (left, right) = (gold[offsets[time - 1] + row] as usize, gold[offsets[time] + row] as usize);
                if from.contains(&left) {
                    // SAFETY: tags are below the number of tags, as the callers ensure.
                    unsafe { *to.row(left).add(right) -= 1.0 };
                }
            }
        }
        for i in from {
            // SAFETY: as above.
            unsafe { scale(s, crf, to.row(i), factor) };
        }
    }
}

/// The gradients of the scores of a first and a last tag, `[stride]` each.
///
/// # Safety
/// As [`emission_grads`], for all rows.
pub(super) unsafe fn border_grads(
    crf: &Crf,
    layout: &PackedLayout,
    mats: CrfMats,
    gold: &[u32],
    factor: f32,
    [start, end]: [&mut [f32]; 2],
) {
    start.fill(0.0);
    end.fill(0.0);
    for (row, &length) in layout.lengths().iter().enumerate() {
        for (to, time) in [(&mut *start, 0), (&mut *end, length as usize - 1)] {
            let at = layout.offsets()[time] + row;
            // SAFETY: by the caller's promise.
            let marginals = unsafe { std::slice::from_raw_parts(mats.marginals.row(at), crf.tags) };
            to.iter_mut().zip(marginals).for_each(|(sum, marginal)| *sum += marginal);
            to[gold[at] as usize] -= 1.0;
        }
    }
    start.iter_mut().chain(end).for_each(|value| *value *= factor);
}
