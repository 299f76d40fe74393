//! One vectorised pass over the gates of a time step, forward: pre-activations in, new state out.
//!
//! Each function works on `m` rows. All widths are padded to whole vectors; padding lanes hold zero weights, so their
//! state stays zero and they need no mask.

use crate::simd::gemm::Mat;
use crate::simd::math::{sigmoid, tanh};
use crate::simd::{Lanes, fma, load, store};

/// LSTM. `gates` holds the pre-activations i|f|g|o and receives the activations; `c` is updated; `tanhc` (where it
/// exists) receives tanh(c') and `h` the new hidden state.
///
/// # Safety
/// All matrices must have `m` rows of their width (`4 hp` and `hp`) and not be shared.
#[inline(always)]
pub(super) unsafe fn lstm<S: Lanes>(s: S, m: usize, hp: usize, gates: Mat, c: Mat, tanhc: Mat, h: Mat) {
    for row in 0..m {
        // SAFETY: by the caller's promise.
        unsafe {
            let (g, c, h) = (gates.row(row), c.row(row), h.row(row));
            for j in (0..hp).step_by(S::L) {
                let i = sigmoid(s, load(s, g.add(j)));
                let f = sigmoid(s, load(s, g.add(hp + j)));
                let n = tanh(s, load(s, g.add(2 * hp + j)));
                let o = sigmoid(s, load(s, g.add(3 * hp + j)));
                let new = fma(s, f, load(s, c.add(j)), s.mul_f32s(i, n));
                let t = tanh(s, new);
                store(s, c.add(j), new);
                store(s, h.add(j), s.mul_f32s(o, t));
                if tanhc.exists() {
                    store(s, g.add(j), i);
                    store(s, g.add(hp + j), f);
                    store(s, g.add(2 * hp + j), n);
                    store(s, g.add(3 * hp + j), o);
                    store(s, tanhc.row(row).add(j), t);
                }
            }
        }
    }
}

/// What the GRU pass reads and writes.
pub(super) struct Gru {
    /// The recurrent part of the pre-activations r|z|n.
    pub hid: Mat,
    /// Receives the activations, where `hn` exists.
    pub gates: Mat,
    /// Receives the recurrent part of n.
    pub hn: Mat,
    /// The state, updated.
    pub h: Mat,
}

/// GRU. `x` gives the input's part of the pre-activations of a row.
///
/// # Safety
/// As [`lstm`], with widths `3 hp` and `hp`.
#[inline(always)]
pub(super) unsafe fn gru<S: Lanes>(s: S, m: usize, hp: usize, x: impl Fn(usize) -> *const f32, p: &Gru) {
    let Gru { hid, gates, hn, h } = *p;
    for row in 0..m {
        // SAFETY: by the caller's promise.
        unsafe {
            let (x, hid, h) = (x(row), hid.row(row), h.row(row));
            for j in (0..hp).step_by(S::L) {
                let r = sigmoid(s, s.add_f32s(load(s, x.add(j)), load(s, hid.add(j))));
                let z = sigmoid(s, s.add_f32s(load(s, x.add(hp + j)), load(s, hid.add(hp + j))));
                let hidden = load(s, hid.add(2 * hp + j));
                let n = tanh(s, fma(s, r, hidden, load(s, x.add(2 * hp + j))));
                let old = load(s, h.add(j));
                // (1 - z) n + z h
                store(s, h.add(j), fma(s, z, s.sub_f32s(old, n), n));
                if hn.exists() {
                    let g = gates.row(row);
                    store(s, g.add(j), r);
                    store(s, g.add(hp + j), z);
                    store(s, g.add(2 * hp + j), n);
                    store(s, hn.row(row).add(j), hidden);
                }
            }
        }
    }
}

/// Plain RNN: `gates` holds the pre-activation and receives the new state, which `h` receives too.
///
/// # Safety
/// As [`lstm`], with width `hp`.
#[inline(always)]
pub(super) unsafe fn rnn<S: Lanes>(s: S, m: usize, hp: usize, relu: bool, gates: Mat, h: Mat) {
    for row in 0..m {
        // SAFETY: by the caller's promise.
        unsafe {
            let (g, h) = (gates.row(row), h.row(row));
            for j in (0..hp).step_by(S::L) {
                let a = load(s, g.add(j));
                let new = if relu { s.max_f32s(s.splat_f32s(0.0), a) } else { tanh(s, a) };
                store(s, g.add(j), new);
                store(s, h.add(j), new);
            }
        }
    }
}
