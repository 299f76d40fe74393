//! Vectorised exponential, logarithm, sigmoid and tanh.
//!
//! Those of a training reduce `x` to `n ln2 + r` with `|r| <= ln2 / 2` and use one polynomial for `expm1(r)` (degree 6, fitted
//! for equal relative error, 2e-8); those of an inference are cheaper, see [`split_exps`]. Bounds, swept by the tests of this file: sigmoid 1.5e-7 absolute, tanh 2e-7
//! absolute and 4e-7 relative down to the smallest arguments (so tanh(x) keeps the sign and size of a tiny x).

use super::{Lanes, fma};

const LOG2_E: f32 = std::f32::consts::LOG2_E;
/// ln 2 in two parts: the first has few bits, so that `n * LN2_HI` is exact.
const LN2_HI: f32 = 0.693_359_4;
const LN2_LO: f32 = -2.121_944_4e-4;
/// The same for [`ln`], whose error near 1 would show a coarser second part.
const LN2_HI_OF_LN: f32 = 0.693_138_1;
const LN2_LO_OF_LN: f32 = 9.058_001e-6;
/// 1.5 * 2^23: adding it rounds to an integer that is then in the low bits.
const ROUND: f32 = 12_582_912.0;

/// `(2^n, expm1(r))` for `exp(x) = 2^n * (1 + expm1(r))`. `x` must be within [-87, 88].
#[inline(always)]
fn split_exp<S: Lanes>(s: S, x: S::f32s) -> (S::f32s, S::f32s) {
    let shifted = fma(s, x, s.splat_f32s(LOG2_E), s.splat_f32s(ROUND));
    let n = s.sub_f32s(shifted, s.splat_f32s(ROUND));
    let r = fma(s, n, s.splat_f32s(-LN2_HI), x);
    let r = fma(s, n, s.splat_f32s(-LN2_LO), r);
    let mut p = s.splat_f32s(COEF[4]);
    p = fma(s, p, r, s.splat_f32s(COEF[3]));
    p = fma(s, p, r, s.splat_f32s(COEF[2]));
    p = fma(s, p, r, s.splat_f32s(COEF[1]));
    p = fma(s, p, r, s.splat_f32s(COEF[0]));
    let expm1 = fma(s, p, s.mul_f32s(r, r), r);
    (power_of_2(s, shifted), expm1)
}

/// `2^n` from `n + ROUND`: the integer sits in the low bits, and is moved into the exponent field.
#[inline(always)]
fn power_of_2<S: Lanes>(s: S, shifted: S::f32s) -> S::f32s {
    let bits = s.wrapping_dyn_shl_u32s(s.transmute_u32s_f32s(shifted), s.splat_u32s(23));
    s.transmute_f32s_u32s(s.add_u32s(bits, s.splat_u32s(0x3f80_0000)))
}

/// Coefficients of r^2 .. r^6 of exp(r) on [-ln2/2, ln2/2].
const COEF: [f32; 5] = [0.499_999_97, 0.166_665_43, 0.041_667_2, 0.008_366_58, 0.001_388_251];

#[inline(always)]
fn clamp<S: Lanes>(s: S, x: S::f32s, limit: f32) -> S::f32s {
    // NaN must stay NaN. Plain Rust's min and max drop it; those of NEON keep it, and those of x86 give their second
    // operand, so the constant comes first.
    if !S::FMA {
        let x = s.select_f32s(s.greater_than_f32s(x, s.splat_f32s(limit)), s.splat_f32s(limit), x);
        return s.select_f32s(s.less_than_f32s(x, s.splat_f32s(-limit)), s.splat_f32s(-limit), x);
    }
    let x = s.min_f32s(s.splat_f32s(limit), x);
    s.max_f32s(s.splat_f32s(-limit), x)
}

/// exp(x) for x within [-87, 88]; clamped outside.
#[inline(always)]
pub(crate) fn exp<S: Lanes>(s: S, x: S::f32s) -> S::f32s {
    let (scale, expm1) = split_exp(s, clamp(s, x, 87.0));
    fma(s, scale, expm1, scale)
}

