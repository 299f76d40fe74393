//! The loop over time, forward and backward, compiled for each cell.

use std::marker::PhantomData;

use super::kernel::{AnyCell, CellKernel, Facts, InferenceWeights, Recurrence, StepBackward, StepForward};
use crate::phases::{Phase, begin};
use crate::recurrent::packs::DirPacks;
use crate::recurrent::steps::{Projected, Steps};
use crate::simd::gemm::{Gemm, Init, Mat};
use crate::simd::{Kernel, Lanes, call, dispatch, load, store};

impl<C: CellKernel> AnyCell for C {
    fn facts(&self) -> Facts {
        C::FACTS
    }

    unsafe fn forward(&self, steps: Steps<'_>, x: Projected) {
        dispatch(Forward::<C>(steps, x, PhantomData));
    }

    unsafe fn infer(&self, steps: Steps<'_>, x: Projected) {
        // SAFETY: by the caller's promise.
        unsafe {
            match C::INFER {
                Some(infer) => infer(steps, x),
                None => self.forward(steps, x),
            }
        }
    }

    #[cfg(feature = "training")]
    unsafe fn backward(&self, steps: Steps<'_>) {
        dispatch(Backward::<C>(steps, PhantomData));
    }

    unsafe fn step(&self, step: &StepForward) {
        dispatch(One::<C>(step, PhantomData));
    }

    #[cfg(feature = "training")]
    unsafe fn step_back(&self, step: &StepBackward) {
        dispatch(OneBack::<C>(step, PhantomData));
    }

    fn pack_inference(&self, packs: &mut DirPacks, weights: &InferenceWeights<'_>) {
        C::pack_inference(packs, weights);
    }

    fn takes_codes(&self) -> bool {
        C::CODES
    }

    fn infers_from_inputs(&self, packs: &DirPacks, rows: usize) -> bool {
        C::infers_from_inputs(packs, rows)
    }
}

#[inline(always)]
unsafe fn copy_block(m: usize, from: Mat, to: Mat) {
    // SAFETY: by the promise of `Steps`: both have m rows of the same stride.
    unsafe { std::ptr::copy_nonoverlapping(from.ptr, to.ptr, m * from.stride) }
}

#[inline(always)]
unsafe fn copy_rows(m: usize, width: usize, from: Mat, to: Mat) {
    for row in 0..m {
        // SAFETY: as in `copy_block`.
        unsafe { std::ptr::copy_nonoverlapping(from.row(row), to.row(row), width) }
    }
}

/// One step forward.
struct One<'a, C>(&'a StepForward, PhantomData<C>);

impl<C: CellKernel> Kernel for One<'_, C> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        // SAFETY: by the promise of `AnyCell::step`.
        unsafe { C::forward(s, self.0) }
    }
}

/// One step backward.
struct OneBack<'a, C>(&'a StepBackward, PhantomData<C>);

impl<C: CellKernel> Kernel for OneBack<'_, C> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        // SAFETY: by the promise of `AnyCell::step_back`.
        unsafe { C::backward(s, self.0) }
    }
}

/// The loop over time, forward.
struct Forward<'a, C>(Steps<'a>, Projected, PhantomData<C>);

