//! The optimizer's state for the embedding and for everything else.

use super::model::Model;
use super::words::Words;
use crate::optim::{Algorithm, Dense, LateRows};
use crate::simd::Buf;
use recurra_core::Result;

/// How the embedding moves.
pub(super) enum Rows {
    /// Missed steps are made up when a row is next read.
    Late(Box<LateRows>),
    /// Every row at every step, where the rule leaves no choice; with the gradient of the whole matrix.
    Dense(Dense, Buf),
}

/// State of one algorithm.
pub(super) struct Optimizer {
    pub algorithm: Algorithm,
    pub rows: Rows,
    pub rest: Dense,
}

impl Optimizer {
    pub fn new(algorithm: Algorithm, model: &Model) -> Result<Self> {
        let (words, dims) = (model.config.vocab_size, model.config.embedding_dim);
        let rest = Dense::new(algorithm, model.flat_size)?;
        let rows = if algorithm.cannot_defer().is_none() {
            Rows::Late(Box::new(LateRows::new(algorithm, words, dims)?))
        } else {
            Rows::Dense(Dense::new(algorithm, words * dims)?, Buf::zeros(words * dims))
        };
        Ok(Self { algorithm, rows, rest })
    }

    /// Addresses for the team.
    pub fn words(&mut self, embedding: *mut f32) -> Words {
        match &mut self.rows {
            Rows::Late(late) => {
                let shared = late.shared(embedding);
                Words::Late(shared, &raw mut **late)
            }
            Rows::Dense(dense, grads) => Words::Dense(dense.shared(), grads.ptr()),
        }
    }

    /// Counts the steps that the team made, those of the embedding only where it was not frozen.
    pub fn count(&mut self, steps: u64, frozen: bool) {
        self.rest.count(steps);
        if let (Rows::Dense(dense, _), false) = (&mut self.rows, frozen) {
            dense.count(steps);
        }
    }

    /// Steps that the embedding has made.
    pub fn word_steps(&self) -> u64 {
        match &self.rows {
            Rows::Late(late) => late.step_count(),
            Rows::Dense(dense, _) => dense.step_count(),
        }
    }

    /// Makes every row of the embedding what the dense optimizer has.
    pub fn flush(&mut self, embedding: &mut [f32]) -> Result<()> {
        match &mut self.rows {
            Rows::Late(late) => late.flush(embedding),
            Rows::Dense(..) => Ok(()),
        }
    }
}
