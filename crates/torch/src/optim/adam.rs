//! One step of Adam and AdamW.

use super::options::OptimizerOptions;
use super::param::{Move, dense, write_back};
use crate::Result;
use crate::error::IntoResult;
use crate::shim::abi::AdamArguments;
use crate::shim::{self, check, handles};
use tch::{Device, Kind, Tensor};

/// Adds 1 to a number that the optimizer owns, unless the step will not be made.
fn count_up(step: &mut Tensor, stays: bool) -> Result<()> {
    if stays {
        return Ok(());
    }
    if step.f_kind().is_ok_and(|kind| kind == Kind::Float) && step.numel() == 1 {
        // SAFETY: one float32 on the CPU, which only this step uses. An operator for it costs more than the
        // rest of the step of a small parameter.
        unsafe { *step.data_ptr().cast::<f32>() += 1.0 };
        return Ok(());
    }
    let _ = step.f_add_scalar_(1.0).torch()?;
    Ok(())
}

/// Moves parameters of one group, dtype and device.
pub(super) fn step(
    moves: Vec<Move<'_>>,
    options: &OptimizerOptions,
    decoupled: bool,
    bad: Option<&Tensor>,
) -> Result<()> {
    let count = moves.len();
    // Of parameters on the CPU it is known here; on a GPU the shim counts.
    let stays = match bad {
        Some(bad) if bad.device() == Device::Cpu => bad.f_double_value(&[]).torch()? > 0.0,
        _ => false,
    };
    let mut params = Vec::with_capacity(count);
    let mut grads = Vec::with_capacity(count);
    let (mut averages, mut squares, mut maxima, mut steps) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut targets = Vec::with_capacity(count);
    for Move { param, grad, slots } in moves {
        let zeros = || -> Result<Tensor> { dense(param)?.f_zeros_like().torch() };
        let device = param.device();
        averages.push(slots.exp_avg.get_or_try(zeros)?);
        squares.push(slots.exp_avg_sq.get_or_try(zeros)?);
        if options.amsgrad {
            maxima.push(slots.max_exp_avg_sq.get_or_try(zeros)?);
        }
        let all: [i64; 0] = [];
        let mut step = slots.step.get_or_try(|| Tensor::f_zeros(&all[..], (Kind::Float, device)).torch())?;
        if device == Device::Cpu {
            count_up(&mut step, stays)?;
        }
        steps.push(step);
        params.push(dense(param)?);
        grads.push(dense(&grad)?);
        targets.push(param);
    }
    let arguments = AdamArguments {
        lr: options.lr,
        beta1: options.beta1,
        beta2: options.beta2,
        weight_decay: options.weight_decay,
        eps: options.eps,
        amsgrad: i32::from(options.amsgrad),
        maximize: i32::from(options.maximize),
        decoupled: i32::from(decoupled),
    };
    let (p, g, m, v) = (handles(&params), handles(&grads), handles(&averages), handles(&squares));
    let (x, s) = (handles(&maxima), handles(&steps));
    // SAFETY: every array holds `count` handles borrowed from the vectors above (`x` is read only with amsgrad, and then
    // has as many); all tensors of one index are dense and of one shape, dtype and device; `bad` is null or borrowed.
    check(unsafe {
        shim::recurra_fused_adam_(
            p.as_ptr(),
            g.as_ptr(),
            m.as_ptr(),
            v.as_ptr(),
            x.as_ptr(),
            s.as_ptr(),
            count,
            bad.map_or(std::ptr::null(), shim::handle),
            &raw const arguments,
        )
    })?;
    targets.into_iter().zip(&params).try_for_each(|(target, moved)| write_back(target, moved))
}
