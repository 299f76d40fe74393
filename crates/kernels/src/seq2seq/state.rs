//! The complete training state, which allows a training to resume bit for bit: weights, optimizer states, and the step,
//! which determines the dropout masks. The names are those of [`crate::network::Network::training_state`].

use std::ops::Deref;

use super::model::{Optimizer, Seq2Seq};
use crate::network::state::{Arrays, OPTIMIZER, PREFIX, STEPS, algorithm_of, count, float, mismatch};
use crate::optim::Dense;
use recurra_core::{NamedArray, Result};

impl Seq2Seq {
    /// The complete training state. Another network with the same configuration that takes it with [`Seq2Seq::restore`]
    /// makes bit-identical steps (on the same kind of processor).
    ///
    /// # Errors
    /// Only for a bug in this library.
    pub fn training_state(&self) -> Result<Vec<NamedArray>> {
        let weights = self.drawn()?;
        let seen = weights.optimizer.as_ref().map_or(0, |optimizer| optimizer.dense.step_count());
        let mut arrays = vec![NamedArray::list(STEPS, &[weights.steps, seen].map(|count| count as f64))];
        let now = self.params.export(&weights.flat);
        arrays.extend(now.into_iter().map(|array| NamedArray { name: format!("{PREFIX}{}", array.name), ..array }));
        if let Some(Optimizer { algorithm, dense }) = &weights.optimizer {
            arrays.push(NamedArray::list(OPTIMIZER, &algorithm.to_numbers()));
            for (state, data) in dense.states() {
                let places = self.params.places.iter();
                arrays.extend(places.map(|place| float(state, &place.name, &place.shape, &place.export(data))));
            }
        }
        Ok(arrays)
    }

    /// Restores the state of [`Seq2Seq::training_state`].
    ///
    /// # Errors
    /// `StateMismatch` if something is missing, unknown, of another shape or type, or inconsistent; nothing is changed
    /// then.
    pub fn restore<D: Deref<Target = [u8]>>(&self, state: &[NamedArray<D>]) -> Result<()> {
        let params = &self.params;
        let mut arrays = Arrays::new(state);
        let [steps, seen] = arrays.doubles(STEPS)?.unwrap_or_default()[..] else {
            return Err(mismatch(format_args!("{STEPS} needs two numbers")));
        };
        let (steps, seen) = (count(steps, STEPS)?, count(seen, STEPS)?);
        let mut own = Vec::new();
        for place in &params.places {
            if let Some(array) = arrays.find(&format!("{PREFIX}{}", place.name)) {
                own.push(NamedArray { name: place.name.clone(), ..array.borrowed() });
            }
        }
        let flat = params.import(&own)?;
        let optimizer = match arrays.doubles(OPTIMIZER)? {
            None if seen == 0 => None,
            None => return Err(mismatch(format_args!("{OPTIMIZER} is missing"))),
            Some(numbers) => {
                let algorithm = algorithm_of(&numbers)?;
                let mut dense = Dense::new(algorithm, params.flat_size)?;
                for (name, to) in dense.states_mut() {
                    for place in &params.places {
                        let values = arrays.floats(&format!("{PREFIX}{name}.{}", place.name), place.numel())?;
                        place.import(&values, to);
                    }
                }
                dense.count(seen);
                Some(Optimizer { algorithm, dense })
            }
        };
        arrays.all_used()?;
        let mut weights = self.write();
        (weights.flat, weights.drawn, weights.optimizer, weights.steps) = (flat, true, optimizer, steps);
        weights.frozen = None;
        Ok(())
    }
}
