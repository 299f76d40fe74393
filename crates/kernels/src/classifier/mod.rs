//! The text classifier's whole training step and its prediction, without a graph: embedding, dropout, recurrent layers
//! over packed rows, pooling over real tokens, dropout, linear layer, loss, optimizer.

mod attention;
mod attention_kernels;
mod config;
mod data;
mod explain;
mod head;
mod head_grads;
mod loss;
mod model;
mod optimizer;
mod plan;
mod predict;
mod reading;
mod resume;
mod space;
mod step;
mod words;

use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

pub use config::{ClassifierConfig, LossOptions, Pooling, StepOptions};
pub use data::{Chunk, Stats};
pub use explain::Explanation;

use crate::simd::Buf;
use crate::threads::{Member, Pool};
use model::Model;
use optimizer::{Optimizer, Rows};
use plan::plan_all;
use predict::{Frozen, Scratch};
use recurra_core::{Error, ErrorCode, NamedArray, Result};
use space::TrainSpace;
use step::{Step, Sums};

struct Weights {
    embedding: Buf,
    /// All other parameters, padded.
    flat: Buf,
    /// Whether the weights have values. They have neither these nor memory until they are first needed, for both take a
    /// while.
    drawn: bool,
    optimizer: Option<Optimizer>,
    space: TrainSpace,
    /// Training steps made.
    steps: u64,
    /// Weights for prediction; `None` after a change.
    frozen: Option<Frozen>,
    /// Tokens predicted since the last change.
    predicted: AtomicUsize,
}

impl Weights {
    /// Draws the initial values where there are none yet.
    fn draw(&mut self, model: &Model) -> Result<()> {
        if !self.drawn {
            self.make_room(model);
            model.initialize(&mut self.embedding, &mut self.flat)?;
            self.drawn = true;
        }
        Ok(())
    }

    /// Gives the weights their memory, where they have none yet.
    fn make_room(&mut self, model: &Model) {
        if self.flat.is_empty() {
            self.embedding = Buf::zeros(model.config.vocab_size * model.config.embedding_dim);
            self.flat = Buf::zeros(model.flat_size);
        }
    }

    /// Forgets what was computed from the weights as they were.
    fn change(&mut self) {
        self.frozen = None;
        *self.predicted.get_mut() = 0;
    }

    /// After a panic in the middle of a step: some rows have moved and others have not, and the optimizer's state counts a step
    /// that was not made. The weights stay as they are; everything that must agree with them begins anew.
    fn recover(&mut self) {
        self.optimizer = None;
        self.space = TrainSpace::default();
    }
}

/// A text classifier on the CPU. All methods take `&self`: training locks out everything else, predictions run side by
/// side.
pub struct Classifier {
    model: Model,
    pool: Pool,
    weights: RwLock<Weights>,
    scratch: Mutex<Vec<Scratch>>,
}

impl Classifier {
    /// A classifier with initial weights from the configuration's seed. It is made in no time: the weights are drawn by
    /// whatever needs them first.
    ///
    /// # Errors
    /// As [`ClassifierConfig::validate`].
    pub fn new(config: ClassifierConfig) -> Result<Self> {
        config.validate()?;
        let pool = Pool::new(config.threads);
        let model = Model::new(config);
        let weights = Weights {
            embedding: Buf::default(),
            flat: Buf::default(),
            drawn: false,
            optimizer: None,
            space: TrainSpace::default(),
            steps: 0,
            frozen: None,
            predicted: AtomicUsize::new(0),
        };
        Ok(Self { model, pool, weights: RwLock::new(weights), scratch: Mutex::new(Vec::new()) })
    }

    /// The configuration.
    pub fn config(&self) -> &ClassifierConfig {
        &self.model.config
    }

