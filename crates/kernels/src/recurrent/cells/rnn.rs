//! The plain recurrent cell: `h' = f(W x + b + U h + c)` with tanh or relu for `f`.

use super::kernel::{CellKernel, Facts, StepBackward, StepForward};
use super::through::through_tanh;
use crate::simd::math::tanh;
use crate::simd::{Lanes, load, store};

/// `f` is tanh.
pub(super) struct Tanh;

/// `f` is relu.
pub(super) struct Relu;

impl CellKernel for Tanh {
    const FACTS: Facts = Facts::PLAIN;

    #[inline(always)]
    unsafe fn forward<S: Lanes>(s: S, step: &StepForward) {
        // SAFETY: by the caller's promise.
        unsafe { activate(s, step, |a| tanh(s, a)) }
    }

    #[inline(always)]
    unsafe fn backward<S: Lanes>(s: S, step: &StepBackward) {
        // SAFETY: by the caller's promise.
        unsafe { back(s, step, |dh, h| through_tanh(s, dh, h)) }
    }
}

impl CellKernel for Relu {
    const FACTS: Facts = Facts::PLAIN;

    #[inline(always)]
    unsafe fn forward<S: Lanes>(s: S, step: &StepForward) {
        // SAFETY: by the caller's promise.
        unsafe { activate(s, step, |a| s.max_f32s(s.splat_f32s(0.0), a)) }
    }

    #[inline(always)]
    unsafe fn backward<S: Lanes>(s: S, step: &StepBackward) {
        let zero = s.splat_f32s(0.0);
        // SAFETY: by the caller's promise.
        unsafe { back(s, step, |dh, h| s.select_f32s(s.greater_than_f32s(h, zero), dh, zero)) }
    }
}

/// `gates` holds the pre-activation and receives the new state, which `h` receives too.
#[inline(always)]
unsafe fn activate<S: Lanes>(s: S, step: &StepForward, f: impl Fn(S::f32s) -> S::f32s) {
    for row in 0..step.m {
        // SAFETY: by the caller's promise.
        unsafe {
            let (g, h) = (step.gates.row(row), step.h.row(row));
            for j in (0..step.hp).step_by(S::L) {
                let new = f(load(s, g.add(j)));
                store(s, g.add(j), new);
                store(s, h.add(j), new);
            }
        }
    }
}

#[inline(always)]
unsafe fn back<S: Lanes>(s: S, step: &StepBackward, through: impl Fn(S::f32s, S::f32s) -> S::f32s) {
    for row in 0..step.m {
        // SAFETY: by the caller's promise.
        unsafe {
            let (g, dg) = (step.gates.row(row), step.dg.row(row));
            for j in (0..step.hp).step_by(S::L) {
                let h = load(s, g.add(j));
                store(s, dg.add(j), through(step.total(s, row, j), h));
            }
        }
    }
}
