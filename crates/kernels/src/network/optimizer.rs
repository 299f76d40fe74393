//! The optimizer's state: that of the embedding, and that of all other parameters.

use super::params::Params;
use crate::encoder::embedding::Words;
use crate::optim::{Dense, LateRows};
use crate::simd::{Buf, zeros};
use recurra_core::{Algorithm, Result};

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
    pub fn new(algorithm: Algorithm, params: &Params) -> Result<Self> {
        let (words, dims) = (params.config.encoder.vocab_size, params.config.encoder.embedding_dim);
        let rest = Dense::new(algorithm, params.flat_size)?;
        let rows = if algorithm.cannot_defer().is_none() {
            Rows::Late(Box::new(LateRows::new(algorithm, words, dims)?))
        } else {
            Rows::Dense(Dense::new(algorithm, words * dims)?, Buf::zeros(words * dims))
        };
        Ok(Self { algorithm, rows, rest })
    }

    /// The same state under other options, which must keep it: see [`Algorithm::keeps_state_of`]. Rows that are behind are
    /// brought current first, by the options under which they fell behind.
    pub fn with(mut self, algorithm: Algorithm, params: &Params, embedding: &mut [f32]) -> Result<Self> {
        self.flush(embedding)?;
        let mut next = Self::new(algorithm, params)?;
        copy_states(&self.rest, &mut next.rest);
        match (&self.rows, &mut next.rows) {
            (Rows::Dense(from, _), Rows::Dense(to, _)) => copy_states(from, to),
            (Rows::Late(from), Rows::Late(to)) => {
                let state = from.snapshot();
                to.import(from.step_count(), &state.first, &state.second)?;
            }
            (Rows::Late(from), Rows::Dense(to, _)) => {
                let state = from.snapshot();
                // Without momentum there is no first state to keep: a late row's has no meaning then.
                for ((_, to), from) in to.states_mut().zip([state.first, state.second]) {
                    to.copy_from_slice(&from);
                }
                to.count(from.step_count());
            }
            (Rows::Dense(from, _), Rows::Late(to)) => {
                let mut states = from.states().map(|(_, values)| values);
                let zeros = zeros(embedding.len());
                let (first, second) = (states.next().unwrap_or(&zeros), states.next().unwrap_or(&[]));
                to.import(from.step_count(), first, second)?;
            }
        }
        Ok(next)
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

fn copy_states(from: &Dense, to: &mut Dense) {
    for ((_, to), (_, from)) in to.states_mut().zip(from.states()) {
        to.copy_from_slice(from);
    }
    to.count(from.step_count());
}
