//! Attention of some rows at one step: from scores to weights and the weighted sum of values, and the backward pass.
//!
//! The memory of a row is contiguous: the encoder's outputs, concatenated. What scores and attentional outputs need of
//! it is computed once for all steps: *keys* `W a` (plus a bias) and *values* `W_c a`. So the weighted sum of values is
//! already the context's part of the attentional output.

use crate::pool::softmax::Softmax;
use crate::recurrent::cells::through::through_tanh;
use crate::simd::gemm::Mat;
use crate::simd::math::tanh;
use crate::simd::{Kernel, Lanes, call, fma, load, store};

use super::packs::padded;

/// The memory of a row: its start and number of units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub start: usize,
    pub len: usize,
}

/// Keys and values of all rows.
#[derive(Clone, Copy)]
pub(super) struct Memory {
    pub keys: Mat,
    pub values: Mat,
    /// The vector `v` of Bahdanau's score; null with Luong's.
    pub through: *const f32,
    /// Padded width of a key and of a value.
    pub width: usize,
}

// SAFETY: only addresses; the users of the kernels below ensure that accesses do not conflict.
unsafe impl Sync for Memory {}
// SAFETY: as above.
unsafe impl Send for Memory {}

/// Weights and weighted sums: for each row, `to = bias + sum of weight * value`.
///
/// # Safety
/// All matrices must have a row for each span, with `weights` wide enough for it. The rows of `weights` and `to` must
/// belong to this thread.
pub(super) struct Attend<'a> {
    pub memory: Memory,
    pub spans: &'a [Span],
    /// The vectors that keys are compared with.
    pub query: Mat,
    pub weights: Mat,
    pub bias: *const f32,
    pub to: Mat,
}

#[inline(always)]
unsafe fn dot<S: Lanes>(s: S, a: *const f32, b: *const f32, width: usize) -> f32 {
    let mut sums = [s.splat_f32s(0.0); 2];
    let mut j = 0;
    // SAFETY: by the promise of the callers; widths are multiples of 16.
    unsafe {
        while j + 2 * S::L <= width {
            sums[0] = fma(s, load(s, a.add(j)), load(s, b.add(j)), sums[0]);
            sums[1] = fma(s, load(s, a.add(j + S::L)), load(s, b.add(j + S::L)), sums[1]);
            j += 2 * S::L;
        }
        if j < width {
            sums[0] = fma(s, load(s, a.add(j)), load(s, b.add(j)), sums[0]);
        }
    }
    s.reduce_sum_f32s(s.add_f32s(sums[0], sums[1]))
}

/// `to += factor * from`.
#[inline(always)]
unsafe fn add_scaled<S: Lanes>(s: S, factor: f32, from: *const f32, to: *mut f32, width: usize) {
    let factor = s.splat_f32s(factor);
    for j in (0..width).step_by(S::L) {
        // SAFETY: by the promise of the callers.
        unsafe { store(s, to.add(j), fma(s, factor, load(s, from.add(j)), load(s, to.add(j)))) };
    }
}

/// `v . tanh(q + k)`.
#[inline(always)]
unsafe fn score_sum<S: Lanes>(s: S, v: *const f32, q: *const f32, k: *const f32, width: usize) -> f32 {
    let mut sum = s.splat_f32s(0.0);
    for j in (0..width).step_by(S::L) {
        // SAFETY: by the promise of the callers.
        unsafe {
            let t = tanh(s, s.add_f32s(load(s, q.add(j)), load(s, k.add(j))));
            sum = fma(s, load(s, v.add(j)), t, sum);
        }
    }
    s.reduce_sum_f32s(sum)
}

/// `to = bias + sum of weights[i] * values[i]`, for a few vectors of columns at a time, so that the sums stay in
/// registers.
#[inline(always)]
unsafe fn weighted<S: Lanes>(
    s: S,
    weights: *const f32,
    values: Mat,
    len: usize,
    bias: *const f32,
    to: *mut f32,
    width: usize,
) {
    let mut j = 0;
    // SAFETY: by the promise of the callers.
    unsafe {
        while j + 4 * S::L <= width {
            let mut sums = [0, 1, 2, 3].map(|v| load(s, bias.add(j + v * S::L)));
            for i in 0..len {
                let (w, row) = (s.splat_f32s(*weights.add(i)), values.row(i).add(j));
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = fma(s, w, load(s, row.add(v * S::L)), *sum);
                }
            }
            for (v, &sum) in sums.iter().enumerate() {
                store(s, to.add(j + v * S::L), sum);
            }
            j += 4 * S::L;
        }
        while j < width {
            let mut sum = load(s, bias.add(j));
            for i in 0..len {
                sum = fma(s, s.splat_f32s(*weights.add(i)), load(s, values.row(i).add(j)), sum);
            }
            store(s, to.add(j), sum);
            j += S::L;
        }
    }
}

