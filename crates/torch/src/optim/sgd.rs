//! One step of SGD.

use super::options::OptimizerOptions;
use super::param::{Move, dense, write_back};
use crate::Result;
use crate::error::IntoResult;
use crate::shim::abi::SgdArguments;
use crate::shim::{self, check, handles};
use tch::Tensor;

/// Moves parameters of one group, dtype and device.
pub(super) fn step(moves: Vec<Move<'_>>, options: &OptimizerOptions, bad: Option<&Tensor>) -> Result<()> {
    // The first step of a parameter writes its buffer instead of reading it; libtorch asks once per call.
    let (first, later): (Vec<_>, Vec<_>) = moves.into_iter().partition(|step| !step.slots.momentum_buffer.is_some());
    run(first, options, true, bad)?;
    run(later, options, false, bad)
}

fn run(moves: Vec<Move<'_>>, options: &OptimizerOptions, first_step: bool, bad: Option<&Tensor>) -> Result<()> {
    if moves.is_empty() {
        return Ok(());
    }
    let count = moves.len();
    let (mut params, mut grads, mut buffers) = (Vec::new(), Vec::new(), Vec::new());
    let mut targets = Vec::with_capacity(count);
    for Move { param, grad, slots } in moves {
        let param_dense = dense(param)?;
        if options.momentum != 0.0 {
            buffers.push(slots.momentum_buffer.get_or_try(|| param_dense.f_zeros_like().torch())?);
        }
        params.push(param_dense);
        grads.push(dense(&grad)?);
        targets.push(param);
    }
    let arguments = SgdArguments {
        lr: options.lr,
        momentum: options.momentum,
        dampening: options.dampening,
        weight_decay: options.weight_decay,
        nesterov: i32::from(options.nesterov),
        maximize: i32::from(options.maximize),
        first_step: i32::from(first_step),
    };
    let bad = bad.map_or(std::ptr::null(), shim::handle);
    let (p, g, b) = (handles(&params), handles(&grads), handles(&buffers));
    // SAFETY: `p` and `g` hold `count` handles borrowed from the vectors above, and so does `b` with momentum, without
    // which it is not read; all tensors of one index are dense and of one shape, dtype and device; `bad` is null or
    // borrowed.
    check(unsafe { shim::recurra_fused_sgd_(p.as_ptr(), g.as_ptr(), b.as_ptr(), count, bad, &raw const arguments) })?;
    targets.into_iter().zip(&params).try_for_each(|(target, moved)| write_back(target, moved))
}
