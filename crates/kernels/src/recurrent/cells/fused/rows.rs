//! One step of a few rows: the products of some units, and their states.

use std::marker::PhantomData;

use super::fetch::Fetch;
use super::product::{Product, Work};
use super::step::Step;
use super::units::{Fused, Units, group};
use crate::recurrent::steps::Projected;
use crate::simd::gemm::Mat;
use crate::simd::{Lanes, store};

/// The matrix from a row on, if it is there.
#[inline(always)]
unsafe fn from_row(mat: Mat, row: usize) -> Mat {
    // SAFETY: by the caller's promise.
    if mat.exists() { unsafe { mat.at(row, 0) } } else { mat }
}

impl Step<'_> {
    /// Computes the units `from..to` of `m` rows.
    ///
    /// # Safety
    /// Rows and units must be inside, `from` and `to` multiples of the lanes, and `m` at most [`group`].
    #[inline(always)]
    pub unsafe fn run<C: Fused<G>, P: Product, const G: usize>(
        self,
        p: P,
        row: usize,
        m: usize,
        units: (usize, usize),
    ) {
        let part = Part { step: self, row, units };
        match m {
            0 => {}
            1 => p.call(Rows::<C, G, 1>(part, PhantomData)),
            2 => p.call(Rows::<C, G, 2>(part, PhantomData)),
            3 => p.call(Rows::<C, G, 3>(part, PhantomData)),
            4 => p.call(Rows::<C, G, 4>(part, PhantomData)),
            5 => p.call(Rows::<C, G, 5>(part, PhantomData)),
            6 => p.call(Rows::<C, G, 6>(part, PhantomData)),
            7 => p.call(Rows::<C, G, 7>(part, PhantomData)),
            _ => p.call(Rows::<C, G, 8>(part, PhantomData)),
        }
    }
}

/// Some units of some rows, from `row` on, in a step.
struct Part<'a> {
    step: Step<'a>,
    row: usize,
    units: (usize, usize),
}

struct Rows<'a, C, const G: usize, const M: usize>(Part<'a>, PhantomData<C>);

impl<C: Fused<G>, const G: usize, const M: usize> Work for Rows<'_, C, G, M> {
    #[inline(always)]
    fn run<P: Product>(self, p: P) {
        let s = p.lanes();
        if M > group::<P::S, G>() {
            unreachable!("more rows than there are registers for");
        }
        let Part { step, row: first, units } = self.0;
        let Step { packs, hp, .. } = step;
        // SAFETY: by the promise of `Step::run`.
        unsafe {
            let (mut x, mut next) = ([packs.bias_x.as_ptr(); M], [packs.bias_x.as_ptr(); M]);
            let fetches = matches!(step.x, Projected::Table(..) | Projected::Tables(..)) && first < step.fetched;
            for row in 0..M {
                if !matches!(step.x, Projected::Input(_)) {
                    x[row] = step.x.row(step.position + first + row);
                }
                if fetches && first + row < step.fetched {
                    next[row] = step.x.row(step.ahead + first + row);
                }
            }
            let (from, to) = (step.from.at(first, 0), step.to.at(first, 0));
            let (c, y) = (from_row(step.c, first), from_row(step.y, first));
            for unit in (units.0..units.1).step_by(P::S::L) {
                // As much of each row as these units read, in the order of memory: one address, and constants.
                let fetch = if fetches { Fetch::new(next, unit * G) } else { Fetch::NOTHING };
                let sums = p.sums::<G, M>(&step, first, unit, fetch);
                let units = Units { sums, x, bias: packs.bias_h.as_ptr(), hp, unit, old: from, c };
                let new = C::units(s, &units);
                for (row, &h) in new.iter().enumerate() {
                    store(s, to.row(row).add(unit), h);
                    p.keep(&step, first + row, unit, h);
                    if y.exists() {
                        store(s, y.row(row).add(unit), h);
                    }
                }
            }
        }
    }
}
