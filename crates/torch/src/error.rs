//! From libtorch's exceptions to this project's errors.

use crate::{Error, ErrorCode, Result};
use tch::TchError;

/// Makes an error of a wrong argument.
pub(crate) fn argument(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidArgument, message)
}

/// Makes an error of a shape that does not fit.
pub(crate) fn shape(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidShape, message)
}

/// Makes an error of an element type that does not fit.
pub(crate) fn dtype(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidDtype, message)
}

/// Makes an error of an index outside its range.
pub(crate) fn range(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::OutOfRange, message)
}

/// Makes an error of what libtorch said: its first line, without the C++ stack that follows.
pub(crate) fn thrown(message: &str) -> Error {
    let first = message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("unknown libtorch exception");
    Error::new(ErrorCode::Torch, format!("libtorch: {first}"))
}

/// Turns results of tch into results of this crate.
pub(crate) trait IntoResult<T> {
    /// The same value, or libtorch's message as an [`Error`].
    fn torch(self) -> Result<T>;
}

impl<T> IntoResult<T> for std::result::Result<T, TchError> {
    fn torch(self) -> Result<T> {
        self.map_err(|error| match error {
            TchError::Torch(message) => thrown(&message),
            other => thrown(&other.to_string()),
        })
    }
}
