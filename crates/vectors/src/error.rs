//! Constructors of frequent errors, and fallible allocation.

pub(crate) use recurra_core::{Error, ErrorCode, Result};

pub(crate) fn invalid(option: &'static str, message: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidArgument, message).about(option)
}

fn no_memory(bytes: usize) -> Error {
    Error::new(ErrorCode::OutOfMemory, format!("the system refused memory for {bytes} more bytes"))
}

/// Reserves space for more values.
pub(crate) fn reserve<T>(values: &mut Vec<T>, more: usize) -> Result<()> {
    values.try_reserve(more).map_err(|_| no_memory(more.saturating_mul(size_of::<T>())))
}

/// Allocates `len` copies of a value.
pub(crate) fn filled<T: Clone>(value: T, len: usize) -> Result<Vec<T>> {
    let mut values = Vec::new();
    values.try_reserve_exact(len).map_err(|_| no_memory(len.saturating_mul(size_of::<T>())))?;
    values.resize(len, value);
    Ok(values)
}
