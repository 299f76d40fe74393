//! The C++ shim: what libtorch offers and tch does not. The lowest floor of this crate: it owns the structs that cross.

pub(crate) mod abi;
pub(crate) mod c10d;
mod calls;
mod functions;
mod message;

pub(crate) use calls::{
    arange, clamp, collect, embedding_rows, full, masked_fill, norms, pad_packed, scale, small_cross_entropy,
    small_linear, spread, with_number,
};
pub(crate) use functions::*;
pub(crate) use message::{check, handle, handles, owned, text};
