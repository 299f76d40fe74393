//! From marginals to gradients.

use std::ops::Range;

use super::scores::{Crf, CrfMats};
use super::share::share;
use crate::simd::gemm::Mat;
use crate::simd::outer::Outer;
use crate::simd::{Kernel, Lanes, dispatch, fma, load, store};
use recurra_core::layout::PackedLayout;

/// Replaces the emissions of some rows by their gradients: the marginals, minus one for the correct tag, times
/// `factor`.
///
/// # Safety
/// Positions of the layout must be rows of the matrices, and the rows of `rows` must belong to this thread; `gold` has
/// a tag per position.
pub(crate) unsafe fn emission_grads(
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

/// The gradients of the transitions from the tags `from`, over all rows of a batch: the expected count of each
/// transition, minus its count in the correct paths, times `factor`. The order of additions depends only on the batch.
///
/// # Safety
/// Positions of the layout must be rows of the matrices, after the backward pass. `gold` has a tag per position. `to`
/// and `exact` are `[stride, stride]`, and their rows `from`, which start and end at multiples of 16, must belong to
/// this thread.
pub(crate) unsafe fn transition_grads(
    crf: &Crf,
    layout: &PackedLayout,
    mats: CrfMats,
    gold: &[u32],
    factor: f32,
    from: Range<usize>,
    [to, exact]: [Mat; 2],
) {
    let (offsets, sizes, stride) = (layout.offsets(), layout.batch_sizes(), crf.stride);
    // SAFETY: by the caller's promise.
    unsafe {
        for matrix in [to, exact] {
            std::slice::from_raw_parts_mut(matrix.row(from.start), from.len() * stride).fill(0.0);
        }
        for time in 1..sizes.len() {
            let (before, at, rows) = (offsets[time - 1], offsets[time], sizes[time] as usize);
            let mut row = 0;
            while row < rows {
                let is_exact = |row: usize| *mats.exact.row(at + row) != 0.0;
                if is_exact(row) {
                    let (alpha, sums) = (mats.alpha.row(before + row), mats.sums.row(at + row));
                    let (marginals, i) = (mats.marginals.row(at + row), from.start..from.end.min(crf.tags));
                    dispatch(ExactGrads { crf, alpha, sums, marginals, from: i, to: exact });
                    row += 1;
                } else {
                    let n = (row..rows).take_while(|&row| !is_exact(row)).count();
                    let (a, b) = (mats.alpha.at(before + row, 0), mats.sums.at(at + row, 0));
                    dispatch(Outer { a, b, n, i: from.clone(), columns: stride, c: to, fresh: false, sums: None });
                    row += n;
                }
            }
        }
        for i in from.start..from.end.min(crf.tags) {
            let (to, more) = (to.row(i), exact.row(i));
            for j in 0..stride {
                *to.add(j) = *to.add(j) * crf.weights[i * stride + j] + *more.add(j);
            }
        }
        for time in 1..sizes.len() {
            for row in 0..sizes[time] as usize {
                let (left, right) = (gold[offsets[time - 1] + row] as usize, gold[offsets[time] + row] as usize);
                if from.contains(&left) {
                    *to.row(left).add(right) -= 1.0;
                }
            }
        }
        for i in from.start..from.end.min(crf.tags) {
            let row = std::slice::from_raw_parts_mut(to.row(i), stride);
            row[..crf.tags].iter_mut().for_each(|value| *value *= factor);
            row[crf.tags..].fill(0.0);
        }
    }
}

/// The contribution of an exact position to the expected transitions.
struct ExactGrads<'a> {
    crf: &'a Crf,
    /// Of the previous position.
    alpha: *const f32,
    sums: *const f32,
    marginals: *const f32,
    from: Range<usize>,
    to: Mat,
}

impl Kernel for ExactGrads<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        let Self { crf, alpha, sums, marginals, from, to } = self;
        for i in from {
            for j in (0..crf.stride).step_by(S::L) {
                // SAFETY: all are rows of whole vectors, as the caller ensures.
                unsafe {
                    let own = s.sub_f32s(s.splat_f32s(*alpha.add(i)), load(s, sums.add(j)));
                    let score = load(s, crf.between.as_ptr().add(i * crf.stride + j));
                    let at = to.row(i).add(j);
                    store(s, at, fma(s, load(s, marginals.add(j)), share(s, s.add_f32s(own, score)), load(s, at)));
                }
            }
        }
    }
}

/// The gradients of the start and end scores, for some of the tags, over all rows of a batch.
///
/// # Safety
/// As [`emission_grads`], for all rows; the tags must be below the padded number.
pub(crate) unsafe fn border_grads(
    layout: &PackedLayout,
    mats: CrfMats,
    gold: &[u32],
    factor: f32,
    tags: Range<usize>,
    [start, end]: [&mut [f32]; 2],
) {
    start.fill(0.0);
    end.fill(0.0);
    for (row, &length) in layout.lengths().iter().enumerate() {
        for (to, time) in [(&mut *start, 0), (&mut *end, length as usize - 1)] {
            let at = layout.offsets()[time] + row;
            // SAFETY: by the caller's promise.
            let marginals = unsafe { std::slice::from_raw_parts(mats.marginals.row(at).add(tags.start), tags.len()) };
            to.iter_mut().zip(marginals).for_each(|(sum, marginal)| *sum += marginal);
            if tags.contains(&(gold[at] as usize)) {
                to[gold[at] as usize - tags.start] -= 1.0;
            }
        }
    }
    start.iter_mut().chain(end).for_each(|value| *value *= factor);
}
