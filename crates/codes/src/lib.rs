//! Matrices with few bits per number. Rows are decoded one at a time, so the whole matrix never is.
//!
//! | code | bytes per row of `dims` numbers | contents |
//! |---|---|---|
//! | [`Code::Int8`] | `dims + 2` | integers from -127 to 127, times the row's scale |
//! | [`Code::Int4`] | `dims / 2 + 2` | integers from -7 to 7, times the row's scale |
//! | [`Code::Product`] | `dims / width + 1` | the row's norm, and for each part of `width` numbers the nearest of 256 directions |
//!
//! Product codes are those of Jégou, Douze and Schmid, 2011, "Product quantization for nearest neighbor search". Norms
//! are coded separately from directions, as with fastText's `-qnorm`. Scales are bfloat16.

mod arrays;
mod bfloat16;
mod coded;
mod kmeans;
mod product;
mod scalar;

pub use arrays::{Listed, listed, take, widened};
pub use coded::{Code, Coded};
pub use recurra_core::{Error, ErrorCode, NamedArray, Result};

use recurra_core::Error as CoreError;

/// An error about an array in a file.
pub(crate) fn damaged(message: impl Into<String>) -> CoreError {
    CoreError::new(ErrorCode::InvalidFile, message)
}

/// Allocates space for `count` values fallibly: the number comes from a file, or the model may be large.
pub(crate) fn room<T>(count: usize) -> Result<Vec<T>> {
    let mut values = Vec::new();
    values.try_reserve_exact(count).map_err(|_| {
        CoreError::new(ErrorCode::OutOfMemory, format!("no memory for {count} values of a coded matrix"))
    })?;
    Ok(values)
}
