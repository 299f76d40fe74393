//! Rows of a table by their ids.

use crate::autograd::{grad, set_grad};
use crate::check::{has_rank, indices, integers, same_device};
use crate::embedded::Embedded;
use crate::error::{IntoResult, range};
use crate::tensor::convert::to_dense;
use crate::{Result, late};
use tch::Tensor;

/// Smallest and largest id, where they are known: reading them from a GPU would wait for it.
pub type KnownRange = Option<(i64, i64)>;

/// Refuses a weight and ids that do not fit each other.
pub(super) fn check_table(
    operation: &str,
    weight: &Tensor,
    ids: &Tensor,
    padding_idx: i64,
    known: KnownRange,
) -> Result<()> {
    has_rank(operation, "weight", weight, 2, "[rows, dims]")?;
    same_device(operation, "ids", ids, "weight", weight)?;
    integers(operation, "ids", ids)?;
    let rows = weight.size()[0];
    if padding_idx < -1 || padding_idx >= rows {
        return Err(range(format!(
            "{operation}: paddingIdx must be at least 0 and below {rows}, but is {padding_idx}"
        )));
    }
    if known.is_some_and(|(least, most)| least >= 0 && most < rows) {
        return Ok(());
    }
    indices(operation, "ids", ids, 0, rows)
}

/// Rows of `weight` `[rows, dims]` by `ids` `[...]`: `[..., dims]`. The row `padding_idx` (-1: none) gets no gradient.
pub fn embedding(weight: &Tensor, ids: &Tensor, padding_idx: i64) -> Result<Tensor> {
    match embedding_later(weight, ids, padding_idx, None)? {
        Looked::Now(tensor) => Ok(tensor),
        Looked::Later(embedded) => embedded.tensor(),
    }
}

/// As [`embedding`], not written out where that can wait; see [`Embedded`]. The gradient of a parameter then names its rows, so
/// that an optimizer can leave the others for later; it is handed out dense (`autograd::dense_grad`).
pub fn embedding_later(weight: &Tensor, ids: &Tensor, padding_idx: i64, known: KnownRange) -> Result<Looked> {
    check_table("embedding", weight, ids, padding_idx, known)?;
    if let Some(embedded) = Embedded::look_up(weight, ids, padding_idx)? {
        limit_sparse_grad(weight)?;
        return Ok(Looked::Later(embedded));
    }
    late::settle_tensor(weight)?;
    Ok(Looked::Now(Tensor::f_embedding(weight, ids, padding_idx, false, false).torch()?))
}

/// What an embedding gives.
pub enum Looked {
    /// A tensor.
    Now(Tensor),
    /// What stands for one.
    Later(Embedded),
}

/// Sparse gradients that accumulate are only strung together: above the size of the weight a dense one is smaller.
fn limit_sparse_grad(weight: &Tensor) -> Result<()> {
    if let Some(grad) = grad(weight)?
        && grad.is_sparse()
        && grad.f_internal_nnz().torch()? >= weight.size()[0]
    {
        set_grad(weight, Some(&to_dense(&grad)?))?;
    }
    Ok(())
}
