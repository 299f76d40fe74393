//! Writes texts with a language model. JavaScript converts between texts and units.

use recurra_core::{Error, ErrorCode, Result};
use recurra_kernels::generate::{Generation, Sampling};
use recurra_kernels::network::Network;

/// A network that scores the next unit, and the texts in progress.
pub struct Language {
    network: Network,
    /// The texts, by the number that JavaScript assigned.
    texts: Vec<(u32, Generation)>,
    /// 1 if the text has ended and 0 otherwise, then the units written last.
    written: Vec<i32>,
}

impl Language {
    pub fn new(network: Network) -> Self {
        Self { network, texts: Vec::new(), written: Vec::new() }
    }

    /// Starts an empty text.
    pub fn begin(&mut self, number: u32, sampling: Sampling, seed: u64, end: u32) -> Result<()> {
        self.texts.push((number, Generation::new(sampling, seed, Some(end))?));
        Ok(())
    }

    /// Reads units of a text, then writes up to `count` more.
    pub fn write(&mut self, number: u32, units: &[i32], count: usize) -> Result<()> {
        let Self { network, texts, written } = self;
        let Some((_, text)) = texts.iter_mut().find(|(own, _)| *own == number) else {
            return Err(Error::new(ErrorCode::Internal, "there is no such text"));
        };
        text.read(network, units)?;
        let units = text.write(network, count)?;
        written.clear();
        written.push(text.ended().into());
        written.extend(units);
        Ok(())
    }

    /// The result of the last [`Self::write`].
    pub fn written(&self) -> &[i32] {
        &self.written
    }

    /// Frees a text.
    pub fn end(&mut self, number: u32) {
        self.texts.retain(|(own, _)| *own != number);
    }
}
