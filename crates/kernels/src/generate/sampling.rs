//! Chooses the next unit: greedily, or sampled with temperature, top-k, top-p and a repetition penalty.

use recurra_core::random::SplitMix64;
use recurra_core::{Error, ErrorCode, Result};

/// Number of recent units that count as repeated, as llama.cpp's `repeat_last_n`.
pub const REPETITION_WINDOW: usize = 64;

/// Sampling options. The steps are those of HuggingFace's `generate`, in this order: penalty, temperature, top-k,
/// top-p, and a draw from the remaining units.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// Divisor of the scores. 1 samples from the network's own probabilities; 0 takes the most probable unit.
    pub temperature: f64,
    /// Only this many of the most probable units may be drawn; 0 for all.
    pub top_k: usize,
    /// Only the smallest set of most probable units whose probabilities add up to at least this may be drawn, in (0,
    /// 1]. Holtzman et al., "The Curious Case of Neural Text Degeneration", 2020.
    pub top_p: f64,
    /// Penalty of units among the last [`REPETITION_WINDOW`]: their positive scores are divided by it, negative ones
    /// multiplied; 1 for no penalty. Keskar et al., "CTRL: A Conditional Transformer Language Model for Controllable
    /// Generation", 2019.
    pub repetition_penalty: f64,
    /// Units that are never chosen.
    pub never: Vec<u32>,
}

impl Default for Sampling {
    /// The network's own probabilities.
    fn default() -> Self {
        Self { temperature: 1.0, top_k: 0, top_p: 1.0, repetition_penalty: 1.0, never: Vec::new() }
    }
}

impl Sampling {
    /// Checks the options.
    ///
    /// # Errors
    /// `InvalidArgument`, which names the option, for a temperature that is negative or not finite, a `top_p` outside
    /// (0, 1], or a penalty that is not positive and finite.
    pub fn validate(&self) -> Result<()> {
        let fail = |option, message: String| Err(Error::new(ErrorCode::InvalidArgument, message).about(option));
        let Self { temperature, top_p, repetition_penalty, .. } = *self;
        if !(temperature >= 0.0 && temperature.is_finite()) {
            return fail(
                "temperature",
                format!("temperature must be a finite number of at least 0 but is {temperature}"),
            );
        }
        if !(top_p > 0.0 && top_p <= 1.0) {
            return fail("topP", format!("topP must be above 0 and at most 1 but is {top_p}"));
        }
        if !(repetition_penalty > 0.0 && repetition_penalty.is_finite()) {
            return fail(
                "repetitionPenalty",
                format!("repetitionPenalty must be a finite number above 0 but is {repetition_penalty}"),
            );
        }
        Ok(())
    }
}

/// A unit that may be drawn, with its score, later its unnormalised probability.
#[derive(Clone, Copy)]
struct Candidate {
    unit: u32,
    score: f64,
}

/// Chooses units. The same seed and scores give the same units.
pub struct Sampler {
    options: Sampling,
    random: SplitMix64,
    candidates: Vec<Candidate>,
}

impl Sampler {
    /// Creates a sampler with a seed.
    ///
    /// # Errors
    /// As [`Sampling::validate`].
    pub fn new(options: Sampling, seed: u64) -> Result<Self> {
        options.validate()?;
        Ok(Self { options, random: SplitMix64::new(seed), candidates: Vec::new() })
    }

    /// Chooses the next unit from the scores of all units (before softmax). `before` are the previous units.
    ///
    /// # Errors
    /// `InvalidArgument` if no unit has a finite score, as for a network whose training diverged.
    pub fn choose(&mut self, scores: &[f32], before: &[u32]) -> Result<u32> {
        self.fill(scores, before)?;
        let Self { options, random, candidates } = self;
        if options.temperature == 0.0 {
            return Ok(candidates[0].unit);
        }
        if options.top_k > 0 && options.top_k < candidates.len() {
            candidates.select_nth_unstable_by(options.top_k - 1, best_first);
            candidates.truncate(options.top_k);
        }
        let sum = exponentials(candidates, options.temperature);
        if options.top_p < 1.0 {
            keep_nucleus(candidates, options.top_p, sum);
        }
        // Restore the order of units: the draw must not depend on how the previous steps sorted them.
        candidates.sort_unstable_by_key(|candidate| candidate.unit);
        Ok(draw(candidates, random))
    }

