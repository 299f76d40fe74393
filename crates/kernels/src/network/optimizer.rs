//! The optimizer's state: that of the words' vectors, that of the features' vectors, and that of all other parameters.

use super::params::Params;
use super::vectors::Vectors;
use crate::encoder::lookup::Moves;
use crate::optim::{Dense, LateRows};
use crate::simd::{Buf, zeros};
use recurra_core::{Algorithm, Result};

/// How a matrix moves that is read row by row.
pub(super) enum Rows {
    /// Missed steps are made up when a row is next read.
    Late(Box<LateRows>),
    /// Every row at every step, where the rule leaves no choice; with the gradient of the whole matrix.
    Dense(Dense, Buf),
}

impl Rows {
    fn new(algorithm: Algorithm, [rows, dims]: [usize; 2]) -> Result<Self> {
        Ok(if algorithm.cannot_defer().is_none() {
            Self::Late(Box::new(LateRows::new(algorithm, rows, dims)?))
        } else {
            Self::Dense(Dense::new(algorithm, rows * dims)?, Buf::zeros(rows * dims))
        })
    }

    /// Takes over the state of another rule, all of whose rows are current.
    fn take(&mut self, old: &Self) -> Result<()> {
        match (old, self) {
            (Self::Dense(from, _), Self::Dense(to, _)) => copy_states(from, to),
            (Self::Late(from), Self::Late(to)) => {
                let state = from.snapshot();
                to.import(from.step_count(), &state.first, &state.second)?;
            }
            (Self::Late(from), Self::Dense(to, _)) => {
                let state = from.snapshot();
                // Without momentum there is no first state to keep: a late row's has no meaning then.
                for ((_, to), from) in to.states_mut().zip([state.first, state.second]) {
                    to.copy_from_slice(&from);
                }
                to.count(from.step_count());
            }
            (Self::Dense(from, grads), Self::Late(to)) => {
                let mut states = from.states().map(|(_, values)| values);
                let zeros = zeros(grads.len());
                let (first, second) = (states.next().unwrap_or(&zeros), states.next().unwrap_or(&[]));
                to.import(from.step_count(), first, second)?;
            }
        }
        Ok(())
    }

    /// Addresses for the team.
    fn moves(&mut self, weights: *mut f32) -> Moves {
        match self {
            Self::Late(late) => {
                let shared = late.shared(weights);
                Moves::Late(shared, &raw mut **late)
            }
            Self::Dense(dense, grads) => Moves::Dense(dense.shared(), grads.ptr()),
        }
    }

    /// Counts the steps that the team made, where they do not count themselves.
    fn count(&mut self, steps: u64) {
        if let Self::Dense(dense, _) = self {
            dense.count(steps);
        }
    }

    /// Steps made.
    fn step_count(&self) -> u64 {
        match self {
            Self::Late(late) => late.step_count(),
            Self::Dense(dense, _) => dense.step_count(),
        }
    }

    /// Makes every row what the dense optimizer has.
    fn flush(&mut self, weights: &mut [f32]) -> Result<()> {
        match self {
            Self::Late(late) => late.flush(weights),
            Self::Dense(..) => Ok(()),
        }
    }

    /// How many steps may be made before rows that are behind must be brought current, for which room is made now.
    fn make_room(&mut self, weights: &mut [f32]) -> Result<usize> {
        match self {
            Self::Late(late) => late.make_room(weights),
            Self::Dense(..) => Ok(usize::MAX),
        }
    }

    /// Memory in use.
    fn bytes(&self) -> usize {
        match self {
            Self::Late(late) => late.bytes(),
            Self::Dense(dense, grads) => (dense.states().count() + 1) * grads.len() * 4,
        }
    }

    /// The weights that all rows would have, where some are behind.
    pub fn caught_up(&self, weights: &[f32]) -> Result<Option<Vec<f32>>> {
        match self {
            Self::Late(late) => late.caught_up(weights).map(Some),
            Self::Dense(..) => Ok(None),
        }
    }
}

/// State of one algorithm.
pub(super) struct Optimizer {
    pub algorithm: Algorithm,
    /// Of the words' vectors, where they are not moved with the rest.
    pub words: Option<Rows>,
    /// Where there are features. They move at every step, as the rest does.
    pub features: Option<Rows>,
    pub rest: Dense,
}

impl Optimizer {
    pub fn new(algorithm: Algorithm, params: &Params) -> Result<Self> {
        let rest = Dense::new(algorithm, params.flat_size)?;
        let words = params.tied.is_none().then(|| Rows::new(algorithm, params.words_shape())).transpose()?;
        let features = params.features_shape().map(|shape| Rows::new(algorithm, shape)).transpose()?;
        Ok(Self { algorithm, words, features, rest })
    }

    /// The same state under other options, which must keep it: see [`Algorithm::keeps_state_of`]. Rows that are behind are
    /// brought current first, by the options under which they fell behind.
    pub fn with(mut self, algorithm: Algorithm, params: &Params, vectors: &mut Vectors) -> Result<Self> {
        self.flush(vectors)?;
        let mut next = Self::new(algorithm, params)?;
        copy_states(&self.rest, &mut next.rest);
        for (to, from) in [(&mut next.words, &self.words), (&mut next.features, &self.features)] {
            if let (Some(to), Some(from)) = (to, from) {
                to.take(from)?;
            }
        }
        Ok(next)
    }

    /// Addresses for the team: of the words' rows, and of the features'.
    pub fn moves(&mut self, vectors: &mut Vectors) -> (Moves, Option<Moves>) {
        let features = self.features.as_mut().map(|rows| rows.moves(vectors.features.ptr()));
        let words = self.words.as_mut().map_or(Moves::Rest, |rows| rows.moves(vectors.words.ptr()));
        (words, features)
    }

    /// Counts the steps that the team made, those of the words only where they were not frozen.
    pub fn count(&mut self, steps: u64, frozen: bool) {
        self.rest.count(steps);
        if let Some(words) = self.words.as_mut().filter(|_| !frozen) {
            words.count(steps);
        }
        if let Some(features) = &mut self.features {
            features.count(steps);
        }
    }

    /// Steps that the words' vectors have made.
    pub fn word_steps(&self) -> u64 {
        self.words.as_ref().map_or(0, Rows::step_count)
    }

    /// Makes every row what the dense optimizer has.
    pub fn flush(&mut self, vectors: &mut Vectors) -> Result<()> {
        self.words.as_mut().map_or(Ok(()), |rows| rows.flush(&mut vectors.words))?;
        self.features.as_mut().map_or(Ok(()), |rows| rows.flush(&mut vectors.features))
    }

    /// How many steps may be made before rows that are behind must be brought current, for which room is made now.
    pub fn make_room(&mut self, vectors: &mut Vectors) -> Result<usize> {
        let words = self.words.as_mut().map_or(Ok(usize::MAX), |rows| rows.make_room(&mut vectors.words))?;
        let features = self.features.as_mut().map_or(Ok(usize::MAX), |rows| rows.make_room(&mut vectors.features))?;
        Ok(words.min(features))
    }

    /// Memory in use for what is read row by row.
    pub fn bytes(&self) -> usize {
        [&self.words, &self.features].into_iter().flatten().map(Rows::bytes).sum()
    }
}

fn copy_states(from: &Dense, to: &mut Dense) {
    for ((_, to), (_, from)) in to.states_mut().zip(from.states()) {
        to.copy_from_slice(from);
    }
    to.count(from.step_count());
}