/// The natural logarithm of a positive normal number, to within a unit in the last place; what is infinite or NaN becomes NaN.
/// `x = 2^k m` with `m` in [sqrt(1/2), sqrt(2)), and the polynomial of FreeBSD's `logf`.
#[inline(always)]
pub(crate) fn ln<S: Lanes>(s: S, x: S::f32s) -> S::f32s {
    const ONE: u32 = 0x3f80_0000;
    const ROOT_OF_HALF: u32 = 0x3f35_04f3;
    const LG: [f32; 4] = [0.666_666_6, 0.400_009_72, 0.284_987_87, 0.242_790_79];
    let bits = s.add_u32s(s.transmute_u32s_f32s(x), s.splat_u32s(ONE - ROOT_OF_HALF));
    // The exponent as a float: its bits below those of 2^23.
    let exponent = s.or_u32s(s.wrapping_dyn_shr_u32s(bits, s.splat_u32s(23)), s.splat_u32s(0x4b00_0000));
    let k = s.sub_f32s(s.transmute_f32s_u32s(exponent), s.splat_f32s(8_388_608.0 + 127.0));
    let m = s.add_u32s(s.and_u32s(bits, s.splat_u32s(0x007f_ffff)), s.splat_u32s(ROOT_OF_HALF));
    let f = s.sub_f32s(s.transmute_f32s_u32s(m), s.splat_f32s(1.0));
    let t = s.div_f32s(f, s.add_f32s(f, s.splat_f32s(2.0)));
    let z = s.mul_f32s(t, t);
    let w = s.mul_f32s(z, z);
    let odd = s.mul_f32s(z, fma(s, w, s.splat_f32s(LG[2]), s.splat_f32s(LG[0])));
    let even = s.mul_f32s(w, fma(s, w, s.splat_f32s(LG[3]), s.splat_f32s(LG[1])));
    let half = s.mul_f32s(s.mul_f32s(f, f), s.splat_f32s(0.5));
    let low = fma(s, t, s.add_f32s(half, s.add_f32s(odd, even)), s.mul_f32s(k, s.splat_f32s(LN2_LO_OF_LN)));
    let near = s.add_f32s(s.sub_f32s(low, half), f);
    // Zero, or NaN.
    s.add_f32s(fma(s, k, s.splat_f32s(LN2_HI_OF_LN), near), s.sub_f32s(x, x))
}

/// 1 / (1 + exp(-x)).
#[inline(always)]
pub(crate) fn sigmoid<S: Lanes>(s: S, x: S::f32s) -> S::f32s {
    let e = exp(s, s.sub_f32s(s.splat_f32s(0.0), x));
    s.div_f32s(s.splat_f32s(1.0), s.add_f32s(s.splat_f32s(1.0), e))
}

/// tanh(x) = m / (m + 2) with m = expm1(2x).
#[inline(always)]
pub(crate) fn tanh<S: Lanes>(s: S, x: S::f32s) -> S::f32s {
    // Beyond 9.02 tanh rounds to 1.
    let x = clamp(s, x, 9.02);
    let (scale, expm1) = split_exp(s, s.add_f32s(x, x));
    let m = fma(s, scale, expm1, s.sub_f32s(scale, s.splat_f32s(1.0)));
    s.div_f32s(m, s.add_f32s(m, s.splat_f32s(2.0)))
}

