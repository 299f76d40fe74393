//! Forward and backward of a whole network with PyTorch's layouts at the border.

#[cfg(feature = "training")]
mod backward;
mod forward;
mod types;

#[cfg(feature = "training")]
pub use backward::{backward, backward_to};
pub use forward::{forward, forward_to};
pub use types::{Gradients, GradientsTo, Mode, Output, OutputTo, Passes, Saved};
