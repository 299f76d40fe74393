//! Gradients: backward passes, `.grad`, and the grad mode of the current thread.

use crate::Result;
use crate::check::{same_device, same_shape};
use crate::error::{IntoResult, argument, dtype, shape};
use crate::shim::{self, check, handle};
use crate::tensor::convert::to_dense;
use crate::tensor::{describe, is_floating};
use std::ptr;
use tch::Tensor;

/// Runs backward from `tensor` and adds the gradients into the `.grad` of the leaves.
///
/// `gradient` is the gradient of what follows; without it `tensor` must have one element. With `retain_graph` the graph
/// can be run backward again.
pub fn backward(tensor: &Tensor, gradient: Option<&Tensor>, retain_graph: bool) -> Result<()> {
    if !tensor.requires_grad() {
        return Err(argument(
            "backward: the tensor does not depend on anything that requires gradients; \
             set requiresGrad on a parameter and compute outside noGrad",
        ));
    }
    match gradient {
        Some(gradient) => {
            same_shape("backward", "gradient", gradient, "the tensor", tensor)?;
            same_device("backward", "gradient", gradient, "the tensor", tensor)?;
        }
        None if tensor.numel() != 1 => {
            return Err(shape(format!(
                "backward: without a gradient the tensor must have one element, but it is {}",
                describe(tensor)
            )));
        }
        None => {}
    }
    let gradient = gradient.map_or(ptr::null(), handle);
    // SAFETY: both handles are borrowed from live tensors (or null, which the shim allows for the gradient).
    check(unsafe { shim::recurra_backward(handle(tensor), gradient, i32::from(retain_graph)) })
}

/// The accumulated gradient, if there is one; that of an embedding's weight may be sparse.
pub fn grad(tensor: &Tensor) -> Result<Option<Tensor>> {
    let grad = tensor.f_grad().torch()?;
    Ok(grad.defined().then_some(grad))
}

/// The accumulated gradient, as users see it: one that names its rows only is replaced by its dense equal.
pub fn dense_grad(tensor: &Tensor) -> Result<Option<Tensor>> {
    let Some(grad) = grad(tensor)?.filter(Tensor::is_sparse) else { return grad(tensor) };
    let dense = to_dense(&grad)?;
    set_grad(tensor, Some(&dense))?;
    Ok(Some(dense))
}

/// Replaces the accumulated gradient; `None` leaves the tensor without one.
pub fn set_grad(tensor: &Tensor, gradient: Option<&Tensor>) -> Result<()> {
    if let Some(gradient) = gradient {
        same_shape("setGrad", "grad", gradient, "the tensor", tensor)?;
        same_device("setGrad", "grad", gradient, "the tensor", tensor)?;
        if gradient.f_kind().torch()? != tensor.f_kind().torch()? {
            return Err(dtype(format!(
                "setGrad: the gradient must have the tensor's dtype, but it is {} for {}",
                describe(gradient),
                describe(tensor)
            )));
        }
    }
    let gradient = gradient.map_or(ptr::null(), handle);
    // SAFETY: both handles are borrowed from live tensors (or null, which means none).
    check(unsafe { shim::recurra_set_grad(handle(tensor), gradient) })
}

/// Turns the recording of operations on a leaf on or off.
pub fn set_requires_grad(tensor: &Tensor, on: bool) -> Result<()> {
    if on && !is_floating(tensor.f_kind().torch()?) {
        return Err(dtype(format!(
            "requiresGrad: only floating point tensors can require gradients, not {}",
            describe(tensor)
        )));
    }
    if tensor.requires_grad() != on && !tensor.f_is_leaf().torch()? {
        return Err(argument("requiresGrad: only a leaf can change it; use detach() for a tensor without gradients"));
    }
    let _ = tensor.f_set_requires_grad(on).torch()?;
    Ok(())
}

/// Name of the recorded function that computed the tensor, such as `MulBackward0`; `None` if there is none.
pub fn grad_name(tensor: &Tensor) -> Result<Option<String>> {
    let mut name = ptr::null_mut();
    // SAFETY: borrowed handle, pointer to a local.
    check(unsafe { shim::recurra_grad_name(handle(tensor), &mut name) })?;
    // A function of this crate is a template: `torch::autograd::CppNode<FusedRnn>`.
    let word = |text: String| {
        let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        words.next_back().unwrap_or_default().to_owned()
    };
    Ok(shim::text(name).map(word))
}

/// Whether the current thread records operations for gradients.
pub fn is_grad_enabled() -> bool {
    // SAFETY: reads a thread-local flag.
    unsafe { shim::recurra_grad_enabled() != 0 }
}

/// Sets whether the current thread records operations; returns what it was.
pub fn set_grad_enabled(on: bool) -> bool {
    // SAFETY: writes a thread-local flag.
    unsafe { shim::recurra_set_grad_enabled(i32::from(on)) != 0 }
}

/// Sets the grad mode for as long as it lives, also when a panic unwinds.
pub struct GradMode {
    before: bool,
}

impl GradMode {
    /// Records operations (`true`) or not (`false`) until the guard is dropped.
    #[must_use]
    pub fn new(on: bool) -> Self {
        Self { before: set_grad_enabled(on) }
    }
}

impl Drop for GradMode {
    fn drop(&mut self) {
        set_grad_enabled(self.before);
    }
}
