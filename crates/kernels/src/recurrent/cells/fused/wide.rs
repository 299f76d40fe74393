//! Where the weights are larger than the first-level cache: at each step all rows go through the weights of some units, from the
//! products to the states, before the next units. So the weights are read once a step.

use std::marker::PhantomData;

use super::product::{Product, Work};
use super::step::{AHEAD, Codes, Step};
use super::units::{Fused, group};
use crate::recurrent::steps::{Projected, Steps};
use crate::simd::Lanes;
use crate::simd::gemm::Mat;

/// As [`infer`](super::infer), also with an input that is not yet projected.
pub(super) struct Wide<'a, C, const G: usize>(pub Steps<'a>, pub Projected, pub [Codes; 2], pub PhantomData<C>);

impl<C: Fused<G>, const G: usize> Work for Wide<'_, C, G> {
    #[inline(always)]
    fn run<P: Product>(self, product: P) {
        let Self(steps, x, codes, _) = self;
        let (p, hp, layout, start) = (steps.mats, steps.hp, steps.layout, steps.rows.start);
        let rows = steps.rows.len();
        // SAFETY: by the promise of `Steps`: the buffers have these rows; without `keep` nothing else uses the gates' rows, which
        // are at least as wide as a state and hold its other copy: a step reads one and writes the other.
        unsafe {
            let states = [p.h.at(start, 0), Mat { ptr: p.gates.row(start), stride: hp }];
            std::ptr::copy_nonoverlapping(states[0].ptr, states[1].ptr, rows * hp);
            product.begin(states[0], codes, rows, hp);
            let mut turn = 0;
            for i in 0..layout.steps() {
                let (position, m) = steps.at(steps.step(i, steps.reverse));
                if m == 0 {
                    continue;
                }
                let later = (i + AHEAD < layout.steps()).then(|| steps.at(steps.step(i + AHEAD, steps.reverse)));
                let (ahead, fetched) = later.unwrap_or((position, 0));
                let step = Step {
                    packs: steps.packs,
                    x,
                    position,
                    ahead,
                    fetched,
                    hp,
                    from: states[turn % 2],
                    to: states[(turn + 1) % 2],
                    codes: [codes[turn % 2], codes[(turn + 1) % 2]],
                    c: if p.c.exists() { p.c.at(start, 0) } else { Mat::none() },
                    y: if p.y.exists() { p.y.at(position, 0) } else { Mat::none() },
                };
                let blocks = m.div_ceil(group::<P::S, G>());
                for unit in (0..hp).step_by(P::S::L) {
                    for block in 0..blocks {
                        let (row, end) = (m * block / blocks, m * (block + 1) / blocks);
                        step.run::<C, P, G>(product, row, end - row, (unit, unit + P::S::L));
                    }
                }
                turn += 1;
            }
            for (row, &length) in layout.lengths()[start..start + rows].iter().enumerate() {
                let last = if steps.reverse { turn } else { length as usize };
                if last % 2 == 1 {
                    std::ptr::copy_nonoverlapping(states[1].row(row), states[0].row(row), hp);
                }
            }
        }
    }
}
