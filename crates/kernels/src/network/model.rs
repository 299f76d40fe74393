//! The network as its users hold it.

use std::ops::Deref;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::optimizer::Optimizer;
use super::own::check_own;
use super::params::Params;
use super::predict::Scratch;
use super::space::TrainSpace;
use super::vectors::Vectors;
use super::weights::Weights;
use crate::encoder::words::Coded;
use crate::simd::Buf;
use crate::threads::Pool;
use recurra_core::{Error, ErrorCode, Forms, NamedArray, NetworkConfig, Result, training};

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
        Self::made(config, None)
    }

    /// A network with subwords whose tokens are the words of its vocabulary, as without subwords: `forms` has the features of each of
    /// them, form `n` those of word `n`. What it reads of a word is known then, so its [`Network::state`] is that of a network
    /// without subwords and with vectors of `embedding_dim + subwords.dim` numbers, which predicts the same. It takes such a state too;
    /// from then on it predicts, and is trained again only by [`Network::restore`].
    ///
    /// # Errors
    /// As [`NetworkConfig::validate`] and [`Forms::validate`]; `InvalidArgument` for forms that are not those of the vocabulary in its
    /// order, or for a network without subwords.
    pub fn with_forms(config: NetworkConfig, forms: Arc<Forms>) -> Result<Self> {
        Self::made(config, Some(forms))
    }

    fn made(config: NetworkConfig, own: Option<Arc<Forms>>) -> Result<Self> {
        config.validate()?;
        if let Some(own) = &own {
            check_own(own, &config.encoder)?;
        }
        let pool = Pool::new(config.threads);
        let params = Params::new(config, own);
        let weights = Weights {
            vectors: Vectors::default(),
            flat: Buf::default(),
            drawn: false,
            settled: false,
            compressed: false,
            codes: false,
            optimizer: None,
            space: TrainSpace::default(),
            carried: None,
            steps: 0,
            frozen: None,
            predicted: AtomicUsize::new(0),
            #[cfg(feature = "training")]
            exchange: None,
        };
        Ok(Self { params, pool, weights: RwLock::new(weights), scratch: Mutex::new(Vec::new()) })
    }

    /// The configuration.
    pub fn config(&self) -> &NetworkConfig {
        &self.params.config
    }

    /// Whether predictions take recurrent weights in eight bits, each row with its own scale, and states in eight bits: faster
    /// where the weights are large, and not as exact. Nothing else changes: training, explanations and the state have singles.
    ///
    /// # Errors
    /// `InvalidArgument` for a cell whose states are not bounded, or that has no recurrent weights.
    pub fn set_int8_recurrent(&self, on: bool) -> Result<()> {
        let cell = self.params.config.encoder.cell;
        if on && !self.params.shape.cell.takes_codes() {
            let message =
                format!("recurrent weights in eight bits need an LSTM, a GRU or an RNN with tanh, not {cell:?}");
            return Err(Error::new(ErrorCode::InvalidArgument, message).about("recurrentWeights"));
        }
        let mut weights = self.write();
        if weights.codes != on {
            weights.codes = on;
            weights.change();
        }
        Ok(())
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
        let [words, dims] = self.params.own_words_shape();
        let more = self.params.own.as_ref().map_or(0, |_| size([words, self.params.config.encoder.inputs()]));
        let words = weights.vectors.coded.as_ref().map_or(size([words, dims]) + more, Coded::bytes);
        let vectors = words + self.params.features_shape().map_or(0, size);
        vectors + self.params.flat_size * 16 + weights.optimizer.as_ref().map_or(0, Optimizer::bytes)
    }

    /// All parameters under PyTorch's names and shapes.
    ///
    /// # Errors
    /// Only for a fault of this library.
    pub fn state(&self) -> Result<Vec<NamedArray>> {
        self.freeze()?;
        let weights = self.read();
        let words = weights.frozen.as_ref().and_then(|frozen| frozen.inputs.as_deref());
        let singles = weights.vectors.singles()?;
        let words = words.unwrap_or(&singles);
        Ok(self.params.export_stored(words, &weights.vectors.features, &weights.flat))
    }

    /// Overwrites all parameters; the optimizer starts afresh. With those of a compressed model, whose matrices are coded as
    /// `recurra-codes` has them, the network predicts and is not trained; its words' vectors stay in their codes.
    ///
    /// # Errors
    /// `StateMismatch`, listing everything that is missing, unknown or of another shape or type, `InvalidFile` for codes that are not
    /// whole; nothing is changed then.
    pub fn load_state<D: Deref<Target = [u8]>>(&self, tensors: &[NamedArray<D>]) -> Result<()> {
        #[cfg(feature = "codes")]
        if self.load_coded(tensors)? {
            return Ok(());
        }
        let mut guard = self.write();
        let weights = &mut *guard;
        weights.make_room(&self.params);
        if self.params.own.is_some() {
            let mut stored = self.params.stored();
            self.params.import_stored(tensors, &mut stored, &mut weights.flat)?;
            (weights.vectors, weights.settled) = (stored, true);
        } else if weights.vectors.coded.is_some() {
            let mut vectors = Vectors::zeros(self.params.own_words_shape(), self.params.features_shape());
            self.params.import(tensors, &mut vectors, &mut weights.flat)?;
            weights.vectors = vectors;
        } else {
            self.params.import(tensors, &mut weights.vectors, &mut weights.flat)?;
        }
        weights.compressed = false;
        weights.replaced();
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
        weights.check_apart()?;
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
