//! The LSTM, with gates i, f, g, o: `c' = f c + i g`, `h' = o tanh(c')`. The state may be projected (`proj_size`).
//!
//! Inference has its own kernels: [`infer::Infer`] for weights that fit the first-level cache, and
//! [`infer_wide::InferWide`] for larger ones.

mod infer;
mod infer_wide;

use self::infer::GATES;
use super::kernel::{AnyCell, CellKernel, Facts, InferenceWeights, StepBackward, StepForward};
use super::through::{through_sigmoid, through_tanh};
use crate::recurrent::packs::{DirPacks, UnitPanels};
use crate::recurrent::steps::{Projected, Steps};
use crate::simd::math::{sigmoid, tanh};
use crate::simd::{Isa, Lanes, dispatch, fma, isa, load, store};

/// Bytes of weights for each row of a group that are as good as in the first-level cache.
const NEAR_BYTES: usize = 22 << 10;

pub(super) struct Lstm;

impl CellKernel for Lstm {
    /// Saves tanh(c').
    const FACTS: Facts = Facts { gates: GATES, cell_state: true, saves: true, projects: true, ..Facts::PLAIN };

    #[inline(always)]
    unsafe fn forward<S: Lanes>(s: S, step: &StepForward) {
        let hp = step.hp;
        for row in 0..step.m {
            // SAFETY: by the caller's promise.
            unsafe {
                let (g, c, h) = (step.gates.row(row), step.c.row(row), step.h.row(row));
                for j in (0..hp).step_by(S::L) {
                    let i = sigmoid(s, load(s, g.add(j)));
                    let f = sigmoid(s, load(s, g.add(hp + j)));
                    let n = tanh(s, load(s, g.add(2 * hp + j)));
                    let o = sigmoid(s, load(s, g.add(3 * hp + j)));
                    let new = fma(s, f, load(s, c.add(j)), s.mul_f32s(i, n));
                    let t = tanh(s, new);
                    store(s, c.add(j), new);
                    store(s, h.add(j), s.mul_f32s(o, t));
                    if step.keep {
                        store(s, g.add(j), i);
                        store(s, g.add(hp + j), f);
                        store(s, g.add(2 * hp + j), n);
                        store(s, g.add(3 * hp + j), o);
                        store(s, step.saved.row(row).add(j), t);
                    }
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn backward<S: Lanes>(s: S, step: &StepBackward) {
        let hp = step.hp;
        for row in 0..step.m {
            // SAFETY: by the caller's promise.
            unsafe {
                let (g, dg, dc) = (step.gates.row(row), step.dg.row(row), step.dc.row(row));
                let (cprev, tanhc) = (step.cprev.row(row), step.saved.row(row));
                for j in (0..hp).step_by(S::L) {
                    let i = load(s, g.add(j));
                    let f = load(s, g.add(hp + j));
                    let n = load(s, g.add(2 * hp + j));
                    let o = load(s, g.add(3 * hp + j));
                    let t = load(s, tanhc.add(j));
                    let dh = step.total(s, row, j);
                    let dct = s.add_f32s(load(s, dc.add(j)), through_tanh(s, s.mul_f32s(dh, o), t));
                    store(s, dc.add(j), s.mul_f32s(dct, f));
                    store(s, dg.add(j), through_sigmoid(s, s.mul_f32s(dct, n), i));
                    store(s, dg.add(hp + j), through_sigmoid(s, s.mul_f32s(dct, load(s, cprev.add(j))), f));
                    store(s, dg.add(2 * hp + j), through_tanh(s, s.mul_f32s(dct, i), n));
                    store(s, dg.add(3 * hp + j), through_sigmoid(s, s.mul_f32s(dh, t), o));
                }
            }
        }
    }

    const INFER: Option<unsafe fn(Steps<'_>, Projected)> = Some(infer);

    fn pack_inference(packs: &mut DirPacks, weights: &InferenceWeights<'_>) {
        let &InferenceWeights { w_ih, w_hh, hp, rp, kp, input } = weights;
        packs.units.pack(GATES, w_hh, hp, rp);
        if input {
            packs.units.pack_input(GATES, w_ih, &packs.bias_x, hp, kp);
        }
    }

    fn infers_from_inputs(packs: &DirPacks, rows: usize) -> bool {
        packs.units.exist() && !fit_groups(&packs.units, rows)
    }
}

unsafe fn infer(steps: Steps<'_>, x: Projected) {
    if !steps.packs.units.exist() {
        // SAFETY: by the caller's promise.
        unsafe { Lstm.forward(steps, x) }
    } else if fit_groups(&steps.packs.units, steps.rows.len()) {
        dispatch(infer::Infer(steps, x));
    } else {
        dispatch(infer_wide::InferWide(steps, x));
    }
}

/// Whether a group of few rows runs through all steps before the next ([`infer::Infer`]). Each then reads all weights at every
/// step, which takes longer than it saves where they are not in the first-level cache, or nearly so; there all rows of a step
/// go through the weights together ([`infer_wide::InferWide`]).
fn fit_groups(units: &UnitPanels, rows: usize) -> bool {
    let group = if isa() == Isa::Avx512 { 6 } else { 3 };
    rows <= group || units.hh().n * units.hh().k * 4 <= group * NEAR_BYTES
}
