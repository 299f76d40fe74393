//! The vectorised work on one row: making up missed steps, and a step with a gradient.

use super::dense::{load_some, store_some};
use super::tables::{Missed, Tables};
use crate::simd::{Lanes, fma};

/// Addresses of a row: weights and its two states (the second is unused for SGD).
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub p: *mut f32,
    pub m: *mut f32,
    pub v: *mut f32,
    pub dims: usize,
}

/// Makes up what the row has missed since step `since`.
///
/// # Safety
/// `dims` values must be readable and writable at each address that the rule uses.
#[inline(always)]
pub(super) unsafe fn catch_up<S: Lanes>(s: S, row: Row, since: u32, missed: &Missed, tables: &Tables) {
    let one = |v: f32| s.splat_f32s(v);
    let plain = tables.plain();
    let mut at = 0;
    while at < row.dims {
        let n = (row.dims - at).min(S::L);
        // SAFETY: by the caller's promise.
        unsafe {
            let (p_at, m_at, v_at) = (row.p.add(at), row.m.add(at), row.v.wrapping_add(at));
            let mut p = load_some(s, p_at, n);
            let m = load_some(s, m_at, n);
            if plain {
                p = fma(s, m, one(-missed.sum), p);
            } else {
                let v = load_some(s, v_at, n);
                let q = s.sqrt_f32s(v);
                if missed.replay > 0 {
                    p = replay(s, p, m, q, since, missed, tables);
                } else {
                    p = s.mul_f32s(p, one(missed.shrink));
                    let inverse = s.div_f32s(one(1.0), s.add_f32s(q, one(missed.eps)));
                    // The variance is of the size of eps^2 (1e-17): multiplied step by step so that it does not vanish.
                    let spread = s.mul_f32s(s.mul_f32s(one(missed.variance), inverse), inverse);
                    let quotient = s.mul_f32s(m, fma(s, spread, inverse, inverse));
                    p = fma(s, quotient, one(-missed.sum), p);
                }
                store_some(s, v_at, n, s.mul_f32s(v, one(missed.fade_v)));
            }
            store_some(s, p_at, n, p);
            store_some(s, m_at, n, s.mul_f32s(m, one(missed.fade_m)));
        }
        at += S::L;
    }
}

/// The missed steps one by one.
#[inline(always)]
fn replay<S: Lanes>(
    s: S,
    mut p: S::f32s,
    mut m: S::f32s,
    mut q: S::f32s,
    since: u32,
    missed: &Missed,
    tables: &Tables,
) -> S::f32s {
    let (b1, root_b2, eps) = tables.decay();
    for k in 1..=missed.replay {
        let step = tables.early(since + k);
        m = s.mul_f32s(m, s.splat_f32s(b1));
        q = s.mul_f32s(q, s.splat_f32s(root_b2));
        let below = fma(s, q, s.splat_f32s(step.root), s.splat_f32s(eps));
        p = s.mul_f32s(p, s.splat_f32s(step.shrink));
        p = fma(s, s.div_f32s(m, below), s.splat_f32s(-step.size), p);
    }
    s.mul_f32s(p, s.splat_f32s(missed.rest))
}

/// Asks for a row's cache lines before they are needed.
#[inline(always)]
pub(crate) fn prefetch(at: *const f32, values: usize) {
    #[cfg(target_arch = "x86_64")]
    for line in (0..values).step_by(16) {
        // SAFETY: a prefetch never faults, whatever the address.
        unsafe { std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(at.wrapping_add(line).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (at, values);
}
