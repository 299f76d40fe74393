//! All that a training goes on from, to the bit: weights, the optimizer's states, and the step, by which dropout masks
//! are drawn. Taking it changes nothing: rows of the embedding that are behind stay behind.

use std::sync::RwLockReadGuard;

use super::config::NamedTensor;
use super::model::Model;
use super::optimizer::{Optimizer, Rows};
use super::{Classifier, Weights};
use crate::error::{Error, ErrorCode, Result};
use crate::optim::{AdamOptions, Algorithm, LateState, SgdOptions};
use crate::simd::Buf;

/// Elements of a [`StateArray`].
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Weights and the optimizer's states.
    Float32(Vec<f32>),
    /// Steps of rows, bit patterns of u32.
    Int32(Vec<i32>),
    /// Counts, options and learning rates.
    Float64(Vec<f64>),
}

/// One array of a training's state.
#[derive(Clone, Debug, PartialEq)]
pub struct StateArray {
    /// Begins with `training.`.
    pub name: String,
    /// Sizes of the dimensions.
    pub shape: Vec<usize>,
    /// Elements, row-major.
    pub values: Values,
}

/// Before every name, so that a file can hold a model's own weights beside them.
const PREFIX: &str = "training.";
const STEPS: &str = "training.steps";
const OPTIMIZER: &str = "training.optimizer";
const RATES: &str = "training.late.rates";
const LAST: &str = "training.late.last";

fn mismatch(message: impl std::fmt::Display) -> Error {
    Error::new(ErrorCode::StateMismatch, format!("the training's state does not fit: {message}"))
}

fn numbers_of(algorithm: &Algorithm) -> [f64; 6] {
    let adam = |kind, o: &AdamOptions| [kind, o.beta1, o.beta2, o.eps, o.weight_decay, f64::from(u8::from(o.amsgrad))];
    match algorithm {
        Algorithm::Adam(o) => adam(0.0, o),
        Algorithm::AdamW(o) => adam(1.0, o),
        Algorithm::Sgd(o) => [2.0, o.momentum, o.dampening, o.weight_decay, f64::from(u8::from(o.nesterov)), 0.0],
    }
}

fn algorithm_of(numbers: &[f64]) -> Result<Algorithm> {
    let &[kind, a, b, c, d, e] = numbers else { return Err(mismatch(format_args!("{OPTIMIZER} needs six numbers"))) };
    let adam = AdamOptions { beta1: a, beta2: b, eps: c, weight_decay: d, amsgrad: e != 0.0 };
    let algorithm = match kind {
        0.0 => Algorithm::Adam(adam),
        1.0 => Algorithm::AdamW(adam),
        2.0 => Algorithm::Sgd(SgdOptions { momentum: a, dampening: b, weight_decay: c, nesterov: d != 0.0 }),
        _ => return Err(mismatch(format_args!("there is no optimizer number {kind}"))),
    };
    algorithm.validate().map_err(|error| mismatch(error.message()))?;
    Ok(algorithm)
}

/// Arrays by name; what nobody asked for at the end is one too many.
struct Arrays<'a> {
    arrays: &'a [StateArray],
    used: Vec<bool>,
}

