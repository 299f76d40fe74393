//! Constructors of frequent errors.

pub(crate) use recurra_core::{Error, ErrorCode, Result};

pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidArgument, message)
}

pub(crate) fn damaged(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidFile, message)
}
