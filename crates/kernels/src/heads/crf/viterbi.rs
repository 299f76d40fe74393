//! Viterbi: the most probable path.

use std::ops::Range;

use super::scores::Crf;
use crate::simd::gemm::Mat;
use crate::simd::{Buf, Kernel, Lanes, load, store};
use recurra_core::layout::PackedLayout;

/// Finds the best path of some rows. Of equally good tags, the first is taken.
pub(crate) struct Viterbi<'a, F: FnMut(usize, u32)> {
    pub crf: &'a Crf,
    pub layout: &'a PackedLayout,
    pub emissions: Mat,
    pub rows: Range<usize>,
    /// Called with a position and its tag.
    pub found: F,
}

impl<F: FnMut(usize, u32)> Kernel for Viterbi<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(mut self, s: S) {
        let Self { crf, layout, emissions, .. } = self;
        let (offsets, stride) = (layout.offsets(), crf.stride);
        let longest = self.rows.clone().map(|row| layout.lengths()[row] as usize).max().unwrap_or(0);
        let mut scores = Buf::scratch(longest * stride);
        for row in self.rows {
            let length = layout.lengths()[row] as usize;
            for (to, value) in scores[..stride].iter_mut().enumerate() {
                // SAFETY: positions of the layout are rows of the matrix, as the callers ensure; rows are whole vectors.
                *value = crf.start[to] + unsafe { *emissions.row(offsets[0] + row).add(to) };
            }
            for time in 1..length {
                let (before, next) = scores[(time - 1) * stride..].split_at_mut(stride);
                // SAFETY: as above.
                unsafe { best_before(s, crf, before, emissions.row(offsets[time] + row), next) };
            }
            // The previous tags are recomputed while going backwards, for the tags of the path only.
            let ends = &scores[(length - 1) * stride..];
            let mut tag = first_best(crf.tags, |tag| ends[tag] + crf.end[tag]);
            for time in (0..length).rev() {
                (self.found)(offsets[time] + row, tag as u32);
                if time > 0 {
                    let before = &scores[(time - 1) * stride..];
                    tag = first_best(crf.tags, |from| before[from] + crf.between[from * stride + tag]);
                }
            }
        }
    }
}

/// The first of the tags with the largest score.
fn first_best(tags: usize, score: impl Fn(usize) -> f32) -> usize {
    (1..tags).fold((0, score(0)), |best, tag| if score(tag) > best.1 { (tag, score(tag)) } else { best }).0
}

/// The scores of the best paths to each tag, minus the largest of them.
///
/// # Safety
/// A row must be readable at `emitted`, and the slices at least that long.
#[inline(always)]
unsafe fn best_before<S: Lanes>(s: S, crf: &Crf, before: &[f32], emitted: *const f32, next: &mut [f32]) {
    let between = crf.between.as_ptr();
    let mut largest = s.splat_f32s(f32::NEG_INFINITY);
    // SAFETY: by the caller's promise; rows are whole vectors.
    unsafe {
        for j in (0..crf.stride).step_by(S::L) {
            let score = |i: usize| s.add_f32s(s.splat_f32s(before[i]), load(s, between.add(i * crf.stride + j)));
            // Four independent maxima hide the latency.
            let mut best = [score(0); 4];
            let whole = crf.tags / 4 * 4;
            for i in (0..whole).step_by(4) {
                for (lane, best) in best.iter_mut().enumerate() {
                    *best = s.max_f32s(score(i + lane), *best);
                }
            }
            for i in whole..crf.tags {
                best[0] = s.max_f32s(score(i), best[0]);
            }
            let best = s.max_f32s(s.max_f32s(best[0], best[1]), s.max_f32s(best[2], best[3]));
            let sum = s.add_f32s(best, load(s, emitted.add(j)));
            largest = s.max_f32s(sum, largest);
            store(s, next.as_mut_ptr().add(j), sum);
        }
        let largest = s.splat_f32s(s.reduce_max_f32s(largest));
        for j in (0..crf.stride).step_by(S::L) {
            let at = next.as_mut_ptr().add(j);
            store(s, at, s.sub_f32s(load(s, at), largest));
        }
    }
}
