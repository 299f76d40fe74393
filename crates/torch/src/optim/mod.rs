//! Adam, AdamW and SGD, equal to `torch.optim`, through libtorch's fused kernels.

mod adam;
mod late;
mod optimizer;
mod options;
mod param;
mod sgd;
mod slots;
mod state;

pub use optimizer::Optimizer;
pub use options::OptimizerOptions;
pub use slots::Slot;
pub use state::Entry;
