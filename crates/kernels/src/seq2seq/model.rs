//! The public interface of the network.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::frozen::{Frozen, Scratch};
use super::learning::TrainSpace;
use super::params::Params;
use crate::network::Exchange;
use crate::optim::Dense;
use crate::simd::Buf;
use crate::threads::Pool;
use recurra_core::{Algorithm, NamedArray, Result, Seq2SeqConfig};

/// A sequence-to-sequence network on the CPU, with a hand-written training step and search, without a graph. All
/// methods take `&self`: training excludes everything else, searches run in parallel.
pub struct Seq2Seq {
    pub(super) params: Params,
    pub(super) pool: Pool,
    pub(super) weights: RwLock<Weights>,
    pub(super) scratch: Mutex<Vec<Scratch>>,
}

/// The optimizer with its state.
pub(super) struct Optimizer {
    pub algorithm: Algorithm,
    pub dense: Dense,
}

/// The mutable data of a training, and what was computed from it.
#[derive(Default)]
pub(super) struct Weights {
    /// All parameters, padded.
    pub flat: Buf,
    /// Whether the parameters have values. They are allocated and drawn when they are first needed, because both take
    /// time.
    pub drawn: bool,
    pub optimizer: Option<Optimizer>,
    pub space: TrainSpace,
    /// Number of training steps so far.
    pub steps: u64,
    /// Weights packed for searches; `None` after a change.
    pub frozen: Option<Frozen>,
    /// The other processes that train the same network, if any.
    pub exchange: Option<Arc<dyn Exchange>>,
}

impl Weights {
    /// Draws the initial values if there are none yet.
    pub fn draw(&mut self, params: &Params) -> Result<()> {
        if !self.drawn {
            self.flat = Buf::zeros(params.flat_size);
            params.initialize(&mut self.flat)?;
            self.drawn = true;
        }
        Ok(())
    }

    /// Resets everything that must agree with the weights, after a panic in the middle of a step.
    pub fn recover(&mut self) {
        self.optimizer = None;
        self.space = TrainSpace::default();
    }
}

impl Seq2Seq {
    /// Creates a network with initial weights from the configuration's seed, which are drawn when they are first
    /// needed.
    ///
    /// # Errors
    /// As [`Seq2SeqConfig::validate`].
    pub fn new(config: Seq2SeqConfig) -> Result<Self> {
        config.validate()?;
        let pool = Pool::new(config.threads);
        let (weights, scratch) = (RwLock::default(), Mutex::default());
        Ok(Self { params: Params::new(config), pool, weights, scratch })
    }

    /// The configuration.
    pub fn config(&self) -> &Seq2SeqConfig {
        &self.params.config
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Weights> {
        self.weights.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Weights> {
        self.weights.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The weights, which are drawn if necessary.
    pub(super) fn drawn(&self) -> Result<RwLockReadGuard<'_, Weights>> {
        if !self.read().drawn {
            self.write().draw(&self.params)?;
        }
        Ok(self.read())
    }

    /// Size in bytes of weights, packed weights, gradients, optimizer state and tables.
    pub fn bytes(&self) -> usize {
        self.params.flat_size * 24 + self.read().frozen.as_ref().map_or(0, Frozen::bytes)
    }

    /// All parameters under PyTorch's names and shapes.
    ///
    /// # Errors
    /// Only for a bug in this library.
    pub fn state(&self) -> Result<Vec<NamedArray>> {
        Ok(self.params.export(&self.drawn()?.flat))
    }

    /// Replaces all parameters and resets the optimizer.
    ///
    /// # Errors
    /// `StateMismatch`, which lists everything that is missing, unknown or of another shape or type; nothing is changed
    /// then.
    pub fn load_state<D: Deref<Target = [u8]>>(&self, arrays: &[NamedArray<D>]) -> Result<()> {
        let flat = self.params.import(arrays)?;
        let mut weights = self.write();
        (weights.flat, weights.drawn) = (flat, true);
        (weights.optimizer, weights.frozen) = (None, None);
        Ok(())
    }
}
