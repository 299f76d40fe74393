//! Views, selections and joins.

use crate::Result;
use crate::check::{axis, axis_of_rank, indices, integers, same_device};
use crate::error::{IntoResult, argument, dtype, range, shape};
use crate::tensor::describe;
use tch::{Kind, Tensor};

/// The `index`-th slice along a dimension; counts from the end where it is negative.
pub fn select(x: &Tensor, dim: i64, index: i64) -> Result<Tensor> {
    let size = x.size();
    let Some(&length) = size.get(axis("select", x, dim)?) else {
        return Err(shape("select: a tensor without dimensions has nothing to select from; use item()"));
    };
    if index < -length || index >= length {
        return Err(range(format!("select: index must be at least {} and below {length}, but is {index}", -length)));
    }
    x.f_select(dim, index).torch()
}

/// From `start` up to but without `end`, every `step`-th.
pub fn slice(x: &Tensor, dim: i64, start: Option<i64>, end: Option<i64>, step: i64) -> Result<Tensor> {
    axis("slice", x, dim)?;
    if x.dim() == 0 {
        return Err(shape("slice: a tensor without dimensions cannot be sliced"));
    }
    if step < 1 {
        return Err(argument(format!("slice: step must be at least 1, but is {step}; use flip() to go backwards")));
    }
    x.f_slice(dim, start, end, step).torch()
}

/// The slices along a dimension that a vector of indices names.
pub fn index_select(x: &Tensor, dim: i64, index: &Tensor) -> Result<Tensor> {
    let along = axis("indexSelect", x, dim)?;
    same_device("indexSelect", "index", index, "the tensor", x)?;
    integers("indexSelect", "index", index)?;
    if index.dim() > 1 {
        return Err(shape(format!("indexSelect: index must have one dimension, but is {:?}", index.size())));
    }
    indices("indexSelect", "index", index, 0, x.size().get(along).copied().unwrap_or(1))?;
    x.f_index_select(dim, index).torch()
}

/// `out[i][j] = x[i][index[i][j]]` for `dim` 1, and so for each dimension.
pub fn gather(x: &Tensor, dim: i64, index: &Tensor) -> Result<Tensor> {
    let along = axis("gather", x, dim)?;
    same_device("gather", "index", index, "the tensor", x)?;
    if index.f_kind().torch()? != Kind::Int64 {
        return Err(dtype(format!("gather: index must be int64, but is {}", describe(index))));
    }
    let (have, want) = (x.size(), index.size());
    if have.len() != want.len() || have.iter().zip(&want).enumerate().any(|(d, (x, i))| d != along && i > x) {
        return Err(shape(format!(
            "gather: index must have as many dimensions as the tensor and be no larger in those other than dim {along}, \
             but is {want:?} for {have:?}"
        )));
    }
    indices("gather", "index", index, 0, have.get(along).copied().unwrap_or(1))?;
    x.f_gather(dim, index, false).torch()
}

/// PyTorch's advanced indexing `x[i, j, ...]`; `None` takes a whole dimension.
pub fn index(x: &Tensor, by: &[Option<&Tensor>]) -> Result<Tensor> {
    let size = x.size();
    let mut dim = 0;
    for index in by {
        let Some(index) = index else {
            dim += 1;
            continue;
        };
        let is_mask = index.f_kind().torch()? == Kind::Bool;
        let takes = if is_mask { index.dim() } else { 1 };
        if dim + takes > size.len() {
            return Err(shape(format!("index: too many indices for a tensor of shape {size:?}")));
        }
        if is_mask {
            if index.size() != size[dim..dim + takes] {
                return Err(shape(format!(
                    "index: a mask must have the shape of what it selects from, {:?}, but is {:?}",
                    &size[dim..dim + takes],
                    index.size()
                )));
            }
        } else {
            integers("index", "an index", index)?;
            indices("index", "an index", index, -size[dim], size[dim])?;
        }
        dim += takes;
    }
    if dim > size.len() {
        return Err(shape(format!("index: too many indices for a tensor of shape {size:?}")));
    }
    x.f_index(by).torch()
}

/// Swaps two dimensions.
pub fn transpose(x: &Tensor, a: i64, b: i64) -> Result<Tensor> {
    axis("transpose", x, a)?;
    axis("transpose", x, b)?;
    x.f_transpose(a, b).torch()
}

/// Puts the dimensions in another order.
pub fn permute(x: &Tensor, dims: &[i64]) -> Result<Tensor> {
    let mut order = dims.iter().map(|&dim| axis("permute", x, dim)).collect::<Result<Vec<_>>>()?;
    order.sort_unstable();
    if !order.iter().copied().eq(0..x.dim()) {
        return Err(argument(format!(
            "permute: dims must name each of the {} dimensions once, but is {dims:?}",
            x.dim()
        )));
    }
    x.f_permute(dims).torch()
}

