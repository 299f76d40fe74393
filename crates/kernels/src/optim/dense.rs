//! Fused dense optimizer steps: one pass over weights, gradients and states.

use std::ops::Range;

use super::StepNumbers;
use crate::simd::{Buf, Kernel, Lanes, dispatch, fma, load, store};
use recurra_core::{Algorithm, Error, ErrorCode, Result};

/// One step for `n` consecutive weights.
///
/// # Safety
/// `n` values must be readable and writable at each address (`v` and `peak` may be null if the optimizer has no such
/// state), and no other thread may use them.
pub(crate) struct DenseStep {
    pub numbers: StepNumbers,
    pub n: usize,
    pub p: *mut f32,
    pub g: *const f32,
    pub m: *mut f32,
    pub v: *mut f32,
    /// Largest `v` so far, for amsgrad.
    pub peak: *mut f32,
}

/// Loads up to a vector of values: whole vectors directly, the rest through a small array.
#[inline(always)]
pub(super) unsafe fn load_some<S: Lanes>(s: S, from: *const f32, n: usize) -> S::f32s {
    // SAFETY: the caller guarantees that n values are readable; the array has space for a whole vector.
    unsafe {
        if n >= S::L {
            return load(s, from);
        }
        let mut some = [0.0f32; 16];
        std::ptr::copy_nonoverlapping(from, some.as_mut_ptr(), n);
        load(s, some.as_ptr())
    }
}

/// The inverse of [`load_some`].
#[inline(always)]
pub(super) unsafe fn store_some<S: Lanes>(s: S, to: *mut f32, n: usize, value: S::f32s) {
    // SAFETY: as in `load_some`.
    unsafe {
        if n >= S::L {
            return store(s, to, value);
        }
        let mut some = [0.0f32; 16];
        store(s, some.as_mut_ptr(), value);
        std::ptr::copy_nonoverlapping(some.as_ptr(), to, n);
    }
}

impl Kernel for DenseStep {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        let k = self.numbers;
        let one = |v: f32| s.splat_f32s(v);
        let negative = s.sub_f32s(one(0.0), one(k.size));
        let mut at = 0;
        while at < self.n {
            let n = (self.n - at).min(S::L);
            // SAFETY: guaranteed by the creator of the struct.
            unsafe {
                let mut p = load_some(s, self.p.add(at), n);
                let mut g = s.mul_f32s(load_some(s, self.g.add(at), n), one(k.scale));
                if k.l2 != 0.0 {
                    g = fma(s, p, one(k.l2), g);
                }
                let (m_at, v_at) = (self.m.wrapping_add(at), self.v.wrapping_add(at));
                if k.adam {
                    p = s.mul_f32s(p, one(k.shrink));
                    let m = load_some(s, m_at, n);
                    let m = fma(s, s.sub_f32s(g, m), one(k.mix), m);
                    let old = s.mul_f32s(load_some(s, v_at, n), one(k.beta2));
                    let v = fma(s, s.mul_f32s(g, g), one(k.mix2), old);
                    store_some(s, m_at, n, m);
                    store_some(s, v_at, n, v);
                    let mut large = v;
                    if !self.peak.is_null() {
                        large = s.max_f32s(load_some(s, self.peak.add(at), n), v);
                        store_some(s, self.peak.add(at), n, large);
                    }
                    let below = fma(s, s.sqrt_f32s(large), one(k.root), one(k.eps));
                    p = fma(s, s.div_f32s(m, below), negative, p);
                } else {
                    if k.momentum {
                        let m = s.mul_f32s(load_some(s, m_at, n), one(k.keep));
                        let m = fma(s, g, one(k.mix), m);
                        store_some(s, m_at, n, m);
                        g = if k.nesterov { fma(s, m, one(k.keep), g) } else { m };
                    }
                    p = fma(s, g, negative, p);
                }
                store_some(s, self.p.add(at), n, p);
            }
            at += S::L;
        }
    }
}

/// State of a dense optimizer for one parameter, or for several in one buffer.
#[derive(Clone)]
pub struct Dense {
    algorithm: Algorithm,
    step: u64,
    m: Buf,
    v: Buf,
    peak: Buf,
}