/// `(2^n, 2^r - 1)` for `exp(by x) = 2^n * 2^r`, of several vectors side by side: one waits for its own results most of the time. `by x`
/// must be within [-87, 88].
///
/// With base 2, the reduction is one operation, at the price of a relative error of `by x` units in the last place. Where that is large,
/// a sigmoid or a tanh is near its limit and does not depend on it. The polynomial has a degree less than [`split_exp`], with a relative
/// error of 1.1e-7 where `r` is large and 5.7e-7 near zero.
///
/// Loops, here and below, and no closures: a closure is not compiled for the instruction set unless it is inlined, and that is not
/// sure where there are many of them.
#[inline(always)]
fn split_exps<S: Lanes, const N: usize>(s: S, x: [S::f32s; N], by: [f32; N]) -> ([S::f32s; N], [S::f32s; N]) {
    let (mut shifted, mut r, mut p, mut scale) = (x, x, [s.splat_f32s(COEF_OF_2[4]); N], x);
    for i in 0..N {
        shifted[i] = fma(s, x[i], s.splat_f32s(by[i] * LOG2_E), s.splat_f32s(ROUND));
    }
    for i in 0..N {
        let minus_n = s.sub_f32s(s.splat_f32s(ROUND), shifted[i]);
        r[i] = fma(s, x[i], s.splat_f32s(by[i] * LOG2_E), minus_n);
    }
    for coefficient in COEF_OF_2[..4].iter().rev() {
        for i in 0..N {
            p[i] = fma(s, p[i], r[i], s.splat_f32s(*coefficient));
        }
    }
    for i in 0..N {
        p[i] = s.mul_f32s(p[i], r[i]);
        scale[i] = power_of_2(s, shifted[i]);
    }
    (scale, p)
}

/// Coefficients of r .. r^5 of `2^r - 1` on [-1/2, 1/2], fitted for an equal error relative to `2^r`, and near zero to `r`.
const COEF_OF_2: [f32; 5] = [std::f32::consts::LN_2, 0.240_223_02, 0.055_506_19, 0.009_668_768, 0.001_328_414_6];

/// Beyond this a sigmoid is below 1e-19; a product of its denominator with that of tanh stays finite.
const SATURATED: f32 = 44.0;

/// The gates of an LSTM, from their pre-activations i|f|g|o: the new cell state, and the denominator of the output gate, for
/// [`lstm_outputs`]. Both make one quotient of a sigmoid and a tanh that are multiplied.
#[inline(always)]
pub(crate) fn lstm_cell<S: Lanes>(s: S, gates: [S::f32s; 4], c: S::f32s) -> (S::f32s, S::f32s) {
    let [i, f, g, o] = gates;
    let one = s.splat_f32s(1.0);
    let within = [clamp(s, i, SATURATED), clamp(s, f, SATURATED), clamp(s, g, 9.02), clamp(s, o, SATURATED)];
    let (scale, expm1) = split_exps(s, within, [-1.0, -1.0, 2.0, -1.0]);
    let below_i = s.add_f32s(one, fma(s, scale[0], expm1[0], scale[0]));
    let below_f = s.add_f32s(one, fma(s, scale[1], expm1[1], scale[1]));
    let below_o = s.add_f32s(one, fma(s, scale[3], expm1[3], scale[3]));
    let m = fma(s, scale[2], expm1[2], s.sub_f32s(scale[2], one));
    let fresh = s.quotient(m, s.mul_f32s(below_i, s.add_f32s(m, s.splat_f32s(2.0))));
    (fma(s, s.quotient(one, below_f), c, fresh), below_o)
}

/// The outputs of some rows, from the cell states and denominators that [`lstm_cell`] gave for each.
#[inline(always)]
pub(crate) fn lstm_outputs<S: Lanes, const N: usize>(s: S, cells: [S::f32s; N], below_o: [S::f32s; N]) -> [S::f32s; N] {
    let (mut m, below) = tanh_parts(s, cells);
    for i in 0..N {
        m[i] = s.quotient(m[i], s.mul_f32s(below_o[i], below[i]));
    }
    m
}

/// [`tanh`] of several vectors, with [`Lanes::quotient`].
#[inline(always)]
pub(crate) fn tanhs<S: Lanes, const N: usize>(s: S, x: [S::f32s; N]) -> [S::f32s; N] {
    let (mut m, below) = tanh_parts(s, x);
    for i in 0..N {
        m[i] = s.quotient(m[i], below[i]);
    }
    m
}

