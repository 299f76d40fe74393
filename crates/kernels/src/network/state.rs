//! Everything a training needs to resume bit for bit: weights, the optimizer's states, and the step, by which dropout masks
//! are drawn. Taking it changes nothing: rows of the embedding that are behind stay behind.

use std::ops::Deref;
use std::sync::RwLockReadGuard;

use super::carried::Carried;
use super::model::Network;
use super::optimizer::{Optimizer, Rows};
use super::params::{EMBEDDING_NAME, Params, SUBWORDS};
use super::vectors::Vectors;
use super::weights::Weights;
use crate::optim::LateState;
use crate::simd::Buf;
use recurra_core::{Algorithm, Error, ErrorCode, NamedArray, Result};

/// Prefix of every name, so that a file can also contain a model's own weights.
pub(crate) const PREFIX: &str = "training.";
pub(crate) const STEPS: &str = "training.steps";
pub(crate) const OPTIMIZER: &str = "training.optimizer";
const RATES: &str = "training.late.rates";
/// Before the names of the states that rows keep from batch to batch.
const CARRIED: &str = "training.carried.";
const LAST: &str = "training.late.last";
const FEATURE_RATES: &str = "training.late.subwords.rates";
const FEATURE_LAST: &str = "training.late.subwords.last";

pub(crate) fn mismatch(message: impl std::fmt::Display) -> Error {
    Error::new(ErrorCode::StateMismatch, format!("the training's state does not fit: {message}"))
}

pub(crate) fn algorithm_of(numbers: &[f64]) -> Result<Algorithm> {
    Algorithm::from_numbers(numbers).map_err(|error| mismatch(error.message()))
}

/// Arrays by name. An array that was never looked up is unknown.
pub(crate) struct Arrays<'a, D> {
    arrays: &'a [NamedArray<D>],
    used: Vec<bool>,
}

impl<'a, D: Deref<Target = [u8]>> Arrays<'a, D> {
    pub fn new(arrays: &'a [NamedArray<D>]) -> Self {
        Self { arrays, used: vec![false; arrays.len()] }
    }

    /// # Errors
    /// `StateMismatch` for an array that was never looked up.
    pub fn all_used(&self) -> Result<()> {
        match self.used.iter().position(|used| !used) {
            Some(at) => Err(mismatch(format_args!("{} is unknown", self.arrays[at].name))),
            None => Ok(()),
        }
    }

    pub fn find(&mut self, name: &str) -> Option<&'a NamedArray<D>> {
        let at = self.arrays.iter().position(|array| array.name == name)?;
        self.used[at] = true;
        Some(&self.arrays[at])
    }

    pub fn doubles(&mut self, name: &str) -> Result<Option<Vec<f64>>> {
        let Some(array) = self.find(name) else { return Ok(None) };
        array.values().map(Some).ok_or_else(|| mismatch(format_args!("{name} is not float64")))
    }

    pub fn floats(&mut self, name: &str, n: usize) -> Result<Vec<f32>> {
        let array = self.find(name).ok_or_else(|| mismatch(format_args!("{name} is missing")))?;
        match array.values() {
            Some(values) if values.len() == n => Ok(values),
            Some(values) => Err(mismatch(format_args!("{name} has {} values instead of {n}", values.len()))),
            None => Err(mismatch(format_args!("{name} is not float32"))),
        }
    }
}

pub(crate) fn count(value: f64, name: &str) -> Result<u64> {
    // Beyond 2^53 a count could not have been told exactly.
    if (0.0..=9_007_199_254_740_992.0).contains(&value) && value.fract() == 0.0 {
        return Ok(value as u64);
    }
    Err(mismatch(format_args!("{name} has {value}, which is not a number of steps")))
}

pub(crate) fn float(state: &str, name: &str, shape: &[usize], data: &[f32]) -> NamedArray {
    NamedArray::of(format!("{PREFIX}{state}.{name}"), shape.to_vec(), data)
}