impl<'a> Arrays<'a> {
    fn find(&mut self, name: &str) -> Option<&'a StateArray> {
        let at = self.arrays.iter().position(|array| array.name == name)?;
        self.used[at] = true;
        Some(&self.arrays[at])
    }

    fn doubles(&mut self, name: &str) -> Result<Option<&'a [f64]>> {
        match self.find(name).map(|array| &array.values) {
            None => Ok(None),
            Some(Values::Float64(values)) => Ok(Some(values)),
            Some(_) => Err(mismatch(format_args!("{name} is not float64"))),
        }
    }

    fn floats(&mut self, name: &str, n: usize) -> Result<&'a [f32]> {
        match self.find(name).map(|array| &array.values) {
            Some(Values::Float32(values)) if values.len() == n => Ok(values),
            Some(Values::Float32(values)) => {
                Err(mismatch(format_args!("{name} has {} values instead of {n}", values.len())))
            }
            Some(_) => Err(mismatch(format_args!("{name} is not float32"))),
            None => Err(mismatch(format_args!("{name} is missing"))),
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
    fn export(&self, model: &Model) -> Vec<StateArray> {
        let float = |state: &str, name: &str, shape: &[usize], data: Vec<f32>| StateArray {
            name: format!("{PREFIX}{state}.{name}"),
            shape: shape.to_vec(),
            values: Values::Float32(data),
        };
        let double = |name: &str, data: &[f64]| StateArray {
            name: name.into(),
            shape: vec![data.len()],
            values: Values::Float64(data.to_vec()),
        };
        let mut arrays = vec![double(OPTIMIZER, &numbers_of(&self.algorithm))];
        let (embedding, shape) = ("embedding.weight", model.embedding_shape());
        match &self.rows {
            Rows::Late(late) => {
                let LateState { rates, last, first, second, .. } = late.snapshot();
                let two = !second.is_empty();
                arrays.push(float(if two { "exp_avg" } else { "momentum_buffer" }, embedding, &shape, first));
                if two {
                    arrays.push(float("exp_avg_sq", embedding, &shape, second));
                }
                arrays.push(double(RATES, &rates));
                let last: Vec<i32> = last.into_iter().map(u32::cast_signed).collect();
                arrays.push(StateArray { name: LAST.into(), shape: vec![last.len()], values: Values::Int32(last) });
            }
            Rows::Dense(dense, _) => {
                arrays.extend(dense.states().map(|(state, data)| float(state, embedding, &shape, data.to_vec())));
            }
        }
        for (state, data) in self.rest.states() {
            arrays.extend(
                model.segments().map(|(name, segment)| float(state, &name, &segment.shape, segment.export(data))),
            );
        }
        arrays
    }

    fn import(
        model: &Model,
        arrays: &mut Arrays<'_>,
        algorithm: Algorithm,
        (steps, words): (u64, u64),
    ) -> Result<Self> {
        let mut optimizer = Self::new(algorithm, model)?;
        let n = model.config.vocab_size * model.config.embedding_dim;
        fn embedding<'a>(arrays: &mut Arrays<'a>, state: &str, n: usize) -> Result<&'a [f32]> {
            arrays.floats(&format!("{PREFIX}{state}.embedding.weight"), n)
        }
        match &mut optimizer.rows {
            Rows::Late(late) => {
                let two = algorithm.two_states();
                let first = embedding(arrays, if two { "exp_avg" } else { "momentum_buffer" }, n)?.to_vec();
                let second = if two { embedding(arrays, "exp_avg_sq", n)?.to_vec() } else { Vec::new() };
                let rates = arrays.doubles(RATES)?.ok_or_else(|| mismatch(format_args!("{RATES} is missing")))?;
                let Some(StateArray { values: Values::Int32(last), .. }) = arrays.find(LAST) else {
                    return Err(mismatch(format_args!("{LAST} is missing, or not int32")));
                };
                let last = last.iter().map(|&step| step.cast_unsigned()).collect();
                let base = words.checked_sub(rates.len() as u64).and_then(|base| u32::try_from(base).ok());
                let base = base
                    .ok_or_else(|| mismatch(format_args!("{} learning rates do not fit {words} steps", rates.len())))?;
                late.restore(&LateState { base, rates: rates.to_vec(), last, first, second })
                    .map_err(|error| mismatch(error.message()))?;
            }
            Rows::Dense(dense, _) => {
                for (state, to) in dense.states_mut() {
                    to.copy_from_slice(embedding(arrays, state, n)?);
                }
                dense.count(words);
            }
        }
        for (state, to) in optimizer.rest.states_mut() {
            for (name, segment) in model.segments() {
                segment.import(arrays.floats(&format!("{PREFIX}{state}.{name}"), segment.numel())?, to);
            }
        }
        optimizer.rest.count(steps);
        Ok(optimizer)
    }
}

impl Classifier {
    /// The weights as [`Classifier::state`] gives them, without changing anything of a training that goes on.
    ///
    /// # Errors
    /// Only for a fault of this library.
    pub fn peek(&self) -> Result<Vec<NamedTensor>> {
        let weights = self.drawn()?;
        match weights.optimizer.as_ref().map(|optimizer| &optimizer.rows) {
            Some(Rows::Late(late)) => Ok(self.model.export(&late.caught_up(&weights.embedding)?, &weights.flat)),
            _ => Ok(self.model.export(&weights.embedding, &weights.flat)),
        }
    }

