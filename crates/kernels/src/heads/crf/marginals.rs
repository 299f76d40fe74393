//! From the partition functions to marginals.

use std::ops::Range;

use super::forward::scale;
use super::scores::{Crf, CrfMats};
use super::share::share;
use crate::simd::{Kernel, Lanes, fma, load, store};
use recurra_core::layout::PackedLayout;

/// Computes the marginals of some rows, from those of their last positions.
pub(crate) struct Marginals<'a> {
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
        let (offsets, between, weights) = (layout.offsets(), crf.between.as_ptr(), crf.weights.as_ptr());
        for row in rows {
            for time in (1..layout.lengths()[row] as usize).rev() {
                let (at, before) = (offsets[time] + row, offsets[time - 1] + row);
                // SAFETY: positions of the layout are rows of the matrices, as the callers ensure; rows are whole vectors.
                unsafe {
                    let (marginals, sums) = (mats.marginals.row(at), mats.sums.row(at));
                    let (alpha, to) = (mats.alpha.row(before), mats.marginals.row(before));
                    let exact = *mats.exact.row(at) != 0.0;
                    if !exact {
                        for j in (0..crf.stride).step_by(S::L) {
                            store(s, alpha.add(j), share(s, load(s, alpha.add(j))));
                            store(s, sums.add(j), s.div_f32s(load(s, marginals.add(j)), load(s, sums.add(j))));
                        }
                    }
                    let mut total = 0.0;
                    for i in 0..crf.tags {
                        let own = *alpha.add(i);
                        let mut sum = s.splat_f32s(0.0);
                        for j in (0..crf.stride).step_by(S::L) {
                            let cell = i * crf.stride + j;
                            if exact {
                                let score = s.sub_f32s(s.splat_f32s(own), load(s, sums.add(j)));
                                let part = share(s, s.add_f32s(score, load(s, between.add(cell))));
                                sum = fma(s, load(s, marginals.add(j)), part, sum);
                            } else {
                                sum = fma(s, load(s, sums.add(j)), load(s, weights.add(cell)), sum);
                            }
                        }
                        let sum = s.reduce_sum_f32s(sum) * if exact { 1.0 } else { own };
                        to.add(i).write(sum);
                        total += sum;
                    }
                    // They add up to one only up to rounding, which would accumulate over a long sequence.
                    scale(s, crf, to, 1.0 / total);
                }
            }
        }
    }
}
