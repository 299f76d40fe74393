//! Model files: their form and the description of their model, checked whole before any of it is used; and reading and writing
//! whole files. No Node.

pub mod packed;
pub mod safetensors;

mod description;
mod disk;
mod tokens;

pub use description::{DESCRIPTION, take_tokens};
pub use disk::{read_whole, write_whole};
pub use tokens::{TOKENS, pack_tokens, unpack_tokens};
