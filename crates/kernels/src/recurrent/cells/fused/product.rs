//! How the recurrent product of a step is computed: of singles, or of codes in eight bits.

use std::ops::Range;

use pulp::Simd;

use super::fetch::Fetch;
use super::step::{Codes, Step};
use crate::recurrent::steps::Projected;
use crate::simd::dots::{DotWork, Dots, code_bytes};
use crate::simd::gemm::Mat;
use crate::simd::{Kernel, Lanes, fma, load};

/// A vector for each row and gate.
type Sums<S, const G: usize, const M: usize> = [[<S as Simd>::f32s; G]; M];

/// The products of a step, and what they read of the states.
pub(super) trait Product: Copy {
    type S: Lanes;

    fn lanes(self) -> Self::S;

    /// Runs work as a separate function that has the instructions.
    fn call<W: Work>(self, work: W);

    /// The pre-activations of `M` rows from `first` on and a vector of their units from `unit` on, as far as they are products: that of
    /// the old state, and that of an input which is not projected. What is to be fetched is asked for in between.
    ///
    /// # Safety
    /// Rows and units must be inside.
    unsafe fn sums<const G: usize, const M: usize>(
        self,
        step: &Step,
        first: usize,
        unit: usize,
        fetch: Fetch<M>,
    ) -> Sums<Self::S, G, M>;

    /// Makes a vector of new states, from `unit` on, ready for the next step. They are in `to` too.
    ///
    /// # Safety
    /// As [`Product::sums`].
    unsafe fn keep(self, step: &Step, row: usize, unit: usize, states: <Self::S as Simd>::f32s);

    /// The same for the states that `rows` rows of `width` units begin with. Both copies receive them, since a row of the reverse
    /// direction may begin at any step.
    ///
    /// # Safety
    /// As [`Product::sums`].
    unsafe fn begin(self, from: Mat, codes: [Codes; 2], rows: usize, width: usize);
}

/// Work that is compiled once for each product.
pub(super) trait Work {
    /// Must be `#[inline(always)]` in every implementation, or it loses the instructions.
    fn run<P: Product>(self, product: P);
}

/// A product of singles.
#[derive(Clone, Copy)]
pub(super) struct Singles<S>(pub S);

/// Work on singles.
pub(super) struct OnSingles<W>(pub W);

impl<W: Work> Kernel for OnSingles<W> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        self.0.run(Singles(s))
    }
}

impl<S: Lanes> Product for Singles<S> {
    type S = S;

    #[inline(always)]
    fn lanes(self) -> S {
        self.0
    }

    #[inline(always)]
    fn call<W: Work>(self, work: W) {
        crate::simd::call(self.0, OnSingles(work))
    }

    #[inline(always)]
    unsafe fn sums<const G: usize, const M: usize>(
        self,
        step: &Step,
        first: usize,
        unit: usize,
        fetch: Fetch<M>,
    ) -> Sums<S, G, M> {
        let s = self.0;
        let mut sums = [[s.splat_f32s(0.0); G]; M];
        // SAFETY: by the caller's promise.
        unsafe {
            if let Projected::Input(x) = step.x {
                let (w, k) = step.packs.units.ih(unit);
                add::<S, G, M>(s, x.at(step.position + first, 0), 0..k, w, &mut sums);
            }
            let (w, k) = step.packs.units.hh(unit);
            let a = step.from.at(first, 0);
            if fetch.apart(k) {
                for gate in 0..G {
                    add::<S, G, M>(s, a, k * gate / G..k * (gate + 1) / G, w, &mut sums);
                    fetch.line(gate * S::L);
                }
            } else {
                add::<S, G, M>(s, a, 0..k, w, &mut sums);
                for gate in 0..G {
                    fetch.line(gate * S::L);
                }
            }
        }
        sums
    }

    #[inline(always)]
    unsafe fn keep(self, _: &Step, _: usize, _: usize, _: S::f32s) {}

    #[inline(always)]
    unsafe fn begin(self, _: Mat, _: [Codes; 2], _: usize, _: usize) {}
}

/// A product of codes.
#[derive(Clone, Copy)]
pub(super) struct Coded<D>(pub D);

/// Work on codes.
pub(super) struct OnCodes<W>(pub W);

impl<W: Work> DotWork for OnCodes<W> {
    type Output = ();
    #[inline(always)]
    fn run<D: Dots>(self, dots: D) {
        self.0.run(Coded(dots))
    }
}

impl<D: Dots> Product for Coded<D> {
    type S = D::S;

    #[inline(always)]
    fn lanes(self) -> D::S {
        self.0.lanes()
    }

    #[inline(always)]
    fn call<W: Work>(self, work: W) {
        self.0.call(OnCodes(work))
    }

    #[inline(always)]
    unsafe fn sums<const G: usize, const M: usize>(
        self,
        step: &Step,
        first: usize,
        unit: usize,
        fetch: Fetch<M>,
    ) -> Sums<D::S, G, M> {
        let (dots, s, hp) = (self.0, self.0.lanes(), step.hp);
        // SAFETY: by the caller's promise; the weights were packed for these instructions.
        unsafe {
            let panel = step.packs.coded.at(unit);
            let mut whole = [[dots.sums(panel.starts); G]; M];
            for gate in 1..G {
                let start = dots.sums(panel.starts.add(gate * hp));
                for sums in &mut whole {
                    sums[gate] = start;
                }
            }
            for group in 0..panel.k / D::TAKES {
                let line = panel.weights.add(group * G * D::S::L * 4);
                let mut columns = [dots.weights(line); G];
                for (gate, column) in columns.iter_mut().enumerate() {
                    *column = dots.weights(line.add(gate * D::S::L * 4));
                }
                for (row, sums) in whole.iter_mut().enumerate() {
                    let values = dots.values(step.codes[0].at(first + row, group * D::TAKES, code_bytes::<D>()));
                    for (sum, &column) in sums.iter_mut().zip(&columns) {
                        *sum = dots.dot(*sum, column, values);
                    }
                }
            }
            for gate in 0..G {
                fetch.line(gate * D::S::L);
            }
            let mut sums = [[s.splat_f32s(0.0); G]; M];
            for gate in 0..G {
                let scale = load(s, panel.scales.add(gate * hp));
                for row in 0..M {
                    sums[row][gate] = s.mul_f32s(dots.singles(whole[row][gate]), scale);
                }
            }
            sums
        }
    }

    #[inline(always)]
    unsafe fn keep(self, step: &Step, row: usize, unit: usize, states: <D::S as Simd>::f32s) {
        // SAFETY: by the caller's promise.
        unsafe { self.0.encode(states, step.codes[1].at(row, unit, code_bytes::<D>())) }
    }

    #[inline(always)]
    unsafe fn begin(self, from: Mat, codes: [Codes; 2], rows: usize, width: usize) {
        for row in 0..rows {
            for unit in (0..width).step_by(D::S::L) {
                // SAFETY: by the caller's promise.
                unsafe {
                    let states = load(self.0.lanes(), from.row(row).add(unit));
                    for copy in codes {
                        self.0.encode(states, copy.at(row, unit, code_bytes::<D>()));
                    }
                }
            }
        }
    }
}

/// Adds the products of some values of rows with a vector of units' weights, gate by gate.
///
/// # Safety
/// `a` must have `M` rows with these values, and `w` be the panel of the units.
#[inline(always)]
unsafe fn add<S: Lanes, const G: usize, const M: usize>(
    s: S,
    a: Mat,
    values: Range<usize>,
    w: *const f32,
    sums: &mut Sums<S, G, M>,
) {
    for i in values {
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
