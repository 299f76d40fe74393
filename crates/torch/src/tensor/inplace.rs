//! Changes in place. On a leaf that requires gradients they need grad mode off; libtorch refuses them otherwise.

use crate::Result;
use crate::check::operands;
use crate::error::{IntoResult, argument, shape};
use crate::shim::abi::Operation;
use crate::shim::{self, check, handle, with_number};
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

/// `target *= value`.
pub fn mul_scalar_(target: &Tensor, value: f64) -> Result<()> {
    let _ = with_number(Operation::MulInPlace, target, number_beside(target, value))?;
    Ok(())
}
