//! From libtorch's exceptions to this project's errors.

mod said;

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

/// Makes an error of a group of processes.
pub(crate) fn distributed(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::Distributed, message)
}

/// Makes an error of an index outside its range.
pub(crate) fn range(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::OutOfRange, message)
}

/// Codes with which the kernels' errors pass through libtorch.
const OURS: [ErrorCode; 7] = [
    ErrorCode::InvalidArgument,
    ErrorCode::InvalidShape,
    ErrorCode::OutOfRange,
    ErrorCode::NonFiniteLoss,
    ErrorCode::Distributed,
    ErrorCode::OutOfMemory,
    ErrorCode::Internal,
];

/// An error of this project that went through libtorch as an exception.
fn ours(message: &str) -> Option<Error> {
    let rest = message.split_once("RECURRA:")?.1;
    let (code, text) = rest.split_once(':')?;
    // For a group's error, the rank follows the code, as in `Error::to_wire`.
    let (code, rank) = code.split_once('\x1f').map_or((code, None), |(code, rest)| (code, rest.split('\x1f').next()));
    let rank = rank.and_then(|rank| rank.parse().ok());
    let code = OURS.into_iter().find(|known| known.as_str() == code)?;
    Some(Error::new(code, text.lines().next().unwrap_or(text)).at_rank(rank))
}

/// Makes an error of what libtorch said: what to do about it where that is known, otherwise its first line. The C++ stack that
/// follows is left out.
pub(crate) fn thrown(message: &str) -> Error {
    if let Some(error) = ours(message) {
        return error;
    }
    let line = first_line(message);
    if is_out_of_memory(message) {
        return Error::new(ErrorCode::OutOfMemory, line);
    }
    said::explain(line).unwrap_or_else(|| Error::new(ErrorCode::Torch, format!("libtorch: {line}")))
}

/// What libtorch, cuDNN and cuBLAS say where a GPU has no more memory.
fn is_out_of_memory(message: &str) -> bool {
    ["CUDA out of memory", "CUDA error: out of memory", "CUDNN_STATUS_ALLOC_FAILED", "CUBLAS_STATUS_ALLOC_FAILED"]
        .iter()
        .any(|said| message.contains(said))
}

fn first_line(message: &str) -> &str {
    message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("unknown libtorch exception")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_without_memory_has_a_code_of_its_own() {
        let said = "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 79.11 GiB\nException raised from ...";
        let error = thrown(said);
        assert_eq!(error.code(), ErrorCode::OutOfMemory);
        assert!(error.message().ends_with("79.11 GiB"), "{error}");
        assert_eq!(thrown("cuDNN error: CUDNN_STATUS_ALLOC_FAILED").code(), ErrorCode::OutOfMemory);
        assert_eq!(thrown("mat1 and mat2 shapes cannot be multiplied").code(), ErrorCode::Torch);
    }
}
