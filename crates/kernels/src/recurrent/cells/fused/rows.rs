//! One step of a few rows: the products of some units, and their states.

use std::marker::PhantomData;

use super::units::{Fused, Units, group};
use crate::recurrent::packs::DirPacks;
use crate::recurrent::steps::Projected;
use crate::simd::gemm::Mat;
use crate::simd::{Kernel, Lanes, call, fma, load, prefetch, store};

/// How many steps ahead rows of the input are fetched.
pub(super) const AHEAD: usize = 2;

/// One step; every matrix begins at the first row.
#[derive(Clone, Copy)]
pub(super) struct Step<'a> {
    pub packs: &'a DirPacks,
    pub x: Projected,
    pub position: usize,
    /// Where the input of a later step is, and how many rows it has.
    pub ahead: usize,
    pub fetched: usize,
    /// Padded size of the state.
    pub hp: usize,
    pub from: Mat,
    pub to: Mat,
    pub c: Mat,
    pub y: Mat,
}

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
    pub unsafe fn run<C: Fused<G>, S: Lanes, const G: usize>(self, s: S, row: usize, m: usize, units: (usize, usize)) {
        let work = Work { step: self, row, units };
        match m {
            0 => {}
            1 => call(s, Rows::<C, G, 1>(work, PhantomData)),
            2 => call(s, Rows::<C, G, 2>(work, PhantomData)),
            3 => call(s, Rows::<C, G, 3>(work, PhantomData)),
            4 => call(s, Rows::<C, G, 4>(work, PhantomData)),
            5 => call(s, Rows::<C, G, 5>(work, PhantomData)),
            6 => call(s, Rows::<C, G, 6>(work, PhantomData)),
            7 => call(s, Rows::<C, G, 7>(work, PhantomData)),
            _ => call(s, Rows::<C, G, 8>(work, PhantomData)),
        }
    }
}

/// Some units of some rows, from `row` on, in a step.
struct Work<'a> {
    step: Step<'a>,
    row: usize,
    units: (usize, usize),
}

struct Rows<'a, C, const G: usize, const M: usize>(Work<'a>, PhantomData<C>);

impl<C: Fused<G>, const G: usize, const M: usize> Kernel for Rows<'_, C, G, M> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        if M > group::<S, G>() {
            unreachable!("more rows than there are registers for");
        }
        let Work { step, row: first, units } = self.0;
        let Step { packs, hp, .. } = step;
        // SAFETY: by the promise of `Step::run`.
        unsafe {
            let (mut x, mut next) = ([packs.bias_x.as_ptr(); M], [std::ptr::null::<f32>(); M]);
            for row in 0..M {
                if !matches!(step.x, Projected::Input(_)) {
                    x[row] = step.x.row(step.position + first + row);
                }
                if matches!(step.x, Projected::Table(..) | Projected::Tables(..)) && first + row < step.fetched {
                    next[row] = step.x.row(step.ahead + first + row);
                }
            }
            let (from, to) = (step.from.at(first, 0), step.to.at(first, 0));
            let (c, y) = (from_row(step.c, first), from_row(step.y, first));
            for unit in (units.0..units.1).step_by(S::L) {
                let mut sums = [[s.splat_f32s(0.0); G]; M];
                if let Projected::Input(x) = step.x {
                    let (w, k) = packs.units.ih(unit);
                    product::<S, G, M>(s, x.at(step.position + first, 0), k, w, &mut sums);
                }
                let (w, k) = packs.units.hh(unit);
                product::<S, G, M>(s, from, k, w, &mut sums);
                for next in next {
                    if !next.is_null() {
                        for gate in 0..G {
                            prefetch(next.add(gate * hp + unit));
                        }
                    }
                }
                let units = Units { sums, x, bias: packs.bias_h.as_ptr(), hp, unit, old: from, c };
                let new = C::units(s, &units);
                for (row, &h) in new.iter().enumerate() {
                    store(s, to.row(row).add(unit), h);
                    if y.exists() {
                        store(s, y.row(row).add(unit), h);
                    }
                }
            }
        }
    }
}

/// Adds the products of rows of `k` values and the weights of a vector of units, gate by gate.
///
/// # Safety
/// `a` must have `M` rows of `k` values, and `w` be the panel of the units.
#[inline(always)]
unsafe fn product<S: Lanes, const G: usize, const M: usize>(
    s: S,
    a: Mat,
    k: usize,
    w: *const f32,
    sums: &mut [[S::f32s; G]; M],
) {
    for i in 0..k {
        // SAFETY: by the caller's promise.
        unsafe {
            let line = w.add(i * G * S::L);
            let mut columns = [s.splat_f32s(0.0); G];
            for (gate, column) in columns.iter_mut().enumerate() {
                *column = load(s, line.add(gate * S::L));
            }
            for (row, sums) in sums.iter_mut().enumerate() {
                let value = s.splat_f32s(*a.row(row).add(i));
                for (sum, &column) in sums.iter_mut().zip(&columns) {
                    *sum = fma(s, value, column, *sum);
                }
            }
        }
    }
}
