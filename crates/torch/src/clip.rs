//! Gradient clipping, as `torch.nn.utils.clip_grad_norm_` and `clip_grad_value_`.

use crate::Result;
use crate::autograd::{GradMode, grad};
use crate::error::{IntoResult, argument};
use crate::shim::{self, check, handle};
use crate::tensor::reduce::norm;
use tch::Tensor;

/// Scales all gradients together so that their common p-norm is at most `max_norm`; returns the norm before.
///
/// Parameters without a gradient are left out; without any the norm is 0.
pub fn clip_grad_norm(params: &[&Tensor], max_norm: f64, norm_type: f64) -> Result<f64> {
    clip_on_device(params, max_norm, norm_type)?.map_or(Ok(0.0), |norm| norm.f_double_value(&[]).torch())
}

/// As [`clip_grad_norm`]; the norm stays on the device, so the host does not wait for it. `None` where there is no gradient.
pub(crate) fn clip_on_device(params: &[&Tensor], max_norm: f64, norm_type: f64) -> Result<Option<Tensor>> {
    if max_norm.is_nan() || max_norm < 0.0 {
        return Err(argument(format!("clipGradNorm: maxNorm must not be negative, but is {max_norm}")));
    }
    if norm_type.is_nan() || norm_type <= 0.0 {
        return Err(argument(format!("clipGradNorm: normType must be positive, but is {norm_type}")));
    }
    let _mode = GradMode::new(false);
    let grads = grads(params)?;
    let Some(first) = grads.first() else {
        return Ok(None);
    };
    let device = first.device();
    let together = grads.iter().all(|grad| grad.device() == device);
    let norms = if together {
        shim::norms(&grads, norm_type)?
    } else {
        grads.iter().map(|grad| norm(grad, norm_type)?.f_to(device).torch()).collect::<Result<Vec<_>>>()?
    };
    let total = norm(&Tensor::f_stack(&norms, 0).torch()?, norm_type)?;
    // The small constant and the clamp are PyTorch's: the product is taken also where the factor is 1.
    let factor = total.f_add_scalar(1e-6).torch()?.f_reciprocal().torch()?.f_mul_scalar(max_norm).torch()?;
    let factor = factor.f_clamp_max(1.0).torch()?;
    if together {
        shim::scale(&grads, &factor)?;
        return Ok(Some(total));
    }
    for mut grad in grads {
        let factor = factor.f_to(grad.device()).torch()?;
        let _ = grad.f_mul_(&factor).torch()?;
    }
    Ok(Some(total))
}

/// Limits every element of every gradient to `-clip..=clip`.
pub fn clip_grad_value(params: &[&Tensor], clip: f64) -> Result<()> {
    if clip.is_nan() || clip < 0.0 {
        return Err(argument(format!("clipGradValue: clip must not be negative, but is {clip}")));
    }
    let _mode = GradMode::new(false);
    for mut grad in grads(params)? {
        let _ = grad.f_clamp_(-clip, clip).torch()?;
    }
    Ok(())
}

/// The gradients there are, or those of their elements that are not zero.
fn grads(params: &[&Tensor]) -> Result<Vec<Tensor>> {
    let mut grads = Vec::with_capacity(params.len());
    for param in params {
        let Some(mut grad) = grad(param)? else { continue };
        if grad.is_sparse() {
            // Rows that repeat are summed first: norm and limit are of the sums. The values are the gradient's own memory.
            if !grad.f_is_coalesced().torch()? {
                grad = grad.f_coalesce().torch()?;
                // SAFETY: both handles are borrowed from live tensors.
                check(unsafe { shim::recurra_set_grad(handle(param), handle(&grad)) })?;
            }
            grad = grad.f_internal_values().torch()?;
            if grad.numel() == 0 {
                continue;
            }
        }
        grads.push(grad);
    }
    Ok(grads)
}
