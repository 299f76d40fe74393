//! A model's vocabulary, and texts as indices in it. No Node, no libtorch.
//!
//! The TypeScript facade has the same functions for programs that look at tokens; here no token becomes a string, which
//! makes a prediction's text cost a fraction of its network.

pub mod basic_english;

mod reading;
mod vocab;

pub use reading::{Encoded, Reading, Truncate};
pub use vocab::Vocab;
