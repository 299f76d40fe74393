//! Model files: their form, checked whole before anything of it is used, and reading and writing them whole. No Node.

pub mod safetensors;

mod disk;

pub use disk::{read_whole, write_whole};
