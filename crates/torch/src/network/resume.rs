//! All that a training resumes from, in the form of `recurra_kernels::network`: a checkpoint of one engine is one of the other.

use super::state::{array_of, tensor_of};
use super::{Network, Steps};
use crate::optim::{Entry, Optimizer, Slot};
use crate::{Error, ErrorCode, Result, error::IntoResult};
use recurra_core::{Algorithm, NamedArray, OptimizerKind};
use std::ops::Deref;
use tch::Tensor;

const PREFIX: &str = "training.";
const STEPS: &str = "training.steps";
const OPTIMIZER: &str = "training.optimizer";

fn mismatch(message: impl std::fmt::Display) -> Error {
    Error::new(ErrorCode::StateMismatch, format!("the training's state does not fit: {message}"))
}

fn find<'a, D>(arrays: &'a [NamedArray<D>], name: &str) -> Result<&'a NamedArray<D>> {
    arrays.iter().find(|array| array.name == name).ok_or_else(|| mismatch(format_args!("{name} is missing")))
}

fn numbers<const N: usize>(arrays: &[NamedArray<impl Deref<Target = [u8]>>], name: &str) -> Result<[f64; N]> {
    let values: Option<Vec<f64>> = find(arrays, name)?.values();
    let values = values.ok_or_else(|| mismatch(format_args!("{name} is not float64")))?;
    values.try_into().map_err(|_| mismatch(format_args!("{name} needs {N} numbers")))
}

/// The states of a rule, under PyTorch's names.
fn slots(algorithm: &Algorithm) -> &'static [Slot] {
    match algorithm {
        Algorithm::Sgd(o) if o.momentum == 0.0 => &[],
        Algorithm::Sgd(_) => &[Slot::MomentumBuffer],
        Algorithm::Adam(_) | Algorithm::AdamW(_) => &[Slot::ExpAvg, Slot::ExpAvgSq],
    }
}

impl Network {
    /// All that a training resumes from: weights, the optimizer's states, how many steps there were.
    pub fn training_state(&self) -> Result<Vec<NamedArray>> {
        let Steps { all, seen, words } = self.steps;
        let mut arrays = vec![NamedArray::list(STEPS, &[all as f64, seen as f64, words as f64])];
        for (name, tensor) in &self.model.named {
            arrays.push(array_of(format!("{PREFIX}{name}"), tensor)?);
        }
        let Some((algorithm, optimizer)) = &self.optimizer else { return Ok(arrays) };
        arrays.push(NamedArray::list(OPTIMIZER, &algorithm.to_numbers()));
        let state = optimizer.state()?;
        let of = |index: usize, slot: Slot| {
            let entry = state.iter().find(|entry| entry.index == index && entry.slot == slot);
            // A frozen embedding has no state before its first step: to the kernels it is zero.
            entry.map_or_else(
                || self.model.named[index].1.detach().f_zeros_like().torch(),
                |entry| Ok(entry.tensor.shallow_clone()),
            )
        };
        let late = algorithm.cannot_defer().is_none();
        let kept = slots(algorithm);
        for (index, (name, _)) in self.model.named.iter().enumerate() {
            // Rows that can be stepped late always have a buffer in the kernels, also without momentum.
            let of_rows = if index == 0 && late && kept.is_empty() { &[Slot::MomentumBuffer] } else { kept };
            for &slot in of_rows {
                arrays.push(array_of(format!("{PREFIX}{}.{name}", slot.name()), &of(index, slot)?)?);
            }
        }
        if late {
            // No row is behind here, so no earlier learning rate matters.
            let last = u32::try_from(words).unwrap_or(u32::MAX >> 1).cast_signed();
            let rows = self.config.encoder.vocab_size;
            arrays.push(NamedArray::list::<f64>("training.late.rates", &[]));
            arrays.push(NamedArray::list("training.late.last", &vec![last; rows]));
        }
        Ok(arrays)
    }

    /// Takes over what [`Network::training_state`] gave, or the kernels once none of their rows is behind.
    ///
    /// # Errors
    /// `StateMismatch` where something is missing or does not fit; nothing is changed then.
    pub fn restore<D: Deref<Target = [u8]>>(&mut self, arrays: &[NamedArray<D>]) -> Result<()> {
        let steps: [f64; 3] = numbers(arrays, STEPS)?;
        let weights: Vec<NamedArray<&[u8]>> = self
            .model
            .named
            .iter()
            .map(|(name, _)| {
                let array = find(arrays, &format!("{PREFIX}{name}"))?;
                Ok(NamedArray { name: name.clone(), ..array.borrowed() })
            })
            .collect::<Result<_>>()?;
        let optimizer = match arrays.iter().any(|array| array.name == OPTIMIZER) {
            true => Some(self.optimizer_of(arrays, &steps)?),
            false => None,
        };
        self.load_state(&weights)?;
        self.optimizer = optimizer;
        self.steps = Steps { all: steps[0] as u64, seen: steps[1] as u64, words: steps[2] as u64 };
        Ok(())
    }

    fn optimizer_of(
        &self,
        arrays: &[NamedArray<impl Deref<Target = [u8]>>],
        steps: &[f64],
    ) -> Result<(Algorithm, Optimizer)> {
        let algorithm =
            Algorithm::from_numbers(&numbers::<6>(arrays, OPTIMIZER)?).map_err(|error| mismatch(error.message()))?;
        let kind = algorithm.kind();
        let mut optimizer = self.new_optimizer(algorithm, 0.0)?;
        let mut entries = Vec::new();
        for (index, (name, _)) in self.model.named.iter().enumerate() {
            let count = if index == 0 { steps[2] } else { steps[1] };
            if count == 0.0 {
                continue;
            }
            for &slot in slots(&algorithm) {
                let array = find(arrays, &format!("{PREFIX}{}.{name}", slot.name()))?;
                entries.push(Entry { index, slot, tensor: tensor_of(array)? });
            }
            if kind != OptimizerKind::Sgd {
                let count = Tensor::f_from_slice(&[count as f32]).torch()?;
                entries.push(Entry { index, slot: Slot::Step, tensor: count });
            }
        }
        optimizer.load_state(&entries)?;
        Ok((algorithm, optimizer))
    }
}
