//! Models over libtorch: tensors, recurrent layers, optimizers and the network of a model.
//!
//! Everything here returns [`Result`]: shapes, dtypes, devices and indices are checked before libtorch is called (some
//! wrong arguments crash it), and what it throws nevertheless becomes [`ErrorCode::Torch`]. Nothing here knows Node.
//!
//! Modules stand on floors and name only those below them (`test/architecture.test.ts` fails otherwise), from the ground:
//!
//! 1. `error`, `shim`: libtorch's exceptions as errors; the C++ functions and the structs that cross;
//! 2. `tensor::info`, [`autocast`], [`count`], [`cuda`], [`random`]: facts and states, straight from the shim;
//! 3. [`check`], [`context`], [`init`]: arguments, the process's settings, initial values;
//! 4. [`tensor`]: operations on tensors;
//! 5. [`autograd`], [`late`], [`packing`]: gradients, weights that optimizers move late, packed rows;
//! 6. [`clip`], [`distributed`], [`embedded`], [`tally`]: gradients within bounds, several processes, embeddings not written out, sums
//!    on a device;
//! 7. [`functional`], [`optim`], [`recurrent`]: layers and optimizers, which do not know each other;
//! 8. [`network`]: an embedding, recurrent layers and a head, trained as a whole.

pub mod autocast;
pub mod autograd;
pub mod check;
pub mod clip;
pub mod context;
pub mod count;
pub mod cuda;
pub mod distributed;
pub mod embedded;
pub mod error;
pub mod functional;
pub mod init;
pub mod late;
pub mod network;
pub mod optim;
pub mod packing;
pub mod random;
pub mod recurrent;
mod shim;
pub mod tally;
pub mod tensor;

pub use recurra_core::{Error, ErrorCode, Result, guard};
pub use tch::{Device, Kind, Reduction, Tensor};
