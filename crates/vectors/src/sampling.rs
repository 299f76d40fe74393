//! Subsampling of frequent words and sampling of negatives, by fastText's formulas.

use crate::error::{Result, filled, reserve};
use crate::random::Random;

/// Probability to keep an occurrence of a word: `sqrt(t / f) + t / f`, at most 1, where `f` is the word's share of all
/// words and `t` the threshold.
pub(crate) fn kept(count: u64, all: u64, threshold: f64) -> f32 {
    if threshold == 0.0 {
        return 1.0;
    }
    let ratio = threshold * all as f64 / count as f64;
    (ratio.sqrt() + ratio).min(1.0) as f32
}

/// Draws words with probabilities proportional to the square root of their counts.
///
/// Walker's alias method in Vose's form. fastText uses a list of ten million words instead, which does not fit in the
/// caches.
pub(crate) struct Negatives {
    /// For each word: the threshold of 32 random bits below which the word itself is drawn, and the alias that is drawn
    /// otherwise.
    places: Vec<(u32, u32)>,
}

impl Negatives {
    /// For words with these counts, at least two.
    pub(crate) fn new(counts: &[u64]) -> Result<Self> {
        let weight = |count: u64| (count as f64).sqrt();
        let mean = counts.iter().map(|&count| weight(count)).sum::<f64>() / counts.len() as f64;
        let mut places = filled((u32::MAX, 0), counts.len())?;
        let mut left = Vec::new();
        reserve(&mut left, counts.len())?;
        left.extend(counts.iter().map(|&count| weight(count) / mean));
        let (mut small, mut large): (Vec<u32>, Vec<u32>) =
            (0..counts.len() as u32).partition(|&i| left[i as usize] < 1.0);
        while let (Some(&low), Some(&high)) = (small.last(), large.last()) {
            small.pop();
            places[low as usize] = ((left[low as usize] * 4_294_967_296.0) as u32, high);
            left[high as usize] -= 1.0 - left[low as usize];
            if left[high as usize] < 1.0 {
                large.pop();
                small.push(high);
            }
        }
        // The remaining words fill their place completely, up to rounding.
        for word in small.into_iter().chain(large) {
            places[word as usize] = (u32::MAX, word);
        }
        Ok(Self { places })
    }

    /// Draws a word other than `target`.
    #[inline(always)]
    pub(crate) fn draw(&self, random: &mut Random, target: u32) -> u32 {
        let n = self.places.len() as u64;
        // Limits the attempts, in case almost every draw gives the target.
        for _ in 0..64 {
            let bits = random.next();
            let place = (((bits >> 32) * n) >> 32) as u32;
            let (own, other) = self.places[place as usize];
            let word = if (bits as u32) < own { place } else { other };
            if word != target {
                return word;
            }
        }
        if target == 0 { 1 } else { target - 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn frequencies_are_those_of_fasttexts_formulas() {
        let golden: Value = serde_json::from_str(include_str!("../tests/golden.jsonl")).unwrap();
        let golden = &golden["sampling"];
        let numbers =
            |name: &str| -> Vec<f64> { golden[name].as_array().unwrap().iter().map(|n| n.as_f64().unwrap()).collect() };
        let counts: Vec<u64> = numbers("counts").iter().map(|&count| count as u64).collect();
        let (all, threshold) = (golden["all"].as_u64().unwrap(), golden["threshold"].as_f64().unwrap());
        for (&count, expected) in counts.iter().zip(numbers("kept")) {
            assert!((f64::from(kept(count, all, threshold)) - expected).abs() < 1e-6);
            assert_eq!(kept(count, all, 0.0), 1.0);
        }

        // The exact probabilities of the table.
        let negatives = Negatives::new(&counts).unwrap();
        let mut drawn = vec![0.0; counts.len()];
        for (place, &(own, other)) in negatives.places.iter().enumerate() {
            let share = f64::from(own) / 4_294_967_296.0;
            drawn[place] += share / counts.len() as f64;
            drawn[other as usize] += (1.0 - share) / counts.len() as f64;
        }
        for (given, expected) in drawn.iter().zip(numbers("drawn")) {
            assert!((given - expected).abs() < 1e-8, "{given} {expected}");
        }

        // The target is never drawn, the others in proportion.
        let (mut random, mut times, n) = (Random::new(1, [0; 3]), vec![0u32; counts.len()], 200_000);
        (0..n).for_each(|_| times[negatives.draw(&mut random, 0) as usize] += 1);
        assert_eq!(times[0], 0);
        let share = numbers("drawn")[1] / (1.0 - numbers("drawn")[0]);
        assert!((f64::from(times[1]) / f64::from(n) - share).abs() < 0.005, "{times:?} {share}");
    }

    #[test]
    fn a_word_that_nearly_all_draws_give_does_not_hold_up_the_work() {
        let negatives = Negatives::new(&[u64::MAX / 2, 1]).unwrap();
        assert_eq!(negatives.draw(&mut Random::new(1, [0; 3]), 0), 1);
        assert_eq!(negatives.draw(&mut Random::new(1, [0; 3]), 1), 0);
    }
}
