//! From many elements to few: sums, means, extremes, norms, softmax.

use crate::Result;
use crate::check::{axis, floating};
use crate::error::{IntoResult, argument, shape};
use crate::tensor::describe;
use tch::{Kind, Tensor};

fn axes(operation: &str, x: &Tensor, dims: &[i64]) -> Result<()> {
    let mut seen = Vec::with_capacity(dims.len());
    for &dim in dims {
        let index = axis(operation, x, dim)?;
        if seen.contains(&index) {
            return Err(argument(format!("{operation}: dimension {dim} appears twice in {dims:?}")));
        }
        seen.push(index);
    }
    Ok(())
}

fn not_empty(operation: &str, x: &Tensor) -> Result<()> {
    if x.numel() > 0 {
        return Ok(());
    }
    Err(shape(format!("{operation}: an empty tensor has no extreme element; it is {}", describe(x))))
}

fn not_empty_along(operation: &str, x: &Tensor, dim: i64) -> Result<()> {
    let index = axis(operation, x, dim)?;
    match x.size().get(index) {
        Some(0) => not_empty(operation, x),
        _ => Ok(()),
    }
}

/// Sum over the dimensions, or over all.
pub fn sum(x: &Tensor, dims: Option<&[i64]>, keepdim: bool) -> Result<Tensor> {
    match dims {
        None => x.f_sum(None).torch(),
        Some(dims) => {
            axes("sum", x, dims)?;
            x.f_sum_dim_intlist(dims, keepdim, None).torch()
        }
    }
}

/// Mean over the dimensions, or over all.
pub fn mean(x: &Tensor, dims: Option<&[i64]>, keepdim: bool) -> Result<Tensor> {
    floating("mean", "the tensor", x)?;
    match dims {
        None => x.f_mean(None).torch(),
        Some(dims) => {
            axes("mean", x, dims)?;
            x.f_mean_dim(dims, keepdim, None).torch()
        }
    }
}

/// The largest element.
pub fn max_all(x: &Tensor) -> Result<Tensor> {
    not_empty("max", x)?;
    x.f_max().torch()
}

/// The smallest element.
pub fn min_all(x: &Tensor) -> Result<Tensor> {
    not_empty("min", x)?;
    x.f_min().torch()
}

/// The largest elements along a dimension, and where they are.
pub fn max_dim(x: &Tensor, dim: i64, keepdim: bool) -> Result<(Tensor, Tensor)> {
    not_empty_along("max", x, dim)?;
    x.f_max_dim(dim, keepdim).torch()
}

/// The smallest elements along a dimension, and where they are.
pub fn min_dim(x: &Tensor, dim: i64, keepdim: bool) -> Result<(Tensor, Tensor)> {
    not_empty_along("min", x, dim)?;
    x.f_min_dim(dim, keepdim).torch()
}

/// Where the largest element is, along a dimension or in the flattened tensor.
pub fn argmax(x: &Tensor, dim: Option<i64>, keepdim: bool) -> Result<Tensor> {
    dim.map_or_else(|| not_empty("argmax", x), |dim| not_empty_along("argmax", x, dim))?;
    x.f_argmax(dim, keepdim).torch()
}

/// Where the smallest element is, along a dimension or in the flattened tensor.
pub fn argmin(x: &Tensor, dim: Option<i64>, keepdim: bool) -> Result<Tensor> {
    dim.map_or_else(|| not_empty("argmin", x), |dim| not_empty_along("argmin", x, dim))?;
    x.f_argmin(dim, keepdim).torch()
}

/// The p-norm over all elements; `p` may be infinite.
pub fn norm(x: &Tensor, p: f64) -> Result<Tensor> {
    floating("norm", "the tensor", x)?;
    let all: [i64; 0] = [];
    x.f_norm_scalaropt_dim(p, &all[..], false).torch()
}

/// Whether any element is not 0.
pub fn any(x: &Tensor) -> Result<Tensor> {
    x.f_any().torch()
}

/// Whether all elements are not 0.
pub fn all(x: &Tensor) -> Result<Tensor> {
    x.f_all().torch()
}

/// Softmax along a dimension.
pub fn softmax(x: &Tensor, dim: i64) -> Result<Tensor> {
    axis("softmax", x, dim)?;
    floating("softmax", "the tensor", x)?;
    x.f_softmax(dim, None::<Kind>).torch()
}

/// Logarithm of softmax along a dimension.
pub fn log_softmax(x: &Tensor, dim: i64) -> Result<Tensor> {
    axis("logSoftmax", x, dim)?;
    floating("logSoftmax", "the tensor", x)?;
    x.f_log_softmax(dim, None::<Kind>).torch()
}
