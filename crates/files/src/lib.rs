//! Model files: their form and the description of their model, checked whole before any of it is used; and reading and writing
//! whole files. No Node.

pub mod safetensors;

mod description;
mod disk;

pub use description::{DESCRIPTION, take_tokens};
pub use disk::{read_whole, write_whole};
