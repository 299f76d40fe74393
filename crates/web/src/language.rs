//! A language model that writes. JavaScript makes units of texts, and texts of units.

use recurra_core::{Error, ErrorCode, Result};
use recurra_kernels::generate::{Beams, Found, Generation, Sampling, Search};
use recurra_kernels::network::Network;

/// A text under way.
enum Text {
    Drawn(Generation),
    Searched(Beams),
}

/// A network that scores the next unit, and the texts that it is writing.
pub struct Language {
    network: Network,
    /// Each under the number that JavaScript gave it.
    texts: Vec<(u32, Text)>,
    /// Whether the text has ended, then the units that were written last, or the best ones that were found.
    written: Vec<i32>,
    /// Of the best text that was found.
    log_probability: f64,
}

impl Language {
    pub fn new(network: Network) -> Self {
        Self { network, texts: Vec::new(), written: Vec::new(), log_probability: 0.0 }
    }

    /// Begins a text of nothing that is drawn.
    pub fn begin(&mut self, number: u32, sampling: Sampling, seed: u64, end: u32) -> Result<()> {
        self.texts.push((number, Text::Drawn(Generation::new(sampling, seed, Some(end))?)));
        Ok(())
    }

    /// Begins a text of nothing whose most probable continuation is searched for.
    pub fn begin_search(&mut self, number: u32, search: Search) -> Result<()> {
        self.texts.push((number, Text::Searched(Beams::new(search)?)));
        Ok(())
    }

    /// Reads units as a text's next ones, and then writes up to `count` further ones, or makes as many steps of a search.
    pub fn write(&mut self, number: u32, units: &[i32], count: usize) -> Result<()> {
        let Self { network, texts, written, log_probability } = self;
        let Some((_, text)) = texts.iter_mut().find(|(own, _)| *own == number) else {
            return Err(Error::new(ErrorCode::Internal, "there is no such text"));
        };
        let (units, ended) = match text {
            Text::Drawn(text) => {
                text.read(network, units)?;
                (text.write(network, count)?, text.ended())
            }
            Text::Searched(beams) => {
                if !units.is_empty() {
                    beams.read(network, units)?;
                }
                beams.search(network, count)?;
                let Found { units, log_probability: found, .. } = beams.best();
                *log_probability = found;
                (units, beams.ended())
            }
        };
        written.clear();
        written.push(ended.into());
        written.extend(units);
        Ok(())
    }

    /// What [`Self::write`] wrote.
    pub fn written(&self) -> &[i32] {
        &self.written
    }

    /// The logarithm of the probability of what was found.
    pub fn log_probability(&self) -> f64 {
        self.log_probability
    }

    /// Frees a text.
    pub fn end(&mut self, number: u32) {
        self.texts.retain(|(own, _)| *own != number);
    }
}
