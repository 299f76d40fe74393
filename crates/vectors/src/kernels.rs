//! Loops over rows whose lengths are multiples of [`LANES`].

use pulp::Simd;

/// Rows are padded with zeros to a multiple of this, the widest vector.
pub(crate) const LANES: usize = 16;

/// The dot product.
#[inline(always)]
pub(crate) fn dot<S: Simd>(s: S, a: &[f32], b: &[f32]) -> f32 {
    let (a, b) = (S::as_simd_f32s(a).0, S::as_simd_f32s(b).0);
    let mut sums = [s.splat_f32s(0.0); 4];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    for (a, b) in a.iter().zip(b) {
        for part in 0..4 {
            sums[part] = s.mul_add_e_f32s(a[part], b[part], sums[part]);
        }
    }
    for (part, (&a, &b)) in a_rest.iter().zip(b_rest).enumerate() {
        sums[part] = s.mul_add_e_f32s(a, b, sums[part]);
    }
    s.reduce_sum_f32s(s.add_f32s(s.add_f32s(sums[0], sums[1]), s.add_f32s(sums[2], sums[3])))
}

/// `to += from`.
#[inline(always)]
pub(crate) fn add<S: Simd>(s: S, to: &mut [f32], from: &[f32]) {
    for (to, &from) in S::as_mut_simd_f32s(to).0.iter_mut().zip(S::as_simd_f32s(from).0) {
        *to = s.add_f32s(*to, from);
    }
}

/// `to *= by`.
#[inline(always)]
pub(crate) fn scale<S: Simd>(s: S, to: &mut [f32], by: f32) {
    let by = s.splat_f32s(by);
    for to in S::as_mut_simd_f32s(to).0 {
        *to = s.mul_f32s(*to, by);
    }
}

/// `gradient += step * row` and `row += step * hidden`. The gradient uses the row before its update.
#[inline(always)]
pub(crate) fn exchange<S: Simd>(s: S, step: f32, row: &mut [f32], hidden: &[f32], gradient: &mut [f32]) {
    let step = s.splat_f32s(step);
    let (row, gradient) = (S::as_mut_simd_f32s(row).0, S::as_mut_simd_f32s(gradient).0);
    for ((row, &hidden), gradient) in row.iter_mut().zip(S::as_simd_f32s(hidden).0).zip(gradient) {
        *gradient = s.mul_add_e_f32s(step, *row, *gradient);
        *row = s.mul_add_e_f32s(step, hidden, *row);
    }
}

/// `to += share * (sum - copies * to)`: adds the differences between several copies, whose sum is `sum`, and the row.
#[inline(always)]
pub(crate) fn approach<S: Simd>(s: S, to: &mut [f32], sum: &[f32], copies: f32, share: f32) {
    let (copies, share) = (s.splat_f32s(-copies), s.splat_f32s(share));
    for (to, &sum) in S::as_mut_simd_f32s(to).0.iter_mut().zip(S::as_simd_f32s(sum).0) {
        *to = s.mul_add_e_f32s(share, s.mul_add_e_f32s(copies, *to, sum), *to);
    }
}

/// The logistic function of a block of numbers.
#[inline(always)]
pub(crate) fn logistic(x: &[f32; LANES]) -> [f32; LANES] {
    let mut result = [0.0; LANES];
    for lane in 0..LANES {
        // exp(t) = 2^n * exp(r). Adding the magic number rounds to an integer, which the low bits then contain.
        const MAGIC: f32 = 12_582_912.0;
        let t = (-x[lane]).clamp(-30.0, 30.0);
        let shifted = t * std::f32::consts::LOG2_E + MAGIC;
        let n = shifted - MAGIC;
        let r = t - n * 0.693_359_4 - n * -2.121_944_4e-4;
        let tail = 0.5 + r * (0.166_666_55 + r * (4.166_579_6e-2 + r * (8.333_452e-3 + r * 1.398_199_9e-3)));
        let power = f32::from_bits((shifted.to_bits().wrapping_sub(MAGIC.to_bits()).wrapping_add(127)) << 23);
        let exp = (1.0 + r + r * r * tail) * power;
        result[lane] = 1.0 / (1.0 + exp);
    }
    result
}