impl Dense {
    /// Creates the state for `n` weights, at step 0.
    ///
    /// # Errors
    /// As [`Algorithm::validate`].
    pub fn new(algorithm: Algorithm, n: usize) -> Result<Self> {
        algorithm.validate()?;
        let two = algorithm.two_states();
        let amsgrad = matches!(algorithm, Algorithm::Adam(o) | Algorithm::AdamW(o) if o.amsgrad);
        let zeros = |there: bool| Buf::zeros(if there { n } else { 0 });
        let momentum = matches!(algorithm, Algorithm::Sgd(o) if o.momentum != 0.0);
        Ok(Self { algorithm, step: 0, m: zeros(two || momentum), v: zeros(two), peak: zeros(amsgrad) })
    }

    /// Number of steps so far.
    pub fn step_count(&self) -> u64 {
        self.step
    }

    /// Runs one step with the gradients times `scale`.
    ///
    /// # Errors
    /// `InvalidShape` if the numbers of weights and gradients differ from those of the state.
    pub fn step(&mut self, weights: &mut [f32], grads: &[f32], lr: f64, scale: f32) -> Result<()> {
        let states = [&self.m, &self.v, &self.peak];
        let n = weights.len();
        if grads.len() != n || states.iter().any(|state| !state.is_empty() && state.len() != n) {
            return Err(Error::new(
                ErrorCode::InvalidShape,
                format!("expected as many weights and gradients as states but received {n} and {}", grads.len()),
            ));
        }
        self.step += 1;
        let numbers = StepNumbers::new(&self.algorithm, self.step, lr, scale);
        // SAFETY: all sizes were checked, and everything is borrowed.
        unsafe { self.shared().step(weights.as_mut_ptr(), grads.as_ptr(), 0..n, numbers) };
        Ok(())
    }

    /// The states, under their names in `torch.optim`; only those that the optimizer has.
    pub(crate) fn states(&self) -> impl Iterator<Item = (&'static str, &[f32])> {
        let first = if self.algorithm.two_states() { "exp_avg" } else { "momentum_buffer" };
        let all = [(first, &self.m), ("exp_avg_sq", &self.v), ("max_exp_avg_sq", &self.peak)];
        all.into_iter().filter(|(_, state)| !state.is_empty()).map(|(name, state)| (name, &**state))
    }

    /// The states, mutable.
    pub(crate) fn states_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut [f32])> {
        let first = if self.algorithm.two_states() { "exp_avg" } else { "momentum_buffer" };
        let all = [(first, &mut self.m), ("exp_avg_sq", &mut self.v), ("max_exp_avg_sq", &mut self.peak)];
        all.into_iter().filter(|(_, state)| !state.is_empty()).map(|(name, state)| (name, &mut **state))
    }

    /// Addresses for a team whose members update different weights.
    pub(crate) fn shared(&mut self) -> DenseShared {
        let at = |buf: &mut Buf| if buf.is_empty() { std::ptr::null_mut() } else { buf.ptr() };
        DenseShared { m: at(&mut self.m), v: at(&mut self.v), peak: at(&mut self.peak) }
    }

    /// Counts steps that ran through [`DenseShared`].
    pub(crate) fn count(&mut self, steps: u64) {
        self.step += steps;
    }
}

/// The states of a [`Dense`]; null for states that the optimizer does not have.
#[derive(Clone, Copy)]
pub(crate) struct DenseShared {
    m: *mut f32,
    v: *mut f32,
    peak: *mut f32,
}

// SAFETY: only addresses; `DenseShared::step` states what the caller must ensure.
unsafe impl Send for DenseShared {}
// SAFETY: as above.
unsafe impl Sync for DenseShared {}

impl DenseShared {
    /// Updates the weights `range` of `weights`, whose gradients are at the same indices of `grads`.
    ///
    /// # Safety
    /// The range must be in bounds, and no other thread may use it.
    pub unsafe fn step(self, weights: *mut f32, grads: *const f32, range: Range<usize>, numbers: StepNumbers) {
        let start = range.start;
        let at = |p: *mut f32| if p.is_null() { p } else { p.wrapping_add(start) };
        let (p, g) = (weights.wrapping_add(start), grads.wrapping_add(start));
        dispatch(DenseStep { numbers, n: range.len(), p, g, m: at(self.m), v: at(self.v), peak: at(self.peak) });
    }
}
