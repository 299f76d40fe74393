//! Padded input as packed rows of equal length, and back.

use crate::Result;
use crate::error::{IntoResult, shape};
use tch::Tensor;

/// Rows per step of padded input of this shape.
pub(super) fn equal_lengths(size: &[i64], batch_first: bool) -> Result<Vec<i32>> {
    let (steps, batch) = if batch_first { (size[1], size[0]) } else { (size[0], size[1]) };
    let rows = i32::try_from(batch).map_err(|_| shape(format!("rnn: {batch} rows are too many")))?;
    Ok(vec![rows; steps as usize])
}

/// Padded input as packed rows of equal length, step by step, and the rows per step.
pub(super) fn packed(input: &Tensor, batch_first: bool) -> Result<(Tensor, Vec<i32>)> {
    let size = input.size();
    let batch_sizes = equal_lengths(&size, batch_first)?;
    let by_step = if batch_first { input.f_transpose(0, 1).torch()? } else { input.shallow_clone() };
    Ok((by_step.f_reshape([size[0] * size[1], size[2]]).torch()?, batch_sizes))
}

/// The reverse of [`packed`], for an output.
pub(super) fn padded(output: &Tensor, steps: i64, batch_first: bool) -> Result<Tensor> {
    let padded = output.f_reshape([steps, -1, output.size()[1]]).torch()?;
    if batch_first { padded.f_transpose(0, 1).torch() } else { Ok(padded) }
}
