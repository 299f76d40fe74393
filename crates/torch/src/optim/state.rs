//! An optimizer's state, handed out and taken over: names and shapes as in `torch.optim`'s `state_dict`.

use super::late::late_slots;
use super::optimizer::Optimizer;
use super::slots::{Slot, Slots};
use crate::error::IntoResult;
use crate::{Error, ErrorCode, Result};
use recurra_core::OptimizerKind;
use tch::{Kind, Tensor};

/// One state tensor of the parameter at position `index`.
pub struct Entry {
    /// Position of the parameter, counted through all groups.
    pub index: usize,
    /// Which tensor.
    pub slot: Slot,
    /// The tensor.
    pub tensor: Tensor,
}

impl Optimizer {
    /// All state, parameter by parameter; second handles on the tensors themselves, or copies where a weight is stepped
    /// late (all its rows catch up).
    pub fn state(&self) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for (index, param) in self.params.iter().enumerate() {
            let late = param.late.as_ref().map(|state| late_slots(state, &param.tensor)).transpose()?;
            let slots = late.as_ref().unwrap_or(&param.slots);
            let tensors = slots.all().into_iter().filter_map(|(slot, lazy)| Some((slot, lazy.get()?)));
            entries.extend(tensors.map(|(slot, tensor)| Entry { index, slot, tensor: tensor.shallow_clone() }));
        }
        Ok(entries)
    }

    /// Replaces all state by copies of `entries`. Everything is checked before anything changes, and all that does not
    /// fit is listed in one error.
    pub fn load_state(&mut self, entries: &[Entry]) -> Result<()> {
        let mut fresh: Vec<Slots> = self.params.iter().map(|_| Slots::default()).collect();
        let mut problems = Vec::new();
        for Entry { index, slot, tensor } in entries {
            let name = slot.name();
            let Some(param) = self.params.get(*index) else {
                problems.push(format!("{name} of parameter {index}: there are only {} parameters", self.params.len()));
                continue;
            };
            if !slot.belongs_to(self.kind) {
                problems.push(format!("{name} of parameter {index} does not belong to {:?}", self.kind));
                continue;
            }
            let is_step = *slot == Slot::Step;
            let wanted = if is_step { vec![] } else { param.tensor.size() };
            if tensor.size() != wanted && !(is_step && tensor.numel() == 1) {
                problems.push(format!("{name} of parameter {index} is {:?}, expected {wanted:?}", tensor.size()));
                continue;
            }
            let kind = if is_step { Kind::Float } else { param.tensor.f_kind().torch()? };
            let copy = tensor.detach().f_to_device_(param.tensor.device(), kind, false, true).torch()?;
            let copy = copy.f_reshape(wanted).torch()?.f_contiguous().torch()?;
            fresh[*index].get_mut(*slot).0 = Some(copy);
        }
        for (index, slots) in fresh.iter().enumerate().filter(|_| self.kind != OptimizerKind::Sgd) {
            let have = [slots.step.is_some(), slots.exp_avg.is_some(), slots.exp_avg_sq.is_some()];
            if problems.is_empty() && have.contains(&true) && have.contains(&false) {
                problems.push(format!("parameter {index} needs step, exp_avg and exp_avg_sq together"));
            }
        }
        if !problems.is_empty() {
            let message = format!("the optimizer's state does not fit: {}", problems.join("; "));
            return Err(Error::new(ErrorCode::StateMismatch, message));
        }
        for (param, slots) in self.params.iter_mut().zip(fresh) {
            // Dropping the late state lets all rows catch up with the steps that were made.
            param.late = None;
            param.slots = slots;
        }
        Ok(())
    }
}