impl<C: CellKernel> Kernel for Forward<'_, C> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        let Self(steps, x, _) = self;
        let (p, b0, hp) = (steps.mats, steps.rows.start, steps.hp);
        for i in 0..steps.layout.steps() {
            let (position, m) = steps.at(steps.step(i, steps.reverse));
            if m == 0 {
                continue;
            }
            // SAFETY: by the promise of `Steps`.
            unsafe {
                let save = |mat: Mat| if p.keep && mat.exists() { mat.at(position, 0) } else { Mat::none() };
                let own = |mat: Mat| if p.keep { mat.at(position, 0) } else { mat.at(b0, 0) };
                let state = |mat: Mat| if mat.exists() { mat.at(b0, 0) } else { mat };
                let (gates, h, c, recurrent) = (own(p.gates), p.h.at(b0, 0), state(p.c), state(p.recurrent));
                if p.keep {
                    copy_block(m, h, p.hprev.at(position, 0));
                    if C::FACTS.cell_state {
                        copy_block(m, c, p.cprev.at(position, 0));
                    }
                }
                let b = &steps.packs.hh_t;
                begin(Phase::Forward);
                match C::FACTS.recurrence {
                    Recurrence::Added => call(s, Gemm { a: h, m, b, c: gates, init: x.init(position) }),
                    Recurrence::Apart => {
                        call(s, Gemm { a: h, m, b, c: recurrent, init: Init::Bias(steps.packs.bias_h.as_ptr()) });
                    }
                    Recurrence::None => {}
                }
                begin(Phase::Gates);
                let saved = save(p.saved);
                let step = StepForward { m, hp, keep: p.keep, x, position, gates, recurrent, saved, c, h };
                if C::FACTS.projects && p.hfull.exists() {
                    let full = own(p.hfull);
                    C::forward(s, &StepForward { h: full, ..step });
                    call(s, Gemm { a: full, m, b: &steps.packs.hr_t, c: h, init: Init::Zero });
                } else {
                    C::forward(s, &step);
                }
                if p.y.exists() {
                    copy_rows(m, steps.rp, h, p.y.at(position, 0));
                }
            }
        }
    }
}

/// The loop over time, backward.
struct Backward<'a, C>(Steps<'a>, PhantomData<C>);

impl<C: CellKernel> Kernel for Backward<'_, C> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        let steps = self.0;
        let (p, b0, hp) = (steps.mats, steps.rows.start, steps.hp);
        for i in 0..steps.layout.steps() {
            if let Some(aside) = steps.aside {
                begin(Phase::Words);
                aside(i, steps.layout.steps());
            }
            let (position, m) = steps.at(steps.step(i, !steps.reverse));
            if m == 0 {
                continue;
            }
            begin(Phase::GatesBack);
            // SAFETY: by the promise of `Steps`.
            unsafe {
                let at = |mat: Mat| if mat.exists() { mat.at(position, 0) } else { mat };
                let state = |mat: Mat| if mat.exists() { mat.at(b0, 0) } else { mat };
                let step = StepBackward {
                    m,
                    hp,
                    gates: at(p.gates),
                    hprev: at(p.hprev),
                    cprev: at(p.cprev),
                    saved: at(p.saved),
                    dh: p.dh.at(b0, 0),
                    dy: at(p.dy),
                    dc: state(p.dc),
                    dg: at(p.dg),
                    dgh: at(p.dgh),
                };
                if C::FACTS.projects && p.dhr.exists() {
                    let (sum, full) = (at(p.dhr), p.dhfull.at(b0, 0));
                    add(s, m, steps.rp, step.dh, step.dy, sum);
                    call(s, Gemm { a: sum, m, b: &steps.packs.hr, c: full, init: Init::Zero });
                    C::backward(s, &StepBackward { dh: full, dy: Mat::none(), ..step });
                } else {
                    C::backward(s, &step);
                }
                let (b, c) = (&steps.packs.hh, step.dh);
                begin(Phase::Backward);
                match C::FACTS.recurrence {
                    Recurrence::Added => call(s, Gemm { a: step.dg, m, b, c, init: Init::Zero }),
                    Recurrence::Apart => call(s, Gemm { a: step.dgh, m, b, c, init: Init::Of(c) }),
                    Recurrence::None => {}
                }
            }
        }
    }
}

/// `sum = dh + dy` over rows of `width`: the gradient of a projected state.
#[inline(always)]
unsafe fn add<S: Lanes>(s: S, m: usize, width: usize, dh: Mat, dy: Mat, sum: Mat) {
    for row in 0..m {
        // SAFETY: by the promise of `Steps`.
        unsafe {
            for j in (0..width).step_by(S::L) {
                store(s, sum.row(row).add(j), {
                    let later = load(s, dh.row(row).add(j));
                    if dy.exists() { s.add_f32s(later, load(s, dy.row(row).add(j))) } else { later }
                });
            }
        }
    }
}
