//! The minGRU of Feng et al. (2024), "Were RNNs All We Needed?": a GRU whose gate and candidate see the input only,
//! `z = sigmoid(W_z x + b_z)`, `n = W_n x + b_n`, `h' = (1 - z) h + z n`.
//!
//! Its parameters are `weight_ih_l0`, `[2 * hidden, input]`, and `bias_ih_l0`, `[2 * hidden]`, with z before n; there
//! are no recurrent weights, so a time step has no matrix product.

use super::kernel::{CellKernel, Facts, Recurrence, StepBackward, StepForward};
use super::through::through_sigmoid;
use crate::simd::math::sigmoid;
use crate::simd::{Lanes, fma, load, store};

pub(super) struct MinGru;

impl CellKernel for MinGru {
    const FACTS: Facts = Facts { gates: 2, recurrence: Recurrence::None, ..Facts::PLAIN };

    #[inline(always)]
    unsafe fn forward<S: Lanes>(s: S, step: &StepForward) {
        let hp = step.hp;
        for row in 0..step.m {
            // SAFETY: by the caller's promise.
            unsafe {
                let (x, h) = (step.input(row), step.h.row(row));
                for j in (0..hp).step_by(S::L) {
                    let z = sigmoid(s, load(s, x.add(j)));
                    let n = load(s, x.add(hp + j));
                    let old = load(s, h.add(j));
                    store(s, h.add(j), fma(s, z, s.sub_f32s(n, old), old));
                    if step.keep {
                        let g = step.gates.row(row);
                        store(s, g.add(j), z);
                        store(s, g.add(hp + j), n);
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
                let (g, dg) = (step.gates.row(row), step.dg.row(row));
                let (hprev, dh_row) = (step.hprev.row(row), step.dh.row(row));
                for j in (0..hp).step_by(S::L) {
                    let z = load(s, g.add(j));
                    let n = load(s, g.add(hp + j));
                    let dh = step.total(s, row, j);
                    let dn = s.mul_f32s(dh, z);
                    let dz = s.mul_f32s(dh, s.sub_f32s(n, load(s, hprev.add(j))));
                    store(s, dg.add(j), through_sigmoid(s, dz, z));
                    store(s, dg.add(hp + j), dn);
                    store(s, dh_row.add(j), s.sub_f32s(dh, dn));
                }
            }
        }
    }
}
