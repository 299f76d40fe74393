//! Converts scores to log-probabilities, calibrates them by a temperature and measures them.

use crate::labels::Labels;
use crate::math::{Portable, ln_sigmoid};

/// Log-probabilities of one row from its scores times `sharpness` (the reciprocal of the temperature).
///
/// With one label per row: the logistic function of each score, divided by their sum; for two labels and one score, the
/// logistic function itself. With several labels per row: the logistic function of each score. `to` has one place per
/// label.
pub(crate) fn log_probabilities(scores: &[f32], sharpness: f32, several: bool, to: &mut [f32]) {
    let scaled = |score: f32| f64::from(score) * f64::from(sharpness);
    if !several && to.len() == 2 && scores.len() == 1 {
        to[0] = ln_sigmoid(-scaled(scores[0])) as f32;
        to[1] = ln_sigmoid(scaled(scores[0])) as f32;
        return;
    }
    if several {
        to.iter_mut().zip(scores).for_each(|(to, &score)| *to = ln_sigmoid(scaled(score)) as f32);
        return;
    }
    let highest = scores.iter().map(|&score| ln_sigmoid(scaled(score))).fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for (to, &score) in to.iter_mut().zip(scores) {
        let value = ln_sigmoid(scaled(score));
        *to = value as f32;
        sum += (value - highest).portable_exp();
    }
    let sum = (highest + sum.portable_ln()) as f32;
    to.iter_mut().for_each(|to| *to -= sum);
}

/// Quality of log-probabilities.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// With one label per row: the share of rows whose most probable label is correct. With several: the share of label
    /// decisions that are correct at a threshold of 0.5.
    pub accuracy: f64,
    /// Mean negative log-probability of the correct label, in nats; with several labels per row, summed over the
    /// labels.
    pub log_loss: f64,
}

/// Measures log-probabilities, `classes` per row, against `labels` of the same rows.
///
/// # Panics
/// If rows are missing or a label is not below `classes`.
#[must_use]
pub fn quality(log_probabilities: &[f32], classes: usize, labels: Labels<'_>) -> Quality {
    let (mut right, mut loss) = (0.0, 0.0);
    let rows = labels.rows();
    for (row, probabilities) in log_probabilities.chunks_exact(classes.max(1)).enumerate().take(rows) {
        if let Labels::One(labels) = labels {
            let label = labels[row] as usize;
            right += f64::from(u8::from(best(probabilities) == label));
            loss -= f64::from(probabilities[label]);
        } else {
            let own = labels.of(row);
            for (label, &value) in probabilities.iter().enumerate() {
                let value = f64::from(value);
                let has = own.contains(&(label as u32));
                right += f64::from(u8::from(has == (value > -std::f64::consts::LN_2))) / classes as f64;
                // ln(1 - p), accurate for small p.
                loss -= if has { value } else { (-value.min(-1e-12).portable_exp_m1()).portable_ln() };
            }
        }
    }
    Quality { accuracy: right / rows.max(1) as f64, log_loss: loss / rows.max(1) as f64 }
}

/// The log loss of predicting the label frequencies for every row, defined as in [`quality`].
pub(crate) fn entropy(labels: Labels<'_>, classes: usize) -> f64 {
    let rows = labels.rows().max(1);
    let mut counts = vec![0usize; classes];
    (0..labels.rows()).flat_map(|row| labels.of(row)).for_each(|&label| counts[label as usize] += 1);
    let part = |count: usize| {
        let share = count as f64 / rows as f64;
        if share > 0.0 { -share * share.portable_ln() } else { 0.0 }
    };
    let of = |&count: &usize| part(count) + if labels.several() { part(rows - count.min(rows)) } else { 0.0 };
    counts.iter().map(of).sum()
}

/// Index of the largest value; the first of equal ones.
pub(crate) fn best(values: &[f32]) -> usize {
    values.iter().enumerate().fold((0, f32::NEG_INFINITY), |best, (at, &v)| if v > best.1 { (at, v) } else { best }).0
}

