//! The linear layer.

use super::small::{SMALL_LINEAR, small};
use crate::check::{floating, has_rank, has_shape, same_device, same_dtype_or_autocast};
use crate::error::{IntoResult, shape};
use crate::{Result, autocast, shim};
use tch::Tensor;

/// `x W^T + b`; `x` `[..., inputs]`, `weight` `[outputs, inputs]`, `bias` `[outputs]`.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    has_rank("linear", "weight", weight, 2, "[outputs, inputs]")?;
    let size = weight.size();
    if x.size().last() != Some(&size[1]) {
        return Err(shape(format!(
            "linear: input must be [..., {}] for a weight {size:?}, but is {:?}",
            size[1],
            x.size()
        )));
    }
    floating("linear", "input", x)?;
    same_dtype_or_autocast("linear", "weight", weight, "input", x)?;
    same_device("linear", "weight", weight, "input", x)?;
    if let Some(bias) = bias {
        has_shape("linear", "bias", bias, "[outputs]", &size[..1])?;
        same_dtype_or_autocast("linear", "bias", bias, "input", x)?;
        same_device("linear", "bias", bias, "input", x)?;
    }
    let work = size[0].saturating_mul(x.numel() as i64);
    let plain = |tensor: &Tensor| small(tensor, SMALL_LINEAR);
    if x.dim() == 2
        && !autocast::active(x.device())
        && work <= SMALL_LINEAR
        && plain(x)
        && plain(weight)
        && bias.is_none_or(plain)
    {
        return shim::small_linear(x, weight, bias);
    }
    x.f_linear(weight, bias).torch()
}
