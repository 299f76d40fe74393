//! Gradients through the functions of the gates.

use crate::simd::{Lanes, fma};

/// `a * (1 - b * b)`: through a tanh with value `b`. The fused form keeps the small difference near saturation exact.
#[inline(always)]
pub(crate) fn through_tanh<S: Lanes>(s: S, a: S::f32s, b: S::f32s) -> S::f32s {
    let negative = s.sub_f32s(s.splat_f32s(0.0), b);
    s.mul_f32s(a, fma(s, negative, b, s.splat_f32s(1.0)))
}

/// `a * b * (1 - b)`: through a sigmoid with value `b`.
#[inline(always)]
pub(super) fn through_sigmoid<S: Lanes>(s: S, a: S::f32s, b: S::f32s) -> S::f32s {
    let negative = s.sub_f32s(s.splat_f32s(0.0), b);
    s.mul_f32s(a, fma(s, negative, b, b))
}
