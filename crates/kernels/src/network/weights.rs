//! What changes in training, and what was computed from it.

use std::sync::atomic::AtomicUsize;

use super::carried::Carried;
use super::optimizer::Optimizer;
use super::params::Params;
use super::predict::Frozen;
use super::space::TrainSpace;
use super::vectors::{Inputs, Vectors};
use crate::encoder::words::WordRows;
use crate::simd::Buf;
use recurra_core::Result;

pub(super) struct Weights {
    pub vectors: Vectors,
    /// All other parameters, padded.
    pub flat: Buf,
    /// Whether the weights have values. They have neither these nor memory until they are first needed: both take time.
    pub drawn: bool,
    /// Whether the words' vectors already include those of their characters, as in the state of a network with its own
    /// forms.
    pub settled: bool,
    /// Whether they are those of a compressed model, which are rounded too coarsely for a training.
    pub compressed: bool,
    /// Whether predictions take recurrent weights in eight bits.
    pub codes: bool,
    pub optimizer: Option<Optimizer>,
    pub space: TrainSpace,
    /// The states that the last batch left for the next one, where it did.
    pub carried: Option<Carried>,
    /// Training steps made.
    pub steps: u64,
    /// Weights for prediction; `None` after a change.
    pub frozen: Option<Frozen>,
    /// Tokens predicted since the last change.
    pub predicted: AtomicUsize,
    /// The other processes that train the same network, where there are any.
    #[cfg(feature = "training")]
    pub exchange: Option<std::sync::Arc<dyn super::exchange::Exchange>>,
}

impl Weights {
    /// What prediction reads.
    pub fn inputs<'a>(&'a self, params: &Params, frozen: &'a Frozen) -> Inputs<'a> {
        let words = match &params.own {
            None => params.words(&self.vectors, &self.flat),
            Some(_) => {
                let values = frozen.inputs.as_deref().unwrap_or(&self.vectors.words);
                let (rows, dims) = (params.config.encoder.vocab_size, params.config.encoder.inputs());
                WordRows::of(values, self.vectors.coded.as_ref(), [rows, dims])
            }
        };
        Inputs { words, features: &self.vectors.features }
    }

    /// Draws the initial values where there are none yet.
    pub fn draw(&mut self, params: &Params) -> Result<()> {
        if !self.drawn {
            self.make_room(params);
            params.initialize(&mut self.vectors, &mut self.flat)?;
            self.drawn = true;
        }
        Ok(())
    }

    /// Gives the weights their memory, where they have none yet.
    pub fn make_room(&mut self, params: &Params) {
        if self.flat.is_empty() {
            self.vectors = Vectors::zeros(params.own_words_shape(), params.features_shape());
            self.flat = Buf::zeros(params.flat_size);
        }
    }

    /// After all weights were given other values from outside.
    pub fn replaced(&mut self) {
        self.drawn = true;
        self.optimizer = None;
        self.carried = None;
        self.change();
    }

    /// Forgets what was computed from the weights as they were.
    pub fn change(&mut self) {
        self.frozen = None;
        *self.predicted.get_mut() = 0;
    }

    /// After a panic in the middle of a step: some rows have moved and others have not, and the optimizer's state counts a step
    /// that was not made. The weights stay as they are; everything that must agree with them starts afresh.
    pub fn recover(&mut self) {
        self.optimizer = None;
        self.space = TrainSpace::default();
        self.carried = None;
    }
}