/// Expected calibration error of log-probabilities with one label per row. Rows are grouped into `bins` of equal width
/// by their highest probability; the error is the mean over rows of the difference between their bin's mean probability
/// and its accuracy. 0 is perfect.
#[must_use]
pub fn calibration_error(log_probabilities: &[f32], classes: usize, labels: &[u32], bins: usize) -> f64 {
    let mut sums = vec![(0.0f64, 0.0f64); bins.max(1)];
    for (probabilities, &label) in log_probabilities.chunks_exact(classes.max(1)).zip(labels) {
        let given = best(probabilities);
        let probability = f64::from(probabilities[given]).portable_exp();
        // A value on a bin boundary belongs to the lower bin.
        let bin = ((probability * sums.len() as f64).ceil() as usize).clamp(1, sums.len()) - 1;
        sums[bin].0 += probability;
        sums[bin].1 += f64::from(u8::from(given == label as usize));
    }
    sums.iter().map(|(promised, kept)| (promised - kept).abs()).sum::<f64>() / labels.len().max(1) as f64
}

/// The position of the minimum of a unimodal function in `low..high`, by golden-section search.
pub(crate) fn minimize(mut low: f64, mut high: f64, steps: usize, value: impl Fn(f64) -> f64) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_895;
    let (mut a, mut b) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
    let (mut at_a, mut at_b) = (value(a), value(b));
    for _ in 0..steps {
        if at_a <= at_b {
            (high, b, at_b) = (b, a, at_a);
            a = high - GOLDEN * (high - low);
            at_a = value(a);
        } else {
            (low, a, at_a) = (a, b, at_b);
            b = low + GOLDEN * (high - low);
            at_b = value(b);
        }
    }
    f64::midpoint(low, high)
}

/// Calibrates scores: the factor in `[1/20, 20]` that minimises the log loss of their probabilities. One additional row
/// with uniformly distributed labels prevents overconfidence when few rows are all correct.
pub(crate) fn sharpness(scores: &[f32], outputs: usize, classes: usize, labels: Labels<'_>) -> f32 {
    let mut logs = vec![0.0; labels.rows() * classes];
    let logs = std::cell::RefCell::new(&mut logs);
    let loss = |ln: f64| {
        let mut logs = logs.borrow_mut();
        all_log_probabilities(scores, outputs, classes, ln.portable_exp() as f32, labels.several(), &mut logs);
        let rows = labels.rows().max(1) as f64;
        quality(&logs, classes, labels).log_loss + uniform_loss(&logs, labels.several()) / rows
    };
    minimize(-3.0, 3.0, 20, loss).portable_exp() as f32
}

/// Mean log loss of log-probabilities if all labels were equally likely.
fn uniform_loss(logs: &[f32], several: bool) -> f64 {
    let one = |&log: &f32| {
        let has = f64::from(log);
        if several { -0.5 * (has + (-has.min(-1e-12).portable_exp_m1()).portable_ln()) } else { -has }
    };
    logs.iter().map(one).sum::<f64>() / logs.len().max(1) as f64
}

pub(crate) fn all_log_probabilities(
    scores: &[f32],
    outputs: usize,
    classes: usize,
    sharpness: f32,
    several: bool,
    to: &mut [f32],
) {
    for (scores, to) in scores.chunks_exact(outputs).zip(to.chunks_exact_mut(classes)) {
        log_probabilities(scores, sharpness, several, to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calibration_is_counted_by_hand() {
        // Two rows predict 0.9, and one of them is correct; one predicts 0.6 and is correct.
        let logs = [0.9f32.ln(), 0.1f32.ln(), 0.9f32.ln(), 0.1f32.ln(), 0.4f32.ln(), 0.6f32.ln()];
        let error = calibration_error(&logs, 2, &[0, 1, 1], 10);
        assert!((error - (0.8 + 0.4) / 3.0).abs() < 1e-6, "{error}");
    }

    #[test]
    fn entropy_is_that_of_the_frequencies() {
        let (half, quarter) = (0.5f64.ln(), 0.25f64.ln());
        let one = entropy(Labels::One(&[0, 1, 0, 2]), 3);
        assert!((one + 0.5 * half + 0.5 * quarter).abs() < 1e-12, "{one}");
        let several = entropy(Labels::Many { labels: &[0, 0, 1], ends: &[1, 3] }, 2);
        assert!((several + half).abs() < 1e-12, "{several}");
    }

    #[test]
    fn probabilities_of_a_row_sum_to_one() {
        let mut logs = [0.0; 4];
        log_probabilities(&[-80.0, -3.0, 0.5, 90.0], 2.0, false, &mut logs);
        let sum: f32 = logs.iter().map(|log| log.exp()).sum();
        assert!((sum - 1.0).abs() < 1e-6 && logs.iter().all(|log| log.is_finite()));
    }
}
