//! A group of a few rows runs through all its steps before the next group begins, so that its state stays in the first-level
//! cache, and the rows of a table that a step reads are fetched while earlier ones compute.

use std::marker::PhantomData;

use super::product::{Product, Work};
use super::step::{AHEAD, Codes, Step};
use super::units::{Fused, group};
use crate::recurrent::steps::{Projected, Steps};
use crate::simd::gemm::Mat;

/// As [`infer`](super::infer), with inputs that are projected.
pub(super) struct Groups<'a, C, const G: usize>(pub Steps<'a>, pub Projected, pub [Codes; 2], pub PhantomData<C>);

impl<C: Fused<G>, const G: usize> Work for Groups<'_, C, G> {
    #[inline(always)]
    fn run<P: Product>(self, product: P) {
        let rows = self.0.rows.clone();
        for start in rows.clone().step_by(group::<P::S, G>()) {
            // SAFETY: by the promise of `Steps`.
            unsafe { self.group(product, start, rows.end.min(start + group::<P::S, G>())) };
        }
    }
}

impl<C: Fused<G>, const G: usize> Groups<'_, C, G> {
    #[inline(always)]
    unsafe fn group<P: Product>(&self, product: P, start: usize, end: usize) {
        let Self(steps, x, codes, _) = self;
        let (p, hp, layout) = (steps.mats, steps.hp, steps.layout);
        let (lengths, offsets) = (&layout.lengths()[start..end], layout.offsets());
        let longest = lengths[0] as usize;
        // SAFETY: by the promise of `Steps`: the buffers have these rows; without `keep` nothing else uses the gates' rows,
        // which are at least as wide as a state and hold its other copy: a step reads one and writes the other.
        unsafe {
            let states = [p.h.at(start, 0), Mat { ptr: p.gates.row(start), stride: hp }];
            std::ptr::copy_nonoverlapping(states[0].ptr, states[1].ptr, lengths.len() * hp);
            let codes = codes.map(|codes| codes.below(start - steps.rows.start));
            product.begin(states[0], codes, lengths.len(), hp);
            let mut running = if steps.reverse { 0 } else { lengths.len() };
            for i in 0..longest {
                let t = if steps.reverse { longest - 1 - i } else { i };
                if steps.reverse {
                    while running < lengths.len() && lengths[running] as usize > t {
                        running += 1;
                    }
                } else {
                    while lengths[running - 1] as usize <= t {
                        running -= 1;
                    }
                }
                let position = offsets[t] + start;
                let later = if steps.reverse { t.wrapping_sub(AHEAD) } else { t + AHEAD };
                let ahead = (later < longest).then(|| offsets[later] + start);
                let step = Step {
                    packs: steps.packs,
                    x: *x,
                    position,
                    ahead: ahead.map_or(position, |ahead| ahead),
                    fetched: ahead.map_or(0, |_| (layout.batch_sizes()[later] as usize).saturating_sub(start)),
                    hp,
                    from: states[i % 2],
                    to: states[(i + 1) % 2],
                    codes: [codes[i % 2], codes[(i + 1) % 2]],
                    c: if p.c.exists() { p.c.at(start, 0) } else { Mat::none() },
                    y: if p.y.exists() { p.y.at(position, 0) } else { Mat::none() },
                };
                step.run::<C, P, G>(product, 0, running, (0, hp));
            }
            for (row, &length) in lengths.iter().enumerate() {
                let last = if steps.reverse { longest } else { length as usize };
                if last % 2 == 1 {
                    std::ptr::copy_nonoverlapping(states[1].row(row), states[0].row(row), hp);
                }
            }
        }
    }
}
