//! The ground floor: what every engine, file and binding calls by the same name. It knows neither Node nor libtorch, and
//! computes nothing.
//!
//! - [`error`]: one error type with stable codes, and how panics become errors;
//! - [`fault`]: faults on purpose, for tests;
//! - [`array`]: an array with a name, as states, files and checkpoints hold it;
//! - [`cell`]: kinds of recurrent cells;
//! - [`layout`], [`distinct`]: sequences of unequal length without padding, and the different words among them.

pub mod array;
pub mod cell;
pub mod distinct;
pub mod error;
pub mod fault;
pub mod layout;

pub use array::{Dtype, Element, NamedArray};
pub use cell::Cell;
pub use error::{Error, ErrorCode, Result, abandon, guard};