impl Kernel for Attend<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        let Memory { keys, values, through, width } = self.memory;
        for (row, &Span { start, len }) in self.spans.iter().enumerate() {
            // SAFETY: by the promise of the struct.
            unsafe {
                let (q, weights) = (self.query.row(row).cast_const(), self.weights.row(row));
                for i in 0..len {
                    let k = keys.row(start + i).cast_const();
                    let score =
                        if through.is_null() { dot(s, q, k, width) } else { score_sum(s, through, q, k, width) };
                    weights.add(i).write(score);
                }
                let scores = std::slice::from_raw_parts_mut(weights, padded(len));
                call(s, Softmax { values: scores, classes: len });
                weighted(s, weights, values.at(start, 0), len, self.bias, self.to.row(row), width);
            }
        }
    }
}

/// The backward pass of [`Attend`], from the gradients `d` of `to`. Gradients are added to the existing values.
///
/// # Safety
/// As [`Attend`]; the gradients of the rows' keys and values and the scratch must belong to this thread.
pub(super) struct AttendBack<'a> {
    pub memory: Memory,
    pub spans: &'a [Span],
    pub query: Mat,
    pub weights: Mat,
    pub d: Mat,
    pub d_keys: Mat,
    pub d_values: Mat,
    /// Gradient of the query.
    pub d_query: Mat,
    /// Gradient of the vector `v`, for each row; only with Bahdanau's scores.
    pub d_through: Mat,
    /// Buffer for the gradients of a row's scores.
    pub scratch: &'a mut [f32],
}

impl Kernel for AttendBack<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        let Memory { keys, values, through, width } = self.memory;
        for (row, &Span { start, len }) in self.spans.iter().enumerate() {
            // SAFETY: by the promise of the struct.
            unsafe {
                let (q, d) = (self.query.row(row).cast_const(), self.d.row(row).cast_const());
                let weights = std::slice::from_raw_parts(self.weights.row(row), len);
                let scores = &mut self.scratch[..len];
                let mut mean = 0.0;
                for (i, (score, &weight)) in scores.iter_mut().zip(weights).enumerate() {
                    *score = dot(s, d, values.row(start + i), width);
                    mean += *score * weight;
                    add_scaled(s, weight, d, self.d_values.row(start + i), width);
                }
                let d_query = self.d_query.row(row);
                for (i, (score, &weight)) in scores.iter().zip(weights).enumerate() {
                    let d_score = weight * (score - mean);
                    let (k, d_k) = (keys.row(start + i).cast_const(), self.d_keys.row(start + i));
                    if through.is_null() {
                        add_scaled(s, d_score, q, d_k, width);
                        add_scaled(s, d_score, k, d_query, width);
                        continue;
                    }
                    let (factor, d_v) = (s.splat_f32s(d_score), self.d_through.row(row));
                    for j in (0..width).step_by(S::L) {
                        let t = tanh(s, s.add_f32s(load(s, q.add(j)), load(s, k.add(j))));
                        let g = through_tanh(s, s.mul_f32s(factor, load(s, through.add(j))), t);
                        store(s, d_k.add(j), s.add_f32s(load(s, d_k.add(j)), g));
                        store(s, d_query.add(j), s.add_f32s(load(s, d_query.add(j)), g));
                        store(s, d_v.add(j), fma(s, factor, t, load(s, d_v.add(j))));
                    }
                }
            }
        }
    }
}

/// `tanh` of some rows, in place.
///
/// # Safety
/// The values must belong to this thread; their number is a multiple of 16.
pub(super) struct TanhRows {
    pub at: *mut f32,
    pub n: usize,
}

impl Kernel for TanhRows {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        for j in (0..self.n).step_by(S::L) {
            // SAFETY: by the promise of the struct.
            unsafe { store(s, self.at.add(j), tanh(s, load(s, self.at.add(j)))) };
        }
    }
}

/// The backward pass of a tanh: `to = (from + more) (1 - y²)`, where `y = scale * value`; `more` may not exist.
///
/// # Safety
/// As [`TanhRows`], for each row of the matrices.
pub(super) struct TanhBack {
    pub rows: usize,
    pub width: usize,
    pub from: Mat,
    pub more: Mat,
    pub value: Mat,
    pub scale: f32,
    pub to: Mat,
}

impl Kernel for TanhBack {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        let scale = s.splat_f32s(self.scale);
        for row in 0..self.rows {
            // SAFETY: by the promise of the struct.
            unsafe {
                let (from, value, to) = (self.from.row(row), self.value.row(row), self.to.row(row));
                for j in (0..self.width).step_by(S::L) {
                    let mut d = load(s, from.add(j));
                    if self.more.exists() {
                        d = s.add_f32s(d, load(s, self.more.row(row).add(j)));
                    }
                    let y = s.mul_f32s(scale, load(s, value.add(j)));
                    store(s, to.add(j), through_tanh(s, d, y));
                }
            }
        }
    }
}

/// `to += from`, row by row.
///
/// # Safety
/// As [`TanhBack`].
pub(super) struct AddRows {
    pub rows: usize,
    pub width: usize,
    pub from: Mat,
    pub to: Mat,
}

impl Kernel for AddRows {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        for row in 0..self.rows {
            // SAFETY: by the promise of the struct.
            unsafe {
                let (from, to) = (self.from.row(row), self.to.row(row));
                for j in (0..self.width).step_by(S::L) {
                    store(s, to.add(j), s.add_f32s(load(s, from.add(j)), load(s, to.add(j))));
                }
            }
        }
    }
}
