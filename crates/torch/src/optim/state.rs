//! The state of each parameter: names and shapes as in `torch.optim`'s `state_dict`.

use super::{Optimizer, OptimizerKind, Param};
use crate::Result;
use crate::check::has_shape;
use crate::error::{IntoResult, argument, range};
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

    pub(super) fn is_some(&self) -> bool {
        self.0.is_some()
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
    /// All state, parameter by parameter; second handles on the tensors themselves.
    pub fn state(&self) -> Vec<Entry> {
        let entries = |(index, param): (usize, &Param)| -> Vec<Entry> {
            let tensors = param.slots.all().into_iter().filter_map(|(slot, lazy)| Some((slot, lazy.0.as_ref()?)));
            tensors.map(|(slot, tensor)| Entry { index, slot, tensor: tensor.shallow_clone() }).collect()
        };
        self.params.iter().enumerate().flat_map(entries).collect()
    }

    /// Replaces all state by copies of `entries`. Everything is checked before anything changes.
    pub fn load_state(&mut self, entries: &[Entry]) -> Result<()> {
        let mut fresh: Vec<Slots> = self.params.iter().map(|_| Slots::default()).collect();
        let count = self.params.len();
        for Entry { index, slot, tensor } in entries {
            let param = self.params.get(*index).ok_or_else(|| {
                range(format!("optimizer state names parameter {index}, but there are {count}"))
            })?;
            if !slot.belongs_to(self.kind) {
                return Err(argument(format!("optimizer state '{}' does not belong to {:?}", slot.name(), self.kind)));
            }
            let name = format!("{} of parameter {index}", slot.name());
            let (kind, shape) = match slot {
                Slot::Step if tensor.numel() == 1 => (Kind::Float, tensor.size()),
                Slot::Step => (Kind::Float, vec![]),
                _ => (param.tensor.f_kind().torch()?, param.tensor.size()),
            };
            has_shape("loadState", &name, tensor, "the parameter's shape", &shape)?;
            let copy = tensor.detach().f_to_device_(param.tensor.device(), kind, false, true).torch()?;
            let copy = copy.f_contiguous().torch()?;
            let copy = if *slot == Slot::Step { copy.f_reshape(&[] as &[i64]).torch()? } else { copy };
            fresh[*index].get_mut(*slot).0 = Some(copy);
        }
        check_complete(&fresh, self.kind)?;
        for (param, slots) in self.params.iter_mut().zip(fresh) {
            param.slots = slots;
        }
        Ok(())
    }
}

/// Refuses a parameter that has one of Adam's tensors without the others.
fn check_complete(slots: &[Slots], kind: OptimizerKind) -> Result<()> {
    if kind == OptimizerKind::Sgd {
        return Ok(());
    }
    for (index, slots) in slots.iter().enumerate() {
        let have = [slots.step.is_some(), slots.exp_avg.is_some(), slots.exp_avg_sq.is_some()];
        if have.contains(&true) && have.contains(&false) {
            return Err(argument(format!(
                "optimizer state of parameter {index} is incomplete: step, exp_avg and exp_avg_sq belong together"
            )));
        }
    }
    Ok(())
}
