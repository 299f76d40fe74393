//! Vector loops of attention pooling.

use crate::simd::gemm::Mat;
use crate::simd::{Kernel, Lanes, fma, load, math, store};

/// `tanh` in place.
pub(super) struct Tanh<'a> {
    /// Whole vectors.
    pub values: &'a mut [f32],
}

impl Kernel for Tanh<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        for at in self.values.chunks_exact_mut(S::L) {
            // SAFETY: the chunk is a whole vector.
            unsafe { store(s, at.as_mut_ptr(), math::tanh(s, load(s, at.as_ptr()))) };
        }
    }
}

/// `to = sum over t of shares[t] y[offsets[t] + row]`.
pub(super) struct Blend<'a> {
    pub y: Mat,
    pub offsets: &'a [usize],
    pub row: usize,
    pub shares: &'a [f32],
    pub to: *mut f32,
}

impl Kernel for Blend<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        // SAFETY: rows are inside the matrix, as the caller ensures, and whole vectors wide.
        unsafe {
            for (time, (&share, &offset)) in self.shares.iter().zip(self.offsets).enumerate() {
                let (share, from) = (s.splat_f32s(share), self.y.row(offset + self.row));
                for j in (0..self.y.stride).step_by(S::L) {
                    let before = if time == 0 { s.splat_f32s(0.0) } else { load(s, self.to.add(j)) };
                    store(s, self.to.add(j), fma(s, share, load(s, from.add(j)), before));
                }
            }
        }
    }
}

/// `d_shares[t] = d . y[t]` and `dy[t] = shares[t] d`.
pub(super) struct BlendBack<'a> {
    pub y: Mat,
    pub dy: Mat,
    pub offsets: &'a [usize],
    pub row: usize,
    pub shares: &'a [f32],
    pub d: *const f32,
    pub d_shares: &'a mut [f32],
}

impl Kernel for BlendBack<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        // SAFETY: as in `Blend`.
        unsafe {
            for ((&share, d_share), &offset) in self.shares.iter().zip(self.d_shares).zip(self.offsets) {
                let (from, to) = (self.y.row(offset + self.row), self.dy.row(offset + self.row));
                let (share, mut dot) = (s.splat_f32s(share), s.splat_f32s(0.0));
                for j in (0..self.y.stride).step_by(S::L) {
                    let d = load(s, self.d.add(j));
                    dot = fma(s, d, load(s, from.add(j)), dot);
                    store(s, to.add(j), s.mul_f32s(share, d));
                }
                *d_share = s.reduce_sum_f32s(dot);
            }
        }
    }
}

/// `du = d query (1 - u^2)`.
pub(super) struct TanhBack {
    pub d: f32,
    pub query: *const f32,
    pub u: *const f32,
    pub du: *mut f32,
    pub n: usize,
}

impl Kernel for TanhBack {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        let (d, one) = (s.splat_f32s(self.d), s.splat_f32s(1.0));
        for j in (0..self.n).step_by(S::L) {
            // SAFETY: all are whole vectors wide, as the caller ensures.
            unsafe {
                let u = load(s, self.u.add(j));
                let slope = s.sub_f32s(one, s.mul_f32s(u, u));
                store(s, self.du.add(j), s.mul_f32s(s.mul_f32s(d, load(s, self.query.add(j))), slope));
            }
        }
    }
}
