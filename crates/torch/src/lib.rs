//! Models over libtorch.
pub use recurra_kernels::{Error, ErrorCode, Result, guard};
