//! Models over libtorch: tensors, recurrent layers, optimizers and the text classifier.
//!
//! Everything here returns [`Result`]: shapes, dtypes, devices and indices are checked before libtorch is called (some
//! wrong arguments crash it), and what it throws nevertheless becomes [`ErrorCode::Torch`]. Nothing here knows Node.

pub mod autocast;
pub mod autograd;
pub mod cells;
pub mod check;
pub mod classifier;
pub mod clip;
pub mod context;
pub mod count;
pub mod cuda;
pub mod embedded;
pub mod error;
pub mod functional;
pub mod fused;
pub mod init;
pub mod late;
pub mod optim;
pub mod packing;
pub mod random;
pub mod recurrent;
mod shim;
pub mod tally;
pub mod tensor;

pub use recurra_core::{Error, ErrorCode, Result, guard};
pub use tch::{Device, Kind, Reduction, Tensor};
