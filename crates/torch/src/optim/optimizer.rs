//! An optimizer over groups of parameters.

use super::options::OptimizerOptions;
use super::param::{Move, Param};
use super::slots::Slots;
use super::{adam, sgd};
use crate::Result;
use crate::autograd::{GradMode, grad, set_grad};
use crate::error::{IntoResult, argument, range};
use crate::late::settle_tensor;
use crate::tensor::convert::to_dense;
use crate::tensor::{describe, is_floating};
use recurra_core::OptimizerKind;
use tch::Tensor;

/// An optimizer with its parameters and their state.
pub struct Optimizer {
    pub(super) kind: OptimizerKind,
    groups: Vec<OptimizerOptions>,
    pub(super) params: Vec<Param>,
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
                optimizer.params.push(Param { tensor, group: index, slots: Slots::default(), late: None });
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
    /// is 1; the device decides, so the host does not wait. Gradients must be dense.
    pub fn step_unless(&mut self, bad: Option<&Tensor>) -> Result<()> {
        let _mode = GradMode::new(false);
        let mut batches: Vec<(usize, tch::Kind, tch::Device, Vec<Move<'_>>)> = Vec::new();
        for param in &mut self.params {
            let Some(grad) = grad(&param.tensor)? else { continue };
            let grad = if bad.is_some() {
                param.end_late()?;
                if grad.is_sparse() { to_dense(&grad)? } else { grad }
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
        let slot = self
            .groups
            .get_mut(group)
            .ok_or_else(|| range(format!("there are {count} parameter groups, but number {group} was named")))?;
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