/// Numerators and denominators of [`tanh`].
#[inline(always)]
fn tanh_parts<S: Lanes, const N: usize>(s: S, mut x: [S::f32s; N]) -> ([S::f32s; N], [S::f32s; N]) {
    for x in &mut x {
        *x = clamp(s, *x, 9.02);
    }
    let (scale, mut m) = split_exps(s, x, [2.0; N]);
    for i in 0..N {
        m[i] = fma(s, scale[i], m[i], s.sub_f32s(scale[i], s.splat_f32s(1.0)));
        x[i] = s.add_f32s(m[i], s.splat_f32s(2.0));
    }
    (m, x)
}

/// Two gates of a GRU, from their pre-activations: `r`, and `exp(-x)` of `z`, for [`gru_states`].
#[inline(always)]
pub(crate) fn gru_gates<S: Lanes>(s: S, r: S::f32s, z: S::f32s) -> (S::f32s, S::f32s) {
    let one = s.splat_f32s(1.0);
    let (scale, expm1) = split_exps(s, [clamp(s, r, SATURATED), clamp(s, z, SATURATED)], [-1.0; 2]);
    let below_r = s.add_f32s(one, fma(s, scale[0], expm1[0], scale[0]));
    (s.quotient(one, below_r), fma(s, scale[1], expm1[1], scale[1]))
}

