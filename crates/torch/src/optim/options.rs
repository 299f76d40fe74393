//! Which optimizers there are, and their options.

use crate::Result;
use crate::error::argument;

/// Which optimizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptimizerKind {
    /// Adam with L2 weight decay.
    Adam,
    /// Adam with decoupled weight decay.
    AdamW,
    /// Stochastic gradient descent with momentum.
    Sgd,
}

impl OptimizerKind {
    /// Reads `Adam`, `AdamW` or `SGD`, in any case.
    pub fn parse(name: &str) -> Result<Self> {
        match name.to_ascii_lowercase().as_str() {
            "adam" => Ok(Self::Adam),
            "adamw" => Ok(Self::AdamW),
            "sgd" => Ok(Self::Sgd),
            _ => Err(argument(format!("optimizer must be 'Adam', 'AdamW' or 'SGD', but is '{name}'"))),
        }
    }

    /// PyTorch's default options.
    pub fn defaults(self) -> OptimizerOptions {
        OptimizerOptions {
            lr: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: if self == Self::AdamW { 0.01 } else { 0.0 },
            amsgrad: false,
            momentum: 0.0,
            dampening: 0.0,
            nesterov: false,
            maximize: false,
        }
    }
}

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
