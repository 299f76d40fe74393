//! The GRU, with PyTorch's gates r, z, n and the reset applied after the product:
//! `n = tanh(W x + b + r (U h + c))`, `h' = (1 - z) n + z h`.

use super::fused::{self, Fused, Units};
use super::kernel::{CellKernel, Facts, InferenceWeights, Recurrence, StepBackward, StepForward};
use super::through::{through_sigmoid, through_tanh};
use crate::recurrent::packs::DirPacks;
use crate::recurrent::steps::{Projected, Steps};
use crate::simd::math::{gru_gates, gru_states, sigmoid, tanh};
use crate::simd::{Lanes, fma, load, store};

/// r, z, n.
const GATES: usize = 3;

pub(super) struct Gru;

impl CellKernel for Gru {
    /// Saves the recurrent part of n.
    const FACTS: Facts = Facts { gates: GATES, recurrence: Recurrence::Apart, saves: true, ..Facts::PLAIN };

    #[inline(always)]
    unsafe fn forward<S: Lanes>(s: S, step: &StepForward) {
        let hp = step.hp;
        for row in 0..step.m {
            // SAFETY: by the caller's promise.
            unsafe {
                let (x, hid, h) = (step.input(row), step.recurrent.row(row), step.h.row(row));
                for j in (0..hp).step_by(S::L) {
                    let r = sigmoid(s, s.add_f32s(load(s, x.add(j)), load(s, hid.add(j))));
                    let z = sigmoid(s, s.add_f32s(load(s, x.add(hp + j)), load(s, hid.add(hp + j))));
                    let hidden = load(s, hid.add(2 * hp + j));
                    let n = tanh(s, fma(s, r, hidden, load(s, x.add(2 * hp + j))));
                    let old = load(s, h.add(j));
                    store(s, h.add(j), fma(s, z, s.sub_f32s(old, n), n));
                    if step.keep {
                        let g = step.gates.row(row);
                        store(s, g.add(j), r);
                        store(s, g.add(hp + j), z);
                        store(s, g.add(2 * hp + j), n);
                        store(s, step.saved.row(row).add(j), hidden);
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
                let (g, dg, dgh) = (step.gates.row(row), step.dg.row(row), step.dgh.row(row));
                let (hprev, hn, dh_row) = (step.hprev.row(row), step.saved.row(row), step.dh.row(row));
                for j in (0..hp).step_by(S::L) {
                    let r = load(s, g.add(j));
                    let z = load(s, g.add(hp + j));
                    let n = load(s, g.add(2 * hp + j));
                    let dh = step.total(s, row, j);
                    let dhz = s.mul_f32s(dh, z);
                    let dn = through_tanh(s, s.sub_f32s(dh, dhz), n);
                    let dz = through_sigmoid(s, s.mul_f32s(dh, s.sub_f32s(load(s, hprev.add(j)), n)), z);
                    let dr = through_sigmoid(s, s.mul_f32s(dn, load(s, hn.add(j))), r);
                    store(s, dg.add(j), dr);
                    store(s, dg.add(hp + j), dz);
                    store(s, dg.add(2 * hp + j), dn);
                    store(s, dgh.add(j), dr);
                    store(s, dgh.add(hp + j), dz);
                    store(s, dgh.add(2 * hp + j), s.mul_f32s(dn, r));
                    store(s, dh_row.add(j), dhz);
                }
            }
        }
    }

    const INFER: Option<unsafe fn(Steps<'_>, Projected)> = if fused::LSTM_ONLY { None } else { Some(infer) };

    const CODES: bool = fused::CODES;

    fn pack_inference(packs: &mut DirPacks, weights: &InferenceWeights<'_>) {
        if Self::INFER.is_some() {
            fused::pack(packs, GATES, &InferenceWeights { input: false, ..*weights });
        }
    }
}

unsafe fn infer(steps: Steps<'_>, x: Projected) {
    // SAFETY: by the caller's promise.
    unsafe { fused::infer(&Gru, steps, x) }
}

impl Fused<GATES> for Gru {
    #[inline(always)]
    unsafe fn units<S: Lanes, const M: usize>(s: S, units: &Units<S, GATES, M>) -> [S::f32s; M] {
        let zero = s.splat_f32s(0.0);
        let (mut e, mut n, mut old) = ([zero; M], [zero; M], [zero; M]);
        for row in 0..M {
            // SAFETY: by the caller's promise.
            unsafe {
                let r = s.add_f32s(units.recurrent(s, row, 0), units.input(s, row, 0));
                let z = s.add_f32s(units.recurrent(s, row, 1), units.input(s, row, 1));
                let (r, exp) = gru_gates(s, r, z);
                e[row] = exp;
                n[row] = fma(s, r, units.recurrent(s, row, 2), units.input(s, row, 2));
                old[row] = units.old(s, row);
            }
        }
        gru_states(s, e, n, old)
    }
}
