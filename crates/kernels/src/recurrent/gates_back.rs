//! One vectorised pass over the gates of a time step, backward: from the gradient of the new state to those of the
//! pre-activations and of the old state.
//!
//! `dh` holds the gradient that comes from later steps, `dy` (where it exists) that of this step's output.

use crate::simd::gemm::Mat;
use crate::simd::{Lanes, fma, load, store};

/// `dh + dy` at one place.
#[inline(always)]
unsafe fn total<S: Lanes>(s: S, dh: *const f32, dy: Mat, row: usize, j: usize) -> S::f32s {
    // SAFETY: by the promise of the callers.
    unsafe {
        let later = load(s, dh.add(j));
        if dy.exists() { s.add_f32s(later, load(s, dy.row(row).add(j))) } else { later }
    }
}

/// `a * (1 - b * b)`: through a tanh with value `b`. The fused form keeps the small difference near saturation exact.
#[inline(always)]
fn through_tanh<S: Lanes>(s: S, a: S::f32s, b: S::f32s) -> S::f32s {
    let negative = s.sub_f32s(s.splat_f32s(0.0), b);
    s.mul_f32s(a, fma(s, negative, b, s.splat_f32s(1.0)))
}

/// `a * b * (1 - b)`: through a sigmoid with value `b`.
#[inline(always)]
fn through_sigmoid<S: Lanes>(s: S, a: S::f32s, b: S::f32s) -> S::f32s {
    let negative = s.sub_f32s(s.splat_f32s(0.0), b);
    s.mul_f32s(a, fma(s, negative, b, b))
}

/// What the LSTM pass reads and writes.
pub(super) struct Lstm {
    pub gates: Mat,
    pub cprev: Mat,
    pub tanhc: Mat,
    pub dh: Mat,
    pub dy: Mat,
    /// Gradient of the cell state, updated.
    pub dc: Mat,
    /// Receives the gradient of the pre-activations; may be `gates` itself.
    pub dg: Mat,
}

/// # Safety
/// All matrices must have `m` rows of their width and not be shared.
#[inline(always)]
pub(super) unsafe fn lstm<S: Lanes>(s: S, m: usize, hp: usize, p: &Lstm) {
    for row in 0..m {
        // SAFETY: by the caller's promise.
        unsafe {
            let (g, dg, dc) = (p.gates.row(row), p.dg.row(row), p.dc.row(row));
            let (cprev, tanhc, dh) = (p.cprev.row(row), p.tanhc.row(row), p.dh.row(row));
            for j in (0..hp).step_by(S::L) {
                let i = load(s, g.add(j));
                let f = load(s, g.add(hp + j));
                let n = load(s, g.add(2 * hp + j));
                let o = load(s, g.add(3 * hp + j));
                let t = load(s, tanhc.add(j));
                let dh = total(s, dh, p.dy, row, j);
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

/// What the GRU pass reads and writes.
pub(super) struct Gru {
    pub gates: Mat,
    pub hprev: Mat,
    pub hn: Mat,
    /// Gradient of the state; receives the part of the old state's gradient that does not go through the product.
    pub dh: Mat,
    pub dy: Mat,
    /// Receives the gradient of the input's part.
    pub dg: Mat,
    /// Receives the gradient of the recurrent part, which differs in n.
    pub dgh: Mat,
}

/// # Safety
/// As [`lstm`].
#[inline(always)]
pub(super) unsafe fn gru<S: Lanes>(s: S, m: usize, hp: usize, p: &Gru) {
    for row in 0..m {
        // SAFETY: by the caller's promise.
        unsafe {
            let (g, dg, dgh) = (p.gates.row(row), p.dg.row(row), p.dgh.row(row));
            let (hprev, hn, dh_row) = (p.hprev.row(row), p.hn.row(row), p.dh.row(row));
            for j in (0..hp).step_by(S::L) {
                let r = load(s, g.add(j));
                let z = load(s, g.add(hp + j));
                let n = load(s, g.add(2 * hp + j));
                let dh = total(s, dh_row, p.dy, row, j);
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

/// What the pass of a plain RNN reads and writes.
pub(super) struct Rnn {
    pub relu: bool,
    /// The state after the step.
    pub gates: Mat,
    pub dh: Mat,
    pub dy: Mat,
    /// Receives the gradient of the pre-activation.
    pub dg: Mat,
}

/// # Safety
/// As [`lstm`].
#[inline(always)]
pub(super) unsafe fn rnn<S: Lanes>(s: S, m: usize, hp: usize, p: &Rnn) {
    let Rnn { relu, gates, dh, dy, dg } = *p;
    for row in 0..m {
        // SAFETY: by the caller's promise.
        unsafe {
            let (g, dg, dh_row) = (gates.row(row), dg.row(row), dh.row(row));
            for j in (0..hp).step_by(S::L) {
                let h = load(s, g.add(j));
                let dh = total(s, dh_row, dy, row, j);
                let d = if relu {
                    let zero = s.splat_f32s(0.0);
                    s.select_f32s(s.greater_than_f32s(h, zero), dh, zero)
                } else {
                    through_tanh(s, dh, h)
                };
                store(s, dg.add(j), d);
            }
        }
    }
}

/// `sum = dh + dy` over rows of `width`: the gradient of a projected state.
///
/// # Safety
/// As [`lstm`].
#[inline(always)]
pub(super) unsafe fn add<S: Lanes>(s: S, m: usize, width: usize, dh: Mat, dy: Mat, sum: Mat) {
    for row in 0..m {
        // SAFETY: by the caller's promise.
        unsafe {
            for j in (0..width).step_by(S::L) {
                store(s, sum.row(row).add(j), total(s, dh.row(row), dy, row, j));
            }
        }
    }
}