    /// All that a training goes on from. Another classifier of the same configuration that takes it with
    /// [`Classifier::restore`] makes the same steps, to the bit (with the same number of threads, on the same kind of
    /// processor).
    ///
    /// # Errors
    /// Only for a fault of this library.
    pub fn training_state(&self) -> Result<Vec<StateArray>> {
        let weights = self.drawn()?;
        let (seen, words) = weights
            .optimizer
            .as_ref()
            .map_or((0, 0), |optimizer| (optimizer.rest.step_count(), optimizer.word_steps()));
        let steps = Values::Float64([weights.steps, seen, words].map(|count| count as f64).to_vec());
        let mut arrays = vec![StateArray { name: STEPS.into(), shape: vec![3], values: steps }];
        arrays.extend(self.model.export(&weights.embedding, &weights.flat).into_iter().map(|tensor| StateArray {
            name: format!("{PREFIX}{}", tensor.name),
            shape: tensor.shape,
            values: Values::Float32(tensor.data),
        }));
        if let Some(optimizer) = &weights.optimizer {
            arrays.extend(optimizer.export(&self.model));
        }
        Ok(arrays)
    }

    /// The weights, drawn if they were not yet.
    fn drawn(&self) -> Result<RwLockReadGuard<'_, Weights>> {
        if !self.read().drawn {
            self.write().draw(&self.model)?;
        }
        Ok(self.read())
    }

    /// Takes over what [`Classifier::training_state`] gave.
    ///
    /// # Errors
    /// `StateMismatch` when something is missing, unknown, of another shape or type, or contradicts the rest; nothing is
    /// changed then.
    pub fn restore(&self, state: &[StateArray]) -> Result<()> {
        let mut arrays = Arrays { arrays: state, used: vec![false; state.len()] };
        let &[steps, seen, words] = arrays.doubles(STEPS)?.unwrap_or_default() else {
            return Err(mismatch(format_args!("{STEPS} needs three numbers")));
        };
        let (steps, seen, words) = (count(steps, STEPS)?, count(seen, STEPS)?, count(words, STEPS)?);
        let mut embedding = Buf::zeros(self.model.config.vocab_size * self.model.config.embedding_dim);
        let mut flat = Buf::zeros(self.model.flat_size);
        let mut tensors = Vec::new();
        for name in self.model.names() {
            if let Some(StateArray { shape, values: Values::Float32(data), .. }) =
                arrays.find(&format!("{PREFIX}{name}"))
            {
                tensors.push(NamedTensor { name, dtype: "float32".into(), shape: shape.clone(), data: data.clone() });
            }
        }
        self.model.import(&tensors, &mut embedding, &mut flat)?;
        let optimizer = match arrays.doubles(OPTIMIZER)? {
            None if seen == 0 => None,
            None => return Err(mismatch(format_args!("{OPTIMIZER} is missing"))),
            Some(numbers) => Some(Optimizer::import(&self.model, &mut arrays, algorithm_of(numbers)?, (seen, words))?),
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
mod tests {
    use super::super::{Chunk, ClassifierConfig, Pooling, StepOptions};
    use super::*;
    use crate::recurrent::Cell;

    const BATCHES: usize = 90;

    /// Names the first array that differs, whose values nobody wants to see.
    fn assert_same(one: &Classifier, other: &Classifier, what: &str) {
        let (one, other) = (one.training_state().unwrap(), other.training_state().unwrap());
        let differs = one.iter().zip(&other).find(|(a, b)| a != b).map(|(a, _)| a.name.as_str());
        assert_eq!(differs, None, "{what}");
        assert_eq!(one.len(), other.len(), "{what}");
    }

    struct Texts {
        tokens: Vec<i32>,
        lengths: Vec<i32>,
        labels: Vec<i32>,
    }

    /// One text a batch. Most words come seldom, so that rows miss some steps or many.
    fn texts() -> Texts {
        let mut state = 7u64;
        let mut below = |n: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) as usize % n) as i32
        };
        let mut texts = Texts { tokens: vec![], lengths: vec![], labels: vec![] };
        for _ in 0..BATCHES {
            let length = 1 + below(5);
            texts.lengths.push(length);
            texts.labels.push(below(3));
            for _ in 0..length {
                let most = if below(2) == 0 { 4 } else { 700 };
                texts.tokens.push(below(most));
            }
        }
        texts
    }

    fn classifier() -> Classifier {
        let config = ClassifierConfig {
            num_layers: 2,
            bidirectional: true,
            embedding_dropout: 0.1,
            dropout: 0.2,
            word_dropout: 0.1,
            unknown_idx: Some(0),
            pooling: Pooling::Attention,
            padding_idx: Some(1),
            seed: 11,
            ..ClassifierConfig::new(Cell::Lstm, 700, 5, 3, 3)
        };
        Classifier::new(config).unwrap()
    }

    /// The embedding is frozen for the first batches.
    const FROZEN: usize = 12;

    fn train(classifier: &Classifier, texts: &Texts, algorithm: Algorithm, batches: std::ops::Range<usize>) {
        if batches.start < FROZEN && batches.end > FROZEN {
            train(classifier, texts, algorithm, batches.start..FROZEN);
            return train(classifier, texts, algorithm, FROZEN..batches.end);
        }
        let start: i32 = texts.lengths[..batches.start].iter().sum();
        let end: i32 = texts.lengths[..batches.end].iter().sum();
        let rates: Vec<f64> = batches.clone().map(|batch| 0.02 * (1.0 - batch as f64 / 100.0)).collect();
        let chunk = Chunk {
            tokens: &texts.tokens[start as usize..end as usize],
            lengths: &texts.lengths[batches.clone()],
            labels: &texts.labels[batches.clone()],
            label_offsets: &[],
            batch_sizes: &vec![1; batches.len()],
        };
        let options = StepOptions {
            learning_rates: &rates,
            clip_norm: 0.5,
            algorithm,
            freeze_embedding: batches.end <= FROZEN,
            ..StepOptions::default()
        };
        assert_eq!(classifier.train_batches(&chunk, &options).unwrap().rows, batches.len() as u64);
    }

    fn algorithms() -> Vec<Algorithm> {
        let adam = AdamOptions::default();
        let sgd = SgdOptions { momentum: 0.9, ..SgdOptions::default() };
        vec![
            Algorithm::Adam(adam),
            Algorithm::AdamW(AdamOptions { weight_decay: 0.1, ..adam }),
            Algorithm::Adam(AdamOptions { weight_decay: 0.1, ..adam }),
            Algorithm::Adam(AdamOptions { amsgrad: true, ..adam }),
            Algorithm::Sgd(sgd),
            Algorithm::Sgd(SgdOptions { weight_decay: 0.01, dampening: 0.1, ..sgd }),
            Algorithm::Sgd(SgdOptions::default()),
        ]
    }

    #[test]
    fn a_training_goes_on_to_the_same_bits_wherever_it_is_cut() {
        let texts = texts();
        for algorithm in algorithms() {
            let whole = classifier();
            train(&whole, &texts, algorithm, 0..BATCHES);
            for cuts in [vec![1], vec![40], vec![31, 32, 33, 34, 35], vec![20, 80], vec![0, 89]] {
                let mut now = classifier();
                let mut from = 0;
                for cut in cuts.iter().copied() {
                    if cut > from {
                        train(&now, &texts, algorithm, from..cut);
                    }
                    let next = classifier();
                    next.restore(&now.training_state().unwrap()).unwrap();
                    (now, from) = (next, cut);
                }
                train(&now, &texts, algorithm, from..BATCHES);
                assert_same(&now, &whole, &format!("{algorithm:?} cut at {cuts:?}"));
            }
        }
    }

    #[test]
    fn looking_changes_nothing_and_sees_what_catching_up_gives() {
        let texts = texts();
        for algorithm in algorithms() {
            let (looked, alone) = (classifier(), classifier());
            for from in (0..BATCHES).step_by(10) {
                train(&looked, &texts, algorithm, from..from + 10);
                train(&alone, &texts, algorithm, from..from + 10);
                let seen = looked.peek().unwrap();
                assert_same(&looked, &alone, "after a look");
                if from == 60 {
                    assert_eq!(seen, alone.state().unwrap());
                    assert_eq!(seen, looked.state().unwrap());
                }
            }
        }
    }

    #[test]
    fn the_chunks_in_which_steps_come_do_not_matter() {
        let texts = texts();
        let (whole, parts) = (classifier(), classifier());
        train(&whole, &texts, algorithms()[0], 0..BATCHES);
        (0..BATCHES).for_each(|batch| train(&parts, &texts, algorithms()[0], batch..batch + 1));
        assert_same(&whole, &parts, "in chunks of one batch");
    }

    #[test]
    fn a_state_that_does_not_fit_is_refused_and_changes_nothing() {
        let texts = texts();
        let trained = classifier();
        train(&trained, &texts, algorithms()[0], 0..20);
        let state = trained.training_state().unwrap();
        let fresh = classifier();
        let before = fresh.training_state().unwrap();
        let refused = |change: &dyn Fn(&mut Vec<StateArray>)| {
            let mut changed = state.clone();
            change(&mut changed);
            let error = fresh.restore(&changed).unwrap_err();
            assert_eq!(error.code(), ErrorCode::StateMismatch, "{error}");
            assert_eq!(fresh.training_state().unwrap(), before);
            error.message().to_string()
        };
        for (missing, StateArray { name, .. }) in state.iter().enumerate() {
            let message = refused(&|arrays| drop(arrays.remove(missing)));
            assert!(message.contains(name.trim_start_matches(PREFIX)), "{name}: {message}");
        }
        for at in 0..state.len() {
            refused(&|arrays| {
                arrays[at].values = Values::Int32(vec![1 << 20; 3]);
                arrays[at].shape = vec![3];
            });
        }
        let of = |name: &str| state.iter().position(|array| array.name == name).unwrap();
        let (last, steps, rates) = (of(LAST), of(STEPS), of(RATES));
        assert!(
            refused(&|a| a[last].values = Values::Int32(vec![21; 700])).contains("row 0 was last moved at step 21")
        );
        assert!(refused(&|a| a[steps].values = Values::Float64(vec![20.0, 20.0, 5.0])).contains("8 learning rates"));
        assert!(refused(&|a| a[steps].values = Values::Float64(vec![-1.0, 20.0, 20.0])).contains("no number of steps"));
        refused(&|a| a[rates].values = Values::Float64(vec![f64::NAN; 8]));
        let extra = StateArray { name: "training.more".into(), shape: vec![0], values: Values::Int32(vec![]) };
        assert!(refused(&|a| a.push(extra.clone())).contains("training.more is unknown"));
    }

    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// A number of a checkpoint that is any other: refused without a trace, or weights that can be looked at.
        #[test]
        fn any_number_in_a_state_is_refused_or_taken(
            (which, place) in any::<(prop::sample::Index, prop::sample::Index)>(),
            value in prop_oneof![any::<f64>(), Just(f64::NAN), Just(f64::MAX), Just(-1.0), (0u32..100).prop_map(f64::from)],
            kind in 0..7usize,
        ) {
            let trained = classifier();
            train(&trained, &texts(), algorithms()[kind], 0..20);
            let mut state = trained.training_state().unwrap();
            let array = which.index(state.len());
            match &mut state[array].values {
                Values::Float32(values) => { let at = place.index(values.len()); values[at] = value as f32; }
                Values::Int32(values) => { let at = place.index(values.len()); values[at] = value as i32; }
                Values::Float64(values) => { let at = place.index(values.len()); values[at] = value; }
            }
            let fresh = classifier();
            let before = fresh.training_state().unwrap();
            match fresh.restore(&state) {
                Ok(()) => {
                    prop_assert_eq!(fresh.peek().unwrap().len(), trained.state().unwrap().len());
                    fresh.state().unwrap();
                }
                Err(error) => {
                    prop_assert_eq!(error.code(), ErrorCode::StateMismatch);
                    prop_assert_eq!(fresh.training_state().unwrap(), before);
                }
            }
        }
    }
}
