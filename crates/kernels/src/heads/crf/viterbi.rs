//! The most probable path.

use std::ops::Range;

use super::Crf;
use crate::simd::gemm::Mat;
use crate::simd::{Buf, Kernel, Lanes, load, store};
use recurra_core::layout::PackedLayout;

/// Finds the best path of some rows; of equally good tags the first is taken.
pub(super) struct Viterbi<'a, F: FnMut(usize, u32)> {
    pub crf: &'a Crf,
    pub layout: &'a PackedLayout,
    pub emissions: Mat,
    pub rows: Range<usize>,
    /// Takes the tag of a position.
    pub found: F,
}

impl<F: FnMut(usize, u32)> Kernel for Viterbi<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(mut self, s: S) {
        let Self { crf, layout, emissions, .. } = self;
        let (offsets, stride) = (layout.offsets(), crf.stride);
        let longest = self.rows.clone().map(|row| layout.lengths()[row] as usize).max().unwrap_or(0);
        // The best tag before each tag, as a number that float32 represents exactly.
        let mut pointers = Buf::scratch(longest * stride);
        let (mut scores, mut next) = (Buf::zeros(stride), Buf::zeros(stride));
        for row in self.rows {
            let length = layout.lengths()[row] as usize;
            for (to, value) in scores.iter_mut().enumerate() {
                // SAFETY: positions of the layout are rows of the matrix, as the callers ensure; rows are whole vectors.
                *value = crf.start[to] + unsafe { *emissions.row(offsets[0] + row).add(to) };
            }
            for time in 1..length {
                // SAFETY: as above.
                unsafe {
                    let emitted = emissions.row(offsets[time] + row);
                    best_before(s, crf, &scores, emitted, &mut next, &mut pointers[time * stride..]);
                }
                std::mem::swap(&mut scores, &mut next);
            }
            let total = |tag: usize| scores[tag] + crf.end[tag];
            let mut tag = (1..crf.tags).fold(0, |best, tag| if total(tag) > total(best) { tag } else { best });
            for time in (0..length).rev() {
                (self.found)(offsets[time] + row, tag as u32);
                if time > 0 {
                    tag = pointers[time * stride + tag] as usize;
                }
            }
        }
    }
}

/// The scores of the best paths to each tag, less the largest of them, and the tags before.
///
/// # Safety
/// A row must be readable at `emitted`, and the slices at least that long.
#[inline(always)]
unsafe fn best_before<S: Lanes>(
    s: S,
    crf: &Crf,
    scores: &[f32],
    emitted: *const f32,
    next: &mut [f32],
    pointers: &mut [f32],
) {
    let between = crf.between.as_ptr();
    let mut largest = s.splat_f32s(f32::NEG_INFINITY);
    // SAFETY: by the caller's promise; rows are whole vectors.
    unsafe {
        for j in (0..crf.stride).step_by(S::L) {
            let score = |i: usize| s.add_f32s(s.splat_f32s(scores[i]), load(s, between.add(i * crf.stride + j)));
            let (mut best, mut tag) = (score(0), s.splat_f32s(0.0));
            for i in 1..crf.tags {
                let other = score(i);
                let better = s.greater_than_f32s(other, best);
                best = s.select_f32s(better, other, best);
                tag = s.select_f32s(better, s.splat_f32s(i as f32), tag);
            }
            let sum = s.add_f32s(best, load(s, emitted.add(j)));
            largest = s.max_f32s(sum, largest);
            store(s, next.as_mut_ptr().add(j), sum);
            store(s, pointers.as_mut_ptr().add(j), tag);
        }
        let largest = s.splat_f32s(s.reduce_max_f32s(largest));
        for j in (0..crf.stride).step_by(S::L) {
            let at = next.as_mut_ptr().add(j);
            store(s, at, s.sub_f32s(load(s, at), largest));
        }
    }
}
