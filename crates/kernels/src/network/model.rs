//! The network as its users hold it.

use std::ops::Deref;
use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::optimizer::Optimizer;
use super::params::Params;
use super::predict::Scratch;
use super::space::TrainSpace;
use super::vectors::Vectors;
use super::weights::Weights;
use crate::simd::Buf;
use crate::threads::Pool;
use recurra_core::{NamedArray, NetworkConfig, Result, training};

/// An encoder with a head on the CPU: its whole training step and its prediction, without a graph. All methods take `&self`:
/// training locks out everything else, predictions run side by side.
pub struct Network {
    pub(super) params: Params,
    pub(super) pool: Pool,
    pub(super) weights: RwLock<Weights>,
    pub(super) scratch: Mutex<Vec<Scratch>>,
}

impl Network {
    /// A network with initial weights from the configuration's seed. It is cheap to construct: the weights are drawn when
    /// something first needs them. Without the feature `training` there are no initial weights, and what needs them fails with
    /// `StateMismatch` until [`Network::load_state`] gives some.
    ///
    /// # Errors
    /// As [`NetworkConfig::validate`].
    pub fn new(config: NetworkConfig) -> Result<Self> {
        config.validate()?;
        let pool = Pool::new(config.threads);
        let params = Params::new(config);
        let weights = Weights {
            vectors: Vectors::default(),
            flat: Buf::default(),
            drawn: false,
            optimizer: None,
            space: TrainSpace::default(),
            carried: None,
            steps: 0,
            frozen: None,
            predicted: AtomicUsize::new(0),
        };
        Ok(Self { params, pool, weights: RwLock::new(weights), scratch: Mutex::new(Vec::new()) })
    }

    /// The configuration.
    pub fn config(&self) -> &NetworkConfig {
        &self.params.config
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Weights> {
        self.weights.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Weights> {
        self.weights.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes of weights, optimizer state and buffers that grow with the vocabulary.
    pub fn bytes(&self) -> usize {
        let weights = self.read();
        let size = |shape: [usize; 2]| shape[0] * shape[1] * 4;
        let vectors = size(self.params.own_words_shape()) + self.params.features_shape().map_or(0, size);
        vectors + self.params.flat_size * 16 + weights.optimizer.as_ref().map_or(0, Optimizer::bytes)
    }

    /// All parameters under PyTorch's names and shapes.
    ///
    /// # Errors
    /// Only for a fault of this library.
    pub fn state(&self) -> Result<Vec<NamedArray>> {
        self.freeze()?;
        let weights = self.read();
        Ok(self.params.export(&weights.vectors.words, &weights.vectors.features, &weights.flat))
    }

    /// Overwrites all parameters; the optimizer starts afresh.
    ///
    /// # Errors
    /// `StateMismatch`, listing everything that is missing, unknown or of another shape or type; nothing is changed then.
    pub fn load_state<D: Deref<Target = [u8]>>(&self, tensors: &[NamedArray<D>]) -> Result<()> {
        let mut guard = self.write();
        let weights = &mut *guard;
        weights.make_room(&self.params);
        self.params.import(tensors, &mut weights.vectors, &mut weights.flat)?;
        weights.drawn = true;
        weights.optimizer = None;
        weights.carried = None;
        weights.change();
        Ok(())
    }

    /// Overwrites the vectors of `words`, row by row in `vectors`; nothing else changes, the optimizer's state included.
    ///
    /// # Errors
    /// `OutOfRange` for a word outside the vocabulary or the padding word, `InvalidShape` when there is not one vector for
    /// each word; nothing is changed then.
    pub fn set_word_vectors(&self, words: &[i32], vectors: &[f32]) -> Result<()> {
        let dims = self.params.config.encoder.embedding_dim;
        training::check_word_vectors(words, vectors, &self.params.config.encoder)?;
        let mut guard = self.write();
        let weights = &mut *guard;
        weights.draw(&self.params)?;
        if let Some(optimizer) = &mut weights.optimizer {
            optimizer.flush(&mut weights.vectors)?;
        }
        let (to, stride) = match &self.params.tied {
            None => (&mut weights.vectors.words[..], dims),
            Some(segment) => (&mut weights.flat[segment.offset..], segment.stride()),
        };
        for (&word, vector) in words.iter().zip(vectors.chunks_exact(dims)) {
            to[word as usize * stride..][..dims].copy_from_slice(vector);
        }
        weights.change();
        Ok(())
    }
}
