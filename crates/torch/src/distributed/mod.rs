//! Several processes that compute together, over libtorch's c10d with Gloo.
//!
//! From the ground: `settings` and `address` are about this process alone; `store` is where the processes meet; `join` brings
//! them together; `fault` finds out who is lost; [`Group`] exchanges tensors, and `table` lends it to the other addon.
//!
//! What is certain of an error that names a rank: a connection to it broke, and it had written nothing of a failure of its own into the
//! store; or it did not come to a call within the timeout. Where rank 0 holds the store and the store is gone, rank 0 is named.

mod address;
mod call;
mod fault;
mod group;
mod join;
mod settings;
mod store;
mod table;

pub use call::ReduceOp;
pub use group::{Finished, Group};
pub use settings::{Meeting, Settings};
pub use table::Lent;
