//! Everything a training needs to resume bit for bit: weights, the optimizer's states, and the step, by which dropout masks
//! are drawn. Taking it changes nothing: rows of the embedding that are behind stay behind.

use std::ops::Deref;
use std::sync::RwLockReadGuard;

use super::model::Network;
use super::optimizer::{Optimizer, Rows};
use super::params::Params;
use super::weights::Weights;
use crate::optim::LateState;
use crate::simd::Buf;
use recurra_core::{Algorithm, Error, ErrorCode, NamedArray, Result};

/// Before every name, so that a file can hold a model's own weights beside them.
const PREFIX: &str = "training.";
const STEPS: &str = "training.steps";
const OPTIMIZER: &str = "training.optimizer";
const RATES: &str = "training.late.rates";
const LAST: &str = "training.late.last";

fn mismatch(message: impl std::fmt::Display) -> Error {
    Error::new(ErrorCode::StateMismatch, format!("the training's state does not fit: {message}"))
}

fn algorithm_of(numbers: &[f64]) -> Result<Algorithm> {
    Algorithm::from_numbers(numbers).map_err(|error| mismatch(error.message()))
}

/// Arrays by name. An array that was never looked up is unknown.
struct Arrays<'a, D> {
    arrays: &'a [NamedArray<D>],
    used: Vec<bool>,
}

impl<'a, D: Deref<Target = [u8]>> Arrays<'a, D> {
    fn find(&mut self, name: &str) -> Option<&'a NamedArray<D>> {
        let at = self.arrays.iter().position(|array| array.name == name)?;
        self.used[at] = true;
        Some(&self.arrays[at])
    }

    fn doubles(&mut self, name: &str) -> Result<Option<Vec<f64>>> {
        let Some(array) = self.find(name) else { return Ok(None) };
        array.values().map(Some).ok_or_else(|| mismatch(format_args!("{name} is not float64")))
    }

    fn floats(&mut self, name: &str, n: usize) -> Result<Vec<f32>> {
        let array = self.find(name).ok_or_else(|| mismatch(format_args!("{name} is missing")))?;
        match array.values() {
            Some(values) if values.len() == n => Ok(values),
            Some(values) => Err(mismatch(format_args!("{name} has {} values instead of {n}", values.len()))),
            None => Err(mismatch(format_args!("{name} is not float32"))),
        }
    }
}

fn count(value: f64, name: &str) -> Result<u64> {
    // Beyond 2^53 a count could not have been told exactly.
    if (0.0..=9_007_199_254_740_992.0).contains(&value) && value.fract() == 0.0 {
        return Ok(value as u64);
    }
    Err(mismatch(format_args!("{name} has {value}, which is no number of steps")))
}

impl Optimizer {
    fn export(&self, params: &Params) -> Vec<NamedArray> {
        let float = |state: &str, name: &str, shape: &[usize], data: &[f32]| {
            NamedArray::of(format!("{PREFIX}{state}.{name}"), shape.to_vec(), data)
        };
        let mut arrays = vec![NamedArray::list(OPTIMIZER, &self.algorithm.to_numbers())];
        let (embedding, shape) = ("embedding.weight", params.embedding_shape());
        match &self.rows {
            Rows::Late(late) => {
                let LateState { rates, last, first, second, .. } = late.snapshot();
                let two = !second.is_empty();
                arrays.push(float(if two { "exp_avg" } else { "momentum_buffer" }, embedding, &shape, &first));
                if two {
                    arrays.push(float("exp_avg_sq", embedding, &shape, &second));
                }
                arrays.push(NamedArray::list(RATES, &rates));
                let last: Vec<i32> = last.into_iter().map(u32::cast_signed).collect();
                arrays.push(NamedArray::list(LAST, &last));
            }
            Rows::Dense(dense, _) => {
                arrays.extend(dense.states().map(|(state, data)| float(state, embedding, &shape, data)));
            }
        }
        for (state, data) in self.rest.states() {
            arrays.extend(
                params.segments().map(|(name, segment)| float(state, &name, &segment.shape, &segment.export(data))),
            );
        }
        arrays
    }

