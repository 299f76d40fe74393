//! A text that a network writes, unit by unit, after a text that it has read.

use super::sampling::{REPETITION_WINDOW, Sampler, Sampling};
use crate::network::{Network, Stream};
use recurra_core::Result;

/// A text under way: what was read and written so far is in the states and the last units.
pub struct Generation {
    stream: Stream,
    sampler: Sampler,
    /// The unit that ends the text.
    end: Option<u32>,
    /// The last units, read or written.
    recent: Vec<u32>,
    /// Chosen, but not yet read by the network: what follows it may never be asked for.
    pending: Option<i32>,
    scores: Vec<f32>,
    ended: bool,
}

impl Generation {
    /// A text of nothing. `end` is the unit that ends it, which is not written.
    ///
    /// # Errors
    /// As [`Sampling::validate`].
    pub fn new(sampling: Sampling, seed: u64, end: Option<u32>) -> Result<Self> {
        let sampler = Sampler::new(sampling, seed)?;
        let stream = Stream::default();
        Ok(Self { stream, sampler, end, recent: Vec::new(), pending: None, scores: Vec::new(), ended: false })
    }

    /// Whether the text has ended.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Reads units as the text's next ones.
    ///
    /// # Errors
    /// As [`Network::read_on`]; the text is as before then.
    pub fn read(&mut self, network: &Network, units: &[i32]) -> Result<()> {
        if units.is_empty() {
            return Ok(());
        }
        self.catch_up(network)?;
        network.read_on(&mut self.stream, units, &mut self.scores)?;
        self.remember(units.iter().map(|&unit| unit as u32));
        Ok(())
    }

    /// Writes up to `count` further units; fewer only where the text ends. Something must have been read before.
    ///
    /// # Errors
    /// As [`Network::read_on`] and [`Sampler::choose`].
    pub fn write(&mut self, network: &Network, count: usize) -> Result<Vec<i32>> {
        let mut units = Vec::new();
        while units.len() < count && !self.ended {
            self.catch_up(network)?;
            let unit = self.sampler.choose(&self.scores, &self.recent)?;
            if Some(unit) == self.end {
                self.ended = true;
                break;
            }
            units.push(unit as i32);
            self.pending = Some(unit as i32);
            self.remember(std::iter::once(unit));
        }
        Ok(units)
    }

    fn catch_up(&mut self, network: &Network) -> Result<()> {
        if let Some(unit) = self.pending {
            network.read_on(&mut self.stream, &[unit], &mut self.scores)?;
            self.pending = None;
        }
        Ok(())
    }

    fn remember(&mut self, units: impl Iterator<Item = u32>) {
        self.recent.extend(units);
        if self.recent.len() > 4 * REPETITION_WINDOW {
            self.recent.drain(..self.recent.len() - REPETITION_WINDOW);
        }
    }
}
