//! Adam, AdamW and SGD, equal to `torch.optim`, through libtorch's fused kernels.

mod adam;
pub(crate) mod late;
mod sgd;
mod state;

use crate::Result;
use crate::autograd::{GradMode, grad, set_grad};
use crate::error::{IntoResult, argument};
use crate::late::settle_tensor;
use crate::tensor::{describe, is_floating};
use tch::Tensor;

pub use state::{Entry, Slot};

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
    fn check(&self, kind: OptimizerKind) -> Result<()> {
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

/// One parameter with its state.
struct Param {
    tensor: Tensor,
    group: usize,
    slots: state::Slots,
    /// State of a weight that is stepped late; the slots are then empty.
    late: Option<late::LateState>,
}

/// A parameter that moves in this step, with its gradient.
struct Move<'a> {
    param: &'a Tensor,
    grad: Tensor,
    slots: &'a mut state::Slots,
}

/// An optimizer with its parameters and their state.
pub struct Optimizer {
    kind: OptimizerKind,
    groups: Vec<OptimizerOptions>,
    params: Vec<Param>,
}

impl Optimizer {
    /// Makes an optimizer of groups of parameters; each parameter may appear once.
    pub fn new(kind: OptimizerKind, groups: Vec<(Vec<Tensor>, OptimizerOptions)>) -> Result<Self> {
        let mut optimizer = Self { kind, groups: Vec::new(), params: Vec::new() };
        for (index, (tensors, options)) in groups.into_iter().enumerate() {
            options.check(kind)?;
            optimizer.groups.push(options);
            for tensor in tensors {
                if !is_floating(tensor.f_kind().torch()?) || !tensor.f_is_leaf().torch()? {
                    return Err(argument(format!(
                        "an optimizer moves floating point leaf tensors only, but was given {}{}",
                        describe(&tensor),
                        if tensor.requires_grad() { " that is the result of an operation" } else { "" }
                    )));
                }
                optimizer.params.push(Param { tensor, group: index, slots: state::Slots::default(), late: None });
            }
        }
        if optimizer.params.is_empty() {
            return Err(argument("an optimizer needs at least one parameter"));
        }
        Ok(optimizer)
    }

    /// Moves every parameter that has a gradient.
    pub fn step(&mut self) -> Result<()> {
        self.step_unless(None)
    }

    /// As [`Optimizer::step`], but moves and counts nothing where `bad`, a `float32` of one element on the parameters' device,
    /// is 1; the device decides, and nobody waits for it. Gradients must be dense.
    pub fn step_unless(&mut self, bad: Option<&Tensor>) -> Result<()> {
        let _mode = GradMode::new(false);
        let mut batches: Vec<(usize, tch::Kind, tch::Device, Vec<Move<'_>>)> = Vec::new();
        for param in &mut self.params {
            let Some(grad) = grad(&param.tensor)? else { continue };
            let grad = if bad.is_some() {
                param.end_late()?;
                if grad.is_sparse() { late::to_dense(&grad)? } else { grad }
            } else {
                let Some(grad) = param.step_late(grad, self.kind, &self.groups[param.group])? else { continue };
                grad
            };
            settle_tensor(&param.tensor)?;
            let key = (param.group, param.tensor.f_kind().torch()?, param.tensor.device());
            let step = Move { param: &param.tensor, grad, slots: &mut param.slots };
            match batches.iter_mut().find(|(group, kind, device, _)| (*group, *kind, *device) == key) {
                Some((.., moves)) => moves.push(step),
                None => batches.push((key.0, key.1, key.2, vec![step])),
            }
        }
        for (group, _, _, moves) in batches {
            let options = &self.groups[group];
            match self.kind {
                OptimizerKind::Adam => adam::step(moves, options, false, bad)?,
                OptimizerKind::AdamW => adam::step(moves, options, true, bad)?,
                OptimizerKind::Sgd => sgd::step(moves, options, bad)?,
            }
        }
        Ok(())
    }

    /// Leaves every parameter without a gradient.
    pub fn zero_grad(&self) -> Result<()> {
        self.params.iter().try_for_each(|param| set_grad(&param.tensor, None))
    }

    /// Sets the options of a group, such as a new learning rate.
    pub fn set_options(&mut self, group: usize, options: OptimizerOptions) -> Result<()> {
        options.check(self.kind)?;
        let count = self.groups.len();
        let slot = self.groups.get_mut(group).ok_or_else(|| {
            crate::error::range(format!("there are {count} parameter groups, but number {group} was named"))
        })?;
        *slot = options;
        Ok(())
    }

    /// The options of every group.
    pub fn groups(&self) -> &[OptimizerOptions] {
        &self.groups
    }

    /// Bytes that the state takes.
    pub fn state_bytes(&self) -> usize {
        let late = |param: &Param| param.late.as_ref().map_or(0, |state| state.owner.lock().late.bytes());
        self.params.iter().map(|param| param.slots.bytes() + late(param)).sum()
    }
}

/// libtorch's fused kernels walk over memory, so all tensors of a parameter must be laid out alike, row by row.
fn dense(tensor: &Tensor) -> Result<Tensor> {
    tensor.f_contiguous().torch()
}

/// Writes a moved copy back where the parameter itself is not laid out row by row.
fn write_back(param: &Tensor, moved: &Tensor) -> Result<()> {
    if param.is_contiguous() {
        return Ok(());
    }
    param.shallow_clone().f_copy_(moved).torch()
}