    fn read(&self) -> RwLockReadGuard<'_, Weights> {
        self.weights.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Weights> {
        self.weights.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes of weights, optimizer state and buffers that grow with the vocabulary.
    pub fn bytes(&self) -> usize {
        let weights = self.read();
        let embedding = self.model.config.vocab_size * self.model.config.embedding_dim;
        let state = match weights.optimizer.as_ref().map(|o| &o.rows) {
            Some(Rows::Late(late)) => late.bytes(),
            Some(Rows::Dense(..)) => embedding * 12,
            None => 0,
        };
        embedding * 4 + self.model.flat_size * 16 + state
    }

    /// Trains on batches, one step of the optimizer for each. With the same seed, data and number of threads the weights
    /// are the same bit by bit.
    ///
    /// # Errors
    /// As [`Chunk::validate`] and [`crate::optim::Algorithm::validate`], `InvalidArgument` for a learning rate or norm
    /// that is negative or not finite; nothing is changed then. A loss that is not finite is told by the result.
    ///
    /// # Panics
    /// For a fault of this library. The weights are then those of some moment within the chunk, and the optimizer begins anew.
    pub fn train_batches(&self, chunk: &Chunk<'_>, options: &StepOptions<'_>) -> Result<Stats> {
        let (model, pool) = (&self.model, &self.pool);
        chunk.validate(&model.config)?;
        options.validate(chunk.batch_sizes.len(), &model.config)?;
        let mut guard = self.write();
        let weights = &mut *guard;
        weights.draw(model)?;
        weights.change();
        if weights.optimizer.as_ref().is_some_and(|o| o.algorithm != options.algorithm)
            && let Some(mut old) = weights.optimizer.take()
        {
            old.flush(&mut weights.embedding)?;
        }
        let optimizer = match &mut weights.optimizer {
            Some(optimizer) => optimizer,
            none => none.insert(Optimizer::new(options.algorithm, model)?),
        };
        let plans = plan_all(model, pool, &mut weights.space.distinct, chunk, weights.steps)?;
        let mats = weights.space.fit(model, &plans);
        let sums: Vec<Sums> = (0..pool.size()).map(|_| Sums::default()).collect();
        let mut stats = Stats::default();
        let mut made = 0;
        while made < plans.len() && stats.non_finite_batch.is_none() {
            let room = match &mut optimizer.rows {
                Rows::Late(late) => late.make_room(&mut weights.embedding)?,
                Rows::Dense(..) => usize::MAX,
            };
            let part = made..plans.len().min(made.saturating_add(room));
            let embedding = weights.embedding.ptr();
            let step = Step {
                model,
                options: options.of(part.clone()),
                mats: &mats,
                embedding,
                flat: weights.flat.ptr(),
                packs: weights.space.packs.as_mut_ptr(),
                fc: &raw mut weights.space.fc,
                attention: &raw mut weights.space.attention_packs,
                words: optimizer.words(embedding),
                rest: optimizer.rest.shared(),
                sums: &sums,
                steps_before: weights.steps,
                optimizer_steps: optimizer.rest.step_count(),
                word_steps: optimizer.word_steps(),
            };
            let result = Mutex::new(stats);
            let steps = |member: &Member<'_>| {
                let mut stats = stats;
                for number in part.clone() {
                    let plan = &plans[number];
                    // SAFETY: all members run the same steps, on memory that is borrowed by this call and fits every plan.
                    let outcome =
                        unsafe { step.run(member, plan, plans.get(number + 1), (number - part.start) as u64) };
                    if !outcome.finite {
                        stats.non_finite_batch = Some(number);
                        break;
                    }
                    stats.loss += outcome.loss;
                    stats.correct += outcome.correct;
                    stats.rows += plan.layout.rows() as u64;
                }
                if member.rank() == 0 {
                    *result.lock().unwrap_or_else(PoisonError::into_inner) = stats;
                }
            };
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| pool.run(steps))) {
                weights.recover();
                resume_unwind(payload);
            }
            stats = result.into_inner().unwrap_or_else(PoisonError::into_inner);
            let end = stats.non_finite_batch.unwrap_or(part.end);
            optimizer.count((end - made) as u64, options.freeze_embedding);
            weights.steps += (end - made) as u64;
            made = end;
        }
        Ok(stats)
    }

    /// All parameters under PyTorch's names and shapes.
    ///
    /// # Errors
    /// Only for a fault of this library.
    pub fn state(&self) -> Result<Vec<NamedArray>> {
        self.freeze()?;
        let weights = self.read();
        Ok(self.model.export(&weights.embedding, &weights.flat))
    }

    /// Takes over all parameters; the optimizer begins anew.
    ///
    /// # Errors
    /// `StateMismatch`, listing everything that is missing, unknown or of another shape or type; nothing is changed then.
    pub fn load_state<D: Deref<Target = [u8]>>(&self, tensors: &[NamedArray<D>]) -> Result<()> {
        let mut guard = self.write();
        let weights = &mut *guard;
        weights.make_room(&self.model);
        self.model.import(tensors, &mut weights.embedding, &mut weights.flat)?;
        weights.drawn = true;
        weights.optimizer = None;
        weights.change();
        Ok(())
    }

    /// Gives some words other vectors, row by row in `vectors`; all else stays, the optimizer's state included.
    ///
    /// # Errors
    /// `OutOfRange` for a word outside the vocabulary or the padding word, `InvalidShape` when there is not one vector for
    /// each word; nothing is changed then.
    pub fn set_word_vectors(&self, words: &[i32], vectors: &[f32]) -> Result<()> {
        let config = &self.model.config;
        let dims = config.embedding_dim;
        data::check_words(words, config)?;
        if vectors.len() != words.len() * dims {
            let message = format!("expected {} x {dims} values but received {}", words.len(), vectors.len());
            return Err(Error::new(ErrorCode::InvalidShape, message));
        }
        let mut guard = self.write();
        let weights = &mut *guard;
        weights.draw(&self.model)?;
        if let Some(optimizer) = &mut weights.optimizer {
            optimizer.flush(&mut weights.embedding)?;
        }
        for (&word, vector) in words.iter().zip(vectors.chunks_exact(dims)) {
            weights.embedding[word as usize * dims..][..dims].copy_from_slice(vector);
        }
        weights.change();
        Ok(())
    }
}
