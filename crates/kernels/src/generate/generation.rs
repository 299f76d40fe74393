//! Generates text: a network reads units, then writes further ones.

use super::sampling::{REPETITION_WINDOW, Sampler, Sampling};
use crate::network::{Network, Stream};
use recurra_core::Result;

/// A text in progress. The states and the last units represent what was read and written so far.
pub struct Generation {
    stream: Stream,
    sampler: Sampler,
    /// The unit that ends the text.
    end: Option<u32>,
    /// The last units read or written.
    recent: Vec<u32>,
    /// The last chosen unit. The network reads it only when another unit is requested.
    pending: Option<i32>,
    scores: Vec<f32>,
    ended: bool,
}

impl Generation {
    /// Starts an empty text. `end` is the unit that ends it; it is not written.
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

    /// Reads units of the text.
    ///
    /// # Errors
    /// As [`Network::read_on`]; the text is not changed then.
    pub fn read(&mut self, network: &Network, units: &[i32]) -> Result<()> {
        if units.is_empty() {
            return Ok(());
        }
        self.catch_up(network)?;
        network.read_on(&mut self.stream, units, &mut self.scores)?;
        self.remember(units.iter().map(|&unit| unit as u32));
        Ok(())
    }

    /// Writes up to `count` more units, fewer only if the text ends. Units must have been read before.
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
