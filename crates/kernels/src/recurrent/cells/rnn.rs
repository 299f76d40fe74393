//! The plain recurrent cell: `h' = f(W x + b + U h + c)` with tanh or relu for `f`.

use super::fused::{self, Fused, Units};
use super::kernel::{CellKernel, Facts, InferenceWeights, StepBackward, StepForward};
use super::through::through_tanh;
use crate::recurrent::packs::DirPacks;
use crate::recurrent::steps::{Projected, Steps};
use crate::simd::math::{tanh, tanhs};
use crate::simd::{Lanes, load, store};

/// `f` is tanh.
pub(super) struct Tanh;

/// `f` is relu.
pub(super) struct Relu;

/// What the two cells differ in. (Not closures: one that is too long to be inlined is compiled without the instruction set, and each of
/// its operations becomes a call.)
trait Activation: Sync + 'static {
    const CELL: Self;

    /// Whether states are from -1 to 1.
    const BOUNDED: bool;

    fn of<S: Lanes>(s: S, a: S::f32s) -> S::f32s;

    /// Of several vectors, for inference.
    fn of_many<S: Lanes, const M: usize>(s: S, a: [S::f32s; M]) -> [S::f32s; M];

    /// Through the function with value `h`.
    fn back<S: Lanes>(s: S, dh: S::f32s, h: S::f32s) -> S::f32s;
}

impl Activation for Tanh {
    const CELL: Self = Self;
    const BOUNDED: bool = true;

    #[inline(always)]
    fn of<S: Lanes>(s: S, a: S::f32s) -> S::f32s {
        tanh(s, a)
    }

    #[inline(always)]
    fn of_many<S: Lanes, const M: usize>(s: S, a: [S::f32s; M]) -> [S::f32s; M] {
        tanhs(s, a)
    }

    #[inline(always)]
    fn back<S: Lanes>(s: S, dh: S::f32s, h: S::f32s) -> S::f32s {
        through_tanh(s, dh, h)
    }
}

impl Activation for Relu {
    const CELL: Self = Self;
    const BOUNDED: bool = false;

    #[inline(always)]
    fn of<S: Lanes>(s: S, a: S::f32s) -> S::f32s {
        s.max_f32s(s.splat_f32s(0.0), a)
    }

    #[inline(always)]
    fn of_many<S: Lanes, const M: usize>(s: S, mut a: [S::f32s; M]) -> [S::f32s; M] {
        for value in &mut a {
            *value = Self::of(s, *value);
        }
        a
    }

    #[inline(always)]
    fn back<S: Lanes>(s: S, dh: S::f32s, h: S::f32s) -> S::f32s {
        let zero = s.splat_f32s(0.0);
        s.select_f32s(s.greater_than_f32s(h, zero), dh, zero)
    }
}

impl<A: Activation> CellKernel for A {
    const FACTS: Facts = Facts::PLAIN;

    /// `gates` holds the pre-activation and receives the new state, which `h` receives too.
    #[inline(always)]
    unsafe fn forward<S: Lanes>(s: S, step: &StepForward) {
        for row in 0..step.m {
            // SAFETY: by the caller's promise.
            unsafe {
                let (g, h) = (step.gates.row(row), step.h.row(row));
                for j in (0..step.hp).step_by(S::L) {
                    let new = A::of(s, load(s, g.add(j)));
                    store(s, g.add(j), new);
                    store(s, h.add(j), new);
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn backward<S: Lanes>(s: S, step: &StepBackward) {
        for row in 0..step.m {
            // SAFETY: by the caller's promise.
            unsafe {
                let (g, dg) = (step.gates.row(row), step.dg.row(row));
                for j in (0..step.hp).step_by(S::L) {
                    let h = load(s, g.add(j));
                    store(s, dg.add(j), A::back(s, step.total(s, row, j), h));
                }
            }
        }
    }

    const INFER: Option<unsafe fn(Steps<'_>, Projected)> = if fused::LSTM_ONLY { None } else { Some(infer::<A>) };

    const CODES: bool = fused::CODES && A::BOUNDED;

    fn pack_inference(packs: &mut DirPacks, weights: &InferenceWeights<'_>) {
        if Self::INFER.is_some() {
            fused::pack(packs, 1, &InferenceWeights { input: false, codes: weights.codes && Self::CODES, ..*weights });
        }
    }
}

unsafe fn infer<A: Activation>(steps: Steps<'_>, x: Projected) {
    // SAFETY: by the caller's promise.
    unsafe { fused::infer(&A::CELL, steps, x) }
}

impl<A: Activation> Fused<1> for A {
    #[inline(always)]
    unsafe fn units<S: Lanes, const M: usize>(s: S, units: &Units<S, 1, M>) -> [S::f32s; M] {
        let mut sums = [s.splat_f32s(0.0); M];
        for (row, sum) in sums.iter_mut().enumerate() {
            // SAFETY: by the caller's promise.
            *sum = unsafe { s.add_f32s(units.product(row, 0), units.input(s, row, 0)) };
        }
        A::of_many(s, sums)
    }
}
