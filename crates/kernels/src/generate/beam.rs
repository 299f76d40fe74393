//! Beam search for the most probable continuation of a text.

use super::sampling::log_softmax;
use crate::network::{Network, Stream};
use recurra_core::{Error, ErrorCode, Result};

/// Options of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// Number of texts continued in parallel (beams), at least 1. With 1, the most probable unit is taken each time.
    pub width: usize,
    /// A text's score is its log-probability, including that of its end, divided by its number of units to this power:
    /// HuggingFace's `length_penalty`. 0 compares the probabilities of whole texts, which prefers short ones.
    pub length_penalty: f64,
    /// Units that are never chosen.
    pub never: Vec<u32>,
    /// The unit that ends a text; it is not written.
    pub end: Option<u32>,
}

impl Search {
    /// Checks the options.
    ///
    /// # Errors
    /// `InvalidArgument`, which names the option, for a width of 0, or a length penalty that is negative or not finite.
    pub fn validate(&self) -> Result<()> {
        let fail = |option, message: String| Err(Error::new(ErrorCode::InvalidArgument, message).about(option));
        if self.width == 0 {
            return fail("beamSize", "beamSize must be at least 1 but is 0".into());
        }
        if !(self.length_penalty >= 0.0 && self.length_penalty.is_finite()) {
            let message = format!("lengthPenalty must be a finite number of at least 0 but is {}", self.length_penalty);
            return fail("lengthPenalty", message);
        }
        Ok(())
    }

    fn score(&self, sum: f64, length: usize) -> f64 {
        sum / (length as f64).powf(self.length_penalty)
    }
}

/// A continuation.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Its units, without the end unit.
    pub units: Vec<i32>,
    /// Their log-probability, including that of the end unit if the text has ended.
    pub log_probability: f64,
    /// The score it is ranked by: [`Search::length_penalty`].
    pub score: f64,
}

/// A text in progress.
struct Beam {
    stream: Stream,
    /// Scores of the next unit.
    scores: Vec<f32>,
    units: Vec<i32>,
    sum: f64,
}

/// An extension of a beam by one unit.
#[derive(Clone, Copy)]
struct Step {
    beam: usize,
    unit: u32,
    sum: f64,
}

/// A search in progress. Its results do not depend on how the steps are split into calls.
pub struct Beams {
    options: Search,
    beams: Vec<Beam>,
    /// Texts that have ended, best first; at most as many as the search is wide.
    found: Vec<Found>,
    ended: bool,
}

impl Beams {
    /// Starts with an empty text.
    ///
    /// # Errors
    /// As [`Search::validate`].
    pub fn new(options: Search) -> Result<Self> {
        options.validate()?;
        let begin = Beam { stream: Stream::default(), scores: Vec::new(), units: Vec::new(), sum: 0.0 };
        Ok(Self { options, beams: vec![begin], found: Vec::new(), ended: false })
    }

    /// Whether no continuation can become better than those that have ended.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Reads units of the text; only before the first step.
    ///
    /// # Errors
    /// As [`Network::read_on`], and `InvalidArgument` once the search has started.
    pub fn read(&mut self, network: &Network, units: &[i32]) -> Result<()> {
        let [Beam { stream, scores, units: written, .. }] = &mut self.beams[..] else { return Err(begun()) };
        if !written.is_empty() {
            return Err(begun());
        }
        if units.is_empty() { Ok(()) } else { network.read_on(stream, units, scores) }
    }

    /// Runs up to `count` steps, fewer only if the search ends. Units must have been read before.
    ///
    /// # Errors
    /// As [`Network::read_on`]; `InvalidArgument` if no unit has a finite score.
    pub fn search(&mut self, network: &Network, count: usize) -> Result<()> {
        for _ in 0..count {
            if self.ended {
                break;
            }
            self.step(network)?;
        }
        Ok(())
    }

    /// The best text of all that have ended or are in progress.
    pub fn best(&self) -> Found {
        let running = self.beams.iter().map(|beam| Found {
            units: beam.units.clone(),
            log_probability: beam.sum,
            score: self.options.score(beam.sum, beam.units.len().max(1)),
        });
        let first = |best: Found, next: Found| if next.score > best.score { next } else { best };
        let all = self.found.iter().cloned().chain(running);
        all.reduce(first).unwrap_or(Found { units: Vec::new(), log_probability: 0.0, score: 0.0 })
    }

    fn step(&mut self, network: &Network) -> Result<()> {
        let steps = self.candidates()?;
        let mut next: Vec<Beam> = Vec::with_capacity(self.options.width);
        for (rank, step) in steps.into_iter().enumerate() {
            let Step { beam, unit, sum } = step;
            let from = &self.beams[beam];
            if Some(unit) == self.options.end {
                // As in HuggingFace's search, an end unit counts only if it is among the best.
                if rank < self.options.width {
                    let score = self.options.score(sum, from.units.len() + 1);
                    let found = Found { units: from.units.clone(), log_probability: sum, score };
                    let at = self.found.partition_point(|other| other.score >= found.score);
                    self.found.insert(at, found);
                    self.found.truncate(self.options.width);
                }
                continue;
            }
            let units = from.units.iter().copied().chain([unit as i32]).collect();
            next.push(Beam { stream: from.stream.fork(), scores: Vec::new(), units, sum });
            if next.len() == self.options.width {
                break;
            }
        }
        for Beam { stream, scores, units, .. } in &mut next {
            network.read_on(stream, &units[units.len() - 1..], scores)?;
        }
        self.beams = next;
        let best = self.beams.iter().map(|beam| self.options.score(beam.sum, beam.units.len()));
        let best = best.fold(f64::NEG_INFINITY, f64::max);
        let full = self.found.len() == self.options.width;
        self.ended = self.beams.is_empty() || (full && self.found.iter().all(|found| found.score >= best));
        Ok(())
    }

    /// The best extensions by one unit, best first: enough to fill the beams even if some texts end.
    fn candidates(&self) -> Result<Vec<Step>> {
        let most = 2 * self.options.width;
        let mut all = Vec::new();
        for (beam, Beam { scores, sum, .. }) in self.beams.iter().enumerate() {
            let mut own: Vec<Step> = (0u32..)
                .zip(log_softmax(scores))
                .filter(|(unit, log)| log.is_finite() && !self.options.never.contains(unit))
                .map(|(unit, log)| Step { beam, unit, sum: sum + log })
                .collect();
            if own.len() > most {
                own.select_nth_unstable_by(most - 1, best_first);
                own.truncate(most);
            }
            all.extend(own);
        }
        if all.is_empty() {
            let message = "no unit has a finite score: the network's weights are not finite, or every unit is excluded";
            return Err(Error::new(ErrorCode::InvalidArgument, message.to_string()));
        }
        all.sort_unstable_by(best_first);
        all.truncate(most);
        Ok(all)
    }
}

fn begun() -> Error {
    Error::new(ErrorCode::InvalidArgument, "a running search cannot read further text")
}

/// Larger sums first; for equal sums, by text, then by unit.
fn best_first(a: &Step, b: &Step) -> std::cmp::Ordering {
    b.sum.total_cmp(&a.sum).then(a.beam.cmp(&b.beam)).then(a.unit.cmp(&b.unit))
}
