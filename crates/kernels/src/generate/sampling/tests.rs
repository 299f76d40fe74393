use super::*;
use proptest::prelude::*;

fn sampler(change: impl FnOnce(&mut Sampling)) -> Sampler {
    let mut options = Sampling::default();
    change(&mut options);
    Sampler::new(options, 7).unwrap()
}

/// The share of draws of each unit.
fn shares(sampler: &mut Sampler, scores: &[f32], before: &[u32]) -> Vec<f64> {
    const DRAWS: u32 = 40_000;
    let mut counts = vec![0u32; scores.len()];
    for _ in 0..DRAWS {
        counts[sampler.choose(scores, before).unwrap() as usize] += 1;
    }
    counts.into_iter().map(|count| f64::from(count) / f64::from(DRAWS)).collect()
}

fn softmax(scores: &[f64]) -> Vec<f64> {
    let sum: f64 = scores.iter().map(|score| score.exp()).sum();
    scores.iter().map(|score| score.exp() / sum).collect()
}

fn assert_close(ours: &[f64], expected: &[f64]) {
    // Five standard deviations of a share in 40,000 draws.
    for (a, b) in ours.iter().zip(expected) {
        assert!((a - b).abs() < 5.0 * (0.25f64 / 40_000.0).sqrt(), "{ours:?} {expected:?}");
    }
}

const SCORES: [f32; 5] = [1.0, -0.5, 2.0, 0.3, -3.0];

#[test]
fn draws_have_the_probabilities_of_the_scores_and_the_temperature() {
    for temperature in [0.5, 1.0, 2.0] {
        let expected = softmax(&SCORES.map(|score| f64::from(score) / temperature));
        assert_close(&shares(&mut sampler(|s| s.temperature = temperature), &SCORES, &[]), &expected);
    }
}

#[test]
fn top_k_and_top_p_leave_the_most_probable_with_their_relative_probabilities() {
    let p = softmax(&SCORES.map(f64::from));
    let of = |kept: &[usize]| {
        let sum: f64 = kept.iter().map(|&i| p[i]).sum();
        (0..SCORES.len()).map(|i| if kept.contains(&i) { p[i] / sum } else { 0.0 }).collect::<Vec<_>>()
    };
    assert_close(&shares(&mut sampler(|s| s.top_k = 2), &SCORES, &[]), &of(&[0, 2]));
    assert_close(&shares(&mut sampler(|s| s.top_k = 9), &SCORES, &[]), &p);
    // 0.61, 0.22, 0.11: the third is needed above 0.83.
    assert_close(&shares(&mut sampler(|s| s.top_p = 0.8), &SCORES, &[]), &of(&[0, 2]));
    assert_close(&shares(&mut sampler(|s| s.top_p = 0.9), &SCORES, &[]), &of(&[0, 2, 3]));
    assert_close(&shares(&mut sampler(|s| s.top_p = 1e-9), &SCORES, &[]), &of(&[2]));
    // top-p applies to the units that top-k keeps.
    let both = |s: &mut Sampling| (s.top_k, s.top_p) = (2, 0.73);
    assert_close(&shares(&mut sampler(both), &SCORES, &[]), &of(&[2]));
}

#[test]
fn the_penalty_divides_positive_scores_and_multiplies_negative_ones_of_recent_units() {
    let expected = softmax(&[1.0 / 1.5, -0.5 * 1.5, 2.0, 0.3, -3.0]);
    let mut penal = sampler(|s| s.repetition_penalty = 1.5);
    assert_close(&shares(&mut penal, &SCORES, &[1, 0, 0, 1, 77]), &expected);
    let long_ago: Vec<u32> = [2, 4].into_iter().chain([1; REPETITION_WINDOW - 1]).chain([0]).collect();
    assert_close(&shares(&mut penal, &SCORES, &long_ago), &expected);
}

#[test]
fn temperature_zero_takes_the_largest_and_the_first_of_equals() {
    let mut greedy = sampler(|s| s.temperature = 0.0);
    assert_eq!(greedy.choose(&SCORES, &[]).unwrap(), 2);
    assert_eq!(greedy.choose(&[0.0, 3.0, 3.0], &[]).unwrap(), 1);
    greedy.options.never = vec![2, 900];
    assert_eq!(greedy.choose(&SCORES, &[]).unwrap(), 0);
}

#[test]
fn nonsense_is_an_error_that_names_the_option() {
    type Change = fn(&mut Sampling);
    let cases: [(Change, &str); 8] = [
        (|s| s.temperature = -1.0, "temperature"),
        (|s| s.temperature = f64::NAN, "temperature"),
        (|s| s.temperature = f64::INFINITY, "temperature"),
        (|s| s.top_p = 0.0, "topP"),
        (|s| s.top_p = 1.01, "topP"),
        (|s| s.top_p = f64::NAN, "topP"),
        (|s| s.repetition_penalty = 0.0, "repetitionPenalty"),
        (|s| s.repetition_penalty = f64::INFINITY, "repetitionPenalty"),
    ];
    for (change, option) in cases {
        let mut options = Sampling::default();
        change(&mut options);
        let error = Sampler::new(options, 0).err().unwrap();
        assert_eq!((error.code(), error.option()), (ErrorCode::InvalidArgument, Some(option)));
    }
    let mut plain = sampler(|_| {});
    for scores in [&[][..], &[f32::NAN, f32::INFINITY], &[f32::NEG_INFINITY]] {
        assert_eq!(plain.choose(scores, &[]).unwrap_err().code(), ErrorCode::InvalidArgument);
    }
}

proptest! {
    #[test]
    fn what_is_drawn_was_allowed_and_the_same_seed_draws_the_same(
        scores in prop::collection::vec(-20.0f32..20.0, 1..200),
        (temperature, top_k, top_p) in (0.05f64..5.0, 0usize..12, 0.01f64..=1.0),
        before in prop::collection::vec(0u32..220, 0..90),
        (penalty, seed) in (0.5f64..2.0, any::<u64>()),
    ) {
        let options = Sampling { temperature, top_k, top_p, repetition_penalty: penalty, never: vec![3] };
        let (mut one, mut other) =
            (Sampler::new(options.clone(), seed).unwrap(), Sampler::new(options, seed).unwrap());
        if scores.len() >= 4 {
            for _ in 0..8 {
                let unit = one.choose(&scores, &before).unwrap();
                prop_assert_eq!(unit, other.choose(&scores, &before).unwrap());
                prop_assert!((unit as usize) < scores.len() && unit != 3);
                // At most top-k units have a larger score after the penalty.
                let recent = &before[before.len().saturating_sub(REPETITION_WINDOW)..];
                let score = |i: usize| {
                    let s = f64::from(scores[i]);
                    if !recent.contains(&(i as u32)) { s } else if s > 0.0 { s / penalty } else { s * penalty }
                };
                let better = (0..scores.len()).filter(|&i| i != 3 && score(i) > score(unit as usize));
                let exp = |i: usize| (score(i) / temperature).exp();
                if top_k > 0 {
                    prop_assert!(better.clone().count() < top_k);
                } else {
                    // The better units add up to less than top-p; otherwise, the unit was not needed.
                    let all: f64 = (0..scores.len()).filter(|&i| i != 3).map(exp).sum();
                    prop_assert!(better.map(exp).sum::<f64>() < top_p * all * (1.0 + 1e-9));
                }
            }
        }
    }
}