    fn import<D: Deref<Target = [u8]>>(
        params: &Params,
        arrays: &mut Arrays<'_, D>,
        algorithm: Algorithm,
        (steps, words): (u64, u64),
    ) -> Result<Self> {
        let mut optimizer = Self::new(algorithm, params)?;
        let n = params.config.encoder.vocab_size * params.config.encoder.embedding_dim;
        let embedding = |arrays: &mut Arrays<'_, D>, state: &str, n: usize| {
            arrays.floats(&format!("{PREFIX}{state}.embedding.weight"), n)
        };
        match &mut optimizer.rows {
            Rows::Late(late) => {
                let two = algorithm.two_states();
                let first = embedding(arrays, if two { "exp_avg" } else { "momentum_buffer" }, n)?;
                let second = if two { embedding(arrays, "exp_avg_sq", n)? } else { Vec::new() };
                let rates = arrays.doubles(RATES)?.ok_or_else(|| mismatch(format_args!("{RATES} is missing")))?;
                let Some(last) = arrays.find(LAST).and_then(NamedArray::values) else {
                    return Err(mismatch(format_args!("{LAST} is missing, or not int32")));
                };
                let last = last.into_iter().map(i32::cast_unsigned).collect();
                let base = words.checked_sub(rates.len() as u64).and_then(|base| u32::try_from(base).ok());
                let base = base
                    .ok_or_else(|| mismatch(format_args!("{} learning rates do not fit {words} steps", rates.len())))?;
                late.restore(&LateState { base, rates, last, first, second })
                    .map_err(|error| mismatch(error.message()))?;
            }
            Rows::Dense(dense, _) => {
                for (state, to) in dense.states_mut() {
                    to.copy_from_slice(&embedding(arrays, state, n)?);
                }
                dense.count(words);
            }
        }
        for (state, to) in optimizer.rest.states_mut() {
            for (name, segment) in params.segments() {
                segment.import(&arrays.floats(&format!("{PREFIX}{state}.{name}"), segment.numel())?, to);
            }
        }
        optimizer.rest.count(steps);
        Ok(optimizer)
    }
}

impl Network {
    /// The weights as [`Network::state`] gives them, without changing a training under way.
    ///
    /// # Errors
    /// Only for a fault of this library.
    pub fn peek(&self) -> Result<Vec<NamedArray>> {
        let weights = self.drawn()?;
        match weights.optimizer.as_ref().map(|optimizer| &optimizer.rows) {
            Some(Rows::Late(late)) => Ok(self.params.export(&late.caught_up(&weights.embedding)?, &weights.flat)),
            _ => Ok(self.params.export(&weights.embedding, &weights.flat)),
        }
    }

    /// Everything a training needs to resume. Another network of the same configuration that takes it with
    /// [`Network::restore`] makes the same steps, to the bit (with the same number of threads, on the same kind of
    /// processor).
    ///
    /// # Errors
    /// Only for a fault of this library.
    pub fn training_state(&self) -> Result<Vec<NamedArray>> {
        let weights = self.drawn()?;
        let (seen, words) = weights
            .optimizer
            .as_ref()
            .map_or((0, 0), |optimizer| (optimizer.rest.step_count(), optimizer.word_steps()));
        let mut arrays = vec![NamedArray::list(STEPS, &[weights.steps, seen, words].map(|count| count as f64))];
        let weights_now = self.params.export(&weights.embedding, &weights.flat);
        arrays.extend(
            weights_now.into_iter().map(|array| NamedArray { name: format!("{PREFIX}{}", array.name), ..array }),
        );
        if let Some(optimizer) = &weights.optimizer {
            arrays.extend(optimizer.export(&self.params));
        }
        Ok(arrays)
    }

    /// The weights, drawn if they were not yet.
    fn drawn(&self) -> Result<RwLockReadGuard<'_, Weights>> {
        if !self.read().drawn {
            self.write().draw(&self.params)?;
        }
        Ok(self.read())
    }

    /// Takes over what [`Network::training_state`] gave.
    ///
    /// # Errors
    /// `StateMismatch` when something is missing, unknown, of another shape or type, or contradicts the rest; nothing is
    /// changed then.
    pub fn restore<D: Deref<Target = [u8]>>(&self, state: &[NamedArray<D>]) -> Result<()> {
        let mut arrays = Arrays { arrays: state, used: vec![false; state.len()] };
        let [steps, seen, words] = arrays.doubles(STEPS)?.unwrap_or_default()[..] else {
            return Err(mismatch(format_args!("{STEPS} needs three numbers")));
        };
        let (steps, seen, words) = (count(steps, STEPS)?, count(seen, STEPS)?, count(words, STEPS)?);
        let mut embedding =
            Buf::zeros(self.params.config.encoder.vocab_size * self.params.config.encoder.embedding_dim);
        let mut flat = Buf::zeros(self.params.flat_size);
        let mut tensors = Vec::new();
        for name in self.params.names() {
            if let Some(array) = arrays.find(&format!("{PREFIX}{name}")) {
                tensors.push(NamedArray { name, ..array.borrowed() });
            }
        }
        self.params.import(&tensors, &mut embedding, &mut flat)?;
        let optimizer = match arrays.doubles(OPTIMIZER)? {
            None if seen == 0 => None,
            None => return Err(mismatch(format_args!("{OPTIMIZER} is missing"))),
            Some(numbers) => {
                Some(Optimizer::import(&self.params, &mut arrays, algorithm_of(&numbers)?, (seen, words))?)
            }
        };
        if let Some(at) = arrays.used.iter().position(|used| !used) {
            return Err(mismatch(format_args!("{} is unknown", state[at].name)));
        }
        let mut guard = self.write();
        let weights: &mut Weights = &mut guard;
        (weights.embedding, weights.flat, weights.optimizer, weights.steps) = (embedding, flat, optimizer, steps);
        weights.drawn = true;
        weights.change();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
