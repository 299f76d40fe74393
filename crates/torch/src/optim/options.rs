//! Options of optimizers.

use crate::Result;
use crate::error::argument;
use recurra_core::{Algorithm, OptimizerKind};

/// Options of one group; those of the other optimizers are ignored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptimizerOptions {
    /// Learning rate.
    pub lr: f64,
    /// Decay of the average of gradients (Adam).
    pub beta1: f64,
    /// Decay of the average of squares (Adam).
    pub beta2: f64,
    /// Added to the denominator (Adam).
    pub eps: f64,
    /// Weight decay.
    pub weight_decay: f64,
    /// Keep the maximum of the squares (Adam).
    pub amsgrad: bool,
    /// Momentum (SGD).
    pub momentum: f64,
    /// Dampening of momentum (SGD).
    pub dampening: f64,
    /// Nesterov momentum (SGD).
    pub nesterov: bool,
    /// Climb instead of descend.
    pub maximize: bool,
}

impl OptimizerOptions {
    /// PyTorch's default options.
    pub const fn defaults(kind: OptimizerKind) -> Self {
        Self {
            lr: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: if matches!(kind, OptimizerKind::AdamW) { 0.01 } else { 0.0 },
            amsgrad: false,
            momentum: 0.0,
            dampening: 0.0,
            nesterov: false,
            maximize: false,
        }
    }

    /// The options of a rule at a learning rate.
    pub fn of(algorithm: &Algorithm, lr: f64) -> Self {
        let defaults = Self { lr, ..Self::defaults(algorithm.kind()) };
        match *algorithm {
            Algorithm::Adam(o) | Algorithm::AdamW(o) => Self {
                beta1: o.beta1,
                beta2: o.beta2,
                eps: o.eps,
                weight_decay: o.weight_decay,
                amsgrad: o.amsgrad,
                ..defaults
            },
            Algorithm::Sgd(o) => Self {
                momentum: o.momentum,
                dampening: o.dampening,
                weight_decay: o.weight_decay,
                nesterov: o.nesterov,
                ..defaults
            },
        }
    }

    /// Refuses what `torch.optim` refuses.
    pub(super) fn check(&self, kind: OptimizerKind) -> Result<()> {
        let not_negative = |name: &str, value: f64| {
            if value.is_finite() && value >= 0.0 {
                return Ok(());
            }
            Err(argument(format!("{name} must be a number that is not negative, but is {value}")))
        };
        not_negative("lr", self.lr)?;
        not_negative("weightDecay", self.weight_decay)?;
        if kind == OptimizerKind::Sgd {
            not_negative("momentum", self.momentum)?;
            if self.nesterov && (self.momentum <= 0.0 || self.dampening != 0.0) {
                return Err(argument("nesterov needs a momentum above 0 and no dampening"));
            }
            return Ok(());
        }
        not_negative("eps", self.eps)?;
        for (name, beta) in [("beta1", self.beta1), ("beta2", self.beta2)] {
            if !(0.0..1.0).contains(&beta) {
                return Err(argument(format!("{name} must be at least 0 and below 1, but is {beta}")));
            }
        }
        Ok(())
    }
}
