//! Model files: their format and the description of their model, checked completely before use. Also reads and writes
//! whole files. Does not depend on Node.

pub mod packed;
pub mod safetensors;

mod description;
mod disk;
mod tokens;

pub use description::{DESCRIPTION, take_tokens};
pub use disk::{read_whole, write_whole};
pub use tokens::{TOKENS, pack_tokens, unpack_tokens};
