//! Checks of network sizes, and the errors about them.

use crate::error::{Error, ErrorCode, Result};

/// Maximum number of parameters: 64 TiB of float32. Small sizes are padded, to at most sixteen times their size.
pub(crate) const MAX_PARAMETERS: f64 = (1u64 << 44) as f64;

/// An error about an option outside its range.
pub(crate) fn argument(option: &'static str, message: String) -> Error {
    Error::new(ErrorCode::InvalidArgument, message).about(option)
}

/// Checks the sizes of a linear layer from `hidden_size` features to `outputs`.
pub(crate) fn check_linear(name: &'static str, outputs: usize, hidden_size: usize) -> Result<()> {
    check_count(name, outputs)?;
    if outputs as f64 * hidden_size as f64 > MAX_PARAMETERS {
        return Err(argument(
            "hiddenSize",
            format!("{name} {outputs} and hiddenSize {hidden_size} make a network that is too large for any computer"),
        ));
    }
    Ok(())
}

/// Checks a number of rows, words or outputs.
pub(crate) fn check_count(name: &'static str, value: usize) -> Result<()> {
    if value == 0 || value > i32::MAX as usize {
        return Err(argument(name, format!("{name} must be between 1 and {} but is {value}", i32::MAX)));
    }
    Ok(())
}
