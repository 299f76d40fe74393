//! Operations on tensors, one file per subject. Semantics (broadcasting, type promotion, views) are libtorch's.

pub mod convert;
pub mod create;
mod info;
pub mod inplace;
pub mod math;
pub mod reduce;
pub mod shape;

pub use info::{bytes, describe, device_name, dtype_name, is_floating, is_integer, version};
pub(crate) use info::{number_beside, number_of};
