//! The state tensors of one parameter: names as in `torch.optim`'s `state_dict`.

use crate::Result;
use crate::error::argument;
use recurra_core::OptimizerKind;
use tch::Tensor;

/// A tensor that exists from the first step on.
#[derive(Default)]
pub(super) struct Lazy(pub Option<Tensor>);

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

    pub(super) fn belongs_to(self, kind: OptimizerKind) -> bool {
        (self == Self::MomentumBuffer) == (kind == OptimizerKind::Sgd)
    }
}

impl Slots {
    pub(super) fn get_mut(&mut self, slot: Slot) -> &mut Lazy {
        match slot {
            Slot::Step => &mut self.step,
            Slot::ExpAvg => &mut self.exp_avg,
            Slot::ExpAvgSq => &mut self.exp_avg_sq,
            Slot::MaxExpAvgSq => &mut self.max_exp_avg_sq,
            Slot::MomentumBuffer => &mut self.momentum_buffer,
        }
    }

    pub(super) fn all(&self) -> [(Slot, &Lazy); 5] {
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
