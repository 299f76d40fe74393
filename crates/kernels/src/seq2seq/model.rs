//! The network as its users hold it.

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

/// A network from sequence to sequence on the CPU: its whole training step and its search, without a graph. All methods take `&self`:
/// training locks out everything else, searches run side by side.
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

/// What changes in training, and what was computed from it.
#[derive(Default)]
pub(super) struct Weights {
    /// All parameters, padded.
    pub flat: Buf,
    /// Whether they have values. They have neither these nor memory until they are first needed: both take time.
    pub drawn: bool,
    pub optimizer: Option<Optimizer>,
    pub space: TrainSpace,
    /// Training steps made.
    pub steps: u64,
    /// Weights for searches; `None` after a change.
    pub frozen: Option<Frozen>,
    /// The other processes that train the same network, where there are any.
    pub exchange: Option<Arc<dyn Exchange>>,
}

impl Weights {
    /// Draws the initial values where there are none yet.
    pub fn draw(&mut self, params: &Params) -> Result<()> {
        if !self.drawn {
            self.flat = Buf::zeros(params.flat_size);
            params.initialize(&mut self.flat)?;
            self.drawn = true;
        }
        Ok(())
    }

    /// After a panic in the middle of a step: everything that must agree with the weights starts afresh.
    pub fn recover(&mut self) {
        self.optimizer = None;
        self.space = TrainSpace::default();
    }
}

impl Seq2Seq {
    /// A network with initial weights from the configuration's seed, which are drawn when something first needs them.
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

    /// The weights, drawn if they were not yet.
    pub(super) fn drawn(&self) -> Result<RwLockReadGuard<'_, Weights>> {
        if !self.read().drawn {
            self.write().draw(&self.params)?;
        }
        Ok(self.read())
    }

    /// Bytes of weights, packed weights, gradients, optimizer state and tables.
    pub fn bytes(&self) -> usize {
        self.params.flat_size * 24 + self.read().frozen.as_ref().map_or(0, Frozen::bytes)
    }

    /// All parameters under PyTorch's names and shapes.
    ///
    /// # Errors
    /// Only for a fault of this library.
    pub fn state(&self) -> Result<Vec<NamedArray>> {
        Ok(self.params.export(&self.drawn()?.flat))
    }

    /// Overwrites all parameters; the optimizer starts afresh.
    ///
    /// # Errors
    /// `StateMismatch`, listing everything that is missing, unknown or of another shape or type; nothing is changed then.
    pub fn load_state<D: Deref<Target = [u8]>>(&self, arrays: &[NamedArray<D>]) -> Result<()> {
        let flat = self.params.import(arrays)?;
        let mut weights = self.write();
        (weights.flat, weights.drawn) = (flat, true);
        (weights.optimizer, weights.frozen) = (None, None);
        Ok(())
    }
}
