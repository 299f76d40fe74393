//! Elementary functions on a few lanes, built from operations that every processor rounds identically.

use recurra_core::random::SplitMix64;

/// `1 / (1 + exp(t))` for `t` in `[-30, 30]`.
#[inline(always)]
pub(crate) fn sigmoid_of_negative<const L: usize>(t: [f32; L]) -> [f32; L] {
    let mut result = [0.0; L];
    for lane in 0..L {
        // exp(t) = 2^n * exp(r). Adding the magic number rounds to an integer, which the low bits then contain.
        const MAGIC: f32 = 12_582_912.0;
        let shifted = t[lane] * std::f32::consts::LOG2_E + MAGIC;
        let n = shifted - MAGIC;
        let r = t[lane] - n * 0.693_359_4 - n * -2.121_944_4e-4;
        let tail = 0.5 + r * (0.166_666_55 + r * (4.166_579_6e-2 + r * (8.333_452e-3 + r * 1.398_199_9e-3)));
        let power = f32::from_bits((shifted.to_bits().wrapping_sub(MAGIC.to_bits()).wrapping_add(127)) << 23);
        let exp = (1.0 + r + r * r * tail) * power;
        result[lane] = 1.0 / (1.0 + exp);
    }
    result
}

/// Elementary functions of musl, from the crate `libm`. C libraries round theirs differently; these make models and
/// predictions identical on every platform.
pub(crate) trait Portable {
    /// `e^x`.
    fn portable_exp(self) -> Self;
    /// `e^x - 1`, accurate near 0.
    fn portable_exp_m1(self) -> Self;
    /// The natural logarithm.
    fn portable_ln(self) -> Self;
    /// `ln(1 + x)`, accurate near 0.
    fn portable_ln_1p(self) -> Self;
}

impl Portable for f64 {
    fn portable_exp(self) -> Self {
        libm::exp(self)
    }

    fn portable_exp_m1(self) -> Self {
        libm::expm1(self)
    }

    fn portable_ln(self) -> Self {
        libm::log(self)
    }

    fn portable_ln_1p(self) -> Self {
        libm::log1p(self)
    }
}

impl Portable for f32 {
    fn portable_exp(self) -> Self {
        libm::expf(self)
    }

    fn portable_exp_m1(self) -> Self {
        libm::expm1f(self)
    }

    fn portable_ln(self) -> Self {
        libm::logf(self)
    }

    fn portable_ln_1p(self) -> Self {
        libm::log1pf(self)
    }
}

/// `ln(1 / (1 + exp(-x)))` without overflow.
pub(crate) fn ln_sigmoid(x: f64) -> f64 {
    x.min(0.0) - (-x.abs()).portable_exp().portable_ln_1p()
}

/// A seeded random number generator.
pub(crate) struct Random(SplitMix64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(SplitMix64::new(seed))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0.draw()
    }

    /// Shuffles values uniformly.
    pub(crate) fn shuffle(&mut self, values: &mut [u32]) {
        for at in (1..values.len()).rev() {
            let with = (u128::from(self.next()) * (at as u128 + 1)) >> 64;
            values.swap(at, with as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn falling_is_the_logistic_function() {
        for step in -3000..=3000 {
            let t = step as f32 / 100.0;
            let exact = 1.0 / (1.0 + f64::from(t).exp());
            let [given] = sigmoid_of_negative([t]);
            assert!((f64::from(given) - exact).abs() <= 4e-7 * exact, "{t}: {given} {exact}");
        }
    }
}
