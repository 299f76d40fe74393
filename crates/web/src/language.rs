//! A language model that writes. JavaScript makes units of texts, and texts of units.

use recurra_core::{Error, ErrorCode, Result};
use recurra_kernels::generate::{Generation, Sampling};
use recurra_kernels::network::Network;

/// A network that scores the next unit, and the texts that it is writing.
pub struct Language {
    network: Network,
    /// Each under the number that JavaScript gave it.
    texts: Vec<(u32, Generation)>,
    /// Whether the text has ended, then the units that were written last.
    written: Vec<i32>,
}

impl Language {
    pub fn new(network: Network) -> Self {
        Self { network, texts: Vec::new(), written: Vec::new() }
    }

    /// Begins a text of nothing.
    pub fn begin(&mut self, number: u32, sampling: Sampling, seed: u64, end: u32) -> Result<()> {
        self.texts.push((number, Generation::new(sampling, seed, Some(end))?));
        Ok(())
    }

    /// Reads units as the text's next ones, and then writes up to `count` further ones.
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

    /// What [`Self::write`] wrote.
    pub fn written(&self) -> &[i32] {
        &self.written
    }

    /// Frees a text.
    pub fn end(&mut self, number: u32) {
        self.texts.retain(|(own, _)| *own != number);
    }
}
