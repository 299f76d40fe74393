//! Handles, and what the shim hands over: tensors, texts and errors.

use super::functions::{Handle, Message, Owned, recurra_free};
use crate::Result;
use crate::error::thrown;
use std::ffi::CStr;
use std::ptr;
use tch::Tensor;

/// The borrowed C++ handle of a tensor.
pub(crate) fn handle(tensor: &Tensor) -> Handle {
    tensor.as_ptr().cast()
}

/// The borrowed C++ handles of several tensors.
pub(crate) fn handles<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> Vec<Handle> {
    tensors.into_iter().map(handle).collect()
}

/// Takes over a text that the shim made.
pub(crate) fn text(message: Message) -> Option<String> {
    if message.is_null() {
        return None;
    }
    // SAFETY: a NUL-terminated string from `strdup`, which is freed only here.
    unsafe {
        let text = CStr::from_ptr(message).to_string_lossy().into_owned();
        recurra_free(message);
        Some(text)
    }
}

/// Turns a message of the shim into an error, and frees it.
pub(crate) fn check(message: Message) -> Result<()> {
    text(message).map_or(Ok(()), |text| Err(thrown(&text)))
}

/// Takes over a tensor that the shim made.
pub(crate) fn owned(call: impl FnOnce(&mut Owned) -> Message) -> Result<Tensor> {
    let mut out = ptr::null_mut();
    check(call(&mut out))?;
    // SAFETY: without an error the shim has written a tensor made with `new`, which tch frees with `delete`.
    Ok(unsafe { Tensor::from_ptr(out.cast()) })
}