    /// Collects all units that may be drawn with their penalised scores; at temperature 0, only the best one.
    fn fill(&mut self, scores: &[f32], before: &[u32]) -> Result<()> {
        let Self { options, candidates, .. } = self;
        candidates.clear();
        let all = (0u32..).zip(scores).map(|(unit, &score)| Candidate { unit, score: f64::from(score) });
        candidates.extend(all);
        if options.repetition_penalty != 1.0 {
            let mut recent = before[before.len().saturating_sub(REPETITION_WINDOW)..].to_vec();
            recent.sort_unstable();
            recent.dedup();
            for unit in recent {
                if let Some(Candidate { score, .. }) = candidates.get_mut(unit as usize) {
                    let penalty = options.repetition_penalty;
                    *score = if *score > 0.0 { *score / penalty } else { *score * penalty };
                }
            }
        }
        for &unit in &options.never {
            if let Some(candidate) = candidates.get_mut(unit as usize) {
                candidate.score = f64::NEG_INFINITY;
            }
        }
        candidates.retain(|candidate| candidate.score.is_finite());
        let Some(&best) = candidates.iter().min_by(|a, b| best_first(a, b)) else {
            let message = "no unit has a finite score: the network's weights are not finite, or every unit is excluded";
            return Err(Error::new(ErrorCode::InvalidArgument, message.to_string()));
        };
        if options.temperature == 0.0 {
            candidates.clear();
            candidates.push(best);
        }
        Ok(())
    }
}

/// The log-probabilities of all units from their scores.
pub(crate) fn log_softmax(scores: &[f32]) -> impl Iterator<Item = f64> {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = scores.iter().map(|&score| f64::from(score - largest).exp()).sum();
    scores.iter().map(move |&score| f64::from(score - largest) - sum.ln())
}

/// Larger scores first; for equal scores, by unit.
fn best_first(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    b.score.total_cmp(&a.score).then(a.unit.cmp(&b.unit))
}

/// Replaces the scores by `exp(score / temperature)`, scaled so that the largest is 1. Returns their sum.
fn exponentials(candidates: &mut [Candidate], temperature: f64) -> f64 {
    let largest = candidates.iter().map(|candidate| candidate.score).fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for Candidate { score, .. } in candidates {
        *score = ((*score - largest) / temperature).exp();
        sum += *score;
    }
    sum
}

/// Keeps the smallest set of most probable candidates whose share of `sum` is at least `top_p`.
fn keep_nucleus(candidates: &mut Vec<Candidate>, top_p: f64, sum: f64) {
    // Candidates below an even share of the remainder are never needed: together, they are less than the remainder.
    let least = (1.0 - top_p) * sum / candidates.len() as f64;
    candidates.retain(|candidate| candidate.score >= least);
    candidates.sort_unstable_by(best_first);
    let mut kept = 0.0;
    let needed = candidates.iter().take_while(|candidate| {
        let more = kept < top_p * sum;
        kept += candidate.score;
        more
    });
    let needed = needed.count().max(1);
    candidates.truncate(needed);
}

/// Draws a candidate in proportion to its weight.
fn draw(candidates: &[Candidate], random: &mut SplitMix64) -> u32 {
    let sum: f64 = candidates.iter().map(|candidate| candidate.score).sum();
    let at = random.share() * sum;
    let mut passed = 0.0;
    let mut last = 0;
    for &Candidate { unit, score } in candidates.iter().filter(|candidate| candidate.score > 0.0) {
        passed += score;
        last = unit;
        if at < passed {
            break;
        }
    }
    last
}

#[cfg(test)]
mod tests;
