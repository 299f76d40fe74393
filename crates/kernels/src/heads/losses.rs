//! The loss of a row and its gradient, which replaces the row's logits: cross entropy for exclusive classes, binary
//! cross entropy for several labels.

use crate::pool::softmax::{Largest, Softmax};
use crate::simd::{Kernel, Lanes, dispatch, load, math, store};
use recurra_core::LossOptions;

/// A row's contribution to the loss, and whether the prediction was correct.
pub(crate) struct RowLoss {
    /// The loss before division.
    pub loss: f64,
    pub right: bool,
}

/// Replaces the first `classes` logits of a padded row by their gradients (padding: zero). `share` is one over the
/// divisor of the batch's loss.
pub(crate) fn cross_entropy(
    values: &mut [f32],
    classes: usize,
    label: usize,
    options: &LossOptions<'_>,
    share: f32,
) -> RowLoss {
    let logit = values[label];
    let largest = dispatch(Largest { values: &mut *values, classes });
    // Of equally large logits, the first is the prediction.
    let right = logit == largest && !values[..label].contains(&logit);
    let smoothing = options.smoothing as f32;
    if options.weights.is_empty() && smoothing == 0.0 {
        let (_, sum) = dispatch(Softmax { values: &mut *values, classes });
        values[label] -= 1.0;
        values[..classes].iter_mut().for_each(|value| *value *= share);
        return RowLoss { loss: f64::from(largest + sum.ln() - logit), right };
    }
    // torch.nn.CrossEntropyLoss: (1 - s) w[y] (-log p[y]) + s / K * sum over k of w[k] (-log p[k]).
    let weight = |class: usize| options.weights.get(class).copied().unwrap_or(1.0);
    let spread = smoothing / classes as f32;
    let own = (1.0 - smoothing) * weight(label);
    let (mut weights, mut weighted) = (0.0, 0.0);
    for (class, &value) in values[..classes].iter().enumerate() {
        weights += f64::from(weight(class));
        weighted += f64::from(weight(class)) * f64::from(value);
    }
    let (_, sum) = dispatch(Softmax { values: &mut *values, classes });
    let log_sum = largest + sum.ln();
    let smooth = f64::from(spread) * (weights * f64::from(log_sum) - weighted);
    let loss = f64::from(own) * f64::from(log_sum - logit) + smooth;
    let factor = own + spread * weights as f32;
    for (class, value) in values[..classes].iter_mut().enumerate() {
        let target = spread * weight(class) + if class == label { own } else { 0.0 };
        *value = (*value * factor - target) * share;
    }
    RowLoss { loss, right }
}

/// Like [`cross_entropy`] for several labels: `torch.nn.BCEWithLogitsLoss` with the class weights as `pos_weight`.
pub(crate) fn binary_cross_entropy(
    values: &mut [f32],
    classes: usize,
    labels: &[u32],
    options: &LossOptions<'_>,
    share: f32,
) -> RowLoss {
    let above = values[..classes].iter().filter(|&&value| value > 0.0).count();
    let right = above == labels.len() && labels.iter().all(|&label| values[label as usize] > 0.0);
    let weight = |label: u32| options.weights.get(label as usize).copied().unwrap_or(1.0);
    // First the loss without any label, softplus(z) each; then the difference for the labels of the row.
    let present: f64 = labels
        .iter()
        .map(|&label| {
            let z = values[label as usize];
            let tail = (-z.abs()).exp().ln_1p();
            f64::from(weight(label) * (tail + (-z).max(0.0))) - f64::from(tail + z.max(0.0))
        })
        .sum();
    // Padding contributes nothing: softplus of this is zero.
    values[classes..].fill(f32::MIN);
    let absent = dispatch(Sigmoid { values: &mut *values });
    values[classes..].fill(0.0);
    for &label in labels {
        let value = &mut values[label as usize];
        *value = (*value - 1.0) * weight(label);
    }
    values[..classes].iter_mut().for_each(|value| *value *= share);
    RowLoss { loss: absent + present, right }
}

/// Replaces logits by sigmoids. Returns the sum of `softplus(z) = max(z, 0) + log(1 + exp(-|z|))`.
pub(crate) struct Sigmoid<'a> {
    /// Padded to whole vectors.
    pub values: &'a mut [f32],
}

/// Number of factors, each at most 2, whose product is in range for float32.
const FACTORS: usize = 96;

impl Kernel for Sigmoid<'_> {
    type Output = f64;
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) -> f64 {
        let at = self.values.as_mut_ptr();
        let (zero, one) = (s.splat_f32s(0.0), s.splat_f32s(1.0));
        let mut sum = 0.0;
        let mut lanes = [0.0f32; 16];
        // One logarithm of a product of several factors replaces as many logarithms.
        for start in (0..self.values.len()).step_by(FACTORS * S::L) {
            let (mut product, mut linear) = (one, zero);
            for j in (start..self.values.len().min(start + FACTORS * S::L)).step_by(S::L) {
                // SAFETY: the row is padded to whole vectors.
                unsafe {
                    let z = load(s, at.add(j));
                    let negative = s.sub_f32s(zero, s.abs_f32s(z));
                    let e = math::exp(s, negative);
                    linear = s.add_f32s(linear, s.max_f32s(zero, z));
                    product = s.mul_f32s(product, s.add_f32s(one, e));
                    store(s, at.add(j), math::sigmoid(s, z));
                }
            }
            // SAFETY: there are at most 16 lanes.
            unsafe { store(s, lanes.as_mut_ptr(), product) };
            sum += lanes[..S::L].iter().map(|&value| f64::from(value.ln())).sum::<f64>();
            sum += f64::from(s.reduce_sum_f32s(linear));
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Isa, dispatch_on};

    #[test]
    fn sigmoids_and_their_softplus_are_exact_on_every_instruction_set() {
        for n in [16, 160, 4000 / 16 * 16] {
            let logits: Vec<f32> = (0..n).map(|i| (i as f32 - n as f32 / 2.0) * 40.0 / n as f32).collect();
            let expected: f64 = logits.iter().map(|&z| f64::from(z).exp().ln_1p()).sum();
            for isa in Isa::all_available() {
                let mut values = logits.clone();
                let sum = dispatch_on(isa, Sigmoid { values: &mut values });
                assert!((sum - expected).abs() < 2e-7 * n as f64, "{isa:?} {n}: {sum} {expected}");
                for (&value, &z) in values.iter().zip(&logits) {
                    let exact = 1.0 / (1.0 + (-f64::from(z)).exp());
                    assert!((f64::from(value) - exact).abs() < 2e-7, "{isa:?} {z}: {value} {exact}");
                }
                let mut padding = [f32::MIN; 16];
                assert_eq!(dispatch_on(isa, Sigmoid { values: &mut padding }), 0.0, "{isa:?}");
                let mut bad = [0.0; 16];
                bad[3] = f32::NAN;
                assert!(dispatch_on(isa, Sigmoid { values: &mut bad }).is_nan(), "{isa:?}");
            }
        }
    }
}
