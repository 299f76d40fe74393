//! Matrices of few bits a number, whose rows are looked up one by one and never decoded as a whole.
//!
//! | code | bytes of a row of `dims` numbers | what it keeps |
//! |---|---|---|
//! | [`Code::Int8`] | `dims + 2` | whole numbers from -127 to 127, times the row's scale |
//! | [`Code::Int4`] | `dims / 2 + 2` | whole numbers from -7 to 7, times the row's scale |
//! | [`Code::Product`] | `dims / width + 1` | the row's length, and for each part of `width` numbers the nearest of 256 directions |
//!
//! Product codes are those of Jégou, Douze and Schmid, 2011, "Product quantization for nearest neighbor search"; lengths are coded
//! apart from directions, as fastText's `-qnorm` does. Scales are bfloat16.

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

/// An error of a file's array.
pub(crate) fn damaged(message: impl Into<String>) -> CoreError {
    CoreError::new(ErrorCode::InvalidFile, message)
}

/// Room for `count` values of a file's claim, or of a model that may be large.
pub(crate) fn room<T>(count: usize) -> Result<Vec<T>> {
    let mut values = Vec::new();
    values.try_reserve_exact(count).map_err(|_| {
        CoreError::new(ErrorCode::OutOfMemory, format!("no memory for {count} values of a coded matrix"))
    })?;
    Ok(values)
}