/// Another shape for the same elements; one dimension may be -1.
pub fn reshape(x: &Tensor, dims: &[i64]) -> Result<Tensor> {
    let count = x.numel() as i64;
    let unknown = dims.iter().filter(|&&dim| dim == -1).count();
    let known = dims
        .iter()
        .filter(|&&dim| dim != -1)
        .try_fold(1_i64, |product, &dim| if dim < 0 { None } else { product.checked_mul(dim) });
    let fits = match (known, unknown) {
        (Some(known), 0) => known == count,
        (Some(known), 1) => known > 0 && count % known == 0,
        _ => false,
    };
    if !fits {
        return Err(shape(format!("reshape: {count} elements of shape {:?} cannot be seen as {dims:?}", x.size())));
    }
    x.f_reshape(dims).torch()
}

/// Drops a dimension of size 1, or all of them.
pub fn squeeze(x: &Tensor, dim: Option<i64>) -> Result<Tensor> {
    match dim {
        None => x.f_squeeze().torch(),
        Some(dim) => {
            axis("squeeze", x, dim)?;
            x.f_squeeze_dim(dim).torch()
        }
    }
}

/// Inserts a dimension of size 1.
pub fn unsqueeze(x: &Tensor, dim: i64) -> Result<Tensor> {
    axis_of_rank("unsqueeze", dim, x.dim() + 1)?;
    x.f_unsqueeze(dim).torch()
}

/// Repeats dimensions of size 1 without copying; -1 keeps a dimension.
pub fn expand(x: &Tensor, dims: &[i64]) -> Result<Tensor> {
    let size = x.size();
    let new = dims.len().saturating_sub(size.len());
    let fits = dims.len() >= size.len()
        && dims[..new].iter().all(|&dim| dim >= 0)
        && dims[new..].iter().zip(&size).all(|(&want, &have)| want == -1 || want == have || (have == 1 && want >= 0));
    if !fits {
        return Err(shape(format!(
            "expand: shape {size:?} cannot be repeated to {dims:?}; only dimensions of size 1 can"
        )));
    }
    x.f_expand(dims, false).torch()
}

/// Joins the dimensions `start..=end` into one.
pub fn flatten(x: &Tensor, start: i64, end: i64) -> Result<Tensor> {
    let (first, last) = (axis("flatten", x, start)?, axis("flatten", x, end)?);
    if first > last {
        return Err(argument(format!("flatten: startDim must not come after endDim, but they are {start} and {end}")));
    }
    x.f_flatten(start, end).torch()
}

/// Reverses the order along dimensions.
pub fn flip(x: &Tensor, dims: &[i64]) -> Result<Tensor> {
    for &dim in dims {
        axis("flip", x, dim)?;
    }
    x.f_flip(dims).torch()
}

/// Joins tensors along an existing dimension.
pub fn cat(tensors: &[&Tensor], dim: i64) -> Result<Tensor> {
    let Some(first) = tensors.first() else {
        return Err(argument("cat: give at least one tensor"));
    };
    let along = axis("cat", first, dim)?;
    let size = first.size();
    if size.is_empty() {
        return Err(shape("cat: tensors without dimensions cannot be joined; use stack()"));
    }
    for (position, other) in tensors.iter().enumerate().skip(1) {
        same_device("cat", "a tensor", other, "the first", first)?;
        let theirs = other.size();
        if theirs.len() != size.len() || size.iter().zip(&theirs).enumerate().any(|(d, (a, b))| d != along && a != b) {
            return Err(shape(format!(
                "cat: all tensors must have equal shapes except in dimension {along}, but the first is {size:?} and number {position} is {theirs:?}"
            )));
        }
    }
    Tensor::f_cat(tensors, dim).torch()
}

/// Joins tensors along a new dimension.
pub fn stack(tensors: &[&Tensor], dim: i64) -> Result<Tensor> {
    let Some(first) = tensors.first() else {
        return Err(argument("stack: give at least one tensor"));
    };
    axis_of_rank("stack", dim, first.dim() + 1)?;
    let size = first.size();
    for (position, other) in tensors.iter().enumerate().skip(1) {
        same_device("stack", "a tensor", other, "the first", first)?;
        if other.size() != size {
            return Err(shape(format!(
                "stack: all tensors must have the same shape, but the first is {size:?} and number {position} is {:?}",
                other.size()
            )));
        }
    }
    Tensor::f_stack(tensors, dim).torch()
}
