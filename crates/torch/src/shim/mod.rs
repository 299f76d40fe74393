//! The C++ shim: what libtorch offers and tch does not. The lowest floor of this crate: it owns the structs that cross.

pub(crate) mod abi;
pub(crate) mod c10d;
mod calls;
mod functions;
pub(crate) mod hooks;
mod message;

pub(crate) use calls::{
    add_number, arange, clamp, clamp_in_place, collect, embedding_rows, full, masked_fill, masked_fill_in_place, norms,
    pad_packed, scale, small_cross_entropy, small_linear, spread, with_number,
};
pub(crate) use functions::*;
pub(crate) use message::{check, handle, handles, owned, text};
