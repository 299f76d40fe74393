//! Several processes that compute together, over libtorch's c10d with Gloo.
//!
//! From the ground: `settings` and `address` are about this process alone; `store` is where the processes meet; `join` brings
//! them together; `fault` finds out who is lost; [`Group`] exchanges tensors, `table` lends it to the other addon, and [`Parallel`] averages
//! gradients.
//!
//! What is certain of an error that names a rank: a connection to it broke, and it had written nothing of a failure of its own into the
//! store; or it did not come to a call within the timeout. Where rank 0 holds the store and the store is gone, rank 0 is named.

mod address;
mod buckets;
mod call;
mod fault;
mod group;
mod join;
mod parallel;
mod settings;
mod store;
mod table;

pub use call::ReduceOp;
pub use group::{Finished, Group};
pub use parallel::Parallel;
pub use settings::{Meeting, Settings};
pub use table::Lent;
