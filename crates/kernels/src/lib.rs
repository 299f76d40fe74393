//! Packed layout and fused CPU kernels for recurrent networks.

pub mod error;

pub use error::{Error, ErrorCode, Result, guard};
