//! Changes in place. On a leaf that requires gradients they need grad mode off; libtorch refuses them otherwise.

use crate::Result;
use crate::check::operands;
use crate::error::{IntoResult, argument, shape};
use crate::shim::abi::Operation;
use crate::shim::{self, check, handle, with_number};
use crate::tensor::math::boolean;
use crate::tensor::number_beside;
use tch::Tensor;

fn fits_into(operation: &str, target: &Tensor, source: &Tensor) -> Result<()> {
    let (have, give) = (target.size(), source.size());
    let fits = give.len() <= have.len() && give.iter().rev().zip(have.iter().rev()).all(|(g, h)| g == h || *g == 1);
    if fits {
        return Ok(());
    }
    Err(shape(format!("{operation}: a tensor of shape {give:?} does not fit into one of shape {have:?}")))
}

/// Copies values, converting dtype and device.
pub fn copy_(target: &Tensor, source: &Tensor) -> Result<()> {
    fits_into("copy_", target, source)?;
    target.shallow_clone().f_copy_(source).torch()
}

/// Sets every element.
pub fn fill_(target: &Tensor, value: f64) -> Result<()> {
    let _ = with_number(Operation::Fill, target, number_beside(target, value))?;
    Ok(())
}

/// Sets every element to 0.
pub fn zero_(target: &Tensor) -> Result<()> {
    let _ = target.shallow_clone().f_zero_().torch()?;
    Ok(())
}

/// Fills from the normal distribution, from the global generator.
pub fn normal_(target: &Tensor, mean: f64, std: f64) -> Result<()> {
    if std.is_nan() || std < 0.0 {
        return Err(argument(format!("normal_: std must not be negative, but is {std}")));
    }
    let _ = target.shallow_clone().f_normal_(mean, std).torch()?;
    Ok(())
}

/// Fills uniformly over `from..to`, from the global generator.
pub fn uniform_(target: &Tensor, from: f64, to: f64) -> Result<()> {
    if from.is_nan() || to.is_nan() || from > to {
        return Err(argument(format!("uniform_: from must not be above to, but they are {from} and {to}")));
    }
    let _ = target.shallow_clone().f_uniform_(from, to).torch()?;
    Ok(())
}

/// `target += alpha * other`.
pub fn add_(target: &Tensor, other: &Tensor, alpha: f64) -> Result<()> {
    operands("add_", target, other)?;
    fits_into("add_", target, other)?;
    // SAFETY: both handles are borrowed from live tensors.
    check(unsafe { shim::recurra_add_(handle(target), handle(other), alpha) })
}

/// `target -= alpha * other`.
pub fn sub_(target: &Tensor, other: &Tensor, alpha: f64) -> Result<()> {
    operands("sub_", target, other)?;
    fits_into("sub_", target, other)?;
    // SAFETY: both handles are borrowed from live tensors.
    check(unsafe { shim::recurra_sub_(handle(target), handle(other), alpha) })
}

/// `target += alpha * value`.
pub fn add_scalar_(target: &Tensor, value: f64, alpha: f64) -> Result<()> {
    shim::add_number(target, number_beside(target, value), number_beside(target, alpha), false)
}

/// `target -= alpha * value`.
pub fn sub_scalar_(target: &Tensor, value: f64, alpha: f64) -> Result<()> {
    shim::add_number(target, number_beside(target, value), number_beside(target, alpha), true)
}

/// `target *= other`.
pub fn mul_(target: &Tensor, other: &Tensor) -> Result<()> {
    operands("mul_", target, other)?;
    fits_into("mul_", target, other)?;
    let _ = target.shallow_clone().f_mul_(other).torch()?;
    Ok(())
}

/// `target /= other`.
pub fn div_(target: &Tensor, other: &Tensor) -> Result<()> {
    operands("div_", target, other)?;
    fits_into("div_", target, other)?;
    let _ = target.shallow_clone().f_div_(other).torch()?;
    Ok(())
}

/// `target /= value`.
pub fn div_scalar_(target: &Tensor, value: f64) -> Result<()> {
    let _ = with_number(Operation::DivInPlace, target, number_beside(target, value))?;
    Ok(())
}

/// Limits the elements to `min..=max`; at least one bound must be given.
pub fn clamp_(target: &Tensor, min: Option<f64>, max: Option<f64>) -> Result<()> {
    if min.is_none() && max.is_none() {
        return Err(argument("clamp_: give min, max or both"));
    }
    let number = |bound: f64| number_beside(target, bound);
    shim::clamp_in_place(target, min.map(number), max.map(number))
}

/// Sets the elements where the mask is true.
pub fn masked_fill_(target: &Tensor, mask: &Tensor, value: f64) -> Result<()> {
    boolean("maskedFill_", "mask", mask)?;
    operands("maskedFill_", target, mask)?;
    fits_into("maskedFill_", target, mask)?;
    shim::masked_fill_in_place(target, mask, number_beside(target, value))
}

/// `target *= value`.
pub fn mul_scalar_(target: &Tensor, value: f64) -> Result<()> {
    let _ = with_number(Operation::MulInPlace, target, number_beside(target, value))?;
    Ok(())
}