/// The new states of some rows: `(1 - z) tanh(n) + z h`, where `e = exp(-x)` makes `z = 1 / (1 + e)` and `tanh(n) = m / (m + 2)`. So
/// it is one quotient, `(e m + h (m + 2)) / ((1 + e) (m + 2))`.
#[inline(always)]
pub(crate) fn gru_states<S: Lanes, const N: usize>(
    s: S,
    e: [S::f32s; N],
    n: [S::f32s; N],
    old: [S::f32s; N],
) -> [S::f32s; N] {
    let (mut m, below) = tanh_parts(s, n);
    for i in 0..N {
        let above = fma(s, e[i], m[i], s.mul_f32s(old[i], below[i]));
        m[i] = s.quotient(above, s.mul_f32s(s.add_f32s(s.splat_f32s(1.0), e[i]), below[i]));
    }
    m
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Isa, Kernel, dispatch_on, load, store};

    struct Sweep<'a> {
        x: &'a [f32],
        sigmoids: &'a mut [f32],
        tanhs: &'a mut [f32],
    }

    impl Kernel for Sweep<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Lanes>(self, s: S) {
            assert!(self.x.len().is_multiple_of(16) && self.x.len() == self.tanhs.len());
            for i in (0..self.x.len()).step_by(S::L) {
                // SAFETY: all slices have the same length, a multiple of the lanes.
                unsafe {
                    let x = load(s, self.x.as_ptr().add(i));
                    store(s, self.sigmoids.as_mut_ptr().add(i), sigmoid(s, x));
                    store(s, self.tanhs.as_mut_ptr().add(i), tanh(s, x));
                }
            }
        }
    }

    /// Every 97th float32 up to 100 in size, of both signs.
    fn arguments() -> Vec<f32> {
        let mut x: Vec<f32> =
            (0..100f32.to_bits()).step_by(97).flat_map(|b| [f32::from_bits(b), -f32::from_bits(b)]).collect();
        x.resize(x.len().next_multiple_of(16), 0.0);
        x
    }

    #[test]
    fn sigmoid_and_tanh_keep_their_bounds() {
        let x = arguments();
        for isa in Isa::all_available() {
            let (mut sigmoids, mut tanhs) = (vec![0.0f32; x.len()], vec![0.0f32; x.len()]);
            dispatch_on(isa, Sweep { x: &x, sigmoids: &mut sigmoids, tanhs: &mut tanhs });
            let (mut worst_sigmoid, mut worst_tanh, mut worst_relative) = (0.0f64, 0.0f64, 0.0f64);
            for ((&x, &s), &t) in x.iter().zip(&sigmoids).zip(&tanhs) {
                let x = f64::from(x);
                worst_sigmoid = worst_sigmoid.max((f64::from(s) - 1.0 / (1.0 + (-x).exp())).abs());
                let exact = x.tanh();
                worst_tanh = worst_tanh.max((f64::from(t) - exact).abs());
                if x.abs() > 1e-30 {
                    worst_relative = worst_relative.max((f64::from(t) / exact - 1.0).abs());
                }
            }
            println!("{}: sigmoid {worst_sigmoid:e}, tanh {worst_tanh:e}, relative {worst_relative:e}", isa.name());
            assert!(worst_sigmoid <= 1.5e-7, "{isa:?} sigmoid {worst_sigmoid:e}");
            assert!(worst_tanh <= 2e-7, "{isa:?} tanh {worst_tanh:e}");
            assert!(worst_relative <= 4e-7, "{isa:?} tanh relative {worst_relative:e}");
        }
    }

    /// One step of an LSTM's unit, all lanes the same.
    struct Cell<'a> {
        gates: [f32; 4],
        c: f32,
        to: &'a mut [f32; 2],
    }

    impl Kernel for Cell<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Lanes>(self, s: S) {
            let (c, below) = lstm_cell(s, self.gates.map(|gate| s.splat_f32s(gate)), s.splat_f32s(self.c));
            let mut lanes = [0.0f32; 32];
            // SAFETY: a vector has 16 lanes at most.
            unsafe {
                store(s, lanes.as_mut_ptr(), c);
                store(s, lanes.as_mut_ptr().add(16), lstm_outputs(s, [c], [below])[0]);
            }
            *self.to = [lanes[0], lanes[16]];
        }
    }

    #[test]
    fn an_lstms_gates_are_exact_also_where_they_saturate() {
        let sigmoid = |x: f32| 1.0 / (1.0 + (-f64::from(x)).exp());
        let points = [-1e30f32, -300.0, -88.0, -44.5, -9.0, -1.3, -1e-6, 0.0, 1e-20, 0.4, 3.0, 20.0, 44.5, 100.0, 1e30];
        for isa in Isa::all_available() {
            for (n, &i) in points.iter().enumerate() {
                for &f in &points {
                    for &g in &points {
                        let (o, c) = (points[(n + 5) % points.len()], points[(2 * n + 3) % 12].clamp(-5.0, 5.0));
                        let mut to = [0.0; 2];
                        dispatch_on(isa, Cell { gates: [i, f, g, o], c, to: &mut to });
                        let new = sigmoid(f) * f64::from(c) + sigmoid(i) * f64::from(g).tanh();
                        let h = sigmoid(o) * new.tanh();
                        assert!((f64::from(to[0]) - new).abs() <= 1e-6, "{isa:?} {i} {f} {g}: {} {new}", to[0]);
                        assert!((f64::from(to[1]) - h).abs() <= 5e-7, "{isa:?} {i} {f} {g} {o}: {} {h}", to[1]);
                    }
                }
            }
            for nan in 0..4 {
                let mut gates = [0.5; 4];
                gates[nan] = f32::NAN;
                let mut to = [0.0; 2];
                dispatch_on(isa, Cell { gates, c: 0.1, to: &mut to });
                assert!(to[1].is_nan() && (nan == 3 || to[0].is_nan()), "{isa:?} {nan}");
            }
        }
    }

    struct GruCell<'a> {
        gates: [f32; 3],
        old: f32,
        to: &'a mut [f32; 2],
    }

    impl Kernel for GruCell<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Lanes>(self, s: S) {
            let [r, z, n] = self.gates.map(|gate| s.splat_f32s(gate));
            let (r, e) = gru_gates(s, r, z);
            let [new] = gru_states(s, [e], [n], [s.splat_f32s(self.old)]);
            let mut lanes = [0.0f32; 32];
            // SAFETY: a vector has 16 lanes at most.
            unsafe {
                store(s, lanes.as_mut_ptr(), r);
                store(s, lanes.as_mut_ptr().add(16), new);
            }
            *self.to = [lanes[0], lanes[16]];
        }
    }

    #[test]
    fn a_grus_gates_are_exact_also_where_they_saturate() {
        let sigmoid = |x: f32| 1.0 / (1.0 + (-f64::from(x)).exp());
        let points = [-1e30f32, -300.0, -88.0, -44.5, -9.0, -1.3, -1e-6, 0.0, 1e-20, 0.4, 3.0, 20.0, 44.5, 100.0, 1e30];
        for isa in Isa::all_available() {
            for (place, &r) in points.iter().enumerate() {
                for &z in &points {
                    for &n in &points {
                        let old = (points[(place + 4) % points.len()]).clamp(-1.0, 1.0);
                        let mut to = [0.0; 2];
                        dispatch_on(isa, GruCell { gates: [r, z, n], old, to: &mut to });
                        let new = (1.0 - sigmoid(z)) * f64::from(n).tanh() + sigmoid(z) * f64::from(old);
                        assert!((f64::from(to[0]) - sigmoid(r)).abs() <= 5e-7, "{isa:?} {r}: {}", to[0]);
                        assert!((f64::from(to[1]) - new).abs() <= 5e-7, "{isa:?} {z} {n} {old}: {} {new}", to[1]);
                    }
                }
            }
            for nan in 0..3 {
                let mut gates = [0.5; 3];
                gates[nan] = f32::NAN;
                let mut to = [0.0; 2];
                dispatch_on(isa, GruCell { gates, old: 0.1, to: &mut to });
                assert!(to[usize::from(nan > 0)].is_nan(), "{isa:?} {nan}");
            }
        }
    }

    struct Logarithms<'a> {
        x: &'a [f32],
        to: &'a mut [f32],
    }

    impl Kernel for Logarithms<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Lanes>(self, s: S) {
            for i in (0..self.x.len()).step_by(S::L) {
                // SAFETY: both slices have the same length, a multiple of the lanes.
                unsafe { store(s, self.to.as_mut_ptr().add(i), ln(s, load(s, self.x.as_ptr().add(i)))) };
            }
        }
    }

    #[test]
    fn logarithms_are_within_a_unit_in_the_last_place() {
        let mut x: Vec<f32> =
            (f32::MIN_POSITIVE.to_bits()..f32::MAX.to_bits()).step_by(997).map(f32::from_bits).collect();
        x.extend((0..4096).map(|i| 1.0 + (i - 2048) as f32 * f32::EPSILON));
        x.resize(x.len().next_multiple_of(16), 1.0);
        for isa in Isa::all_available() {
            let mut to = vec![0.0f32; x.len()];
            dispatch_on(isa, Logarithms { x: &x, to: &mut to });
            for (&x, &ours) in x.iter().zip(&to) {
                let exact = f64::from(x).ln();
                let unit = f64::from((exact as f32).abs().next_up() - (exact as f32).abs());
                assert!((f64::from(ours) - exact).abs() <= 1.1 * unit, "{isa:?} {x:e}: {ours:e} {exact:e}");
            }
            let mut bad = [0.0; 16];
            dispatch_on(isa, Logarithms { x: &[f32::NAN; 16], to: &mut bad });
            assert!(bad.iter().all(|value| value.is_nan()), "{isa:?}");
        }
    }

    #[test]
    fn nan_stays_nan() {
        let x = vec![f32::NAN; 16];
        for isa in Isa::all_available() {
            let (mut sigmoids, mut tanhs) = (vec![0.0f32; 16], vec![0.0f32; 16]);
            dispatch_on(isa, Sweep { x: &x, sigmoids: &mut sigmoids, tanhs: &mut tanhs });
            assert!(sigmoids.iter().chain(&tanhs).all(|v| v.is_nan()), "{isa:?}");
        }
    }
}