/// The names of a matrix that is read row by row, of the learning rates that its rows may have missed, and of their last steps.
type Names = [&'static str; 3];

const WORD_NAMES: Names = [EMBEDDING_NAME, RATES, LAST];
const FEATURE_NAMES: Names = [SUBWORDS, FEATURE_RATES, FEATURE_LAST];

impl Rows {
    fn export(&self, [name, rates_name, last_name]: Names, shape: [usize; 2], arrays: &mut Vec<NamedArray>) {
        match self {
            Self::Late(late) => {
                let LateState { rates, last, first, second, .. } = late.snapshot();
                let two = !second.is_empty();
                arrays.push(float(if two { "exp_avg" } else { "momentum_buffer" }, name, &shape, &first));
                if two {
                    arrays.push(float("exp_avg_sq", name, &shape, &second));
                }
                arrays.push(NamedArray::list(rates_name, &rates));
                let last: Vec<i32> = last.into_iter().map(u32::cast_signed).collect();
                arrays.push(NamedArray::list(last_name, &last));
            }
            Self::Dense(dense, _) => {
                arrays.extend(dense.states().map(|(state, data)| float(state, name, &shape, data)));
            }
        }
    }

    fn import<D: Deref<Target = [u8]>>(
        &mut self,
        [name, rates_name, last_name]: Names,
        [rows, dims]: [usize; 2],
        arrays: &mut Arrays<'_, D>,
        two: bool,
        steps: u64,
    ) -> Result<()> {
        let n = rows * dims;
        let state = |arrays: &mut Arrays<'_, D>, state: &str| arrays.floats(&format!("{PREFIX}{state}.{name}"), n);
        match self {
            Self::Late(late) => {
                let first = state(arrays, if two { "exp_avg" } else { "momentum_buffer" })?;
                let second = if two { state(arrays, "exp_avg_sq")? } else { Vec::new() };
                let rates =
                    arrays.doubles(rates_name)?.ok_or_else(|| mismatch(format_args!("{rates_name} is missing")))?;
                let Some(last) = arrays.find(last_name).and_then(NamedArray::values) else {
                    return Err(mismatch(format_args!("{last_name} is missing, or not int32")));
                };
                let last = last.into_iter().map(i32::cast_unsigned).collect();
                let base = steps.checked_sub(rates.len() as u64).and_then(|base| u32::try_from(base).ok());
                let base = base
                    .ok_or_else(|| mismatch(format_args!("{} learning rates do not fit {steps} steps", rates.len())))?;
                late.restore(&LateState { base, rates, last, first, second }).map_err(|error| mismatch(error.message()))
            }
            Self::Dense(dense, _) => {
                for (name, to) in dense.states_mut() {
                    to.copy_from_slice(&state(arrays, name)?);
                }
                dense.count(steps);
                Ok(())
            }
        }
    }
}

impl Optimizer {
    fn export(&self, params: &Params) -> Vec<NamedArray> {
        let mut arrays = vec![NamedArray::list(OPTIMIZER, &self.algorithm.to_numbers())];
        if let Some(words) = &self.words {
            words.export(WORD_NAMES, params.words_shape(), &mut arrays);
        }
        if let Some((features, shape)) = self.features.as_ref().zip(params.features_shape()) {
            features.export(FEATURE_NAMES, shape, &mut arrays);
        }
        for (state, data) in self.rest.states() {
            arrays.extend(
                params.moved().map(|(name, segment)| float(state, &name, &segment.shape, &segment.export(data))),
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
        let two = algorithm.two_states();
        if let Some(rows) = &mut optimizer.words {
            rows.import(WORD_NAMES, params.words_shape(), arrays, two, words)?;
        }
        if let Some((features, shape)) = optimizer.features.as_mut().zip(params.features_shape()) {
            features.import(FEATURE_NAMES, shape, arrays, two, steps)?;
        }
        for (state, to) in optimizer.rest.states_mut() {
            for (name, segment) in params.moved() {
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
        let Vectors { words, features, .. } = &weights.vectors;
        let caught_up = |rows: Option<&Rows>, weights: &[f32]| rows.map_or(Ok(None), |rows| rows.caught_up(weights));
        let optimizer = weights.optimizer.as_ref();
        let words_now = caught_up(optimizer.and_then(|optimizer| optimizer.words.as_ref()), words)?;
        let features_now = caught_up(optimizer.and_then(|optimizer| optimizer.features.as_ref()), features)?;
        let (words, features) = (words_now.as_deref().unwrap_or(words), features_now.as_deref().unwrap_or(features));
        let folded = if weights.settled { None } else { self.params.folded(words, features) };
        Ok(self.params.export_stored(folded.as_deref().unwrap_or(words), features, &weights.flat))
    }

    /// Everything a training needs to resume. Another network of the same configuration that takes it with
    /// [`Network::restore`] makes the same steps, to the bit (with the same number of threads, on the same kind of
    /// processor).
    ///
    /// # Errors
    /// `InvalidArgument` for a network with its own forms that took a state from outside.
    pub fn training_state(&self) -> Result<Vec<NamedArray>> {
        let weights = self.drawn()?;
        weights.check_apart()?;
        let (seen, words) = weights
            .optimizer
            .as_ref()
            .map_or((0, 0), |optimizer| (optimizer.rest.step_count(), optimizer.word_steps()));
        let mut arrays = vec![NamedArray::list(STEPS, &[weights.steps, seen, words].map(|count| count as f64))];
        let weights_now = self.params.export(&weights.vectors.words, &weights.vectors.features, &weights.flat);
        arrays.extend(
            weights_now.into_iter().map(|array| NamedArray { name: format!("{PREFIX}{}", array.name), ..array }),
        );
        if let Some(optimizer) = &weights.optimizer {
            arrays.extend(optimizer.export(&self.params));
        }
        if let Some(carried) = &weights.carried {
            arrays.extend(carried.export(CARRIED, &self.params.shape));
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
        let mut arrays = Arrays::new(state);
        let [steps, seen, words] = arrays.doubles(STEPS)?.unwrap_or_default()[..] else {
            return Err(mismatch(format_args!("{STEPS} needs three numbers")));
        };
        let (steps, seen, words) = (count(steps, STEPS)?, count(seen, STEPS)?, count(words, STEPS)?);
        let mut vectors = Vectors::zeros(self.params.own_words_shape(), self.params.features_shape());
        let mut flat = Buf::zeros(self.params.flat_size);
        let mut tensors = Vec::new();
        for name in self.params.names() {
            if let Some(array) = arrays.find(&format!("{PREFIX}{name}")) {
                tensors.push(NamedArray { name, ..array.borrowed() });
            }
        }
        self.params.import(&tensors, &mut vectors, &mut flat)?;
        let optimizer = match arrays.doubles(OPTIMIZER)? {
            None if seen == 0 => None,
            None => return Err(mismatch(format_args!("{OPTIMIZER} is missing"))),
            Some(numbers) => {
                Some(Optimizer::import(&self.params, &mut arrays, algorithm_of(&numbers)?, (seen, words))?)
            }
        };
        let carried = Carried::import(&self.params, CARRIED, |name| arrays.find(name)).map_err(mismatch)?;
        arrays.all_used()?;
        let mut guard = self.write();
        let weights: &mut Weights = &mut guard;
        (weights.vectors, weights.flat, weights.optimizer, weights.steps) = (vectors, flat, optimizer, steps);
        weights.carried = carried;
        (weights.drawn, weights.settled, weights.compressed) = (true, false, false);
        weights.change();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
