//! Vectorised updates of one row: skipped steps, and a step with a gradient.

use super::dense::{load_some, store_some};
use super::tables::{Missed, Tables};
use crate::simd::{Lanes, fma, load, store};

/// Addresses of a row: its weights and two states (the second is unused for SGD).
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub p: *mut f32,
    pub m: *mut f32,
    pub v: *mut f32,
    pub dims: usize,
}

/// Applies the steps that the row has skipped since step `since`.
///
/// # Safety
/// `dims` values must be readable and writable at each address that the optimizer uses.
#[inline(always)]
pub(super) unsafe fn catch_up<S: Lanes>(s: S, row: Row, since: u32, missed: &Missed, tables: &Tables) {
    let one = |v: f32| s.splat_f32s(v);
    let plain = tables.plain();
    let mut at = 0;
    let replays = !plain && missed.replay > 0;
    while at < row.dims {
        let n = (row.dims - at).min(S::L);
        // SAFETY: by the caller's promise.
        unsafe {
            if replays && at + SIDE * S::L <= row.dims && all_near::<S, SIDE>(s, row, at, missed) {
                replay_whole::<S, SIDE>(s, row, at, since, missed, tables);
                at += SIDE * S::L;
                continue;
            }
            let (p_at, m_at, v_at) = (row.p.add(at), row.m.add(at), row.v.wrapping_add(at));
            let mut p = load_some(s, p_at, n);
            let m = load_some(s, m_at, n);
            if plain {
                let moved = s.mul_f32s(m, one(missed.sum));
                p = s.sub_f32s(p, without_lost(s, p, moved, s.mul_f32s(m, one(missed.last)), tables.lost));
            } else {
                let v = load_some(s, v_at, n);
                let q = s.sqrt_f32s(v);
                if replays && near(s, m, q, missed) {
                    [p] = replay(s, [p], [m], [q], since, missed, tables);
                } else {
                    p = s.mul_f32s(p, one(missed.shrink));
                    let inverse = s.div_f32s(one(1.0), s.add_f32s(q, one(missed.eps)));
                    // The variance is about eps^2 (1e-17); it is multiplied step by step, so that it does not
                    // underflow.
                    let spread = s.mul_f32s(s.mul_f32s(one(missed.variance), inverse), inverse);
                    let quotient = s.mul_f32s(m, fma(s, spread, inverse, inverse));
                    let (moved, last) = (s.mul_f32s(quotient, one(missed.sum)), s.mul_f32s(quotient, one(missed.last)));
                    p = s.sub_f32s(p, without_lost(s, p, moved, last, tables.lost));
                }
                store_some(s, v_at, n, s.mul_f32s(v, one(missed.fade_v)));
            }
            store_some(s, p_at, n, p);
            store_some(s, m_at, n, s.mul_f32s(m, one(missed.fade_m)));
        }
        at += S::L;
    }
}

/// The sum of the skipped steps, without the part that float32 would have lost; see [`Tables`].
#[inline(always)]
fn without_lost<S: Lanes>(s: S, p: S::f32s, moved: S::f32s, last: S::f32s, lost: (f32, f32)) -> S::f32s {
    let exponent = s.and_f32s(p, s.splat_f32s(f32::INFINITY));
    // Half a unit in the last place: 2^-24 of the power of two below.
    let half = s.mul_f32s(exponent, s.splat_f32s(lost.0 * 0.5 * f32::EPSILON));
    let size = s.abs_f32s(moved);
    let gone = s.sub_f32s(half, s.mul_f32s(s.abs_f32s(last), s.splat_f32s(lost.1)));
    let zero = s.splat_f32s(0.0);
    let left = s.max_f32s(zero, s.sub_f32s(size, s.max_f32s(zero, gone)));
    s.or_f32s(left, s.and_f32s(moved, s.splat_f32s(-0.0)))
}

/// Number of a row's vectors replayed in parallel, to hide latency.
const SIDE: usize = 4;

/// Whether a vector must be replayed. Lanes without a first state are ignored.
#[inline(always)]
fn near<S: Lanes>(s: S, m: S::f32s, q: S::f32s, missed: &Missed) -> bool {
    let moving = s.select_f32s(s.equal_f32s(m, s.splat_f32s(0.0)), s.splat_f32s(f32::MAX), q);
    s.reduce_min_f32s(moving) < missed.near
}

/// Whether `N` vectors of a row must all be replayed.
#[inline(always)]
unsafe fn all_near<S: Lanes, const N: usize>(s: S, row: Row, at: usize, missed: &Missed) -> bool {
    // SAFETY: by the promise of `catch_up`; the vectors are inside the row.
    let one = |i: usize| unsafe {
        let at = at + i * S::L;
        near(s, load(s, row.m.add(at)), s.sqrt_f32s(load(s, row.v.add(at))), missed)
    };
    missed.near == f32::INFINITY || (0..N).all(one)
}

/// Replays `N` vectors of a row.
#[inline(always)]
unsafe fn replay_whole<S: Lanes, const N: usize>(
    s: S,
    row: Row,
    at: usize,
    since: u32,
    missed: &Missed,
    tables: &Tables,
) {
    use std::array::from_fn;
    // SAFETY: by the promise of `catch_up`; the vectors are inside the row.
    unsafe {
        let all = |from: *mut f32| -> [S::f32s; N] { from_fn(|i| load(s, from.add(at + i * S::L))) };
        let (m, v) = (all(row.m), all(row.v));
        let p = replay(s, all(row.p), m, from_fn(|i| s.sqrt_f32s(v[i])), since, missed, tables);
        for i in 0..N {
            let at = at + i * S::L;
            store(s, row.p.add(at), p[i]);
            store(s, row.m.add(at), s.mul_f32s(m[i], s.splat_f32s(missed.fade_m)));
            store(s, row.v.add(at), s.mul_f32s(v[i], s.splat_f32s(missed.fade_v)));
        }
    }
}

/// Applies the skipped steps one by one.
#[inline(always)]
fn replay<S: Lanes, const N: usize>(
    s: S,
    mut p: [S::f32s; N],
    mut m: [S::f32s; N],
    mut q: [S::f32s; N],
    since: u32,
    missed: &Missed,
    tables: &Tables,
) -> [S::f32s; N] {
    let (b1, root_b2, eps) = tables.decay();
    for k in 1..=missed.replay {
        let step = tables.step(since + k);
        for ((p, m), q) in p.iter_mut().zip(&mut m).zip(&mut q) {
            *m = s.mul_f32s(*m, s.splat_f32s(b1));
            *q = s.mul_f32s(*q, s.splat_f32s(root_b2));
            let below = fma(s, *q, s.splat_f32s(step.root), s.splat_f32s(eps));
            *p = s.mul_f32s(*p, s.splat_f32s(step.shrink));
            *p = fma(s, s.div_f32s(*m, below), s.splat_f32s(-step.size), *p);
        }
    }
    p.map(|p| s.mul_f32s(p, s.splat_f32s(missed.rest)))
}
