//! The probability of the best path, per tag.

use std::ops::Range;

use super::scores::{Crf, CrfMats};
use super::viterbi::Viterbi;
use crate::simd::dispatch;
use crate::simd::gemm::Mat;
use recurra_core::layout::PackedLayout;

/// The best path of some rows whose marginals are known. For each position: its tag, the tag's probability, and the
/// joint probability with the next position's tag (at the last position, the tag's probability again).
///
/// # Safety
/// Positions of the layout must be rows of the matrices and of `answers`, `[positions, 3]`. The rows must belong to
/// this thread; [`super::forward::Forward`] and [`super::marginals::Marginals`] must be the last that processed them.
pub(crate) unsafe fn path_answers(crf: &Crf, layout: &PackedLayout, mats: CrfMats, rows: Range<usize>, answers: Mat) {
    // SAFETY: by the caller's promise.
    let found = |position: usize, tag: u32| unsafe { answers.row(position).write(tag as f32) };
    dispatch(Viterbi { crf, layout, emissions: mats.emissions, rows: rows.clone(), found });
    let offsets = layout.offsets();
    for row in rows {
        for time in (0..layout.lengths()[row] as usize).rev() {
            let at = offsets[time] + row;
            // SAFETY: by the caller's promise.
            unsafe {
                let answer = answers.row(at);
                let tag = *answer as usize;
                let own = *mats.marginals.row(at).add(tag);
                let both = layout.position(row, time + 1).map_or(own, |next| {
                    let after = answers.row(next);
                    // Clamp rounding errors: a joint probability exceeds neither of the two.
                    joint(crf, mats, (at, tag), (next, *after as usize)).min(own).min(*after.add(1))
                });
                answer.add(1).write(own);
                answer.add(2).write(both);
            }
        }
    }
}

/// The joint probability of a tag at a position and another at the next one.
///
/// # Safety
/// As [`path_answers`].
unsafe fn joint(crf: &Crf, mats: CrfMats, (at, tag): (usize, usize), (next, after): (usize, usize)) -> f32 {
    // SAFETY: by the caller's promise.
    unsafe {
        let (alpha, sum) = (*mats.alpha.row(at).add(tag), *mats.sums.row(next).add(after));
        let cell = tag * crf.stride + after;
        if *mats.exact.row(next) != 0.0 {
            *mats.marginals.row(next).add(after) * (alpha - sum + crf.between[cell]).exp()
        } else {
            alpha * sum * crf.weights[cell]
        }
    }
}
