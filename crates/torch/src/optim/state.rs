//! The state of each parameter: names and shapes as in `torch.optim`'s `state_dict`.

use super::late::late_slots;
use super::{Optimizer, OptimizerKind};
use crate::error::{IntoResult, argument};
use crate::{Error, ErrorCode, Result};
use tch::{Kind, Tensor};

/// A tensor that exists from the first step on.
#[derive(Default)]
pub(super) struct Lazy(Option<Tensor>);

impl Lazy {
    /// A second handle on the tensor, which `make` creates where there is none.
    pub(super) fn get_or_try(&mut self, make: impl FnOnce() -> Result<Tensor>) -> Result<Tensor> {
        if self.0.is_none() {
            self.0 = Some(make()?);
        }
        self.0.as_ref().map(Tensor::shallow_clone).ok_or_else(|| argument("optimizer state is missing"))
    }

    pub(super) fn get(&self) -> Option<&Tensor> {
        self.0.as_ref()
    }

    pub(super) fn is_some(&self) -> bool {
        self.0.is_some()
    }
}

impl From<Tensor> for Lazy {
    fn from(tensor: Tensor) -> Self {
        Self(Some(tensor))
    }
}

/// State tensors of one parameter.
#[derive(Default)]
pub(super) struct Slots {
    pub step: Lazy,
    pub exp_avg: Lazy,
    pub exp_avg_sq: Lazy,
    pub max_exp_avg_sq: Lazy,
    pub momentum_buffer: Lazy,
}

/// The name of a state tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// Steps taken: float32, no dimensions.
    Step,
    /// Average of gradients.
    ExpAvg,
    /// Average of their squares.
    ExpAvgSq,
    /// The largest such average so far (amsgrad).
    MaxExpAvgSq,
    /// Momentum (SGD).
    MomentumBuffer,
}

impl Slot {
    const ALL: [Self; 5] = [Self::Step, Self::ExpAvg, Self::ExpAvgSq, Self::MaxExpAvgSq, Self::MomentumBuffer];

    /// PyTorch's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::ExpAvg => "exp_avg",
            Self::ExpAvgSq => "exp_avg_sq",
            Self::MaxExpAvgSq => "max_exp_avg_sq",
            Self::MomentumBuffer => "momentum_buffer",
        }
    }

    /// Reads PyTorch's name.
    pub fn parse(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|slot| slot.name() == name).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|slot| slot.name()).collect();
            argument(format!("optimizer state '{name}' is unknown; there are {}", known.join(", ")))
        })
    }

    fn belongs_to(self, kind: OptimizerKind) -> bool {
        (self == Self::MomentumBuffer) == (kind == OptimizerKind::Sgd)
    }
}

impl Slots {
    fn get_mut(&mut self, slot: Slot) -> &mut Lazy {
        match slot {
            Slot::Step => &mut self.step,
            Slot::ExpAvg => &mut self.exp_avg,
            Slot::ExpAvgSq => &mut self.exp_avg_sq,
            Slot::MaxExpAvgSq => &mut self.max_exp_avg_sq,
            Slot::MomentumBuffer => &mut self.momentum_buffer,
        }
    }

    fn all(&self) -> [(Slot, &Lazy); 5] {
        [
            (Slot::Step, &self.step),
            (Slot::ExpAvg, &self.exp_avg),
            (Slot::ExpAvgSq, &self.exp_avg_sq),
            (Slot::MaxExpAvgSq, &self.max_exp_avg_sq),
            (Slot::MomentumBuffer, &self.momentum_buffer),
        ]
    }

    /// Bytes of all tensors.
    pub(super) fn bytes(&self) -> usize {
        self.all().into_iter().filter_map(|(_, lazy)| lazy.0.as_ref()).map(crate::tensor::bytes).sum()
    }
}

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
