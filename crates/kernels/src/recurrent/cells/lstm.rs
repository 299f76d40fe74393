//! The LSTM, with gates i, f, g, o: `c' = f c + i g`, `h' = o tanh(c')`. The state may be projected (`proj_size`).

use super::fused::{self, Fused, Units};
use super::kernel::{CellKernel, Facts, InferenceWeights, StepBackward, StepForward};
use super::through::{through_sigmoid, through_tanh};
use crate::recurrent::packs::DirPacks;
use crate::recurrent::steps::{Projected, Steps};
use crate::simd::math::{lstm_cell, lstm_outputs, sigmoid, tanh};
use crate::simd::{Lanes, fma, load, store};

/// i, f, g, o.
const GATES: usize = 4;

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

    const CODES: bool = fused::CODES;

    fn pack_inference(packs: &mut DirPacks, weights: &InferenceWeights<'_>) {
        fused::pack(packs, GATES, weights);
    }

    fn infers_from_inputs(packs: &DirPacks, rows: usize) -> bool {
        fused::reads_inputs(packs, GATES, rows)
    }
}

unsafe fn infer(steps: Steps<'_>, x: Projected) {
    // SAFETY: by the caller's promise.
    unsafe { fused::infer(&Lstm, steps, x) }
}

impl Fused<GATES> for Lstm {
    #[inline(always)]
    unsafe fn units<S: Lanes, const M: usize>(s: S, units: &Units<S, GATES, M>) -> [S::f32s; M] {
        let (mut cells, mut below) = ([s.splat_f32s(0.0); M], [s.splat_f32s(0.0); M]);
        for row in 0..M {
            // SAFETY: by the caller's promise.
            unsafe {
                let mut gates = [s.splat_f32s(0.0); GATES];
                for (gate, sum) in gates.iter_mut().enumerate() {
                    *sum = s.add_f32s(units.product(row, gate), units.input(s, row, gate));
                }
                let c = units.second(row);
                (cells[row], below[row]) = lstm_cell(s, gates, load(s, c));
                store(s, c, cells[row]);
            }
        }
        lstm_outputs(s, cells, below)
    }
}
